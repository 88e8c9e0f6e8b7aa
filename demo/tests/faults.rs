//! The story ends the same whatever happens to replies and processes: nothing lost, nothing paid twice.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use tandem_cli::platform::{Options, Platform, beside_this_program};
use tandem_client::Service;
use tandem_demo::{EndState, Faults, Killer, tell};
use tokio::sync::{Mutex, OnceCell};

/// Kills services of a platform.
struct Crashes {
    platform: Mutex<Platform>,
    nats: async_nats::Client,
}

impl Killer for Crashes {
    fn kill_after_append(&self, service: Service) -> BoxFuture<'_, anyhow::Result<BoxFuture<'_, anyhow::Result<()>>>> {
        async move {
            let mut appended = self.nats.subscribe(format!("tandem.*.{service}.>")).await?;
            self.nats.flush().await?;
            let kill = async move {
                // A write that changes nothing appends nothing: then the service is killed when nothing has come.
                let _ = tokio::time::timeout(Duration::from_secs(2), appended.next()).await;
                self.platform.lock().await.crash(service).await
            };
            Ok(kill.boxed())
        }
        .boxed()
    }
}

/// What the story comes to when nothing goes wrong.
async fn undisturbed() -> &'static EndState {
    static STATE: OnceCell<EndState> = OnceCell::const_new();
    STATE
        .get_or_init(|| async {
            let folder = tempfile::tempdir().unwrap();
            let platform = Platform::start_in_process(Options::ephemeral(folder.path())).await.unwrap();
            let state = tell(platform.client_builder(), Faults::None).await.unwrap();
            platform.stop().await.unwrap();
            state
        })
        .await
}

fn binaries() -> PathBuf {
    beside_this_program("tandem-creators").unwrap().parent().context("a folder").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_may_lose_its_reply() {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::start_in_process(Options::ephemeral(folder.path())).await.unwrap();
    let state = tell(platform.client_builder(), Faults::ReplyLost).await.unwrap();
    platform.stop().await.unwrap();
    assert_eq!(&state, undisturbed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_may_be_the_last_thing_that_its_service_does() {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::start_processes(Options::ephemeral(folder.path()), &binaries()).await.unwrap();
    let client = platform.client_builder();
    let nats = async_nats::connect(platform.nats_url()).await.unwrap();
    let crashes = Crashes { platform: Mutex::new(platform), nats };
    let state = tell(client, Faults::Killed(&crashes)).await.unwrap();
    crashes.platform.into_inner().stop().await.unwrap();
    assert_eq!(&state, undisturbed().await);
}
