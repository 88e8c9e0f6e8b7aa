//! What every [`EventLog`] must do, as checks that each of them passes: expand [`conformance_tests!`] in a test.
//!
//! Invariant: each check keeps to a tenant of its own, so that all of them can run on one log.
#![expect(clippy::unwrap_used, reason = "a check fails by panicking, as a test does")]

mod appends;
mod streams;

use std::time::Duration;

use futures::StreamExt;
use tokio::time::timeout;

use crate::testing::CONTRACT;
use crate::{Delivery, DeliveryStream, EventLog, EventStream, Followed, Position, RecordedEvent, Subject};

pub use appends::*;
pub use streams::*;

/// One `#[tokio::test]` for each check, on a log of its own. Takes an async expression that yields a log and whatever
/// must live as long as it.
#[macro_export]
macro_rules! conformance_tests {
    ($log:expr) => {
        $crate::conformance_tests!($log;
            a_new_aggregate_is_guarded_by_zero a_conflict_changes_nothing an_empty_append_is_refused
            a_batch_is_all a_batch_is_nothing_if_its_second_part_conflicts a_batch_of_300_keeps_its_order
            a_batch_of_more_than_1000_is_refused one_of_64_appends_to_an_aggregate_wins
            many_aggregates_are_written_at_once
            reads_what_comes_after_a_position reads_more_than_one_batch reads_from_any_replica
            keeps_aggregates_and_tenants_apart
            gets_by_position keeps_every_text finds_the_last_position tells_which_have_new_events
            follows_and_goes_on follows_what_the_filter_lets_through a_wildcard_is_no_tenant
            hands_out_until_acknowledged hands_out_under_one_name_once puts_back_for_a_while
            goes_on_where_the_consumer_was
        );
    };
    ($log:expr; $($check:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $check() {
            let (log, _kept) = $log.await;
            $crate::conformance::$check(&log).await;
        }
    )*};
}

/// Long enough for a loaded machine, and an end to a test that would hang.
const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough for what should not come to have come.
const SILENCE: Duration = Duration::from_millis(300);

fn contract(tenant: &str, id: &str) -> Subject {
    Subject::new(tenant, CONTRACT, id).unwrap()
}

fn ids(events: &[RecordedEvent]) -> Vec<&str> {
    events.iter().map(|event| event.envelope.id.as_str()).collect()
}

/// Appends these events one by one to one aggregate that has none; answers their positions.
async fn given(log: &dyn EventLog, subject: &Subject, ids: &[&str]) -> Vec<Position> {
    let mut positions = Vec::new();
    for id in ids {
        let expected = positions.last().copied().unwrap_or(0);
        positions.extend(log.append(vec![crate::testing::part(subject, expected, &[id])]).await.unwrap());
    }
    positions
}

async fn next(events: &mut EventStream) -> Followed {
    timeout(PATIENCE, events.next()).await.unwrap().unwrap().unwrap()
}

async fn next_delivery(deliveries: &mut DeliveryStream) -> Box<dyn Delivery> {
    timeout(PATIENCE, deliveries.next()).await.unwrap().unwrap().unwrap()
}
