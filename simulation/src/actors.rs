//! Who acts in a run: brands and creators, shops, finance, each as a client with plans of its own.
//!
//! Invariant: what an actor plans follows from the seed alone, not from what goes wrong.

mod caller;
mod finance;
mod partnership;
mod requests;
mod shop;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, join_all};

use crate::chance::Chance;
use crate::world::World;

pub use caller::{Acknowledged, Caller, Refused};

/// What the actors have been told.
#[derive(Default)]
pub struct Told {
    /// Commands that were acknowledged.
    pub acknowledged: Vec<Acknowledged>,
    /// Commands that were refused.
    pub refused: Vec<Refused>,
    /// Of each submitted run its total by the file for the bank, and the file's hash.
    pub files: Vec<(String, String, String)>,
}

/// Lets everybody act until they have done what they planned, or given up.
pub async fn act(world: &Arc<World>, seed: u64) -> Told {
    let told = Arc::new(Mutex::new(Told::default()));
    let chance = Chance::new(seed, "plans");
    let caller = |name: &str| Caller::new(world, &told, seed, name);
    let mut actors: Vec<LocalBoxFuture<'_, ()>> =
        vec![partnership::plan_campaign(caller("users/planner")).boxed_local()];
    for number in 0..chance.between(1, 3) {
        actors.push(partnership::partner(world, &told, seed, number).boxed_local());
    }
    for number in 0..chance.between(1, 2) {
        let (fred, frida) = (caller(&format!("users/fred{number}")), caller(&format!("users/frida{number}")));
        actors.push(finance::pay_out(fred, frida, number).boxed_local());
    }
    let all = join_all(actors);
    // Everybody gives up a call after a while, so this is a defect of the services or of the simulation.
    if tokio::time::timeout(Duration::from_secs(400 * 24 * 3600), all).await.is_err() {
        world.violation("the actors do not come to an end".to_owned());
    }
    std::mem::take(&mut *told.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}
