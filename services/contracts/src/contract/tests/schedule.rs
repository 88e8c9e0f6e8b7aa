//! Time first: what is due is taken in before anything is decided, in its order, and within bounds.

use tandem_proto::common::v1::ErrorReason::{OutOfTime, StateForbids};

use super::super::schedule::AT_ONCE;
use super::*;

fn a_year(months: i32) -> Given<Contract> {
    let terms = term("UTC", date(2026, 1, 1), date(2026, 12, 31), [renewal(months, 0, &[1])]);
    signed_at("2025-12-01T00:00:00Z", terms)
}

fn attach() -> Action {
    Action::Attach(pb::Document { sha256: "ab".repeat(32), ..Default::default() })
}

#[test]
fn a_command_takes_in_first_what_is_due() {
    let contract = a_year(12).at("2027-03-01T00:00:00Z").when(brand(attach())).happens().state().0;
    assert_eq!((contract.state(), contract.renewal_count), (State::Active, 1));
    assert_eq!(contract.documents.len(), 1);
}

#[test]
fn what_is_due_comes_before_what_is_done() {
    let decide = |at: &str| {
        let context = Context { time: instant(at), actor: "users/ada", resource: "contracts/test" };
        a_year(12).state().decide(&brand(attach()), &context).unwrap()
    };
    let events = decide("2027-03-01T00:00:00Z");
    let [start, renewal, Event::DocumentAttached(_)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(start, &started(date(2026, 1, 1)));
    assert_eq!(renewal, &renewed(1, date(2027, 1, 1), date(2027, 12, 31)));
    assert_eq!(decide("2025-12-31T00:00:00Z").len(), 1);
}

#[test]
fn a_command_is_decided_by_what_time_has_brought_about() {
    let terms = term("UTC", date(2026, 1, 1), date(2026, 12, 31), []);
    let contract = signed_at("2025-12-01T00:00:00Z", terms);
    let refusal = contract.at("2027-01-01T00:00:00Z").when(brand(attach())).then_refused(StateForbids);
    assert!(refusal.message.starts_with("contracts/test is EXPIRED"), "{refusal}");
}

#[test]
fn a_command_without_effect_lets_time_pass_all_the_same() {
    let contract = a_year(12).when(brand(attach())).happens().at("2026-02-01T00:00:00Z");
    contract.when(brand(attach())).then([started(date(2026, 1, 1))]);
}

#[test]
fn years_pass_in_their_order() {
    let mut contract = a_year(12).state();
    let events = pass(&mut contract, "2029-01-01T00:00:00Z");
    assert_eq!(
        events,
        [
            started(date(2026, 1, 1)),
            renewed(1, date(2027, 1, 1), date(2027, 12, 31)),
            renewed(2, date(2028, 1, 1), date(2028, 12, 31)),
            renewed(3, date(2029, 1, 1), date(2029, 12, 31)),
        ]
    );
    assert_eq!(contract.0.end_date, date(2029, 12, 31));
}

#[test]
fn a_contract_far_behind_catches_up_in_several_writes() {
    let far = "2096-01-01T00:00:00Z";
    let mut contract = a_year(1).state();
    assert_eq!(pass(&mut contract, far).len(), AT_ONCE);
    assert!(contract.next_due() < Some(instant(far)));
    // 69 years in all, month by month, the start, and a warning on the day before the end.
    assert_eq!(pass(&mut contract, far).len(), 69 * 12 + 1 + 1 - AT_ONCE);
    assert_eq!(pass(&mut contract, far), []);
    assert_eq!(contract.0.end_date, date(2096, 1, 31));
}

#[test]
fn nothing_is_decided_on_a_contract_far_behind() {
    let contract = a_year(1).at("2096-01-01T00:00:00Z");
    let refusal = contract.when(brand(attach())).then_refused(OutOfTime);
    assert!(refusal.message.contains("Call TimerService.ActOnDue until nothing is"), "{refusal}");
}

#[test]
fn nothing_is_due_for_what_is_not_there() {
    assert_eq!(Contract::default().next_due(), None);
    let refused = nothing().when(act_on_due()).then_refused(tandem_proto::common::v1::ErrorReason::ResourceNotFound);
    assert!(refused.message.contains("does not exist"), "{refused}");
}
