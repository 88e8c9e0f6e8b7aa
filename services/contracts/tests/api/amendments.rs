//! Signed terms that change, and the terms in force.

use futures::future::join_all;
use futures::{StreamExt as _, stream};
use tandem_client::Error;
use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::AmendmentState;

use crate::fixtures::{changeable_terms, changeable_terms_for, date};
use crate::world::{Api, World, instant};

/// Within the term of the fixtures.
const JUNE_15: &str = "2026-06-15T12:00:00Z";

fn propose(name: &str, fee: i64) -> pb::ProposeAmendmentRequest {
    pb::ProposeAmendmentRequest {
        name: name.into(),
        terms: Some(changeable_terms_for(fee)),
        effective_date: date(2026, 7, 1),
        reason: "More work.".into(),
        ..Default::default()
    }
}

fn accept(name: &str, amendment: &pb::Amendment) -> pb::AcceptAmendmentRequest {
    let (number, terms_hash) = (amendment.number, amendment.terms_hash.clone());
    pb::AcceptAmendmentRequest { name: name.into(), number, terms_hash, ..Default::default() }
}

async fn terms(api: &Api, name: &str, as_of: &str, known_at: &str) -> Result<pb::GetTermsResponse, Error> {
    let known_at_time = if known_at.is_empty() { None } else { instant(known_at) };
    api.get_terms(pb::GetTermsRequest { name: name.into(), as_of_time: instant(as_of), known_at_time }).await
}

#[tokio::test]
async fn terms_are_amended_and_told_as_of_any_day() -> Result<(), Error> {
    let world = World::start().await;
    let signed = world.signed("summer", changeable_terms()).await;
    let name = &signed.name;
    let (brand, creator) = (world.brand().at(JUNE_15), world.creator().at("2026-06-20T09:00:00Z"));

    let proposed = brand.propose_amendment(propose(name, 5000)).await?;
    let amendment = &proposed.amendments[0];
    assert_eq!((amendment.state(), proposed.version), (AmendmentState::Proposed, 1));
    assert_eq!(brand.names("awaiting:CREATOR", "").await, [name.as_str()]);

    let amended = creator.accept_amendment(accept(name, amendment)).await?;
    assert_eq!((amended.version, &amended.terms), (2, &Some(changeable_terms_for(5000))));
    assert_eq!(brand.get(name).await?, amended);

    let before = terms(&brand, name, "2026-07-01T03:59:59Z", "").await?;
    assert_eq!((before.version, &before.terms), (1, &Some(changeable_terms())));
    assert_eq!((before.effective_time, before.agree_time), (None, signed.sign_time));
    assert_eq!((&before.brand, &before.creator), (&signed.brand, &signed.creator));
    let after = terms(&brand, name, "2026-07-01T04:00:00Z", "").await?;
    assert_eq!((after.version, &after.terms), (2, &Some(changeable_terms_for(5000))));
    assert_eq!((after.terms_hash, after.effective_time), (amended.terms_hash, instant("2026-07-01T04:00:00Z")));
    // As it was known before.
    assert_eq!(terms(&creator, name, "2026-07-01T04:00:00Z", "2026-06-20T08:59:59Z").await?.version, 1);
    // Now, which is the caller's.
    let now = creator.get_terms(pb::GetTermsRequest { name: name.clone(), ..Default::default() }).await?;
    assert_eq!(now.version, 1);
    Ok(())
}

#[tokio::test]
async fn declined_and_withdrawn_amendments_leave_the_terms() -> Result<(), Error> {
    let world = World::start().await;
    let name = &world.signed("summer", changeable_terms()).await.name;
    let (brand, creator) = (world.brand().at(JUNE_15), world.creator().at(JUNE_15));
    brand.propose_amendment(propose(name, 5000)).await?;
    let (name, reason) = (name.clone(), "Too little.".to_owned());
    let decline = pb::DeclineAmendmentRequest { name: name.clone(), number: 1, reason, ..Default::default() };
    let declined = creator.decline_amendment(decline).await?;
    assert_eq!((declined.version, declined.amendments[0].state()), (1, AmendmentState::Declined));

    creator.propose_amendment(propose(&name, 6000)).await?;
    let withdraw = pb::WithdrawAmendmentRequest { name, number: 2, ..Default::default() };
    let withdrawn = creator.withdraw_amendment(withdraw).await?;
    assert_eq!((withdrawn.version, withdrawn.amendments[1].state()), (1, AmendmentState::Withdrawn));
    assert_eq!(withdrawn.terms, Some(changeable_terms()));
    Ok(())
}

