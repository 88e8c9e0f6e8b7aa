//! An event in words, for people who read an audit trail or a timeline.
//!
//! Invariant: says nothing that is not in the event; a type that is not known here is named, not hidden.

use std::fmt::Display;

use tandem_money::Money;
use tandem_proto::campaigns::v1::{campaign_event, conversion_event, participation_event, tracking_code_event};
use tandem_proto::contracts::v1::{
    Party, Termination, UsageKind, UsageRight, contract_event, contract_template_event, exclusivity_event,
    usage_right_event,
};
use tandem_proto::creators::v1::{
    FindingKind, FindingSeverity, Platform, ReplyOutcome, Tier, creator_event, prospect_event,
};
use tandem_proto::payouts::v1::{EarningRule, earning_event, ledger_event, payout_run_event};
use tandem_proto::{EventSet, POOL, google, time};

/// Digits of a file's hash: enough to tell files apart by eye.
const HASH_SHOWN: usize = 12;

/// What happened, in a few words.
pub fn describe(event_type: &str, payload: &[u8]) -> String {
    fn words<E: EventSet>(event_type: &str, payload: &[u8], describe: impl Fn(E) -> String) -> Option<String> {
        E::decode(event_type, payload).ok().flatten().map(describe)
    }
    words(event_type, payload, creator)
        .or_else(|| words(event_type, payload, prospect))
        .or_else(|| words(event_type, payload, contract))
        .or_else(|| words(event_type, payload, contract_template))
        .or_else(|| words(event_type, payload, usage_right))
        .or_else(|| words(event_type, payload, exclusivity))
        .or_else(|| words(event_type, payload, campaign))
        .or_else(|| words(event_type, payload, participation))
        .or_else(|| words(event_type, payload, tracking_code))
        .or_else(|| words(event_type, payload, conversion))
        .or_else(|| words(event_type, payload, earning))
        .or_else(|| words(event_type, payload, ledger))
        .or_else(|| words(event_type, payload, payout_run))
        .unwrap_or_else(|| undescribed(event_type))
}

/// What can't be read here is named by its type.
fn undescribed(event_type: &str) -> String {
    let name = event_type.rsplit('.').next().unwrap_or(event_type);
    let known = POOL.get_message_by_name(event_type).is_some();
    match (name, known) {
        ("", _) => "An event without a type".to_owned(),
        (name, true) => format!("{name} (damaged: its content can't be read)"),
        (name, false) => format!("{name} (a type that is unknown here)"),
    }
}

fn creator(event: creator_event::Event) -> String {
    use creator_event::Event as E;
    let platform = |channel: Option<tandem_proto::creators::v1::Channel>| {
        let platform = channel.map_or(Platform::Unspecified, |channel| channel.platform());
        plain(platform.as_str_name(), "PLATFORM_")
    };
    match event {
        E::Registered(event) => format!("Creator registered by a channel on {}", platform(event.channel)),
        E::ChannelObserved(event) => format!("New figures of the channel on {}", platform(event.channel)),
        E::Merged(event) => format!("Merged into {}", event.into),
        E::ChannelsAdopted(event) => {
            format!("Took over {} of {}", count(event.channels.len(), "channel"), event.source)
        }
        E::PayoutAccountSet(event) => format!("Payout account set ({})", event.account_country_code),
        E::Erased(_) => "Personal data erased".to_owned(),
    }
}

fn prospect(event: prospect_event::Event) -> String {
    use prospect_event::Event as E;
    match event {
        E::Shortlisted(event) => {
            format!(
                "Shortlisted: {}, {} followers",
                plain(Tier::as_str_name(&event.tier()), "TIER_"),
                grouped(event.follower_count)
            )
        }
        E::FindingRecorded(event) => {
            let finding = event.finding.unwrap_or_default();
            let kind = plain(FindingKind::as_str_name(&finding.kind()), "FINDING_KIND_");
            let severity = plain(FindingSeverity::as_str_name(&finding.severity()), "FINDING_SEVERITY_");
            format!("Vetting, {kind}: {severity}. {}", finding.summary)
        }
        E::Approved(event) => format!("Approved by {}", event.reviewer),
        E::Rejected(event) => format!("Rejected by {}", event.reviewer),
        E::OutreachSent(event) => format!("Outreach sent by {} ({})", event.medium, event.template),
        E::ReplyReceived(event) => {
            format!("Reply received: {}", plain(ReplyOutcome::as_str_name(&event.outcome()), "REPLY_OUTCOME_"))
        }
    }
}

