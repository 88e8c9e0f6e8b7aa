//! Where the partnership stands, how it came there, and that all of it is rebuilt from the log.

use anyhow::{Context as _, ensure};
use jiff::ToSpan as _;
use tandem_cli::output::{grouped, instant, short, table};
use tandem_money::Money;
use tandem_proto::contracts::v1::Contract;
use tandem_proto::google::r#type as wire;
use tandem_proto::payouts::v1::{EarningRule, EarningState, PayoutRun, PayoutState};
use tandem_proto::relationships::v1::{
    AuditEntry, GetPartnershipRequest, ListAuditEntriesRequest, MoneyFigures, Partnership, Stage, WatchEventsRequest,
};
use tandem_proto::time;

use super::{EndState, answers, brief, essence, heading, payout};
use crate::cast::Person;
use crate::money::amount;
use crate::world::World;

pub(super) async fn tell(
    world: &mut World<'_>,
    name: &str,
    contract: &Contract,
    run: &PayoutRun,
) -> anyhow::Result<EndState> {
    heading(7, "Relationship");
    // Everything that is in the log, also what processes wrote, is in the answers below.
    world.events("tandem.payouts.v1.PayoutSettled", name, 1).await?;
    let signed = contract.sign_time.as_ref().and_then(time::from_proto).context("the contract is signed")?;
    let before_signing = signed - 24.hours();
    let now = partnership(world, name, None).await?;
    let then = partnership(world, name, Some(before_signing)).await?;
    compare(&then, &now);
    ensure!(now.stage() == Stage::Nurture, "the stage is {:?}", now.stage());
    ensure!(then.stage() == Stage::Onboarding && then.money.is_empty(), "the day before signing: {then:?}");
    let money = now.money.first().context("there is money")?;
    ensure!(money.paid == money.earned && money.paid == run.total_amount, "paid and earned differ: {money:?}");

    let trail = audit_trail(world, name).await?;
    let mut shown = table(&[">position", "time (UTC)", "actor", "command", "what", "reason"]);
    let alike = |a: &AuditEntry, b: &AuditEntry| (&a.request_id, &a.summary) == (&b.request_id, &b.summary);
    for entries in trail.chunk_by(alike) {
        let [entry, ..] = entries else { continue };
        ensure!(!entry.actor.is_empty() && !entry.command.is_empty(), "an entry without actor or command: {entry:?}");
        let times = if entries.len() > 1 { format!(" ({} times)", entries.len()) } else { String::new() };
        shown.add_row([
            entry.position.to_string(),
            instant(entry.time.as_ref()),
            brief(&entry.actor),
            entry.command.rsplit('/').next().unwrap_or_default().to_owned(),
            entry.summary.clone() + &times,
            entry.reason.clone(),
        ]);
    }
    println!("\nTimeline and audit trail, {} entries:\n{}", trail.len(), shown.trim_fmt());

    rebuild(world, name, before_signing).await?;
    end_state(world, name, contract, run).await
}

async fn partnership(world: &World<'_>, name: &str, as_of: Option<jiff::Timestamp>) -> anyhow::Result<Partnership> {
    let request = GetPartnershipRequest { name: name.to_owned(), as_of: as_of.map(time::to_proto) };
    Ok(world.client(&Person::Maria).relationships().get_partnership(request).await?.into_inner())
}

