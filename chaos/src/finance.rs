//! Finance, beside the partnerships: what is due is paid, run after run.
//!
//! Invariant: one run at a time, each led to its end before the next.

use tandem_client::{Client, Error};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::payouts::v1::{
    ApprovePayoutRunRequest, CreatePayoutRunRequest, DebtorAccount, PayoutRun, SettlePayoutRequest,
    SubmitPayoutRunRequest,
};

use crate::life::{in_days, now};
use crate::world::{APPROVER, BRAND, Clients, PREPARER};
use crate::writer::{NotWritten, Writer};

#[derive(Clone)]
pub(crate) struct Finance {
    writer: Writer,
    preparer: Client,
    approver: Client,
}

impl Finance {
    pub(crate) fn new(clients: &Clients, writer: Writer) -> Self {
        Self { writer, preparer: clients.user(PREPARER), approver: clients.user(APPROVER) }
    }

    /// Pays all that is due within the year; answers whether that was anything. None if there was no answer.
    pub(crate) async fn pay(&self) -> Option<bool> {
        let create = |request_id| {
            let draft = PayoutRun {
                brand: BRAND.to_owned(),
                currency_code: "USD".to_owned(),
                due_date: in_days(365),
                debtor: Some(DebtorAccount {
                    holder_name: "GlowCo Inc.".to_owned(),
                    iban: "DE89370400440532013000".to_owned(),
                    bic: "COBADEFFXXX".to_owned(),
                }),
                ..Default::default()
            };
            let request = CreatePayoutRunRequest { payout_run: Some(draft), request_id, ..Default::default() };
            let client = self.preparer.clone();
            async move { client.payout_runs().create_payout_run(request).await }
        };
        let run = match self.writer.write("create a payout run", create).await {
            Ok(run) => run,
            Err(NotWritten::Refused(status)) => {
                let error = Error::from(*status);
                if error.reason() != Some(ErrorReason::NothingPayable) {
                    self.writer.journal.refused(format!("create a payout run: {error}"));
                }
                return Some(false);
            }
            Err(NotWritten::GivenUp) => return None,
        };
        let approve = |request_id| {
            let (name, reason) = (run.name.clone(), "checked".to_owned());
            let request = ApprovePayoutRunRequest { name, reason, request_id, ..Default::default() };
            let client = self.approver.clone();
            async move { client.payout_runs().approve_payout_run(request).await }
        };
        self.writer.must("approve a payout run", approve).await?;
        let submit = |request_id| {
            let request = SubmitPayoutRunRequest { name: run.name.clone(), request_id, ..Default::default() };
            let client = self.preparer.clone();
            async move { client.payout_runs().submit_payout_run(request).await }
        };
        self.writer.must("submit a payout run", submit).await?;
        let settle_time = Some(now());
        for payout in &run.payouts {
            let settle = |request_id| {
                let (name, bank_reference) = (payout.name.clone(), "NTRF-1".to_owned());
                let request = SettlePayoutRequest { name, bank_reference, settle_time, request_id };
                let client = self.preparer.clone();
                async move { client.payout_runs().settle_payout(request).await }
            };
            self.writer.must("settle a payout", settle).await?;
        }
        Some(true)
    }
}
