//! How a contract ends early, and what that costs.
//!
//! Invariant: see [`super`].

use tandem_proto::contracts::v1 as pb;

use super::super::document::{Block, Table, text};
use super::super::words::{count, parties, percent, progress, sentence};
use super::say;

pub(super) fn morality(clause: &pb::MoralityClause) -> Vec<Block> {
    vec![
        text("These let the brand suspend the contract at once and, after a decision, end it:"),
        Block::List(clause.grounds.clone()),
    ]
}

pub(super) fn kill_fee(clause: &pb::KillFeeClause) -> Vec<Block> {
    let rows = clause.steps.iter();
    let rows = rows.map(|step| vec![progress(step.progress()).to_owned(), percent(step.share_basis_points)]);
    let table = Table { headers: vec!["Work has come so far", ">Share of the fee"], rows: rows.collect() };
    vec![text("If the brand ends the contract without a cause, it owes a share of the fixed fee:"), Block::Table(table)]
}

pub(super) fn termination(clause: &pb::TerminationClause) -> Vec<Block> {
    let notice = match clause.notice_days {
        0 => "at once".to_owned(),
        days => format!("with a notice of {}", count(days, "day")),
    };
    let convenience = if clause.convenience_parties.is_empty() {
        format!("Nobody may end the contract without a cause (else {notice}).")
    } else {
        format!("{} may end the contract without a cause, {notice}.", sentence(&parties(clause.convenience_parties())))
    };
    let cure = match clause.cure_days {
        0 => "A breach can't be cured: the contract can be ended for it at once.".to_owned(),
        days => {
            format!("A breach can be cured for {} from its notice; after that the contract can be ended for it.", {
                count(days, "day")
            })
        }
    };
    let clawback = match clause.clawback_share_basis_points {
        0 => "Nothing that was earned is taken back.".to_owned(),
        share => format!(
            "If it is ended for a breach of the creator or by their conduct, {} of the fee earned so far is taken back.",
            percent(share)
        ),
    };
    say([convenience, cure, clawback])
}
