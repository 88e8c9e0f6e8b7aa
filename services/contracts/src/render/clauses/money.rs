//! What is paid: fees, shares, bonuses, and when money is due.
//!
//! Invariant: see [`super`]; amounts of instalments are split as payouts split them.

use tandem_money::Money;
use tandem_proto::contracts::v1 as pb;

use super::super::document::{Block, Table, text};
use super::super::words::{NONE, amount, content_type, count, grouped, percent};
use super::say;

pub(super) fn fee(clause: &pb::FeeClause) -> Vec<Block> {
    let whole = clause.amount.as_ref().and_then(|amount| Money::try_from(amount).ok());
    let weights: Vec<u64> =
        clause.instalments.iter().map(|part| u64::try_from(part.share_basis_points).unwrap_or_default()).collect();
    let parts = whole.and_then(|whole| whole.split(&weights).ok()).unwrap_or_default();
    let rows = clause.instalments.iter().enumerate().map(|(index, part)| {
        let earned = match part.milestone() {
            pb::Milestone::Unspecified => NONE,
            pb::Milestone::Signing => "the second signature",
            pb::Milestone::Publication => "the publication of the last piece owed",
        };
        let share = parts.get(index).map_or_else(|| NONE.to_owned(), ToString::to_string);
        vec![earned.to_owned(), percent(part.share_basis_points), share]
    });
    let table = Table { headers: vec!["Earned with", ">Share", ">Amount"], rows: rows.collect() };
    let whole = amount(clause.amount.as_ref());
    vec![text(format!("The brand pays a fixed fee of {whole}, in these parts:")), Block::Table(table)]
}

pub(super) fn commission(clause: &pb::CommissionClause) -> Vec<Block> {
    let rate = percent(clause.rate_basis_points);
    let mut blocks = say([
        format!("The brand pays {rate} of the net value of each attributed order."),
        "A refund takes its share back.".to_owned(),
    ]);
    if !clause.tiers.is_empty() {
        let rows = clause.tiers.iter();
        let rows = rows.map(|tier| vec![amount(tier.from_amount.as_ref()), percent(tier.rate_basis_points)]);
        blocks.push(text("From these attributed net sales on, another rate applies:"));
        blocks.push(Block::Table(Table { headers: vec![">Sales from", ">Rate"], rows: rows.collect() }));
    }
    let caps = [
        (&clause.order_cap, "for one order"),
        (&clause.month_cap, "for the orders of one month"),
        (&clause.total_cap, "under the contract"),
    ];
    let caps = caps.into_iter().filter(|(cap, _)| cap.is_some());
    let caps: Vec<_> = caps.map(|(cap, of)| format!("At most {} {of}.", amount(cap.as_ref()))).collect();
    if !caps.is_empty() {
        blocks.push(Block::List(caps));
    }
    blocks
}

pub(super) fn payment_terms(clause: &pb::PaymentTermsClause) -> Vec<Block> {
    let basis = match clause.basis() {
        pb::PaymentBasis::Unspecified | pb::PaymentBasis::Earning => "the day on which it is earned",
        pb::PaymentBasis::EndOfMonth => "the last day of the month in which it is earned",
    };
    let due = match clause.net_days {
        0 => format!("Money is due on {basis}."),
        days => format!("Money is due {} after {basis}.", count(days, "day")),
    };
    let minimum = clause.minimum_payout.as_ref();
    let minimum =
        minimum.map(|minimum| format!("Less than {} is not paid out alone but waits for more.", amount(Some(minimum))));
    say([due].into_iter().chain(minimum))
}

pub(super) fn per_deliverable_fee(clause: &pb::PerDeliverableFeeClause) -> Vec<Block> {
    let of = match clause.content_type() {
        pb::ContentType::Unspecified => "piece of content".to_owned(),
        kind => content_type(kind),
    };
    say([format!("The brand pays {} for each {of}, earned with its publication.", amount(clause.amount.as_ref()))])
}

pub(super) fn product_value(clause: &pb::ProductValueClause) -> Vec<Block> {
    let value = amount(clause.value.as_ref());
    say([
        format!("The brand gives the creator products with a market value of {value}: {}.", clause.description),
        "Their value is accounted for and not paid out.".to_owned(),
    ])
}

pub(super) fn bonus(clause: &pb::BonusClause) -> Vec<Block> {
    let what = match clause.metric() {
        pb::Metric::Unspecified => NONE,
        pb::Metric::Impressions => "impressions of all content",
        pb::Metric::Engagements => "engagements of all content",
        pb::Metric::Clicks => "clicks of all content",
        pb::Metric::Orders => "attributed orders",
    };
    let (bonus, threshold) = (amount(clause.amount.as_ref()), grouped(clause.threshold));
    say([format!("The brand pays {bonus} once, when {threshold} {what} are reached.")])
}

pub(super) fn revenue_share(clause: &pb::RevenueShareClause) -> Vec<Block> {
    let share = percent(clause.share_basis_points);
    say([format!("The brand pays {share} of the net revenue that it reports for a period.")])
}

pub(super) fn holdback(clause: &pb::HoldbackClause) -> Vec<Block> {
    let (share, days) = (percent(clause.share_basis_points), count(clause.release_days, "day"));
    say([format!("{share} of all that is earned is held back, and due {days} after it would have been due.")])
}

pub(super) fn expenses(clause: &pb::ExpensesClause) -> Vec<Block> {
    say([format!(
        "The brand refunds costs of the creator, at most {} under the contract.",
        amount(clause.cap.as_ref())
    )])
}
