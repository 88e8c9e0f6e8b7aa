//! Replicas of a service replaced one by one under load, as a rolling upgrade does it, and killed: no request fails, and
//! what one replica has acknowledged every other one answers.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "a schema of its own keeps it apart from other tests")]

mod balancer;
mod load;
mod replica;

use std::time::{Duration, Instant};

use balancer::Balancer;
use load::Load;
use replica::{Replica, Views};
use rustix::process::Signal;
use tandem_nats_server::NatsServer;
use tempfile::TempDir;

const REPLICAS: usize = 2;
/// Each replica that was there at first is replaced, and one of those that came for it.
const REPLACEMENTS: usize = 3;
/// The lease of who is killed ends within five seconds, and somebody looks for it five times a second. The rest is for a
/// machine that has much else to do.
const TAKES_OVER_WITHIN: Duration = Duration::from_secs(20);

/// A service of some replicas, the oldest first, behind a balancer.
struct Service {
    folder: TempDir,
    nats: NatsServer,
    views: Views,
    balancer: Balancer,
    started: usize,
    replicas: Vec<Replica>,
}

impl Service {
    async fn start(views: Views) -> Self {
        let (folder, nats) = (tempfile::tempdir().unwrap(), NatsServer::builder().start().await.unwrap());
        let balancer = Balancer::start().await;
        let mut service = Self { folder, nats, views, balancer, started: 0, replicas: Vec::new() };
        for _ in 0..REPLICAS {
            service.add().await;
        }
        service
    }

    /// One replica more, which is sent requests and has answered one when this returns.
    async fn add(&mut self) {
        let replica = Replica::start(self.folder.path(), &self.nats.url(), &self.views, self.started).await;
        self.started += 1;
        load::all(&load::client(&format!("http://{}", replica.address))).await;
        self.balancer.add(replica.address);
        self.balancer.has(replica.address).await;
        self.replicas.push(replica);
    }

    /// Ends the load, and checks that what it was told is there.
    async fn check(self, load: Load) {
        let (written, seen) = load.stop().await;
        let listed = load::all(&load::client(&self.balancer.url()).with_positions(&seen)).await;
        assert_eq!(listed, written, "each write once, as it was acknowledged");
        let jetstream = async_nats::jetstream::new(async_nats::connect(self.nats.url()).await.unwrap());
        let events = jetstream.get_stream("tandem").await.unwrap().cached_info().state.messages;
        assert_eq!(events, (load::EVENTS * written.len()) as u64, "no write has taken effect twice");
        for replica in self.replicas {
            replica.child.stop().await.unwrap();
        }
    }
}

async fn replicas_are_replaced_under_load(views: Views) {
    let mut service = Service::start(views).await;
    let load = Load::start(&service.balancer.url());
    load.goes_on().await;
    for _ in 0..REPLACEMENTS {
        // One more is ready before one goes, as in a Deployment with maxUnavailable 0.
        service.add().await;
        let oldest = service.replicas.remove(0);
        oldest.child.stop().await.expect("it ends in order, with all that it has begun");
        service.balancer.is_rid_of(oldest.address).await;
        load.goes_on().await;
    }
    let connections = service.balancer.connections();
    assert!(connections > 2 * (REPLICAS + REPLACEMENTS), "clients were asked for new connections: {connections}");
    service.check(load).await;
}

/// A place of its own in Postgres.
async fn shared() -> Views {
    let postgres = tandem_postgres_server::shared().await.unwrap();
    let schema = &uuid::Uuid::new_v4().simple().to_string()[..16];
    Views::Shared(format!("{postgres}&schema=r{schema}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_replicas_with_own_views_are_replaced() {
    replicas_are_replaced_under_load(Views::Own).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_replicas_that_share_views_are_replaced() {
    replicas_are_replaced_under_load(shared().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_when_the_replica_that_folds_for_all_is_killed() {
    let mut service = Service::start(shared().await).await;
    let load = Load::start(&service.balancer.url());
    load.goes_on().await;
    // The first has built the views before there was another.
    let mut folding = service.replicas.remove(0);
    folding.child.signal(Signal::KILL).unwrap();
    let killed = Instant::now();
    folding.child.ended().await.unwrap();
    // Each round of the load ends with a List that shows its writes: somebody folds again.
    load.goes_on().await;
    assert!(killed.elapsed() < TAKES_OVER_WITHIN, "{:?}", killed.elapsed());
    service.balancer.is_rid_of(folding.address).await;
    service.add().await;
    load.goes_on().await;
    service.check(load).await;
}
