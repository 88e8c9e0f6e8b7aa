//! Which aggregates have new events: one direct get for the last message of each or, where there are replicas that may lag
//! behind, a question to the leader for each.
//!
//! Invariant: all of an answer is of one state of the log, which says how far that reaches.

use std::collections::HashMap;
use std::fmt::Write as _;

use async_nats::header;
use futures::future::try_join_all;
use tokio::time::timeout;

use super::Connection;
use super::read::{BATCH_END, gapless, number, refused, unreadable};
use crate::{Newer, Position, ReadError, Subject};

/// The server answers for at most 1024 subjects.
const MOST: usize = 1000;
const NOT_FOUND: u16 = 404;

impl Connection {
    pub(super) async fn newer(&self, subjects: &[Subject], after: Position) -> Result<Newer, ReadError> {
        self.reached()?;
        if self.replicated {
            return self.newer_by_leader(subjects, after).await;
        }
        let mut last = Vec::with_capacity(subjects.len());
        let mut up_to = None;
        for subjects in subjects.chunks(MOST) {
            let part = self.newer_of(subjects, after).await?;
            last.extend(part.last);
            up_to = Some(up_to.unwrap_or(part.up_to).min(part.up_to));
        }
        Ok(Newer { last, up_to: up_to.unwrap_or(after) })
    }

    /// What a replica does not have yet may have been acknowledged, so that who asks it could be told what is not so.
    async fn newer_by_leader(&self, subjects: &[Subject], after: Position) -> Result<Newer, ReadError> {
        let stream = self.context.get_stream_no_info(&self.stream).await.map_err(unreadable)?;
        // Before the rest: what is found may be newer.
        let up_to = stream.get_info().await.map_err(unreadable)?.state.last_sequence;
        let subjects: Vec<String> = subjects.iter().map(|subject| self.subject(subject)).collect();
        let last = try_join_all(subjects.iter().map(|subject| self.last_of(subject))).await?;
        let last = last.into_iter().map(|last| if last > after { last } else { 0 }).collect();
        Ok(Newer { last, up_to: up_to.max(after) })
    }

    async fn newer_of(&self, subjects: &[Subject], after: Position) -> Result<Newer, ReadError> {
        let subjects: Vec<String> = subjects.iter().map(|subject| self.subject(subject)).collect();
        let mut route = self.inbox.route();
        let reply = std::mem::take(&mut route.reply);
        let request = request(&subjects, after);
        self.client.publish_with_reply(self.direct_get.clone(), reply, request.into()).await.map_err(unreadable)?;
        let mut last = HashMap::new();
        let mut previous = 0;
        let up_to = loop {
            let message = timeout(self.timeout, route.next())
                .await
                .map_err(|_| ReadError(format!("no answer within {:?}", self.timeout)))?
                .ok_or_else(|| ReadError("the connection to NATS is closed".to_owned()))?;
            match message.status.map(|status| status.as_u16()) {
                None => {}
                Some(BATCH_END) => {
                    gapless(&message, previous)?;
                    break number(&message, "Nats-UpTo-Sequence")?;
                }
                // A replica that has none of them yet, and does not say how far it is.
                Some(NOT_FOUND) => break after,
                Some(_) => return Err(refused(&message)),
            }
            gapless(&message, previous)?;
            previous = number(&message, header::NATS_SEQUENCE)?;
            let subject = message.headers.as_ref().and_then(|headers| headers.get(header::NATS_SUBJECT));
            last.extend(subject.map(|subject| (subject.as_str().to_owned(), previous)));
        };
        let last = subjects.iter().map(|subject| last.get(subject).copied().unwrap_or_default()).collect();
        // One that lags is asked about what it does not have yet.
        Ok(Newer { last, up_to: up_to.max(after) })
    }
}

/// Subjects are made of tokens that need no quoting.
fn request(subjects: &[String], after: Position) -> String {
    let mut request = String::with_capacity(64 * (subjects.len() + 1));
    // Writing to a string never fails.
    let _ = write!(request, r#"{{"seq":{},"batch":{},"multi_last":["#, after + 1, subjects.len());
    for (at, subject) in subjects.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(request, r#"{comma}"{subject}""#);
    }
    request.push_str("]}");
    request
}
