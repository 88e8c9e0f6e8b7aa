//! What a client does when a call fails in passing: nothing is lost, nothing done twice, nothing waits for ever.

use std::time::{Duration, Instant};

use http::StatusCode;
use tandem_client::{Error, RetryPolicy};
use tandem_proto::common::v1::ErrorReason;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::support::{Proxy, Server, Step, Stub, client, list, merge, reason};

fn error(code: Code, name: &str) -> Status {
    Status::with_error_details(code, "scripted", reason(name))
}

#[tokio::test]
async fn a_command_whose_reply_is_lost_is_repeated_as_the_same_command() {
    let stub = Stub::default();
    let server = Server::start(&stub).await;
    let proxy = Proxy::to(server.address).await;
    stub.then([Step::LoseReply(proxy.clone()), Step::LoseReply(proxy.clone())]);

    client(proxy.url()).build().unwrap().creators().merge_creators(merge()).await.unwrap();

    let seen = stub.seen();
    assert_eq!(seen.len(), 3);
    let request_id: Uuid = seen[0].request_id.parse().unwrap();
    assert_eq!(request_id.get_version_num(), 7);
    assert!(seen.iter().all(|try_| try_.request_id == seen[0].request_id), "{seen:?}");
    assert_eq!(stub.done().len(), 1);
}

#[tokio::test]
async fn half_a_reply_is_no_reply() {
    let stub = Stub::scripted([Step::HalfReply]);
    let server = Server::start(&stub).await;
    let proxy = Proxy::to(server.address).await;
    proxy.cut_within_reply(4096);

    client(proxy.url()).build().unwrap().creators().merge_creators(merge()).await.unwrap();

    let seen = stub.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].request_id, seen[1].request_id);
}

