//! Finance: two people who pay out what is owed, run by run.

use std::sync::PoisonError;
use std::time::Duration;

use tandem_eventlog::ambient;
use tandem_payouts::payout_run::PayoutRun;
use tandem_proto::payouts::v1 as pb;
use tandem_proto::time::to_proto;

use super::caller::Caller;
use super::requests::{BRAND, date};

/// A few runs.
pub(super) async fn pay_out(mut fred: Caller, mut frida: Caller, number: i64) {
    for run in 0..fred.chance.between(2, 4) {
        fred.pause(Duration::from_secs(fred.chance.pick(&[60, 3600, 6 * 24 * 3600]))).await;
        let Some(created) = create(&mut fred, &format!("r{number}-{run}")).await else { continue };
        let name = &created.name;
        if fred.chance.one_in(5) {
            cancel(&mut fred, name).await;
            continue;
        }
        // Whoever created it may not approve it.
        let approver = if frida.chance.one_in(6) { &mut fred } else { &mut frida };
        let approved = approver
            .command::<PayoutRun, _>("ApprovePayoutRun", |client, request_id| {
                let request = pb::ApprovePayoutRunRequest { name: name.clone(), request_id, ..Default::default() };
                async move { client.payout_runs().approve_payout_run(request).await }
            })
            .await;
        if approved.is_none() {
            cancel(&mut frida, name).await;
            continue;
        }
        for _ in 0..frida.chance.between(1, 2) {
            submit(&mut frida, name).await;
        }
        for payout in &created.payouts {
            if !frida.chance.one_in(8) {
                settle(&mut frida, &payout.name).await;
            }
        }
    }
}

async fn create(fred: &mut Caller, id: &str) -> Option<pb::PayoutRun> {
    let run = pb::PayoutRun {
        brand: BRAND.into(),
        currency_code: "USD".into(),
        due_date: date(2027, 12, 31),
        debtor: Some(pb::DebtorAccount {
            holder_name: "GlowCo Inc.".into(),
            iban: "DE89370400440532013000".into(),
            bic: "COBADEFFXXX".into(),
        }),
        ..Default::default()
    };
    let create =
        pb::CreatePayoutRunRequest { payout_run: Some(run), payout_run_id: id.into(), request_id: String::new() };
    fred.command::<PayoutRun, _>("CreatePayoutRun", |client, request_id| {
        let request = pb::CreatePayoutRunRequest { request_id, ..create.clone() };
        async move { client.payout_runs().create_payout_run(request).await }
    })
    .await
}

async fn cancel(by: &mut Caller, name: &str) {
    by.command::<PayoutRun, _>("CancelPayoutRun", |client, request_id| {
        let (name, reason) = (name.to_owned(), "Wrong day.".to_owned());
        let request = pb::CancelPayoutRunRequest { name, reason, request_id, ..Default::default() };
        async move { client.payout_runs().cancel_payout_run(request).await }
    })
    .await;
}

async fn submit(by: &mut Caller, name: &str) {
    let submitted = by
        .command_for::<PayoutRun, _, _>(
            "SubmitPayoutRun",
            |client, request_id| {
                let request = pb::SubmitPayoutRunRequest { name: name.to_owned(), request_id, ..Default::default() };
                async move { client.payout_runs().submit_payout_run(request).await }
            },
            |submitted: pb::SubmitPayoutRunResponse| submitted.payout_run.unwrap_or_default(),
        )
        .await;
    if let Some(submitted) = submitted {
        let xml = String::from_utf8_lossy(&submitted.pain001_xml[..]).into_owned();
        let total = xml.split("<CtrlSum>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
        let hash = submitted.payout_run.unwrap_or_default().file_hash;
        let mut told = by.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.files.push((name.to_owned(), total.to_owned(), hash));
    }
}

async fn settle(by: &mut Caller, payout: &str) {
    #[expect(clippy::disallowed_methods, reason = "the bank looks at the clock, too")]
    let settle_time = Some(to_proto(ambient::now()));
    by.command::<PayoutRun, _>("SettlePayout", |client, request_id| {
        let (name, bank_reference) = (payout.to_owned(), "B1".to_owned());
        let request = pb::SettlePayoutRequest { name, bank_reference, settle_time, request_id };
        async move { client.payout_runs().settle_payout(request).await }
    })
    .await;
}
