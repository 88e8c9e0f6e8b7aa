//! Everything has been handled: no process, no timer is stuck, and nothing has panicked or was logged as an error.

use crate::watch;
use crate::world::World;

pub(super) fn check(world: &World, found: &mut Vec<String>) {
    for (consumer, positions) in world.log.unacknowledged() {
        found.push(format!("{consumer} has not handled the events at {positions:?}"));
    }
    let (_, fired) = world.timers.counts();
    if fired > 0 {
        found.push(format!("{fired} fired timers were not acted on"));
    }
    found.extend(watch::take().into_iter().map(|defect| format!("a service reports a defect: {defect}")));
}
