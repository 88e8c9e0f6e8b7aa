//! What travels beside the messages: tokens, positions, trace, origin.

use std::sync::{Arc, Mutex};

use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use tandem_client::{Error, TokenError, TokenSource};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::relationships::v1::{WatchEventsRequest, WatchEventsResponse};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;
use tracing::Instrument as _;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::{Server, Step, Stub, client, list, merge, reason};

/// Gives out its tokens, going on to the next when one is refused.
struct Tokens(Mutex<Vec<&'static str>>);

#[tonic::async_trait]
impl TokenSource for Tokens {
    async fn token(&self) -> Result<String, TokenError> {
        Ok(self.0.lock().unwrap().first().ok_or_else(|| TokenError::Other("the well is dry".into()))?.to_string())
    }

    fn expired(&self, token: &str) {
        self.0.lock().unwrap().retain(|kept| *kept != token);
    }
}

fn tokens(tokens: &[&'static str]) -> Tokens {
    Tokens(Mutex::new(tokens.to_vec()))
}

fn expired() -> Step {
    let details = reason("TOKEN_EXPIRED");
    Step::Fail(Status::with_error_details(Code::Unauthenticated, "the token has expired", details))
}

fn headers<'a>(seen: &'a [crate::support::Seen], name: &str) -> Vec<Option<&'a str>> {
    seen.iter().map(|seen| seen.header(name)).collect()
}

#[tokio::test]
async fn an_expired_token_is_replaced_once() {
    let stub = Stub::scripted([expired()]);
    let server = Server::start(&stub).await;
    let client = client(server.url()).token(tokens(&["old", "new"])).build().unwrap();

    client.creators().merge_creators(merge()).await.unwrap();
    client.creators().list_creators(list()).await.unwrap();

    let seen = stub.seen();
    assert_eq!(headers(&seen, "authorization"), [Some("Bearer old"), Some("Bearer new"), Some("Bearer new")]);
    assert_eq!(seen[0].request_id, seen[1].request_id);
}

#[tokio::test]
async fn a_token_that_is_refused_again_is_an_error() {
    let stub = Stub::scripted([expired(), expired()]);
    let server = Server::start(&stub).await;
    let client = client(server.url()).token(tokens(&["old", "older", "oldest"])).build().unwrap();

    let error = Error::from(client.creators().list_creators(list()).await.unwrap_err());

    assert_eq!(error.reason(), Some(ErrorReason::TokenExpired));
    assert_eq!(stub.seen().len(), 2);
}

#[tokio::test]
async fn the_same_token_is_not_sent_twice() {
    let stub = Stub::scripted([expired()]);
    let server = Server::start(&stub).await;

    let error = client(server.url()).build().unwrap().creators().list_creators(list()).await.unwrap_err();

    assert_eq!(error.code(), Code::Unauthenticated);
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let stub = Stub::default();
    let server = Server::start(&stub).await;
    let client = client(server.url()).token(tokens(&[])).build().unwrap();

    let error = Error::from(client.creators().list_creators(list()).await.unwrap_err());

    assert_eq!((error.code(), error.reason()), (Code::Unauthenticated, Some(ErrorReason::TokenMissing)));
    assert!(error.message().contains("the well is dry"), "{error}");
    assert!(stub.seen().is_empty());
}

#[tokio::test]
async fn a_token_of_the_caller_is_passed_on() {
    let stub = Stub::default();
    let server = Server::start(&stub).await;
    let mut request = Request::new(list());
    request.metadata_mut().insert("authorization", "Bearer of-the-user".parse().unwrap());

    client(server.url()).build().unwrap().creators().list_creators(request).await.unwrap();

    assert_eq!(headers(&stub.seen(), "authorization"), [Some("Bearer of-the-user")]);
}

