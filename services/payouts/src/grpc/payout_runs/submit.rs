//! Submitting: an approved run becomes a file for the bank.
//!
//! Invariant: bank details leave for an approved run alone, and whoever submits it again gets the same file.

use sha2::{Digest as _, Sha256};
use tandem_aggregate::ExecuteError;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::creators::v1::PayoutAccount;
use tandem_proto::payouts::v1::{self as pb, SubmitPayoutRunRequest, SubmitPayoutRunResponse, UnpayableCreator};
use tandem_proto::time;
use tandem_service::{Call, Problem, Resource as _};
use tonic::{Response, Status};

use super::Handlers;
use crate::grpc::id_of;
use crate::pain001;
use crate::payout_run::{Command, PayoutRun};
use crate::unpayable::{self, unpayable};

impl Handlers {
    pub(super) async fn submit(
        &self,
        call: &Call<SubmitPayoutRunRequest>,
    ) -> Result<Response<SubmitPayoutRunResponse>, Status> {
        let name = &call.message.name;
        // Whether it could be submitted at all; what the file will be does not matter to that.
        let blank = Command::Submit { file_hash: String::new(), file_time: call.meta.time };
        let staged = self.runs.stage(id_of(name), &blank, &call.meta).await.map_err(|error| call.error(error))?;
        let mut run = staged.loaded.state.0;
        let mut file_time = match staged.append {
            Some(_) => call.meta.time,
            // Submitted before: its file states when.
            None => submit_time(&run).unwrap_or(call.meta.time),
        };
        let accounts = self.payee_accounts(call, &run, staged.append.is_none()).await?;
        loop {
            let file = pain001::write(&run, &accounts, file_time)
                .map_err(|error| call.error(ExecuteError::Corrupt(error.to_string())))?;
            let file_hash = hex::encode(Sha256::digest(&file));
            let command = Command::Submit { file_hash: file_hash.clone(), file_time };
            let outcome = self.runs.execute(id_of(name), &command, &call.meta).await;
            let loaded = outcome.map_err(|error| call.error(error))?.loaded;
            let (etag, position) = (loaded.etag(), loaded.position);
            run = loaded.state.into_message(etag);
            if run.file_hash == file_hash {
                let answer = SubmitPayoutRunResponse { payout_run: Some(run), pain001_xml: file };
                return Ok(call.written::<PayoutRun, _>(answer, position));
            }
            // Another submission came first: its file, if the accounts are still what they were then.
            match submit_time(&run) {
                Some(stated) if stated != file_time => file_time = stated,
                _ => {
                    let message = format!(
                        "{name} was submitted with other payout accounts than are set now; the file of then can't be \
                         written again."
                    );
                    return Err(call.error(Problem::new(ErrorReason::StateForbids, message)));
                }
            }
        }
    }

    /// The accounts that a run pays to, in the order of its payouts; all payees without one in one refusal.
    async fn payee_accounts(
        &self,
        call: &Call<SubmitPayoutRunRequest>,
        run: &pb::PayoutRun,
        submitted: bool,
    ) -> Result<Vec<PayoutAccount>, Status> {
        let payees: Vec<_> = run.payouts.iter().map(|payout| payout.creator.clone()).collect();
        let answers = self.accounts(call, &payees).await?;
        let (mut accounts, mut missing) = (Vec::new(), Vec::new());
        for (payee, answer) in payees.iter().zip(answers) {
            match answer {
                Ok(account) => accounts.push(account),
                Err(reason) => missing.push(unpayable(payee, None, reason)),
            }
        }
        if missing.is_empty() { Ok(accounts) } else { Err(call.error(unpayable_now(&run.name, submitted, &missing))) }
    }
}

/// A run with payees who can't be paid any more.
fn unpayable_now(name: &str, submitted: bool, missing: &[UnpayableCreator]) -> Problem {
    let summary = unpayable::summary(missing);
    if submitted {
        let message =
            format!("{name} was submitted before; the file of then can't be written again, for payees are {summary}.");
        return Problem::new(ErrorReason::StateForbids, message);
    }
    let message = format!(
        "{name} can't be submitted, for payees are {summary}. Cancel it and create it again, which leaves them out; or set \
         their payout accounts with SetPayoutAccount and submit again."
    );
    Problem::new(ErrorReason::PayoutAccountMissing, message)
}

fn submit_time(run: &pb::PayoutRun) -> Option<jiff::Timestamp> {
    run.submit_time.as_ref().and_then(time::from_proto)
}
