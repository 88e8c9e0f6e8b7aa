//! Creators who can't be paid: left out of a run, and no obstacle to it.

use std::time::Duration;

use futures::TryStreamExt as _;
use tandem_client::Error;
use tandem_eventlog::{EventLog as _, Filter, Kind};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::clause::Clause;
use tandem_proto::payouts::v1 as pb;
use tandem_proto::payouts::v1::PayoutRunState as State;

use crate::fixtures::{account, contract, earning, run, usd};
use crate::world::World;

fn payees(run: &pb::PayoutRun) -> Vec<&str> {
    run.payouts.iter().map(|payout| &payout.creator[..]).collect()
}

#[tokio::test]
async fn who_cannot_be_paid_is_left_out_and_listed() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    for (creator, cents) in [("adam", 100), ("bob", 200), ("cleo", 300), ("zoe", 400)] {
        fred.earn_all(creator, &[(creator, cents)]).await;
    }
    // To whom nothing is due is not even asked for.
    fred.earn_all("less", &[("l1", -1)]).await;
    world.creators.refuse("creators/adam", ErrorReason::PayoutAccountMissing);
    world.creators.refuse("creators/bob", ErrorReason::PersonErased);
    world.creators.refuse("creators/cleo", ErrorReason::ResourceNotFound);

    let first = fred.create_payout_run(run("r1")).await?;
    assert_eq!((payees(&first), first.total_amount.clone()), (vec!["creators/zoe"], usd(400)));
    let told: Vec<_> =
        first.unpayable_creators.iter().map(|c| (&c.creator[..], c.amount.clone(), &c.reason[..])).collect();
    assert_eq!(
        told,
        [
            ("creators/adam", usd(100), "PAYOUT_ACCOUNT_MISSING"),
            ("creators/bob", usd(200), "PERSON_ERASED"),
            ("creators/cleo", usd(300), "RESOURCE_NOT_FOUND"),
        ]
    );
    assert_eq!((first.unpayable_creator_count, first.remaining_earning_count), (3, 0));
    assert!(first.unpayable_creators.iter().all(|c| c.message.starts_with(&format!("{} ", c.creator))), "{first:?}");
    assert_eq!(fred.run(&first.name).await?, first);
    assert_eq!(world.creators.asked(), ["creators/adam", "creators/bob", "creators/cleo", "creators/zoe"]);
    assert_eq!(fred.earnings("state = ACCRUED", "name").await, ["adam", "bob", "cleo", "l1"]);

    // With an account, a later run pays them.
    world.creators.set("creators/adam", account("Adam"));
    let second = fred.create_payout_run(run("r2")).await?;
    assert_eq!((payees(&second), second.unpayable_creator_count), (vec!["creators/adam"], 2));
    Ok(())
}

#[tokio::test]
async fn if_nobody_can_be_paid_there_is_no_run() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    fred.earn_all("adam", &[("a1", 100)]).await;
    world.creators.refuse("creators/adam", ErrorReason::PayoutAccountMissing);
    let error = fred.create_payout_run(run("r1")).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::NothingPayable), "{error}");
    assert!(error.message().contains("1 without a payout account (creators/adam)"), "{error}");
    let error = fred.run("payoutRuns/r1").await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::ResourceNotFound), "{error}");

    world.creators.set("creators/adam", account("Adam"));
    assert_eq!(payees(&fred.create_payout_run(run("r1")).await?), ["creators/adam"]);
    Ok(())
}

#[tokio::test]
async fn who_cannot_be_paid_takes_no_room_of_those_who_can() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    let full = (0..900).map(|at| (format!("a{at:03}"), earning("creators/adam", 1)));
    let other = [("b".to_owned(), earning("creators/bob", 2)), ("z".to_owned(), earning("creators/zoe", 3))];
    fred.earn_many(full.chain(other)).await;
    // Bob is asked about once Adam has made room.
    world.creators.refuse("creators/adam", ErrorReason::PayoutAccountMissing);
    world.creators.refuse("creators/bob", ErrorReason::PayoutAccountMissing);
    let run = fred.create_payout_run(run("r1")).await?;
    assert_eq!((payees(&run), run.remaining_earning_count), (vec!["creators/zoe"], 0));
    let due: Vec<_> = run.unpayable_creators.iter().map(|creator| creator.amount.clone()).collect();
    assert_eq!(due, [usd(900), usd(2)]);
    // Each once, however often it is collected.
    assert_eq!(world.creators.asked(), ["creators/adam", "creators/bob", "creators/zoe"]);
    Ok(())
}

