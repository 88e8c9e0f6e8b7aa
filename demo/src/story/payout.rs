//! Earnings have appeared by themselves; a payout run collects, explains and pays them.

use anyhow::{Context as _, ensure};
use tandem_cli::output::{short, table};
use tandem_client::Service;
use tandem_money::Money;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::Contract;
use tandem_proto::google::r#type::Date;
use tandem_proto::payouts::v1::{
    ApprovePayoutRunRequest, CreatePayoutRunRequest, DebtorAccount, Earning, EarningRule, ExplainPayoutRequest,
    ListEarningsRequest, PayoutRun, PayoutRunState, SettlePayoutRequest, SubmitPayoutRunRequest,
    SubmitPayoutRunResponse,
};
use tandem_proto::time;

use super::{brief, heading};
use crate::cast::Person;
use crate::money::amount;
use crate::world::World;

/// Two instalments, three commissions, one clawback.
const EARNINGS: usize = 6;

pub(super) async fn tell(world: &mut World<'_>, contract: &Contract, partnership: &str) -> anyhow::Result<PayoutRun> {
    heading(5, "Payout");
    world.events("tandem.payouts.v1.EarningAccrued", partnership, EARNINGS).await?;
    let earnings = earnings(world, contract).await?;
    let mut shown = table(&["earned by", "clause", ">amount", "due", "because"]);
    for earning in &earnings {
        let due = earning.due_date.unwrap_or_default();
        shown.add_row([
            EarningRule::as_str_name(&earning.rule())
                .trim_start_matches("EARNING_RULE_")
                .to_lowercase()
                .replace('_', " "),
            earning.clause_id.clone(),
            amount(earning.amount.as_ref()),
            format!("{:04}-{:02}-{:02}", due.year, due.month, due.day),
            earning.calculation.as_ref().map_or_else(String::new, |calculation| calculation.explanation.clone()),
        ]);
    }
    println!("Earnings appeared by themselves:\n{}", shown.trim_fmt());
    ensure!(earnings.len() == EARNINGS, "not {EARNINGS} earnings but {}", earnings.len());

    world.at("2026-08-03T08:00:00Z")?;
    let run = open(world, &contract.brand).await?;
    let run = approve(world, &run).await?;
    let run = submit(world, &run).await?;
    explain(world, &run, contract).await?;
    settle(world, &run).await
}

/// All earnings of the contract, in the order in which they were earned.
pub(super) async fn earnings(world: &World<'_>, contract: &Contract) -> anyhow::Result<Vec<Earning>> {
    let request = ListEarningsRequest {
        filter: format!("contract = \"{}\"", contract.name),
        order_by: "earn_time, name".to_owned(),
        ..ListEarningsRequest::default()
    };
    Ok(world.client(&Person::Fred).earnings().list_earnings(request).await?.into_inner().earnings)
}

async fn open(world: &mut World<'_>, brand: &str) -> anyhow::Result<PayoutRun> {
    let draft = |due_date| PayoutRun {
        brand: brand.to_owned(),
        currency_code: "USD".to_owned(),
        due_date: Some(due_date),
        debtor: Some(DebtorAccount {
            holder_name: "GlowCo Inc.".to_owned(),
            iban: "DE89370400440532013000".to_owned(),
            bic: "COBADEFFXXX".to_owned(),
        }),
        ..PayoutRun::default()
    };
    let early = draft(Date { year: 2026, month: 7, day: 11 });
    let told = world
        .refused(&Person::Fred, ErrorReason::NothingPayable, |client| async move {
            let request = CreatePayoutRunRequest { payout_run: Some(early), ..CreatePayoutRunRequest::default() };
            client.payout_runs().create_payout_run(request).await
        })
        .await?;
    println!("A day before the first due date: {told}");
    let due = draft(Date { year: 2026, month: 8, day: 3 });
    let run: PayoutRun = world
        .write(&Person::Fred, Service::Payouts, |client, request_id| {
            let request = CreatePayoutRunRequest {
                payout_run: Some(due.clone()),
                payout_run_id: "2026-08".to_owned(),
                request_id,
            };
            async move { client.payout_runs().create_payout_run(request).await }
        })
        .await?;
    let taken: usize = run.payouts.iter().map(|payout| payout.earnings.len()).sum();
    ensure!(taken == EARNINGS && run.payouts.len() == 1, "the run takes {taken} earnings");
    println!("{} takes {taken} earnings: {}", run.name, amount(run.total_amount.as_ref()));
    Ok(run)
}

