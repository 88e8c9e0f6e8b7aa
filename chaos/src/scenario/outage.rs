//! NATS is away when the services start, and for a time in between.
//!
//! Invariant: whoever asks meanwhile is answered soon: commands that they can't be done and when to ask again, readers
//! with what the views have read, probes that the services live and are not ready.

use std::time::{Duration, Instant};

use tandem_client::{Client, Error, Service};
use tandem_nats_server::NatsServer;
use tandem_proto::campaigns::v1::CreateCampaignRequest;
use tandem_proto::contracts::v1::{GetContractRequest, ListContractsRequest};
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;

use super::{Faults, Options, Report, Scenario, conclude};
use crate::load::{Load, campaign};
use crate::services::health;
use crate::world::{PREPARER, World};

/// What is soon: far below what a caller waits, and enough for a busy machine.
const SOON: Duration = Duration::from_secs(2);
/// Between two questions while it is away.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How long a lost connection may go unnoticed.
const NOTICED_WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn run(options: &Options) -> anyhow::Result<Report> {
    let (began, folder) = (Instant::now(), tempfile::tempdir()?);
    let mut rng = fastrand::Rng::with_seed(options.seed);
    // It chooses its port; then nobody is there.
    let mut nats = NatsServer::builder().store(folder.path().join("nats")).sync_always(true).start().await?;
    nats.stop().await?;
    let mut world = World::start(folder.path(), &options.binaries, &nats.url(), 1)?;
    let mut faults = Faults::none();
    away(&mut world, &mut faults, options.outage / 4, "away at start", false).await?;
    nats.restart().await?;
    world.ready().await?;
    let load = Load::start(&world.clients, options.callers, &mut rng).await?;
    for _ in 0..2 {
        load.acknowledges(50).await?;
        nats.kill().await?;
        away(&mut world, &mut faults, options.outage / 2, "away in between", true).await?;
        nats.restart().await?;
        world.ready().await?;
        load.acknowledges(10).await?;
    }
    conclude(Scenario::Outage, began, world, load, &nats.url(), faults).await
}

/// Asks all services over and over while NATS is away.
async fn away(
    world: &mut World,
    faults: &mut Faults,
    time: Duration,
    what: &str,
    has_views: bool,
) -> anyhow::Result<()> {
    faults.did(format!("NATS {what}"));
    let client = world.clients.impatient(PREPARER);
    let began = Instant::now();
    // Until then a service may not have been started, or not have noticed.
    for service in Service::ALL {
        while health(&client, service, "").await != Some(ServingStatus::NotServing) {
            if began.elapsed() > NOTICED_WITHIN {
                faults.violations.push(format!("{what}: {service} does not say that it is not ready"));
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let until = Instant::now() + time;
    while Instant::now() < until {
        for service in Service::ALL {
            let (ready, lives) = (health(&client, service, "").await, health(&client, service, "live").await);
            if (ready, lives) != (Some(ServingStatus::NotServing), Some(ServingStatus::Serving)) {
                faults.violations.push(format!("{what}: {service} says ready {ready:?}, lives {lives:?}"));
            }
        }
        faults.violations.extend(questions(&client, what, has_views).await);
        faults.did("questions meanwhile");
        tokio::time::sleep(ASK_EVERY).await;
    }
    world.services.all_live().await
}

/// What is wrong with the answers to a command, a Get and a List.
async fn questions(client: &Client, what: &str, has_views: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut told = |question: &str, took: Duration, error: Option<Error>| {
        if took > SOON {
            wrong.push(format!("{what}: {question} was answered after {took:?}"));
        }
        match error {
            Some(error) if error.code() == Code::Unavailable && error.retry_delay().is_some() => {}
            other => wrong.push(format!("{what}: {question} was answered {other:?}")),
        }
    };
    let asked = Instant::now();
    let request = CreateCampaignRequest { campaign: Some(campaign()), ..Default::default() };
    let command = client.campaigns().create_campaign(request).await.err().map(Error::from);
    told("a command", asked.elapsed(), command);
    let asked = Instant::now();
    let request = GetContractRequest { name: "contracts/c0-0".to_owned(), ..Default::default() };
    let get = client.contracts().get_contract(request).await.err().map(Error::from);
    told("a Get", asked.elapsed(), get);
    let asked = Instant::now();
    let list = client.contracts().list_contracts(ListContractsRequest::default()).await;
    match list {
        Ok(page) if has_views => {
            if page.metadata().get("tandem-view-position").is_none() || page.get_ref().contracts.is_empty() {
                wrong.push(format!("{what}: a List tells no position, or nothing"));
            }
            if asked.elapsed() > SOON {
                wrong.push(format!("{what}: a List was answered after {:?}", asked.elapsed()));
            }
        }
        Ok(_) => wrong.push(format!("{what}: a List was answered by a view that can't have been read")),
        Err(error) if has_views => wrong.push(format!("{what}: a List was answered {error}")),
        Err(error) => told("a List", asked.elapsed(), Some(error.into())),
    }
    wrong
}
