//! Obligations through the API: what is owed after contracts, campaigns and payouts have told it.

use jiff::Timestamp;
use prost::Name;
use tandem_client::Error;
use tandem_client::proto::campaigns::v1 as campaigns;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::payouts::v1 as payouts;
use tandem_eventlog::{
    Append, Envelope, EventLog as _, JetStreamLog, JetStreamOptions, Kind, NewEvent, Position, Positions, Subject,
};
use tonic::Request;

use crate::fixtures::{CREATOR, date, usd};
use crate::world::{Api, World};

pub const PARTICIPATION: Kind = Kind { context: "campaigns", aggregate: "participation" };
const EARNING: Kind = Kind { context: "payouts", aggregate: "earning" };

/// Tells the log what another service would, of the partnership of the fixtures.
pub async fn tell<M: Name>(world: &World, kind: Kind, id: &str, expected: Position, message: &M) -> (Kind, Position) {
    let nats = async_nats::connect(&world.nats_url).await.unwrap();
    let log = JetStreamLog::open(nats, JetStreamOptions::default()).await.unwrap();
    let envelope = Envelope {
        id: format!("{id}-{expected}-{}", M::NAME),
        event_type: M::full_name(),
        resource: format!("{}s/{id}", kind.aggregate),
        time: "2026-06-10T12:00:00Z".parse::<Timestamp>().unwrap(),
        actor: "services/test".into(),
        command: String::new(),
        reason: String::new(),
        request_id: format!("{id}-{expected}-{}", M::NAME),
        request_hash: String::new(),
        correlation_id: String::new(),
        causation_id: String::new(),
        partnership: "partnerships/glowco~zoe".into(),
        traceparent: String::new(),
        test_clock: false,
    };
    let subject = Subject::new("acme", kind, id).unwrap();
    let events = vec![NewEvent { subject, envelope, payload: message.encode_to_vec().into() }];
    (kind, log.append(vec![Append { expected, events }]).await.unwrap()[0])
}

/// Names, parties, kinds and states that a filter finds, with these writes of others included.
pub async fn owed(api: &Api, filter: &str, told: &[(Kind, Position)]) -> Vec<String> {
    let mut positions = Positions::default();
    for (kind, position) in told {
        positions.insert(*kind, *position);
    }
    let (filter, order_by) = (filter.into(), "name".into());
    let mut request = Request::new(pb::ListObligationsRequest { filter, order_by, ..Default::default() });
    if !told.is_empty() {
        request.metadata_mut().insert("tandem-read-after", positions.to_string().parse().unwrap());
    }
    let listed = api.0.obligations().list_obligations(request).await.map_err(Error::from).unwrap().into_inner();
    assert_eq!(usize::try_from(listed.total_size).unwrap(), listed.obligations.len());
    let told = listed.obligations.iter().map(|obligation| {
        let (name, state) = (obligation.name.trim_start_matches("obligations/"), obligation.state().as_str_name());
        format!("{name}: {}", state.trim_start_matches("OBLIGATION_STATE_"))
    });
    told.collect()
}

/// A reel of a contract, owed by the end of June.
pub fn joined(contract: &str) -> campaigns::CampaignJoined {
    let reel =
        campaigns::Deliverable { deliverable_id: "reel-1".into(), due_date: date(2026, 6, 30), ..Default::default() };
    let participation = campaigns::Participation {
        contract: contract.into(),
        creator: CREATOR.into(),
        deliverables: vec![reel],
        review_rules: Some(campaigns::ReviewRules { time_zone: "America/New_York".into(), ..Default::default() }),
        ..Default::default()
    };
    campaigns::CampaignJoined { participation: Some(participation) }
}

#[tokio::test]
async fn who_owes_what_is_listed_from_the_offer_to_the_pay() -> Result<(), Error> {
    let world = World::start().await;
    let (brand, creator) = (world.brand(), world.creator());
    let name = &brand.create("summer").await.name;
    brand.propose(name).await?;
    assert_eq!(owed(&brand, "party = CREATOR AND state = OPEN", &[]).await, ["summer~answer: OPEN"]);

    let hash = creator.accept(name).await?.terms_hash;
    brand.sign(name, &hash).await?;
    let signatures = ["summer~signature~brand: FULFILLED", "summer~signature~creator: OPEN"];
    assert_eq!(owed(&Api(creator.0.with_positions(&brand.0.positions())), "kind = SIGNATURE", &[]).await, signatures);
    creator.sign(name, &hash).await?;

    let joined = tell(&world, PARTICIPATION, "p1", 0, &joined(name)).await;
    let by_july = "state = OPEN AND due_time < \"2026-07-01T04:00:01Z\" AND due_time >= \"2026-07-01T04:00:00Z\"";
    assert_eq!(owed(&brand, by_july, &[joined]).await, ["p1~reel-1~publication: OPEN"]);

    let earning = payouts::Earning {
        contract: name.clone(),
        amount: usd(2000),
        due_date: date(2026, 7, 10),
        ..Default::default()
    };
    let accrued = tell(&world, EARNING, "e1", 0, &payouts::EarningAccrued { earning: Some(earning) }).await;
    let of_contract = format!("contract = \"{name}\" AND kind = PAYMENT");
    assert_eq!(owed(&brand, &of_contract, &[accrued]).await, ["e1: OPEN"]);
    let paid = tell(&world, EARNING, "e1", accrued.1, &payouts::EarningPaid::default()).await;
    assert_eq!(owed(&brand, &of_contract, &[paid]).await, ["e1: FULFILLED"]);
    Ok(())
}

#[tokio::test]
async fn creators_see_what_concerns_them() -> Result<(), Error> {
    let world = World::start().await;
    let brand = world.brand();
    let name = &brand.create("summer").await.name;
    brand.propose(name).await?;
    let seen = brand.0.positions();
    let as_of_now = |api: Api| Api(api.0.with_positions(&seen));
    assert_eq!(owed(&as_of_now(world.creator()), "", &[]).await.len(), 1);
    assert_eq!(owed(&as_of_now(world.creator_named("creators/max")), "", &[]).await, [""; 0]);
    assert_eq!(owed(&as_of_now(world.user("eve", "globex")), "", &[]).await, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn what_can_not_be_asked_is_refused() {
    let world = World::start().await;
    let request = pb::ListObligationsRequest { filter: "colour = red".into(), ..Default::default() };
    let error = Error::from(world.brand().0.obligations().list_obligations(request).await.unwrap_err());
    assert_eq!(error.violations()[0].field, "filter");
}
