//! What must hold when a run has ended, whatever went wrong in it.
//!
//! Invariant: the checks read the log, the views and what actors were told; they call no service.

mod acknowledged;
mod money;
mod once;
mod paid;
mod settled;
mod views;

use std::sync::Arc;

use crate::actors::Told;
use crate::world::World;

pub use acknowledged::shows;

/// Notes all that does not hold.
pub fn check(world: &Arc<World>, told: &Told) {
    let mut found = Vec::new();
    acknowledged::check(&world.log, told, &mut found);
    once::check(world, &mut found);
    settled::check(world, &mut found);
    views::check(world, &mut found);
    money::check(&world.log, &mut found);
    paid::check(&world.log, told, &mut found);
    for violation in found {
        world.violation(violation);
    }
}
