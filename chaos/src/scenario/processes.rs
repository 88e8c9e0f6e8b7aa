//! Each service and nats-server are killed at random, and restarted.
//!
//! Invariant: what is killed is restarted and nothing else is done for it, as a supervisor would.

use std::time::{Duration, Instant};

use tandem_client::Service;
use tandem_nats_server::NatsServer;

use super::{Faults, Options, Report, Scenario, conclude};
use crate::load::Load;
use crate::world::World;

pub(super) async fn run(options: &Options) -> anyhow::Result<Report> {
    let (began, folder) = (Instant::now(), tempfile::tempdir()?);
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let mut nats = NatsServer::builder().store(folder.path().join("nats")).sync_always(true).start().await?;
    let mut world = World::start(folder.path(), &options.binaries, &nats.url(), 1)?;
    world.ready().await?;
    let load = Load::start(&world.clients, options.callers, &mut rng).await?;
    let mut faults = Faults::none();
    for _ in 0..options.rounds {
        tokio::time::sleep(Duration::from_millis(rng.u64(50..500))).await;
        let victim = Service::ALL.get(rng.usize(0..=Service::ALL.len())).copied();
        let dead = Duration::from_millis(rng.u64(0..300));
        match victim {
            Some(service) => {
                world.services.kill(service).await?;
                faults.did(format!("kill {service}"));
                tokio::time::sleep(dead).await;
                world.services.revive(service)?;
            }
            None => {
                nats.kill().await?;
                faults.did("kill nats-server");
                tokio::time::sleep(dead).await;
                nats.restart().await?;
            }
        }
        // Now and then the next one dies while this one is not back yet.
        if rng.u8(0..4) > 0 {
            world.ready().await?;
        }
    }
    world.ready().await?;
    load.acknowledges(10).await?;
    conclude(Scenario::Processes, began, world, load, &nats.url(), faults).await
}
