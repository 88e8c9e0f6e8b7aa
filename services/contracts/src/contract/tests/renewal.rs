//! How a contract goes on at its end.

use super::*;

/// Its last days, over some renewals for so many months.
fn last_days(last: Option<Date>, months: i32, until: &str) -> Vec<(i32, i32, i32)> {
    let terms = term("Europe/Berlin", date(2026, 1, 1), last, [renewal(months, 0, &[1])]);
    let mut contract = signed_at("2026-01-01T00:00:00Z", terms).state();
    let events = pass(&mut contract, until);
    let renewals = events.iter().filter_map(|event| match event {
        Event::Renewed(renewed) => renewed.end_date,
        _ => None,
    });
    renewals.map(|date| (date.year, date.month, date.day)).collect()
}

#[test]
fn a_contract_renews_itself_at_the_end_of_its_last_day() {
    let clauses = [renewal(12, 30, &[])];
    let terms = term("America/New_York", date(2026, 1, 1), date(2026, 12, 31), clauses);
    let mut contract = signed_at("2026-01-01T12:00:00Z", terms).state();
    pass(&mut contract, "2027-01-01T04:59:59Z");
    assert_eq!((contract.0.renewal_count, contract.0.end_date), (0, date(2026, 12, 31)));
    assert_eq!(contract.next_due(), Some(instant("2027-01-01T05:00:00Z")));

    let events = pass(&mut contract, "2027-01-01T05:00:00Z");
    assert_eq!(events, [renewed(1, date(2027, 1, 1), date(2027, 12, 31))]);
    assert_eq!(contract.0.state(), State::Active);
    assert_eq!((contract.0.renewal_count, contract.0.end_date), (1, date(2027, 12, 31)));
    // The terms go on naming the first term.
    assert_eq!(contract.0.terms.unwrap().end_date, date(2026, 12, 31));
}

#[test]
fn renewals_are_whole_calendar_months() {
    assert_eq!(
        last_days(date(2026, 3, 15), 3, "2026-12-31T00:00:00Z"),
        [(2026, 6, 15), (2026, 9, 15), (2026, 12, 15), (2027, 3, 15),]
    );
}

#[test]
fn the_day_of_the_month_does_not_drift() {
    assert_eq!(
        last_days(date(2026, 1, 31), 1, "2026-05-15T00:00:00Z"),
        [(2026, 2, 28), (2026, 3, 31), (2026, 4, 30), (2026, 5, 31),]
    );
}

#[test]
fn leap_days_come_back() {
    assert_eq!(
        last_days(date(2028, 2, 29), 12, "2031-06-01T00:00:00Z"),
        [(2029, 2, 28), (2030, 2, 28), (2031, 2, 28), (2032, 2, 29),]
    );
    // The 28th stays the 28th.
    assert_eq!(last_days(date(2027, 2, 28), 12, "2027-06-01T00:00:00Z"), [(2028, 2, 28)]);
}

#[test]
fn a_contract_with_notice_expires() {
    let terms = term("UTC", date(2026, 1, 1), date(2026, 12, 31), [renewal(12, 30, &[])]);
    let mut contract = signed_at("2026-01-01T00:00:00Z", terms).state();
    contract.0.set_renewal_notice_by(Party::Creator);
    assert_eq!(pass(&mut contract, "2027-01-01T00:00:00Z"), [expired(date(2026, 12, 31))]);
}

#[test]
fn a_clause_that_does_not_renew_lets_expire() {
    let clause = pb::RenewalClause { auto_renew: false, term_months: 12, ..Default::default() };
    let terms = term("UTC", date(2026, 1, 1), date(2026, 12, 31), [clause_of(clause)]);
    let mut contract = signed_at("2026-01-01T00:00:00Z", terms).state();
    assert_eq!(pass(&mut contract, "2027-01-01T00:00:00Z"), [expired(date(2026, 12, 31))]);
}

fn clause_of(renewal: pb::RenewalClause) -> pb::Clause {
    clause("renewal", Kind::Renewal(renewal))
}

#[test]
fn a_suspended_contract_renews_itself_and_stays_suspended() {
    let terms = term("UTC", date(2026, 1, 1), date(2026, 12, 31), [renewal(12, 30, &[])]);
    let mut contract = signed_at("2026-01-01T00:00:00Z", terms).state();
    contract.0.set_state(State::Suspended);
    assert_eq!(pass(&mut contract, "2027-01-01T00:00:00Z"), [renewed(1, date(2027, 1, 1), date(2027, 12, 31))]);
    assert_eq!(contract.0.state(), State::Suspended);
}

#[test]
fn an_amended_end_is_where_the_contract_ends_and_renewals_are_counted_from() {
    let terms = term("UTC", date(2026, 1, 1), date(2026, 1, 31), [renewal(1, 0, &[1])]);
    let mut contract = signed_at("2026-01-01T00:00:00Z", terms.clone()).state();
    pass(&mut contract, "2026-03-01T00:00:00Z");
    assert_eq!(contract.0.end_date, date(2026, 3, 31));

    contract.0.terms.as_mut().unwrap().end_date = date(2026, 4, 15);
    super::super::term::follow(&mut contract.0, &terms);
    assert_eq!(contract.0.end_date, date(2026, 4, 15));
    pass(&mut contract, "2026-04-16T00:00:00Z");
    assert_eq!(contract.0.end_date, date(2026, 5, 15));

    // Other changes leave it where it is.
    let before = contract.0.terms.clone().unwrap();
    contract.0.terms.as_mut().unwrap().clauses.clear();
    super::super::term::follow(&mut contract.0, &before);
    assert_eq!(contract.0.end_date, date(2026, 5, 15));
}
