//! What Postgres has forgotten, for it crashed, was replaced by a copy that lags, or restored from a backup, is noticed and
//! folded again, and nobody is answered from what is not whole.
#![allow(clippy::unwrap_used, reason = "a test that can't go on shall say where")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use support::{Account, Accounts, World, append, changed, expected, fill, rows, soon};
use tandem_postgres_server::PostgresServer;
use tandem_views::testing::StoreKind;
use tandem_views::{AnyView as _, ListQuery, QueryError, ViewHandle, ViewStore};
use tokio_util::sync::CancellationToken;

type Handle = ViewHandle<Accounts<1>>;

/// As the view answers once it does; until then it says that it can't, and never that something is broken.
async fn answers(view: &Handle) -> BTreeMap<String, Account> {
    let query = ListQuery { page_size: 1000, ..ListQuery::default() };
    let answered = async {
        loop {
            match view.list("acme", &query).await {
                Ok(page) => return page.rows.into_iter().collect(),
                Err(QueryError::Building(_)) => {}
                Err(QueryError::Store(error)) if error.is_away() => {}
                Err(error) => panic!("{error:?}"),
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout_at(soon(), answered).await.unwrap()
}

/// Waits until it answers what the log says, though no event comes.
async fn is_whole(world: &World, view: &Handle) {
    let whole = async {
        while answers(view).await != expected(&Accounts::<1>, &world.log, "acme") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout_at(soon(), whole).await.unwrap();
}

async fn filled() -> (World, Handle) {
    let world = World::new(StoreKind::Postgres);
    fill(&world.log, 1, 60).await;
    let view = world.start(Accounts::<1>).await;
    world.caught_up(&view).await;
    is_whole(&world, &view).await;
    (world, view)
}

#[tokio::test]
async fn what_was_built_outlives_a_crash() {
    let mut server = PostgresServer::builder().start().await.unwrap();
    let world = World::new(StoreKind::Postgres);
    fill(&world.log, 1, 60).await;
    let store = ViewStore::open(&server.url()).await.unwrap();
    let log = Arc::new(world.log.clone());
    let view = tandem_views::start(Accounts::<1>, &store, log, world.shutdown.clone()).await.unwrap();
    world.caught_up(&view).await;
    // At once: nothing has had the time to be written by itself.
    server.kill().await.unwrap();
    let error = view.get("acme", "a1").await.unwrap_err();
    assert!(matches!(&error, QueryError::Store(error) if error.is_away()), "{error:?}");
    server.restart().await.unwrap();
    assert_eq!(answers(&view).await, expected(&Accounts::<1>, &world.log, "acme"));
    fill(&world.log, 1000, 30).await;
    world.caught_up(&view).await;
    is_whole(&world, &view).await;
    assert_eq!(view.status().await.unwrap().generation, 1, "it was not built anew");
}

#[tokio::test]
async fn a_generation_that_is_gone_is_built_anew_under_another_number() {
    let (world, view) = filled().await;
    let second = world.start(Accounts::<1>).await;
    world.caught_up(&second).await;
    world
        .sql(
            "BEGIN; DELETE FROM view_generations; \
             DROP TABLE accounts_v1_g1; DROP TABLE accounts_v1_g1_tags; DROP TABLE accounts_v1_g1_parked; COMMIT",
        )
        .await;
    let all = expected(&Accounts::<1>, &world.log, "acme");
    // Whoever is answered, is answered from all of it.
    assert_eq!(answers(&view).await, all);
    assert_eq!(answers(&second).await, all);
    append(&world.log, "acme", "a1", &changed("OPEN", 5)).await;
    for view in [&view, &second] {
        world.caught_up(view).await;
        is_whole(&world, view).await;
        assert_eq!(
            view.status().await.unwrap().generation,
            2,
            "what still reads the lost one must not read half of this"
        );
    }
}

#[tokio::test]
async fn a_view_that_went_back_is_folded_from_there_without_a_new_event() {
    let (world, view) = filled().await;
    let tables = ["view_generations", "accounts_v1_g1", "accounts_v1_g1_tags", "accounts_v1_g1_parked"];
    let copy: String = tables.iter().map(|table| format!("CREATE TABLE copy_{table} AS TABLE {table};")).collect();
    world.sql(&copy).await;
    fill(&world.log, 1000, 60).await;
    world.caught_up(&view).await;
    is_whole(&world, &view).await;
    let back: String =
        tables.iter().map(|table| format!("DELETE FROM {table}; INSERT INTO {table} TABLE copy_{table};")).collect();
    world.sql(&format!("BEGIN; {back} COMMIT")).await;
    is_whole(&world, &view).await;
}

#[tokio::test]
async fn a_database_that_has_forgotten_all_is_filled_again() {
    let (world, view) = filled().await;
    world.sql(&format!("DROP SCHEMA {} CASCADE", world.place.schema)).await;
    is_whole(&world, &view).await;
    append(&world.log, "acme", "a1", &changed("OPEN", 5)).await;
    world.caught_up(&view).await;
    assert_eq!(rows(&view, "acme").await, expected(&Accounts::<1>, &world.log, "acme"));
    // As somebody finds it who comes later.
    let shutdown = CancellationToken::new();
    let late = tandem_views::start(Accounts::<1>, &world.store().await, Arc::new(world.log.clone()), shutdown).await;
    assert_eq!(answers(&late.unwrap()).await, expected(&Accounts::<1>, &world.log, "acme"));
}
