//! The channel below the generated clients: all concerns of a call, in their order.
//!
//! Invariant: the order is part of the meaning. The deadline spans all tries; the request id is given before the first;
//! each try has a token that is valid then.

use std::fmt;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tonic::Status;
use tonic::body::Body;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceBuilder, ServiceExt as _};

use crate::auth::Auth;
use crate::call::{Call, Concern as _, Reply};
use crate::deadline::Deadline;
use crate::origin::Origin;
use crate::positions::Memory;
use crate::retry::RetryPolicy;
use crate::test_clock::TestClock;
use crate::wire::Wire;
use crate::{request_id, trace};

/// What the generated clients of a [`Client`](crate::Client) speak through. Cheap to clone.
#[derive(Clone)]
pub struct Channel(BoxCloneSyncService<Call, Reply, Status>);

/// The concerns that are settings of a client.
#[derive(Clone)]
pub(crate) struct Concerns {
    pub(crate) deadline: Deadline,
    pub(crate) origin: Option<Origin>,
    pub(crate) test_clock: Option<TestClock>,
    pub(crate) memory: Memory,
    pub(crate) retry: RetryPolicy,
    pub(crate) auth: Auth,
}

impl Channel {
    pub(crate) fn new(wire: Wire, concerns: Concerns) -> Self {
        let Concerns { deadline, origin, test_clock, memory, retry, auth } = concerns;
        let mark = move |mut call| {
            if let Some(test_clock) = &test_clock {
                test_clock.mark(&mut call);
            }
            if let Some(origin) = &origin {
                origin.mark(&mut call);
            }
            call
        };
        let stack = ServiceBuilder::new()
            .map_request(trace::inject)
            .map_request(mark)
            .map_request(request_id::assign)
            .layer_fn(deadline.around())
            .layer_fn(memory.around())
            .layer_fn(retry.around())
            .layer_fn(auth.around())
            .service(wire);
        Self(BoxCloneSyncService::new(stack))
    }
}

impl Service<http::Request<Body>> for Channel {
    type Response = Reply;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Reply, Status>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let stack = self.0.clone();
        Box::pin(async move { stack.oneshot(Call::from_request(request).await?).await })
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}
