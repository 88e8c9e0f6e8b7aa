//! Running commands: load, decide, append under the guard, answer.
//!
//! Invariant: after an unknown outcome nothing is assumed; the aggregate is read again and asked for the request id. What is
//! not proved by the guard of an append rests on an exact read: a refusal, and that there is nothing to do.

mod freshness;

use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tandem_eventlog::{
    Append, AppendError, Envelope, EventLog, InvalidToken, NewEvent, Position, ReadError, RecordedEvent, Subject,
    ambient,
};
use tandem_proto::EventSet as _;
use tracing::Instrument as _;

use crate::{Aggregate, AggregateCache, Context, Loaded, Refusal};
use freshness::Freshness;

/// How often a command is decided anew when others write to the same aggregate.
const ATTEMPTS: usize = 10;

/// What comes with a command.
#[derive(Clone, Debug)]
pub struct CommandMeta {
    /// Whose data; from the token, never from the request.
    pub tenant: String,
    /// Who asks: `users/{user}`, `creators/{creator}`, `services/{service}`.
    pub actor: String,
    /// The gRPC method, `tandem.contracts.v1.ContractService/SignContract`.
    pub command: String,
    /// Why, if said.
    pub reason: String,
    /// Makes the command idempotent.
    pub request_id: String,
    /// Fingerprint of the command's body.
    pub request_hash: String,
    /// Shared by all that follows from one outside request.
    pub correlation_id: String,
    /// The event that caused the command; empty if a person did.
    pub causation_id: String,
    /// W3C trace context to be carried on in the log; empty if not traced.
    pub traceparent: String,
    /// The state that the caller decided by; empty if any will do.
    pub etag: String,
    /// Now.
    pub time: Timestamp,
    /// Whether `time` was set by a test clock.
    pub test_clock: bool,
}

/// What became of a command.
#[derive(Clone, Debug)]
pub struct Outcome<A> {
    /// The aggregate after it; after a repeated command, as it was answered the first time.
    pub loaded: Loaded<A>,
    /// Whether this call wrote the events (not a repetition, not without effect).
    pub written: bool,
    /// The command was taken before; `loaded` is as it was answered then.
    pub repeated: bool,
}

/// Why a command has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The aggregate refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The caller decided by an older state.
    #[error("the etag is not the current one")]
    EtagMismatch,
    /// The request id came before with another body.
    #[error("the request_id was used before with another body")]
    RequestIdReused,
    /// Others kept writing to the same aggregate.
    #[error("others wrote to the same resource at the same time")]
    Contended,
    /// Tenant or id can't be in the log.
    #[error(transparent)]
    InvalidId(#[from] InvalidToken),
    /// The log can't be reached; nothing, or nothing new, was written, or the outcome is unknown: repeat.
    #[error("the log can't be reached: {0}")]
    Unavailable(String),
    /// A newer version has written an event of the aggregate that this one does not know.
    #[error(
        "event {position} is a {event_type}, which is unknown here: a newer version has written it, upgrade this one"
    )]
    UpgradeNeeded {
        /// Full protobuf name of the event.
        event_type: String,
        /// Where it stands.
        position: Position,
    },
    /// The log has an event of the aggregate that is damaged.
    #[error("the log can't be understood: {0}")]
    Corrupt(String),
}

impl From<ReadError> for ExecuteError {
    fn from(error: ReadError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Who told what a command is decided by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The cache, which does not know what others have written since.
    Memory,
    /// A replica of the log, which may lag.
    AnyReplica,
    /// An exact read.
    Newest,
}

/// Runs commands on aggregates of one kind. Cheap to share; one per service and kind.
pub struct Executor<A: Aggregate> {
    log: Arc<dyn EventLog>,
    cache: AggregateCache,
    kind: PhantomData<fn() -> A>,
    freshness: Freshness,
}

impl<A: Aggregate> Executor<A> {
    /// An executor that keeps what it has loaded in `cache`, which others may share.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>, cache: AggregateCache) -> Self {
        Self { freshness: Freshness::new(Arc::clone(&log), cache.positions()), log, cache, kind: PhantomData }
    }

    /// The aggregate as it is now; [`Loaded::exists`] tells whether it is there.
    ///
    /// # Errors
    /// If the id can't be one, or the log can't be read.
    pub async fn get(&self, tenant: &str, id: &str) -> Result<Arc<Loaded<A>>, ExecuteError> {
        let subject = Subject::new(tenant, A::KIND, id)?;
        let known = self.cache.get(&subject);
        if let Some(known) = &known
            && !self.freshness.moved_on(&subject, known.position).await?
        {
            return Ok(Arc::clone(known));
        }
        self.refresh(&subject, known).await
    }

