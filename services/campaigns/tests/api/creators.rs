//! Creators: what is theirs, and nothing else.

use tandem_client::proto::campaigns::v1 as pb;
use tandem_client::proto::common::v1::ErrorReason;
use tonic::Code;

use crate::world::{
    Api, MIRA, World, ZOE, approval, at, changes, draft, join, order, plan, publication, refund, refused,
};

#[track_caller]
fn not_a_party<T: std::fmt::Debug>(outcome: Result<T, tandem_client::Error>) {
    refused(outcome, Code::PermissionDenied, ErrorReason::NotAParty);
}

#[tokio::test]
async fn another_creator_reaches_nothing_of_it() {
    let world = World::start().await;
    let joined = world.brand().joined().await;
    let sold = world.brand().record_order(order("1001", "MIRA15")).await.unwrap();
    let zoe = world.creator(ZOE);
    not_a_party(zoe.participation(&joined.name).await);
    not_a_party(zoe.submit_draft(draft("reel-1", "#ad mine")).await);
    not_a_party(zoe.record_publication(publication("reel-1")).await);
    not_a_party(zoe.get_conversion(pb::GetConversionRequest { name: sold.name }).await);
    // By Mira's contract, new or under an id that is taken.
    not_a_party(zoe.create_participation(join("p2", "c1", "ZOE10")).await);
    not_a_party(zoe.create_participation(join("p1", "c1", "MIRA15")).await);
    assert_eq!(world.brand().participation(&joined.name).await.unwrap(), joined);
}

#[tokio::test]
async fn a_creator_joins_by_their_own_contract() {
    let world = World::start().await;
    world.brand().launched("winter").await;
    let joined = world.creator(ZOE).create_participation(join("p2", "c2", "ZOE10")).await.unwrap();
    assert_eq!(joined.creator, ZOE);
    assert_eq!(world.creator(ZOE).participation(&joined.name).await.unwrap(), joined);
}

#[tokio::test]
async fn what_is_the_brands_is_not_theirs() {
    let world = World::start().await;
    let joined = world.brand().joined().await;
    let mira = world.creator(MIRA);
    mira.submit_draft(draft("reel-1", "#ad mine @glowco")).await.unwrap();
    not_a_party(mira.approve_draft(approval("reel-1")).await);
    not_a_party(mira.request_changes(changes("reel-1")).await);
    let performance = Some(pb::Performance { measure_time: at(1), ..Default::default() });
    let figures = pb::RecordPerformanceRequest {
        name: joined.name,
        deliverable_id: "reel-1".into(),
        performance,
        ..Default::default()
    };
    not_a_party(mira.record_performance(figures).await);
    not_a_party(mira.record_order(order("1", "MIRA15")).await);
    not_a_party(mira.record_refund(refund("1", "a", 1)).await);
    not_a_party(mira.create_campaign(plan("mine")).await);
    let close = pb::CloseCampaignRequest { name: "campaigns/winter".into(), ..Default::default() };
    not_a_party(mira.close_campaign(close).await);
}

#[tokio::test]
async fn a_creator_lists_their_own() {
    let world = World::start().await;
    let brand = world.brand();
    let of_mira = brand.joined().await;
    let of_zoe = brand.create_participation(join("p2", "c2", "ZOE10")).await.unwrap();
    brand.record_order(order("1", "MIRA15")).await.unwrap();
    brand.record_order(order("2", "ZOE10")).await.unwrap();
    // Each client reads after its own writes only.
    let positions = brand.0.positions();
    for (creator, expected) in [(MIRA, &of_mira), (ZOE, &of_zoe)] {
        let api = Api(world.creator(creator).0.with_positions(&positions));
        // A filter can't widen it.
        let filter = format!("creator = \"{MIRA}\" OR creator = \"{ZOE}\"");
        let request = pb::ListParticipationsRequest { filter: filter.clone(), ..Default::default() };
        assert_eq!(api.list_participations(request).await.unwrap().participations, std::slice::from_ref(expected));
        let request = pb::ListConversionsRequest { filter, ..Default::default() };
        let conversions = api.list_conversions(request).await.unwrap().conversions;
        assert_eq!(conversions.iter().map(|row| &row.creator[..]).collect::<Vec<_>>(), [creator]);
    }
}
