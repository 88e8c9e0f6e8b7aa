//! RelationshipService over gRPC.
//!
//! Invariant: transport only; every answer comes from a view or, for the past, from the fold of the view. What a brand
//! thinks of a creator is not for the creator: their tokens are refused.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use tandem_eventlog::{EventLog, Filter, Position, RecordedEvent};
use tandem_proto::relationships::v1::relationship_service_server::RelationshipService;
use tandem_proto::relationships::v1::{
    GetPartnershipRequest, ListAuditEntriesRequest, ListAuditEntriesResponse, ListPartnershipsRequest,
    ListPartnershipsResponse, Partnership,
};
use tandem_proto::time;
use tandem_service::{Call, Problem, listed};
use tandem_views::{AnyView as _, ListQuery, ViewHandle};
use tonic::{Request, Response, Status};

use crate::{Audit, Partnerships, past, require_staff};

/// Events of the past read from the log at the same time.
const READS: usize = 16;
/// Entries of the audit trail read at once to find the events of a partnership.
const PAGE: i32 = 1000;

pub(crate) struct Handlers {
    pub log: Arc<dyn EventLog>,
    pub partnerships: ViewHandle<Partnerships>,
    pub audit: ViewHandle<Audit>,
}

#[tonic::async_trait]
impl RelationshipService for Handlers {
    async fn get_partnership(&self, request: Request<GetPartnershipRequest>) -> Result<Response<Partnership>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let name = &call.message.name;
        let key = name.strip_prefix("partnerships/").unwrap_or(name);
        let (position, found) = match &call.message.as_of {
            Some(as_of) => {
                let as_of = time::from_proto(as_of).ok_or_else(|| {
                    call.invalid("as_of", "is not a timestamp: send seconds and 0 to 999999999 nanos")
                })?;
                let position = self.audit.position();
                (position, past::partnership(key, &self.events(&call, name, as_of).await?))
            }
            None => {
                self.partnerships.wait_for(&call.read_after, call.deadline).await.map_err(|error| call.error(error))?;
                let position = self.partnerships.position();
                let found = self.partnerships.get(&call.caller.tenant, key).await;
                (position, found.map_err(|error| call.error(error))?)
            }
        };
        found.map(|found| listed(position, found)).ok_or_else(|| call.not_found(name))
    }

    async fn list_partnerships(
        &self,
        request: Request<ListPartnershipsRequest>,
    ) -> Result<Response<ListPartnershipsResponse>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        self.partnerships.wait_for(&call.read_after, call.deadline).await.map_err(|error| call.error(error))?;
        let query = ListQuery {
            filter: &call.message.filter,
            order_by: &call.message.order_by,
            page_size: call.message.page_size,
            page_token: &call.message.page_token,
            fixed: Vec::new(),
        };
        let page = self.partnerships.list(&call.caller.tenant, &query).await.map_err(|error| call.error(error))?;
        Ok(listed(
            page.position,
            ListPartnershipsResponse {
                partnerships: page.rows.into_iter().map(|(_, row)| row).collect(),
                next_page_token: page.next_page_token,
                total_size: page.total_size,
            },
        ))
    }

    async fn list_audit_entries(
        &self,
        request: Request<ListAuditEntriesRequest>,
    ) -> Result<Response<ListAuditEntriesResponse>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        self.audit.wait_for(&call.read_after, call.deadline).await.map_err(|error| call.error(error))?;
        let query = ListQuery {
            filter: &call.message.filter,
            page_size: call.message.page_size,
            page_token: &call.message.page_token,
            ..ListQuery::default()
        };
        let page = self.audit.list(&call.caller.tenant, &query).await.map_err(|error| call.error(error))?;
        Ok(listed(
            page.position,
            ListAuditEntriesResponse {
                audit_entries: page.rows.into_iter().map(|(_, row)| row).collect(),
                next_page_token: page.next_page_token,
                total_size: page.total_size,
            },
        ))
    }
}

impl Handlers {
    /// The events that belong to a partnership, by their headers, up to a time, in the order of the log.
    async fn events<M>(&self, call: &Call<M>, name: &str, as_of: Timestamp) -> Result<Vec<RecordedEvent>, Status> {
        // All that the log has now, whatever the caller has seen of it: the past does not change by being asked early.
        let last = self.log.last_position(&Filter::default()).await.map_err(|error| call.error(error))?;
        self.audit.wait_for_position(last, call.deadline).await.map_err(|error| call.error(error))?;
        let filter = format!("time <= \"{as_of}\"");
        let fixed = vec![("partnership", name.to_owned())];
        let mut positions: Vec<Position> = Vec::new();
        let mut page_token = String::new();
        loop {
            let query = ListQuery {
                filter: &filter,
                page_size: PAGE,
                page_token: &page_token,
                fixed: fixed.clone(),
                ..ListQuery::default()
            };
            let page = self.audit.list(&call.caller.tenant, &query).await.map_err(|error| call.error(error))?;
            // The trail has more than the fold takes: a payout run is in the timeline of all whom it pays.
            let own = page.rows.iter().filter(|(_, entry)| entry.partnership == name);
            positions.extend(own.map(|(_, entry)| entry.position.unsigned_abs()));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let reading = stream::iter(positions).map(|position| self.event(call, position)).buffered(READS);
        let mut events: Vec<RecordedEvent> = reading.try_collect().await?;
        // The trail keeps times to the microsecond only.
        events.retain(|event| event.envelope.time <= as_of);
        Ok(events)
    }

    async fn event<M>(&self, call: &Call<M>, position: Position) -> Result<RecordedEvent, Status> {
        let event = self.log.get(position).await.map_err(|error| call.error(error))?;
        event.ok_or_else(|| {
            let lost = format!("the audit trail has an event at position {position}, the log has none");
            call.error(Problem::internal(lost))
        })
    }
}
