//! What a collector gets: a request's span in the trace of its client, and measurements. One test, for a process has one
//! subscriber.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use std::sync::{Arc, Mutex};

use common::{Door, Test, client};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::trace::v1::Span;
use tandem_proto::common::v1::ListViewsRequest;
use tandem_service::Telemetry;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_request_belongs_to_the_trace_of_its_client() {
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

    let mut test = Test::new(Door::default()).await;
    test.settings.telemetry.otlp_endpoint = Some(endpoint);
    let telemetry = Telemetry::start("test", &test.settings.telemetry).unwrap();
    let running = test.start().await;
    let mut request = Request::new(ListViewsRequest {});
    request.metadata_mut().insert("traceparent", format!("00-{TRACE}-{PARENT}-01").parse().unwrap());
    let views = client(&running).list_views(request).await.unwrap().into_inner().views;
    running.stop().await.unwrap();
    telemetry.stop().await;

    let spans = collector.spans.lock().unwrap();
    let span = spans.iter().find(|span| span.name == "tandem.common.v1.ViewService/ListViews").expect("its span");
    assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), (TRACE.into(), PARENT.into()));
    let for_the_log = &views[1].name;
    assert_eq!(*for_the_log, format!("00-{TRACE}-{}-01", hex(&span.span_id)), "what events carry is this span");
    let attributes: Vec<_> = span.attributes.iter().map(|attribute| &attribute.key[..]).collect();
    assert!(attributes.contains(&"rpc.grpc.status_code"), "{attributes:?}");
    let metrics = collector.metrics.lock().unwrap();
    assert!(metrics.iter().any(|name| name == "rpc.server.duration"), "{metrics:?}");
}
