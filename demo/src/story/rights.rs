//! What the content may be used for, and until when.

use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp};
use tandem_cli::output::{instant, table};
use tandem_proto::campaigns::v1::Participation;
use tandem_proto::contracts::v1::{CheckRightsRequest, CheckRightsResponse, Contract, UsageKind};
use tandem_proto::time;

use super::{heading, partnership};
use crate::cast::Person;
use crate::world::World;

/// Organic use and paid amplification of the one deliverable.
const RIGHTS: usize = 2;

pub(super) async fn tell(world: &mut World<'_>, signed: &Contract, joined: &Participation) -> anyhow::Result<()> {
    heading(6, "Rights");
    // The register is kept by a process, which comes after the publication when it comes.
    let of = partnership(&signed.brand, &signed.creator);
    world.events("tandem.contracts.v1.UsageRightGranted", &of, RIGHTS).await?;
    let deliverable = format!("{}/deliverables/reel-1", joined.name);
    paid_amplification_ends(world, &deliverable).await
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
