//! The checks: from facts to findings.
//!
//! Invariant: pure. The same facts give the same findings, the worst first.

mod consumers;
mod servers;
mod services;
mod settings;
mod streams;

use jiff::SignedDuration;

use crate::facts::Facts;
use crate::finding::Finding;

/// Clocks further apart than this are told: events carry their service's time, timers fire by their server's.
const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(2);

/// What is wrong with a deployment, errors before warnings.
#[must_use]
pub fn examine(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    settings::check(facts, &mut findings);
    streams::check(facts, &mut findings);
    servers::check(facts, &mut findings);
    services::check(facts, &mut findings);
    consumers::check(facts, &mut findings);
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// If a clock is too far from this machine's.
fn clock(subject: String, ahead: SignedDuration) -> Option<Finding> {
    if ahead.abs() <= CLOCKS_APART {
        return None;
    }
    let direction = if ahead.is_positive() { "ahead of" } else { "behind" };
    let problem = format!("its clock is {:.1} s {direction} this machine's", ahead.abs().as_secs_f64());
    let finding = Finding::warning("clock-skew", subject, problem)
        .because("events carry their service's time, timers fire by their server's, and tokens end by it")
        .remedy("let all machines follow one time source (chrony, systemd-timesyncd)");
    Some(finding)
}
