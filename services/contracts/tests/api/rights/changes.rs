//! What amendments, renewals and terminations do to rights that are there.

use futures::future::join_all;
use tandem_client::Error;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::UsageRightState as State;
use tandem_proto::contracts::v1::clause::Clause;

use super::stage::{END, PUBLISHED, Stage, ad, terms_with, terms_with_organic};
use crate::fixtures::{CREATOR, date, terms};
use crate::world::instant;

/// The end of 2027-07-02 in New York.
const PROLONGED: &str = "2027-07-03T04:00:00Z";

fn twelve_months() -> pb::Terms {
    terms_with(|clause| clause.months = 12)
}

async fn amended(stage: &Stage, contract: &str, terms: pb::Terms, from: (i32, i32, i32), at: &str) -> pb::Contract {
    let amendment = stage.brand().at(at).amend(contract, terms, from).await;
    stage.creator(CREATOR).at(at).accept_amendment(contract, &amendment).await
}

#[tokio::test]
async fn an_amendment_prolongs_the_rights_to_what_is_published() -> Result<(), Error> {
    let stage = Stage::start().await;
    let contract = stage.signed("summer", terms()).await;
    stage.published(&contract).await;
    let before = stage.right("ads").await;
    let brand = stage.brand();
    assert!(!brand.at(END).check(ad()).await?.allowed);

    amended(&stage, &contract, twelve_months(), (2026, 8, 1), "2026-07-10T12:00:00Z").await;
    // The answer does not wait for the register.
    let answer = brand.at(END).check(ad()).await?;
    assert_eq!((answer.allowed, answer.contract_version, answer.end_time), (true, 2, instant(PROLONGED)));
    let after = stage.right("ads").await;
    assert_eq!((&after.name, after.contract_version, after.end_time), (&before.name, 2, instant(PROLONGED)));
    assert_eq!((after.create_time, after.update_time), (before.create_time, instant("2026-07-10T12:00:00Z")));
    let told: Vec<_> = stage.history(&after.name).await.into_iter().map(|(event, _)| event).collect();
    assert_eq!(told, ["UsageRightGranted", "UsageRightChanged"]);
    assert!(!brand.at(PROLONGED).check(ad()).await?.allowed);
    Ok(())
}

