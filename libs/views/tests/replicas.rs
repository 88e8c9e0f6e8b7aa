//! Replicas that share a store: one folds, the others answer, and any of them takes over.
#![allow(clippy::unwrap_used, reason = "a test that can't go on shall say where")]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use futures::FutureExt as _;
use support::{ACCOUNT, Account, Accounts, GatedLog, World, append, changed, expected, fill, rows, soon};
use tandem_eventlog::{EventLog, Kind, Position, RecordedEvent};
use tandem_postgres_server::PostgresServer;
use tandem_views::testing::StoreKind;
use tandem_views::{AnyView, Column, FoldError, ListQuery, QueryError, StoreError, View, ViewHandle, ViewStore};
use tokio_util::sync::CancellationToken;

type Handle<const VERSION: i32 = 1> = ViewHandle<Accounts<VERSION>>;

/// A replica that can be stopped alone.
struct Replica<V: View> {
    view: ViewHandle<V>,
    shutdown: CancellationToken,
}

impl<V: View> Replica<V> {
    async fn start(world: &World, view: V) -> Self {
        Self::start_on(world, view, Arc::new(world.log.clone())).await
    }

    async fn start_on(world: &World, view: V, log: Arc<dyn EventLog>) -> Self {
        let (store, shutdown) = (world.store().await, CancellationToken::new());
        let view = tandem_views::start(view, &store, log, shutdown.clone()).await.unwrap();
        Self { view, shutdown }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.view.stopped().await;
    }

    async fn folds(&self) -> bool {
        folds(&self.view).await
    }
}

async fn folds<V: View>(view: &ViewHandle<V>) -> bool {
    view.status().await.unwrap().folding
}

