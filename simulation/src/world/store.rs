//! The views' store as a service sees it.
//!
//! Invariant: an access is one transaction; if it fails on the way out, it has taken place.

use std::sync::Arc;

use tandem_views::StoreGate;

use super::incarnation::Incarnation;
use crate::faults::Fault;

pub(super) struct Gate(pub(super) Arc<Incarnation>);

#[async_trait::async_trait]
impl StoreGate for Gate {
    async fn pass(&self) -> Result<(), String> {
        // Most of the time a database is much faster than all else; and there are many accesses.
        if self.0.world.chance.one_in(4) {
            self.0.passes("store").await;
        }
        self.0.lives().await;
        let fails = self.0.world.occurs(Fault::StoreFailed, &self.0.label);
        if fails { Err("the disk is away".to_owned()) } else { Ok(()) }
    }
}