#[tokio::test]
async fn half_a_reply_is_not_waited_for_beyond_the_deadline() {
    let stub = Stub::scripted([Step::HalfReply]);
    let server = Server::start(&stub).await;
    let client = client(server.url()).deadline(Duration::from_millis(200)).build().unwrap();

    let mut creators = client.creators();
    let outcome = tokio::time::timeout(Duration::from_secs(5), creators.merge_creators(merge())).await;

    assert_eq!(outcome.unwrap().unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_request_id_of_the_caller_stays_and_others_differ() {
    let stub = Stub::default();
    let server = Server::start(&stub).await;
    let mut creators = client(server.url()).build().unwrap().creators();

    let mut request = merge();
    request.request_id = "order-17".into();
    creators.merge_creators(request).await.unwrap();
    creators.merge_creators(merge()).await.unwrap();
    creators.merge_creators(merge()).await.unwrap();

    let seen = stub.seen();
    assert_eq!(seen[0].request_id, "order-17");
    assert_ne!(seen[1].request_id, seen[2].request_id);
    assert_eq!(stub.done().len(), 3);
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let steps = [
        Step::Fail(Status::unavailable("restarting")),
        Step::Http(StatusCode::SERVICE_UNAVAILABLE),
        Step::Fail(error(Code::Aborted, "CONCURRENT_WRITES")),
        Step::Fail(error(Code::DeadlineExceeded, "DEADLINE")),
    ];
    let stub = Stub::scripted(steps.clone());
    let server = Server::start(&stub).await;

    client(server.url()).build().unwrap().creators().merge_creators(merge()).await.unwrap();

    assert_eq!(stub.seen().len(), steps.len() + 1);
    assert_eq!(stub.done().len(), 1);
}

#[tokio::test]
async fn a_refusal_is_final() {
    for refusal in [
        error(Code::FailedPrecondition, "CREATOR_MERGED"),
        error(Code::Aborted, "ETAG_MISMATCH"),
        error(Code::InvalidArgument, "REQUEST_ID_REUSED"),
        error(Code::Internal, "INTERNAL"),
        error(Code::ResourceExhausted, "OVERLOADED"),
    ] {
        let stub = Stub::scripted([Step::Fail(refusal.clone())]);
        let server = Server::start(&stub).await;

        let outcome = client(server.url()).build().unwrap().creators().merge_creators(merge()).await;

        let error = Error::from(outcome.unwrap_err());
        assert_eq!((error.code(), error.reason()), (refusal.code(), Error::from(refusal).reason()));
        assert!(error.reason().is_some());
        assert_eq!(stub.seen().len(), 1, "{error}");
    }
}

#[tokio::test]
async fn the_delay_that_a_server_asks_for_is_kept() {
    let delay = Duration::from_millis(150);
    let overloaded = || {
        let mut details = reason("OVERLOADED");
        details.set_retry_info(Some(delay));
        Step::Fail(Status::with_error_details(Code::ResourceExhausted, "too many requests", details))
    };
    let stub = Stub::scripted([overloaded(), overloaded()]);
    let server = Server::start(&stub).await;

    let start = Instant::now();
    client(server.url()).build().unwrap().creators().list_creators(list()).await.unwrap();

    assert!(start.elapsed() >= delay * 2, "{:?}", start.elapsed());
    assert_eq!(stub.seen().len(), 3);
}

#[tokio::test]
async fn a_delay_beyond_the_deadline_is_not_waited_for() {
    let mut details = reason("LOG_UNAVAILABLE");
    details.set_retry_info(Some(Duration::from_secs(3600)));
    let stub = Stub::scripted([Step::Fail(Status::with_error_details(Code::Unavailable, "no log", details))]);
    let server = Server::start(&stub).await;

    let start = Instant::now();
    let outcome = client(server.url()).build().unwrap().creators().list_creators(list()).await;

    let error = Error::from(outcome.unwrap_err());
    assert_eq!(error.reason(), Some(ErrorReason::LogUnavailable));
    assert_eq!(error.retry_delay(), Some(Duration::from_secs(3600)));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn the_tries_end_with_the_policy() {
    let stub = Stub::scripted(vec![Step::Fail(Status::unavailable("down")); 20]);
    let server = Server::start(&stub).await;
    let policy = RetryPolicy { attempts: 4, backoff: Duration::from_millis(1), ..RetryPolicy::default() };
    let client = client(server.url()).retry(policy).build().unwrap();

    let error = client.creators().list_creators(list()).await.unwrap_err();

    assert_eq!((error.code(), error.message()), (Code::Unavailable, "down"));
    assert_eq!(stub.seen().len(), 4);
}

#[tokio::test]
async fn the_deadline_spans_all_tries() {
    let stub = Stub::scripted([Step::Fail(Status::unavailable("down")), Step::Hang]);
    let server = Server::start(&stub).await;
    let deadline = Duration::from_millis(300);
    let client = client(server.url()).deadline(deadline).build().unwrap();

    let start = Instant::now();
    let error = Error::from(client.creators().merge_creators(merge()).await.unwrap_err());

    assert_eq!((error.code(), error.reason()), (Code::DeadlineExceeded, Some(ErrorReason::Deadline)), "{error}");
    assert!(start.elapsed() >= deadline && start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    let told: Vec<u64> = stub.seen().iter().map(microseconds).collect();
    assert!(told[0] <= 300_000 && told[1] < told[0], "the server is told what is left: {told:?}");
}

#[tokio::test]
async fn the_caller_sets_the_deadline_of_a_call() {
    let stub = Stub::scripted([Step::Hang]);
    let server = Server::start(&stub).await;
    let client = client(server.url()).build().unwrap();

    let mut request = Request::new(list());
    request.set_timeout(Duration::from_millis(100));
    let error = client.creators().list_creators(request).await.unwrap_err();

    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert!(microseconds(&stub.seen()[0]) <= 100_000);
}

#[tokio::test]
async fn a_try_that_hangs_is_given_up_for_another() {
    let stub = Stub::scripted([Step::Hang]);
    let server = Server::start(&stub).await;
    let policy = RetryPolicy { attempt_timeout: Some(Duration::from_millis(100)), ..RetryPolicy::default() };
    let client = client(server.url()).retry(policy).build().unwrap();

    client.creators().merge_creators(merge()).await.unwrap();

    let seen = stub.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].request_id, seen[1].request_id);
    assert!(microseconds(&seen[0]) <= 100_000);
}

#[tokio::test]
async fn a_server_that_restarts_is_waited_for() {
    let stub = Stub::default();
    let server = Server::start(&stub).await;
    let (address, url) = (server.address, server.url());
    let calls = client(&url).build().unwrap();
    calls.creators().list_creators(list()).await.unwrap();

    server.stop().await;
    let once = client(&url).retry(RetryPolicy::NEVER).build().unwrap();
    let error = once.creators().list_creators(list()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains(&url) && error.message().contains("refused"), "{error}");

    let waiting = tokio::spawn({
        let calls = calls.clone();
        async move { calls.creators().merge_creators(merge()).await }
    });
    let _server = Server::start_at(address, &stub).await;
    waiting.await.unwrap().unwrap();
    calls.creators().list_creators(list()).await.unwrap();
    assert_eq!(stub.done().len(), 1);
}

#[tokio::test]
async fn commands_side_by_side_are_each_done_once() {
    const COMMANDS: usize = 200;
    let stub = Stub::default();
    let server = Server::start(&stub).await;
    let proxy = Proxy::to(server.address).await;
    let cuts = (0..COMMANDS).map(|n| match n % 50 {
        10 => Step::LoseReply(proxy.clone()),
        _ => Step::Position("creators.creator:1"),
    });
    stub.then(cuts);
    let client = client(proxy.url()).build().unwrap();

    let commands = (0..COMMANDS).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.creators().merge_creators(merge()).await })
    });
    for outcome in futures::future::join_all(commands).await {
        outcome.unwrap().unwrap();
    }

    assert_eq!(stub.done().len(), COMMANDS);
    assert!(stub.seen().len() > COMMANDS, "some were repeated");
}

/// `grpc-timeout` of a request, as this client writes it.
fn microseconds(seen: &crate::support::Seen) -> u64 {
    seen.header("grpc-timeout").unwrap().strip_suffix('u').unwrap().parse().unwrap()
}
