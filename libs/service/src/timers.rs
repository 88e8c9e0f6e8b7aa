//! `TimerService`: doing by hand what timers do by themselves.
//!
//! Invariant: the time of the request decides what is due, so under a test clock it is the clock's.

use std::sync::Arc;

use tandem_eventlog::Positions;
use tandem_proto::common::v1::timer_service_server::TimerService;
use tandem_proto::common::v1::{ActOnDueRequest, ActOnDueResponse, ErrorReason};
use tandem_proto::time::to_proto;
use tandem_timers::AnyTimers;
use tonic::{Request, Response, Status};

use crate::Call;
use crate::error::Problem;

/// The timers of all kinds that a service has.
pub(crate) struct TimerOperations(pub(crate) Vec<Arc<dyn AnyTimers>>);

#[tonic::async_trait]
impl TimerService for TimerOperations {
    async fn act_on_due(&self, request: Request<ActOnDueRequest>) -> Result<Response<ActOnDueResponse>, Status> {
        let call = Call::accept(request)?;
        let (collection, id) = call.message.name.split_once('/').unwrap_or_default();
        let timers = self.0.iter().find(|timers| timers.collection() == collection).ok_or_else(|| {
            let known: Vec<_> = self.0.iter().map(|timers| format!("{}/{{id}}", timers.collection())).collect();
            let message = format!("Time changes no {} here, but {}.", call.message.name, known.join(", "));
            call.error(Problem::new(ErrorReason::ResourceNotFound, message))
        })?;
        let done = timers.act_on_due(id, &call.meta).await.map_err(|error| call.error(error))?;
        let done = done.ok_or_else(|| call.not_found(&call.message.name))?;
        let mut positions = Positions::default();
        positions.insert(done.kind, done.position);
        let response = ActOnDueResponse { acted: done.acted, next_due_time: done.next_due.map(to_proto) };
        Ok(call.written_at(response, &positions))
    }
}
