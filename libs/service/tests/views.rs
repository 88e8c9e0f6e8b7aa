//! Operating views through the service that every service with views has.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, in its helpers too"
)]

mod common;

use std::path::Path;

use common::{Bearer, reason};
use tandem_eventlog::{
    Append, Envelope, EventLog, JetStreamLog, JetStreamOptions, Kind, NewEvent, RecordedEvent, Subject,
};
use tandem_nats_server::NatsServer;
use tandem_proto::common::v1::view_service_client::ViewServiceClient;
use tandem_proto::common::v1::view_service_server::{ViewService, ViewServiceServer};
use tandem_proto::common::v1::{ListViewsRequest, ListViewsResponse, RebuildViewRequest, View as ViewResource};
use tandem_service::testing::{Running, settings, token};
use tandem_service::{Call, Environment, NoArgs, Service, Settings, Wired};
use tandem_views::testing::{StoreKind, TestStore};
use tandem_views::{AnyView as _, Column, FoldError, View, ViewHandle, on_every_store};
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt as _;

const KIND: Kind = Kind { context: "test", aggregate: "thing" };

/// A row a thing; poison can't be folded.
struct Things;

impl View for Things {
    const NAME: &'static str = "things";
    const VERSION: i32 = 3;
    const KINDS: &'static [Kind] = &[KIND];
    type Row = ViewResource;

    fn columns() -> Vec<Column<ViewResource>> {
        Vec::new()
    }

    fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
        Ok(vec![event.tokens()[3].to_owned()])
    }

    fn fold(
        &self,
        key: &str,
        _: Option<ViewResource>,
        event: &RecordedEvent,
    ) -> Result<Option<ViewResource>, FoldError> {
        match &event.payload[..] {
            b"poison" => Err(FoldError::new("not to be had")),
            _ => Ok(Some(ViewResource { name: key.to_owned(), ..ViewResource::default() })),
        }
    }
}

struct Fixture;

#[tonic::async_trait]
impl Service for Fixture {
    const NAME: &'static str = "fixture";
    const DEFAULT_PORT: u16 = 0;
    type Args = NoArgs;

    async fn wire(env: &Environment, _: &NoArgs) -> anyhow::Result<Wired> {
        Ok(Wired::new().view(&env.view(Things).await?))
    }
}

/// Lists no views, but only after its own has read what the caller has seen.
struct Reader(ViewHandle<Things>);

#[tonic::async_trait]
impl ViewService for Reader {
    async fn list_views(&self, request: Request<ListViewsRequest>) -> Result<Response<ListViewsResponse>, Status> {
        let call = Call::accept(request)?;
        self.0.wait_for(&call.read_after, call.deadline).await.map_err(|error| call.error(error))?;
        Ok(Response::new(ListViewsResponse::default()))
    }
}

struct Reading;

#[tonic::async_trait]
impl Service for Reading {
    const NAME: &'static str = "reading";
    const DEFAULT_PORT: u16 = 0;
    type Args = NoArgs;

    async fn wire(env: &Environment, _: &NoArgs) -> anyhow::Result<Wired> {
        Ok(Wired::new().service(ViewServiceServer::new(Reader(env.view(Things).await?))))
    }
}

async fn settings_in(store: &TestStore, nats: &NatsServer) -> Settings {
    Settings { views: store.url().await, ..settings(&nats.url(), Path::new("")) }
}

async fn append(log: &JetStreamLog, id: &str, payload: &'static [u8]) {
    let envelope: Envelope =
        tandem_aggregate::testing::envelope("tandem.test.Thing", jiff::Timestamp::now(), "users/ada");
    let envelope = Envelope { id: uuid::Uuid::now_v7().to_string(), ..envelope };
    let subject = Subject::new("acme", KIND, id).unwrap();
    let event = NewEvent { subject, envelope, payload: payload.into() };
    log.append(vec![Append { expected: 0, events: vec![event] }]).await.unwrap();
}

