//! The story, in its order.

pub mod answers;
mod campaign;
mod contract;
mod discovery;
mod import;
mod payout;
mod relationship;
mod rights;

pub use answers::answers;
use anyhow::Context as _;
pub use contract::draft;
use tandem_client::ClientBuilder;
use tandem_proto::relationships::v1::Partnership;

use crate::faults::Faults;
use crate::world::World;

/// What the story comes to, without ids and times: the same in every telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndState {
    /// Rule, clause, amount and state of each earning.
    pub earnings: Vec<String>,
    /// Amount and state of each payout.
    pub payouts: Vec<String>,
    /// Stage and figures of the partnership.
    pub partnership: String,
    /// Events in the log of the partnership, by type, in order.
    pub event_types: Vec<String>,
}

/// Tells the story on a fresh platform, which this client reaches.
///
/// # Errors
/// The first thing that is not as it should be.
pub async fn tell(client: ClientBuilder, faults: Faults<'_>) -> anyhow::Result<EndState> {
    let mut world = World::new(client, faults)?;
    import::tell(&mut world).await.context("import")?;
    let creator = discovery::tell(&mut world).await.context("vet and approach")?;
    let contract = contract::tell(&mut world, &creator).await.context("contract")?;
    let partnership = partnership(&contract.brand, &creator.name);
    let joined = campaign::tell(&mut world, &contract).await.context("campaign")?;
    campaign::sell(&mut world, &joined).await.context("sales")?;
    let run = payout::tell(&mut world, &contract, &partnership).await.context("payout")?;
    rights::tell(&mut world, &contract, &joined).await.context("rights and exclusivity")?;
    relationship::tell(&mut world, &partnership, &contract, &run).await.context("relationship")
}

/// `partnerships/{brand}~{creator}`.
fn partnership(brand: &str, creator: &str) -> String {
    format!("partnerships/{}~{}", brand.trim_start_matches("brands/"), creator.trim_start_matches("creators/"))
}

/// The partnership without what differs from telling to telling.
fn essence(partnership: &Partnership) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        partnership.stage(),
        partnership.stages.iter().map(|entry| (entry.stage(), entry.enter_time)).collect::<Vec<_>>(),
        partnership.discovery,
        partnership.outreach,
        partnership.onboarding,
        partnership.activation,
        partnership.results.as_ref().map(|results| (results.impressions, results.order_count, results.refund_count)),
        partnership.money,
    )
}

/// A resource name with no more of a long id than tells it from others: "conversions/a2834b63…".
fn brief(name: &str) -> String {
    match name.split_once('/') {
        Some((collection, id)) if id.len() > 20 => format!("{collection}/{}…", id.get(..8).unwrap_or(id)),
        _ => name.to_owned(),
    }
}

fn heading(number: u8, title: &str) {
    println!("\n{number}  {title}\n{}", "─".repeat(title.chars().count() + 3));
}
