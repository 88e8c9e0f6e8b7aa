//! Every answer that a view gives, as bytes; and the views built anew.
//!
//! Invariant: all views of all services are asked, page by page.

use std::future::Future;
use std::time::Duration;

use anyhow::Context as _;
use prost::Message;
use tandem_client::{Client, ClientBuilder, Service};
use tandem_proto::campaigns::v1::{ListCampaignsRequest, ListConversionsRequest, ListParticipationsRequest};
use tandem_proto::common::v1::{ListViewsRequest, RebuildViewRequest, RebuildViewResponse};
use tandem_proto::contracts::v1::{
    ListContractTemplatesRequest, ListContractsRequest, ListObligationsRequest, ListUsageRightsRequest,
};
use tandem_proto::creators::v1::{ListCreatorsRequest, ListProspectsRequest};
use tandem_proto::payouts::v1::{ListEarningsRequest, ListPayoutRunsRequest};
use tandem_proto::relationships::v1::{GetPartnershipRequest, ListAuditEntriesRequest, ListPartnershipsRequest};
use tandem_proto::time;
use tonic::{Request, Response, Status};

use crate::cast::Person;
use crate::faults::Faults;
use crate::world::World;

/// Questions and answers.
pub type Answers = Vec<(String, Vec<u8>)>;

const PAGE: i32 = 500;
/// A rebuild reads the whole log.
const REBUILD_DEADLINE: Duration = Duration::from_secs(300);

/// Asks every list, and for the partnership now and as of a time.
pub(super) async fn collect(world: &World<'_>, partnership: &str, as_of: jiff::Timestamp) -> anyhow::Result<Answers> {
    let client = world.client(&Person::Olga);
    let mut answers = lists(&client).await?;
    for as_of in [None, Some(time::to_proto(as_of))] {
        let request = GetPartnershipRequest { name: partnership.to_owned(), as_of };
        let answer = client.relationships().get_partnership(request).await?.into_inner();
        answers.push((format!("get_partnership as of {as_of:?}"), answer.encode_to_vec()));
    }
    Ok(answers)
}

/// Asks every list for all of it.
///
/// # Errors
/// What a list answers instead.
pub async fn lists(client: &Client) -> anyhow::Result<Answers> {
    let mut answers = Answers::new();
    macro_rules! list {
        ($api:ident, $method:ident, $request:ident) => {
            pages(&mut answers, stringify!($method), |page_token| {
                let request = $request { page_size: PAGE, page_token, ..$request::default() };
                let mut api = client.$api();
                async move { page(api.$method(request).await, |page| page.next_page_token.clone()) }
            })
            .await?;
        };
    }
    list!(creators, list_creators, ListCreatorsRequest);
    list!(prospects, list_prospects, ListProspectsRequest);
    list!(contracts, list_contracts, ListContractsRequest);
    list!(rights, list_usage_rights, ListUsageRightsRequest);
    list!(contract_templates, list_contract_templates, ListContractTemplatesRequest);
    list!(obligations, list_obligations, ListObligationsRequest);
    list!(campaigns, list_campaigns, ListCampaignsRequest);
    list!(participations, list_participations, ListParticipationsRequest);
    list!(conversions, list_conversions, ListConversionsRequest);
    list!(earnings, list_earnings, ListEarningsRequest);
    list!(payout_runs, list_payout_runs, ListPayoutRunsRequest);
    list!(relationships, list_partnerships, ListPartnershipsRequest);
    list!(relationships, list_audit_entries, ListAuditEntriesRequest);
    Ok(answers)
}

/// Every answer of a platform on which the story was told, which has to be the same wherever its log is.
///
/// # Errors
/// If something is not answered.
pub async fn answers(client: ClientBuilder) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut world = World::new(client, Faults::None)?;
    world.at("2026-10-01T00:00:00Z")?;
    let mut relationships = world.client(&Person::Olga).relationships();
    let listed = relationships.list_partnerships(ListPartnershipsRequest::default()).await?.into_inner().partnerships;
    let partnership = listed.first().context("the story has not been told: there is no partnership")?;
    collect(&world, &partnership.name, "2026-06-11T00:00:00Z".parse()?).await
}

/// A page: where the next one begins, and its bytes.
fn page<T: Message>(
    answer: Result<Response<T>, Status>,
    next: impl Fn(&T) -> String,
) -> Result<(String, Vec<u8>), Status> {
    let page = answer?.into_inner();
    Ok((next(&page), page.encode_to_vec()))
}

async fn pages<F>(answers: &mut Answers, list: &str, page: impl Fn(String) -> F) -> anyhow::Result<()>
where
    F: Future<Output = Result<(String, Vec<u8>), Status>>,
{
    let mut token = String::new();
    loop {
        let (next, bytes) = page(token).await?;
        answers.push((format!("{list}, page {}", answers.len()), bytes));
        if next.is_empty() {
            return Ok(());
        }
        token = next;
    }
}

/// Rebuilds all views of all services.
///
/// # Errors
/// If one has parked events, or can't be rebuilt.
pub async fn rebuild(client: &Client) -> anyhow::Result<Vec<(String, RebuildViewResponse)>> {
    let mut rebuilt = Vec::new();
    for service in Service::ALL {
        let mut api = client.views(service);
        for view in api.list_views(ListViewsRequest {}).await?.into_inner().views {
            anyhow::ensure!(view.parked_events.is_empty(), "{} has parked events: {:?}", view.name, view.parked_events);
            let mut request = Request::new(RebuildViewRequest { name: view.name.clone() });
            request.set_timeout(REBUILD_DEADLINE);
            let report = api.rebuild_view(request).await?.into_inner();
            rebuilt.push((view.name, report));
        }
    }
    Ok(rebuilt)
}
