//! What a collector gets: measurements, and one trace from the client to the processes. One test, for a process has one
//! subscriber.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod common;
mod traced;

use common::Bearer;
use tandem_nats_server::NatsServer;
use tandem_proto::common::v1::view_service_client::ViewServiceClient;
use tandem_proto::common::v1::{ListViewsRequest, RebuildViewRequest};
use tandem_service::Telemetry;
use tandem_service::testing::{Collector, Running, settings, token};
use tonic::Request;
use traced::Traced;

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_shows_what_a_request_leads_to() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const PARENT: &str = "b7ad6b7169203331";
    const REQUEST: (&str, &str) = ("test", "tandem.common.v1.ViewService/RebuildView");
    let collector = Collector::start().unwrap();
    let nats = NatsServer::builder().start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(&nats.url(), folder.path());
    settings.telemetry.otlp_endpoint = Some(collector.endpoint.clone());
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

    let trace = collector.trace(TRACE);
    let request = trace.find(PARENT, &[REQUEST]).unwrap_or_else(|| panic!("the request is not in\n{trace}"));
    let attributes: Vec<_> = request.span.attributes.iter().map(|attribute| &attribute.key[..]).collect();
    assert!(attributes.contains(&"rpc.grpc.status_code"), "{attributes:?}");
    for name in ["append", "view", "process traced-handled"] {
        assert!(trace.find(PARENT, &[REQUEST, ("test", name)]).is_some(), "{name} does not follow from it in\n{trace}");
    }
    let metrics = collector.metrics();
    assert!(metrics.contains(&("test".to_owned(), "rpc.server.duration".to_owned())), "{metrics:?}");
}