async fn views_are_listed_and_rebuilt(kind: StoreKind) {
    let nats = NatsServer::builder().start().await.unwrap();
    let log = JetStreamLog::connect(&nats.url(), JetStreamOptions::default()).await.unwrap();
    append(&log, "a", b"").await;
    append(&log, "b", b"poison").await;
    let store = TestStore::new(kind);
    let running = Running::start::<Fixture>(settings_in(&store, &nats).await, NoArgs {}).await.unwrap();
    let bearer = Bearer(token("users/ada", "acme", &["views.*"]));
    let mut client = ViewServiceClient::with_interceptor(running.channel(), bearer);

    let rebuild = RebuildViewRequest { name: "views/things".into() };
    let first = client.rebuild_view(rebuild.clone()).await.unwrap().into_inner();
    assert_eq!((first.event_count, first.row_count), (2, 1));
    let listed = client.list_views(ListViewsRequest {}).await.unwrap().into_inner().views;
    assert_eq!(listed.len(), 1);
    let view = &listed[0];
    assert_eq!((&view.name[..], view.version, view.lag, view.row_count), ("views/things", 3, 0, 1));
    assert_eq!(view.parked_events.len(), 1);
    let parked = &view.parked_events[0];
    assert_eq!((&parked.subject[..], parked.position), ("acme.test.thing.b", 2));
    assert!(parked.error.contains("not to be had"), "{}", parked.error);

    let second = client.rebuild_view(rebuild).await.unwrap().into_inner().view.unwrap();
    assert!(second.generation > view.generation, "{} after {}", second.generation, view.generation);

    let unknown = client.rebuild_view(RebuildViewRequest { name: "views/other".into() }).await.unwrap_err();
    assert_eq!((unknown.code(), &reason(&unknown)[..]), (Code::NotFound, "VIEW_UNKNOWN"));
    assert!(unknown.message().contains("views/things"), "{unknown}");
    running.stop().await.unwrap();
}

async fn a_position_that_the_log_has_not_is_the_callers_fault(kind: StoreKind) {
    let nats = NatsServer::builder().start().await.unwrap();
    let log = JetStreamLog::connect(&nats.url(), JetStreamOptions::default()).await.unwrap();
    append(&log, "a", b"").await;
    let store = TestStore::new(kind);
    let running = Running::start::<Reading>(settings_in(&store, &nats).await, NoArgs {}).await.unwrap();
    let bearer = Bearer(token("users/ada", "acme", &["views.*"]));
    let mut client = ViewServiceClient::with_interceptor(running.channel(), bearer);
    let mut read_after = async |positions: &str| {
        let mut request = Request::new(ListViewsRequest {});
        request.metadata_mut().insert("tandem-read-after", positions.parse().unwrap());
        client.list_views(request).await
    };
    for there in ["", "test.thing:1", "test.thing:1,other.kind:99"] {
        read_after(there).await.unwrap_or_else(|status| panic!("{there}: {status}"));
    }
    for beyond in ["test.thing:2", "test.thing:18446744073709551615"] {
        let status = read_after(beyond).await.unwrap_err();
        assert_eq!((status.code(), &reason(&status)[..]), (Code::InvalidArgument, "FIELD_INVALID"), "{status}");
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "tandem-read-after");
        assert!(status.message().contains("whose last event for view \"things\" is at 1: pass"), "{status}");
    }
    append(&log, "b", b"").await;
    read_after("test.thing:2").await.unwrap();
    running.stop().await.unwrap();
}

/// Two replicas on one database: what one builds, both answer from, whichever was asked.
#[tokio::test]
async fn replicas_share_views_and_any_of_them_rebuilds() {
    let nats = NatsServer::builder().start().await.unwrap();
    let log = JetStreamLog::connect(&nats.url(), JetStreamOptions::default()).await.unwrap();
    append(&log, "a", b"").await;
    let store = TestStore::new(StoreKind::Postgres);
    let (mut replicas, mut generation) = (Vec::new(), 0);
    for _ in 0..2 {
        replicas.push(Running::start::<Fixture>(settings_in(&store, &nats).await, NoArgs {}).await.unwrap());
    }
    let client = |running: &Running| {
        let bearer = Bearer(token("users/ada", "acme", &["views.*"]));
        ViewServiceClient::with_interceptor(running.channel(), bearer)
    };
    for asked in [0, 1, 0] {
        let rebuild = RebuildViewRequest { name: "views/things".into() };
        let rebuilt = client(&replicas[asked]).rebuild_view(rebuild).await.unwrap().into_inner().view.unwrap();
        assert!(rebuilt.generation > generation, "{} after {generation}", rebuilt.generation);
        generation = rebuilt.generation;
        for replica in &replicas {
            let mut client = client(replica);
            // The one that was not asked sees it soon.
            let seen = async {
                while client.list_views(ListViewsRequest {}).await.unwrap().into_inner().views[0].generation
                    != generation
                {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(std::time::Duration::from_secs(30), seen).await.unwrap();
        }
    }
    for replica in replicas {
        replica.stop().await.unwrap();
    }
}

on_every_store!(views_are_listed_and_rebuilt, a_position_that_the_log_has_not_is_the_callers_fault);
