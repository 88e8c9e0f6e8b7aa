//! Contracts that end before their last day.

use tandem_client::proto::common::v1::{ActOnDueRequest, ErrorReason};
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::{ContractState as State, Effect, TerminationKind, WorkProgress};
use tandem_client::{Error, Service};

use crate::fixtures::{changeable_terms, date, usd};
use crate::world::{Claims, World, instant};

/// Within the term of the fixtures.
const JUNE_15: &str = "2026-06-15T12:00:00Z";

fn terminate(name: &str, kind: TerminationKind) -> pb::TerminateContractRequest {
    pb::TerminateContractRequest {
        name: name.into(),
        kind: kind.into(),
        reason: "Plans have changed.".into(),
        progress: WorkProgress::DraftSubmitted.into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn the_brand_walks_away_with_notice_and_a_kill_fee() -> Result<(), Error> {
    let world = World::start().await;
    let name = world.signed("summer", changeable_terms()).await.name;
    let claims = Claims::new("users/ada", "acme").with_permissions(["contracts.*", "timers.act"]);
    let brand = world.client(claims).at(JUNE_15);

    let before = brand.get(&name).await?;
    let request = terminate(&name, TerminationKind::Convenience);
    let tried =
        brand.terminate_contract(pb::TerminateContractRequest { validate_only: true, ..request.clone() }).await?;
    assert_eq!(brand.get(&name).await?, before, "only tried");
    let noticed = brand.terminate_contract(request).await?;
    assert_eq!((noticed.state(), &noticed.termination), (State::Active, &tried.termination));
    let termination = noticed.termination.unwrap();
    assert_eq!(termination.effective_time, instant("2026-06-30T04:00:00Z"));
    let kill_fee = termination.effects.iter().find(|effect| effect.clause_id == "kill-fee").unwrap();
    assert_eq!((kill_fee.effect(), &kill_fee.amount), (Effect::Owed, &usd(2000)));

    let act = |at: &str| {
        let timers = brand.at(at).0.timers(Service::Contracts);
        let request = ActOnDueRequest { name: name.clone(), ..Default::default() };
        async move { timers.clone().act_on_due(request).await.map(|response| response.into_inner().acted) }
    };
    assert!(!act("2026-06-30T03:59:59Z").await?);
    assert!(act("2026-06-30T04:00:00Z").await?);
    let ended = brand.get(&name).await?;
    assert_eq!((ended.state(), &ended.end_reason[..]), (State::Terminated, "Plans have changed."));
    // What applied is told all the same.
    let terms = brand.get_terms(pb::GetTermsRequest { name, ..Default::default() }).await?;
    assert_eq!(terms.terms, Some(changeable_terms()));
    Ok(())
}

#[tokio::test]
async fn what_is_due_comes_before_what_is_asked() -> Result<(), Error> {
    let world = World::start().await;
    let name = world.signed("summer", changeable_terms()).await.name;
    let (brand, creator) = (world.brand(), world.creator());
    brand.at(JUNE_15).terminate_contract(terminate(&name, TerminationKind::Convenience)).await?;
    // No timer has gone off, and yet the notice is over.
    let request = pb::ProposeTerminationRequest {
        name: name.clone(),
        reason: "Sooner.".into(),
        end_date: date(2026, 7, 10),
        ..Default::default()
    };
    let refused = creator.at("2026-07-01T12:00:00Z").propose_termination(request).await.unwrap_err();
    assert_eq!(refused.reason(), Some(ErrorReason::StateForbids), "{refused}");
    assert!(refused.message().contains("is TERMINATED"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_breach_that_is_not_cured_ends_the_contract() -> Result<(), Error> {
    let world = World::start().await;
    let name = world.signed("summer", changeable_terms()).await.name;
    let brand = world.brand();
    let notify = pb::NotifyBreachRequest {
        name: name.clone(),
        clause_id: "content".into(),
        description: "No reel came.".into(),
        ..Default::default()
    };
    let noticed = brand.at(JUNE_15).notify_breach(notify).await?;
    assert_eq!(noticed.breaches[0].cure_deadline, instant("2026-06-26T04:00:00Z"));

    let end = || terminate(&name, TerminationKind::Breach);
    let early = brand.at("2026-06-20T12:00:00Z").terminate_contract(end()).await.unwrap_err();
    assert_eq!(early.reason(), Some(ErrorReason::OutOfTime), "{early}");
    let ended = brand.at("2026-06-26T04:00:00Z").terminate_contract(end()).await?;
    assert_eq!(ended.state(), State::Terminated);
    let effects = ended.termination.unwrap().effects;
    let clawed_back: Vec<_> = effects.iter().filter(|effect| effect.effect() == Effect::ClawedBack).collect();
    assert_eq!((clawed_back.len(), &clawed_back[0].amount), (1, &usd(1000)));
    Ok(())
}

#[tokio::test]
async fn a_cure_is_recorded() -> Result<(), Error> {
    let world = World::start().await;
    let name = world.signed("summer", changeable_terms()).await.name;
    let creator = world.creator().at(JUNE_15);
    let (clause_id, description) = ("payment".into(), "Nothing was paid.".into());
    creator
        .notify_breach(pb::NotifyBreachRequest { name: name.clone(), clause_id, description, ..Default::default() })
        .await?;
    let cured = creator.record_cure(pb::RecordCureRequest { name, number: 1, ..Default::default() }).await?;
    assert_eq!(cured.breaches[0].cure_time, instant(JUNE_15));
    Ok(())
}

#[tokio::test]
async fn an_incident_suspends_and_a_second_person_decides() -> Result<(), Error> {
    let world = World::start().await;
    let name = world.signed("summer", changeable_terms()).await.name;
    let (ada, bob) = (world.user("ada", "acme").at(JUNE_15), world.user("bob", "acme").at(JUNE_15));
    let suspend = || pb::SuspendContractRequest {
        name: name.clone(),
        incident: "An arrest was reported.".into(),
        ..Default::default()
    };
    let suspended = ada.suspend_contract(suspend()).await?;
    assert_eq!((suspended.state(), &suspended.suspension.unwrap().suspended_by[..]), (State::Suspended, "users/ada"));

    let reason = "A mistake of the press.".to_owned();
    let reinstate = pb::ReinstateContractRequest { name: name.clone(), reason, ..Default::default() };
    assert_eq!(ada.reinstate_contract(reinstate).await?.state(), State::Active);

    ada.suspend_contract(suspend()).await?;
    let end = || terminate(&name, TerminationKind::Morality);
    let refused = ada.terminate_contract(end()).await.unwrap_err();
    assert_eq!(refused.reason(), Some(ErrorReason::SecondPersonRequired), "{refused}");
    let ended = bob.terminate_contract(end()).await?;
    assert_eq!((ended.state(), &ended.termination.unwrap().decided_by[..]), (State::Terminated, "users/bob"));
    Ok(())
}

#[tokio::test]
async fn both_agree_on_the_end() -> Result<(), Error> {
    let world = World::start().await;
    let name = world.signed("summer", changeable_terms()).await.name;
    let (brand, creator) = (world.brand().at(JUNE_15), world.creator().at(JUNE_15));
    let propose = || pb::ProposeTerminationRequest {
        name: name.clone(),
        reason: "Both are busy.".into(),
        end_date: date(2026, 7, 10),
        ..Default::default()
    };
    creator.propose_termination(propose()).await?;
    assert_eq!(creator.names("awaiting:BRAND", "").await, [name.as_str()]);
    let reason = "Let us go on.".to_owned();
    let decline = pb::DeclineTerminationRequest { name: name.clone(), reason, ..Default::default() };
    assert_eq!(brand.decline_termination(decline).await?.proposed_termination, None);

    creator.propose_termination(propose()).await?;
    let accept = || pb::AcceptTerminationRequest { name: name.clone(), ..Default::default() };
    let own = creator.accept_termination(accept()).await.unwrap_err();
    assert_eq!(own.reason(), Some(ErrorReason::NotYourTurn), "{own}");
    let accepted = brand.accept_termination(accept()).await?;
    assert_eq!(accepted.termination.unwrap().effective_time, instant("2026-07-11T04:00:00Z"));
    Ok(())
}

#[tokio::test]
async fn a_contract_is_kept_from_renewing_itself() -> Result<(), Error> {
    let world = World::start().await;
    let name = world.signed("summer", changeable_terms()).await.name;
    let give =
        || pb::GiveRenewalNoticeRequest { name: name.clone(), reason: "A new line.".into(), ..Default::default() };
    let noticed = world.creator().at(JUNE_15).give_renewal_notice(give()).await?;
    assert_eq!(noticed.renewal_notice_by(), pb::Party::Creator);
    let again = world.brand().at(JUNE_15).give_renewal_notice(give()).await.unwrap_err();
    assert_eq!(again.reason(), Some(ErrorReason::StateForbids), "{again}");
    Ok(())
}
