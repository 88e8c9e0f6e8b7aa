//! One call on its way from the generated client to the wire.
//!
//! Invariant: a call whose request is one message is held as bytes, so that it can be sent again exactly as it was.

use std::future::Future;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue, request};
use http_body_util::{BodyExt as _, Full};
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use crate::method::Method;

/// A reply with status OK; of a unary call the whole reply, of a stream its beginning.
pub(crate) type Reply = http::Response<Body>;

/// A call.
pub(crate) struct Call {
    pub(crate) method: &'static Method,
    pub(crate) head: request::Parts,
    pub(crate) payload: Payload,
    /// When the caller no longer waits; none of a stream.
    pub(crate) deadline: Option<Instant>,
    /// Whether doing it twice has the effect of doing it once.
    pub(crate) repeatable: bool,
}

/// What is sent.
pub(crate) enum Payload {
    /// One message with its gRPC prefix.
    Whole(Bytes),
    /// Messages that the caller is still producing.
    Stream(Body),
}

impl Call {
    pub(crate) async fn from_request(request: http::Request<Body>) -> Result<Self, Status> {
        let (head, body) = request.into_parts();
        let method = Method::at(head.uri.path());
        let payload = if method.client_streaming {
            Payload::Stream(body)
        } else {
            Payload::Whole(body.collect().await?.to_bytes())
        };
        Ok(Self { method, head, payload, deadline: None, repeatable: method.is_unary() && method.idempotent })
    }

    /// The same call once more, if it is one that can be sent again.
    pub(crate) fn try_clone(&self) -> Option<Self> {
        let Payload::Whole(frame) = &self.payload else { return None };
        let payload = Payload::Whole(frame.clone());
        Some(Self {
            method: self.method,
            head: self.head.clone(),
            payload,
            deadline: self.deadline,
            repeatable: self.repeatable,
        })
    }

    /// Adds metadata, unless the caller has set it for this call.
    pub(crate) fn add_metadata(&mut self, name: HeaderName, value: HeaderValue) {
        self.head.headers.entry(name).or_insert(value);
    }

    pub(crate) fn into_request(self) -> http::Request<Body> {
        let body = match self.payload {
            Payload::Whole(frame) => Body::new(Full::new(frame)),
            Payload::Stream(body) => body,
        };
        http::Request::from_parts(self.head, body)
    }
}

/// A service that carries calls. An error that a server answers is an `Err`, whatever its form on the wire.
pub(crate) trait Exchange:
    Service<Call, Response = Reply, Error = Status, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S> Exchange for S where
    S: Service<Call, Response = Reply, Error = Status, Future: Send> + Clone + Send + Sync + 'static
{
}

/// One concern of a call, such as its authorization, written as what happens around carrying it on.
pub(crate) trait Concern: Clone + Send + Sync + 'static {
    /// Carries the call by `next`, as often as needed.
    fn carry<S: Exchange>(&self, call: Call, next: S) -> impl Future<Output = Result<Reply, Status>> + Send;

    /// As a tower layer.
    fn around<S: Exchange>(self) -> impl Fn(S) -> With<Self, S> + Clone {
        move |next| With { concern: self.clone(), next }
    }
}

/// A service with a concern around it.
#[derive(Clone)]
pub(crate) struct With<C, S> {
    concern: C,
    next: S,
}

impl<C: Concern, S: Exchange> Service<Call> for With<C, S> {
    type Response = Reply;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Reply, Status>>;

    /// Always ready: who is not, further in, is waited for within the call, where its deadline counts.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let Self { concern, next } = self.clone();
        Box::pin(async move { concern.carry(call, next).await })
    }
}
