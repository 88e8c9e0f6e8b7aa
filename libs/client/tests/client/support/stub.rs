//! Real tonic services whose outcomes are scripted.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use http::StatusCode;
use http_body_util::StreamBody;
use tandem_proto::creators::v1::creator_service_server::{CreatorService, CreatorServiceServer};
use tandem_proto::creators::v1::*;
use tandem_proto::relationships::v1::event_service_server::{EventService, EventServiceServer};
use tandem_proto::relationships::v1::{WatchEventsRequest, WatchEventsResponse};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::transport::server::Router;
use tonic::{Request, Response, Status};
use tower::layer::util::{Identity, Stack};
use tower::util::MapResponseLayer;

use super::Proxy;

/// What becomes of a request. Where the script is at its end, requests succeed.
#[derive(Clone)]
pub enum Step {
    /// Succeed with this `tandem-position`.
    Position(&'static str),
    /// Fail.
    Fail(Status),
    /// Do it, then cut the connection instead of replying.
    LoseReply(Proxy),
    /// Do it, then reply with the first half of a message.
    HalfReply,
    /// Never reply.
    Hang,
    /// Reply as a proxy in front of the service does.
    Http(StatusCode),
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub metadata: MetadataMap,
    pub request_id: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.metadata.get(name).map(|value| value.to_str().unwrap())
    }
}

/// The services, their script, and what they have seen.
#[derive(Clone, Default)]
pub struct Stub(Arc<State>);

#[derive(Default)]
struct State {
    script: Mutex<VecDeque<Step>>,
    seen: Mutex<Vec<Seen>>,
    done: Mutex<HashSet<String>>,
    events: Mutex<Option<mpsc::UnboundedReceiver<Result<WatchEventsResponse, Status>>>>,
}

/// How the HTTP response is to be spoilt; travels as an extension of the response.
#[derive(Clone)]
enum Spoilt {
    Half,
    Http(StatusCode),
}

pub type Spoil = MapResponseLayer<fn(http::Response<Body>) -> http::Response<Body>>;

/// The services, with replies spoilt as scripted.
pub type SpoilingRouter = Router<Stack<Spoil, Identity>>;

impl Stub {
    pub fn scripted(steps: impl IntoIterator<Item = Step>) -> Self {
        let stub = Self::default();
        stub.then(steps);
        stub
    }

    pub fn then(&self, steps: impl IntoIterator<Item = Step>) {
        self.0.script.lock().unwrap().extend(steps);
    }

    /// What the next `WatchEvents` answers.
    pub fn watch(&self) -> mpsc::UnboundedSender<Result<WatchEventsResponse, Status>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        *self.0.events.lock().unwrap() = Some(receiver);
        sender
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.0.seen.lock().unwrap().clone()
    }

    /// Request ids of the commands done, each once, as a service does them.
    pub fn done(&self) -> HashSet<String> {
        self.0.done.lock().unwrap().clone()
    }

    pub fn router(&self, server: tonic::transport::Server) -> SpoilingRouter {
        server
            .layer(MapResponseLayer::new(spoil as fn(_) -> _))
            .add_service(CreatorServiceServer::new(self.clone()))
            .add_service(EventServiceServer::new(self.clone()))
    }

    async fn step<T: Default>(&self, metadata: &MetadataMap, request_id: &str) -> Result<Response<T>, Status> {
        self.0.seen.lock().unwrap().push(Seen { metadata: metadata.clone(), request_id: request_id.into() });
        let step = self.0.script.lock().unwrap().pop_front();
        if let Some(Step::Fail(status)) = step {
            return Err(status);
        }
        if !request_id.is_empty() {
            self.0.done.lock().unwrap().insert(request_id.into());
        }
        let mut response = Response::new(T::default());
        match step {
            None | Some(Step::Fail(_)) => {}
            Some(Step::Position(position)) => {
                response.metadata_mut().insert("tandem-position", position.parse().unwrap());
            }
            Some(Step::LoseReply(proxy)) => {
                proxy.cut();
                std::future::pending::<()>().await;
            }
            Some(Step::Hang) => std::future::pending().await,
            Some(Step::HalfReply) => drop(response.extensions_mut().insert(Spoilt::Half)),
            Some(Step::Http(status)) => drop(response.extensions_mut().insert(Spoilt::Http(status))),
        }
        Ok(response)
    }
}

fn spoil(mut response: http::Response<Body>) -> http::Response<Body> {
    match response.extensions_mut().remove::<Spoilt>() {
        None => response,
        Some(Spoilt::Http(status)) => http::Response::builder().status(status).body(Body::empty()).unwrap(),
        Some(Spoilt::Half) => response.map(|_| {
            let half = [&[0, 0, 0, 0x80, 0][..], &[0; 0x4000]].concat();
            let half = stream::once(async { Ok::<_, Status>(http_body::Frame::data(Bytes::from(half))) });
            Body::new(StreamBody::new(half.chain(stream::pending())))
        }),
    }
}

#[tonic::async_trait]
impl EventService for Stub {
    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<BoxStream<'static, Result<WatchEventsResponse, Status>>>, Status> {
        self.step::<()>(request.metadata(), "").await?;
        let events = self.0.events.lock().unwrap().take().unwrap();
        Ok(Response::new(UnboundedReceiverStream::new(events).boxed()))
    }
}

macro_rules! scripted {
    ($($method:ident($request:ty) -> $response:ty, $request_id:expr;)*) => {
        #[tonic::async_trait]
        impl CreatorService for Stub {
            $(async fn $method(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                let request_id: fn(&$request) -> &str = $request_id;
                self.step(request.metadata(), request_id(request.get_ref())).await
            })*
        }
    };
}

scripted! {
    batch_import_creators(BatchImportCreatorsRequest) -> BatchImportCreatorsResponse, |r| &r.request_id;
    get_creator(GetCreatorRequest) -> Creator, |_| "";
    lookup_creator(LookupCreatorRequest) -> Creator, |_| "";
    list_creators(ListCreatorsRequest) -> ListCreatorsResponse, |_| "";
    merge_creators(MergeCreatorsRequest) -> Creator, |r| &r.request_id;
    set_payout_account(SetPayoutAccountRequest) -> Creator, |r| &r.request_id;
    get_payout_account(GetPayoutAccountRequest) -> PayoutAccount, |_| "";
    erase_creator(EraseCreatorRequest) -> Creator, |r| &r.request_id;
}
