//! Settling: what the bank has paid.

use tandem_client::Error;
use tandem_eventlog::{EventLog as _, Kind, Subject};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::payouts::v1 as pb;
use tandem_proto::payouts::v1::PayoutRunState as State;

use crate::fixtures::{account, instant, run};
use crate::world::World;

/// A run that pays Zoe and Adam, submitted.
async fn submitted(world: &World) -> pb::PayoutRun {
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 500), ("z2", -20)]).await;
    fred.earn_all("adam", &[("a1", 5)]).await;
    for creator in ["creators/zoe", "creators/adam"] {
        world.creators.set(creator, account(creator));
    }
    let run = fred.create_payout_run(run("r1")).await.unwrap();
    world.frida().approve(&run.name).await.unwrap();
    fred.submit(&run.name).await.unwrap().payout_run.unwrap()
}

#[tokio::test]
async fn payouts_are_settled_one_by_one_with_their_earnings() -> Result<(), Error> {
    let world = World::start().await;
    submitted(&world).await;
    let fred = world.fred();
    let half = fred.settle("payoutRuns/r1/payouts/zoe", "B1").await?;
    assert_eq!(half.state(), State::Submitted);
    let [adam, zoe] = &half.payouts[..] else { panic!("{:?}", half.payouts) };
    assert_eq!((adam.state(), zoe.state()), (pb::PayoutState::Pending, pb::PayoutState::Paid));
    assert_eq!((&zoe.bank_reference[..], zoe.settle_time), ("B1", Some(instant("2026-08-04T00:00:00Z"))));
    assert_eq!(fred.earnings("state = PAID", "name").await, ["z1", "z2"]);
    assert_eq!(fred.earnings("state = SCHEDULED", "").await, ["a1"]);

    let all = fred.settle("payoutRuns/r1/payouts/adam", "B2").await?;
    assert_eq!(all.state(), State::Settled);
    assert_eq!(fred.run("payoutRuns/r1").await?, all);
    assert_eq!(fred.earnings("state = PAID", "").await.len(), 3);
    Ok(())
}

#[tokio::test]
async fn the_same_reference_settles_once_and_another_is_refused() -> Result<(), Error> {
    let world = World::start().await;
    submitted(&world).await;
    let fred = world.fred();
    let zoe = "payoutRuns/r1/payouts/zoe";
    let first = fred.settle(zoe, "B1").await?;
    assert_eq!(fred.settle(zoe, "B1").await?, first);
    let error = fred.settle(zoe, "B2").await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::StateForbids), "{error}");
    // Told at the same time from two sides.
    let adam = "payoutRuns/r1/payouts/adam";
    let frida = world.frida();
    let (one, other) = tokio::join!(fred.settle(adam, "B3"), frida.settle(adam, "B3"));
    assert_eq!(one?, other?);
    let subject = |kind, id| Subject::new("acme", Kind { context: "payouts", aggregate: kind }, id).unwrap();
    let events = world.log.read(&subject("payout_run", "r1"), 0).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.envelope.event_type.ends_with("PayoutSettled")).count(), 2);
    assert_eq!(events.last().unwrap().envelope.partnership, "partnerships/glowco~adam");
    let paid = world.log.read(&subject("earning", "a1"), 0).await.unwrap();
    assert_eq!(paid.iter().filter(|event| event.envelope.event_type.ends_with("EarningPaid")).count(), 1);
    Ok(())
}

#[tokio::test]
async fn only_what_was_submitted_can_be_settled() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 500)]).await;
    fred.create_payout_run(run("r1")).await?;
    for (payout, reason) in [
        ("payoutRuns/r1/payouts/zoe", ErrorReason::StateForbids),
        ("payoutRuns/r1/payouts/adam", ErrorReason::ResourceNotFound),
        ("payoutRuns/r2/payouts/zoe", ErrorReason::ResourceNotFound),
    ] {
        let error = fred.settle(payout, "B1").await.unwrap_err();
        assert_eq!(error.reason(), Some(reason), "{error}");
    }
    assert_eq!(fred.earnings("state = SCHEDULED", "").await, ["z1"]);
    Ok(())
}

#[tokio::test]
async fn a_submitted_run_is_not_cancelled_any_more() {
    let world = World::start().await;
    let run = submitted(&world).await;
    let error = world.fred().cancel(&run.name).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::StateForbids), "{error}");
    assert!(error.message().contains("is SUBMITTED"), "{error}");
}
