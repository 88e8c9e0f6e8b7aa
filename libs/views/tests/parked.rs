//! What a view can't take: set aside, told, and taken in once it can be.
#![allow(clippy::unwrap_used, reason = "a test that can't go on shall say where")]

mod support;

use bytes::Bytes;
use support::{Account, Accounts, World, append, changed, rows};
use tandem_eventlog::{Append, EventLog as _, Kind, NewEvent, Position, RecordedEvent, Subject, testing};
use tandem_proto::campaigns::v1::campaign_event::Event;
use tandem_proto::read_event;
use tandem_views::testing::StoreKind;
use tandem_views::{AnyView as _, Column, FoldError, RetryReport, View, ViewHandle, on_every_store};

const KIND: Kind = Kind { context: "campaigns", aggregate: "campaign" };
const CLOSED: &str = "tandem.campaigns.v1.CampaignClosed";
const NEWER: &str = "tandem.campaigns.v1.CampaignPaused";

/// A row for each campaign: the events that were taken in. Once mended it takes what is broken and what it panics at,
/// once upgraded the newer type; its version is not raised, for nothing changes for all others.
struct Notes {
    mended: bool,
    upgraded: bool,
}

const BEFORE: Notes = Notes { mended: false, upgraded: false };

impl View for Notes {
    const NAME: &'static str = "notes";
    const VERSION: i32 = 1;
    const KINDS: &'static [Kind] = &[KIND];
    const ROW_PER_AGGREGATE: bool = true;
    type Row = Account;

    fn columns() -> Vec<Column<Account>> {
        Vec::new()
    }

    fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
        Ok(vec![event.tokens()[3].to_owned()])
    }

    fn fold(&self, _: &str, row: Option<Account>, event: &RecordedEvent) -> Result<Option<Account>, FoldError> {
        match &event.payload[..] {
            b"broken" if !self.mended => return Err(FoldError::new("broken")),
            b"panic" if !self.mended => panic!("asked for"),
            b"broken" | b"panic" => {}
            _ if self.upgraded && event.envelope.event_type == NEWER => {}
            payload => drop(read_event::<Event>(&event.envelope.event_type, payload)?),
        }
        let mut row = row.unwrap_or_default();
        row.positions.push(event.position);
        Ok(Some(row))
    }
}

/// Something happens to a campaign; answers where it stands.
async fn happens(world: &World, id: &str, event_type: &str, payload: &'static [u8]) -> Position {
    let subject = Subject::new("acme", KIND, id).unwrap();
    let expected = world.log.read(&subject, 0).await.unwrap().last().map_or(0, |event| event.position);
    let mut envelope = testing::envelope(&format!("{id}-{expected}"));
    envelope.event_type = event_type.to_owned();
    let event = NewEvent { subject, envelope, payload: Bytes::from_static(payload) };
    world.log.append(vec![Append { expected, events: vec![event] }]).await.unwrap()[0]
}

async fn taken_in(view: &ViewHandle<Notes>, id: &str) -> Vec<Position> {
    view.get("acme", id).await.unwrap().unwrap_or_default().positions
}

async fn counts(view: &ViewHandle<Notes>) -> (u64, u64) {
    let status = view.status().await.unwrap();
    assert_eq!((status.parked.len() as u64, status.newer.len() as u64), (status.parked_count, status.newer_count));
    (status.parked_count, status.newer_count)
}

async fn what_a_fold_panics_at_is_parked_and_ends_nothing(kind: StoreKind) {
    let world = World::new(kind);
    let view = world.start(BEFORE).await;
    happens(&world, "a", CLOSED, b"panic").await;
    happens(&world, "a", CLOSED, b"").await;
    let other = happens(&world, "b", CLOSED, b"").await;
    world.caught_up(&view).await;
    assert_eq!(taken_in(&view, "b").await, [other]);
    let status = view.status().await.unwrap();
    assert_eq!((status.parked_count, status.failure), (2, None));
    assert_eq!(status.parked[0].error, "the fold panicked: asked for");
}

