//! Refusals that the wire has to carry, and requests that are repeated.

use futures::future::join_all;
use tandem_client::proto::campaigns::v1 as pb;
use tandem_client::proto::common::v1::ErrorReason;
use tonic::Code;

use crate::world::{World, approval, changes, draft, plan, publication, refused};

#[tokio::test]
async fn a_repeated_plan_is_one_campaign() {
    let world = World::start().await;
    let api = world.brand();
    let request = pb::CreateCampaignRequest { request_id: "r1".into(), ..plan("") };
    let repeats = (0..10).map(|_| api.create_campaign(request.clone()));
    let campaigns: Vec<_> = join_all(repeats).await.into_iter().map(Result::unwrap).collect();
    assert!(campaigns.iter().all(|campaign| *campaign == campaigns[0]));
    let listed = api.list_campaigns(pb::ListCampaignsRequest::default()).await.unwrap();
    assert_eq!(listed.total_size, 1);

    let mut other = request.clone();
    other.campaign.as_mut().unwrap().title = "Other".into();
    refused(api.create_campaign(other).await, Code::InvalidArgument, ErrorReason::RequestIdReused);
    let taken = plan(campaigns[0].name.strip_prefix("campaigns/").unwrap());
    refused(api.create_campaign(taken).await, Code::AlreadyExists, ErrorReason::ResourceExists);
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_it_was() {
    let world = World::start().await;
    let api = world.brand();
    api.joined().await;
    let request = pb::SubmitDraftRequest { request_id: "d1".into(), ..draft("reel-1", "#ad with @glowco") };
    let submitted = api.submit_draft(request.clone()).await.unwrap();
    api.approve_draft(approval("reel-1")).await.unwrap();
    assert_eq!(api.submit_draft(request).await.unwrap(), submitted);
    assert_eq!(world.events("acme", "participation", "p1").await.len(), 3);
}

#[tokio::test]
async fn an_older_etag_is_refused() {
    let world = World::start().await;
    let api = world.brand();
    let planned = api.create_campaign(plan("winter")).await.unwrap();
    let launch =
        pb::LaunchCampaignRequest { name: planned.name.clone(), etag: planned.etag.clone(), ..Default::default() };
    api.launch_campaign(launch).await.unwrap();
    let close = pb::CloseCampaignRequest { name: planned.name, etag: planned.etag, ..Default::default() };
    refused(api.close_campaign(close).await, Code::Aborted, ErrorReason::EtagMismatch);
}

#[tokio::test]
async fn a_draft_in_review_stands() {
    let world = World::start().await;
    let api = world.brand();
    api.joined().await;
    refused(api.approve_draft(approval("reel-1")).await, Code::FailedPrecondition, ErrorReason::StateForbids);
    api.submit_draft(draft("reel-1", "#ad with @glowco")).await.unwrap();
    let again = api.submit_draft(draft("reel-1", "#ad with @glowco")).await;
    refused(again, Code::FailedPrecondition, ErrorReason::StateForbids);
    refused(api.record_publication(publication("reel-1")).await, Code::FailedPrecondition, ErrorReason::StateForbids);
    api.request_changes(changes("reel-1")).await.unwrap();
    api.submit_draft(draft("reel-1", "#ad with @glowco")).await.unwrap();
    let second = api.request_changes(changes("reel-1")).await;
    refused(second, Code::FailedPrecondition, ErrorReason::RevisionRoundsExhausted);
}

#[tokio::test]
async fn all_faults_of_a_plan_are_named() {
    let world = World::start().await;
    let mut request = plan("winter");
    let campaign = request.campaign.as_mut().unwrap();
    campaign.kpis.push(campaign.kpis[0]);
    campaign.budgets.push(campaign.budgets[0].clone());
    let error = world.brand().create_campaign(request).await.unwrap_err();
    let fields: Vec<_> = error.violations().into_iter().map(|violation| violation.field).collect();
    assert_eq!(fields, ["campaign.kpis[1].metric", "campaign.budgets[1].region"]);
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let world = World::start().await;
    let api = world.brand();
    let get = pb::GetCampaignRequest { name: "campaigns/none".into() };
    refused(api.get_campaign(get).await, Code::NotFound, ErrorReason::ResourceNotFound);
    let launch = pb::LaunchCampaignRequest { name: "campaigns/none".into(), ..Default::default() };
    refused(api.launch_campaign(launch).await, Code::NotFound, ErrorReason::ResourceNotFound);
    refused(api.submit_draft(draft("reel-1", "#ad")).await, Code::NotFound, ErrorReason::ResourceNotFound);
    let get = pb::GetConversionRequest { name: "conversions/none".into() };
    refused(api.get_conversion(get).await, Code::NotFound, ErrorReason::ResourceNotFound);
}
