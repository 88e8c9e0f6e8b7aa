//! `GetTerms`: the terms in force at an instant, as known at an instant.
//!
//! Invariant: transport only; which terms these are is [`in_force`]'s to say.

use jiff::Timestamp;
use tandem_aggregate::Refusal;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::time;
use tandem_service::Call;
use tonic::{Response, Status};

use super::{Grpc, instant};
use crate::contract::in_force::in_force;

pub(super) async fn get(
    grpc: &Grpc,
    call: &Call<pb::GetTermsRequest>,
) -> Result<Response<pb::GetTermsResponse>, Status> {
    let name = &call.message.name;
    let as_of = instant(call, "as_of_time", call.message.as_of_time)?.unwrap_or(call.meta.time);
    let known_at = instant(call, "known_at_time", call.message.known_at_time)?.unwrap_or(Timestamp::MAX);
    let contract = &grpc.load(call, name).await?.state.0;
    let Some(applied) = in_force(contract, as_of, known_at) else {
        return Err(call.error(nothing_known(contract, name, known_at)));
    };
    let (terms, version) = (applied.terms.clone(), applied.version);
    Ok(Response::new(pb::GetTermsResponse {
        terms: Some(terms),
        terms_hash: version.terms_hash.clone(),
        version: version.version,
        effective_time: version.effective_time,
        agree_time: version.agree_time,
        brand: contract.brand.clone(),
        creator: contract.creator.clone(),
    }))
}

/// Not signed, or not by then.
fn nothing_known(contract: &pb::Contract, name: &str, known_at: Timestamp) -> Refusal {
    let Some(signed) = contract.sign_time.as_ref().and_then(time::from_proto) else {
        let state = contract.state().as_str_name().trim_start_matches("CONTRACT_STATE_");
        let message = format!("{name} is {state}, so no terms are in force. Wait until both have signed it.");
        return Refusal::new(ErrorReason::StateForbids, message);
    };
    let message = format!(
        "At {known_at} no terms of {name} were known: it was signed at {signed}. Give a known_at_time from then on, or none."
    );
    Refusal::new(ErrorReason::OutOfTime, message)
}