async fn until_it_folds<V: View>(view: &ViewHandle<V>) {
    let folding = async {
        while !folds(view).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout_at(soon(), folding).await.unwrap();
}

async fn assert_equal_to_the_fold(world: &World, view: &Handle) {
    world.caught_up(view).await;
    for tenant in ["acme", "zeta"] {
        assert_eq!(rows(view, tenant).await, expected(&Accounts::<1>, &world.log, tenant));
    }
}

#[tokio::test]
async fn one_folds_and_all_answer() {
    let world = World::new(StoreKind::Postgres);
    let first = Replica::start(&world, Accounts::<1>).await;
    until_it_folds(&first.view).await;
    let second = Replica::start(&world, Accounts::<1>).await;
    for round in 0..3 {
        fill(&world.log, round * 1000, 60).await;
        assert_equal_to_the_fold(&world, &first.view).await;
        assert_equal_to_the_fold(&world, &second.view).await;
    }
    let one = async {
        while usize::from(first.folds().await) + usize::from(second.folds().await) != 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout_at(soon(), one).await.unwrap();
    let status = second.view.status().await.unwrap();
    assert_eq!((status.generation, status.lag), (1, Some(0)));
}

#[tokio::test]
async fn who_follows_is_read_after_one_s_own_write() {
    let world = World::new(StoreKind::Postgres);
    let first = Replica::start(&world, Accounts::<1>).await;
    until_it_folds(&first.view).await;
    let second = Replica::start(&world, Accounts::<1>).await;
    for n in 1..=10 {
        let position = append(&world.log, "acme", "a1", &changed("OPEN", 5)).await;
        second.view.wait_for_position(position, soon()).await.unwrap();
        assert_eq!(second.view.get("acme", "a1").await.unwrap().unwrap().amount, 5 * n);
    }
}

#[tokio::test]
async fn many_that_come_and_go_fold_each_event_once() {
    let world = World::new(StoreKind::Postgres);
    let mut replicas = Vec::new();
    for round in 0..6 {
        replicas.push(Replica::start(&world, Accounts::<1>).await);
        fill(&world.log, round * 1000, 40).await;
        if round % 2 == 1 {
            // Whoever folds goes in the midst of it.
            let mut at = 0;
            while !replicas[at].folds().await {
                at = (at + 1) % replicas.len();
                tokio::task::yield_now().await;
            }
            replicas.swap_remove(at).stop().await;
        }
    }
    for replica in &replicas {
        assert_equal_to_the_fold(&world, &replica.view).await;
    }
}

#[test]
fn when_the_one_that_folds_is_killed_another_takes_over() {
    let world = World::new(StoreKind::Postgres);
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (killed, alive) = (runtime(), runtime());
    killed.block_on(async {
        let first = Replica::start(&world, Accounts::<1>).await;
        until_it_folds(&first.view).await;
        fill(&world.log, 1, 30).await;
        assert_equal_to_the_fold(&world, &first.view).await;
    });
    alive.block_on(async {
        let second = Replica::start(&world, Accounts::<1>).await;
        world.caught_up(&second.view).await;
        fill(&world.log, 1000, 30).await;
        // Its tasks end where they stand, and give nothing back.
        killed.shutdown_background();
        assert_equal_to_the_fold(&world, &second.view).await;
        assert!(second.folds().await);
    });
}

/// Hangs in the fold of an event with the state `HANG`, until it is let go.
#[derive(Clone, Default)]
struct Hanging(Arc<(Mutex<bool>, Condvar, AtomicUsize)>);

impl View for Hanging {
    const NAME: &'static str = "accounts";
    const VERSION: i32 = 1;
    const KINDS: &'static [Kind] = &[ACCOUNT];
    type Row = Account;

    fn columns() -> Vec<Column<Account>> {
        Accounts::<1>::columns()
    }

    fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
        Accounts::<1>.keys(event)
    }

    fn fold(&self, key: &str, row: Option<Account>, event: &RecordedEvent) -> Result<Option<Account>, FoldError> {
        let row = Accounts::<1>.fold(key, row, event)?;
        if row.as_ref().is_some_and(|row| row.state == "HANG") {
            let (gone, changed, hanging) = &*self.0;
            hanging.fetch_add(1, Ordering::SeqCst);
            drop(changed.wait_while(gone.lock().unwrap(), |gone| !*gone).unwrap());
        }
        Ok(row)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_one_that_folds_hangs_another_takes_over_and_its_late_write_is_refused() {
    let world = Arc::new(World::new(StoreKind::Postgres));
    let (hanging, stop) = (Hanging::default(), CancellationToken::new());
    let (folding, begun) = tokio::sync::oneshot::channel();
    // A process of one thread, which hangs altogether.
    let process = std::thread::spawn({
        let (world, hanging, stop) = (world.clone(), hanging.clone(), stop.clone());
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let replica = Replica::start(&world, hanging).await;
                until_it_folds(&replica.view).await;
                folding.send(()).unwrap();
                stop.cancelled().await;
                // It goes on as one that follows.
                world.caught_up(&replica.view).await;
                let seen = rows(&replica.view, "acme").await;
                replica.stop().await;
                seen
            })
        }
    });
    begun.await.unwrap();
    let reader = Replica::start(&world, Accounts::<1>).await;
    append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    world.caught_up(&reader.view).await;
    append(&world.log, "acme", "a1", &changed("HANG", 10)).await;
    let last = append(&world.log, "acme", "a2", &changed("OPEN", 100)).await;
    let hangs = async {
        while hanging.0.2.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout_at(soon(), hangs).await.unwrap();
    reader.view.wait_for_position(last, soon()).await.unwrap();
    assert!(reader.folds().await);
    let (gone, changed_, _) = &*hanging.0;
    *gone.lock().unwrap() = true;
    changed_.notify_all();
    stop.cancel();
    let seen = tokio::task::spawn_blocking(|| process.join().unwrap()).await.unwrap();
    assert_equal_to_the_fold(&world, &reader.view).await;
    assert_eq!(seen, rows(&reader.view, "acme").await);
}

#[tokio::test]
async fn a_rebuild_may_be_asked_of_any_and_no_query_fails_meanwhile() {
    let world = World::new(StoreKind::Postgres);
    let first = Replica::start(&world, Accounts::<1>).await;
    until_it_folds(&first.view).await;
    let second = Replica::start(&world, Accounts::<1>).await;
    fill(&world.log, 1, 100).await;
    world.caught_up(&second.view).await;
    let rebuild = tokio::spawn({
        let view = second.view.clone();
        async move { view.rebuild().await }
    });
    while !rebuild.is_finished() {
        for view in [&first.view, &second.view] {
            assert_eq!(rows(view, "acme").await, expected(&Accounts::<1>, &world.log, "acme"));
        }
    }
    let report = rebuild.await.unwrap().unwrap();
    assert!((report.generation, report.event_count) >= (2, 100), "{report:?}");
    fill(&world.log, 1000, 10).await;
    assert_equal_to_the_fold(&world, &first.view).await;
    assert_eq!(first.view.status().await.unwrap().generation, report.generation);
    // And back again.
    assert!(first.view.rebuild().await.unwrap().generation > report.generation);
    assert_equal_to_the_fold(&world, &second.view).await;
}

#[tokio::test]
async fn in_an_upgrade_the_new_version_is_built_once_and_old_replicas_leave_it_alone() {
    let world = World::new(StoreKind::Postgres);
    let old = Replica::start(&world, Accounts::<1>).await;
    until_it_folds(&old.view).await;
    append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    world.caught_up(&old.view).await;
    let log = Arc::new(GatedLog::new(world.log.clone()));
    log.close();
    let new = Replica::start_on(&world, Accounts::<2>, log.clone()).await;
    tokio::time::timeout_at(soon(), log.asked()).await.unwrap();
    world.caught_up(&new.view).await;
    // What it can't answer yet, it says; the rest it answers from the old version.
    let by_new = ListQuery { filter: "event_count = 1", ..ListQuery::default() };
    assert!(matches!(new.view.list("acme", &by_new).await, Err(QueryError::Building(_))));
    assert_eq!(new.view.get("acme", "a1").await.unwrap().unwrap().amount, 1);
    log.open();
    old.stop().await;
    until_it_folds(&new.view).await;
    while new.view.status().await.unwrap().version != 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(new.view.list("acme", &by_new).await.unwrap().total_size, 1);
    let late = Replica::start(&world, Accounts::<1>).await;
    new.stop().await;
    let next = Replica::start(&world, Accounts::<2>).await;
    until_it_folds(&next.view).await;
    append(&world.log, "acme", "a1", &changed("OPEN", 10)).await;
    world.caught_up(&late.view).await;
    assert_eq!(late.view.get("acme", "a1").await.unwrap().unwrap().amount, 11);
    let status = late.view.status().await.unwrap();
    assert_eq!((status.version, status.folding), (2, false));
}

#[tokio::test]
async fn in_an_upgrade_the_old_version_is_folded_until_the_new_one_is_built() {
    let world = World::new(StoreKind::Postgres);
    let old = Replica::start(&world, Accounts::<1>).await;
    until_it_folds(&old.view).await;
    append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    world.caught_up(&old.view).await;
    let log = Arc::new(GatedLog::new(world.log.clone()));
    log.close();
    let new = Replica::start_on(&world, Accounts::<2>, log.clone()).await;
    tokio::time::timeout_at(soon(), log.asked()).await.unwrap();
    // Its build has begun, and does not come to an end.
    for amount in 2..=5 {
        let position = append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
        assert_eq!(old.view.read_after(position).await.amount, amount);
        assert_eq!(new.view.read_after(position).await.amount, amount);
    }
    assert!(new.view.settled().now_or_never().is_none(), "as long as it can't answer by itself");
    // Another replica of the old version takes over, and leaves what is being built alone.
    let next = Replica::start(&world, Accounts::<1>).await;
    world.caught_up(&next.view).await;
    old.stop().await;
    let position = append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    assert_eq!(new.view.read_after(position).await.amount, 6);
    assert!(next.folds().await);
    log.open();
    tokio::time::timeout_at(soon(), new.view.settled()).await.unwrap();
    assert_eq!(new.view.status().await.unwrap().version, 2);
    let position = append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    assert_eq!(new.view.read_after(position).await, next.view.read_after(position).await);
    assert_eq!(new.view.read_after(position).await.positions.len(), 7);
}

#[tokio::test]
async fn a_new_version_does_not_wait_for_replicas_that_are_gone() {
    let world = World::new(StoreKind::Postgres);
    let old = Replica::start(&world, Accounts::<1>).await;
    append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
    world.caught_up(&old.view).await;
    old.stop().await;
    let log = Arc::new(GatedLog::new(world.log.clone()));
    log.close();
    let new = Replica::start_on(&world, Accounts::<2>, log).await;
    tokio::time::timeout_at(soon(), new.view.settled()).await.unwrap();
    assert_eq!(new.view.get("acme", "a1").await.unwrap().unwrap().amount, 1);
}

/// What any version can be asked.
#[async_trait::async_trait]
trait Answers: Send + Sync {
    async fn read_after(&self, position: Position) -> Account;
}

#[async_trait::async_trait]
impl<const VERSION: i32> Answers for Handle<VERSION> {
    async fn read_after(&self, position: Position) -> Account {
        self.wait_for_position(position, soon()).await.unwrap();
        self.get("acme", "a1").await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn while_versions_change_each_write_is_read_and_no_query_fails() {
    let world = World::new(StoreKind::Postgres);
    fill(&world.log, 1, 200).await;
    let (first, second) = (Replica::start(&world, Accounts::<1>).await, Replica::start(&world, Accounts::<1>).await);
    let asked: tokio::sync::RwLock<Vec<Arc<dyn Answers>>> =
        vec![Arc::new(first.view.clone()) as _, Arc::new(second.view.clone()) as _].into();
    let before = append(&world.log, "acme", "a1", &changed("OPEN", 0)).await;
    let before = first.view.read_after(before).await.positions.len();
    let written = tokio::sync::watch::Sender::new(0);
    let goes_on = async || {
        let wanted = *written.borrow() + 5;
        written.subscribe().wait_for(|written| *written >= wanted).await.unwrap();
    };
    let upgrade = async {
        let mut new = Vec::new();
        goes_on().await;
        for old in [first, second] {
            let replica = Replica::start(&world, Accounts::<2>).await;
            tokio::time::timeout_at(soon(), replica.view.settled()).await.unwrap();
            asked.write().await.push(Arc::new(replica.view.clone()));
            goes_on().await;
            // Who asks it has been answered.
            asked.write().await.remove(0);
            old.stop().await;
            new.push(replica);
            goes_on().await;
        }
        new
    };
    let load = async {
        loop {
            let position = append(&world.log, "acme", "a1", &changed("OPEN", 1)).await;
            written.send_modify(|written| *written += 1);
            let expected = before + *written.borrow();
            for replica in asked.read().await.iter() {
                assert_eq!(replica.read_after(position).await.positions.len(), expected);
            }
        }
    };
    let new = tokio::select! {
        new = upgrade => new,
        () = load => unreachable!("it goes on"),
    };
    for replica in new {
        world.caught_up(&replica.view).await;
        assert_eq!(rows(&replica.view, "acme").await, expected(&Accounts::<2>, &world.log, "acme"));
        assert_eq!(replica.view.status().await.unwrap().version, 2);
    }
}

#[tokio::test]
async fn services_that_share_a_database_do_not_see_each_other() {
    let world = World::new(StoreKind::Postgres);
    let mut views = Vec::new();
    for (service, amount) in [("creators", 1), ("payouts", 2)] {
        let store = ViewStore::open_for(&world.place.url().await, service).await.unwrap();
        let log = tandem_eventlog::MemoryLog::new();
        let last = append(&log, "acme", "a1", &changed("OPEN", amount)).await;
        let view = tandem_views::start(Accounts::<1>, &store, Arc::new(log), world.shutdown.clone()).await.unwrap();
        view.wait_for_position(last, soon()).await.unwrap();
        views.push((view, amount));
    }
    for (view, amount) in &views {
        assert_eq!(view.get("acme", "a1").await.unwrap().unwrap().amount, *amount);
        assert!(folds(view).await);
    }
}

#[tokio::test]
async fn when_postgres_is_away_queries_say_so_and_all_resume() {
    let mut server = PostgresServer::builder().start().await.unwrap();
    let world = World::new(StoreKind::Postgres);
    let store = ViewStore::open(&server.url()).await.unwrap();
    let log = Arc::new(world.log.clone());
    let view = tandem_views::start(Accounts::<1>, &store, log, world.shutdown.clone()).await.unwrap();
    fill(&world.log, 1, 30).await;
    assert_equal_to_the_fold(&world, &view).await;
    server.kill().await.unwrap();
    let error = view.get("acme", "a1").await.unwrap_err();
    assert!(matches!(&error, QueryError::Store(error) if error.is_away()), "{error:?}");
    fill(&world.log, 1000, 30).await;
    server.restart().await.unwrap();
    assert_equal_to_the_fold(&world, &view).await;
}

#[tokio::test]
async fn what_keeps_postgres_from_being_used_is_told() {
    let url = World::new(StoreKind::Postgres).place.url().await;
    let (address, query) = url.split_once('?').unwrap();
    let missing = address.rsplit_once('/').unwrap().0;
    for (url, told) in [
        (format!("{missing}/nothing?{query}"), "database \"nothing\" does not exist"),
        (format!("{}?{query}", address.replace("://tandem", "://nobody:secret")), "role \"nobody\" does not exist"),
    ] {
        let error = ViewStore::open(&url).await.unwrap_err();
        assert!(matches!(error, StoreError::Connect { .. }), "{error}");
        let error = error.to_string();
        assert!(error.contains(told) && error.contains("Start it, or correct"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_waited_for_a_while() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let began = tokio::time::Instant::now();
    let error = ViewStore::open(&format!("postgres://ada@{free}/views")).await.unwrap_err().to_string();
    assert!(error.contains(&format!("PostgreSQL at postgres://ada@{free}/views can't be used")), "{error}");
    assert!((9..20).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}