async fn what_is_mended_is_taken_in_by_command_in_its_order(kind: StoreKind) {
    let mut world = World::new(kind);
    let view = world.start(BEFORE).await;
    let mut expected = [Vec::new(), Vec::new()];
    for (of, id) in ["a", "b"].into_iter().enumerate() {
        expected[of].push(happens(&world, id, CLOSED, b"").await);
        expected[of].push(happens(&world, id, CLOSED, b"broken").await);
        expected[of].push(happens(&world, id, CLOSED, b"").await);
        expected[of].push(happens(&world, id, CLOSED, b"panic").await);
    }
    let damaged = happens(&world, "c", CLOSED, b"").await;
    happens(&world, "c", "tandem.campaigns.v1.CampaignKpisSet", b"\xff").await;
    world.caught_up(&view).await;
    assert_eq!(counts(&view).await, (7, 0));
    assert_eq!(view.retry(None).await.unwrap(), RetryReport { retried: 7, parked: 7, rebuilt: false });
    assert_eq!(counts(&view).await, (7, 0), "nothing has changed yet");
    world.stop(view).await;

    let view = world.start(Notes { mended: true, ..BEFORE }).await;
    world.caught_up(&view).await;
    assert_eq!(counts(&view).await, (7, 0), "only a command tries them again");
    let one = view.retry(Some("acme.campaigns.campaign.a")).await.unwrap();
    assert_eq!(one, RetryReport { retried: 3, parked: 0, rebuilt: false });
    assert_eq!(taken_in(&view, "a").await, expected[0]);
    assert_eq!(taken_in(&view, "b").await, expected[1][..1]);
    let all = view.retry(None).await.unwrap();
    assert_eq!(all, RetryReport { retried: 4, parked: 1, rebuilt: false });
    assert_eq!(taken_in(&view, "b").await, expected[1]);
    assert_eq!(taken_in(&view, "c").await, [damaged]);

    // What comes later is no longer held back, but for what is damaged.
    expected[0].push(happens(&world, "a", CLOSED, b"").await);
    happens(&world, "c", CLOSED, b"").await;
    world.caught_up(&view).await;
    assert_eq!(taken_in(&view, "a").await, expected[0]);
    assert_eq!(counts(&view).await, (2, 0));
    let again = view.retry(Some("acme.campaigns.campaign.a")).await.unwrap();
    assert_eq!(again, RetryReport::default());
    let before = [taken_in(&view, "a").await, taken_in(&view, "b").await, taken_in(&view, "c").await];
    view.rebuild().await.unwrap();
    let after = [taken_in(&view, "a").await, taken_in(&view, "b").await, taken_in(&view, "c").await];
    assert_eq!(after, before, "as if nothing had ever been parked");
}

async fn what_a_newer_version_has_written_is_passed_over_until_it_is_known(kind: StoreKind) {
    let mut world = World::new(kind);
    let view = world.start(BEFORE).await;
    let first = happens(&world, "a", CLOSED, b"").await;
    let newer = happens(&world, "a", NEWER, b"\xff").await;
    let last = happens(&world, "a", CLOSED, b"").await;
    world.caught_up(&view).await;
    assert_eq!(taken_in(&view, "a").await, [first, last]);
    assert_eq!(counts(&view).await, (0, 1));
    let status = view.status().await.unwrap();
    assert_eq!((status.newer[0].position, &status.newer[0].event_type[..]), (newer, NEWER));
    assert_eq!(view.retry(None).await.unwrap(), RetryReport::default(), "nothing waits behind it");
    let generation = status.generation;
    world.stop(view).await;

    // A start of the same version changes nothing ...
    let view = world.start(BEFORE).await;
    world.caught_up(&view).await;
    assert_eq!(view.status().await.unwrap().generation, generation);
    world.stop(view).await;
    // ... one that knows the type builds the view anew by itself. A rebuild that goes on is waited for.
    let view = world.start(Notes { upgraded: true, ..BEFORE }).await;
    view.rebuild().await.unwrap();
    assert_eq!(taken_in(&view, "a").await, [first, newer, last]);
    assert_eq!(counts(&view).await, (0, 0));
}

async fn rows_of_several_aggregates_are_built_anew(kind: StoreKind) {
    let world = World::new(kind);
    let view = world.start(Accounts::<1>).await;
    append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    append(&world.log, "acme", "a1", &changed("BROKEN", 10)).await;
    world.caught_up(&view).await;
    let before = (rows(&view, "acme").await, view.status().await.unwrap());
    assert_eq!(view.retry(None).await.unwrap(), RetryReport { retried: 1, parked: 1, rebuilt: true });
    let after = (rows(&view, "acme").await, view.status().await.unwrap());
    assert_eq!((after.0, after.1.parked_count), (before.0, before.1.parked_count));
    assert!(after.1.generation > before.1.generation);
}

on_every_store!(
    what_a_fold_panics_at_is_parked_and_ends_nothing,
    what_is_mended_is_taken_in_by_command_in_its_order,
    what_a_newer_version_has_written_is_passed_over_until_it_is_known,
    rows_of_several_aggregates_are_built_anew,
);
