//! Lists: what was written before is in them, and filters find it.

use tandem_client::proto::campaigns::v1 as pb;
use tandem_client::proto::common::v1::ErrorReason;
use tonic::Code;

use crate::world::{Api, World, join, order, plan, refund, refused};

async fn campaigns(api: &Api, filter: &str, order_by: &str) -> Vec<String> {
    let request = pb::ListCampaignsRequest { filter: filter.into(), order_by: order_by.into(), ..Default::default() };
    api.list_campaigns(request).await.unwrap().campaigns.into_iter().map(|row| row.name).collect()
}

async fn participations(api: &Api, filter: &str) -> Vec<String> {
    let order_by = "name".to_owned();
    let request = pb::ListParticipationsRequest { filter: filter.into(), order_by, ..Default::default() };
    api.list_participations(request).await.unwrap().participations.into_iter().map(|row| row.name).collect()
}

async fn orders(api: &Api, filter: &str) -> Vec<String> {
    let order_by = "order_time desc".to_owned();
    let request = pb::ListConversionsRequest { filter: filter.into(), order_by, ..Default::default() };
    api.list_conversions(request).await.unwrap().conversions.into_iter().map(|row| row.order_id).collect()
}

#[tokio::test]
async fn campaigns_are_found() {
    let world = World::start().await;
    let api = world.brand();
    api.create_campaign(plan("a")).await.unwrap();
    let mut other = plan("b");
    let campaign = other.campaign.as_mut().unwrap();
    campaign.brand = "brands/other".into();
    campaign.title = "Summer".into();
    campaign.set_objective(pb::Objective::Awareness);
    api.create_campaign(other).await.unwrap();
    api.launched("c").await;
    assert_eq!(campaigns(&api, "", "name desc").await, ["campaigns/c", "campaigns/b", "campaigns/a"]);
    assert_eq!(campaigns(&api, "", "create_time").await, ["campaigns/a", "campaigns/b", "campaigns/c"]);
    assert_eq!(campaigns(&api, "state = LAUNCHED", "").await, ["campaigns/c"]);
    assert_eq!(campaigns(&api, "brand = \"brands/other\"", "").await, ["campaigns/b"]);
    assert_eq!(campaigns(&api, "objective = AWARENESS AND title = Summer", "").await, ["campaigns/b"]);
    assert_eq!(campaigns(&api, "state = CLOSED", "update_time").await, [""; 0]);

    let first = api.list_campaigns(pb::ListCampaignsRequest { page_size: 2, ..Default::default() }).await.unwrap();
    assert_eq!((first.campaigns.len(), first.total_size), (2, 3));
    let next = pb::ListCampaignsRequest { page_size: 2, page_token: first.next_page_token, ..Default::default() };
    let second = api.list_campaigns(next).await.unwrap();
    assert_eq!((second.campaigns.len(), &second.next_page_token[..]), (1, ""));
}

#[tokio::test]
async fn a_listed_resource_is_what_get_answers() {
    let world = World::start().await;
    let api = world.brand();
    let joined = api.joined().await;
    let sold = api.record_order(order("1", "MIRA15")).await.unwrap();
    let listed = api.list_participations(pb::ListParticipationsRequest::default()).await.unwrap();
    assert_eq!(listed.participations, [joined]);
    let listed = api.list_conversions(pb::ListConversionsRequest::default()).await.unwrap();
    assert_eq!(listed.conversions, [sold]);
    let listed = api.list_campaigns(pb::ListCampaignsRequest::default()).await.unwrap();
    let get = pb::GetCampaignRequest { name: "campaigns/winter".into() };
    assert_eq!(listed.campaigns, [api.get_campaign(get).await.unwrap()]);
}

#[tokio::test]
async fn participations_are_found() {
    let world = World::start().await;
    let api = world.brand();
    api.joined().await;
    api.create_participation(join("p2", "c2", "ZOE10")).await.unwrap();
    assert_eq!(participations(&api, "state = ACTIVE").await, ["participations/p1", "participations/p2"]);
    assert_eq!(
        participations(&api, "campaign = \"campaigns/winter\" AND creator = \"creators/zoe\"").await,
        ["participations/p2"]
    );
    assert_eq!(
        participations(&api, "contract = \"contracts/c1\" AND brand = \"brands/glowco\"").await,
        ["participations/p1"]
    );
    assert_eq!(participations(&api, "tracking_code = ZOE10").await, ["participations/p2"]);
    assert_eq!(participations(&api, "state = FULFILLED").await, [""; 0]);
}

#[tokio::test]
async fn conversions_are_found() {
    let world = World::start().await;
    let api = world.brand();
    api.joined().await;
    api.create_participation(join("p2", "c2", "ZOE10")).await.unwrap();
    api.record_order(order("1", "MIRA15")).await.unwrap();
    let later = Some(prost_types::Timestamp { seconds: 1_768_000_000, nanos: 0 });
    api.record_order(pb::RecordOrderRequest { order_time: later, ..order("2", "MIRA15") }).await.unwrap();
    api.record_order(order("3", "ZOE10")).await.unwrap();
    api.record_refund(refund("3", "a", 100)).await.unwrap();
    assert_eq!(orders(&api, "participation = \"participations/p1\"").await, ["2", "1"]);
    assert_eq!(orders(&api, "contract = \"contracts/c2\" AND campaign = \"campaigns/winter\"").await, ["3"]);
    assert_eq!(orders(&api, "creator = \"creators/mira\" AND order_time > \"2026-01-01T00:00:00Z\"").await, ["2"]);
    assert_eq!(orders(&api, "state = REFUNDED AND brand = \"brands/glowco\"").await, ["3"]);
    assert_eq!(orders(&api, "tracking_code = MIRA15 AND state = KEPT").await, ["2", "1"]);
}

#[tokio::test]
async fn a_filter_that_is_wrong_is_refused() {
    let world = World::start().await;
    let request = pb::ListConversionsRequest { filter: "amount > 5".into(), ..Default::default() };
    let message =
        refused(world.brand().list_conversions(request).await, Code::InvalidArgument, ErrorReason::FilterInvalid);
    assert!(message.contains("tracking_code"), "{message}");
}
