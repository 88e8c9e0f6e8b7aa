//! A view follows the log, exactly once, whatever happens to it.
#![allow(clippy::unwrap_used, reason = "a test that can't go on shall say where")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use support::{
    ACCOUNT, Accounts, Changed, GatedLog, OTHER, World, append, append_raw, changed, expected, fill, rows, soon,
};
use tandem_eventlog::Positions;
use tandem_views::testing::StoreKind;
use tandem_views::{AnyView, QueryError, StoreError, ViewHandle, ViewStore, WaitError, on_every_store};
use tokio::time::Instant;

async fn a_row_is_there_once_its_position_is_waited_for(kind: StoreKind) {
    let world = World::new(kind);
    let view = world.start(Accounts::<1>).await;
    for n in 1..=20 {
        let position = append(&world.log, "acme", "a1", &changed("OPEN", 5)).await;
        let mut positions = Positions::default();
        positions.insert(ACCOUNT, position);
        view.wait_for(&positions, soon()).await.unwrap();
        let row = view.get("acme", "a1").await.unwrap().unwrap();
        assert_eq!((row.amount, row.positions.len()), (5 * n, n as usize));
    }
    append(&world.log, "acme", "a1", &changed("CLOSED", 0)).await;
    world.caught_up(&view).await;
    assert_eq!(view.get("acme", "a1").await.unwrap(), None);
}

