//! How a contract goes on: renewal, change, and the law that it goes by.
//!
//! Invariant: see [`super`].

use tandem_proto::contracts::v1 as pb;

use super::super::document::Block;
use super::super::words::{and, count, days_ahead, parties, sentence};
use super::say;

/// What warnings are given ahead of where a clause names none, as its proto file says.
const WARNING_DAYS: [i32; 3] = [60, 30, 7];

pub(super) fn renewal(clause: &pb::RenewalClause) -> Vec<Block> {
    let (term, notice) = (count(clause.term_months, "month"), count(clause.notice_days, "day"));
    let warnings = if clause.warning_days.is_empty() { &WARNING_DAYS[..] } else { &clause.warning_days };
    let renews = if clause.auto_renew {
        format!("The contract renews itself for {term}, unless a party gives notice at least {notice} before its end.")
    } else {
        format!(
            "The contract does not renew itself. A renewal would be for {term}, to be decided {notice} before its end."
        )
    };
    say([renews, format!("Both are warned {} ahead of that day.", days_ahead(warnings))])
}

pub(super) fn amendment(clause: &pb::AmendmentClause) -> Vec<Block> {
    let consent = "Any other change needs the consent of both.".to_owned();
    let notice = match clause.notice_days {
        0 => "at once".to_owned(),
        days => format!("{} after its notice at the earliest", count(days, "day")),
    };
    let clauses = &clause.replaceable_clause_ids;
    let clauses = if clauses.is_empty() { "no clause".to_owned() } else { format!("the clauses {}", and(clauses)) };
    let replacing = if clause.replacing_parties.is_empty() {
        format!("Nobody may replace terms without the other's consent ({clauses}, effective {notice}).")
    } else {
        let who = sentence(&parties(clause.replacing_parties()));
        format!("{who} may replace {clauses} without the other's consent, effective {notice}.")
    };
    say([replacing, consent])
}

pub(super) fn governing_law(clause: &pb::GoverningLawClause) -> Vec<Block> {
    let law = match clause.subdivision_code.as_str() {
        "" => clause.country_code.clone(),
        subdivision => format!("{subdivision} ({})", clause.country_code),
    };
    say([format!("The law of {law} applies. Public holidays of {} are no business days.", clause.country_code)])
}
