//! Warnings ahead of the last day for notice, or of the end.

use tandem_proto::contracts::v1::Deadline;

use super::*;

/// A year in Berlin, in advance.
fn a_year(clauses: impl IntoIterator<Item = pb::Clause>) -> Contract {
    signed_at("2025-12-01T00:00:00Z", year(clauses)).state()
}

fn year(clauses: impl IntoIterator<Item = pb::Clause>) -> pb::Terms {
    term("Europe/Berlin", date(2026, 1, 1), date(2026, 12, 31), clauses)
}

fn warned(deadline: Deadline, deadline_time: &str, days_ahead: i32, at: &str) -> Event {
    let warning = pb::DeadlineWarning {
        deadline: deadline.into(),
        deadline_time: Some(time::to_proto(instant(deadline_time))),
        days_ahead,
        warn_time: Some(time::to_proto(instant(at))),
    };
    Event::DeadlineWarned(pb::DeadlineWarned { warning: Some(warning) })
}

/// All warnings until an instant, each on time: when, of what, and how far ahead.
fn warnings(contract: &mut Contract, until: &str) -> Vec<(String, Deadline, i32)> {
    while let Some(due) = contract.next_due().filter(|due| *due < instant(until)) {
        assert_ne!(pass(contract, &due.to_string()), [], "what is due happens");
    }
    let when = |warning: &pb::DeadlineWarning| time::from_proto(&warning.warn_time.unwrap()).unwrap().to_string();
    contract.0.warnings.iter().map(|warning| (when(warning), warning.deadline(), warning.days_ahead)).collect()
}

fn owned<const N: usize>(all: [(&str, Deadline, i32); N]) -> [(String, Deadline, i32); N] {
    all.map(|(when, deadline, days)| (when.to_owned(), deadline, days))
}

#[test]
fn both_are_warned_60_30_and_7_days_before_the_last_day_for_notice() {
    // Notice by the end of 1 December. Days begin at 22:00 in summer, at 23:00 in winter.
    let mut contract = a_year([renewal(12, 30, &[])]);
    assert_eq!(
        warnings(&mut contract, "2027-01-01T00:00:00Z"),
        owned([
            ("2026-10-01T22:00:00Z", Deadline::RenewalNotice, 60),
            ("2026-10-31T23:00:00Z", Deadline::RenewalNotice, 30),
            ("2026-11-23T23:00:00Z", Deadline::RenewalNotice, 7),
        ])
    );
    for warning in &contract.0.warnings {
        assert_eq!(warning.deadline_time, Some(time::to_proto(instant("2026-12-01T23:00:00Z"))));
    }
}

#[test]
fn the_terms_can_name_other_days_in_any_order() {
    let mut contract = a_year([renewal(12, 0, &[1, 14, 14])]);
    assert_eq!(
        warnings(&mut contract, "2027-01-01T00:00:00Z"),
        owned([
            ("2026-12-16T23:00:00Z", Deadline::RenewalNotice, 14),
            ("2026-12-29T23:00:00Z", Deadline::RenewalNotice, 1),
        ])
    );
}

#[test]
fn a_contract_that_does_not_renew_itself_warns_of_its_end() {
    let days = [60, 30, 7];
    let times = ["2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z", "2026-12-23T23:00:00Z"];
    let ends = times.into_iter().zip(days).map(|(at, days)| (at.to_owned(), Deadline::End, days)).collect::<Vec<_>>();
    assert_eq!(warnings(&mut a_year([]), "2028-01-01T00:00:00Z"), ends);

    let fixed = pb::RenewalClause { term_months: 12, notice_days: 90, warning_days: vec![10], ..Default::default() };
    let mut contract = a_year([clause("renewal", Kind::Renewal(fixed))]);
    let all = warnings(&mut contract, "2028-01-01T00:00:00Z");
    assert_eq!(all, owned([("2026-12-20T23:00:00Z", Deadline::End, 10)]));
}

#[test]
fn each_term_has_its_own_warnings() {
    let mut contract = a_year([renewal(12, 30, &[7])]);
    assert_eq!(
        warnings(&mut contract, "2029-01-02T00:00:00Z"),
        owned([
            ("2026-11-23T23:00:00Z", Deadline::RenewalNotice, 7),
            ("2027-11-23T23:00:00Z", Deadline::RenewalNotice, 7),
            ("2028-11-23T23:00:00Z", Deadline::RenewalNotice, 7),
        ])
    );
}

#[test]
fn who_signs_late_is_warned_by_the_nearest_alone() {
    let late = "2026-11-10T09:00:00Z";
    let mut contract = signed_at(late, year([renewal(12, 30, &[])])).state();
    let events = pass(&mut contract, late);
    assert_eq!(events, [warned(Deadline::RenewalNotice, "2026-12-01T23:00:00Z", 30, late)]);
    assert_eq!(contract.next_due(), Some(instant("2026-11-23T23:00:00Z")));
    // Even where it is too late for notice.
    let late = "2026-12-24T18:00:00Z";
    let mut contract = signed_at(late, year([renewal(12, 30, &[])])).state();
    let events = pass(&mut contract, late);
    assert_eq!(events, [warned(Deadline::RenewalNotice, "2026-12-01T23:00:00Z", 7, late)]);
    assert_eq!(contract.next_due(), Some(instant("2026-12-31T23:00:00Z")));
}

#[test]
fn a_late_timer_gives_the_nearest_warning_once() {
    let mut contract = a_year([]);
    pass(&mut contract, "2026-01-01T00:00:00Z");
    let late = "2026-12-02T00:00:00Z";
    assert_eq!(pass(&mut contract, late), [warned(Deadline::End, "2026-12-31T23:00:00Z", 30, late)]);
    assert_eq!(pass(&mut contract, late), []);
}

#[test]
fn a_term_that_is_over_is_not_warned_of() {
    let mut contract = a_year([renewal(12, 30, &[])]);
    pass(&mut contract, "2026-01-01T00:00:00Z");
    let events = pass(&mut contract, "2027-01-05T00:00:00Z");
    assert_eq!(events, [renewed(1, date(2027, 1, 1), date(2027, 12, 31))]);
    let mut contract = a_year([]);
    pass(&mut contract, "2026-01-01T00:00:00Z");
    assert_eq!(pass(&mut contract, "2027-01-05T00:00:00Z"), [expired(date(2026, 12, 31))]);
}

#[test]
fn after_notice_the_end_is_warned_of() {
    let mut contract = a_year([renewal(12, 30, &[])]);
    warnings(&mut contract, "2026-12-01T00:00:00Z");
    contract.0.set_renewal_notice_by(Party::Brand);
    let all = warnings(&mut contract, "2028-01-01T00:00:00Z");
    assert_eq!(
        all[3..],
        owned([
            // That of 60 days ahead was due before the notice, and is made up for.
            ("2026-10-31T23:00:00Z", Deadline::End, 60),
            ("2026-11-30T23:00:00Z", Deadline::End, 30),
            ("2026-12-23T23:00:00Z", Deadline::End, 7),
        ])
    );
}

#[test]
fn a_contract_that_ends_early_is_warned_of_no_more() {
    let mut contract = a_year([renewal(12, 30, &[])]);
    contract.0.termination = Some(pb::Termination::default());
    assert_eq!(warnings(&mut contract, "2026-12-31T00:00:00Z"), []);
}
