//! The service under test: `ViewService` with a door that a test can close, over a real log.
#![allow(dead_code, missing_docs, reason = "not every test needs all of it")]

use std::sync::Arc;

use tandem_nats_server::NatsServer;
use tandem_proto::common::v1::view_service_client::ViewServiceClient;
use tandem_proto::common::v1::view_service_server::{ViewService, ViewServiceServer};
use tandem_proto::common::v1::{ListViewsRequest, ListViewsResponse, RebuildViewRequest, RebuildViewResponse, View};
use tandem_service::testing::{Running, settings, token};
use tandem_service::{Call, Environment, Service, Settings, Wired};
use tokio::sync::Semaphore;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_types::StatusExt as _;

/// Requests of `ListViews` wait behind it, if it is closed.
#[derive(Clone, Debug)]
pub struct Door {
    pub closed: bool,
    /// One permit for each request that has come to it.
    pub reached: Arc<Semaphore>,
    /// One permit lets one request pass.
    pub pass: Arc<Semaphore>,
}

impl Default for Door {
    fn default() -> Self {
        Self { closed: false, reached: Arc::new(Semaphore::new(0)), pass: Arc::new(Semaphore::new(0)) }
    }
}

impl Door {
    pub fn closed() -> Self {
        Self { closed: true, ..Self::default() }
    }

    /// Waits until a request has come to it.
    pub async fn reached(&self) {
        self.reached.acquire().await.unwrap().forget();
    }
}

#[derive(clap::Args, Clone, Debug, Default)]
pub struct Args {
    #[arg(skip)]
    pub door: Door,
}

pub struct UnderTest;

#[tonic::async_trait]
impl Service for UnderTest {
    const NAME: &'static str = "test";
    const DEFAULT_PORT: u16 = 0;
    type Args = Args;

    async fn wire(_env: &Environment, args: &Args) -> anyhow::Result<Wired> {
        Ok(Wired::new().service(ViewServiceServer::new(Handlers { door: args.door.clone() })))
    }
}

struct Handlers {
    door: Door,
}

#[tonic::async_trait]
impl ViewService for Handlers {
    /// Answers the caller as the name of a view.
    async fn list_views(&self, request: Request<ListViewsRequest>) -> Result<Response<ListViewsResponse>, Status> {
        let call = Call::accept(request)?;
        if self.door.closed {
            self.door.reached.add_permits(1);
            self.door.pass.acquire().await.unwrap().forget();
        }
        let view = View { name: call.meta.actor, ..View::default() };
        Ok(Response::new(ListViewsResponse { views: vec![view] }))
    }

    async fn rebuild_view(
        &self,
        request: Request<RebuildViewRequest>,
    ) -> Result<Response<RebuildViewResponse>, Status> {
        let call = Call::accept(request)?;
        assert_ne!(call.message.name, "views/panic", "asked for");
        Ok(Response::new(RebuildViewResponse::default()))
    }
}

pub struct Test {
    pub nats: NatsServer,
    pub door: Door,
    pub settings: Settings,
    _views: tempfile::TempDir,
}

impl Test {
    pub async fn new(door: Door) -> Self {
        let nats = NatsServer::builder().start().await.unwrap();
        let views = tempfile::tempdir().unwrap();
        Self { settings: settings(&nats.url(), views.path()), nats, door, _views: views }
    }

    pub async fn start(&self) -> Running {
        Running::start::<UnderTest>(self.settings.clone(), Args { door: self.door.clone() }).await.unwrap()
    }

    pub async fn fails_to_start(&self) -> String {
        match Running::start::<UnderTest>(self.settings.clone(), Args::default()).await {
            Ok(_) => panic!("it started"),
            Err(error) => format!("{error:#}"),
        }
    }
}

/// Adds a token to each request.
#[derive(Clone)]
pub struct Bearer(pub String);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.0).parse().unwrap());
        Ok(request)
    }
}

pub type Client = ViewServiceClient<InterceptedService<Channel, Bearer>>;

pub fn client_with(running: &Running, token: &str) -> Client {
    ViewServiceClient::with_interceptor(running.channel(), Bearer(token.to_owned()))
}

/// A client that may do everything.
pub fn client(running: &Running) -> Client {
    client_with(running, &token("users/ada", "acme", &["*"]))
}

pub fn reason(status: &Status) -> String {
    status.get_error_details().error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status:?}")).reason.clone()
}
