//! Nothing that was acknowledged is lost, and nothing was refused that had happened.

use prost::Message as _;
use tandem_aggregate::etag;
use tandem_eventlog::{MemoryLog, Position};
use tandem_proto::EventSet as _;
use tandem_service::Resource;

use crate::actors::Told;

pub(super) fn check(log: &MemoryLog, told: &Told, found: &mut Vec<String>) {
    for command in &told.acknowledged {
        let (method, request_id, position) = (command.method, &command.request_id, command.position);
        match (command.shows)(log, position) {
            Ok(body) if body == command.body => {}
            Ok(_) => {
                found.push(format!("{method} {request_id} was answered otherwise than the log has it at {position}"))
            }
            Err(error) => found.push(format!("{method} {request_id} was acknowledged at {position}, but {error}")),
        }
    }
    let events = log.events();
    for command in &told.refused {
        let (method, request_id, error) = (command.method, &command.request_id, &command.error);
        let known = events.iter().take_while(|event| event.position <= command.taken_at);
        if let Some(event) = known.into_iter().find(|event| event.envelope.request_id == *request_id) {
            found.push(format!("{method} {request_id} was refused ({error}), but is in the log at {}", event.position));
        }
    }
}

/// The resource of `A` whose event is at a position, as it was then, encoded.
///
/// # Errors
/// If there is none.
pub fn shows<A: Resource>(log: &MemoryLog, position: Position) -> Result<Vec<u8>, String> {
    let events = log.events();
    let last = events.iter().find(|event| event.position == position).ok_or("there is nothing there")?;
    let mut state = A::default();
    for event in events.iter().filter(|event| event.subject == last.subject && event.position <= position) {
        let decoded =
            A::Event::decode(&event.envelope.event_type, &event.payload).map_err(|error| error.to_string())?;
        state.evolve(&decoded.ok_or_else(|| format!("{} is there", last.subject))?, &event.envelope);
    }
    Ok(state.into_message(etag(position)).encode_to_vec())
}
