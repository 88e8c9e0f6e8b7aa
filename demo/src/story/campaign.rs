//! A campaign is launched, the creator joins, content goes from draft to publication, and sells.

use anyhow::{Context as _, ensure};
use tandem_cli::output::{grouped, table};
use tandem_client::Service;
use tandem_proto::campaigns::v1::{
    ApproveDraftRequest, Campaign, CampaignState, Conversion, ConversionState, CreateCampaignRequest,
    CreateParticipationRequest, DisclosureRule, Draft, GetCampaignRequest, Kpi, LaunchCampaignRequest,
    ListConversionsRequest, Metric, Objective, Participation, ParticipationState, Performance, RecordOrderRequest,
    RecordPerformanceRequest, RecordPublicationRequest, RecordRefundRequest, RegionBudget, RequestChangesRequest,
    SetCampaignKpisRequest, SubmitDraftRequest,
};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::Contract;
use tandem_proto::time;

use super::heading;
use crate::cast::Person;
use crate::money::{amount, cents, usd};
use crate::world::World;

const DELIVERABLE: &str = "reel-1";
const CODE: &str = "GLOW10";
/// Has an unclear tag, at the end of a pile of hashtags, and no brand tag.
const BAD_CAPTION: &str = "My skin has never felt this good. I have been using the new serum every morning for two weeks \
    and I can't stop looking at the results, thanks to GlowCo! #skincare #glow #serum #morningroutine #sp #beauty #love";
const GOOD_CAPTION: &str =
    "#ad Two weeks with the new serum of @glowco, every morning. Here is what changed. #skincare";

pub(super) async fn tell(world: &mut World<'_>, contract: &Contract) -> anyhow::Result<Participation> {
    heading(4, "Campaign");
    world.at("2026-06-15T08:00:00Z")?;
    let campaign = launch(world, &contract.brand).await?;
    let joined: Participation = world
        .write(&Person::Maria, Service::Campaigns, |client, request_id| {
            let participation = Participation {
                campaign: campaign.name.clone(),
                contract: contract.name.clone(),
                tracking_code: CODE.to_owned(),
                ..Participation::default()
            };
            let request = CreateParticipationRequest {
                participation: Some(participation),
                participation_id: "glowco-summer-1".to_owned(),
                request_id,
            };
            async move { client.participations().create_participation(request).await }
        })
        .await?;
    println!("The creator joins by {}, tracking code {CODE}", contract.name);
    publish(world, &joined, &Person::Creator(contract.creator.clone())).await
}

async fn launch(world: &mut World<'_>, brand: &str) -> anyhow::Result<Campaign> {
    let region = |region: &str, units| RegionBudget { region: region.to_owned(), amount: usd(units) };
    let campaign = Campaign {
        brand: brand.to_owned(),
        title: "Summer serum".to_owned(),
        objective: Objective::Conversion.into(),
        brief: "Show the serum in a real morning routine. Say what it did for you, in your own words.".to_owned(),
        budgets: vec![region("US", 60_000), region("CA", 15_000)],
        ..Campaign::default()
    };
    let planned: Campaign = world
        .write(&Person::Maria, Service::Campaigns, |client, request_id| {
            let request = CreateCampaignRequest {
                campaign: Some(campaign.clone()),
                campaign_id: "summer-serum".to_owned(),
                request_id,
            };
            async move { client.campaigns().create_campaign(request).await }
        })
        .await?;
    let launch = |request_id| LaunchCampaignRequest {
        name: planned.name.clone(),
        request_id,
        ..LaunchCampaignRequest::default()
    };
    let told = world
        .refused(&Person::Maria, ErrorReason::KpisMissing, |client| async move {
            client.campaigns().launch_campaign(launch(String::new())).await
        })
        .await?;
    println!("Launching without KPIs is refused: {told}");
    let kpi = |metric: Metric, target| Kpi { metric: metric.into(), target };
    let kpis = vec![kpi(Metric::Impressions, 2_000_000), kpi(Metric::Engagements, 150_000), kpi(Metric::Orders, 2)];
    let _: Campaign = world
        .write(&Person::Maria, Service::Campaigns, |client, request_id| {
            let request = SetCampaignKpisRequest {
                name: planned.name.clone(),
                kpis: kpis.clone(),
                request_id,
                ..SetCampaignKpisRequest::default()
            };
            async move { client.campaigns().set_campaign_kpis(request).await }
        })
        .await?;
    let launched: Campaign = world
        .write(&Person::Maria, Service::Campaigns, |client, request_id| {
            let request = launch(request_id);
            async move { client.campaigns().launch_campaign(request).await }
        })
        .await?;
    ensure!(launched.state() == CampaignState::Launched, "{:?}", launched.state());
    println!("With KPIs it goes: launched with {} KPIs in {} regions", launched.kpis.len(), launched.budgets.len());
    Ok(launched)
}

