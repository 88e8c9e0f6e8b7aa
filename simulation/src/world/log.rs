//! The log as a service sees it: the real one in memory, with what goes wrong on the way.
//!
//! Invariant: what it answers is what a replicated JetStream may answer: an append is written at most once under its guard,
//! a reply that is not [`AppendError::Unknown`] is true, and only what any replica may answer may be behind.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tandem_eventlog::{
    Append, AppendError, Delivery, DeliveryStream, EventLog, EventStream, Filter, MemoryLog, Newer, Position,
    ReadError, RecordedEvent, Subject,
};
use tokio::time::sleep;

use super::incarnation::Incarnation;
use super::{LATER, Sabotage, World, Written};
use crate::faults::Fault;

pub(super) struct SimulatedLog {
    of: Arc<Incarnation>,
    log: MemoryLog,
}

impl SimulatedLog {
    pub(super) fn new(of: &Arc<Incarnation>) -> Self {
        Self { of: Arc::clone(of), log: of.world.log.clone() }
    }

    fn read_fails(&self, what: &str) -> Result<(), ReadError> {
        let fails = self.of.world.occurs(Fault::ReadFailed, &format!("{} {what}", self.of.label));
        if fails { Err(ReadError("the log is away".to_owned())) } else { Ok(()) }
    }
}

/// Writes, and notes what was written.
async fn write(world: &World, log: &MemoryLog, by: &str, mut parts: Vec<Append>) -> Result<Vec<Position>, AppendError> {
    let asked = parts.len();
    if world.is(Sabotage::TornAppends) {
        parts.truncate(1);
    }
    if world.is(Sabotage::UnguardedAppends) {
        for part in &mut parts {
            let Some(first) = part.events.first() else { continue };
            let events = log.read(&first.subject, 0).await.unwrap_or_default();
            part.expected = events.last().map_or(0, |event| event.position);
        }
    }
    let subjects: Vec<String> =
        parts.iter().filter_map(|part| Some(part.events.first()?.subject.to_string())).collect();
    let requests: Vec<String> =
        parts.iter().filter_map(|part| Some(part.events.first()?.envelope.request_id.clone())).collect();
    let told = |outcome: &str| format!("{by} append {} {} {outcome}", subjects.join(" "), requests.join(" "));
    let mut positions = log.append(parts).await.inspect_err(|error| world.step(|| told(&error.to_string())))?;
    world.step(|| told(&format!("{positions:?}")));
    let all = subjects.iter().zip(&requests).zip(&positions);
    let written = |((subject, request_id), position): ((&String, &String), &Position)| Written {
        subject: subject.clone(),
        request_id: request_id.clone(),
        position: *position,
    };
    world.wrote(all.map(written).collect());
    positions.resize(asked, positions.last().copied().unwrap_or_default());
    Ok(positions)
}

#[async_trait::async_trait]
impl EventLog for SimulatedLog {
    async fn append(&self, parts: Vec<Append>) -> Result<Vec<Position>, AppendError> {
        let (of, world) = (&self.of, &self.of.world);
        of.passes("append").await;
        let unknown = || AppendError::Unknown("no answer in time".to_owned());
        if world.occurs(Fault::AppendLost, &of.label) {
            of.passes("append lost").await;
            return Err(unknown());
        }
        if world.occurs(Fault::AppendRefused, &of.label) {
            return Err(AppendError::Unavailable("the log is away".to_owned()));
        }
        if world.storms(&of.label) && !world.chance.one_in(5) {
            of.passes("append in a storm").await;
            return Err(AppendError::Conflict);
        }
        if world.occurs(Fault::AppendLate, &of.label) {
            let (world, log, label) = (Arc::clone(world), self.log.clone(), of.label.clone());
            tokio::spawn(async move {
                sleep(world.chance.up_to(Duration::from_secs(1))).await;
                let _ = write(&world, &log, &label, parts).await;
            });
            of.passes("append late").await;
            return Err(unknown());
        }
        if world.is(Sabotage::LostAppends) && world.chance.one_in(40) {
            return Ok(parts.iter().map(|part| part.expected + 1).collect());
        }
        let mut written = write(world, &self.log, &of.label, parts.clone()).await;
        if world.occurs(Fault::AppendDoubled, &of.label) {
            of.passes("append doubled").await;
            written = write(world, &self.log, &of.label, parts).await;
        }
        let lost = written.is_ok() && world.occurs(Fault::AppendReplyLost, &of.label);
        of.passes("append answered").await;
        if lost { Err(unknown()) } else { written }
    }

    async fn read(&self, subject: &Subject, after: Position) -> Result<Vec<RecordedEvent>, ReadError> {
        self.of.passes("read").await;
        self.read_fails("read")?;
        let events = self.log.read(subject, after).await;
        self.of.passes("read answered").await;
        events
    }

