//! The life of a contract, as commands and as events that fill a log.
//!
//! Invariant: the log holds what the service would have written: every event was decided by the aggregate. For a large
//! log one contract is decided, and its events are written for many.

use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use tandem_aggregate::{Aggregate as _, AggregateCache, CommandMeta, Executor};
use tandem_contracts::contract::{Action, Command, Consent, Contract, Draft};
use tandem_contracts::terms::Terms;
use tandem_eventlog::{Append, EventLog, MemoryLog, NewEvent, Position, RecordedEvent, Subject};
use tandem_proto::contracts::v1::{Party, SignatureMethod};
use tandem_proto::validation::Path;
use uuid::Uuid;

use crate::sample::{BRAND, CREATOR, TENANT, terms};

/// When it happens: before the sample's contract begins, in whichever year this runs.
const TIME: Timestamp = Timestamp::constant(1_800_000_000, 0);
/// Offers that follow the first one until all but the answer is said.
pub(crate) const OFFERS_IN_RETURN: i64 = 8;
/// Events of a long life.
pub(crate) const EVENTS: usize = 10;
/// Contracts whose events are written in one atomic batch, of which the log takes 1000 events.
const TOGETHER: usize = 1000;
/// Batches under way.
const AT_ONCE: usize = 4;

/// What happens to a contract.
pub(crate) struct Life(Vec<RecordedEvent>);

impl Life {
    /// Ten events: six offers, of which the last is accepted and signed by both.
    pub(crate) async fn signed() -> anyhow::Result<Self> {
        Self::signed_after(5).await?.of_ten()
    }

    /// Ten events: nine offers, the last of which waits for the creator's answer.
    pub(crate) async fn negotiated() -> anyhow::Result<Self> {
        Self::of(offers(OFFERS_IN_RETURN)?).await?.of_ten()
    }

    /// An offer and another in return, which is accepted.
    pub(crate) async fn agreed() -> anyhow::Result<Self> {
        Self::of(accepted_after(1)?).await
    }

    fn of_ten(self) -> anyhow::Result<Self> {
        anyhow::ensure!(self.0.len() == EVENTS, "{} events", self.0.len());
        Ok(self)
    }

    /// A draft, its proposal, and so many offers in return, the last of which is accepted and signed by both.
    async fn signed_after(counters: i64) -> anyhow::Result<Self> {
        let mut actions = accepted_after(counters)?;
        let signature = sign(counters)?;
        actions.extend([Party::Creator, Party::Brand].map(|by| (by, signature.clone())));
        Self::of(actions).await
    }

    async fn of(actions: Vec<(Party, Action)>) -> anyhow::Result<Self> {
        let log = MemoryLog::new();
        let executor = Executor::<Contract>::new(Arc::new(log.clone()), AggregateCache::with_bytes(1));
        for (by, action) in actions {
            executor.execute("template", &Command { by, action }, &meta(by)).await?;
        }
        Ok(Self(log.events()))
    }

