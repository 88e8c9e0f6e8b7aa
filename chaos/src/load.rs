//! The load: callers that lead one partnership after another, and finance beside them.
//!
//! Invariant: a caller ends between two writes, never within one, unless it gives up on it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tandem_client::Client;
use tandem_proto::campaigns::v1::{
    Campaign, CreateCampaignRequest, Kpi, LaunchCampaignRequest, Metric, Objective, RegionBudget,
    SetCampaignKpisRequest,
};
use tandem_proto::creators::v1::{
    BatchImportCreatorsRequest, ChannelFigures, ImportCreatorRow, PayoutAccount, Platform, SetPayoutAccountRequest,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::counts::{Counted, Counts};
use crate::finance::Finance;
use crate::journal::Journal;
use crate::life::{Actors, in_days, usd};
use crate::world::{BRAND, Clients, PREPARER};
use crate::writer::Writer;

/// How long a write is asked for after the faults are over.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two payout runs.
const PAY_EVERY: Duration = Duration::from_secs(1);
const CREATORS: usize = 3;

pub(crate) struct Load {
    writer: Writer,
    stop: CancellationToken,
    callers: JoinSet<()>,
}

impl Load {
    /// Prepares creators and a campaign, and begins.
    pub(crate) async fn start(clients: &Clients, callers: usize, rng: &mut fastrand::Rng) -> anyhow::Result<Self> {
        let (give_up, stop) = (CancellationToken::new(), CancellationToken::new());
        let writer = Writer { journal: Arc::new(Journal::default()), counts: Counts::start(), give_up };
        let brand = clients.user(PREPARER);
        let creators = creators(&brand, &writer).await?;
        let campaign = launch(&brand, &writer).await.context("the campaign was refused")?;
        let mut load = Self { writer: writer.clone(), stop: stop.clone(), callers: JoinSet::new() };
        for caller in 0..callers {
            let name = creators[caller % creators.len()].clone();
            let (writer, campaign, stop) = (writer.clone(), campaign.clone(), stop.clone());
            // Each sees the log by itself, as a user does.
            let (brand, creator) = (clients.user(PREPARER), clients.creator(&name));
            let actors = Actors { writer, brand, creator, name, campaign, stop: stop.clone() };
            let mut rng = rng.fork();
            load.callers.spawn(async move {
                for n in 0.. {
                    if stop.is_cancelled() {
                        break;
                    }
                    actors.live(&format!("c{caller}-{n}"), &mut rng).await;
                }
            });
        }
        let finance = Finance::new(clients, writer);
        load.callers.spawn(async move {
            while stop.run_until_cancelled(tokio::time::sleep(PAY_EVERY)).await.is_some() {
                finance.pay().await;
            }
        });
        Ok(load)
    }

    /// How many writes were acknowledged so far, and so on.
    pub(crate) fn counted(&self) -> Counted {
        self.writer.counts.counted()
    }

    /// Waits until so many more writes were acknowledged.
    pub(crate) async fn acknowledges(&self, more: u64) -> anyhow::Result<()> {
        let wanted = self.counted().acknowledged + more;
        let acknowledged = async {
            while self.counted().acknowledged < wanted {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, acknowledged).await;
        waited.with_context(|| format!("nothing was acknowledged within {PATIENCE:?}; it did not resume"))
    }

    /// Ends it after the writes under way, which are asked for until they are answered, for a minute.
    pub(crate) async fn finish(mut self) -> Writer {
        self.stop.cancel();
        let give_up = self.writer.give_up.clone();
        let patience = tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            give_up.cancel();
        });
        while self.callers.join_next().await.is_some() {}
        patience.abort();
        self.writer
    }
}

async fn creators(brand: &Client, writer: &Writer) -> anyhow::Result<Vec<String>> {
    let row = |n: usize| ImportCreatorRow {
        platform: Platform::Instagram.into(),
        handle: format!("creator{n}"),
        display_name: format!("Creator {n}"),
        figures: Some(ChannelFigures { observe_date: in_days(-10), followers: 10_000, ..Default::default() }),
        ..Default::default()
    };
    let request = BatchImportCreatorsRequest { rows: (0..CREATORS).map(row).collect(), ..Default::default() };
    let results = brand.creators().batch_import_creators(request).await?.into_inner().results;
    let creators: Vec<_> = results.iter().map(|result| result.creator.clone()).collect();
    ensure!(creators.iter().all(|creator| !creator.is_empty()), "creators were rejected: {results:?}");
    for name in &creators {
        let set = |request_id| {
            let account = PayoutAccount {
                holder_name: "A Creator".to_owned(),
                iban: "NL91ABNA0417164300".to_owned(),
                bic: "ABNANL2A".to_owned(),
                country_code: "NL".to_owned(),
            };
            let request = SetPayoutAccountRequest { name: name.clone(), payout_account: Some(account), request_id };
            let client = brand.clone();
            async move { client.creators().set_payout_account(request).await }
        };
        writer.must("set a payout account", set).await.context("a payout account was refused")?;
    }
    Ok(creators)
}

async fn launch(brand: &Client, writer: &Writer) -> Option<String> {
    let create = |request_id| {
        let (campaign, campaign_id) = (Some(campaign()), "serum".to_owned());
        let request = CreateCampaignRequest { campaign, campaign_id, request_id };
        let client = brand.clone();
        async move { client.campaigns().create_campaign(request).await }
    };
    let name = writer.must("create a campaign", create).await?.name;
    let set_kpis = |request_id| {
        let kpis = vec![Kpi { metric: Metric::Orders.into(), target: 10 }];
        let request = SetCampaignKpisRequest { name: name.clone(), kpis, request_id, ..Default::default() };
        let client = brand.clone();
        async move { client.campaigns().set_campaign_kpis(request).await }
    };
    writer.must("set KPIs", set_kpis).await?;
    let launch = |request_id| {
        let request = LaunchCampaignRequest { name: name.clone(), request_id, ..Default::default() };
        let client = brand.clone();
        async move { client.campaigns().launch_campaign(request).await }
    };
    writer.must("launch a campaign", launch).await?;
    Some(name)
}

/// One that can be created.
pub(crate) fn campaign() -> Campaign {
    Campaign {
        brand: BRAND.to_owned(),
        title: "Serum".to_owned(),
        objective: Objective::Conversion.into(),
        brief: "Show the serum in a real morning routine.".to_owned(),
        budgets: vec![RegionBudget { region: "US".to_owned(), amount: Some(usd(100_000_000)) }],
        ..Default::default()
    }
}
