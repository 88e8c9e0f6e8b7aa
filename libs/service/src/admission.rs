//! Admission: so many at a time, and of those no tenant more than leaves room for others.
//!
//! A tenant gets in while it has fewer than three times as many as there is room left ("dynamic thresholds", Choudhury and
//! Hahne 1998, by which switches share their buffers): one that floods takes three quarters and is then refused, whoever
//! comes next finds the last quarter, and as they come the first shrinks, until all have the same. Nothing is queued:
//! who is refused hears so at once, and who is admitted waits for nobody but those admitted before.
//!
//! Invariant: never more are in than the capacity, and whoever leaves makes room, however they leave.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;

use crate::auth::Caller;

/// How much a tenant may have of what is left.
const SHARE: usize = 3;

/// What keeps a request out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The tenant has its share.
    Tenant,
    /// There is no room for anyone.
    Service,
}

/// The door of one class of requests.
pub(crate) struct Gate {
    capacity: usize,
    inside: Mutex<Inside>,
    admitted: Counter<u64>,
    shed: Counter<u64>,
    labels: Labels,
}

struct Labels {
    admitted: [KeyValue; 1],
    of_tenant: [KeyValue; 2],
    of_service: [KeyValue; 2],
}

#[derive(Default)]
struct Inside {
    count: usize,
    /// Those that have any.
    by_tenant: HashMap<Box<str>, usize>,
}

impl Gate {
    /// For so many at a time; `class` is what metrics call them.
    pub(crate) fn new(class: &'static str, capacity: usize) -> Arc<Self> {
        let meter = opentelemetry::global::meter("tandem");
        let admitted = meter.u64_counter("tandem.requests.admitted").with_description("Requests admitted").build();
        let shed = meter.u64_counter("tandem.requests.shed");
        let shed = shed.with_description("Requests refused for there were too many at once").build();
        let class = KeyValue::new("class", class);
        let labels = Labels {
            admitted: [class.clone()],
            of_tenant: [class.clone(), KeyValue::new("limit", "tenant")],
            of_service: [class, KeyValue::new("limit", "service")],
        };
        Arc::new(Self { capacity, inside: Mutex::default(), admitted, shed, labels })
    }

    /// Lets one of the caller's tenant in.
    pub(crate) fn admit(self: &Arc<Self>, caller: &Arc<Caller>) -> Result<Admission, Full> {
        let entered = self.lock().enter(&caller.tenant, self.capacity);
        match entered {
            Ok(()) => self.admitted.add(1, &self.labels.admitted),
            Err(Full::Tenant) => self.shed.add(1, &self.labels.of_tenant),
            Err(Full::Service) => self.shed.add(1, &self.labels.of_service),
        }
        entered.map(|()| Admission { gate: Arc::clone(self), caller: Arc::clone(caller) })
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Nothing in it panics half way.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn enter(&mut self, tenant: &str, capacity: usize) -> Result<(), Full> {
        let left = capacity.saturating_sub(self.count);
        if left == 0 {
            return Err(Full::Service);
        }
        match self.by_tenant.get_mut(tenant) {
            Some(own) if *own >= left.saturating_mul(SHARE) => return Err(Full::Tenant),
            Some(own) => *own += 1,
            None => _ = self.by_tenant.insert(tenant.into(), 1),
        }
        self.count += 1;
        Ok(())
    }

    fn leave(&mut self, tenant: &str) {
        self.count = self.count.saturating_sub(1);
        if let Some(own) = self.by_tenant.get_mut(tenant) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                self.by_tenant.remove(tenant);
            }
        }
    }
}

/// One that is in, until it is dropped.
pub(crate) struct Admission {
    gate: Arc<Gate>,
    caller: Arc<Caller>,
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.gate.lock().leave(&self.caller.tenant);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many of a tenant's as get in.
    fn flood(inside: &mut Inside, tenant: &str, capacity: usize) -> usize {
        (0..).take_while(|_| inside.enter(tenant, capacity).is_ok()).count()
    }

    #[test]
    fn one_that_floods_leaves_room_for_another() {
        for (capacity, share) in [(1, 1), (2, 2), (4, 3), (100, 75), (512, 384)] {
            let mut inside = Inside::default();
            assert_eq!(flood(&mut inside, "loud", capacity), share, "{capacity}");
            assert_eq!(inside.enter("quiet", capacity).is_ok(), capacity > 2, "{capacity}");
        }
    }

    #[test]
    fn floods_come_to_equal_shares_whoever_was_first() {
        let mut inside = Inside::default();
        flood(&mut inside, "first", 100);
        for _ in 0..200 {
            // Whenever one leaves, the first is the quicker to come again.
            inside.leave("first");
            flood(&mut inside, "first", 100);
            flood(&mut inside, "second", 100);
        }
        let (first, second) = (inside.by_tenant["first"], inside.by_tenant["second"]);
        assert!(first.abs_diff(second) <= SHARE, "{first} and {second}");
        assert!(inside.enter("third", 100).is_ok(), "and there is still room");
    }

    #[test]
    fn of_many_that_flood_none_has_much_more_than_another() {
        let (mut inside, capacity, tenants) = (Inside::default(), 64, 200);
        for round in 0..1000 {
            for tenant in 0..tenants {
                flood(&mut inside, &format!("t{tenant}"), capacity);
            }
            let most = inside.by_tenant.values().max().unwrap();
            assert!(round < 500 || *most <= SHARE, "{most} in round {round}");
            let mut held: Vec<_> = inside.by_tenant.iter().map(|(tenant, own)| (*own, tenant.clone())).collect();
            held.sort_unstable();
            let (_, tenant) = held.pop().unwrap();
            inside.leave(&tenant);
        }
    }

    #[test]
    fn nothing_is_kept_of_who_has_gone() {
        let mut inside = Inside::default();
        for tenant in ["a", "b", "a"] {
            inside.enter(tenant, 10).unwrap();
        }
        for tenant in ["a", "a", "b"] {
            inside.leave(tenant);
        }
        assert_eq!((inside.count, inside.by_tenant.len()), (0, 0));
    }
}
