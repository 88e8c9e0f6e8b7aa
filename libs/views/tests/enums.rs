//! Columns of enums: a filter names a value as the proto file, the API or a person does, or is told what there is.
#![allow(clippy::unwrap_used, reason = "a test that can't go on shall say where")]

mod support;

use std::marker::PhantomData;

use bytes::Bytes;
use prost::Message;
use support::{ACCOUNT, World, append_raw};
use tandem_eventlog::{Kind, RecordedEvent};
use tandem_proto::creators::v1::{Channel, Creator, Platform, Tier};
use tandem_views::testing::StoreKind;
use tandem_views::{Column, FoldError, ListQuery, QueryError, StoreError, View, ViewHandle, on_every_store};

/// The columns of a view of creators, each of which is its own event.
trait Columns: Send + Sync + 'static {
    fn columns() -> Vec<Column<Creator>>;
}

struct Creators<C>(PhantomData<C>);

impl<C: Columns> View for Creators<C> {
    const NAME: &'static str = "creators";
    const VERSION: i32 = 1;
    const KINDS: &'static [Kind] = &[ACCOUNT];
    type Row = Creator;

    fn columns() -> Vec<Column<Creator>> {
        C::columns()
    }

    fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
        Ok(vec![event.tokens()[3].to_owned()])
    }

    fn fold(&self, _: &str, _: Option<Creator>, event: &RecordedEvent) -> Result<Option<Creator>, FoldError> {
        Ok(Some(Creator::decode(Bytes::clone(&event.payload))?))
    }
}

struct Enums;

impl Columns for Enums {
    fn columns() -> Vec<Column<Creator>> {
        let platforms = |row: &Creator| row.channels.iter().map(|channel| channel.platform).collect();
        vec![
            Column::text("name", |row: &Creator| row.name.clone()),
            Column::enumeration("tier", "tandem.creators.v1.Tier", |row: &Creator| row.tier).indexed(),
            Column::enumeration_set("platform", "tandem.creators.v1.Platform", platforms),
        ]
    }
}

/// What [`Enums`] were before they were enums.
struct Texts;

impl Columns for Texts {
    fn columns() -> Vec<Column<Creator>> {
        vec![
            Column::text("name", |row: &Creator| row.name.clone()),
            Column::text("tier", |row: &Creator| row.tier().as_str_name().to_owned()),
        ]
    }
}

struct Misspelt;

impl Columns for Misspelt {
    fn columns() -> Vec<Column<Creator>> {
        vec![Column::enumeration("tier", "tandem.creators.v1.Teir", |row: &Creator| row.tier)]
    }
}

struct TextOnly;

impl Columns for TextOnly {
    fn columns() -> Vec<Column<Creator>> {
        vec![Column::text("name", |row: &Creator| row.name.clone())]
    }
}

async fn fill(world: &World) {
    let creator = |tier: Tier, platforms: &[Platform]| {
        let channel = |platform: &Platform| Channel { platform: (*platform).into(), ..Channel::default() };
        Creator { tier: tier.into(), channels: platforms.iter().map(channel).collect(), ..Creator::default() }
    };
    for (id, creator) in [
        ("mega", creator(Tier::Mega, &[Platform::Youtube, Platform::Tiktok])),
        ("micro", creator(Tier::Micro, &[Platform::Youtube])),
        ("none", creator(Tier::Unspecified, &[Platform::Unspecified])),
        ("newer", Creator { tier: 4711, ..Creator::default() }),
    ] {
        append_raw(&world.log, "acme", ACCOUNT, id, creator.encode_to_vec()).await;
    }
}

async fn start<C: Columns>(world: &World) -> ViewHandle<Creators<C>> {
    let view = world.start(Creators::<C>(PhantomData)).await;
    world.caught_up(&view).await;
    view
}

async fn list<C: Columns>(view: &ViewHandle<Creators<C>>, filter: &str) -> Result<String, QueryError> {
    let page = view.list("acme", &ListQuery { filter, ..ListQuery::default() }).await?;
    Ok(page.rows.into_iter().map(|(id, _)| id).collect::<Vec<_>>().join(" "))
}