    /// The aggregate as it was at `position` or later: from memory or any replica of the log if that is as new.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_since(&self, tenant: &str, id: &str, position: Position) -> Result<Arc<Loaded<A>>, ExecuteError> {
        let subject = Subject::new(tenant, A::KIND, id)?;
        match self.cache.get(&subject) {
            Some(loaded) if loaded.position >= position => Ok(loaded),
            known => {
                let loaded = self.refresh_from_any(&subject, known).await?;
                if loaded.position >= position { Ok(loaded) } else { self.refresh(&subject, Some(loaded)).await }
            }
        }
    }

    /// The aggregate as it was after its event at `position`.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_at(&self, tenant: &str, id: &str, position: Position) -> Result<Loaded<A>, ExecuteError> {
        let subject = Subject::new(tenant, A::KIND, id)?;
        self.replay(&subject, position).await
    }

    /// Runs a command.
    ///
    /// # Errors
    /// See [`ExecuteError`]. After [`ExecuteError::Unavailable`] it may have taken effect: repeat it with the same
    /// request id.
    pub async fn execute(
        &self,
        id: &str,
        command: &A::Command,
        meta: &CommandMeta,
    ) -> Result<Outcome<A>, ExecuteError> {
        let subject = Subject::new(&meta.tenant, A::KIND, id)?;
        // What is not in memory is taken to be new, which spares a creation the reading: if it is not, the guard of the
        // append says so, or the refusal is not believed, and it is read.
        let mut loaded = self.cache.get(&subject).unwrap_or_default();
        let mut source = Source::Memory;
        let mut unanswered = None;
        for _ in 0..ATTEMPTS {
            let decided = match self.repeated(&subject, &loaded, meta).await? {
                Some(outcome) => return Ok(outcome),
                None => decide(&loaded, command, meta, &subject),
            };
            source = match decided {
                // What is read of an aggregate that was not in memory is mostly enough to write to it, whoever tells it.
                Err(_) | Ok((None, _)) if source == Source::Memory && !loaded.exists() => Source::AnyReplica,
                // Other than an append, which is guarded, this would rest on what may be old.
                Err(_) | Ok((None, _)) if source != Source::Newest => Source::Newest,
                Err(error) => return Err(error),
                Ok((None, _)) => return Ok(Outcome { loaded: (*loaded).clone(), written: false, repeated: false }),
                Ok((Some(append), mut next)) => match self.append(&subject, append).await {
                    Ok(positions) => {
                        let position = positions.first().copied().unwrap_or_default();
                        next.settle(position, meta);
                        self.cache.insert(subject, Arc::new(next.clone()));
                        return Ok(Outcome { loaded: next, written: true, repeated: false });
                    }
                    Err(AppendError::Conflict) => Source::Newest,
                    Err(AppendError::Unknown(error)) => {
                        unanswered = Some(error);
                        Source::Newest
                    }
                    Err(AppendError::Unavailable(error)) => return Err(ExecuteError::Unavailable(error)),
                },
            };
            loaded = match source {
                Source::AnyReplica => self.refresh_from_any(&subject, Some(loaded)).await?,
                Source::Memory | Source::Newest => self.refresh(&subject, Some(loaded)).await?,
            };
        }
        Err(unanswered.map_or(ExecuteError::Contended, ExecuteError::Unavailable))
    }

    async fn append(&self, subject: &Subject, append: Append) -> Result<Vec<Position>, AppendError> {
        let span = tracing::debug_span!("append", otel.name = "append", otel.kind = "producer", %subject);
        self.log.append(vec![append]).instrument(span).await
    }

    /// Decides a command without appending, to be committed with others by [`commit_together`].
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn stage(&self, id: &str, command: &A::Command, meta: &CommandMeta) -> Result<Staged<A>, ExecuteError> {
        let subject = Subject::new(&meta.tenant, A::KIND, id)?;
        let loaded = self.refresh(&subject, self.cache.get(&subject)).await?;
        if let Some(outcome) = self.repeated(&subject, &loaded, meta).await? {
            return Ok(Staged { append: None, loaded: outcome.loaded, repeated: true });
        }
        let (append, next) = decide(&loaded, command, meta, &subject)?;
        Ok(Staged { append, loaded: next, repeated: false })
    }

    /// The answer to a command that the aggregate has taken before.
    async fn repeated(
        &self,
        subject: &Subject,
        loaded: &Loaded<A>,
        meta: &CommandMeta,
    ) -> Result<Option<Outcome<A>>, ExecuteError> {
        let Some((position, hash)) = loaded.requests.get(&meta.request_id) else { return Ok(None) };
        if *hash != meta.request_hash {
            return Err(ExecuteError::RequestIdReused);
        }
        let then = if *position == loaded.position { loaded.clone() } else { self.replay(subject, *position).await? };
        Ok(Some(Outcome { loaded: then, written: false, repeated: true }))
    }

    /// What is known, made the newest.
    async fn refresh(&self, subject: &Subject, known: Option<Arc<Loaded<A>>>) -> Result<Arc<Loaded<A>>, ExecuteError> {
        let known = known.unwrap_or_default();
        let events = self.log.read(subject, known.position).await?;
        self.applied(subject, known, &events)
    }

    /// What is known, made as new as a replica has it.
    async fn refresh_from_any(
        &self,
        subject: &Subject,
        known: Option<Arc<Loaded<A>>>,
    ) -> Result<Arc<Loaded<A>>, ExecuteError> {
        let known = known.unwrap_or_default();
        let events = self.log.read_from_any(subject, known.position).await?;
        self.applied(subject, known, &events)
    }

    fn applied(
        &self,
        subject: &Subject,
        known: Arc<Loaded<A>>,
        events: &[RecordedEvent],
    ) -> Result<Arc<Loaded<A>>, ExecuteError> {
        if events.is_empty() {
            return Ok(known);
        }
        let mut loaded = (*known).clone();
        for event in events {
            loaded.apply(event)?;
        }
        let loaded = Arc::new(loaded);
        self.cache.insert(subject.clone(), Arc::clone(&loaded));
        Ok(loaded)
    }

    async fn replay(&self, subject: &Subject, until: Position) -> Result<Loaded<A>, ExecuteError> {
        let mut events = self.log.read_from_any(subject, 0).await?;
        if events.last().is_none_or(|last| last.position < until) {
            events = self.log.read(subject, 0).await?;
        }
        let mut loaded = Loaded::default();
        for event in events.iter().filter(|event| event.position <= until) {
            loaded.apply(event)?;
        }
        Ok(loaded)
    }
}

