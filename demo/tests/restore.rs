//! All is lost but a backup: what is restored answers the same bytes, and nothing happens a second time.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use tandem_backup::{Create, Restore, create, restore, verify};
use tandem_cli::platform::{Options, Platform};
use tandem_client::{Client, Service};
use tandem_demo::{Faults, answers, tell};
use tandem_doctor::gather::{self, Scope};
use tandem_nats_server::NatsServer;
use tandem_proto::common::v1::ListViewsRequest;

const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until views and processes have done all that there is to do; answers the last position of the log.
async fn settled(platform: &Platform) -> u64 {
    let nats = async_nats::connect(platform.nats_url()).await.unwrap();
    let client = platform.client("acme").unwrap();
    let waited = async {
        loop {
            let facts = gather::nats(&nats, "tandem", Scope { consumers: true, ..Scope::default() }).await;
            let consumers = facts.consumers.iter().filter_map(|of| of.state.get()).flatten();
            let busy = consumers.filter(|consumer| consumer.pending + consumer.unacknowledged > 0).count();
            let last = facts.log.state.get().unwrap().last_sequence;
            if busy == 0 && lag(&client).await == 0 {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.unwrap()
}

async fn lag(client: &Client) -> i64 {
    let mut lag = 0;
    for service in Service::ALL {
        let views = client.views(service).list_views(ListViewsRequest {}).await.unwrap().into_inner().views;
        lag += views.iter().map(|view| view.lag).sum::<i64>();
    }
    lag
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_platform_answers_the_same_bytes() {
    let (folder, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let platform = Platform::start_in_process(Options::ephemeral(folder.path())).await.unwrap();
    tell(platform.client_builder(), Faults::None).await.unwrap();
    let last = settled(&platform).await;
    let before = answers(platform.client_builder()).await.unwrap();
    let nats = async_nats::connect(platform.nats_url()).await.unwrap();
    create(&nats, backup.path(), Create { stream: "tandem", key: None, vault_key: None }).await.unwrap();
    platform.stop().await.unwrap();
    drop(folder);

    let folder = tempfile::tempdir().unwrap();
    let mut server = NatsServer::builder().store(folder.path().join("nats")).start().await.unwrap();
    let nats = async_nats::connect(server.url()).await.unwrap();
    let verified = verify(backup.path(), None, None).await.unwrap();
    restore(&nats, backup.path(), &verified, Restore::default()).await.unwrap();
    server.stop().await.unwrap();
    let platform = Platform::start_in_process(Options::ephemeral(folder.path())).await.unwrap();
    assert_eq!(settled(&platform).await, last, "something happened again");
    let after = answers(platform.client_builder()).await.unwrap();
    assert_eq!(before.len(), after.len());
    for ((question, before), (_, after)) in before.iter().zip(&after) {
        assert!(before == after, "{question} is answered otherwise");
    }
    assert_eq!(settled(&platform).await, last, "something happened again");
    platform.stop().await.unwrap();
}
