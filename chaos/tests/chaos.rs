//! A little of each scenario: nothing is lost, doubled or miscounted.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use tandem_chaos::{Options, Scenario, report, run};
use tandem_cli::platform::beside_this_program;

async fn holds(scenario: Scenario) {
    let options = Options {
        rounds: 8,
        seed: fastrand::u64(..),
        outage: Duration::from_secs(6),
        storage: 512 * 1024,
        callers: 2,
        binaries: beside_this_program("tandem-creators").unwrap().parent().unwrap().to_owned(),
    };
    let done = run(scenario, &options).await.unwrap();
    let told = report::text(std::slice::from_ref(&done));
    assert!(done.violations.is_empty(), "seed {}\n{told}", options.seed);
    assert!(done.counted.acknowledged > 50 && done.earned.0 > 0 && !done.done.is_empty(), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_process_is_killed() {
    holds(Scenario::Processes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_member_of_the_cluster_is_killed_or_paused() {
    holds(Scenario::Cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nats_away_at_the_start_and_in_between() {
    holds(Scenario::Outage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_disk_that_is_full_for_a_while() {
    holds(Scenario::Storage).await;
}