async fn a_value_is_found_however_it_is_written(kind: StoreKind) {
    let world = World::new(kind);
    fill(&world).await;
    let view = start::<Enums>(&world).await;
    for (filter, found) in [
        ("tier = MEGA", "mega"),
        ("tier = mega", "mega"),
        ("tier = TIER_MEGA", "mega"),
        ("tier = 'tier_mega'", "mega"),
        ("tier != Mega AND tier:*", "micro newer"),
        ("NOT tier:*", "none"),
        ("platform:YOUTUBE", "mega micro"),
        ("platform:platform_tiktok", "mega"),
        ("-platform:youtube", "newer none"),
        ("platform:*", "mega micro"),
    ] {
        assert_eq!(list(&view, filter).await.unwrap(), found, "{filter}");
    }
    let fixed = vec![("tier", "MEGA".to_owned())];
    let page = view.list("acme", &ListQuery { fixed, ..ListQuery::default() }).await.unwrap();
    assert_eq!(page.total_size, 1);
}

async fn what_is_no_value_is_refused_with_those_that_are(kind: StoreKind) {
    let world = World::new(kind);
    fill(&world).await;
    let view = start::<Enums>(&world).await;
    let tiers = "NANO, MICRO, ";
    for (filter, reason) in [
        ("tier = HUGE", "tier is one of NANO, MICRO, "),
        ("tier = \"\"", "which \"\" is not"),
        ("tier = 5", "which \"5\" is not"),
        ("tier = UNSPECIFIED", "which \"UNSPECIFIED\" is not"),
        ("platform:myspace", "platform is one of INSTAGRAM, "),
        ("tier > MICRO", "tier is an enum, which has no order: compare it by = or !="),
        ("tier:MEGA", "tier is no set: compare it"),
        ("platform = YOUTUBE", "platform is a set: ask for a member, platform:\"YOUTUBE\""),
    ] {
        let error = list(&view, filter).await.unwrap_err();
        assert_eq!(error.field(), Some("filter"), "{filter}");
        let message = error.to_string();
        assert!(message.contains(reason), "{filter}: {message}");
        assert!(message.contains(&format!("name (text), tier (enum: {tiers}")), "{message}");
        assert!(message.contains("platform (set of enum: INSTAGRAM, "), "{message}");
    }
}

async fn the_example_of_an_error_is_a_filter_that_is_taken(kind: StoreKind) {
    let world = World::new(kind);
    fill(&world).await;
    async fn example<C: Columns>(view: &ViewHandle<Creators<C>>) -> String {
        let message = list(view, "colour = red").await.unwrap_err().to_string();
        let (_, example) = message.split_once("for example: ").unwrap();
        list(view, example).await.unwrap();
        example.to_owned()
    }
    assert_eq!(example(&start::<Enums>(&world).await).await, "tier = NANO");
    let world = World::new(kind);
    assert_eq!(example(&start::<TextOnly>(&world).await).await, "name = \"…\"");
}

async fn a_text_that_becomes_an_enum_is_built_anew(kind: StoreKind) {
    let mut world = World::new(kind);
    fill(&world).await;
    let view = start::<Texts>(&world).await;
    assert_eq!(list(&view, "tier = TIER_MEGA").await.unwrap(), "mega");
    world.stop(view).await;
    let view = world.start(Creators::<Enums>(PhantomData)).await;
    // Asked for while the build goes on, it ends with that.
    tandem_views::AnyView::rebuild(&view).await.unwrap();
    assert_eq!(list(&view, "tier = MEGA").await.unwrap(), "mega");
}

async fn a_view_of_an_enum_that_is_not_there_does_not_start(kind: StoreKind) {
    let world = World::new(kind);
    let store = world.store().await;
    let log = std::sync::Arc::new(world.log.clone());
    let started = tandem_views::start(Creators::<Misspelt>(PhantomData), &store, log, world.shutdown.clone()).await;
    match started {
        Err(StoreError::Definition { reason, .. }) => assert!(reason.contains("tandem.creators.v1.Teir"), "{reason}"),
        _ => panic!("it started"),
    }
}

on_every_store!(
    a_value_is_found_however_it_is_written,
    what_is_no_value_is_refused_with_those_that_are,
    the_example_of_an_error_is_a_filter_that_is_taken,
    a_text_that_becomes_an_enum_is_built_anew,
    a_view_of_an_enum_that_is_not_there_does_not_start,
);