fn contract(event: contract_event::Event) -> String {
    use contract_event::Event as E;
    let party = |party: Party| plain(party.as_str_name(), "PARTY_");
    match event {
        E::Drafted(event) => format!("Contract drafted: {}", event.title),
        E::Proposed(_) => "Offer made by the brand (round 1)".to_owned(),
        E::Countered(event) => {
            format!("Counter-offer made by the {} (round {})", party(event.offered_by()), event.round)
        }
        E::Accepted(event) => format!("Offer accepted by the {} (round {})", party(event.accepted_by()), event.round),
        E::Declined(event) => format!("Offer declined by the {}", party(event.declined_by())),
        E::Withdrawn(event) => format!("Offer withdrawn by the {}", party(event.withdrawn_by())),
        E::SignatureAdded(event) => {
            format!("Signed for the {}", party(event.signature.unwrap_or_default().party()))
        }
        E::Signed(event) => format!(
            "Signed for the {}: contract concluded, version {}, {} committed",
            party(event.signature.unwrap_or_default().party()),
            event.version,
            money(event.committed_amount.as_ref())
        ),
        E::Lapsed(_) => "Offer lapsed: it was not answered in time".to_owned(),
        E::Started(event) => format!("Contract began on {}", day(event.start_date)),
        E::DocumentAttached(event) => {
            let document = event.document.unwrap_or_default();
            format!("Document attached: {}, SHA-256 {}", document.title, short(&document.sha256))
        }
        E::AmendmentProposed(event) => {
            let amendment = event.amendment.unwrap_or_default();
            format!(
                "Amendment {} proposed by the {}, effective {}",
                amendment.number,
                party(amendment.proposed_by()),
                day(amendment.effective_date)
            )
        }
        E::AmendmentAccepted(event) => format!(
            "Amendment {} accepted by the {}: version {}",
            event.number,
            party(event.accepted_by()),
            event.version
        ),
        E::AmendmentDeclined(event) => {
            format!("Amendment {} declined by the {}", event.number, party(event.declined_by()))
        }
        E::AmendmentWithdrawn(event) => {
            format!("Amendment {} withdrawn by the {}", event.number, party(event.withdrawn_by()))
        }
        E::TermsReplaced(event) => {
            let amendment = event.amendment.unwrap_or_default();
            format!(
                "Terms replaced by the {}, effective {}: version {}",
                party(amendment.proposed_by()),
                day(amendment.effective_date),
                event.version
            )
        }
        E::RenewalNoticeGiven(event) => {
            format!("Notice against renewal given by the {}", party(event.noticed_by()))
        }
        E::DeadlineWarned(event) => {
            let warning = event.warning.unwrap_or_default();
            let deadline = plain(warning.deadline().as_str_name(), "DEADLINE_");
            format!("Warned {} ahead: {deadline}", count(warning.days_ahead.unsigned_abs() as usize, "day"))
        }
        E::Renewed(event) => {
            format!("Contract renewed itself, from {} to {}", day(event.start_date), day(event.end_date))
        }
        E::Expired(event) => format!("Contract expired with {}", day(event.end_date)),
        E::BreachNoticed(event) => {
            let breach = event.breach.unwrap_or_default();
            format!(
                "Breach {} of \"{}\" noticed by the {}",
                breach.number,
                breach.clause_id,
                party(breach.noticed_by())
            )
        }
        E::BreachCured(event) => format!("Breach {} cured", event.number),
        E::Suspended(event) => format!("Contract suspended: {}", event.suspension.unwrap_or_default().incident),
        E::Reinstated(event) => format!("Contract reinstated by {}", event.decided_by),
        E::TerminationNoticed(event) => format!("Notice of termination: {}", termination(event.termination)),
        E::TerminationProposed(event) => format!("Termination proposed: {}", termination(event.termination)),
        E::TerminationDeclined(event) => {
            format!("Termination not agreed to by the {}", party(event.declined_by()))
        }
        E::Terminated(event) => format!("Contract terminated: {}", termination(event.termination)),
        E::StatutoryChecked(event) => match event.findings.len() {
            0 => "Statutory rules: nothing missing".to_owned(),
            findings => format!("Statutory rules: {}", count(findings, "finding")),
        },
    }
}

