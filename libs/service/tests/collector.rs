//! What a collector gets: measurements, and one trace from the client to the processes. One test, for a process has one
//! subscriber.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod common;
mod traced;

use std::sync::{Arc, Mutex};

use common::Bearer;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::trace::v1::Span;
use tandem_nats_server::NatsServer;
use tandem_proto::common::v1::view_service_client::ViewServiceClient;
use tandem_proto::common::v1::{ListViewsRequest, RebuildViewRequest};
use tandem_service::Telemetry;
use tandem_service::testing::{Running, settings, token};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use traced::Traced;

#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    metrics: Arc<Mutex<Vec<String>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans.into_iter();
        let spans = resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans);
        self.spans.lock().unwrap().extend(spans);
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let resources = request.into_inner().resource_metrics.into_iter();
        let metrics = resources.flat_map(|resource| resource.scope_metrics).flat_map(|scope| scope.metrics);
        self.metrics.lock().unwrap().extend(metrics.map(|metric| metric.name));
        Ok(Response::new(Default::default()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Collector {
    /// The span of this name in a trace.
    fn span(&self, trace: &str, name: &str) -> Span {
        let spans = self.spans.lock().unwrap();
        let found = spans.iter().find(|span| hex(&span.trace_id) == trace && span.name == name);
        found.cloned().unwrap_or_else(|| panic!("no {name} in {:?}", spans.iter().map(|s| &s.name).collect::<Vec<_>>()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_shows_what_a_request_leads_to() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const PARENT: &str = "b7ad6b7169203331";
    let collector = Collector::default();
    let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let endpoint = format!("http://{}", incoming.local_addr().unwrap());
    let collecting = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(collector.clone()))
        .add_service(MetricsServiceServer::new(collector.clone()))
        .serve_with_incoming(incoming);
    tokio::spawn(collecting);

    let nats = NatsServer::builder().start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(&nats.url(), folder.path());
    settings.telemetry.otlp_endpoint = Some(endpoint);
    let telemetry = Telemetry::start("test", &settings.telemetry).unwrap();
    let args = traced::Args::default();
    let running = Running::start::<Traced>(settings, args.clone()).await.unwrap();
    let bearer = Bearer(token("users/ada", "acme", &["views.*"]));
    let mut client = ViewServiceClient::with_interceptor(running.channel(), bearer);

    let mut write = Request::new(RebuildViewRequest { name: "views/any".into() });
    write.metadata_mut().insert("traceparent", format!("00-{TRACE}-{PARENT}-01").parse().unwrap());
    let written = client.rebuild_view(write).await.unwrap();
    let position = written.metadata().get("tandem-position").expect("where it stands in the log").clone();
    assert_eq!(position, "traced.thing:1");
    let mut list = Request::new(ListViewsRequest {});
    list.metadata_mut().insert("tandem-read-after", position);
    client.list_views(list).await.expect("the view has folded it");
    args.handled.0.acquire().await.expect("the process has handled it").forget();
    running.stop().await.unwrap();
    telemetry.stop().await;

    let request = collector.span(TRACE, "tandem.common.v1.ViewService/RebuildView");
    assert_eq!(hex(&request.parent_span_id), PARENT);
    let attributes: Vec<_> = request.attributes.iter().map(|attribute| &attribute.key[..]).collect();
    assert!(attributes.contains(&"rpc.grpc.status_code"), "{attributes:?}");
    for name in ["append", "view", "process traced-handled"] {
        assert_eq!(hex(&collector.span(TRACE, name).parent_span_id), hex(&request.span_id), "{name} follows from it");
    }
    let metrics = collector.metrics.lock().unwrap();
    assert!(metrics.iter().any(|name| name == "rpc.server.duration"), "{metrics:?}");
}
