//! A service with all that a trace passes through: a command, its append, a view and a process.

use std::sync::Arc;

use tandem_aggregate::{Aggregate, Cause, Context, Executor, Process, ProcessError, Refusal};
use tandem_eventlog::{Envelope, Filter, Kind, RecordedEvent};
use tandem_proto::common::v1::view_service_server::{ViewService, ViewServiceServer};
use tandem_proto::common::v1::{ListViewsRequest, ListViewsResponse, RebuildViewRequest, RebuildViewResponse};
use tandem_proto::creators::v1::CreatorErased;
use tandem_proto::creators::v1::creator_event::Event;
use tandem_service::{Call, Environment, Service, Wired};
use tandem_views::{AnyView as _, Column, FoldError, View, ViewHandle};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

const KIND: Kind = Kind { context: "traced", aggregate: "thing" };

/// A thing to which something can happen.
#[derive(Clone, Default)]
pub struct Thing;

impl Aggregate for Thing {
    const KIND: Kind = KIND;
    const COLLECTION: &'static str = "things";
    type Command = ();
    type Event = Event;

    fn decide(&self, (): &(), _: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        Ok(vec![Event::Erased(CreatorErased {})])
    }

    fn evolve(&mut self, _: &Event, _: &Envelope) {}
}

struct Things;

impl View for Things {
    const NAME: &'static str = "things";
    const VERSION: i32 = 1;
    const KINDS: &'static [Kind] = &[KIND];
    type Row = CreatorErased;

    fn columns() -> Vec<Column<CreatorErased>> {
        Vec::new()
    }

    fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
        Ok(vec![event.tokens()[3].to_owned()])
    }

    fn fold(&self, _: &str, _: Option<CreatorErased>, _: &RecordedEvent) -> Result<Option<CreatorErased>, FoldError> {
        Ok(Some(CreatorErased {}))
    }
}

/// One permit for each event handled.
#[derive(Clone, Debug)]
pub struct Handled(pub Arc<Semaphore>);

impl Default for Handled {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }
}

#[tonic::async_trait]
impl Process for Handled {
    fn name(&self) -> &'static str {
        "traced-handled"
    }

    fn filter(&self) -> Filter {
        Filter { kinds: vec![KIND], tenant: None }
    }

    async fn handle(&self, _: &RecordedEvent, _: &Cause) -> Result<(), ProcessError> {
        self.0.add_permits(1);
        Ok(())
    }
}

#[derive(clap::Args, Clone, Debug, Default)]
pub struct Args {
    #[arg(skip)]
    pub handled: Handled,
}

pub struct Traced;

#[tonic::async_trait]
impl Service for Traced {
    const NAME: &'static str = "traced";
    const DEFAULT_PORT: u16 = 0;
    type Args = Args;

    async fn wire(env: &Environment, args: &Args) -> anyhow::Result<Wired> {
        env.process(args.handled.clone());
        let handlers = Handlers { things: env.executor(), view: env.view(Things).await? };
        Ok(Wired::new().service(ViewServiceServer::new(handlers)))
    }
}

struct Handlers {
    things: Executor<Thing>,
    view: ViewHandle<Things>,
}

#[tonic::async_trait]
impl ViewService for Handlers {
    async fn list_views(&self, request: Request<ListViewsRequest>) -> Result<Response<ListViewsResponse>, Status> {
        let call = Call::accept(request)?;
        self.view.wait_for(&call.read_after, call.deadline).await.map_err(|error| call.error(error))?;
        Ok(Response::new(ListViewsResponse::default()))
    }

    async fn rebuild_view(
        &self,
        request: Request<RebuildViewRequest>,
    ) -> Result<Response<RebuildViewResponse>, Status> {
        let call = Call::accept(request)?;
        let outcome = self.things.execute("t1", &(), &call.meta).await.map_err(|error| call.error(error))?;
        Ok(call.written::<Thing, _>(RebuildViewResponse::default(), outcome.loaded.position))
    }
}
