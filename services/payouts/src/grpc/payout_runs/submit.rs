//! Submitting: an approved run becomes a file for the bank.
//!
//! Invariant: bank details are read for an approved run alone, and whoever submits it again gets the same file.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tandem_aggregate::ExecuteError;
use tandem_client::Client;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::creators::v1::{GetPayoutAccountRequest, PayoutAccount};
use tandem_proto::payouts::v1::{self as pb, SubmitPayoutRunRequest, SubmitPayoutRunResponse};
use tandem_proto::time;
use tandem_service::{Call, Problem, Resource as _};
use tonic::{Response, Status};

use super::{CONCURRENCY, Handlers};
use crate::grpc::id_of;
use crate::pain001::{self, Pain001Error};
use crate::payout_run::{Command, PayoutRun};

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
        let accounts = self.accounts(call, &run).await?;
        loop {
            let file = pain001::write(&run, &accounts, file_time).map_err(|error| unwritable(call, &error))?;
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

    /// The accounts that a run pays to, in the order of its payouts.
    async fn accounts(
        &self,
        call: &Call<SubmitPayoutRunRequest>,
        run: &pb::PayoutRun,
    ) -> Result<Vec<PayoutAccount>, Status> {
        let client = self.client(call)?;
        let asking: Vec<_> = run.payouts.iter().map(|payout| account(client.clone(), payout.creator.clone())).collect();
        let accounts = stream::iter(asking).buffered(CONCURRENCY).try_collect().await;
        accounts.map_err(|error| call.error(error))
    }
}

async fn account(client: Client, creator: String) -> Result<PayoutAccount, tandem_client::Error> {
    let account = client.creators().get_payout_account(GetPayoutAccountRequest { name: creator }).await;
    Ok(account?.into_inner())
}

fn submit_time(run: &pb::PayoutRun) -> Option<jiff::Timestamp> {
    run.submit_time.as_ref().and_then(time::from_proto)
}

fn unwritable(call: &Call<SubmitPayoutRunRequest>, error: &Pain001Error) -> Status {
    match error {
        Pain001Error::AccountMissing { creator } => {
            let message = format!("{creator} has no payout account. Set it with SetPayoutAccount and submit again.");
            call.error(Problem::new(ErrorReason::PayoutAccountMissing, message))
        }
        error => call.error(ExecuteError::Corrupt(error.to_string())),
    }
}
