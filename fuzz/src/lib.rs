//! Every method of the descriptor set, called by everybody who may not call it, and by those who may with what nobody
//! expects.
//!
//! A platform is given life by the demo's story, in the tenant of the story. Its answers are read by reflection: names in
//! them go into later requests, and all that only this tenant can know is looked for in answers to others. The calls
//! follow from a seed and their number, so that one that went wrong can be made again.
//!
//! Invariant: no method is named here. A new one is called as soon as it is in the proto files.

mod call;
mod caller;
mod defects;
mod generate;
mod known;
mod malformed;
mod methods;
mod verdict;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use anyhow::Context as _;
use fastrand::Rng;
use futures::{StreamExt as _, stream};
use tandem_cli::platform::Platform;
use tandem_demo::{Faults, tell};

pub use defects::Defects;

use call::Session;

/// What is done.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Where the calls come from.
    pub seed: u64,
    /// Number of the first one.
    pub first: u64,
    /// How many.
    pub calls: u64,
    /// How many at the same time.
    pub in_flight: usize,
}

/// What has come of it.
#[derive(Debug, Default)]
pub struct Report {
    /// Methods called.
    pub methods: usize,
    /// Calls, by caller and by code of the answer.
    pub calls: BTreeMap<(&'static str, String), u64>,
    /// What is not as it should be, each with how to do it again.
    pub violations: Vec<String>,
}

/// Gives a fresh platform life, and calls.
///
/// # Errors
/// If the platform does not live. What answers are wrong is in the report.
pub async fn run(platform: &Platform, plan: Plan, defects: &Defects) -> anyhow::Result<Report> {
    tell(platform.client_builder(), Faults::None).await.context("the story")?;
    let session = Session::open(platform.endpoints()).await.context("reading what the story has left")?;
    let session = Arc::new(session);
    let mut report = Report { methods: session.methods.len(), ..Report::default() };
    let numbers = plan.first..plan.first.saturating_add(plan.calls);
    let calls = stream::iter(numbers).map(|number| {
        let session = session.clone();
        // As from a generator of its own: the numbers of two calls differ by one.
        let random = Rng::with_seed(plan.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        // A task each, for making up and checking take as much as answering does.
        let call = tokio::spawn(async move { session.call(number, random).await });
        async move { (number, call.await) }
    });
    let mut calls = calls.buffer_unordered(plan.in_flight.max(1));
    while let Some((number, done)) = calls.next().await {
        let done = done.context("making a call")?;
        *report.calls.entry((done.caller, done.code)).or_default() += 1;
        let again = format!("--seed {} --first {number} --calls 1", plan.seed);
        report
            .violations
            .extend(done.violations.into_iter().map(|violation| format!("{violation}\n    again: {again}")));
    }
    report.violations.extend(defects.take().into_iter().map(|defect| format!("logged by a service: {defect}")));
    Ok(report)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { methods, calls, violations } = self;
        for ((caller, code), count) in calls {
            writeln!(f, "{caller:<12} {code:<20} {count:>9}")?;
        }
        for violation in violations {
            writeln!(f, "! {violation}")?;
        }
        let calls: u64 = calls.values().sum();
        write!(f, "{methods} methods, {calls} calls, {} violations", violations.len())
    }
}
