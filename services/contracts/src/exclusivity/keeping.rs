//! Keeping books: a creator's book says what their signed contracts bind them to by now.
//!
//! Invariant: what is written follows from the contract as it is, never from the event that led to it: handled twice, late
//! or out of order, events of a contract lead to the same book.
//!
//! A signature reserves by itself, in its own commit. What happens afterwards is kept here: renewal and notice against it,
//! an early end, amendments. An amendment that leads into a conflict is in force, for both parties have agreed on it; the
//! book names the contracts that it conflicts with, and a warning is logged.

use std::sync::Arc;

use futures::FutureExt as _;
use tandem_aggregate::{Aggregate as _, Cause, CommandMeta, Executor, Process, ProcessError, commit_together};
use tandem_eventlog::{EventLog, Filter, Position, RecordedEvent};
use tandem_proto::contracts::v1::contract_event::Event;
use tandem_proto::read_event;
use tandem_service::Service as _;

use super::book::{Book, Command};
use super::commitment::commitment;
use crate::contract::Contract;
use crate::{ACTOR, Contracts};

/// In traces, and what its commands say they come from.
const NAME: &str = "contracts-exclusivity";

/// The process.
pub struct Keeping {
    log: Arc<dyn EventLog>,
    contracts: Arc<Executor<Contract>>,
    books: Arc<Executor<Book>>,
}

impl Keeping {
    /// Over the contracts and the books.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, contracts: Arc<Executor<Contract>>, books: Arc<Executor<Book>>) -> Self {
        Self { log, contracts, books }
    }
}

#[async_trait::async_trait]
impl Process for Keeping {
    fn name(&self) -> &str {
        NAME
    }

    fn consumer(&self) -> &str {
        Contracts::NAME
    }

    fn filter(&self) -> Filter {
        Filter { kinds: vec![Contract::KIND], tenant: None }
    }

    async fn handle(&self, event: &RecordedEvent, cause: &Cause) -> Result<(), ProcessError> {
        let id = event.tokens()[3];
        let Some(creator) = self.creator(event, id).await? else { return Ok(()) };
        self.keep(id, &creator, event.position, &cause.command(ACTOR, NAME, cause.event_id.clone())).await
    }
}

impl Keeping {
    /// The id of the creator whose book the event may change.
    async fn creator(&self, event: &RecordedEvent, id: &str) -> Result<Option<String>, ProcessError> {
        let decided = read_event::<Event>(&event.envelope.event_type, &event.payload).map_err(failed)?;
        if !matters(&decided) {
            return Ok(None);
        }
        let contract = self.contracts.get(event.tenant(), id).await.map_err(failed)?;
        Ok(contract.state.0.creator.strip_prefix("creators/").map(str::to_owned))
    }

    async fn keep(&self, id: &str, creator: &str, seen: Position, meta: &CommandMeta) -> Result<(), ProcessError> {
        let stage = || {
            async move {
                // The book first: if it is what the append is guarded by, the contract is as new as anybody's who wrote it.
                let book = self.books.get(&meta.tenant, creator).await?;
                let contract = self.contracts.get(&meta.tenant, id).await?;
                if contract.position < seen {
                    // Told by a server that was cut off from the log before the event.
                    return Ok((Vec::new(), None));
                }
                let command = Command::Keep(commitment(&contract.state.0));
                let mut staged = self.books.stage(creator, &command, meta).await?;
                if let Some(append) = &mut staged.append {
                    append.expected = book.position;
                }
                Ok((Vec::from_iter(staged.append), Some((book, staged.loaded))))
            }
            .boxed()
        };
        let (kept, positions) = commit_together(self.log.as_ref(), stage).await.map_err(failed)?;
        let (before, after) = kept.ok_or_else(|| ProcessError("the contract is not readable yet".to_owned()))?;
        let contract = format!("contracts/{id}");
        let known = before.state.overridden(&contract);
        let conflicts: Vec<_> =
            after.state.overridden(&contract).iter().filter(|contract| !known.contains(contract)).collect();
        if !positions.is_empty() && !conflicts.is_empty() {
            tracing::warn!(tenant = meta.tenant, contract, ?conflicts, "a change of terms conflicts with exclusivity");
        }
        Ok(())
    }
}

/// Whether an event can change what a contract binds to. Nothing binds before the second signature.
fn matters(event: &Event) -> bool {
    match event {
        Event::Drafted(_)
        | Event::Proposed(_)
        | Event::Countered(_)
        | Event::Accepted(_)
        | Event::Declined(_)
        | Event::Withdrawn(_)
        | Event::Lapsed(_)
        | Event::SignatureAdded(_)
        | Event::Started(_)
        | Event::DocumentAttached(_)
        | Event::AmendmentProposed(_)
        | Event::AmendmentDeclined(_)
        | Event::AmendmentWithdrawn(_)
        | Event::DeadlineWarned(_)
        | Event::BreachNoticed(_)
        | Event::BreachCured(_)
        | Event::Suspended(_)
        | Event::Reinstated(_)
        | Event::TerminationProposed(_)
        | Event::TerminationDeclined(_)
        | Event::StatutoryChecked(_) => false,
        // Reserved with the signature already, but for what was signed before there were books.
        Event::Signed(_)
        | Event::AmendmentAccepted(_)
        | Event::TermsReplaced(_)
        | Event::RenewalNoticeGiven(_)
        | Event::Renewed(_)
        | Event::Expired(_)
        | Event::TerminationNoticed(_)
        | Event::Terminated(_) => true,
    }
}

fn failed(error: impl std::fmt::Display) -> ProcessError {
    ProcessError(error.to_string())
}
