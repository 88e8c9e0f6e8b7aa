//! From plan to refund.

use prost::Message as _;
use tandem_client::proto::campaigns::v1 as pb;
use tandem_client::proto::common::v1::ErrorReason;
use tonic::Code;

use crate::world::{MIRA, World, approval, at, changes, draft, join, order, plan, publication, refund, refused, usd};

const GOOD: &str = "#ad My winter routine with @glowco";

#[tokio::test]
async fn from_plan_to_refund() {
    let world = World::start().await;
    let (brand, mira) = (world.brand(), world.creator(MIRA));

    // Planned without KPIs, which the launch asks for.
    let mut without_kpis = plan("winter");
    without_kpis.campaign.as_mut().unwrap().kpis.clear();
    let planned = brand.create_campaign(without_kpis).await.unwrap();
    assert_eq!((&planned.name[..], planned.state()), ("campaigns/winter", pb::CampaignState::Draft));
    let name = planned.name;
    let launch = || pb::LaunchCampaignRequest { name: name.clone(), ..Default::default() };
    let message = refused(brand.launch_campaign(launch()).await, Code::FailedPrecondition, ErrorReason::KpisMissing);
    assert!(message.contains("SetCampaignKpis"), "{message}");
    let kpis = vec![pb::Kpi { metric: pb::Metric::Orders.into(), target: 500 }];
    let set = pb::SetCampaignKpisRequest { name: name.clone(), kpis, etag: planned.etag, ..Default::default() };
    brand.set_campaign_kpis(set).await.unwrap();
    assert_eq!(brand.launch_campaign(launch()).await.unwrap().state(), pb::CampaignState::Launched);

    // Joined by contract.
    let joined = brand.create_participation(join("p1", "c1", "MIRA15")).await.unwrap();
    assert_eq!((&joined.name[..], &joined.creator[..]), ("participations/p1", MIRA));
    assert_eq!((joined.contract_version, joined.deliverables.len()), (2, 2));
    assert_eq!(brand.participation(&joined.name).await.unwrap(), joined);

    // Drafted, sent back, drafted, approved, published.
    let hidden = mira.submit_draft(draft("reel-1", "My routine @glowco #glow #ad #skin")).await.unwrap();
    let first = &hidden.deliverables[0].drafts[0];
    let rules: Vec<_> = first.findings.iter().map(pb::DisclosureFinding::rule).collect();
    assert_eq!(rules, [pb::DisclosureRule::InHashtagPile]);
    assert!(hidden.deliverables[0].review_due_time.is_some());
    let message = refused(
        brand.approve_draft(approval("reel-1")).await,
        Code::FailedPrecondition,
        ErrorReason::DisclosureInsufficient,
    );
    assert!(message.contains("IN_HASHTAG_PILE"), "{message}");
    brand.request_changes(changes("reel-1")).await.unwrap();
    mira.submit_draft(draft("reel-1", GOOD)).await.unwrap();
    let approved = brand.approve_draft(approval("reel-1")).await.unwrap();
    assert_eq!(approved.deliverables[0].drafts[1].approver, "users/ada");
    let published = mira.record_publication(publication("reel-1")).await.unwrap();
    assert_eq!(published.state(), pb::ParticipationState::Active);

    mira.submit_draft(draft("reel-2", GOOD)).await.unwrap();
    brand.approve_draft(approval("reel-2")).await.unwrap();
    let fulfilled = mira.record_publication(publication("reel-2")).await.unwrap();
    assert_eq!(fulfilled.state(), pb::ParticipationState::Fulfilled);

    // Measured.
    let performance =
        Some(pb::Performance { measure_time: at(1_767_000_000), impressions: 1000, ..Default::default() });
    let measured = brand
        .record_performance(pb::RecordPerformanceRequest {
            name: joined.name.clone(),
            deliverable_id: "reel-1".into(),
            performance,
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(measured.deliverables[0].performance, performance);

    // Sold, and partly refunded.
    let sold = brand.record_order(order("1001", "MIRA15")).await.unwrap();
    assert_eq!((&sold.participation[..], &sold.contract[..]), ("participations/p1", "contracts/c1"));
    assert_eq!(brand.record_order(order("1001", "MIRA15")).await.unwrap(), sold);
    let refunded = brand.record_refund(refund("1001", "a", 30)).await.unwrap();
    assert_eq!((refunded.state(), refunded.refunded_amount), (pb::ConversionState::PartlyRefunded, usd(30)));

    // What subscribers see of it.
    let log = world.events("acme", "participation", "p1").await;
    assert!(log.iter().all(|event| event.envelope.partnership == "partnerships/glowco~mira"));
    let publications: Vec<_> = (log.iter())
        .filter(|event| event.envelope.event_type == "tandem.campaigns.v1.DeliverablePublished")
        .map(|event| pb::DeliverablePublished::decode(&event.payload[..]).unwrap())
        .map(|event| (event.remaining_count, event.contract, event.contract_version))
        .collect();
    assert_eq!(publications, [(1, "contracts/c1".to_owned(), 2), (0, "contracts/c1".to_owned(), 2)]);
    let log = world.events("acme", "conversion", sold.name.strip_prefix("conversions/").unwrap()).await;
    assert_eq!(log.len(), 2);
    assert!(log.iter().all(|event| event.envelope.partnership == "partnerships/glowco~mira"));
    let event = pb::OrderRefunded::decode(&log[1].payload[..]).unwrap();
    assert_eq!((event.order_net_amount, event.previously_refunded_amount), (usd(100), usd(0)));
    assert_eq!(event.attribution.unwrap().contract_version, 2);
    let log = world.events("acme", "tracking_code", "MIRA15").await;
    assert_eq!(log[0].envelope.partnership, "partnerships/glowco~mira");

    // Closed.
    let close = pb::CloseCampaignRequest { name, reason: "Winter is over.".into(), ..Default::default() };
    assert_eq!(brand.close_campaign(close).await.unwrap().state(), pb::CampaignState::Closed);
}

#[tokio::test]
async fn a_caption_is_checked_without_keeping_it() {
    let world = World::start().await;
    let disclosure = tandem_client::proto::contracts::v1::DisclosureClause {
        accepted_tags: vec!["#ad".into()],
        ..Default::default()
    };
    let api = world.brand();
    let request = |caption: &str| pb::CheckDisclosureRequest {
        caption: caption.into(),
        platform_label: false,
        disclosure: Some(disclosure.clone()),
    };
    assert_eq!(api.check_disclosure(request("#ad hello")).await.unwrap().findings, []);
    let findings = api.check_disclosure(request("hello #sp")).await.unwrap().findings;
    assert_eq!(findings.iter().map(pb::DisclosureFinding::rule).collect::<Vec<_>>(), [pb::DisclosureRule::TagUnclear]);
}