async fn approve(world: &mut World<'_>, run: &PayoutRun) -> anyhow::Result<PayoutRun> {
    let request = |request_id| ApprovePayoutRunRequest {
        name: run.name.clone(),
        reason: "checked against the campaign report".to_owned(),
        request_id,
        ..ApprovePayoutRunRequest::default()
    };
    let told = world
        .refused(&Person::Fred, ErrorReason::SecondPersonRequired, |client| async move {
            client.payout_runs().approve_payout_run(request(String::new())).await
        })
        .await?;
    println!("Fred can't approve what he created: {told}");
    let approved: PayoutRun = world
        .write(&Person::Frida, Service::Payouts, |client, request_id| {
            let request = request(request_id);
            async move { client.payout_runs().approve_payout_run(request).await }
        })
        .await?;
    println!("Approved by {}", approved.approver);
    Ok(approved)
}

async fn submit(world: &mut World<'_>, run: &PayoutRun) -> anyhow::Result<PayoutRun> {
    let answer: SubmitPayoutRunResponse = world
        .write(&Person::Fred, Service::Payouts, |client, request_id| {
            let request =
                SubmitPayoutRunRequest { name: run.name.clone(), request_id, ..SubmitPayoutRunRequest::default() };
            async move { client.payout_runs().submit_payout_run(request).await }
        })
        .await?;
    let run = answer.payout_run.context("the run is missing")?;
    let file = String::from_utf8(answer.pain001_xml).context("the file is no UTF-8")?;
    ensure!(
        file.contains("pain.001.001.09") && file.contains("NL91ABNA0417164300"),
        "not the file of this run:\n{file}"
    );
    println!("Written as pain.001.001.09, {} bytes, SHA-256 {}…:", file.len(), &run.file_hash[..16]);
    let transaction = file.lines().skip_while(|line| !line.contains("<CdtTrfTxInf>")).take(7);
    for line in transaction.map(|line| line.strip_prefix("      ").unwrap_or(line)) {
        println!("  {line}");
    }
    println!("    …");
    Ok(run)
}

async fn explain(world: &World<'_>, run: &PayoutRun, contract: &Contract) -> anyhow::Result<()> {
    let payout = run.payouts.first().context("the run has a payout")?;
    let request = ExplainPayoutRequest { name: payout.name.clone() };
    let explained = world.client(&Person::Fred).payout_runs().explain_payout(request).await?.into_inner();
    let mut shown = table(&[">amount", "rule", "contract", "event", ">position"]);
    let mut sum = 0;
    let mut lines = explained.lines;
    lines.sort_by_key(|line| {
        line.earning.as_ref().map(|earning| earning.source_events.first().map(|event| event.position))
    });
    for line in &lines {
        let earning = line.earning.clone().context("a line has an earning")?;
        let paid = Money::try_from(&earning.amount.clone().context("an earning has an amount")?)?;
        sum += paid.minor();
        ensure!(
            line.clause.as_ref().is_some_and(|clause| clause.clause_id == earning.clause_id),
            "no clause: {line:?}"
        );
        ensure!(earning.contract_version == contract.round, "priced by another version: {earning:?}");
        let event = earning.source_events.first().context("an earning has an event")?;
        shown.add_row([
            paid.to_string(),
            earning.calculation.as_ref().map_or_else(String::new, |calculation| calculation.explanation.clone()),
            format!("{} v{}, {}", earning.contract, earning.contract_version, earning.clause_id),
            format!("{} of {}", short(&event.r#type), brief(&event.resource)),
            event.position.to_string(),
        ]);
    }
    let paid = Money::try_from(&payout.amount.clone().context("a payout has an amount")?)?;
    ensure!(sum == paid.minor(), "the lines sum up to {sum}, not to {paid}");
    println!("Why {paid}:\n{}", shown.trim_fmt());
    Ok(())
}

async fn settle(world: &mut World<'_>, run: &PayoutRun) -> anyhow::Result<PayoutRun> {
    world.at("2026-08-04T07:00:00Z")?;
    let payout = run.payouts.first().context("the run has a payout")?.name.clone();
    let settle_time = Some(time::to_proto("2026-08-04T06:00:00Z".parse()?));
    let settled: PayoutRun = world
        .write(&Person::Fred, Service::Payouts, |client, request_id| {
            let request = SettlePayoutRequest {
                name: payout.clone(),
                bank_reference: "NTRF-48213".to_owned(),
                settle_time,
                request_id,
            };
            async move { client.payout_runs().settle_payout(request).await }
        })
        .await?;
    ensure!(settled.state() == PayoutRunState::Settled, "{:?}", settled.state());
    println!("Paid on August 4, bank reference NTRF-48213");
    Ok(settled)
}
