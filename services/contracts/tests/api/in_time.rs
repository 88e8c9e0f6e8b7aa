//! What time does to a contract: an offer lapses, a contract begins, renews itself and expires.

use tandem_client::Error;
use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::ContractState as State;
use tandem_proto::time::to_proto;
use tonic::Code;

use crate::fixtures::{date, terms, terms_for};
use crate::world::{Api, World, document, sign};

/// A summer that renews itself for three months, and then is to end.
#[tokio::test]
async fn a_contract_begins_renews_itself_and_expires() -> Result<(), Error> {
    let world = World::start().await;
    let api = world.operator();
    let name = world.signed("summer", terms()).await.name;
    let stands = async || {
        let contract = api.get(&name).await.unwrap();
        (contract.state(), contract.renewal_count, contract.end_date)
    };
    let act = async |time: &str| {
        let done = api.at(time).act_on_due(&name).await.unwrap();
        let next = done.next_due_time.map(|next| tandem_proto::time::from_proto(&next).unwrap().to_string());
        (done.acted, next.unwrap_or_default())
    };
    let first_end = date(2026, 8, 31);
    assert_eq!(stands().await, (State::Upcoming, 0, first_end));
    // Days begin at four o'clock UTC in New York. The first warning's day came before the first day.
    let begins = "2026-06-01T04:00:00Z".to_owned();
    assert_eq!(act("2026-06-01T03:59:59Z").await, (false, begins.clone()));
    assert_eq!(stands().await, (State::Upcoming, 0, first_end));
    assert_eq!(act(&begins).await, (true, "2026-06-02T04:00:00Z".into()));
    assert_eq!(stands().await, (State::Active, 0, first_end));

    let renewed_end = date(2026, 11, 30);
    assert_eq!(act("2026-09-01T03:59:59Z").await, (true, "2026-09-01T04:00:00Z".into()));
    assert_eq!(stands().await, (State::Active, 0, first_end));
    assert!(act("2026-09-01T04:00:00Z").await.0);
    assert_eq!(stands().await, (State::Active, 1, renewed_end));
    let filter = "state = ACTIVE AND end_date = 2026-11-30 AND start_date = 2026-06-01";
    assert_eq!(api.names(filter, "").await, [name.as_str()]);

    let october = api.at("2026-10-01T12:00:00Z");
    let reason = "Autumn is enough.".to_owned();
    let notice = pb::GiveRenewalNoticeRequest { name: name.clone(), reason, ..Default::default() };
    october.give_renewal_notice(notice).await?;
    // New York is an hour later by then.
    act("2026-12-01T04:59:59Z").await;
    assert_eq!(stands().await, (State::Active, 1, renewed_end));
    assert_eq!(act("2026-12-01T05:00:00Z").await, (true, String::new()));
    assert_eq!(stands().await, (State::Expired, 1, renewed_end));
    assert_eq!(act("2030-01-01T00:00:00Z").await, (false, String::new()));
    Ok(())
}

#[tokio::test]
async fn what_is_due_is_taken_in_with_the_next_command() -> Result<(), Error> {
    let world = World::start().await;
    let brand = world.brand();
    let name = world.signed("summer", terms()).await.name;
    // Nobody acted for a year.
    let contract = brand.at("2027-06-15T12:00:00Z").attach(&name, 'a').await?;
    assert_eq!((contract.state(), contract.renewal_count), (State::Active, 4));
    assert_eq!((contract.end_date, contract.documents.len()), (date(2027, 8, 31), 1));
    assert_eq!(brand.get(&name).await?, contract);
    assert_eq!(brand.names("end_date = 2027-08-31", "").await, [name.as_str()]);
    Ok(())
}

