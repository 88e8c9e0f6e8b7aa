//! The life of a contract.

use tandem_client::Error;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::{ContractState as State, Party};

use crate::fixtures::{BRAND, CREATOR, terms, terms_for};
use crate::world::{Api, World, create};

#[tokio::test]
async fn a_contract_is_negotiated_and_signed() -> Result<(), Error> {
    let world = World::start().await;
    // Before its first day.
    let at = "2026-05-02T10:00:00Z";
    let (brand, creator) = (world.brand().at(at), world.creator().at(at));

    let draft = brand.create("summer").await;
    assert_eq!((&draft.name[..], draft.state(), draft.round), ("contracts/summer", State::Draft, 0));
    assert_eq!((&draft.brand[..], &draft.creator[..], &draft.title[..]), (BRAND, CREATOR, "Summer"));
    assert_eq!(draft.terms, Some(terms()));
    assert_eq!(draft.create_time, draft.update_time);

    let name = &draft.name;
    let proposed = brand.propose(name).await?;
    assert_eq!((proposed.state(), proposed.round), (State::Proposed, 1));
    assert_eq!(proposed.terms_hash, draft.terms_hash);
    assert_ne!(proposed.etag, draft.etag);

    let countered = creator.counter(name, terms_for(5000)).await?;
    assert_eq!((countered.state(), countered.round), (State::Countered, 2));
    let offers: Vec<_> = countered.rounds.iter().map(|round| (round.number, round.offered_by())).collect();
    assert_eq!(offers, [(1, Party::Brand), (2, Party::Creator)]);
    assert_eq!(countered.rounds[1].changes[0].clause_id, "fee");

    let accepted = brand.accept(name).await?;
    assert_eq!((accepted.state(), accepted.round), (State::Accepted, 2));

    let half = creator.sign(name, &accepted.terms_hash).await?;
    assert_eq!((half.state(), half.sign_time), (State::Accepted, None));
    let signed = brand.sign(name, &accepted.terms_hash).await?;
    assert_eq!((signed.state(), signed.terms.clone()), (State::Upcoming, Some(terms_for(5000))));
    let signers: Vec<_> = signed.signatures.iter().map(|by| (by.party(), &by.signer[..])).collect();
    assert_eq!(signers, [(Party::Creator, CREATOR), (Party::Brand, "users/ada")]);
    assert_eq!(signed.sign_time, signed.signatures[1].sign_time);
    assert_eq!(
        (signed.version, signed.versions.len(), signed.end_date),
        (2, 1, signed.terms.clone().unwrap().end_date)
    );

    assert_eq!(creator.get(name).await?, signed);
    assert_eq!(brand.get(name).await?, signed);
    Ok(())
}

#[tokio::test]
async fn a_round_that_was_can_be_read() -> Result<(), Error> {
    let world = World::start().await;
    let (brand, creator) = (world.brand(), world.creator());
    let name = brand.create("summer").await.name;
    brand.propose(&name).await?;
    let now = creator.counter(&name, terms_for(5000)).await?;
    let round = |round| brand.get_contract(pb::GetContractRequest { name: name.clone(), round });

    let first = round(1).await?;
    assert_eq!((first.round, first.terms.clone()), (1, Some(terms())));
    assert_eq!(first.terms_hash, now.rounds[0].terms_hash);
    assert_eq!((first.state(), &first.rounds, &first.etag), (State::Countered, &now.rounds, &now.etag));
    assert_eq!(round(2).await?, now);
    assert_eq!(round(0).await?, now);

    let error = round(3).await.unwrap_err();
    assert_eq!(error.violations()[0].field, "round");
    assert!(error.message().contains("has 2 round(s) so far"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_offer_ends_by_either_side() -> Result<(), Error> {
    let world = World::start().await;
    let (brand, creator) = (world.brand(), world.creator());
    for id in ["declined", "withdrawn"] {
        brand.propose(&brand.create(id).await.name).await?;
    }
    let declined = creator.decline("contracts/declined").await?;
    assert_eq!((declined.state(), &declined.end_reason[..]), (State::Declined, "Too busy."));
    let withdrawn = brand.withdraw("contracts/withdrawn").await?;
    assert_eq!((withdrawn.state(), &withdrawn.end_reason[..]), (State::Withdrawn, "Budget is gone."));
    Ok(())
}

#[tokio::test]
async fn a_contract_can_be_tried_before_it_is_created() -> Result<(), Error> {
    let world = World::start().await;
    let brand = world.brand();
    let only_check = |id: &str| pb::CreateContractRequest { validate_only: true, ..create(id) };

    let tried = brand.create_contract(only_check("summer")).await?;
    assert_eq!((&tried.name[..], tried.state(), &tried.etag[..]), ("contracts/summer", State::Draft, ""));
    assert_eq!(tried.terms, Some(terms()));
    assert_eq!(brand.get("contracts/summer").await.unwrap_err().code(), tonic::Code::NotFound);

    let created = brand.create("summer").await;
    assert_eq!(created.terms_hash, tried.terms_hash);
    let taken = brand.create_contract(only_check("summer")).await.unwrap_err();
    assert_eq!(taken.code(), tonic::Code::AlreadyExists);

    let mut wrong = only_check("autumn");
    wrong.contract.as_mut().unwrap().terms.as_mut().unwrap().time_zone = "Mars".into();
    let error = brand.create_contract(wrong).await.unwrap_err();
    assert_eq!(error.violations()[0].field, "contract.terms.time_zone");
    Ok(())
}

#[tokio::test]
async fn contracts_outlive_the_process() -> Result<(), Error> {
    let mut world = World::start().await;
    let brand = world.brand();
    let name = brand.create("summer").await.name;
    let proposed = brand.propose(&name).await?;

    world.restart().await;
    assert_eq!(world.creator().get(&name).await?, proposed);
    let brand = Api(world.brand().0.with_positions(&brand.0.positions()));
    assert_eq!(brand.names("state = PROPOSED", "").await, [name.as_str()]);
    assert_eq!(world.creator().accept(&name).await?.state(), State::Accepted);
    Ok(())
}