#[tokio::test]
async fn a_fork_has_a_token_of_its_own() {
    let stub = Stub::scripted([Step::Position("creators.creator:7"), expired()]);
    let server = Server::start(&stub).await;
    let client = client(server.url()).token(tokens(&["of-acme"])).build().unwrap();
    let shared = Arc::new(tokens(&["of-globex", "newer-of-globex"]));
    let fork = client.with_token(shared.clone());

    client.creators().merge_creators(merge()).await.unwrap();
    fork.creators().list_creators(list()).await.unwrap();
    client.with_token(shared).creators().list_creators(list()).await.unwrap();

    let sent = ["of-acme", "of-globex", "newer-of-globex", "newer-of-globex"].map(|token| format!("Bearer {token}"));
    let seen = stub.seen();
    assert_eq!(headers(&seen, "authorization"), sent.each_ref().map(|token| Some(token.as_str())));
    let seven = Some("creators.creator:7");
    assert_eq!(headers(&seen, "tandem-read-after"), [None, None, None, seven], "forked before and after the write");
}

#[tokio::test]
async fn a_read_after_a_write_names_its_position() {
    let stub = Stub::scripted([
        Step::Position("creators.creator:7"),
        Step::Position("contracts.contract:12,creators.creator:5"),
    ]);
    let server = Server::start(&stub).await;
    let client = client(server.url()).build().unwrap();
    let mut creators = client.creators();
    let before = client.fork();

    creators.merge_creators(merge()).await.unwrap();
    client.creators().list_creators(list()).await.unwrap();
    creators.list_creators(list()).await.unwrap();
    before.creators().list_creators(list()).await.unwrap();
    before.with_positions(&client.positions()).creators().list_creators(list()).await.unwrap();

    let all = "contracts.contract:12,creators.creator:7";
    assert_eq!(client.positions().to_string(), all);
    assert_eq!(
        headers(&stub.seen(), "tandem-read-after"),
        [None, Some("creators.creator:7"), Some(all), None, Some(all)]
    );
}

#[tokio::test]
async fn a_reaction_names_its_event() {
    let stub = Stub::default();
    let server = Server::start(&stub).await;
    let client = client(server.url()).build().unwrap();

    client.caused_by("c-1", "e-9").unwrap().creators().merge_creators(merge()).await.unwrap();
    client.creators().merge_creators(merge()).await.unwrap();

    let seen = stub.seen();
    assert_eq!(headers(&seen, "tandem-correlation-id"), [Some("c-1"), None]);
    assert_eq!(headers(&seen, "tandem-causation-id"), [Some("e-9"), None]);
    assert_eq!(client.caused_by("c\n", "e").unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_call_belongs_to_the_trace_of_its_span() {
    let stub = Stub::scripted([Step::Fail(Status::unavailable("down"))]);
    let server = Server::start(&stub).await;
    let client = client(server.url()).build().unwrap();
    let tracer = opentelemetry_sdk::trace::SdkTracerProvider::builder().build().tracer("test");
    let subscriber = tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer));
    let _default = tracing::subscriber::set_default(subscriber);

    let span = tracing::info_span!("merge");
    client.creators().merge_creators(merge()).instrument(span.clone()).await.unwrap();

    let context = span.context();
    let context = context.span();
    let context = context.span_context();
    let expected = format!("00-{}-{}-01", context.trace_id(), context.span_id());
    assert_eq!(headers(&stub.seen(), "traceparent"), [Some(expected.as_str()); 2]);
}

#[tokio::test]
async fn a_stream_is_passed_on_as_it_comes() {
    let stub = Stub::scripted([expired()]);
    let events = stub.watch();
    let server = Server::start(&stub).await;
    let client = client(server.url()).token(tokens(&["old", "new"])).build().unwrap();

    let mut stream = client.events().watch_events(WatchEventsRequest::default()).await.unwrap().into_inner();
    for position in 1..=3 {
        events.send(Ok(WatchEventsResponse { position, ..Default::default() })).unwrap();
        assert_eq!(stream.message().await.unwrap().unwrap().position, position);
    }
    events.send(Err(Status::unavailable("restarting"))).unwrap();
    assert_eq!(stream.message().await.unwrap_err().code(), Code::Unavailable);

    let seen = stub.seen();
    assert_eq!(headers(&seen, "authorization"), [Some("Bearer old"), Some("Bearer new")]);
    assert_eq!(headers(&seen, "grpc-timeout"), [None, None]);
}