async fn submit(
    world: &mut World<'_>,
    joined: &Participation,
    creator: &Person,
    caption: &str,
) -> anyhow::Result<Draft> {
    let draft = Draft {
        caption: caption.to_owned(),
        media_uri: "https://drafts.example/reel-1.mp4".to_owned(),
        platform_label: true,
        ..Draft::default()
    };
    let submitted: Participation = world
        .write(creator, Service::Campaigns, |client, request_id| {
            let request = SubmitDraftRequest {
                name: joined.name.clone(),
                deliverable_id: DELIVERABLE.to_owned(),
                draft: Some(draft.clone()),
                request_id,
            };
            async move { client.participations().submit_draft(request).await }
        })
        .await?;
    let deliverable = submitted.deliverables.into_iter().find(|deliverable| deliverable.deliverable_id == DELIVERABLE);
    deliverable.and_then(|deliverable| deliverable.drafts.into_iter().last()).context("the draft is not there")
}

async fn publish(world: &mut World<'_>, joined: &Participation, creator: &Person) -> anyhow::Result<Participation> {
    let approve = |request_id| ApproveDraftRequest {
        name: joined.name.clone(),
        deliverable_id: DELIVERABLE.to_owned(),
        request_id,
    };
    world.at("2026-06-18T11:00:00Z")?;
    let bad = submit(world, joined, creator, BAD_CAPTION).await?;
    ensure!(!bad.findings.is_empty(), "a bad caption was not caught");
    let mut shown = table(&["disclosure finding", "what to do"]);
    for finding in &bad.findings {
        let rule = DisclosureRule::as_str_name(&finding.rule()).trim_start_matches("DISCLOSURE_RULE_");
        shown.add_row([rule, &finding.message]);
    }
    println!("Draft 1 is caught:\n{}", shown.trim_fmt());
    let told = world
        .refused(&Person::Rita, ErrorReason::DisclosureInsufficient, |client| async move {
            client.participations().approve_draft(approve(String::new())).await
        })
        .await?;
    println!("Approving it is refused: {told}");

    world.at("2026-06-19T09:00:00Z")?;
    let _: Participation = world
        .write(&Person::Rita, Service::Campaigns, |client, request_id| {
            let request = RequestChangesRequest {
                name: joined.name.clone(),
                deliverable_id: DELIVERABLE.to_owned(),
                reason: "Put #ad first and tag the brand.".to_owned(),
                request_id,
            };
            async move { client.participations().request_changes(request).await }
        })
        .await?;
    world.at("2026-06-22T10:00:00Z")?;
    let good = submit(world, joined, creator, GOOD_CAPTION).await?;
    ensure!(good.findings.is_empty(), "a good caption was refused: {:?}", good.findings);
    world.at("2026-06-23T10:00:00Z")?;
    let _: Participation = world
        .write(&Person::Rita, Service::Campaigns, |client, request_id| {
            let request = approve(request_id);
            async move { client.participations().approve_draft(request).await }
        })
        .await?;
    world.at("2026-06-25T18:00:00Z")?;
    let published: Participation = world
        .write(creator, Service::Campaigns, |client, request_id| {
            let request = RecordPublicationRequest {
                name: joined.name.clone(),
                deliverable_id: DELIVERABLE.to_owned(),
                published_uri: "https://www.instagram.com/reel/C8glowco".to_owned(),
                request_id,
                ..RecordPublicationRequest::default()
            };
            async move { client.participations().record_publication(request).await }
        })
        .await?;
    ensure!(published.state() == ParticipationState::Fulfilled, "{:?}", published.state());
    println!("Draft 2 is in order, approved on June 23, published on June 25");
    Ok(published)
}

