//! Starting, being ready, and stopping without losing what has begun.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use std::time::Duration;

use common::{Args, Bearer, Door, Test, UnderTest, client, reason};
use rustix::process::{Pid, Signal, kill_process};
use tandem_proto::common::v1::ListViewsRequest;
use tandem_proto::common::v1::view_service_client::ViewServiceClient;
use tandem_service::testing::token;
use tandem_service::{DeploymentEnvironment, LIVE, run_on};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;
use tonic::transport::Channel;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_types::StatusExt as _;

async fn until(health: &mut Streaming<HealthCheckResponse>, wanted: ServingStatus) {
    let wait = async {
        loop {
            let next = health.message().await.unwrap().expect("the watch goes on");
            if next.status() == wanted {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap_or_else(|_| panic!("never {wanted:?}"));
}

#[tokio::test]
async fn shutdown_finishes_what_has_begun() {
    let test = Test::new(Door::closed()).await;
    let running = test.start().await;
    let mut health =
        HealthClient::new(running.channel()).watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    until(&mut health, ServingStatus::Serving).await;
    let mut first = client(&running);
    let first = tokio::spawn(async move { first.list_views(ListViewsRequest {}).await });
    test.door.reached().await;

    running.shut_down();
    until(&mut health, ServingStatus::NotServing).await;
    assert!(health.message().await.unwrap().is_none(), "a watcher does not hold up the shutdown");
    assert!(!first.is_finished());
    test.door.pass.add_permits(1);
    first.await.unwrap().expect("the request in flight was answered");

    let address = running.address;
    running.stop().await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn shutdown_does_not_wait_for_ever() {
    let mut test = Test::new(Door::closed()).await;
    test.settings.limits.drain_timeout = Duration::from_millis(50);
    let running = test.start().await;
    let mut stuck = client(&running);
    let stuck = tokio::spawn(async move { stuck.list_views(ListViewsRequest {}).await });
    test.door.reached().await;
    tokio::time::timeout(Duration::from_secs(10), running.stop()).await.expect("it ended").unwrap();
    stuck.abort();
}

#[tokio::test]
async fn each_grpc_service_has_its_health_by_name() {
    let test = Test::new(Door::default()).await;
    let running = test.start().await;
    let mut health = HealthClient::new(running.channel());
    for service in ["", "tandem.common.v1.ViewService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"]
    {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = health.check(request).await.unwrap_or_else(|status| panic!("{service}: {status}")).into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    let request = HealthCheckRequest { service: "test.Nothing".to_owned() };
    let status = health.check(request).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::NotFound);
    assert!(status.message().contains("tandem.common.v1.ViewService"), "{status}");
}

async fn status_of(health: &mut HealthClient<Channel>, service: &str) -> ServingStatus {
    let request = HealthCheckRequest { service: service.to_owned() };
    health.check(request).await.unwrap().into_inner().status()
}

#[tokio::test]
async fn started_before_nats_it_waits_for_it() {
    let mut test = Test::new(Door::default()).await;
    test.nats.stop().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (shutdown, (ready, mut told)) = (CancellationToken::new(), oneshot::channel());
    let running = tokio::spawn({
        let (settings, shutdown) = (test.settings.clone(), shutdown.clone());
        async move { run_on::<UnderTest>(listener, &settings, &Args::default(), shutdown, ready).await }
    });
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut health = HealthClient::new(channel.clone());
    for not_ready in ["", "tandem.common.v1.ViewService"] {
        assert_eq!(status_of(&mut health, not_ready).await, ServingStatus::NotServing, "{not_ready}");
    }
    assert_eq!(status_of(&mut health, LIVE).await, ServingStatus::Serving);
    let bearer = Bearer(token("users/ada", "acme", &["*"]));
    let mut client = ViewServiceClient::with_interceptor(channel, bearer);
    let refused = client.list_views(ListViewsRequest {}).await.unwrap_err();
    assert_eq!((refused.code(), &*reason(&refused)), (tonic::Code::Unavailable, "LOG_UNAVAILABLE"));
    assert!(refused.get_error_details().retry_info().unwrap().retry_delay.is_some());
    assert!(told.try_recv().is_err(), "nobody is told that it is ready");

    let mut watched = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    until(&mut watched, ServingStatus::NotServing).await;
    test.nats.restart().await.unwrap();
    until(&mut watched, ServingStatus::Serving).await;
    assert_eq!(told.await.unwrap(), address);
    client.list_views(ListViewsRequest {}).await.unwrap();
    shutdown.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn waiting_for_nats_it_can_be_shut_down() {
    let mut test = Test::new(Door::default()).await;
    test.nats.stop().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (shutdown, (ready, told)) = (CancellationToken::new(), oneshot::channel());
    let stop = shutdown.clone();
    let settings = test.settings.clone();
    let running =
        tokio::spawn(async move { run_on::<UnderTest>(listener, &settings, &Args::default(), stop, ready).await });
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(10), running).await.expect("it ended").unwrap().unwrap();
    assert!(told.await.is_err());
}

#[tokio::test]
async fn it_is_not_ready_while_nats_is_silent() {
    let test = Test::new(Door::default()).await;
    let running = test.start().await;
    let mut health = HealthClient::new(running.channel());
    let mut watched = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    until(&mut watched, ServingStatus::Serving).await;
    let pid = Pid::from_raw(test.nats.pid().unwrap().cast_signed()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    until(&mut watched, ServingStatus::NotServing).await;
    assert_eq!(status_of(&mut health, LIVE).await, ServingStatus::Serving);
    kill_process(pid, Signal::CONT).unwrap();
    until(&mut watched, ServingStatus::Serving).await;
}

#[tokio::test]
async fn it_is_not_ready_while_the_log_is_away() {
    let mut test = Test::new(Door::default()).await;
    let running = test.start().await;
    let mut health =
        HealthClient::new(running.channel()).watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    until(&mut health, ServingStatus::Serving).await;
    test.nats.stop().await.unwrap();
    until(&mut health, ServingStatus::NotServing).await;
    test.nats.restart().await.unwrap();
    until(&mut health, ServingStatus::Serving).await;
}

#[tokio::test]
async fn health_is_served_apart_where_it_is_asked_for() {
    let mut test = Test::new(Door::default()).await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    test.settings.health_listen = Some(free);
    let running = test.start().await;
    let channel = tonic::transport::Endpoint::try_from(format!("http://{free}")).unwrap().connect_lazy();
    let mut watched =
        HealthClient::new(channel.clone()).watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    until(&mut watched, ServingStatus::Serving).await;
    let status = ViewServiceClient::new(channel.clone()).list_views(ListViewsRequest {}).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unimplemented, "nothing else is served there");

    test.nats.stop().await.unwrap();
    until(&mut watched, ServingStatus::NotServing).await;
    let live = HealthCheckRequest { service: "live".to_owned() };
    let answer = HealthClient::new(channel).check(live).await.unwrap().into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving, "it need not be restarted because NATS is away");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn shutdown_is_announced_before_it_begins() {
    let mut test = Test::new(Door::default()).await;
    test.settings.limits.drain_delay = Some(Duration::from_secs(3600));
    let running = test.start().await;
    let mut health =
        HealthClient::new(running.channel()).watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    until(&mut health, ServingStatus::Serving).await;
    running.shut_down();
    until(&mut health, ServingStatus::NotServing).await;
    client(&running).list_views(ListViewsRequest {}).await.expect("new connections are served as before");
}

#[tokio::test]
async fn a_taken_address_is_told_with_its_remedy() {
    let mut test = Test::new(Door::default()).await;
    let running = test.start().await;
    test.settings.listen = Some(running.address);
    let error = test.fails_to_start().await;
    assert!(error.contains(&running.address.to_string()) && error.contains("--listen"), "{error}");
}

#[tokio::test]
async fn what_is_unsafe_in_production_does_not_start() {
    let mut test = Test::new(Door::default()).await;
    test.settings.environment = DeploymentEnvironment::Production;
    let error = test.fails_to_start().await;
    assert!(error.contains("--development-key is refused"), "{error}");

    test.settings.auth.development_key = false;
    test.settings.auth.jwks = Some("/nonexistent/jwks.json".into());
    let error = test.fails_to_start().await;
    assert!(error.contains("--jwks /nonexistent/jwks.json can't be read"), "{error}");
}
