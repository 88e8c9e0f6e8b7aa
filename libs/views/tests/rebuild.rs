//! A rebuild makes the same again, beside what answers.
#![allow(clippy::unwrap_used, reason = "a test that can't go on shall say where")]

mod support;

use std::sync::Arc;

use prost::Message;
use support::{Accounts, GatedLog, World, append, changed, expected, fill, rows};
use tandem_views::testing::StoreKind;
use tandem_views::{AnyView, ListQuery, QueryError, ViewHandle, on_every_store};

async fn a_rebuild_yields_the_same_bytes(kind: StoreKind) {
    let world = World::new(kind);
    fill(&world.log, 1, 700).await;
    let view = world.start(Accounts::<1>).await;
    world.caught_up(&view).await;
    fill(&world.log, 5000, 40).await;
    world.caught_up(&view).await;
    let before = world.dump("accounts_v1_g1", "tenant, id").await;
    let tags = world.dump("accounts_v1_g1_tags", "tenant, field, value, id").await;
    let report = view.rebuild().await.unwrap();
    assert_eq!((report.name, report.version, report.generation), ("accounts", 1, 2));
    assert_eq!((report.event_count, report.row_count as usize), (740, before.len()));
    assert_eq!(world.dump("accounts_v1_g2", "tenant, id").await, before);
    assert_eq!(world.dump("accounts_v1_g2_tags", "tenant, field, value, id").await, tags);
    assert_eq!(world.tables().await, ["accounts_v1_g2", "accounts_v1_g2_parked", "accounts_v1_g2_tags"]);
    // It goes on from there.
    fill(&world.log, 9000, 10).await;
    world.caught_up(&view).await;
    assert_eq!(rows(&view, "acme").await, expected(&Accounts::<1>, &world.log, "acme"));
}

async fn the_old_one_answers_and_goes_on_until_the_new_one_is_built(kind: StoreKind) {
    let world = World::new(kind);
    let log = Arc::new(GatedLog::new(world.log.clone()));
    append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    let view = world.start_on(Accounts::<1>, log.clone()).await;
    world.caught_up(&view).await;
    log.close();
    let rebuild = tokio::spawn({
        let view = view.clone();
        async move { view.rebuild().await }
    });
    log.asked().await;
    // The build waits for the log; the old generation is still followed.
    append(&world.log, "acme", "a1", &changed("OPEN", 10)).await;
    world.caught_up(&view).await;
    assert_eq!(view.get("acme", "a1").await.unwrap().unwrap().amount, 11);
    assert_eq!(view.status().await.unwrap().generation, 1);
    assert!(!rebuild.is_finished());
    log.open();
    assert_eq!(rebuild.await.unwrap().unwrap().generation, 2);
    assert_eq!(view.status().await.unwrap().generation, 2);
    assert_eq!(view.get("acme", "a1").await.unwrap().unwrap().amount, 11);
}

async fn a_new_version_is_built_while_the_old_one_answers(kind: StoreKind) {
    let mut world = World::new(kind);
    let view = world.start(Accounts::<1>).await;
    append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    append(&world.log, "acme", "a1", &changed("BROKEN", 10)).await;
    append(&world.log, "acme", "a1", &changed("OPEN", 100)).await;
    world.caught_up(&view).await;
    assert_eq!(view.status().await.unwrap().parked_count, 2);
    world.stop(view).await;

    let log = Arc::new(GatedLog::new(world.log.clone()));
    log.close();
    let view = world.start_on(Accounts::<2>, log.clone()).await;
    log.asked().await;
    assert_eq!(view.get("acme", "a1").await.unwrap().unwrap().amount, 1);
    let old = view.list("acme", &ListQuery { filter: "amount = 1", ..ListQuery::default() }).await.unwrap();
    assert_eq!(old.rows.len(), 1);
    let by_new = ListQuery { filter: "event_count = 3", ..ListQuery::default() };
    assert!(matches!(view.list("acme", &by_new).await, Err(QueryError::Building(_))));
    finish(&view, &log).await;
    // What the first version could not take is there now.
    assert_eq!(view.list("acme", &by_new).await.unwrap().rows[0].1.amount, 111);
    let status = view.status().await.unwrap();
    assert_eq!((status.version, status.generation, status.parked_count), (2, 2, 0));
    world.stop(view).await;

    // Back again: the first version is built anew.
    log.close();
    let view = world.start_on(Accounts::<1>, log.clone()).await;
    log.asked().await;
    finish(&view, &log).await;
    assert_eq!(view.get("acme", "a1").await.unwrap().unwrap().amount, 1);
    assert_eq!(view.status().await.unwrap().version, 1);
}