#[tokio::test]
async fn clauses_are_replaced_where_the_contract_grants_it() -> Result<(), Error> {
    let world = World::start().await;
    let name = world.signed("summer", changeable_terms()).await.name;
    let mut terms = changeable_terms();
    for clause in &mut terms.clauses {
        if let Some(pb::clause::Clause::Disclosure(clause)) = &mut clause.clause {
            clause.brand_tag = "@glow".into();
        }
    }
    let replace = |terms: pb::Terms| pb::ReplaceTermsRequest {
        name: name.clone(),
        terms: Some(terms),
        effective_date: date(2026, 6, 23),
        reason: "A new handle.".into(),
        ..Default::default()
    };
    let replaced = world.brand().at(JUNE_15).replace_terms(replace(terms.clone())).await?;
    assert_eq!((replaced.version, replaced.amendments[0].state()), (2, AmendmentState::Replaced));

    let refused = world.creator().at(JUNE_15).replace_terms(replace(changeable_terms())).await.unwrap_err();
    assert_eq!(refused.reason(), Some(ErrorReason::NotGranted), "{refused}");
    let mut dearer = changeable_terms_for(1);
    dearer.clauses[7] = terms.clauses[7].clone();
    let refused = world.brand().at(JUNE_15).replace_terms(replace(dearer)).await.unwrap_err();
    assert_eq!(refused.reason(), Some(ErrorReason::NotGranted), "{refused}");
    assert!(refused.message().contains("\"fee\""), "{refused}");
    Ok(())
}

#[tokio::test]
async fn terms_that_nobody_agreed_on_are_not_in_force() -> Result<(), Error> {
    let world = World::start().await;
    let brand = world.brand();
    let draft = brand.create("draft").await.name;
    let refused = terms(&brand, &draft, JUNE_15, "").await.unwrap_err();
    assert_eq!(refused.reason(), Some(ErrorReason::StateForbids), "{refused}");
    assert!(refused.message().contains("is DRAFT") && refused.message().contains("both have signed"), "{refused}");

    let name = world.signed("summer", changeable_terms()).await.name;
    let refused = terms(&brand, &name, JUNE_15, "2026-01-01T00:00:00Z").await.unwrap_err();
    assert_eq!(refused.reason(), Some(ErrorReason::OutOfTime), "{refused}");
    assert!(refused.message().contains("it was signed at 2026-05-02T10:00:00Z"), "{refused}");

    let stranger = world.creator_named("creators/yan");
    let refused = terms(&stranger, &name, JUNE_15, "").await.unwrap_err();
    assert_eq!(refused.reason(), Some(ErrorReason::NotAParty), "{refused}");
    let refused = terms(&world.user("eve", "other"), &name, JUNE_15, "").await.unwrap_err();
    assert_eq!(refused.reason(), Some(ErrorReason::ResourceNotFound), "{refused}");
    Ok(())
}

#[tokio::test]
async fn an_amendment_is_proposed_once_for_its_request_id() -> Result<(), Error> {
    let world = World::start().await;
    let name = world.signed("summer", changeable_terms()).await.name;
    let brand = world.brand().at(JUNE_15);
    let request = pb::ProposeAmendmentRequest { request_id: "once".into(), ..propose(&name, 5000) };
    let first = brand.propose_amendment(request.clone()).await?;
    assert_eq!(brand.propose_amendment(request).await?, first);
    assert_eq!(brand.get(&name).await?.amendments.len(), 1);
    Ok(())
}

const PAIRS: usize = 200;

/// At once, and each through a replica of their own, both accept the other's amendment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_amendments_are_accepted_at_once() {
    let world = World::start().await;
    let replica = world.replica().await;
    let (brand, creator) = (world.brand().at(JUNE_15), replica.creator().at(JUNE_15));
    let prepared = stream::iter(0..PAIRS).map(|number| {
        let (world, brand, creator) = (&world, &brand, &creator);
        async move {
            let name = world.signed(&format!("c{number}"), changeable_terms()).await.name;
            brand.propose_amendment(propose(&name, 5000)).await.unwrap();
            let both = creator.propose_amendment(propose(&name, 6000)).await.unwrap().amendments;
            (name, both)
        }
    });
    let prepared: Vec<_> = prepared.buffered(16).collect().await;
    let races = prepared.into_iter().map(|(name, both)| {
        let (brand, creator) = (brand.clone(), creator.clone());
        async move {
            let (first, second) = (accept(&name, &both[0]), accept(&name, &both[1]));
            let (by_creator, by_brand) = tokio::join!(creator.accept_amendment(first), brand.accept_amendment(second));
            (name, by_creator, by_brand)
        }
    });
    for (name, by_creator, by_brand) in join_all(races).await {
        let (winner, fee, loser, lost) = match (by_creator, by_brand) {
            (Ok(contract), Err(error)) => (contract, 5000, error, 2),
            (Err(error), Ok(contract)) => (contract, 6000, error, 1),
            (Ok(_), Ok(_)) => panic!("both amendments of {name} were accepted"),
            (Err(one), Err(other)) => panic!("{name}: {one}\n{other}"),
        };
        assert_eq!((winner.version, &winner.terms), (2, &Some(changeable_terms_for(fee))));
        assert_eq!(winner.amendments[lost - 1].state(), AmendmentState::Superseded);
        assert_eq!(brand.get(&name).await.unwrap(), winner);
        assert_eq!(loser.reason(), Some(ErrorReason::StateForbids), "{loser}");
        let expected = format!("Amendment {lost} of {name} is superseded");
        assert!(loser.message().starts_with(&expected), "{loser}");
    }
}
