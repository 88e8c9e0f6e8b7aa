//! What is too much is refused at once; what takes too long ends in time.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use std::time::{Duration, Instant};

use common::{Bearer, Door, Test, client, reason};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tandem_proto::common::v1::view_service_client::ViewServiceClient;
use tandem_proto::common::v1::{ListViewsRequest, RebuildViewRequest};
use tandem_service::testing::{Running, token};
use tonic::body::Body;
use tonic::service::interceptor::InterceptedService;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

/// Far more than any of this takes, far less than anything that would wait for nothing.
const SOON: Duration = Duration::from_secs(10);

/// A client that tells the service its deadline but does not keep it itself, as tonic's does: which of the two is first
/// would be a matter of how busy the machine is.
fn patient_client(
    running: &Running,
) -> ViewServiceClient<InterceptedService<HyperClient<HttpConnector, Body>, Bearer>> {
    let http = HyperClient::builder(TokioExecutor::new()).http2_only(true).build(HttpConnector::new());
    let bearer = Bearer(token("users/ada", "acme", &["*"]));
    ViewServiceClient::with_origin(InterceptedService::new(http, bearer), running.uri().parse().unwrap())
}

#[tokio::test]
async fn the_clients_deadline_ends_a_request() {
    let test = Test::new(Door::closed()).await;
    let running = test.start().await;
    let mut request = Request::new(ListViewsRequest {});
    request.set_timeout(Duration::from_millis(100));
    let answered = tokio::time::timeout(SOON, patient_client(&running).list_views(request)).await;
    let status = answered.expect("the service has a limit of its own, but this is not it").unwrap_err();
    assert_eq!((status.code(), &reason(&status)[..]), (Code::DeadlineExceeded, "DEADLINE"));
}

#[tokio::test]
async fn the_services_own_limit_ends_a_request_that_has_no_deadline() {
    let mut test = Test::new(Door::closed()).await;
    test.settings.limits.request_timeout = Duration::from_millis(50);
    let running = test.start().await;
    let status = client(&running).list_views(ListViewsRequest {}).await.unwrap_err();
    assert_eq!((status.code(), &reason(&status)[..]), (Code::DeadlineExceeded, "DEADLINE"));
}

#[tokio::test]
async fn too_many_requests_are_refused_at_once() {
    let mut test = Test::new(Door::closed()).await;
    test.settings.limits.max_concurrent_requests = 1;
    let running = test.start().await;
    let mut first = client(&running);
    let first = tokio::spawn(async move { first.list_views(ListViewsRequest {}).await });
    test.door.reached().await;

    let begin = Instant::now();
    let status = client(&running).list_views(ListViewsRequest {}).await.unwrap_err();
    assert!(begin.elapsed() < SOON);
    assert_eq!((status.code(), &reason(&status)[..]), (Code::ResourceExhausted, "OVERLOADED"));
    assert!(status.get_error_details().retry_info().unwrap().retry_delay.is_some());
    HealthClient::new(running.channel()).check(HealthCheckRequest::default()).await.expect("health is not shed");

    test.door.pass.add_permits(1);
    first.await.unwrap().expect("the first was not disturbed");
    test.door.pass.add_permits(1);
    client(&running).list_views(ListViewsRequest {}).await.expect("there is room again");
}

#[tokio::test]
async fn a_message_that_is_too_large_is_not_read() {
    let mut test = Test::new(Door::default()).await;
    test.settings.limits.max_message_bytes = 100;
    let running = test.start().await;
    let status = client(&running).rebuild_view(RebuildViewRequest { name: "x".repeat(1000) }).await.unwrap_err();
    assert_eq!((status.code(), &reason(&status)[..]), (Code::InvalidArgument, "FIELD_INVALID"));
    assert!(status.message().contains("100 bytes"), "{status}");
}

#[tokio::test]
async fn a_handler_that_panics_is_an_internal_error() {
    let test = Test::new(Door::default()).await;
    let running = test.start().await;
    let status = client(&running).rebuild_view(RebuildViewRequest { name: "views/panic".into() }).await.unwrap_err();
    assert_eq!((status.code(), &reason(&status)[..]), (Code::Internal, "INTERNAL"));
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().metadata["trace_id"].len(), 32);
    client(&running).list_views(ListViewsRequest {}).await.expect("the service goes on");
}