/// Three orders by the creator's code, one of them reported twice, one refunded; and how the content did.
pub(super) async fn sell(world: &mut World<'_>, joined: &Participation) -> anyhow::Result<()> {
    let orders = [
        ("10001", cents(1_825_040), "2026-06-27T12:00:00Z"),
        ("10002", cents(4_198_000), "2026-06-28T09:15:00Z"),
        ("10003", cents(990_099), "2026-06-29T20:40:00Z"),
        ("10002", cents(4_198_000), "2026-06-28T09:15:00Z"),
    ];
    let mut shown = table(&["order", ">net value", "what became of it"]);
    let mut known: Vec<Conversion> = Vec::new();
    for (order_id, net_amount, ordered) in orders {
        let order_time = Some(time::to_proto(ordered.parse()?));
        if known.len() < 3 {
            world.at(ordered)?;
        }
        let conversion: Conversion = world
            .write(&Person::Shop, Service::Campaigns, |client, request_id| {
                let request = RecordOrderRequest {
                    shop: "shop-b2b".to_owned(),
                    order_id: order_id.to_owned(),
                    tracking_code: CODE.to_owned(),
                    net_amount: net_amount.clone(),
                    order_time,
                    request_id,
                };
                async move { client.conversions().record_order(request).await }
            })
            .await?;
        ensure!(conversion.creator == joined.creator, "attributed to {}", conversion.creator);
        let became = if known.contains(&conversion) { "known already, nothing changes" } else { "attributed" };
        shown.add_row([order_id, &amount(conversion.net_amount.as_ref()), became]);
        known.push(conversion);
    }
    ensure!(known[1] == known[3], "the order reported twice became two");

    world.at("2026-07-02T10:00:00Z")?;
    let refund_time = Some(time::to_proto("2026-07-02T10:00:00Z".parse()?));
    let refunded: Conversion = world
        .write(&Person::Shop, Service::Campaigns, |client, request_id| {
            let request = RecordRefundRequest {
                shop: "shop-b2b".to_owned(),
                order_id: "10003".to_owned(),
                refund_id: "r-1".to_owned(),
                net_amount: cents(990_099),
                refund_time,
                request_id,
            };
            async move { client.conversions().record_refund(request).await }
        })
        .await?;
    ensure!(refunded.state() == ConversionState::Refunded, "{:?}", refunded.state());
    shown.add_row(["10003", &amount(refunded.refunded_amount.as_ref()), "refunded"]);
    println!("{}", shown.trim_fmt());

    let figures = Performance {
        measure_time: Some(time::to_proto("2026-07-05T00:00:00Z".parse()?)),
        impressions: 3_412_880,
        reach: 2_905_114,
        engagements: 284_302,
        clicks: 18_940,
    };
    world.at("2026-07-05T06:00:00Z")?;
    let measured: Participation = world
        .write(&Person::Shop, Service::Campaigns, |client, request_id| {
            let request = RecordPerformanceRequest {
                name: joined.name.clone(),
                deliverable_id: DELIVERABLE.to_owned(),
                performance: Some(figures),
                request_id,
            };
            async move { client.participations().record_performance(request).await }
        })
        .await?;
    report(world, &measured).await
}

/// Targets beside what was reached.
async fn report(world: &World<'_>, measured: &Participation) -> anyhow::Result<()> {
    let client = world.client(&Person::Olga);
    let campaign = GetCampaignRequest { name: measured.campaign.clone() };
    let campaign = client.campaigns().get_campaign(campaign).await?.into_inner();
    let kept = ListConversionsRequest {
        filter: format!("campaign = \"{}\" AND state = KEPT", campaign.name),
        ..ListConversionsRequest::default()
    };
    let kept = client.conversions().list_conversions(kept).await?.into_inner().total_size;
    let sum = |figure: fn(&Performance) -> i64| -> i64 {
        measured.deliverables.iter().filter_map(|deliverable| deliverable.performance.as_ref()).map(figure).sum()
    };
    let mut shown = table(&["KPI", ">target", ">reached", ""]);
    for kpi in &campaign.kpis {
        let reached = match kpi.metric() {
            Metric::Impressions => sum(|figures| figures.impressions),
            Metric::Reach => sum(|figures| figures.reach),
            Metric::Engagements => sum(|figures| figures.engagements),
            Metric::Clicks => sum(|figures| figures.clicks),
            Metric::Orders => i64::from(kept),
            Metric::Unspecified => 0,
        };
        let metric = Metric::as_str_name(&kpi.metric()).trim_start_matches("METRIC_").to_lowercase();
        let met = if reached >= kpi.target { "met" } else { "missed" };
        shown.add_row([metric, grouped(kpi.target), grouped(reached), met.to_owned()]);
        ensure!(reached >= kpi.target, "a KPI was missed: {kpi:?}, {reached}");
    }
    println!("{}", shown.trim_fmt());
    Ok(())
}