/// Side by side: the day before signing, and now.
fn compare(then: &Partnership, now: &Partnership) {
    let mut shown = table(&["", ">the day before signing", ">now"]);
    let mut row = |what: &str, figure: &dyn Fn(&Partnership) -> String| {
        shown.add_row([what.to_owned(), figure(then), figure(now)]);
    };
    row("stage", &|p| Stage::as_str_name(&p.stage()).trim_start_matches("STAGE_").to_lowercase());
    row("discovery: followers of the largest channel", &|p| {
        grouped(p.discovery.clone().unwrap_or_default().follower_count)
    });
    row("discovery: findings", &|p| p.discovery.clone().unwrap_or_default().finding_count.to_string());
    row("outreach: messages, replies", &|p| {
        let outreach = p.outreach.unwrap_or_default();
        format!("{}, {}", outreach.message_count, outreach.reply_count)
    });
    row("onboarding: offers, signed", &|p| {
        let onboarding = p.onboarding.unwrap_or_default();
        format!("{}, {}", onboarding.round_count, onboarding.signed_count)
    });
    row("activation: drafts, revisions, published", &|p| {
        let activation = p.activation.unwrap_or_default();
        format!("{}, {}, {}", activation.draft_count, activation.revision_count, activation.published_count)
    });
    row("results: impressions", &|p| grouped(p.results.clone().unwrap_or_default().impressions));
    row("results: engagements, clicks", &|p| {
        let results = p.results.clone().unwrap_or_default();
        format!("{}, {}", grouped(results.engagements), grouped(results.clicks))
    });
    row("results: orders, refunds", &|p| {
        let results = p.results.clone().unwrap_or_default();
        format!("{}, {}", results.order_count, results.refund_count)
    });
    let money = |p: &Partnership| p.money.first().cloned().unwrap_or_default();
    row("money committed", &|p| amount(money(p).committed.as_ref()));
    row("money earned", &|p| amount(money(p).earned.as_ref()));
    row("money paid", &|p| amount(money(p).paid.as_ref()));
    row("money outstanding", &|p| amount(outstanding(&money(p)).as_ref()));
    row("attributed sales less refunds", &|p| amount(money(p).sales.as_ref()));
    row("return on creator cost: (sales - earned) / earned", &|p| match money(p) {
        money if money.earned.is_some() => {
            format!("{}.{:02} %", money.roi_basis_points / 100, (money.roi_basis_points % 100).abs())
        }
        _ => "–".to_owned(),
    });
    println!("{}", shown.trim_fmt());
    let stages = now.stages.iter().map(|entry| {
        let stage = Stage::as_str_name(&entry.stage()).trim_start_matches("STAGE_").to_lowercase();
        format!("{stage} {}", instant(entry.enter_time.as_ref()).get(..10).unwrap_or_default())
    });
    println!("Stages reached: {}", stages.collect::<Vec<_>>().join(", "));
}

/// Earned and not paid yet.
fn outstanding(money: &MoneyFigures) -> Option<wire::Money> {
    let earned = Money::try_from(money.earned.as_ref()?).ok()?;
    let paid = Money::try_from(money.paid.as_ref()?).ok()?;
    Some(earned.checked_sub(paid).ok()?.into())
}

async fn audit_trail(world: &World<'_>, partnership: &str) -> anyhow::Result<Vec<AuditEntry>> {
    let request = ListAuditEntriesRequest {
        filter: format!("partnership:\"{partnership}\""),
        page_size: 1000,
        ..ListAuditEntriesRequest::default()
    };
    Ok(world.client(&Person::Maria).relationships().list_audit_entries(request).await?.into_inner().audit_entries)
}

async fn rebuild(world: &World<'_>, name: &str, as_of: jiff::Timestamp) -> anyhow::Result<()> {
    let before = answers::collect(world, name, as_of).await?;
    let rebuilt = answers::rebuild(&world.client(&Person::Olga)).await?;
    let mut shown = table(&["view", ">events", ">rows", ">ms"]);
    for (view, report) in &rebuilt {
        shown.add_row([
            view.clone(),
            grouped(report.event_count),
            grouped(report.row_count),
            grouped(report.duration_millis),
        ]);
    }
    let after = answers::collect(world, name, as_of).await?;
    for ((question, before), (_, after)) in before.iter().zip(&after) {
        ensure!(before == after, "after the rebuild {question} is answered otherwise");
    }
    ensure!(before.len() == after.len(), "another number of answers");
    let bytes: usize = after.iter().map(|(_, bytes)| bytes.len()).sum();
    println!(
        "\nAll {} views rebuilt from the log:\n{}\n{} answers, {} bytes: the same, byte for byte.",
        rebuilt.len(),
        shown.trim_fmt(),
        after.len(),
        grouped(bytes)
    );
    Ok(())
}

async fn end_state(world: &World<'_>, name: &str, contract: &Contract, run: &PayoutRun) -> anyhow::Result<EndState> {
    let earnings = payout::earnings(world, contract).await?;
    let earnings = earnings.iter().map(|earning| {
        let (rule, state) = (EarningRule::as_str_name(&earning.rule()), EarningState::as_str_name(&earning.state()));
        format!("{rule} {} {} {state}", earning.clause_id, amount(earning.amount.as_ref()))
    });
    let payouts = run
        .payouts
        .iter()
        .map(|payout| format!("{} {}", amount(payout.amount.as_ref()), PayoutState::as_str_name(&payout.state())));
    let request = WatchEventsRequest { partnership: name.to_owned(), until_now: true, ..WatchEventsRequest::default() };
    let mut stream = world.client(&Person::Maria).events().watch_events(request).await?.into_inner();
    let mut event_types = Vec::new();
    while let Some(event) = stream.message().await? {
        event_types.push(short(&event.r#type).to_owned());
    }
    // What processes write comes when it comes.
    event_types.sort();
    Ok(EndState {
        earnings: earnings.collect(),
        payouts: payouts.collect(),
        partnership: essence(&partnership(world, name, None).await?),
        event_types,
    })
}