#[tokio::test]
async fn what_is_less_than_the_contract_s_minimum_waits_for_more() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    let mut agreed = contract("contracts/c1");
    let payment = agreed.terms.as_mut().unwrap().clauses.iter_mut().find(|clause| clause.clause_id == "payment");
    let Some(Clause::PaymentTerms(payment)) = &mut payment.unwrap().clause else { panic!() };
    payment.minimum_payout = usd(1000);
    world.contracts.set(agreed);
    fred.earn_all("adam", &[("a1", 999)]).await;
    fred.earn_all("zoe", &[("z1", 600), ("z2", 400)]).await;
    // Under a contract without a minimum, and under one that is not known.
    world.contracts.set(contract("contracts/c2"));
    for (id, contract) in [("a2", "contracts/c2"), ("a3", "contracts/gone")] {
        fred.earn(id, pb::Earning { contract: contract.into(), ..earning("creators/adam", 1) }).await;
    }
    let first = fred.create_payout_run(run("r1")).await?;
    let paid: Vec<_> = first.payouts.iter().map(|payout| (&payout.creator[..], payout.amount.clone())).collect();
    assert_eq!(paid, [("creators/adam", usd(2)), ("creators/zoe", usd(1000))]);
    let [left] = &first.unpayable_creators[..] else { panic!("{first:?}") };
    assert_eq!(
        (&left.creator[..], left.amount.clone(), &left.reason[..]),
        ("creators/adam", usd(999), "BELOW_MINIMUM_PAYOUT")
    );
    assert_eq!((first.unpayable_creator_count, first.remaining_earning_count), (1, 0));
    assert_eq!(fred.earnings("state = ACCRUED", "").await, ["a1"]);

    let error = fred.create_payout_run(run("r2")).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::NothingPayable), "{error}");
    assert!(
        error.message().contains("1 owed less than the minimum payout of their contract (creators/adam)"),
        "{error}"
    );

    fred.earn_all("adam", &[("a4", 1)]).await;
    let third = fred.create_payout_run(run("r3")).await?;
    assert_eq!((payees(&third), third.total_amount.clone()), (vec!["creators/adam"], usd(1000)));
    Ok(())
}

#[tokio::test]
async fn while_contracts_are_away_no_run_is_opened() -> Result<(), Error> {
    let mut world = World::start().await;
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 500)]).await;
    world.contracts_server.goes_away().await;
    let mut within = tonic::Request::new(run("r1"));
    within.set_timeout(Duration::from_secs(2));
    let error: Error = fred.0.payout_runs().create_payout_run(within).await.unwrap_err().into();
    assert_eq!(error.reason(), Some(ErrorReason::DependencyUnavailable), "{error}");
    world.contracts_server.comes_back().await;
    assert_eq!(payees(&fred.create_payout_run(run("r1")).await?), ["creators/zoe"]);
    Ok(())
}

#[tokio::test]
async fn while_creators_are_away_no_run_is_opened_and_none_is_lost() -> Result<(), Error> {
    let mut world = World::start().await;
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 500)]).await;
    let request = pb::CreatePayoutRunRequest { request_id: "q1".into(), ..run("r1") };
    world.creators_server.goes_away().await;
    let mut within = tonic::Request::new(request.clone());
    within.set_timeout(Duration::from_secs(2));
    let error: Error = fred.0.payout_runs().create_payout_run(within).await.unwrap_err().into();
    assert_eq!(error.reason(), Some(ErrorReason::DependencyUnavailable), "{error}");
    assert_eq!(fred.run("payoutRuns/r1").await.unwrap_err().reason(), Some(ErrorReason::ResourceNotFound));
    assert_eq!(fred.earnings("state = ACCRUED", "").await, ["z1"]);

    world.creators_server.comes_back().await;
    let created = fred.create_payout_run(request.clone()).await?;
    assert_eq!((created.state(), payees(&created)), (State::PendingApproval, vec!["creators/zoe"]));
    // A reply that was lost is given again without them.
    world.creators_server.goes_away().await;
    fred.earn_all("adam", &[("a1", 500)]).await;
    assert_eq!(fred.create_payout_run(request).await?, created);
    Ok(())
}

#[tokio::test]
async fn events_name_whom_they_concern_and_no_bank_details() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 500)]).await;
    fred.earn_all("adam", &[("a1", 500)]).await;
    let mut secret = account("Secret Holder");
    secret.iban = "GB33BUKB20201555555555".into();
    world.creators.set("creators/zoe", secret);
    world.creators.refuse("creators/adam", ErrorReason::PayoutAccountMissing);
    let name = fred.create_payout_run(run("r1")).await?.name;
    world.frida().approve(&name).await?;
    fred.submit(&name).await?;

    let runs = Filter { kinds: vec![Kind { context: "payouts", aggregate: "payout_run" }], tenant: None };
    let events = world.log.follow(&runs, 0).await.unwrap();
    let events: Vec<_> = futures::StreamExt::take(events, 3).try_collect().await.unwrap();
    for event in &events {
        let payload = String::from_utf8_lossy(&event.payload);
        assert!(payload.contains("partnerships/glowco~zoe"), "{payload}");
        assert!(!payload.contains("partnerships/glowco~adam"), "{payload}");
        assert!(!payload.contains("Secret") && !payload.contains("GB33BUKB"), "{payload}");
        assert_eq!(event.envelope.partnership, "");
    }
    Ok(())
}
