//! Gathering what is to be checked, once everything has come to rest.
//!
//! Invariant: nothing is gathered while anything is still to happen: no process has an event to handle, no view one to
//! read.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use async_nats::jetstream;
use futures::{StreamExt as _, TryStreamExt as _};
use tandem_client::{Client, Service};
use tandem_demo::answers;
use tandem_eventlog::{EventLog as _, Filter, JetStreamLog, JetStreamOptions};
use tandem_money::Money;
use tandem_proto::common::v1::ListViewsRequest;
use tandem_proto::contracts::v1::{GetContractRequest, ListContractsRequest};
use tandem_proto::payouts::v1::{EarningState, ListEarningsRequest, ListPayoutRunsRequest};

use crate::check::{Earned, Evidence, Logged, Paid};
use crate::finance::Finance;
use crate::world::{Clients, PREPARER};
use crate::writer::Writer;

/// How long what is left to happen may take.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(50);
const PAGE: i32 = 1000;
/// Contracts that are asked for one by one.
const SAMPLE: usize = 50;

/// Lets everything come to rest, pays what is left to pay, and gathers.
pub(crate) async fn gather(clients: &Clients, writer: &Writer, nats_url: &str) -> anyhow::Result<Evidence> {
    let client = clients.user(PREPARER);
    let servers: Vec<&str> = nats_url.split(',').collect();
    let context = jetstream::new(async_nats::connect(&servers[..]).await?);
    rest(&client, &context).await.context("before the last payout run")?;
    let finance = Finance::new(clients, writer.clone());
    while finance.pay().await == Some(true) {}
    rest(&client, &context).await.context("after the last payout run")?;
    let log = log(nats_url).await.context("the log")?;
    let earnings = earnings(&client).await.context("earnings")?;
    let payouts = payouts(&client).await.context("payouts")?;
    let unlike = unlike(&client).await.context("contracts")?;
    let before = answers::lists(&client).await.context("the lists")?;
    answers::rebuild(&client).await.context("the rebuild")?;
    let after = answers::lists(&client).await.context("the lists after the rebuild")?;
    Ok(Evidence { told: writer.journal.told(), log, earnings, payouts, before, after, unlike })
}

/// Waits until no process has an event to handle and no view one to read.
async fn rest(client: &Client, context: &jetstream::Context) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let mut quiet = 0;
    // Twice, for what a process has just done may be news to another.
    while quiet < 2 {
        let busy = busy(client, context).await;
        quiet = if matches!(&busy, Ok(None)) { quiet + 1 } else { 0 };
        ensure!(Instant::now() < deadline, "still busy after {PATIENCE:?}: {busy:?}");
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Who is still busy.
async fn busy(client: &Client, context: &jetstream::Context) -> anyhow::Result<Option<String>> {
    let stream = context.get_stream("tandem").await?;
    let mut consumers = stream.consumers();
    while let Some(consumer) = consumers.try_next().await? {
        let left = consumer.num_pending + consumer.num_ack_pending as u64;
        if consumer.config.durable_name.is_some() && left > 0 {
            return Ok(Some(format!("{} has {left} events to handle", consumer.name)));
        }
    }
    for service in Service::ALL {
        for view in client.views(service).list_views(ListViewsRequest {}).await?.into_inner().views {
            if view.lag != 0 || !view.parked_events.is_empty() {
                return Ok(Some(format!("{view:?}")));
            }
        }
    }
    Ok(None)
}

async fn log(nats_url: &str) -> anyhow::Result<Vec<Logged>> {
    let options = JetStreamOptions { create: false, ..JetStreamOptions::default() };
    let servers: Vec<&str> = nats_url.split(',').collect();
    let log = JetStreamLog::open(async_nats::connect(&servers[..]).await?, options).await?;
    let last = log.last_position(&Filter::default()).await?;
    let mut events = log.follow(&Filter::default(), 0).await?;
    let mut logged = Vec::new();
    while logged.last().is_none_or(|event: &Logged| event.position < last) {
        let event = events.next().await.context("the log ended")??.event;
        let envelope = event.envelope;
        logged.push(Logged {
            position: event.position,
            subject: event.subject.to_string(),
            resource: envelope.resource,
            event_id: envelope.id,
            event_type: envelope.event_type,
            request_id: envelope.request_id,
        });
    }
    Ok(logged)
}

fn cents(amount: Option<&tandem_proto::google::r#type::Money>) -> anyhow::Result<i64> {
    Ok(Money::try_from(amount.context("an amount")?)?.minor())
}

async fn earnings(client: &Client) -> anyhow::Result<Vec<Earned>> {
    let (mut earnings, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListEarningsRequest { page_size: PAGE, page_token, ..Default::default() };
        let page = client.earnings().list_earnings(request).await?.into_inner();
        for earning in page.earnings {
            earnings.push(Earned {
                cents: cents(earning.amount.as_ref())?,
                paid: earning.state() == EarningState::Paid,
                name: earning.name,
                contract: earning.contract,
                creator: earning.creator,
            });
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(earnings);
        }
    }
}

async fn payouts(client: &Client) -> anyhow::Result<Vec<Paid>> {
    let (mut payouts, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListPayoutRunsRequest { page_size: PAGE, page_token, ..Default::default() };
        let page = client.payout_runs().list_payout_runs(request).await?.into_inner();
        for payout in page.payout_runs.into_iter().flat_map(|run| run.payouts) {
            let cents = cents(payout.amount.as_ref())?;
            payouts.push(Paid { name: payout.name, cents, earnings: payout.earnings });
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(payouts);
        }
    }
}

/// Contracts that are shown differently by Get, which is the aggregate, and List, which is the view.
async fn unlike(client: &Client) -> anyhow::Result<Vec<String>> {
    let request = ListContractsRequest { page_size: PAGE, ..Default::default() };
    let listed = client.contracts().list_contracts(request).await?.into_inner().contracts;
    let mut unlike = Vec::new();
    for contract in listed.into_iter().take(SAMPLE) {
        let request = GetContractRequest { name: contract.name.clone(), ..Default::default() };
        if client.contracts().get_contract(request).await?.into_inner() != contract {
            unlike.push(contract.name);
        }
    }
    Ok(unlike)
}
