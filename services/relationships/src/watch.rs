//! EventService over gRPC: the tenant's part of the log as a stream.
//!
//! Invariant: a watcher sees its own tenant's events alone, in the order of the log, none skipped, none twice. A stream
//! that ends without an error has shown all that was asked for.

use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _, future, stream};
use tandem_eventlog::{EventLog, EventStream, Filter, Position, RecordedEvent};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::relationships::v1::event_service_server::EventService;
use tandem_proto::relationships::v1::{WatchEventsRequest, WatchEventsResponse};
use tandem_proto::{EVENT_TYPES, time};
use tandem_service::{Call, status};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::require_staff;

pub(crate) struct Handlers {
    pub log: Arc<dyn EventLog>,
    pub shutdown: CancellationToken,
}

#[tonic::async_trait]
impl EventService for Handlers {
    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<BoxStream<'static, Result<WatchEventsResponse, Status>>>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        check_types(&call)?;
        let filter = Filter { kinds: Vec::new(), tenant: Some(call.caller.tenant.clone()) };
        let after = call.message.after_position.unsigned_abs();
        // Position at which the stream ends, if it does.
        let last = if call.message.until_now {
            let last = self.log.last_position(&filter).await.map_err(|error| call.error(error))?;
            if last <= after {
                return Ok(Response::new(stream::empty().boxed()));
            }
            Some(last)
        } else {
            None
        };
        let events = self.log.follow(&filter, after).await.map_err(|error| call.error(error))?;
        let WatchEventsRequest { types, partnership, .. } = call.message;
        let wanted = move |event: &RecordedEvent| {
            (types.is_empty() || types.contains(&event.envelope.event_type))
                && (partnership.is_empty() || partnership == event.envelope.partnership)
        };
        let watched = until(last, events, self.shutdown.clone()).filter_map(move |event| {
            future::ready(match event {
                Ok(event) => wanted(&event).then(|| Ok(cloud_event(event))),
                Err(error) => Some(Err(error)),
            })
        });
        Ok(Response::new(watched.boxed()))
    }
}

/// A type with a typo would never come.
fn check_types(call: &Call<WatchEventsRequest>) -> Result<(), Status> {
    match call.message.types.iter().position(|wanted| !EVENT_TYPES.contains(wanted)) {
        Some(at) => {
            let description = format!(
                "{:?} is no event of this version; give full names, such as tandem.payouts.v1.PayoutSettled",
                call.message.types[at]
            );
            Err(call.invalid(&format!("types[{at}]"), &description))
        }
        None => Ok(()),
    }
}

/// The events up to a position, if one is given; an error if something else ends them.
fn until(
    last: Option<Position>,
    events: EventStream,
    shutdown: CancellationToken,
) -> impl Stream<Item = Result<RecordedEvent, Status>> + Send {
    stream::unfold(Some(events), move |events| {
        let shutdown = shutdown.clone();
        async move {
            let mut events = events?;
            let event = tokio::select! {
                biased;
                () = shutdown.cancelled() => return Some((Err(interrupted("The service is shut down.")), None)),
                event = events.next() => event,
            };
            match event {
                Some(Ok(event)) => {
                    let goes_on = last.is_none_or(|last| event.position < last);
                    Some((Ok(event.event), goes_on.then_some(events)))
                }
                Some(Err(error)) => Some((Err(interrupted(&error.to_string())), None)),
                None => Some((Err(interrupted("The log can't be followed any more.")), None)),
            }
        }
    })
}

/// The position of the last event received is all that a watcher needs to go on.
fn interrupted(why: &str) -> Status {
    status(ErrorReason::LogUnavailable, format!("{why} Watch again after the position of the last event received."))
}

fn cloud_event(event: RecordedEvent) -> WatchEventsResponse {
    let source = format!("/tandem/{}", event.tokens()[1]);
    let envelope = event.envelope;
    WatchEventsResponse {
        position: i64::try_from(event.position).unwrap_or(i64::MAX),
        id: envelope.id,
        r#type: envelope.event_type,
        source,
        subject: envelope.resource,
        time: Some(time::to_proto(envelope.time)),
        actor: envelope.actor,
        command: envelope.command,
        reason: envelope.reason,
        correlation_id: envelope.correlation_id,
        causation_id: envelope.causation_id,
        partnership: envelope.partnership,
        data: event.payload.to_vec(),
        request_id: envelope.request_id,
        test_clock: envelope.test_clock,
    }
}
