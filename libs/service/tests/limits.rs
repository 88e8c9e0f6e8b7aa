//! What is too much is refused at once; what takes too long ends in time.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use std::time::{Duration, Instant};

use common::{Bearer, Door, Test, client, client_with, reason};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tandem_proto::common::v1::view_service_client::ViewServiceClient;
use tandem_proto::common::v1::{ListViewsRequest, RebuildViewRequest};
use tandem_service::testing::{Running, token};
use tokio::task::JoinSet;
use tonic::body::Body;
use tonic::service::interceptor::InterceptedService;
use tonic::{Code, Request, Status};
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

fn overloaded(status: &Status) -> String {
    assert_eq!((status.code(), &reason(status)[..]), (Code::ResourceExhausted, "OVERLOADED"));
    let details = status.get_error_details();
    assert!(details.retry_info().unwrap().retry_delay.is_some());
    details.error_info().unwrap().metadata["limit"].clone()
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
    assert_eq!(overloaded(&status), "service");
    HealthClient::new(running.channel()).check(HealthCheckRequest::default()).await.expect("health is not shed");
    let status = ViewServiceClient::new(running.channel()).list_views(ListViewsRequest {}).await.unwrap_err();
    assert_eq!(reason(&status), "TOKEN_MISSING", "who is nobody is told so, and takes no place");

    test.door.pass.add_permits(1);
    first.await.unwrap().expect("the first was not disturbed");
    test.door.pass.add_permits(1);
    client(&running).list_views(ListViewsRequest {}).await.expect("there is room again");
}

/// Requests of one tenant at once, each by a task of its own.
fn flood(running: &Running, tenant: &str, count: usize) -> JoinSet<Result<(), Status>> {
    let client = client_with(running, &token("users/ada", tenant, &["*"]));
    let mut flood = JoinSet::new();
    for _ in 0..count {
        let mut client = client.clone();
        flood.spawn(async move { client.list_views(ListViewsRequest {}).await.map(drop) });
    }
    flood
}

#[tokio::test]
async fn of_ten_times_too_many_those_admitted_wait_for_nobody_and_the_rest_are_refused() {
    const PLACES: usize = 16;
    let mut test = Test::new(Door::closed()).await;
    test.settings.limits.max_concurrent_requests = PLACES;
    let running = test.start().await;
    for round in 0..3 {
        let mut flood = flood(&running, "acme", 10 * PLACES);
        // A tenant alone has three quarters. Their handlers run although nine times as many came with them.
        for _ in 0..PLACES * 3 / 4 {
            test.door.reached().await;
        }
        let mut refused = 0;
        while refused < 10 * PLACES - PLACES * 3 / 4 {
            let answer = flood.join_next().await.unwrap().unwrap();
            assert_eq!(overloaded(&answer.expect_err("the door is closed")), "tenant", "in round {round}");
            refused += 1;
        }
        assert_eq!(test.door.reached.available_permits(), 0, "nobody else came to the handler");
        test.door.pass.add_permits(PLACES * 3 / 4);
        while let Some(answer) = flood.join_next().await {
            answer.unwrap().expect("who was admitted is answered");
        }
    }
}

#[tokio::test]
async fn a_tenant_that_floods_does_not_starve_another() {
    let mut test = Test::new(Door::closed()).await;
    test.settings.limits.max_concurrent_requests = 16;
    let running = test.start().await;
    let mut loud = flood(&running, "loud", 100);
    for _ in 0..100 - 12 {
        assert_eq!(overloaded(&loud.join_next().await.unwrap().unwrap().unwrap_err()), "tenant");
    }
    for _ in 0..12 {
        test.door.reached().await;
    }
    // Another finds room at once, and while it has less than its share the first is not let in again.
    let mut quiet = flood(&running, "quiet", 3);
    for _ in 0..3 {
        test.door.reached().await;
    }
    test.door.pass.add_permits(1);
    tokio::select! {
        answer = loud.join_next() => answer.unwrap().unwrap().unwrap(),
        answer = quiet.join_next() => answer.unwrap().unwrap().unwrap(),
    }
    let mut again = flood(&running, "loud", 5);
    while let Some(answer) = again.join_next().await {
        assert_eq!(overloaded(&answer.unwrap().unwrap_err()), "tenant");
    }
    let more = flood(&running, "quiet", 1);
    test.door.reached().await;
    test.door.pass.add_permits(100);
    for flood in [loud, quiet, more] {
        assert!(flood.join_all().await.iter().all(Result::is_ok));
    }
}

#[tokio::test]
async fn what_runs_long_has_places_of_its_own() {
    let mut test = Test::new(Door::closed()).await;
    test.settings.limits.max_concurrent_requests = 1;
    let running = test.start().await;
    let mut first = client(&running);
    let first = tokio::spawn(async move { first.list_views(ListViewsRequest {}).await });
    test.door.reached().await;
    let rebuild = RebuildViewRequest { name: "views/things".into() };
    client(&running).rebuild_view(rebuild).await.expect("long running");
    test.door.pass.add_permits(1);
    first.await.unwrap().unwrap();
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
