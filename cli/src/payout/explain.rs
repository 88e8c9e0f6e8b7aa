//! Why a payout is what it is, for people.
//!
//! Invariant: the lines shown make up the payout to the minor unit; what does not is an error, never a table.

use anyhow::{Context as _, ensure};
use tandem_money::Money;
use tandem_proto::payouts::v1::{Earning, ExplainPayoutResponse, PayoutState, SourceEvent};

use super::{because, granted_by};
use crate::output::{instant, short, table};

/// A line an earning, in the order in which they were earned, and their total.
pub(super) fn text(explained: ExplainPayoutResponse) -> anyhow::Result<String> {
    let ExplainPayoutResponse { payout, mut lines } = explained;
    let payout = payout.context("the service answered without the payout")?;
    let paid = Money::try_from(payout.amount.as_ref().context("the payout has no amount")?)?;
    let position = |earning: Option<&Earning>| {
        earning.and_then(|earning| earning.source_events.first()).map_or(i64::MAX, |event| event.position)
    };
    lines.sort_by_key(|line| position(line.earning.as_ref()));

    let headers =
        [">amount", "because", "contract, version, clause", "event", "of", ">position in the log", "time (UTC)"];
    let mut shown = table(&headers);
    let mut amounts = Vec::with_capacity(lines.len());
    for line in &lines {
        let earning = line.earning.as_ref().context("a line has no earning")?;
        let earned = Money::try_from(earning.amount.as_ref().context("an earning has no amount")?)?;
        amounts.push(earned);
        let missing = if line.clause.is_some() { "" } else { " (not in that version: inquire)" };
        // An earning may be for several events: a line each.
        let events =
            |of: fn(&SourceEvent) -> String| earning.source_events.iter().map(of).collect::<Vec<_>>().join("\n");
        shown.add_row([
            earned.to_string(),
            because(earning),
            granted_by(earning) + missing,
            events(|event| short(&event.r#type).to_owned()),
            events(|event| event.resource.clone()),
            events(|event| event.position.to_string()),
            events(|event| instant(event.time.as_ref())),
        ]);
    }
    let total = Money::total(paid.currency(), amounts)?;
    ensure!(total == paid, "{}: the lines sum up to {total}, not to {paid}; inquire before it is paid", payout.name);
    shown.add_row([total.to_string(), "total".to_owned()]);
    let state = match payout.state() {
        PayoutState::Paid => {
            format!("paid on {} UTC, bank reference {}", instant(payout.settle_time.as_ref()), payout.bank_reference)
        }
        PayoutState::Pending | PayoutState::Unspecified => "not paid yet".to_owned(),
    };
    Ok(format!("{}: {paid} for {}, {state}\n\n{}", payout.name, payout.creator, shown.trim_fmt()))
}

#[cfg(test)]
mod tests {
    use tandem_money::Currency;
    use tandem_proto::contracts::v1::Clause;
    use tandem_proto::payouts::v1::{Calculation, Payout, PayoutLine};

    use super::*;

    fn line(minor: i64, explanation: &str, position: i64) -> PayoutLine {
        let event = SourceEvent {
            r#type: "tandem.contracts.v1.ContractSigned".into(),
            resource: "contracts/k1".into(),
            position,
            ..Default::default()
        };
        let earning = Earning {
            contract: "contracts/k1".into(),
            contract_version: 3,
            clause_id: "fee".into(),
            amount: Some(Money::new(minor, Currency::USD).into()),
            calculation: Some(Calculation { explanation: explanation.into(), ..Default::default() }),
            source_events: vec![event],
            ..Default::default()
        };
        PayoutLine { earning: Some(earning), clause: Some(Clause::default()) }
    }

    fn explained(lines: Vec<PayoutLine>) -> ExplainPayoutResponse {
        let payout = Payout {
            name: "payoutRuns/r1/payouts/c1".into(),
            creator: "creators/c1".into(),
            amount: Some(Money::new(150_000, Currency::USD).into()),
            ..Default::default()
        };
        ExplainPayoutResponse { payout: Some(payout), lines }
    }

    #[test]
    fn every_line_names_rule_clause_and_event() {
        let mut inquired = line(-50_000, "taken back", 9);
        inquired.clause = None;
        let page = text(explained(vec![inquired, line(200_000, "50 % on signing", 4)])).unwrap();
        let rows: Vec<_> =
            page.lines().skip(3).map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(rows[0], "USD 2,000.00 50 % on signing contracts/k1 v3 fee ContractSigned contracts/k1 4");
        assert!(
            rows[1].starts_with("USD -500.00 taken back contracts/k1 v3 fee (not in that version: inquire)"),
            "{page}"
        );
        assert_eq!(rows[2], "USD 1,500.00 total");
        assert!(page.starts_with("payoutRuns/r1/payouts/c1: USD 1,500.00 for creators/c1, not paid yet"), "{page}");
    }

    #[test]
    fn lines_that_are_not_the_payout_are_an_error() {
        let error = text(explained(vec![line(149_999, "half", 4)])).unwrap_err().to_string();
        assert!(error.contains("USD 1,499.99, not to USD 1,500.00"), "{error}");
    }
}
