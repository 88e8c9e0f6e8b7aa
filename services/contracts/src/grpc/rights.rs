//! `RightsService` over gRPC: transport only.
//!
//! Invariant: a creator's own token reaches nothing but what is theirs.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tandem_aggregate::Executor;
use tandem_money::dates::DateError;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::rights_service_server::RightsService;
use tandem_service::{Call, Problem, Resource as _, ResourceView, list, listed};
use tandem_views::{AnyView as _, ListQuery, ViewHandle};
use tonic::{Request, Response, Status};

use crate::contract::Contract;
use crate::rights::check::{Use, check};
use crate::rights::publications::{Publication, Publications};
use crate::usage_right::UsageRight;

/// Days that ListExpiringRights looks ahead unless told otherwise.
const DAYS_AHEAD: i32 = 30;

/// The handlers, over contracts, what is published under them, and the register.
pub(crate) struct Handlers {
    pub(crate) contracts: Arc<Executor<Contract>>,
    pub(crate) rights: Arc<Executor<UsageRight>>,
    pub(crate) view: ViewHandle<ResourceView<UsageRight>>,
    pub(crate) publications: ViewHandle<Publications>,
}

#[tonic::async_trait]
impl RightsService for Handlers {
    async fn check_rights(
        &self,
        request: Request<pb::CheckRightsRequest>,
    ) -> Result<Response<pb::CheckRightsResponse>, Status> {
        let call = Call::accept(request)?;
        let pb::CheckRightsRequest { deliverable, channel, territory, use_time, .. } = &call.message;
        let time = super::instant(&call, "use_time", *use_time)?.unwrap_or(call.meta.time);
        let wanted = Use { kind: call.message.kind(), channel, territory, time };
        let publication = self.publication(&call, deliverable).await?;
        let id = super::id(&publication.contract);
        let contract = self.contracts.get(&call.caller.tenant, id).await.map_err(|error| call.error(error))?;
        if !contract.exists() {
            return Err(call.not_found(&publication.contract));
        }
        call.caller.require_party(&contract.state.0.creator)?;
        let answer = check(&contract.state.0, &publication, wanted);
        answer
            .map(Response::new)
            .map_err(|error: DateError| Problem::internal(format!("terms of {}: {error}", publication.contract)).into())
    }

    async fn get_usage_right(
        &self,
        request: Request<pb::GetUsageRightRequest>,
    ) -> Result<Response<pb::UsageRight>, Status> {
        let call = Call::accept(request)?;
        let name = &call.message.name;
        let id = name.strip_prefix("usageRights/").unwrap_or(name);
        let loaded = self.rights.get(&call.caller.tenant, id).await.map_err(|error| call.error(error))?;
        if !loaded.exists() {
            return Err(call.not_found(name));
        }
        call.caller.require_party(&loaded.state.0.creator)?;
        Ok(Response::new(loaded.state.clone().into_message(loaded.etag())))
    }

    async fn list_usage_rights(
        &self,
        request: Request<pb::ListUsageRightsRequest>,
    ) -> Result<Response<pb::ListUsageRightsResponse>, Status> {
        let call = Call::accept(request)?;
        let pb::ListUsageRightsRequest { filter, order_by, page_size, page_token } = &call.message;
        let query = ListQuery { filter, order_by, page_size: *page_size, page_token, fixed: own(&call) };
        let page = list(&self.view, &call, query).await?;
        Ok(listed(
            page.position,
            pb::ListUsageRightsResponse {
                usage_rights: page.rows.into_iter().map(|(_, right)| right).collect(),
                next_page_token: page.next_page_token,
                total_size: page.total_size,
            },
        ))
    }

    async fn list_expiring_rights(
        &self,
        request: Request<pb::ListExpiringRightsRequest>,
    ) -> Result<Response<pb::ListExpiringRightsResponse>, Status> {
        let call = Call::accept(request)?;
        let pb::ListExpiringRightsRequest { within_days, brand, as_of_time, page_size, page_token } = &call.message;
        let (first_page_of, page_token) = resume(page_token)?;
        let as_of = super::instant(&call, "as_of_time", *as_of_time)?.or(first_page_of).unwrap_or(call.meta.time);
        let days = if *within_days == 0 { DAYS_AHEAD } else { *within_days };
        let until = as_of.saturating_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX);
        // A timer that is late leaves a right ACTIVE that is over.
        let filter = format!("state = ACTIVE AND start_time <= {as_of} AND end_time > {as_of} AND end_time <= {until}");
        let mut fixed = own(&call);
        if !brand.is_empty() {
            fixed.push(("brand", brand.clone()));
        }
        let query = ListQuery { filter: &filter, order_by: "end_time, name", page_size: *page_size, page_token, fixed };
        let page = list(&self.view, &call, query).await?;
        Ok(listed(
            page.position,
            pb::ListExpiringRightsResponse {
                usage_rights: page.rows.into_iter().map(|(_, right)| right).collect(),
                next_page_token: following(as_of, page.next_page_token),
                total_size: page.total_size,
            },
        ))
    }
}

impl Handlers {
    /// What is published, by the events that the caller has seen.
    async fn publication<M>(&self, call: &Call<M>, deliverable: &str) -> Result<Publication, Status> {
        self.publications.wait_for(&call.read_after, call.deadline).await.map_err(|error| call.error(error))?;
        let key = Publications::key(deliverable).unwrap_or_default();
        let row = self.publications.get(&call.caller.tenant, &key).await.map_err(|error| call.error(error))?;
        row.and_then(|row| Publication::of_row(&key, row)).ok_or_else(|| {
            let message = format!(
                "{deliverable} is not published, and rights begin with publication. Check its name, or record its \
                 publication (RecordPublication)."
            );
            Problem::new(ErrorReason::ResourceNotFound, message).about(deliverable).into()
        })
    }
}

/// A creator lists their own.
fn own<M>(call: &Call<M>) -> Vec<(&'static str, String)> {
    call.caller.creator.iter().map(|creator| ("creator", creator.clone())).collect()
}

/// A page follows the one before it by the same instant, which its token therefore carries.
fn following(as_of: Timestamp, token: String) -> String {
    if token.is_empty() { token } else { format!("{}.{token}", as_of.as_nanosecond()) }
}

/// The instant and the token out of what [`following`] has made.
fn resume(page_token: &str) -> Result<(Option<Timestamp>, &str), Status> {
    if page_token.is_empty() {
        return Ok((None, ""));
    }
    let parts = page_token
        .split_once('.')
        .and_then(|(as_of, token)| Some((Timestamp::from_nanosecond(as_of.parse().ok()?).ok()?, token)));
    let (as_of, token) = parts.ok_or_else(|| {
        let message = "page_token is not one of ours. Pass the next_page_token of the page before.";
        Status::from(Problem::new(ErrorReason::PageTokenInvalid, message))
    })?;
    Ok((Some(as_of), token))
}