fn termination(termination: Option<Termination>) -> String {
    let termination = termination.unwrap_or_default();
    let kind = plain(termination.kind().as_str_name(), "TERMINATION_KIND_");
    let party = plain(termination.party().as_str_name(), "PARTY_");
    format!("{kind}, by the {party}")
}

fn contract_template(event: contract_template_event::Event) -> String {
    use contract_template_event::Event as E;
    match event {
        E::Published(event) => format!("Template published: {}, version {}", event.title, event.version),
        E::Retired(_) => "Template retired".to_owned(),
    }
}

fn usage_right(event: usage_right_event::Event) -> String {
    use usage_right_event::Event as E;
    let use_of = |kind: UsageKind| plain(kind.as_str_name(), "USAGE_KIND_");
    match event {
        E::Granted(event) => {
            let right = event.right.unwrap_or_default();
            format!("Right granted: {} of {} until {}", use_of(right.kind()), right.deliverable, instant(&right))
        }
        E::Changed(event) => {
            let right = event.right.unwrap_or_default();
            format!("Right changed: {} of {} until {}", use_of(right.kind()), right.deliverable, instant(&right))
        }
        E::Expiring(event) => format!(
            "Right ends in {}: {} of {}",
            count(event.days_ahead.unsigned_abs() as usize, "day"),
            use_of(event.kind()),
            event.deliverable
        ),
        E::Expired(event) => format!("Right ended: {} of {}", use_of(event.kind()), event.deliverable),
        E::Revoked(event) => format!("Right revoked: {}", event.reason),
    }
}

fn exclusivity(event: exclusivity_event::Event) -> String {
    use exclusivity_event::Event as E;
    match event {
        E::Reserved(event) => {
            let commitment = event.commitment.unwrap_or_default();
            match event.overridden_contracts.as_slice() {
                [] => format!("Bound by {}", commitment.contract),
                overridden => format!("Bound by {}, in spite of {}", commitment.contract, overridden.join(", ")),
            }
        }
        E::Released(event) => format!("Bound by {} until {}", event.contract, day(event.end_date)),
    }
}

fn campaign(event: campaign_event::Event) -> String {
    use campaign_event::Event as E;
    match event {
        E::Planned(event) => format!("Campaign planned: {}", event.campaign.unwrap_or_default().title),
        E::KpisSet(event) => format!("{} set", count(event.kpis.len(), "KPI")),
        E::Launched(_) => "Campaign launched".to_owned(),
        E::Closed(_) => "Campaign closed".to_owned(),
    }
}

fn participation(event: participation_event::Event) -> String {
    use participation_event::Event as E;
    match event {
        E::Joined(event) => format!("Joined {}", event.participation.unwrap_or_default().campaign),
        E::DraftSubmitted(event) => {
            let draft = event.draft.unwrap_or_default();
            let findings = match draft.findings.len() {
                0 => "disclosure in order".to_owned(),
                findings => count(findings, "disclosure finding"),
            };
            format!("Draft {} of {} submitted: {findings}", draft.number, event.deliverable_id)
        }
        E::ChangesRequested(event) => {
            format!("Changes requested to draft {} of {}", event.draft_number, event.deliverable_id)
        }
        E::DraftApproved(event) if event.deemed => {
            format!("Draft {} of {} approved by silence", event.draft_number, event.deliverable_id)
        }
        E::DraftApproved(event) => {
            format!("Draft {} of {} approved by {}", event.draft_number, event.deliverable_id, event.approver)
        }
        E::DeliverablePublished(event) => format!("{} published: {}", event.deliverable_id, event.published_uri),
        E::ReviewOverdue(event) => {
            format!("Review of draft {} of {} overdue", event.draft_number, event.deliverable_id)
        }
        E::DraftOverdue(event) => format!("Draft of {} overdue", event.deliverable_id),
        E::PublicationOverdue(event) => format!("Publication of {} overdue", event.deliverable_id),
        E::PerformanceRecorded(event) => {
            let figures = event.performance.unwrap_or_default();
            format!(
                "{}: {} impressions, {} engagements, {} clicks",
                event.deliverable_id,
                grouped(figures.impressions),
                grouped(figures.engagements),
                grouped(figures.clicks)
            )
        }
    }
}

fn tracking_code(event: tracking_code_event::Event) -> String {
    let tracking_code_event::Event::Assigned(event) = event;
    format!("Tracking code assigned to {}", event.participation)
}

