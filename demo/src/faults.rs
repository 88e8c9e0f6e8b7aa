//! What can go wrong with a write, on purpose: for the test that the demo ends the same whatever happens to replies
//! and processes.
//!
//! Invariant: a write that is repeated because its answer was lost is answered as it would have been the first time.

use std::fmt::Debug;
use std::future::Future;

use anyhow::{Context as _, ensure};
use futures::future::BoxFuture;
use tandem_client::{Error, Service};
use tonic::{Response, Status};

/// An answer to a write that is on its way.
pub type Answer<T> = BoxFuture<'static, Result<Response<T>, Status>>;

/// What happens to writes.
#[derive(Clone, Copy, Default)]
pub enum Faults<'a> {
    /// Nothing.
    #[default]
    None,
    /// The first reply to each is lost; it is repeated.
    ReplyLost,
    /// The service is killed as soon as the write is in the log, and started again; the write is repeated.
    Killed(&'a dyn Killer),
}

/// Kills and restarts services.
pub trait Killer: Send + Sync {
    /// Waits for the next event in the log, then kills the service (SIGKILL) and starts it again. Watching begins
    /// before this returns.
    fn kill_after_append(&self, service: Service) -> BoxFuture<'_, anyhow::Result<BoxFuture<'_, anyhow::Result<()>>>>;
}

impl Faults<'_> {
    /// Makes a write of a service, with what goes wrong. `call` makes the same call each time, with the same request
    /// id.
    ///
    /// # Errors
    /// What the write answers in the end, or how the answers differ.
    pub async fn write<T>(self, service: Service, call: impl Fn() -> Answer<T>) -> anyhow::Result<Response<T>>
    where
        T: Debug + PartialEq + Send + 'static,
    {
        match self {
            Faults::None => Ok(call().await.map_err(Error::from)?),
            Faults::ReplyLost => {
                let lost = call().await.map_err(Error::from)?;
                let repeated = call().await.map_err(Error::from).context("repeated after its reply was lost")?;
                let (first, second) = (lost.get_ref(), repeated.get_ref());
                ensure!(first == second, "the repeated write was answered otherwise:\n{first:?}\n{second:?}");
                Ok(repeated)
            }
            Faults::Killed(killer) => {
                let kill = killer.kill_after_append(service).await?;
                // Its reply may or may not come before the service dies: either way nobody has seen it.
                let lost = tokio::spawn(call());
                kill.await?;
                let _ = lost.await;
                Ok(call().await.map_err(Error::from).context("repeated after the service was killed")?)
            }
        }
    }

    /// Goes on with long work on a service through what goes wrong once; the client of the work repeats what it has to.
    ///
    /// # Errors
    /// What the work comes to.
    pub async fn during<T>(self, service: Service, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        match self {
            Faults::None | Faults::ReplyLost => work.await,
            Faults::Killed(killer) => {
                let kill = killer.kill_after_append(service).await?;
                let (value, ()) = futures::try_join!(work, kill)?;
                Ok(value)
            }
        }
    }
}