    /// Gives it to the contracts `c0`, `c1` and so on of these numbers, of which the log has none yet. Their events lie
    /// among each other, as those of many users do.
    pub(crate) async fn fill(&self, log: &Arc<dyn EventLog>, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
        let end = numbers.end;
        stream::iter(numbers.step_by(TOGETHER))
            .map(|first| self.live(log, first..end.min(first + TOGETHER)))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// The life of some contracts, who do the same at the same time.
    async fn live(&self, log: &Arc<dyn EventLog>, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
        let mut last: Vec<Position> = vec![0; numbers.len()];
        for event in &self.0 {
            let parts = numbers.clone().zip(&last).map(|(number, expected)| {
                let events = vec![event_of(event, number)?];
                anyhow::Ok(Append { expected: *expected, events })
            });
            last = log.append(parts.collect::<Result<_, _>>()?).await?;
        }
        Ok(())
    }
}

/// What happened to the template, happening to another.
fn event_of(event: &RecordedEvent, number: usize) -> anyhow::Result<NewEvent> {
    let id = format!("c{number}");
    let mut envelope = event.envelope.clone();
    envelope.id = Uuid::now_v7().to_string();
    envelope.resource = format!("contracts/{id}");
    let payload = Bytes::clone(&event.payload);
    Ok(NewEvent { subject: Subject::new(TENANT, Contract::KIND, &id)?, envelope, payload })
}

/// A draft, its proposal, and so many offers in return, the last of which is accepted.
fn accepted_after(counters: i64) -> anyhow::Result<Vec<(Party, Action)>> {
    let mut actions = offers(counters)?;
    // The first offer in return, and every second one after it, is the creator's.
    actions.push((if counters % 2 == 1 { Party::Brand } else { Party::Creator }, Action::Accept));
    Ok(actions)
}

/// A draft, its proposal, and so many offers in return, with the party whose turn it was.
fn offers(counters: i64) -> anyhow::Result<Vec<(Party, Action)>> {
    let mut actions = vec![(Party::Brand, draft()?), (Party::Brand, Action::Propose { expire_time: None })];
    for round in 1..=counters {
        let by = if round % 2 == 1 { Party::Creator } else { Party::Brand };
        actions.push((by, Action::Counter { terms: parse(4000 + round)?, expire_time: None }));
    }
    Ok(actions)
}

/// A signature of the terms after so many offers in return.
pub(crate) fn sign(counters: i64) -> anyhow::Result<Action> {
    Ok(Action::Sign(Consent {
        terms_hash: parse(4000 + counters)?.hash().to_owned(),
        capacity: "Head of Partnerships".to_owned(),
        method: SignatureMethod::Click,
        document: None,
        exclusivity_override: None,
    }))
}

/// The first thing that happens to a contract.
pub(crate) fn draft() -> anyhow::Result<Action> {
    let (creator, title) = (CREATOR.to_owned(), "Summer launch".to_owned());
    Ok(Action::Draft(Draft { brand: BRAND.to_owned(), creator, title, terms: parse(4000)?, template: None }))
}

fn parse(fee: i64) -> anyhow::Result<Terms> {
    Terms::parse(terms(fee), &Path::Root).ok().context("the sample's terms are not valid")
}

/// As the service makes it of a request.
pub(crate) fn meta(by: Party) -> CommandMeta {
    CommandMeta {
        tenant: TENANT.to_owned(),
        actor: if by == Party::Brand { "users/ada" } else { CREATOR }.to_owned(),
        command: "tandem.contracts.v1.ContractService/CounterContract".to_owned(),
        reason: String::new(),
        request_id: Uuid::now_v7().to_string(),
        request_hash: Uuid::new_v4().simple().to_string(),
        correlation_id: Uuid::now_v7().to_string(),
        causation_id: String::new(),
        traceparent: String::new(),
        etag: String::new(),
        time: TIME,
        test_clock: false,
    }
}

#[cfg(test)]
mod tests {
    use tandem_proto::contracts::v1::ContractState;

    use super::*;

    #[tokio::test]
    async fn a_filled_log_has_every_contract_as_it_was_decided() {
        for (life, state) in [
            (Life::signed().await.unwrap(), ContractState::Upcoming),
            (Life::negotiated().await.unwrap(), ContractState::Countered),
        ] {
            let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new());
            life.fill(&log, 0..2100).await.unwrap();
            let executor = Executor::<Contract>::new(Arc::clone(&log), AggregateCache::with_bytes(1));
            for id in ["c0", "c999", "c2099"] {
                let loaded = executor.get(TENANT, id).await.unwrap();
                assert_eq!((loaded.event_count, loaded.state.0.state()), (EVENTS as u64, state), "{id}");
                assert_eq!(loaded.state.0.name, format!("contracts/{id}"));
            }
            assert!(!executor.get(TENANT, "c2100").await.unwrap().exists());
        }
    }
}