impl<A: Aggregate> Loaded<A> {
    /// The events that were evolved provisionally are now in the log.
    fn settle(&mut self, position: Position, meta: &CommandMeta) {
        self.position = position;
        self.test_clock = meta.test_clock;
        self.requests.insert(meta.request_id.clone(), (position, meta.request_hash.clone()));
    }
}

/// A decided command that waits to be committed.
#[derive(Debug)]
pub struct Staged<A> {
    /// To be given to [`commit_together`]; none if there is nothing to append.
    pub append: Option<Append>,
    /// The aggregate after it (its position still the one before).
    pub loaded: Loaded<A>,
    /// The command was taken before; `loaded` is as it was answered then.
    pub repeated: bool,
}

/// Commits what several aggregates decided, all or nothing. `stage` decides anew after each conflict; it answers the
/// appends and what is to be returned. Answers that and the position of each append's last event, in their order (none if
/// there was nothing to append).
///
/// # Errors
/// What `stage` answers; [`ExecuteError::Contended`] or [`ExecuteError::Unavailable`] as a single command does.
pub async fn commit_together<'a, T>(
    log: &dyn EventLog,
    // Boxed, for an `AsyncFn` can't be demanded to be `Send` yet.
    stage: impl Fn() -> BoxFuture<'a, Result<(Vec<Append>, T), ExecuteError>>,
) -> Result<(T, Vec<Position>), ExecuteError> {
    let mut unanswered = None;
    for _ in 0..ATTEMPTS {
        let (parts, value) = stage().await?;
        if parts.is_empty() {
            return Ok((value, Vec::new()));
        }
        let span = tracing::debug_span!("append", otel.name = "append", otel.kind = "producer", parts = parts.len());
        match log.append(parts).instrument(span).await {
            Ok(positions) => return Ok((value, positions)),
            Err(AppendError::Conflict) => {}
            Err(AppendError::Unknown(error)) => unanswered = Some(error),
            Err(AppendError::Unavailable(error)) => return Err(ExecuteError::Unavailable(error)),
        }
    }
    Err(unanswered.map_or(ExecuteError::Contended, ExecuteError::Unavailable))
}

/// Decides, and evolves provisionally.
fn decide<A: Aggregate>(
    loaded: &Loaded<A>,
    command: &A::Command,
    meta: &CommandMeta,
    subject: &Subject,
) -> Result<(Option<Append>, Loaded<A>), ExecuteError> {
    if !meta.etag.is_empty() && meta.etag != loaded.etag() {
        return Err(ExecuteError::EtagMismatch);
    }
    let resource = format!("{}/{}", A::COLLECTION, subject.id());
    let context = Context { time: meta.time, actor: &meta.actor, resource: &resource };
    let decided = loaded.state.decide(command, &context)?;
    let mut next = loaded.clone();
    let mut events = Vec::with_capacity(decided.len());
    for event in decided {
        let mut envelope = envelope(meta, event.type_name(), &resource);
        next.state.evolve(&event, &envelope);
        envelope.partnership = next.state.partnership(&event);
        let payload = Bytes::from(event.encode());
        next.count(&payload, &envelope);
        events.push(NewEvent { subject: subject.clone(), envelope, payload });
    }
    let append = (!events.is_empty()).then_some(Append { expected: loaded.position, events });
    Ok((append, next))
}

// Where decisions are made into events: the one place that gives events their ids.
#[expect(clippy::disallowed_methods, reason = "events get their ids here")]
fn envelope(meta: &CommandMeta, event_type: &str, resource: &str) -> Envelope {
    Envelope {
        id: ambient::new_id().to_string(),
        event_type: event_type.to_owned(),
        resource: resource.to_owned(),
        time: meta.time,
        actor: meta.actor.clone(),
        command: meta.command.clone(),
        reason: meta.reason.clone(),
        request_id: meta.request_id.clone(),
        request_hash: meta.request_hash.clone(),
        correlation_id: meta.correlation_id.clone(),
        causation_id: meta.causation_id.clone(),
        partnership: String::new(),
        traceparent: meta.traceparent.clone(),
        test_clock: meta.test_clock,
    }
}