async fn what_nobody_waits_for_is_written_soon(kind: StoreKind) {
    let world = World::new(kind);
    let view = world.start(Accounts::<1>).await;
    // The later ones come before the first has been written long enough for the next write.
    let mut last = 0;
    for _ in 0..30 {
        last = append(&world.log, "acme", "a1", &changed("OPEN", 5)).await;
    }
    let written = async {
        while view.status().await.unwrap().position < last {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout_at(soon(), written).await.unwrap();
    assert_eq!(view.get("acme", "a1").await.unwrap().unwrap().positions.len(), 30);
}

async fn waiting_ends_at_the_deadline_and_concerns_own_kinds_only(kind: StoreKind) {
    let world = World::new(kind);
    let (view, _) = behind(&world, 7).await;
    let mut positions = Positions::default();
    positions.insert(OTHER, 1_000_000);
    view.wait_for(&positions, soon()).await.unwrap();
    positions.insert(ACCOUNT, 7);
    // The second is long enough for asking where the log ends, which is not before the position.
    for milliseconds in [20, 300] {
        let deadline = Instant::now() + Duration::from_millis(milliseconds);
        let waited = view.wait_for(&positions, deadline).await;
        assert_eq!(waited, Err(WaitError::Deadline { view: "accounts", at: 0, wanted: 7 }));
        assert!(Instant::now() >= deadline);
    }
}

async fn a_view_that_is_behind_the_log_is_waited_for(kind: StoreKind) {
    let world = World::new(kind);
    let (view, log) = behind(&world, 3).await;
    let waiting = tokio::spawn({
        let view = view.clone();
        async move { view.wait_for_position(3, soon()).await }
    });
    // Long enough for both to ask where the log ends.
    let waited = view.wait_for_position(3, Instant::now() + Duration::from_millis(300)).await;
    assert_eq!(waited, Err(WaitError::Deadline { view: "accounts", at: 0, wanted: 3 }));
    assert!(!waiting.is_finished());
    log.open();
    waiting.await.unwrap().unwrap();
    assert_eq!(view.get("acme", "a1").await.unwrap().unwrap().positions.len(), 3);
}

async fn a_position_beyond_the_log_is_told_long_before_the_deadline(kind: StoreKind) {
    let world = World::new(kind);
    let view = world.start(Accounts::<1>).await;
    let far = Instant::now() + Duration::from_secs(3600);
    let beyond = |last, wanted| Err(WaitError::Beyond { view: "accounts", last, wanted });
    assert_eq!(view.wait_for_position(1, far).await, beyond(0, 1));
    let last = append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    // Events of other kinds are not of this view, however far the log goes.
    for _ in 0..9 {
        append_raw(&world.log, "acme", OTHER, "o1", vec![]).await;
    }
    for wanted in [last + 1, last + 9, last + 10, u64::MAX] {
        assert_eq!(view.wait_for_position(wanted, far).await, beyond(last, wanted));
    }
    // What is there is still answered, and so is what comes.
    view.wait_for_position(last, soon()).await.unwrap();
    let next = append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    view.wait_for_position(next, soon()).await.unwrap();
}

async fn a_position_that_is_reached_costs_no_question_to_the_log(kind: StoreKind) {
    let world = World::new(kind);
    let log = Arc::new(GatedLog::new(world.log.clone()));
    let view = world.start_on(Accounts::<1>, log.clone()).await;
    let last = append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    view.wait_for_position(last, soon()).await.unwrap();
    let asked = log.times_last_asked();
    for position in 0..=last {
        view.wait_for_position(position, soon()).await.unwrap();
    }
    assert_eq!(log.times_last_asked(), asked);
}

/// A view that can read none of the log's `count` events before the log is opened.
async fn behind(world: &World, count: usize) -> (ViewHandle<Accounts<1>>, Arc<GatedLog>) {
    for _ in 0..count {
        append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    }
    let log = Arc::new(GatedLog::new(world.log.clone()));
    log.close();
    let view = world.start_on(Accounts::<1>, log.clone()).await;
    log.asked().await;
    (view, log)
}

async fn waiting_ends_when_the_view_is_shut_down(kind: StoreKind) {
    let world = World::new(kind);
    let (view, _) = behind(&world, 7).await;
    let waiting = tokio::spawn({
        let view = view.clone();
        async move { view.wait_for_position(7, soon()).await }
    });
    world.shutdown.cancel();
    assert_eq!(waiting.await.unwrap(), Err(WaitError::Stopped("accounts")));
}

async fn what_is_left_is_the_fold_of_the_log_and_restarts_go_on(kind: StoreKind) {
    let mut world = World::new(kind);
    for round in 0..4 {
        fill(&world.log, round * 1000, 150).await;
        append_raw(&world.log, "acme", OTHER, "o1", vec![]).await;
        let view = world.start(Accounts::<1>).await;
        world.caught_up(&view).await;
        // Some events that come one at a time.
        fill(&world.log, round * 1000 + 500, 20).await;
        world.caught_up(&view).await;
        for tenant in ["acme", "zeta"] {
            assert_eq!(rows(&view, tenant).await, expected(&Accounts::<1>, &world.log, tenant));
        }
        assert_eq!(view.status().await.unwrap().lag, Some(0));
        world.stop(view).await;
    }
}

async fn tenants_do_not_see_each_other(kind: StoreKind) {
    let world = World::new(kind);
    let view = world.start(Accounts::<1>).await;
    append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    append(&world.log, "zeta", "a1", &changed("HELD", 2)).await;
    world.caught_up(&view).await;
    assert_eq!(view.get("acme", "a1").await.unwrap().unwrap().amount, 1);
    assert_eq!(view.get("zeta", "a1").await.unwrap().unwrap().amount, 2);
    for nobody in ["", "acm", "acme ", "%", "acme' OR '1'='1"] {
        assert_eq!(view.get(nobody, "a1").await.unwrap(), None);
        assert!(rows(&view, nobody).await.is_empty(), "{nobody}");
    }
}

async fn a_failed_write_leaves_nothing_and_is_made_good(kind: StoreKind) {
    let world = World::new(kind);
    let view = world.start(Accounts::<1>).await;
    append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    world.caught_up(&view).await;
    // The checkpoint is moved before the row is refused: both must be undone.
    let refuse = match kind {
        StoreKind::Sqlite => {
            "CREATE TRIGGER disk_full BEFORE INSERT ON accounts_v1_g1 WHEN NEW.id = 'a2' \
             BEGIN SELECT RAISE(ABORT, 'disk_full'); END"
        }
        StoreKind::Postgres => "ALTER TABLE accounts_v1_g1 ADD CONSTRAINT disk_full CHECK (id <> 'a2')",
    };
    world.sql(refuse).await;
    append(&world.log, "acme", "a1", &changed("OPEN", 10)).await;
    let last = append(&world.log, "acme", "a2", &changed("OPEN", 100)).await;
    let failure = loop {
        if let Some(failure) = view.status().await.unwrap().failure {
            break failure;
        }
        tokio::task::yield_now().await;
    };
    assert!(failure.contains("disk_full"), "{failure}");
    assert!(view.status().await.unwrap().position < last);
    let accept = match kind {
        StoreKind::Sqlite => "DROP TRIGGER disk_full",
        StoreKind::Postgres => "ALTER TABLE accounts_v1_g1 DROP CONSTRAINT disk_full",
    };
    world.sql(accept).await;
    world.caught_up(&view).await;
    assert_eq!(rows(&view, "acme").await, expected(&Accounts::<1>, &world.log, "acme"));
    assert_eq!(view.status().await.unwrap().failure, None);
}

#[test]
fn killed_at_any_moment_each_event_is_folded_once_in_sqlite() {
    killed_at_any_moment_each_event_is_folded_once(StoreKind::Sqlite);
}

#[test]
fn killed_at_any_moment_each_event_is_folded_once_in_postgres() {
    killed_at_any_moment_each_event_is_folded_once(StoreKind::Postgres);
}

fn killed_at_any_moment_each_event_is_folded_once(kind: StoreKind) {
    let world = World::new(kind);
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for round in 0..12_u64 {
        let killed = runtime();
        killed.block_on(async {
            let view = world.start(Accounts::<1>).await;
            fill(&world.log, round * 100, 60).await;
            // Somewhere in the midst of it, another place each time.
            let somewhere = round * 60 + round * 5;
            view.wait_for_position(somewhere, soon()).await.unwrap();
        });
        // Its tasks end where they stand.
        killed.shutdown_background();
    }
    runtime().block_on(async {
        let view = world.start(Accounts::<1>).await;
        world.caught_up(&view).await;
        for tenant in ["acme", "zeta"] {
            assert_eq!(rows(&view, tenant).await, expected(&Accounts::<1>, &world.log, tenant));
        }
    });
}

async fn two_processes_on_one_store_do_not_fold_twice(kind: StoreKind) {
    let world = World::new(kind);
    let first = world.start(Accounts::<1>).await;
    world.caught_up(&first).await;
    let second = world.start(Accounts::<1>).await;
    fill(&world.log, 3, 300).await;
    world.caught_up(&first).await;
    world.caught_up(&second).await;
    assert_eq!(rows(&first, "acme").await, expected(&Accounts::<1>, &world.log, "acme"));
}

async fn parked_events_hold_back_their_aggregate_alone_and_survive_restarts(kind: StoreKind) {
    let mut world = World::new(kind);
    let view = world.start(Accounts::<1>).await;
    append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    let broken = append(&world.log, "acme", "a1", &changed("BROKEN", 10)).await;
    let waits = append(&world.log, "acme", "a1", &changed("OPEN", 100)).await;
    append(&world.log, "acme", "a2", &changed("OPEN", 5)).await;
    // Folds the one row and fails at the other: neither may change.
    let both = Changed { also: "a2".into(), ..changed("BROKEN", 1000) };
    let half = append(&world.log, "acme", "a3", &both).await;
    let garbage = append_raw(&world.log, "zeta", ACCOUNT, "a1", vec![0xff]).await;
    world.caught_up(&view).await;
    world.stop(view).await;

    let view = world.start(Accounts::<1>).await;
    let late = append(&world.log, "acme", "a1", &changed("OPEN", 200)).await;
    world.caught_up(&view).await;
    let amounts: Vec<_> = rows(&view, "acme").await.into_iter().map(|(id, row)| (id, row.amount)).collect();
    assert_eq!(amounts, [("a1".to_owned(), 1), ("a2".to_owned(), 5)]);
    let status = view.status().await.unwrap();
    assert_eq!((status.parked_count, status.row_count, status.lag), (5, 2, Some(0)));
    let parked: Vec<_> = status.parked.iter().map(|parked| (parked.position, parked.error.as_str())).collect();
    assert_eq!(
        parked[..3],
        [
            (broken, "state BROKEN is unknown"),
            (waits, format!("waits for position {broken}").as_str()),
            (half, "state BROKEN is unknown"),
        ]
    );
    assert_eq!(parked[3].0, garbage);
    assert!(parked[3].1.contains("can't be decoded"), "{}", parked[3].1);
    assert_eq!(parked[4], (late, format!("waits for position {broken}").as_str()));
    assert_eq!(status.parked[0].subject, "acme.payouts.account.a1");
    assert_eq!(status.parked[0].event_type, "tandem.test.v1.Changed");
}

#[tokio::test]
async fn a_store_of_an_unknown_kind_is_refused() {
    for url in ["", "sqlite:", "mysql://localhost/views", "/var/lib"] {
        assert!(matches!(ViewStore::open(url).await, Err(StoreError::Url { .. })), "{url}");
    }
}

#[tokio::test]
async fn a_store_may_be_in_any_directory() {
    let absolute = tempfile::tempdir().unwrap();
    let relative = tempfile::tempdir_in(".").unwrap();
    let relative = relative.path().strip_prefix(std::env::current_dir().unwrap()).unwrap_or(relative.path());
    for directory in [absolute.path(), relative] {
        let directory = directory.join("a b#c%20d?é");
        let store = ViewStore::open(&format!("sqlite:{}", directory.display())).await.unwrap();
        let world = World::new(StoreKind::Sqlite);
        let view =
            tandem_views::start(Accounts::<1>, &store, std::sync::Arc::new(world.log.clone()), world.shutdown.clone());
        let view = view.await.unwrap();
        append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
        world.caught_up(&view).await;
        assert!(view.get("acme", "a1").await.unwrap().is_some());
        assert!(directory.join("accounts.sqlite").is_file());
    }
}

async fn a_service_holds_views_of_any_row_type(kind: StoreKind) {
    let world = World::new(kind);
    let view = world.start(Accounts::<1>).await;
    let views: Vec<std::sync::Arc<dyn AnyView>> = vec![std::sync::Arc::new(view)];
    append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    let positions = "payouts.account:1".parse().unwrap();
    views[0].wait_for(&positions, soon()).await.unwrap();
    let status = views[0].status().await.unwrap();
    assert_eq!((status.name, status.row_count, status.failure), (views[0].name(), 1, None));
    assert_eq!(views[0].rebuild().await.unwrap().row_count, 1);
    world.shutdown.cancel();
    views[0].stopped().await;
    assert!(views[0].status().await.unwrap().failure.unwrap().contains("shut down"));
    assert!(views[0].rebuild().await.is_err());
}

async fn a_view_that_can_not_be_built_says_so(kind: StoreKind) {
    let world = World::new(kind);
    let view = world.start_on(Accounts::<1>, std::sync::Arc::new(support::DeafLog)).await;
    assert!(matches!(view.get("acme", "a1").await, Err(QueryError::Building(_))));
    let status = view.status().await.unwrap();
    assert_eq!((status.generation, status.lag), (0, None));
    assert!(status.failure.unwrap().contains("the log is away"));
}

on_every_store!(
    a_row_is_there_once_its_position_is_waited_for,
    what_nobody_waits_for_is_written_soon,
    waiting_ends_at_the_deadline_and_concerns_own_kinds_only,
    a_view_that_is_behind_the_log_is_waited_for,
    a_position_beyond_the_log_is_told_long_before_the_deadline,
    a_position_that_is_reached_costs_no_question_to_the_log,
    waiting_ends_when_the_view_is_shut_down,
    what_is_left_is_the_fold_of_the_log_and_restarts_go_on,
    tenants_do_not_see_each_other,
    a_failed_write_leaves_nothing_and_is_made_good,
    two_processes_on_one_store_do_not_fold_twice,
    parked_events_hold_back_their_aggregate_alone_and_survive_restarts,
    a_service_holds_views_of_any_row_type,
    a_view_that_can_not_be_built_says_so,
);
