//! What was to happen by itself, after all but a backup was lost.

use tandem_backup::{Create, Restore, create, restore, verify};
use tempfile::TempDir;

use crate::world::{World, from_now};

#[tokio::test]
async fn what_is_due_after_a_restore_happens_once_and_what_has_happened_does_not_again() {
    let folder = TempDir::new().unwrap();
    let mut before = World::new().await;
    let replica = before.replica().await;
    before.set("done", Some(from_now(100))).await;
    before.goes_off("done").await;
    before.settled().await;
    before.set("meanwhile", Some(from_now(1_500))).await;
    before.set("later", Some(from_now(6_000))).await;
    before.until("armed", 2).await;
    replica.stop().await;
    let options = Create { stream: "tandem", key: None, vault_key: None };
    create(&before.client, folder.path(), options).await.unwrap();
    before.nats.kill().await.unwrap();

    let after = World::unopened().await;
    let verified = verify(folder.path(), None, None).await.unwrap();
    restore(&after.1, folder.path(), &verified, Restore::default()).await.unwrap();
    let after = World::opened(after).await;
    let replica = after.replica().await;
    after.goes_off("meanwhile").await;
    after.goes_off("later").await;
    after.settled().await;
    for alarm in ["done", "meanwhile", "later"] {
        assert_eq!(after.times(alarm).await, 1, "{alarm}");
    }
    replica.stop().await;
}