    async fn read_from_any(&self, subject: &Subject, after: Position) -> Result<Vec<RecordedEvent>, ReadError> {
        let (of, world) = (&self.of, &self.of.world);
        of.passes("read").await;
        self.read_fails("read")?;
        let mut events = self.log.read(subject, after).await?;
        if !events.is_empty() && world.occurs(Fault::StaleRead, &format!("{} {}", of.label, subject.id())) {
            let known = world.chance.below(events.len() as u64);
            events.truncate(usize::try_from(known).unwrap_or_default());
        }
        of.passes("read answered").await;
        Ok(events)
    }

    async fn newer(&self, subjects: &[Subject], after: Position) -> Result<Newer, ReadError> {
        self.of.passes("newer").await;
        self.read_fails("newer")?;
        let newer = self.log.newer(subjects, after).await;
        self.of.passes("newer answered").await;
        newer
    }

    async fn get(&self, position: Position) -> Result<Option<RecordedEvent>, ReadError> {
        self.of.passes("get").await;
        self.read_fails("get")?;
        let event = self.log.get(position).await;
        self.of.passes("get answered").await;
        event
    }

    async fn last_position(&self, filter: &Filter) -> Result<Position, ReadError> {
        self.of.passes("last position").await;
        self.read_fails("last position")?;
        let last = self.log.last_position(filter).await;
        self.of.passes("last position answered").await;
        last
    }

    async fn follow(&self, filter: &Filter, after: Position) -> Result<EventStream, ReadError> {
        self.of.passes("follow").await;
        self.read_fails("follow")?;
        let events = self.log.follow(filter, after).await?;
        let broken = futures::stream::unfold(Some((events, Arc::clone(&self.of))), |going| async move {
            let (mut events, of) = going?;
            loop {
                let event = events.next().await?;
                of.lives().await;
                let world = &of.world;
                if world.chance.one_in(8) {
                    of.passes("followed").await;
                }
                if let Ok(event) = &event
                    && event.position % 40 == 0
                    && world.is(Sabotage::SkippedEvents)
                {
                    continue;
                }
                if world.occurs(Fault::StreamBroken, &of.label) {
                    return Some((Err(ReadError("the connection is lost".to_owned())), None));
                }
                return Some((event, Some((events, of))));
            }
        });
        Ok(broken.boxed())
    }

    async fn consume(&self, name: &str, filter: &Filter) -> Result<DeliveryStream, ReadError> {
        self.of.passes("consume").await;
        self.read_fails("consume")?;
        let deliveries = self.log.consume(name, filter).await?;
        let name: Arc<str> = name.into();
        let broken = futures::stream::unfold(Some((deliveries, Arc::clone(&self.of), name)), |going| async move {
            let (mut deliveries, of, name) = going?;
            loop {
                of.lives().await;
                if of.world.occurs(Fault::Redelivered, &name) {
                    of.world.log.inject(tandem_eventlog::Fault::DuplicateDelivery);
                }
                let delivery = tokio::select! {
                    biased;
                    () = of.died() => continue,
                    delivery = deliveries.next() => delivery?,
                };
                let delivery = match delivery {
                    Ok(delivery) => delivery,
                    Err(error) => return Some((Err(error), Some((deliveries, of, name)))),
                };
                let (world, position) = (&of.world, delivery.event().position);
                world.step(|| format!("{} {name} is handed {position}, {}.", of.label, delivery.attempt()));
                if world.is(Sabotage::UnhandledEvents) && position % 20 == 0 {
                    let _ = delivery.ack().await;
                    continue;
                }
                if world.occurs(Fault::Reordered, &name) {
                    let _ = delivery.retry(world.chance.up_to(Duration::from_secs(5))).await;
                    continue;
                }
                if world.occurs(Fault::StreamBroken, &name) {
                    // What was on its way is handed out again when nobody acknowledges it.
                    return Some((Err(ReadError("the connection is lost".to_owned())), None));
                }
                let handed: Box<dyn Delivery> = Box::new(Handed { delivery, of: Arc::clone(&of) });
                return Some((Ok(handed), Some((deliveries, of, name))));
            }
        });
        Ok(broken.boxed())
    }
}

struct Handed {
    delivery: Box<dyn Delivery>,
    of: Arc<Incarnation>,
}

#[async_trait::async_trait]
impl Delivery for Handed {
    fn event(&self) -> &RecordedEvent {
        self.delivery.event()
    }

    fn attempt(&self) -> u64 {
        self.delivery.attempt()
    }

    async fn ack(&self) -> Result<(), ReadError> {
        self.of.passes("ack").await;
        if self.of.world.occurs(Fault::AckLost, &self.of.label) {
            return Err(ReadError("the acknowledgement is lost".to_owned()));
        }
        if self.of.world.is(Sabotage::UnheardAcks) {
            return self.delivery.retry(LATER).await;
        }
        self.delivery.ack().await
    }

    async fn retry(&self, delay: Duration) -> Result<(), ReadError> {
        self.of.passes("put back").await;
        self.delivery.retry(delay).await
    }
}
