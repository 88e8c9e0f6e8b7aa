//! When a contract begins and expires, in days of its own time zone.

use super::*;

/// A contract for some days, signed half a year before.
fn upcoming(zone: &str, first: Option<Date>, last: Option<Date>) -> Contract {
    let signed = signed_at("2017-06-01T00:00:00Z", term(zone, first, last, []));
    signed.state()
}

#[test]
fn a_contract_signed_before_its_first_day_is_upcoming() {
    let terms = || term("America/New_York", date(2026, 6, 1), date(2026, 8, 31), []);
    // The last second of May there.
    let contract = signed_at("2026-06-01T03:59:59Z", terms()).state();
    assert_eq!(contract.0.state(), State::Upcoming);
    assert_eq!(contract.next_due(), Some(instant("2026-06-01T04:00:00Z")));
    let contract = signed_at("2026-06-01T04:00:00Z", terms()).state();
    assert_eq!(contract.0.state(), State::Active);
    // However late.
    assert_eq!(signed_at("2026-08-31T00:00:00Z", terms()).state().0.state(), State::Active);
}

#[test]
fn a_contract_starts_with_the_first_instant_of_its_first_day() {
    for (zone, first, start) in [
        ("America/New_York", date(2026, 6, 1), "2026-06-01T04:00:00Z"),
        ("Asia/Tokyo", date(2026, 6, 1), "2026-05-31T15:00:00Z"),
        // In summer time, and on the day after it ended.
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24T22:00:00Z"),
        ("Europe/Berlin", date(2026, 10, 26), "2026-10-25T23:00:00Z"),
        // That day began at one o'clock.
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00:00Z"),
    ] {
        let mut contract = upcoming(zone, first, date(2027, 5, 31));
        assert_eq!(contract.next_due(), Some(instant(start)), "{zone}");
        assert_eq!(pass(&mut contract, start), [started(first)], "{zone}");
        assert_eq!(contract.0.state(), State::Active);
        assert_ne!(contract.next_due(), Some(instant(start)));
    }
}

#[test]
fn a_contract_expires_at_the_end_of_its_last_day() {
    for (zone, last, end) in [
        ("America/New_York", date(2026, 8, 31), "2026-09-01T04:00:00Z"),
        ("Asia/Tokyo", date(2026, 8, 31), "2026-08-31T15:00:00Z"),
        // The days before, on and after which the clock is put forward, and back.
        ("Europe/Berlin", date(2026, 3, 28), "2026-03-28T23:00:00Z"),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-29T22:00:00Z"),
        ("Europe/Berlin", date(2026, 10, 24), "2026-10-24T22:00:00Z"),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-25T23:00:00Z"),
        // The next day had no midnight; and there was no next day.
        ("America/Sao_Paulo", date(2018, 11, 3), "2018-11-04T03:00:00Z"),
        ("Pacific/Apia", date(2011, 12, 29), "2011-12-30T10:00:00Z"),
        ("UTC", date(2028, 2, 29), "2028-03-01T00:00:00Z"),
    ] {
        let end = instant(end);
        let terms = term(zone, date(2011, 1, 1), last, []);
        let signed = || signed_at("2011-02-01T00:00:00Z", terms.clone());
        let before = (end - jiff::SignedDuration::from_nanos(1)).to_string();
        let mut contract = signed().state();
        pass(&mut contract, &before);
        assert_eq!(contract.0.state(), State::Active, "{zone} {end}");
        assert_eq!(contract.next_due(), Some(end), "{zone}");
        assert_eq!(pass(&mut contract, &end.to_string()), [expired(last)], "{zone}");
        assert_eq!((contract.0.state(), contract.next_due()), (State::Expired, None));
        assert_eq!(pass(&mut contract, "2099-01-01T00:00:00Z"), [], "once");
    }
}

#[test]
fn a_contract_of_one_day_has_that_day() {
    let day = date(2026, 6, 1);
    let mut contract = upcoming("Europe/Berlin", day, day);
    pass(&mut contract, "2026-05-31T22:00:00Z");
    assert_eq!(contract.0.state(), State::Active);
    pass(&mut contract, "2026-06-01T22:00:00Z");
    assert_eq!(contract.0.state(), State::Expired);
}

#[test]
fn what_was_never_signed_does_not_begin() {
    for given in [a_draft, a_proposal, a_counter, an_agreement] {
        assert_eq!(given().state().next_due(), None);
        given().at("2030-01-01T00:00:00Z").when(act_on_due()).then([]);
    }
}

#[test]
fn a_suspended_contract_expires_all_the_same() {
    let mut contract = upcoming("UTC", date(2018, 1, 1), date(2018, 1, 31));
    contract.0.set_state(State::Suspended);
    contract.0.suspension = Some(pb::Suspension::default());
    assert_eq!(pass(&mut contract, "2018-02-01T00:00:00Z"), [expired(date(2018, 1, 31))]);
    assert_eq!((contract.0.state(), contract.0.suspension), (State::Expired, None));
}

#[test]
fn a_contract_at_the_end_of_the_calendar_goes_on() {
    let contract = signed_at("2026-01-01T00:00:00Z", term("UTC", date(2026, 1, 1), date(9999, 12, 31), [])).state();
    // The first warning is due, the end never.
    assert_eq!(contract.next_due(), Some(instant("9999-11-01T00:00:00Z")));
}
