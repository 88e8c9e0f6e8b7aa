//! A creator is found in a list, vetted, approved by a reviewer and approached.

use anyhow::{Context as _, ensure};
use tandem_cli::output::{grouped, table};
use tandem_client::Service;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::creators::v1::{
    ApproveProspectRequest, CreateProspectRequest, Creator, Finding, FindingKind, FindingSeverity, ListCreatorsRequest,
    LookupCreatorRequest, MergeCreatorsRequest, PayoutAccount, Platform, Prospect, ProspectState, RecordFindingRequest,
    RecordReplyRequest, ReplyOutcome, SendOutreachRequest, SetPayoutAccountRequest, Tier,
};

use super::heading;
use crate::cast::Person;
use crate::world::World;

pub(super) const BRAND: &str = "brands/glowco";
/// Chosen out of the list below: on both platforms, and of the brand's category.
const HANDLE: &str = "nikkietutorials";

pub(super) async fn tell(world: &mut World<'_>) -> anyhow::Result<Creator> {
    heading(2, "Vet and approach");
    world.at("2026-06-02T09:00:00Z")?;
    let creator = find(world).await?;
    let creator = merge(world, creator).await?;
    let prospect = vet(world, &creator).await?;
    approach(world, &prospect.name).await?;
    Ok(creator)
}

async fn find(world: &World<'_>) -> anyhow::Result<Creator> {
    let filter = r#"category:"Beauty" AND country:"United States" AND tier = MEGA"#;
    let request = ListCreatorsRequest {
        filter: filter.to_owned(),
        order_by: "follower_count desc".to_owned(),
        page_size: 100,
        ..ListCreatorsRequest::default()
    };
    let page = world.client(&Person::Maria).creators().list_creators(request).await?.into_inner();
    ensure!(page.creators.is_sorted_by_key(|creator| std::cmp::Reverse(creator.follower_count)), "not in order");
    println!("{} creators match  {filter}", page.total_size);
    let mut shown = table(&["handle", "name", "tier", ">followers"]);
    for creator in page.creators.iter().take(5) {
        shown.add_row([handle(creator), &creator.display_name, tier(creator), &grouped(creator.follower_count)]);
    }
    println!("{}\n…", shown.trim_fmt());
    page.creators
        .into_iter()
        .find(|creator| handle(creator) == HANDLE)
        .context("the creator of the story is not listed")
}

/// Both exports know the creator: from now on it is one, with two channels.
async fn merge(world: &mut World<'_>, creator: Creator) -> anyhow::Result<Creator> {
    let request = LookupCreatorRequest { platform: Platform::Tiktok.into(), handle: HANDLE.to_owned() };
    let tiktok = world.client(&Person::Maria).creators().lookup_creator(request).await?.into_inner();
    let merged: Creator = world
        .write(&Person::Maria, Service::Creators, |client, request_id| {
            let request = MergeCreatorsRequest {
                name: creator.name.clone(),
                source: tiktok.name.clone(),
                reason: "same person, confirmed by their agency".to_owned(),
                request_id,
            };
            async move { client.creators().merge_creators(request).await }
        })
        .await?;
    ensure!(merged.channels.len() == 2, "not two channels: {merged:?}");
    let channels: Vec<_> = merged
        .channels
        .iter()
        .map(|channel| {
            let platform = channel.platform().as_str_name().trim_start_matches("PLATFORM_").to_lowercase();
            format!("{platform} {}", grouped(channel.figures.unwrap_or_default().followers))
        })
        .collect();
    println!("\n@{HANDLE} is one creator with two channels: {}", channels.join(", "));

    let account = PayoutAccount {
        holder_name: "Nikkie Tutorials BV".to_owned(),
        iban: "NL91ABNA0417164300".to_owned(),
        bic: "ABNANL2A".to_owned(),
        country_code: "NL".to_owned(),
    };
    let merged: Creator = world
        .write(&Person::Maria, Service::Creators, |client, request_id| {
            let request = SetPayoutAccountRequest {
                name: merged.name.clone(),
                payout_account: Some(account.clone()),
                request_id,
            };
            async move { client.creators().set_payout_account(request).await }
        })
        .await?;
    Ok(merged)
}

async fn vet(world: &mut World<'_>, creator: &Creator) -> anyhow::Result<Prospect> {
    let prospect: Prospect = world
        .write(&Person::Maria, Service::Creators, |client, request_id| {
            let prospect = Prospect { brand: BRAND.to_owned(), creator: creator.name.clone(), ..Prospect::default() };
            let request = CreateProspectRequest { prospect: Some(prospect), request_id };
            async move { client.prospects().create_prospect(request).await }
        })
        .await?;
    let approve = |request_id| ApproveProspectRequest {
        name: prospect.name.clone(),
        reason: "audience fits, engagement is real".to_owned(),
        request_id,
    };
    let told = world
        .refused(&Person::Rita, ErrorReason::StateForbids, |client| async move {
            client.prospects().approve_prospect(approve(String::new())).await
        })
        .await?;
    println!("Approval without vetting is refused: {told}");

    let findings = [
        (
            FindingKind::Audience,
            FindingSeverity::Clear,
            6200,
            "62 % of the audience are women of 18 to 34 in US and CA",
        ),
        (FindingKind::Fraud, FindingSeverity::Warning, 900, "9 % of the followers look inactive, in the usual range"),
    ];
    for (kind, severity, share_basis_points, summary) in findings {
        let finding = Finding {
            kind: kind.into(),
            severity: severity.into(),
            summary: summary.to_owned(),
            share_basis_points,
            ..Finding::default()
        };
        let _: Prospect = world
            .write(&Person::Rita, Service::Creators, |client, request_id| {
                let request =
                    RecordFindingRequest { name: prospect.name.clone(), finding: Some(finding.clone()), request_id };
                async move { client.prospects().record_finding(request).await }
            })
            .await?;
    }
    let approved: Prospect = world
        .write(&Person::Rita, Service::Creators, |client, request_id| {
            let request = approve(request_id);
            async move { client.prospects().approve_prospect(request).await }
        })
        .await?;
    ensure!(approved.reviewer == "users/rita", "the reviewer is {:?}", approved.reviewer);
    println!("Approved by {} after {} findings", approved.reviewer, approved.findings.len());
    Ok(approved)
}

async fn approach(world: &mut World<'_>, prospect: &str) -> anyhow::Result<()> {
    world.at("2026-06-03T14:00:00Z")?;
    let _: Prospect = world
        .write(&Person::Maria, Service::Creators, |client, request_id| {
            let request = SendOutreachRequest {
                name: prospect.to_owned(),
                template: "summer-serum/v2".to_owned(),
                medium: "email".to_owned(),
                request_id,
            };
            async move { client.prospects().send_outreach(request).await }
        })
        .await?;
    world.at("2026-06-04T16:30:00Z")?;
    let replied: Prospect = world
        .write(&Person::Maria, Service::Creators, |client, request_id| {
            let request =
                RecordReplyRequest { name: prospect.to_owned(), outcome: ReplyOutcome::Interested.into(), request_id };
            async move { client.prospects().record_reply(request).await }
        })
        .await?;
    ensure!(replied.state() == ProspectState::Interested, "{:?}", replied.state());
    println!("Outreach sent on June 3, the creator replied a day later: interested");
    Ok(())
}

fn handle(creator: &Creator) -> &str {
    creator.channels.first().map_or("", |channel| &channel.handle)
}

fn tier(creator: &Creator) -> &'static str {
    Tier::as_str_name(&creator.tier()).trim_start_matches("TIER_")
}
