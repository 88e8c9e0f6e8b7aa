//! Each check finds what it is there to find: services and log are broken on purpose, one way at a time.
#![cfg(tokio_unstable)]

use tandem_simulation::world::Sabotage;
use tandem_simulation::{Options, run};

/// Some seed among the first breaks a rule, in words that have this in them.
#[track_caller]
fn is_found(sabotage: Sabotage, fair: bool, words: &str) {
    let options = Options { sabotage: Some(sabotage), fair, ..Options::default() };
    let mut others = Vec::new();
    for seed in 1..=20 {
        let violations = run(seed, &options).violations;
        if violations.iter().any(|violation| violation.contains(words)) {
            return;
        }
        others.extend(violations);
    }
    panic!("{sabotage:?} is not found out, but: {others:#?}");
}

#[test]
fn nothing_is_found_where_nothing_goes_wrong() {
    for seed in 1..=5 {
        let report = run(seed, &Options { fair: true, ..Options::default() });
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        assert_eq!(report.faults.total(), 0);
    }
}

#[test]
fn a_process_that_pays_twice_is_found() {
    is_found(Sabotage::EarningsNamedAnew, false, "cents of commission, and should have");
}

#[test]
fn a_process_that_misses_events_is_found() {
    is_found(Sabotage::UnhandledEvents, true, "cents of");
}

#[test]
fn a_view_that_skips_an_event_is_found() {
    is_found(Sabotage::SkippedEvents, true, "is not the fold of the log");
}

#[test]
fn an_acknowledgement_of_what_was_not_written_is_found() {
    is_found(Sabotage::LostAppends, true, "was acknowledged at");
}

#[test]
fn a_refusal_of_what_was_taken_is_found() {
    is_found(Sabotage::TakenAndRefused, true, "but is in the log at");
}

#[test]
fn a_log_that_guards_nothing_is_found() {
    is_found(Sabotage::UnguardedAppends, false, ", and again at");
}

#[test]
fn a_payout_run_without_its_earnings_is_found() {
    is_found(Sabotage::TornAppends, true, ", by runs in [");
}

#[test]
fn what_is_never_done_with_is_found() {
    is_found(Sabotage::UnheardAcks, true, "has not handled the events at");
    is_found(Sabotage::UnheardAcks, true, "fired timers were not acted on");
}
