//! Granting: publications and contracts become the register of rights.
//!
//! A publication brings its own rights up to date, a contract those of everything published under it. Both read the
//! contract before and after, and begin anew if it has moved on meanwhile: whichever of two that run at the same time
//! reads last, writes last. A contract's event waits for the publications that stand in the log by then, so one of the
//! two has always seen the other.
//!
//! Invariant: when the events of a contract and of its publications are handled, in whatever order and however often,
//! the register is what [`register::entries`] tells by the newest of them.

use std::sync::Arc;
use std::time::Duration;

use tandem_aggregate::{Cause, ExecuteError, Executor, Loaded, Process, ProcessError};
use tandem_eventlog::{EventLog, Filter, Position, RecordedEvent};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::read_event;
use tandem_service::Service as _;
use tandem_views::{ListQuery, ViewHandle};
use tokio::time::Instant;

use crate::contract::Contract;
use crate::rights::publications::{PARTICIPATION, Publication, Publications};
use crate::rights::register;
use crate::usage_right::UsageRight;
use crate::{ACTOR, Contracts};

/// In traces, and what its commands say they come from.
const NAME: &str = "contracts-granting";
/// How long the view of publications is waited for before the event is put back.
const CATCHES_UP: Duration = Duration::from_secs(10);
/// Publications read at once.
const PAGE: i32 = 1000;

/// The process.
pub struct Granting {
    /// Where publications are told of.
    pub log: Arc<dyn EventLog>,
    /// The contracts.
    pub contracts: Arc<Executor<Contract>>,
    /// The register.
    pub rights: Arc<Executor<UsageRight>>,
    /// What is published.
    pub publications: ViewHandle<Publications>,
}

#[tonic::async_trait]
impl Process for Granting {
    fn name(&self) -> &'static str {
        NAME
    }

    fn consumer(&self) -> &str {
        Contracts::NAME
    }

    fn filter(&self) -> Filter {
        use tandem_aggregate::Aggregate as _;
        Filter { kinds: vec![Contract::KIND, PARTICIPATION], tenant: None }
    }

    async fn handle(&self, event: &RecordedEvent, cause: &Cause) -> Result<(), ProcessError> {
        let [_, context, _, id] = event.tokens();
        if context == PARTICIPATION.context {
            let Some(publication) = Publication::told_by(event).map_err(failed)? else { return Ok(()) };
            let contract = publication.contract.trim_start_matches("contracts/").to_owned();
            return self.settle(&contract, 0, &[publication], cause).await;
        }
        let decided = read_event::<Event>(&event.envelope.event_type, &event.payload).map_err(failed)?;
        if !changes_rights(&decided) {
            return Ok(());
        }
        let publications = self.publications(&event.envelope.resource, cause).await?;
        self.settle(id, event.position, &publications, cause).await
    }
}

/// Whether rights may differ after it.
fn changes_rights(event: &Event) -> bool {
    matches!(
        event,
        Event::Signed(_)
            | Event::AmendmentAccepted(_)
            | Event::TermsReplaced(_)
            | Event::Renewed(_)
            | Event::Terminated(_)
    )
}

impl Granting {
    /// Everything published under a contract by now.
    async fn publications(&self, contract: &str, cause: &Cause) -> Result<Vec<Publication>, ProcessError> {
        let told = Filter { kinds: vec![PARTICIPATION], tenant: None };
        let last = self.log.last_position(&told).await.map_err(failed)?;
        self.publications.wait_for_position(last, Instant::now() + CATCHES_UP).await.map_err(failed)?;
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let fixed = vec![("contract", contract.to_owned())];
            let query = ListQuery { page_size: PAGE, page_token: &page_token, fixed, ..ListQuery::default() };
            let page = self.publications.list(&cause.tenant, &query).await.map_err(failed)?;
            all.extend(page.rows.into_iter().filter_map(|(key, row)| Publication::of_row(&key, row)));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(all);
            }
        }
    }

    /// Makes the register what the contract says of these publications; the contract as it is after `position`.
    async fn settle(
        &self,
        contract: &str,
        position: Position,
        publications: &[Publication],
        cause: &Cause,
    ) -> Result<(), ProcessError> {
        let mut by = self.contract(contract, position, cause).await?;
        loop {
            for publication in publications {
                self.register(&by, publication, cause).await?;
            }
            let now = self.contract(contract, by.position, cause).await?;
            if now.position == by.position {
                return Ok(());
            }
            by = now;
        }
    }

    async fn contract(
        &self,
        id: &str,
        position: Position,
        cause: &Cause,
    ) -> Result<Arc<Loaded<Contract>>, ProcessError> {
        let loaded = self.contracts.get(&cause.tenant, id).await.map_err(failed)?;
        if !loaded.exists() {
            tracing::error!(contract = id, "content is published under a contract that does not exist");
            return Err(ProcessError(format!("contracts/{id} does not exist")));
        }
        if loaded.position < position {
            return Err(ProcessError(format!("contracts/{id} was read from a replica that lags")));
        }
        Ok(loaded)
    }

    async fn register(
        &self,
        contract: &Loaded<Contract>,
        publication: &Publication,
        cause: &Cause,
    ) -> Result<(), ProcessError> {
        // The same event may come again when the contract has moved on, and then says something else.
        let request_id = format!("{}:{:x}", cause.event_id, contract.position);
        let meta = cause.command(ACTOR, NAME, request_id);
        let entries = register::entries(&contract.state.0, publication, meta.time).map_err(|error| {
            tracing::error!(deliverable = publication.deliverable, %error, "rights can't be derived from the terms");
            failed(error)
        })?;
        for entry in entries {
            match self.rights.execute(&entry.id, &entry.command, &meta).await {
                Ok(_) => {}
                // There is nothing to be revoked.
                Err(ExecuteError::Refused(refusal)) if refusal.reason == ErrorReason::ResourceNotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }
}

fn failed(error: impl std::fmt::Display) -> ProcessError {
    ProcessError(error.to_string())
}
