//! The log may take no more for a while: its quota is used up, as that of a disk would be.
//!
//! Invariant: what is refused for want of room is refused, not lost; what is there can be read all the time.

use std::time::{Duration, Instant};

use anyhow::ensure;
use tandem_nats_server::NatsServer;
use tandem_proto::contracts::v1::{GetContractRequest, ListContractsRequest};

use super::{Faults, Options, Report, Scenario, conclude};
use crate::load::Load;
use crate::world::{PREPARER, World};

/// How long the load may take to fill it.
const PATIENCE: Duration = Duration::from_secs(240);
/// It is full when nothing was acknowledged for so long.
const STILL: Duration = Duration::from_secs(3);

pub(super) async fn run(options: &Options) -> anyhow::Result<Report> {
    let (began, folder) = (Instant::now(), tempfile::tempdir()?);
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let server = NatsServer::builder().store(folder.path().join("nats")).storage_limit(options.storage);
    let mut nats = server.sync_always(true).start().await?;
    let mut world = World::start(folder.path(), &options.binaries, &nats.url(), 1)?;
    world.ready().await?;
    let load = Load::start(&world.clients, options.callers, &mut rng).await?;
    let mut faults = Faults::none();
    let (mut acknowledged, mut since) = (0, Instant::now());
    while since.elapsed() < STILL {
        ensure!(began.elapsed() < PATIENCE, "{} bytes were not full within {PATIENCE:?}", options.storage);
        let now = load.counted().acknowledged;
        if now != acknowledged {
            (acknowledged, since) = (now, Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    faults.did("fill the disk");
    let client = world.clients.user(PREPARER);
    let listed = client.contracts().list_contracts(ListContractsRequest::default()).await?.into_inner().contracts;
    ensure!(!listed.is_empty(), "nothing was written before it was full");
    for contract in listed {
        let request = GetContractRequest { name: contract.name.clone(), ..Default::default() };
        if let Err(error) = client.contracts().get_contract(request).await {
            faults.violations.push(format!("on a full disk {} can't be read: {error}", contract.name));
        }
    }
    world.services.all_live().await?;
    nats.set_storage_limit(None);
    nats.restart().await?;
    faults.did("make room");
    world.ready().await?;
    load.acknowledges(50).await?;
    conclude(Scenario::Storage, began, world, load, &nats.url(), faults).await
}