async fn a_view_that_is_ahead_of_its_log_is_built_anew(kind: StoreKind) {
    let mut world = World::new(kind);
    fill(&world.log, 1, 50).await;
    let view = world.start(Accounts::<1>).await;
    world.caught_up(&view).await;
    world.stop(view).await;
    // A log that was restored from a backup, or another one.
    world.log = tandem_eventlog::MemoryLog::new();
    append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    let view = world.start(Accounts::<1>).await;
    view.rebuild().await.unwrap();
    let status = view.status().await.unwrap();
    assert_eq!((status.generation, status.position, status.row_count), (2, 1, 1));
    assert_eq!(rows(&view, "acme").await, expected(&Accounts::<1>, &world.log, "acme"));
}

/// Opens the log and waits until what is being built answers.
async fn finish<const VERSION: i32>(view: &ViewHandle<Accounts<VERSION>>, log: &GatedLog) {
    let (report, ()) = tokio::join!(view.rebuild(), async { log.open() });
    assert_eq!(report.unwrap().version, VERSION);
}

async fn a_build_that_was_interrupted_goes_on_or_is_cleared_away(kind: StoreKind) {
    let mut world = World::new(kind);
    fill(&world.log, 1, 100).await;
    let log = Arc::new(GatedLog::new(world.log.clone()));
    log.close();
    let view = world.start_on(Accounts::<1>, log.clone()).await;
    log.asked().await;
    world.stop(view).await;
    let view = world.start(Accounts::<1>).await;
    world.caught_up(&view).await;
    assert_eq!(view.status().await.unwrap().generation, 1);
    world.stop(view).await;

    log.open();
    let view = world.start_on(Accounts::<1>, log.clone()).await;
    // Once it has taken an event, it does follow the log.
    append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    world.caught_up(&view).await;
    log.close();
    let rebuild = tokio::spawn({
        let view = view.clone();
        async move { view.rebuild().await }
    });
    log.asked().await;
    world.stop(view).await;
    let error = rebuild.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("was interrupted"));
    let view = world.start(Accounts::<1>).await;
    world.caught_up(&view).await;
    fill(&world.log, 500, 1).await;
    world.caught_up(&view).await;
    assert_eq!(world.tables().await.len(), 3);
    assert_eq!(rows(&view, "zeta").await, expected(&Accounts::<1>, &world.log, "zeta"));
}

async fn queries_during_rebuilds_never_fail_or_go_back(kind: StoreKind) {
    let world = World::new(kind);
    fill(&world.log, 1, 200).await;
    let view = world.start(Accounts::<1>).await;
    world.caught_up(&view).await;
    let rebuilds = tokio::spawn({
        let view = view.clone();
        async move {
            for _ in 0..5 {
                view.rebuild().await.unwrap();
            }
        }
    });
    let mut seen = 0;
    for n in 0.. {
        if n >= 20 && rebuilds.is_finished() {
            break;
        }
        append(&world.log, "acme", "counter", &changed("OPEN", 1)).await;
        world.caught_up(&view).await;
        let row = view.get("acme", "counter").await.unwrap().unwrap();
        assert_eq!(row.amount, n + 1);
        let all = rows(&view, "acme").await;
        assert!(all.len() >= seen);
        seen = all.len();
    }
    rebuilds.await.unwrap();
    let all: Vec<u8> = rows(&view, "acme").await.into_values().flat_map(|row| row.encode_to_vec()).collect();
    let wanted = expected(&Accounts::<1>, &world.log, "acme").into_values();
    assert_eq!(all, wanted.flat_map(|row| row.encode_to_vec()).collect::<Vec<u8>>());
}

on_every_store!(
    a_rebuild_yields_the_same_bytes,
    the_old_one_answers_and_goes_on_until_the_new_one_is_built,
    a_new_version_is_built_while_the_old_one_answers,
    a_view_that_is_ahead_of_its_log_is_built_anew,
    a_build_that_was_interrupted_goes_on_or_is_cleared_away,
    queries_during_rebuilds_never_fail_or_go_back,
);
