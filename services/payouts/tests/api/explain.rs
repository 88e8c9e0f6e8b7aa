//! Explaining: every cent of a payout.

use tandem_client::Error;
use tandem_money::{Currency, Money};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::payouts::v1::{Earning, ExplainPayoutRequest};

use crate::fixtures::{CREATOR, contract, earning, order, published, refund, run, signed};
use crate::logs;
use crate::world::{CONTRACT, CONVERSION, Claims, PARTICIPATION, World};

const PAYOUT: &str = "payoutRuns/r1/payouts/zoe";

#[tokio::test]
async fn every_cent_has_its_event_version_clause_and_rule() -> Result<(), Error> {
    let world = World::start().await;
    world.contracts.set(contract("contracts/c2"));
    let events = [
        world.happens("acme", CONTRACT, "c1", &signed()).await,
        world.happens("acme", CONTRACT, "c2", &signed()).await,
        world.happens("acme", PARTICIPATION, "p1", &published("contracts/c1", 0)).await,
        world.happens("acme", CONVERSION, "o1", &order("contracts/c2", 9_999)).await,
        world.happens("acme", CONVERSION, "o1", &refund("contracts/c2", 9_999, 0, 333)).await,
    ];
    world.earning_events(5).await;
    let fred = world.fred();
    fred.create_payout_run(run("r1")).await?;

    let explained = fred.explain(PAYOUT).await?;
    let payout = explained.payout.unwrap();
    let amounts = explained
        .lines
        .iter()
        .map(|line| Money::try_from(line.earning.as_ref().unwrap().amount.as_ref().unwrap()).unwrap());
    assert_eq!(
        Money::total(Currency::USD, amounts).unwrap(),
        Money::try_from(payout.amount.as_ref().unwrap()).unwrap()
    );
    assert_eq!(explained.lines.len(), 5);
    let mut positions = Vec::new();
    for line in &explained.lines {
        let (earning, clause) = (line.earning.as_ref().unwrap(), line.clause.as_ref().unwrap());
        assert!(payout.earnings.contains(&earning.name));
        assert_eq!((earning.contract_version, &earning.clause_id), (2, &clause.clause_id));
        let fits = match clause.clause.as_ref().unwrap() {
            Kind::Fee(_) => earning.rule().as_str_name() == "EARNING_RULE_FEE_INSTALMENT",
            Kind::Commission(_) => earning.rule().as_str_name().starts_with("EARNING_RULE_COMMISSION"),
            _ => false,
        };
        assert!(fits, "{line:?}");
        let [source] = &earning.source_events[..] else { panic!("{earning:?}") };
        let event = events.iter().find(|event| event.position.cast_signed() == source.position).unwrap();
        assert_eq!((&source.event_id, &source.r#type), (&event.envelope.id, &event.envelope.event_type));
        positions.push(source.position);
    }
    positions.sort_unstable();
    assert_eq!(positions, events.map(|event| event.position.cast_signed()));
    Ok(())
}

#[tokio::test]
async fn a_line_without_its_clause_is_shown_and_reported() -> Result<(), Error> {
    let mut errors = logs::errors();
    let world = World::start().await;
    let fred = world.fred();
    fred.earn_all("zoe", &[("known", 500)]).await;
    for (id, contract, version, clause_id) in [
        ("no-clause", "contracts/c1", 2, "bonus"),
        ("no-version", "contracts/c1", 7, "commission"),
        ("no-contract", "contracts/gone", 2, "commission"),
    ] {
        let (contract, clause_id) = (contract.into(), clause_id.into());
        fred.earn(id, Earning { contract, contract_version: version, clause_id, ..earning(CREATOR, 100) }).await;
    }
    fred.create_payout_run(run("r1")).await?;
    let lines = fred.explain(PAYOUT).await?.lines;
    let known: Vec<_> = lines
        .iter()
        .map(|line| (line.earning.as_ref().unwrap().name.trim_start_matches("earnings/"), line.clause.is_some()))
        .collect();
    assert_eq!(known, [("known", true), ("no-clause", false), ("no-contract", false), ("no-version", false)]);
    for id in ["no-clause", "no-contract", "no-version"] {
        logs::logged(&mut errors, &["no clause grants an earning", &format!("earnings/{id}\"")]).await;
    }
    Ok(())
}

#[tokio::test]
async fn contracts_that_do_not_answer_are_said_to_be_away() -> Result<(), Error> {
    let mut world = World::start().await;
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 500)]).await;
    fred.create_payout_run(run("r1")).await?;
    // Who goes away is not listening any more, but keeps the connections that are open: the service has none yet.
    world.stop_service().await;
    world.contracts_server.goes_away().await;
    world.start_service().await;
    let fred = world.fred();
    let mut request = tonic::Request::new(ExplainPayoutRequest { name: PAYOUT.into() });
    request.set_timeout(std::time::Duration::from_secs(2));
    let error: Error = fred.0.payout_runs().explain_payout(request).await.unwrap_err().into();
    let away = [ErrorReason::DependencyUnavailable, ErrorReason::Deadline];
    assert!(away.contains(&error.reason().unwrap()), "{error}");
    world.contracts_server.comes_back().await;
    assert_eq!(fred.explain(PAYOUT).await?.lines.len(), 1);
    Ok(())
}

#[tokio::test]
async fn creators_have_their_own_payouts_explained() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 500)]).await;
    fred.earn_all("adam", &[("a1", 500)]).await;
    fred.create_payout_run(run("r1")).await?;
    let claims = Claims::new("users/portal", "acme").with_permissions(["payouts.read"]).with_creator(CREATOR);
    let zoe = world.client(claims);
    assert_eq!(zoe.explain(PAYOUT).await?.lines.len(), 1);
    for (payout, reason) in [
        ("payoutRuns/r1/payouts/adam", ErrorReason::NotAParty),
        ("payoutRuns/r1/payouts/bob", ErrorReason::ResourceNotFound),
        ("payoutRuns/r2/payouts/zoe", ErrorReason::ResourceNotFound),
    ] {
        assert_eq!(zoe.explain(payout).await.unwrap_err().reason(), Some(reason));
    }
    Ok(())
}