fn conversion(event: conversion_event::Event) -> String {
    use conversion_event::Event as E;
    match event {
        E::Attributed(event) => {
            format!(
                "Order {} over {} by code {}",
                event.order_id,
                money(event.net_amount.as_ref()),
                event.tracking_code
            )
        }
        E::Refunded(event) => format!("Refund {} over {}", event.refund_id, money(event.net_amount.as_ref())),
    }
}

fn earning(event: earning_event::Event) -> String {
    use earning_event::Event as E;
    match event {
        E::Accrued(event) => {
            let earning = event.earning.unwrap_or_default();
            let rule = plain(EarningRule::as_str_name(&earning.rule()), "EARNING_RULE_");
            format!("Earned {} ({rule})", money(earning.amount.as_ref()))
        }
        E::Scheduled(event) => format!("Scheduled in {}", event.payout_run),
        E::Released(event) => format!("Released from {}", event.payout_run),
        E::Paid(event) => format!("Paid by {}", event.payout),
    }
}

fn ledger(event: ledger_event::Event) -> String {
    use tandem_proto::contracts::v1::compensation_fact::Fact as F;
    let ledger_event::Event::FactRecorded(event) = event;
    let fact = match event.fact.and_then(|fact| fact.fact) {
        Some(F::Order(order)) => format!("an order over {}", money(order.net_amount.as_ref())),
        Some(F::Refund(refund)) => format!("a refund over {}", money(refund.net_amount.as_ref())),
        Some(F::Metric(figure)) => {
            format!("{} {}", grouped(figure.value), plain(figure.metric().as_str_name(), "METRIC_"))
        }
        Some(F::Revenue(revenue)) => format!("revenue of {}", money(revenue.net_amount.as_ref())),
        Some(F::Expense(expense)) => format!("an expense of {}", money(expense.amount.as_ref())),
        Some(F::Signed(_) | F::Published(_) | F::Cancelled(_)) | None => "what happened".to_owned(),
    };
    match &event.earnings[..] {
        [] => format!("Accounted for {fact}: nothing is earned by it"),
        earnings => format!("Accounted for {fact}: {}", count(earnings.len(), "earning")),
    }
}

fn payout_run(event: payout_run_event::Event) -> String {
    use payout_run_event::Event as E;
    match event {
        E::Created(event) => {
            let run = event.payout_run.unwrap_or_default();
            let left_out = match run.unpayable_creator_count {
                0 => String::new(),
                left_out => {
                    format!(", {} who can't be paid left out", count(left_out.unsigned_abs() as usize, "creator"))
                }
            };
            format!(
                "Payout run over {}, {}{left_out}",
                money(run.total_amount.as_ref()),
                count(run.payouts.len(), "payout")
            )
        }
        E::Approved(event) => format!("Payout run approved by {}", event.approver),
        E::Cancelled(_) => "Payout run cancelled".to_owned(),
        E::Submitted(event) => {
            format!("Written as a credit transfer file, SHA-256 {}", short(&event.file_hash))
        }
        E::Settled(event) => format!("Paid {} ({})", money(event.amount.as_ref()), event.bank_reference),
    }
}

/// A day: "2026-07-01"; "?" if there is none.
fn day(date: Option<google::r#type::Date>) -> String {
    date.map_or_else(|| "?".to_owned(), |date| format!("{:04}-{:02}-{:02}", date.year, date.month, date.day))
}

/// The end of a right to the second, in UTC; "?" if there is none.
fn instant(right: &UsageRight) -> String {
    let time = right.end_time.as_ref().and_then(time::from_proto);
    time.map_or_else(|| "?".to_owned(), |time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// Digits of a hash: enough to tell files apart by eye.
fn short(hash: &str) -> String {
    hash.chars().take(HASH_SHOWN).chain(['…']).collect()
}

/// An enum value for people: `PLATFORM_INSTAGRAM` → `instagram`.
fn plain(value: &str, prefix: &str) -> String {
    value.trim_start_matches(prefix).to_ascii_lowercase().replace('_', " ")
}

/// So many, in words: "1 payout", "1,200 payouts".
fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(number))
}

/// A whole number with its digits in threes: 16,500,000.
fn grouped(number: impl Display) -> String {
    let text = number.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", &text[..]), |digits| ("-", digits));
    let mut grouped = sign.to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn money(amount: Option<&google::r#type::Money>) -> String {
    amount.and_then(|amount| Money::try_from(amount).ok()).map_or_else(|| "?".to_owned(), |amount| amount.to_string())
}

#[cfg(test)]
mod tests;
