//! The members of a NATS cluster are killed and paused in turn, the leader of the log among them.
//!
//! Invariant: at most one member is away at a time, as a cluster of three can bear; nothing is ever refused for good.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use async_nats::jetstream;
use tandem_client::Service;
use tandem_nats_server::{Cluster, NatsServer};

use super::{Faults, Options, Report, Scenario, conclude};
use crate::load::Load;
use crate::world::World;

const MEMBERS: usize = 3;
/// How long the members are given to agree, and a member to catch up.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(50);
/// Writes that have to be acknowledged while a member is away.
const MEANWHILE: u64 = 5;

pub(super) async fn run(options: &Options) -> anyhow::Result<Report> {
    let (began, folder) = (Instant::now(), tempfile::tempdir()?);
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let member = NatsServer::builder().store(folder.path().join("nats")).sync_always(true);
    let mut cluster = Cluster::start(MEMBERS, member).await?;
    let url = cluster.url();
    let mut world = World::start(folder.path(), &options.binaries, &url, MEMBERS)?;
    world.ready().await?;
    let servers: Vec<String> = url.split(',').map(str::to_owned).collect();
    let connecting = async_nats::ConnectOptions::new().ping_interval(Duration::from_secs(1));
    let context = jetstream::new(connecting.connect(&servers[..]).await?);
    let load = Load::start(&world.clients, options.callers, &mut rng).await?;
    let mut faults = Faults::none();
    for round in 0..(options.rounds / 5).max(4) {
        let leader = whole(&context).await?;
        load.acknowledges(MEANWHILE).await?;
        // The leader every other time, else one of those that follow; killed twice, then paused twice.
        let victim = if round % 2 == 0 { leader } else { (leader + rng.usize(1..MEMBERS)) % MEMBERS };
        let role = if victim == leader { "leader" } else { "follower" };
        let member = &mut cluster.members()[victim];
        if round % 4 < 2 {
            member.kill().await?;
            faults.did(format!("kill {role}"));
            load.acknowledges(MEANWHILE).await.with_context(|| format!("with the {role} dead"))?;
            cluster.members()[victim].restart().await?;
        } else {
            member.pause()?;
            faults.did(format!("pause {role}"));
            load.acknowledges(MEANWHILE).await.with_context(|| format!("with the {role} paused"))?;
            tokio::time::sleep(Duration::from_millis(rng.u64(0..4000))).await;
            cluster.members()[victim].resume()?;
        }
        // One that begins with nothing in memory reads from whichever replica answers, be it one that is behind.
        let service = Service::ALL[rng.usize(..Service::ALL.len())];
        world.services.kill(service).await?;
        faults.did("kill a service");
        world.services.revive(service)?;
        world.ready().await?;
    }
    whole(&context).await?;
    load.acknowledges(MEANWHILE).await?;
    conclude(Scenario::Cluster, began, world, load, &url, faults).await
}

/// Waits until the log has a leader and all others have caught up with it; answers the leader's number.
async fn whole(context: &jetstream::Context) -> anyhow::Result<usize> {
    let began = Instant::now();
    loop {
        let told = match context.get_stream("tandem").await {
            Ok(stream) => {
                let cluster = stream.cached_info().cluster.clone().unwrap_or_default();
                let current = cluster.replicas.iter().filter(|replica| replica.current && !replica.offline).count();
                let leader = cluster.leader.as_deref().and_then(|name| name.strip_prefix('n')?.parse::<usize>().ok());
                match leader {
                    Some(leader) if current == MEMBERS - 1 => return Ok(leader - 1),
                    _ => format!("{cluster:?}"),
                }
            }
            Err(error) => error.to_string(),
        };
        ensure!(began.elapsed() < PATIENCE, "the cluster was not whole within {PATIENCE:?}: {told}");
        tokio::time::sleep(PAUSE).await;
    }
}
