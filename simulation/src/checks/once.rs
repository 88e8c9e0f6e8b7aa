//! No effect happens twice: a request is written to an aggregate once, and no event's id comes again.

use std::collections::HashMap;

use crate::world::World;

pub(super) fn check(world: &World, found: &mut Vec<String>) {
    let mut first = HashMap::new();
    for written in world.written() {
        let key = (written.subject.clone(), written.request_id.clone());
        if let Some(before) = first.insert(key, written.position) {
            let (subject, request_id, position) = (&written.subject, &written.request_id, written.position);
            found.push(format!("{request_id} was written to {subject} at {before}, and again at {position}"));
        }
    }
    let mut ids = HashMap::new();
    for event in world.log.events() {
        if let Some(before) = ids.insert(event.envelope.id.clone(), event.position) {
            found.push(format!("the events at {before} and {} have one id", event.position));
        }
    }
}
