//! What is published: the content that rights are for, by deliverable and by contract.
//!
//! Invariant: one row for each deliverable that is online, as its publication said; nothing of the campaigns service is
//! asked for but its events.

use jiff::Timestamp;
use tandem_eventlog::{Kind, RecordedEvent};
use tandem_proto::campaigns::v1::DeliverablePublished;
use tandem_proto::campaigns::v1::participation_event::Event;
use tandem_proto::{read_event, time};
use tandem_views::{Column, FoldError, View};

/// Where publications are told of.
pub const PARTICIPATION: Kind = Kind { context: "campaigns", aggregate: "participation" };

/// Content that went online.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// `participations/{participation}` in which it was made.
    pub participation: String,
    /// `participations/{participation}/deliverables/{deliverable}`.
    pub deliverable: String,
    /// `contracts/{contract}` under which it was made.
    pub contract: String,
    /// Since when it is online.
    pub publish_time: Timestamp,
}

impl Publication {
    /// What an event tells of; none if it tells of no publication.
    ///
    /// # Errors
    /// If the event can't be read.
    pub fn told_by(event: &RecordedEvent) -> Result<Option<Self>, FoldError> {
        let decided = read_event(&event.envelope.event_type, &event.payload)?;
        let Event::DeliverablePublished(published) = decided else { return Ok(None) };
        let publish_time = published.publish_time.as_ref().and_then(time::from_proto);
        Ok(Some(Self::new(
            event.tokens()[3],
            &published.deliverable_id,
            published.contract,
            publish_time.unwrap_or(event.envelope.time),
        )))
    }

    /// A row of [`Publications`]; none if it is not one.
    #[must_use]
    pub fn of_row(key: &str, row: DeliverablePublished) -> Option<Self> {
        let (participation, deliverable) = key.split_once('~')?;
        let publish_time = row.publish_time.as_ref().and_then(time::from_proto)?;
        Some(Self::new(participation, deliverable, row.contract, publish_time))
    }

    fn new(participation: &str, deliverable: &str, contract: String, publish_time: Timestamp) -> Self {
        let participation = format!("participations/{participation}");
        Self {
            deliverable: format!("{participation}/deliverables/{deliverable}"),
            participation,
            contract,
            publish_time,
        }
    }
}

/// The view: its rows are the events themselves, as far as rights go by them.
pub struct Publications;

impl Publications {
    /// The row's key of `participations/{participation}/deliverables/{deliverable}`.
    #[must_use]
    pub fn key(deliverable: &str) -> Option<String> {
        let (participation, deliverable) = deliverable.strip_prefix("participations/")?.split_once("/deliverables/")?;
        Some(format!("{participation}~{deliverable}"))
    }
}

impl View for Publications {
    const NAME: &'static str = "publications";
    const VERSION: i32 = 1;
    const KINDS: &'static [Kind] = &[PARTICIPATION];
    const ROW_PER_AGGREGATE: bool = true;
    type Row = DeliverablePublished;

    fn columns() -> Vec<Column<DeliverablePublished>> {
        vec![Column::text("contract", |row: &DeliverablePublished| row.contract.clone()).indexed()]
    }

    fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
        let told = Publication::told_by(event)?;
        Ok(told.and_then(|publication| Self::key(&publication.deliverable)).into_iter().collect())
    }

    fn fold(
        &self,
        _key: &str,
        row: Option<DeliverablePublished>,
        event: &RecordedEvent,
    ) -> Result<Option<DeliverablePublished>, FoldError> {
        let Some(publication) = Publication::told_by(event)? else { return Ok(row) };
        let publish_time = Some(time::to_proto(publication.publish_time));
        Ok(Some(DeliverablePublished { contract: publication.contract, publish_time, ..Default::default() }))
    }
}
