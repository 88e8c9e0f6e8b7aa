//! `QuoteCompensation`: what facts would pay under the terms.
//!
//! Invariant: it is computed by the rules that payouts are computed by, and nothing is kept of it.

use std::borrow::Cow;

use jiff::Timestamp;
use tandem_compensation::{Fact, FactError, Ledger, Line, Rules};
use tandem_money::Money;
use tandem_money::dates::date_to_proto;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::validation::Path;
use tandem_service::{Call, Problem};
use tonic::{Response, Status};

use super::{Grpc, instant, parse};
use crate::contract::in_force::in_force;

pub(super) async fn quote(
    grpc: &Grpc,
    call: &Call<pb::QuoteCompensationRequest>,
) -> Result<Response<pb::QuoteCompensationResponse>, Status> {
    let pb::QuoteCompensationRequest { name, facts, as_of_time, terms } = &call.message;
    let loaded = grpc.load(call, name).await?;
    let contract = &loaded.state.0;
    let as_of = instant(call, "as_of_time", *as_of_time)?.unwrap_or(call.meta.time);
    let (terms, version) = match (terms, in_force(contract, as_of, Timestamp::MAX)) {
        (Some(terms), _) => (Cow::Owned(parse(Some(terms.clone()), &Path::Root.field("terms"))?.message().clone()), 0),
        (None, Some(applied)) => (Cow::Borrowed(applied.terms), applied.version.version),
        // Not signed: as they are offered.
        (None, None) => (Cow::Owned(contract.terms.clone().unwrap_or_default()), contract.version),
    };
    let rules = Rules::parse(&terms).map_err(|error| call.error(Problem::internal(error)))?;
    let (lines, total) = compute(&rules, facts).map_err(|(field, wrong)| call.invalid(&field, &wrong))?;
    Ok(Response::new(pb::QuoteCompensationResponse { lines, total_amount: Some(total.into()), version }))
}

/// What facts pay, one after the other, and in sum; or the field that stands against it, and why.
fn compute(rules: &Rules, facts: &[pb::CompensationFact]) -> Result<(Vec<pb::QuoteLine>, Money), (String, String)> {
    let (mut ledger, mut lines) = (Ledger::default(), Vec::new());
    let mut total = Money::zero(rules.currency());
    for (message, index) in facts.iter().zip(0_i32..) {
        let wrong = |error: FactError| (format!("facts[{index}].{}", error.field), error.description);
        let (fact, at) = Fact::from_proto(message).map_err(wrong)?;
        if let Fact::Published { deliverable_id, .. } = &fact
            && rules.deliverable(deliverable_id).is_none()
        {
            let field = format!("facts[{index}].published.deliverable_id");
            let description = format!("is {deliverable_id:?}, which the terms don't owe: give a deliverable of theirs");
            return Err((field, description));
        }
        for line in ledger.take(rules, &fact, at).map_err(wrong)? {
            if line.payable {
                let sum = total.checked_add(line.amount);
                total = sum.map_err(|error| (format!("facts[{index}]"), format!("makes too much in all: {error}")))?;
            }
            lines.push(quoted(index, line));
        }
    }
    Ok((lines, total))
}

fn quoted(fact_index: i32, line: Line) -> pb::QuoteLine {
    pb::QuoteLine {
        fact_index,
        clause_id: line.clause_id,
        rule: line.rule.as_str_name().trim_start_matches("EARNING_RULE_").to_owned(),
        amount: Some(line.amount.into()),
        explanation: line.explanation,
        due_date: Some(date_to_proto(line.due_date)),
        payable: line.payable,
    }
}
