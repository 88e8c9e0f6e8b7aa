//! What the content may be used for and until when, and for whom the creator may not work meanwhile.

use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp};
use tandem_cli::output::{instant, table};
use tandem_client::Service;
use tandem_proto::campaigns::v1::Participation;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::{
    AcceptContractRequest, CheckExclusivityRequest, CheckRightsRequest, CheckRightsResponse, Contract,
    ProposeContractRequest, SignContractRequest, SignatureMethod, UsageKind,
};
use tandem_proto::time;

use super::{contract, heading, partnership};
use crate::cast::Person;
use crate::world::World;

/// Another brand's contract with the same creator.
const OTHER: &str = "contract-lumiere-autumn.yaml";
/// Organic use and paid amplification of the one deliverable.
const RIGHTS: usize = 2;

pub(super) async fn tell(world: &mut World<'_>, signed: &Contract, joined: &Participation) -> anyhow::Result<()> {
    heading(6, "Rights and exclusivity");
    // The register is kept by a process, which comes after the publication when it comes.
    let of = partnership(&signed.brand, &signed.creator);
    world.events("tandem.contracts.v1.UsageRightGranted", &of, RIGHTS).await?;
    let deliverable = format!("{}/deliverables/reel-1", joined.name);
    paid_amplification_ends(world, &deliverable).await?;
    exclusivity_conflicts(world, signed).await
}

/// The same question on the last day of paid amplification, and on the day after.
async fn paid_amplification_ends(world: &World<'_>, deliverable: &str) -> anyhow::Result<()> {
    let now = check(world, deliverable, None).await?;
    let end = now.end_time.as_ref().and_then(time::from_proto).context("a right with an end")?;
    let mut shown = table(&["ads in the US on instagram, on", "allowed", "because"]);
    let mut answers = Vec::new();
    for instant_of_use in [end - SignedDuration::from_secs(1), end] {
        let answer = check(world, deliverable, Some(instant_of_use)).await?;
        let allowed = if answer.allowed { "yes" } else { "no" };
        shown.add_row([
            instant(Some(&time::to_proto(instant_of_use))) + " UTC",
            allowed.to_owned(),
            answer.explanation.clone(),
        ]);
        answers.push(answer.allowed);
    }
    println!("{}", shown.trim_fmt());
    ensure!(answers == [true, false], "paid amplification does not end when it says: {answers:?}");
    Ok(())
}

async fn check(world: &World<'_>, deliverable: &str, at: Option<Timestamp>) -> anyhow::Result<CheckRightsResponse> {
    let request = CheckRightsRequest {
        deliverable: deliverable.to_owned(),
        kind: UsageKind::PaidAmplification.into(),
        channel: "instagram".to_owned(),
        territory: "US".to_owned(),
        use_time: at.map(time::to_proto),
    };
    Ok(world.client(&Person::Maria).rights().check_rights(request).await?.into_inner())
}

/// Another brand wants the same creator for the same category: it is told before, and can't sign.
async fn exclusivity_conflicts(world: &mut World<'_>, signed: &Contract) -> anyhow::Result<()> {
    let draft = contract::read(OTHER, &signed.creator)?;
    let name = contract::create(world, &draft, "lumiere-autumn").await?.name;
    let _: Contract = world
        .write(&Person::Maria, Service::Contracts, |client, request_id| {
            let request =
                ProposeContractRequest { name: name.clone(), request_id, ..ProposeContractRequest::default() };
            async move { client.contracts().propose_contract(request).await }
        })
        .await?;
    let creator = Person::Creator(signed.creator.clone());
    let accepted: Contract = world
        .write(&creator, Service::Contracts, |client, request_id| {
            let request = AcceptContractRequest { name: name.clone(), request_id, ..AcceptContractRequest::default() };
            async move { client.contracts().accept_contract(request).await }
        })
        .await?;
    println!("\n{} is agreed from examples/{OTHER}, with the same creator", accepted.name);

    let request = CheckExclusivityRequest { contract: name.clone() };
    let checked = world.client(&Person::Maria).exclusivity().check_exclusivity(request).await?.into_inner();
    let mut shown = table(&["conflicts with", "by its clause", "from", "to"]);
    for conflict in &checked.conflicts {
        let day = |date: &Option<tandem_proto::google::r#type::Date>| {
            date.map_or_else(String::new, |date| format!("{:04}-{:02}-{:02}", date.year, date.month, date.day))
        };
        shown.add_row([
            conflict.contract.clone(),
            conflict.clause_id.clone(),
            day(&conflict.start_date),
            day(&conflict.end_date),
        ]);
    }
    println!("{}", shown.trim_fmt());
    let with: Vec<_> = checked.conflicts.iter().map(|conflict| conflict.contract.as_str()).collect();
    ensure!(with == [signed.name.as_str()], "not the one conflict: {:?}", checked.conflicts);

    let told = world
        .refused(&Person::Maria, ErrorReason::ExclusivityConflict, |client| async move {
            let request = SignContractRequest {
                name,
                terms_hash: accepted.terms_hash,
                capacity: "Head of Partnerships".to_owned(),
                method: SignatureMethod::Click.into(),
                ..SignContractRequest::default()
            };
            client.contracts().sign_contract(request).await
        })
        .await?;
    println!("Signing it is refused: {told}");
    Ok(())
}