#[tokio::test]
async fn a_lapsed_offer_can_not_be_accepted_however_late_its_timer_is() -> Result<(), Error> {
    let world = World::start().await;
    let day = "2026-04-01T09:00:00Z";
    let (brand, creator) = (world.brand().at(day), world.creator().at("2026-04-08T00:00:00Z"));
    let name = brand.create("summer").await.name;
    let propose = |time: &str| {
        let expire_time = Some(to_proto(time.parse().unwrap()));
        brand.propose_contract(pb::ProposeContractRequest { name: name.clone(), expire_time, ..Default::default() })
    };
    let error = propose(day).await.unwrap_err();
    assert_eq!((error.code(), &error.violations()[0].field[..]), (Code::InvalidArgument, "expire_time"));
    let offered = propose("2026-04-08T00:00:00Z").await?;
    assert_eq!(offered.offer_expire_time, Some(to_proto("2026-04-08T00:00:00Z".parse().unwrap())));

    let error = creator.accept(&name).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::FailedPrecondition, Some(ErrorReason::OutOfTime)));
    assert!(error.message().starts_with("Round 1 of contracts/summer lapsed at 2026-04-08T00:00:00Z"), "{error}");
    // What is refused is not written, not even what was due.
    assert_eq!(brand.get(&name).await?, offered);

    assert!(world.operator().at("2026-04-08T00:00:00Z").act_on_due(&name).await?.acted);
    assert_eq!(brand.get(&name).await?.state(), State::Lapsed);
    for error in [creator.accept(&name).await, creator.decline(&name).await, brand.withdraw(&name).await] {
        assert_eq!(error.unwrap_err().reason(), Some(ErrorReason::OutOfTime));
    }
    Ok(())
}

#[tokio::test]
async fn a_counter_offer_is_valid_as_long_as_the_offer() -> Result<(), Error> {
    let world = World::start().await;
    let (brand, creator) = (world.brand().at("2026-04-01T09:00:00Z"), world.creator().at("2026-04-02T09:00:00Z"));
    let name = brand.create("summer").await.name;
    let expire_time = Some(to_proto("2026-04-08T00:00:00Z".parse().unwrap()));
    brand
        .propose_contract(pb::ProposeContractRequest { name: name.clone(), expire_time, ..Default::default() })
        .await?;
    let countered = creator.counter(&name, terms_for(5000)).await?;
    assert_eq!(countered.offer_expire_time, expire_time);
    let error = world.brand().at("2026-04-09T00:00:00Z").accept(&name).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::OutOfTime));
    Ok(())
}

#[tokio::test]
async fn documents_are_known_by_their_hash() -> Result<(), Error> {
    let world = World::start().await;
    let at = "2026-05-01T10:00:00Z";
    let (brand, creator) = (world.brand().at(at), world.creator().at(at));
    let name = brand.create("summer").await.name;
    let one = creator.attach(&name, 'a').await?;
    assert_eq!((&one.documents[0].attached_by[..], one.documents[0].attach_time), ("creators/zoe", one.update_time));
    // Again, by whomever.
    let again = brand.attach(&name, 'a').await?;
    assert_eq!((&again.etag, &again.documents), (&one.etag, &one.documents));

    brand.propose(&name).await?;
    let terms_hash = creator.accept(&name).await?.terms_hash;
    let document = Some(document('b'));
    let signed = brand.sign_contract(pb::SignContractRequest { document, ..sign(&name, &terms_hash) }).await?;
    let hashes: Vec<_> = signed.documents.iter().map(|document| &document.sha256[..1]).collect();
    assert_eq!(hashes, ["a", "b"]);
    Ok(())
}

#[tokio::test]
async fn lists_tell_whose_action_is_awaited() -> Result<(), Error> {
    let world = World::start().await;
    let at = "2026-05-01T10:00:00Z";
    let (brand, creator) = (world.brand().at(at), world.creator().at(at));
    let name = brand.create("summer").await.name;
    let awaited = async || {
        // Who has seen the writes of both.
        let reader = Api(brand.0.with_positions(&creator.0.positions()));
        let listed = async |party: &str| reader.names(&format!("awaiting:{party}"), "").await.len();
        (listed("BRAND").await, listed("CREATOR").await)
    };
    assert_eq!(awaited().await, (0, 0));
    brand.propose(&name).await?;
    assert_eq!(awaited().await, (0, 1));
    creator.counter(&name, terms_for(5000)).await?;
    assert_eq!(awaited().await, (1, 0));
    let terms_hash = brand.accept(&name).await?.terms_hash;
    assert_eq!(awaited().await, (1, 1));
    brand.sign(&name, &terms_hash).await?;
    assert_eq!(awaited().await, (0, 1));
    creator.sign(&name, &terms_hash).await?;
    assert_eq!(awaited().await, (0, 0));
    assert_eq!(brand.names("conflicting = true OR flagged = true", "").await.len(), 0);
    Ok(())
}

impl Api {
    /// Attaches a document whose hash is made of one digit.
    async fn attach(&self, name: &str, digit: char) -> Result<pb::Contract, Error> {
        let document = Some(document(digit));
        self.attach_document(pb::AttachDocumentRequest { name: name.into(), document, ..Default::default() }).await
    }
}
