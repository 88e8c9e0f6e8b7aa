//! The last position that a filter lets through.
//!
//! Invariant: exact. The end of the log is asked of the leader, and what stands at a position never changes. Asking the
//! leader for the last message below a wildcard would do, but takes 10 ms among 100 000 aggregates, and more among more:
//! so what was found is remembered, and the little that came since is looked through, newest first.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use futures::future::try_join_all;

use super::Connection;
use super::read::unreadable;
use crate::{Filter, Kind, Position, ReadError};

/// Most events looked through; with more to see, the wildcard is cheaper.
const MOST: Position = 127;

/// What was found for filters of all tenants, of which there are few.
#[derive(Debug, Default)]
pub(super) struct Found(Mutex<HashMap<Vec<Kind>, Answer>>);

#[derive(Clone, Copy, Debug, Default)]
struct Answer {
    /// The end of the log that it was found for.
    end: Position,
    last: Position,
}

impl Found {
    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<Kind>, Answer>> {
        // An answer is put in whole or not at all.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, filter: &Filter) -> Answer {
        if filter.tenant.is_some() {
            Answer::default()
        } else {
            self.lock().get(&filter.kinds).copied().unwrap_or_default()
        }
    }

    fn put(&self, filter: &Filter, answer: Answer) {
        if filter.tenant.is_none() {
            let mut found = self.lock();
            let known = found.entry(filter.kinds.clone()).or_default();
            if answer.end > known.end {
                *known = answer;
            }
        }
    }
}

impl Connection {
    pub(super) async fn last_position(&self, filter: &Filter) -> Result<Position, ReadError> {
        let subjects = self.subjects(filter)?;
        self.reached()?;
        let stream = self.context.get_stream_no_info(&self.stream).await.map_err(unreadable)?;
        let end = stream.get_info().await.map_err(unreadable)?.state.last_sequence;
        if filter.kinds.is_empty() && filter.tenant.is_none() {
            return Ok(end);
        }
        let known = self.found.get(filter);
        let last = match self.newest(filter, known.end, end).await? {
            Newest::At(position) => position,
            Newest::None => known.last,
            Newest::TooMany => last_below(&stream, &subjects).await?,
        };
        self.found.put(filter, Answer { end, last });
        Ok(last)
    }

    /// Looks for the filter's newest event after `after` and up to `end`: at one event, then two, four, eight.
    async fn newest(&self, filter: &Filter, after: Position, end: Position) -> Result<Newest, ReadError> {
        let (mut high, mut step) = (end, 1);
        while high > after {
            if end - high >= MOST {
                return Ok(Newest::TooMany);
            }
            let low = high.saturating_sub(step).max(after);
            let events = try_join_all((low + 1..=high).rev().map(|position| self.get(position))).await?;
            if let Some(event) = events.into_iter().flatten().find(|event| filter.lets_through(event)) {
                return Ok(Newest::At(event.position));
            }
            (high, step) = (low, step * 2);
        }
        Ok(Newest::None)
    }
}

enum Newest {
    At(Position),
    None,
    TooMany,
}

async fn last_below(stream: &Stream<()>, subjects: &[String]) -> Result<Position, ReadError> {
    let last = try_join_all(subjects.iter().map(|subject| async move {
        match stream.get_last_raw_message_by_subject(subject).await {
            Ok(message) => Ok(message.sequence),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(0),
            Err(error) => Err(unreadable(error)),
        }
    }));
    Ok(last.await?.into_iter().max().unwrap_or(0))
}
