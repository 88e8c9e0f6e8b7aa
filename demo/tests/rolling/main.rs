//! Replicas of a service replaced one by one under load, as a rolling upgrade does it: no request fails, and what one
//! replica has acknowledged every other one answers.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "a schema of its own keeps it apart from other tests")]

mod balancer;
mod load;
mod replica;

use balancer::Balancer;
use load::Load;
use replica::{Replica, Views};
use tandem_nats_server::NatsServer;

const REPLICAS: usize = 2;
/// Each replica that was there at first is replaced, and one of those that came for it.
const REPLACEMENTS: usize = 3;

async fn replicas_are_replaced_under_load(views: Views) {
    let folder = tempfile::tempdir().unwrap();
    let nats = NatsServer::builder().start().await.unwrap();
    let balancer = Balancer::start().await;
    let mut replicas = Vec::new();
    for number in 0..REPLICAS {
        let replica = Replica::start(folder.path(), &nats.url(), &views, number).await;
        balancer.add(replica.address);
        balancer.has(replica.address).await;
        replicas.push(replica);
    }
    let load = Load::start(&balancer.url());
    load.goes_on().await;
    for number in REPLICAS..REPLICAS + REPLACEMENTS {
        // One more is ready before one goes, as in a Deployment with maxUnavailable 0.
        let replica = Replica::start(folder.path(), &nats.url(), &views, number).await;
        balancer.add(replica.address);
        balancer.has(replica.address).await;
        replicas.push(replica);
        let oldest = replicas.remove(0);
        oldest.child.stop().await.expect("it ends in order, with all that it has begun");
        balancer.is_rid_of(oldest.address).await;
        load.goes_on().await;
    }
    let connections = balancer.connections();
    let written = load.stop().await;
    assert!(connections > 2 * (REPLICAS + REPLACEMENTS), "clients were asked for new connections: {connections}");

    assert_eq!(load::all(&load::client(&balancer.url())).await, written, "each write once, as it was acknowledged");
    let stream = async_nats::jetstream::new(async_nats::connect(nats.url()).await.unwrap()).get_stream("tandem").await;
    let events = stream.unwrap().cached_info().state.messages;
    assert_eq!(events, (load::EVENTS * written.len()) as u64, "no write has taken effect twice");
    for replica in replicas {
        replica.child.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_replicas_with_own_views_are_replaced() {
    replicas_are_replaced_under_load(Views::Own).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_replicas_that_share_views_are_replaced() {
    let postgres = tandem_postgres_server::shared().await.unwrap();
    let schema = format!("r{}", &uuid::Uuid::new_v4().simple().to_string()[..16]);
    replicas_are_replaced_under_load(Views::Shared(format!("{postgres}&schema={schema}"))).await;
}
