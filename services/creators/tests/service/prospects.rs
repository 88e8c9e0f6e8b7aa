//! Prospects, from the shortlist to the reply.

use anyhow::Result;
use tandem_client::Client;
use tandem_proto::creators::v1::{
    ApproveProspectRequest, CreateProspectRequest, Finding, FindingKind, FindingSeverity, GetProspectRequest,
    ListProspectsRequest, Prospect, ProspectState, RecordFindingRequest, RecordReplyRequest, RejectProspectRequest,
    ReplyOutcome, SendOutreachRequest,
};
use tandem_service::testing::token;
use tonic::Status;

use crate::support::*;

async fn shortlist(client: &Client, creator: &str, request_id: &str) -> Result<Prospect, Status> {
    let (brand, creator) = ("brands/glowco".into(), creator.into());
    let prospect = Some(Prospect { brand, creator, ..Default::default() });
    let request = CreateProspectRequest { prospect, request_id: request_id.into() };
    Ok(client.prospects().create_prospect(request).await?.into_inner())
}

async fn record(client: &Client, name: &str, kind: FindingKind, severity: FindingSeverity) -> Result<Prospect, Status> {
    let (kind, severity) = (kind.into(), severity.into());
    let finding = Some(Finding { kind, severity, summary: "as measured".into(), ..Default::default() });
    let request = RecordFindingRequest { name: name.into(), finding, request_id: String::new() };
    Ok(client.prospects().record_finding(request).await?.into_inner())
}

async fn approve(client: &Client, name: &str) -> Result<Prospect, Status> {
    let request = ApproveProspectRequest { name: name.into(), ..Default::default() };
    Ok(client.prospects().approve_prospect(request).await?.into_inner())
}

async fn approach(client: &Client, name: &str) -> Result<Prospect, Status> {
    let (template, medium) = ("spring/v2".into(), "email".into());
    let request = SendOutreachRequest { name: name.into(), template, medium, request_id: String::new() };
    Ok(client.prospects().send_outreach(request).await?.into_inner())
}

#[tokio::test]
async fn from_the_shortlist_to_an_interested_reply() -> Result<()> {
    let it = Fixture::new().await?;
    let creator = import_one(&it.client, row("a", 150_000)).await?;
    let prospect = shortlist(&it.client, &creator, "").await?;
    assert_eq!(prospect.name, format!("prospects/glowco~{}", creator.trim_start_matches("creators/")));
    let name = &prospect.name;
    assert_eq!(reason(&approach(&it.client, name).await.unwrap_err()), "STATE_FORBIDS");
    record(&it.client, name, FindingKind::Audience, FindingSeverity::Clear).await?;
    record(&it.client, name, FindingKind::Fraud, FindingSeverity::Blocking).await?;
    assert_eq!(reason(&approve(&it.client, name).await.unwrap_err()), "FINDING_BLOCKS");
    record(&it.client, name, FindingKind::Fraud, FindingSeverity::Clear).await?;
    let reviewer = it.client_of(token("users/rita", "acme", &["prospects.approve"]))?;
    assert_eq!(approve(&reviewer, name).await?.reviewer, "users/rita");
    assert_eq!(approach(&it.client, name).await?.outreach_count, 1);
    let outcome = ReplyOutcome::Interested.into();
    let reply = RecordReplyRequest { name: name.clone(), outcome, request_id: String::new() };
    let replied = it.client.prospects().record_reply(reply).await?.into_inner();
    assert_eq!((replied.state(), replied.findings.len()), (ProspectState::Interested, 3));
    let got = it.client.prospects().get_prospect(GetProspectRequest { name: name.clone() }).await?.into_inner();
    assert_eq!(got, replied);

    let other = import_one(&it.client, row("b", 1)).await?;
    let rejected = shortlist(&it.client, &other, "").await?;
    let reject = RejectProspectRequest { name: rejected.name, reason: "no fit".into(), request_id: String::new() };
    it.client.prospects().reject_prospect(reject).await?;
    let filter = format!("brand = \"brands/glowco\" AND creator = \"{creator}\" AND state = INTERESTED");
    let listed = it.client.prospects().list_prospects(ListProspectsRequest { filter, ..Default::default() }).await?;
    assert_eq!(listed.into_inner().prospects, [replied]);
    assert!(it.messages("tandem").await?.iter().any(|message| contains(message, "partnerships/glowco~")));
    Ok(())
}

#[tokio::test]
async fn shortlisting_again_answers_the_prospect_as_it_is() -> Result<()> {
    let it = Fixture::new().await?;
    let creator = import_one(&it.client, row("a", 1)).await?;
    let first = shortlist(&it.client, &creator, "request-1").await?;
    let vetted = record(&it.client, &first.name, FindingKind::Fraud, FindingSeverity::Clear).await?;
    assert_eq!(shortlist(&it.client, &creator, "request-1").await?, first, "a repeated request");
    assert_eq!(shortlist(&it.client, &creator, "request-2").await?, vetted, "another one");
    Ok(())
}

#[tokio::test]
async fn only_creators_in_use_are_shortlisted() -> Result<()> {
    let it = Fixture::new().await?;
    let [a, b, c] = [
        import_one(&it.client, row("a", 1)).await?,
        import_one(&it.client, row("b", 1)).await?,
        import_one(&it.client, row("c", 1)).await?,
    ];
    merge(&it.client, &a, &b).await?;
    erase(&it.client, &c).await?;
    assert_eq!(reason(&shortlist(&it.client, "creators/nobody", "").await.unwrap_err()), "RESOURCE_NOT_FOUND");
    assert_eq!(reason(&shortlist(&it.client, &b, "").await.unwrap_err()), "CREATOR_MERGED");
    assert_eq!(reason(&shortlist(&it.client, &c, "").await.unwrap_err()), "PERSON_ERASED");
    let umbrella = it.client_of(token("users/una", "umbrella", &["*"]))?;
    assert_eq!(reason(&shortlist(&umbrella, &a, "").await.unwrap_err()), "RESOURCE_NOT_FOUND");
    Ok(())
}

#[tokio::test]
async fn what_a_brand_thinks_of_a_creator_is_not_for_them() -> Result<()> {
    let it = Fixture::new().await?;
    let creator = import_one(&it.client, row("a", 1)).await?;
    let name = shortlist(&it.client, &creator, "").await?.name;
    let themselves = it.client_of(creator_token(&creator))?;
    let refused = themselves.prospects().get_prospect(GetProspectRequest { name: name.clone() }).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_A_PARTY");
    assert_eq!(reason(&approve(&themselves, &name).await.unwrap_err()), "NOT_A_PARTY");
    let unknown = GetProspectRequest { name: "prospects/glowco~nobody".into() };
    assert_eq!(reason(&it.client.prospects().get_prospect(unknown).await.unwrap_err()), "RESOURCE_NOT_FOUND");
    Ok(())
}
