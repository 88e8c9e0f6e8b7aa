//! Services, their views, and what processes have still to do.

use jiff::SignedDuration;

use super::given;
use crate::facts::{Facts, Known, View};

fn info(facts: &mut Facts) -> &mut crate::Info {
    facts.services[1].state.is().info.is()
}

fn view(facts: &mut Facts) -> &mut View {
    &mut facts.services[0].state.is().views.is()[0]
}

#[test]
fn a_service_that_does_not_answer_is_an_error() {
    given(|facts| facts.services[1].state = Known::Unknown("connection refused".into()))
        .then_error("service-unreachable", &["payouts", "connection refused", "--payouts-endpoint"]);
    given(|facts| facts.services[1].state.is().serving = false).then_error("service-not-serving", &["NATS"]);
}

#[test]
fn a_service_of_development_is_an_error_in_production() {
    given(|facts| info(facts).development_key = true).then_error("service-development", &["test clock"]);
    given(|facts| info(facts).production = false)
        .then_error("service-development", &["started for development", "--environment production"]);
    given(|facts| {
        facts.production = false;
        info(facts).development_key = true;
    })
    .then_nothing();
}

#[test]
fn versions_and_clocks_of_services_are_compared() {
    given(|facts| info(facts).version = "1.1.0".into()).then_warning("service-versions", &["1.0.0, 1.1.0"]);
    given(|facts| info(facts).ahead = SignedDuration::from_secs(3)).then_warning("clock-skew", &["service payouts"]);
}

#[test]
fn what_a_token_does_not_allow_is_said_not_to_be_checked() {
    given(|facts| facts.services[0].state.is().views = Known::Unknown("denied".into()))
        .then_warning("not-checked", &["denied", "views.read"]);
    given(|facts| facts.services[0].state.is().info = Known::Unknown("denied".into()))
        .then_warning("not-checked", &["denied", "info.read"]);
}

#[test]
fn a_view_that_is_far_behind_or_has_parked_events_is_told() {
    given(|facts| view(facts).lag = Some(10_001)).then_warning("view-behind", &["contracts", "10001"]);
    given(|facts| view(facts).lag = Some(10_000)).then_nothing();
    given(|facts| view(facts).lag = None).then_warning("view-not-measured", &["contracts"]);
    given(|facts| {
        let view = view(facts);
        (view.parked, view.parked_error) = (2, "no such clause".into());
    })
    .then_error("events-parked", &["2 events", "no such clause", "tandem views status"]);
}

#[test]
fn a_process_that_is_far_behind_or_fails_is_told() {
    given(|facts| facts.consumers[0].state.is()[0].pending = 10_001).then_warning("process-behind", &["10001"]);
    given(|facts| facts.consumers[0].state.is()[0].redelivered = 1)
        .then_warning("process-retrying", &["payouts-accrual", "not handled"]);
    given(|facts| facts.consumers[0].state = Known::Unknown("timed out".into()))
        .then_warning("not-checked", &["$JS.API.CONSUMER.LIST.tandem"]);
}