#[tokio::test]
async fn an_amendment_revokes_what_it_drops_when_it_applies_already() -> Result<(), Error> {
    let stage = Stage::start().await;
    let contract = stage.signed("summer", terms_with_organic()).await;
    stage.published(&contract).await;
    let before = stage.right("organic").await;
    assert_eq!(before.state(), State::Active);
    // From the fifth of July, agreed on the tenth.
    amended(&stage, &contract, terms(), (2026, 7, 5), "2026-07-10T12:00:00Z").await;
    let organic = stage.right("organic").await;
    assert_eq!((&organic.name, organic.state()), (&before.name, State::Revoked));
    assert_eq!(organic.revoke_reason, format!("Version 2 of {contract} does not grant it any more."));
    assert_eq!(stage.right("ads").await.state(), State::Active);

    let organic = pb::CheckRightsRequest { kind: pb::UsageKind::Organic.into(), ..ad() };
    for (time, allowed) in [("2026-07-05T03:59:59Z", true), ("2026-07-05T04:00:00Z", false)] {
        let answer = stage.brand().check(pb::CheckRightsRequest { use_time: instant(time), ..organic.clone() }).await?;
        assert_eq!(answer.allowed, allowed, "{time}: {answer:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_expired_right_comes_back_when_an_amendment_prolongs_it() {
    let stage = Stage::start().await;
    let contract = stage.signed("summer", terms_with(|clause| (clause.months, clause.days) = (0, 7))).await;
    stage.published(&contract).await;
    let name = stage.right("ads").await.name;
    assert!(stage.brand().at("2026-07-10T04:00:00Z").act_on_due(&name).await);
    assert_eq!(stage.right("ads").await.state(), State::Expired);
    amended(&stage, &contract, terms(), (2026, 8, 1), "2026-07-20T12:00:00Z").await;
    let back = stage.right("ads").await;
    assert_eq!((back.state(), back.end_time, back.contract_version), (State::Active, instant(END), 2));
}

#[tokio::test]
async fn a_termination_revokes_what_ends_with_the_contract_and_the_rest_survives() -> Result<(), Error> {
    let stage = Stage::start().await;
    let contract = stage.signed("summer", terms_with_organic()).await;
    stage.published(&contract).await;
    let brand = stage.brand().at("2026-07-10T12:00:00Z");
    let request = pb::ProposeTerminationRequest {
        name: contract.clone(),
        reason: "Season cut short.".into(),
        end_date: date(2026, 7, 31),
        ..Default::default()
    };
    brand.0.contracts().propose_termination(request).await?;
    let creator = stage.creator(CREATOR).at("2026-07-11T12:00:00Z");
    let accept = pb::AcceptTerminationRequest { name: contract.clone(), ..Default::default() };
    creator.0.contracts().accept_termination(accept).await?;

    // Until then it is in force, and it is told that it won't be any more.
    assert_eq!(stage.right("organic").await.state(), State::Active);
    let organic = pb::CheckRightsRequest { kind: pb::UsageKind::Organic.into(), ..ad() };
    let ends = "2026-08-01T04:00:00Z";
    assert_eq!(brand.check(organic.clone()).await?.end_time, instant(ends));

    assert!(stage.brand().at(ends).act_on_due(&contract).await);
    let revoked = stage.right("organic").await;
    assert_eq!((revoked.state(), revoked.update_time), (State::Revoked, instant(ends)));
    assert_eq!(revoked.revoke_reason, format!("{contract} was terminated."));
    assert_eq!((stage.right("ads").await.state(), stage.right("ads").await.end_time), (State::Active, instant(END)));
    assert!(!stage.brand().at(ends).check(organic).await?.allowed);
    assert!(stage.brand().at(ends).check(ad()).await?.allowed);

    // What comes online afterwards is granted nothing.
    stage.publish("acme", "participations/p1/deliverables/late", &contract, "2026-08-02T12:00:00Z").await;
    assert_eq!(stage.rights().await.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_renewal_prolongs_what_lasts_as_long_as_the_contract() {
    let stage = Stage::start().await;
    let mut terms = terms();
    for clause in &mut terms.clauses {
        if let Some(Clause::AiLikeness(clause)) = &mut clause.clause {
            clause.training_allowed = true;
        }
    }
    let contract = stage.signed("summer", terms).await;
    stage.published(&contract).await;
    let before = stage.right("likeness").await;
    assert_eq!((before.kind(), before.end_time), (pb::UsageKind::AiTraining, instant("2026-09-01T04:00:00Z")));
    // Three months more, for nobody gave notice.
    let renewed = "2026-09-01T04:00:00Z";
    while stage.brand().at(renewed).act_on_due(&contract).await {}
    let after = stage.right("likeness").await;
    assert_eq!((&after.name, after.state()), (&before.name, State::Active));
    assert_eq!(after.end_time, instant("2026-12-01T05:00:00Z"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn publications_and_an_amendment_at_the_same_time_end_the_same() {
    let stage = Stage::start().await;
    let replica = stage.world.replica().await;
    let contract = stage.signed("summer", terms()).await;
    let at = "2026-07-10T12:00:00Z";
    let amendment = stage.brand().at(at).amend(&contract, twelve_months(), (2026, 8, 1)).await;
    let publications = join_all((0..40).map(|number| {
        let (stage, contract) = (&stage, &contract);
        async move {
            let deliverable = format!("participations/p{number}/deliverables/reel-1");
            stage.publish("acme", &deliverable, contract, PUBLISHED).await
        }
    }));
    let creator = stage.creator(CREATOR).at(at);
    tokio::join!(publications, creator.accept_amendment(&contract, &amendment));
    let rights = stage.rights().await;
    assert_eq!(rights.len(), 40);
    for right in rights {
        assert_eq!((right.contract_version, right.end_time), (2, instant(PROLONGED)), "{right:?}");
    }
    drop(replica);
}
