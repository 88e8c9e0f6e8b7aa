//! A partnership: one brand with one creator, folded from everything that happened between them.
//!
//! Invariant: the stage never goes back, and each of its figures is a sum over events, so that any prefix of the log
//! gives what was true then.

use tandem_eventlog::{Envelope, Kind, RecordedEvent};
use tandem_money::Money;
use tandem_proto::campaigns::v1::{Performance, conversion_event, participation_event};
use tandem_proto::contracts::v1::contract_event;
use tandem_proto::creators::v1::prospect_event;
use tandem_proto::google::r#type::Money as WireMoney;
use tandem_proto::payouts::v1::{earning_event, payout_run_event};
use tandem_proto::relationships::v1::{
    ActivationFigures, DeliverableResult, DiscoveryFigures, MoneyFigures, OnboardingFigures, OutreachFigures,
    Partnership, ResultFigures, Stage, StageEntry,
};
use tandem_proto::{EventSet, read_event, time};
use tandem_views::{Column, FoldError, View};

/// The view of all partnerships.
pub struct Partnerships;

impl View for Partnerships {
    const NAME: &'static str = "partnerships";
    const VERSION: i32 = 3;
    const KINDS: &'static [Kind] = &[
        Kind { context: "creators", aggregate: "prospect" },
        Kind { context: "contracts", aggregate: "contract" },
        Kind { context: "campaigns", aggregate: "participation" },
        Kind { context: "campaigns", aggregate: "conversion" },
        Kind { context: "payouts", aggregate: "earning" },
        Kind { context: "payouts", aggregate: "payout_run" },
    ];
    type Row = Partnership;

    fn columns() -> Vec<Column<Partnership>> {
        vec![
            Column::text("name", |row: &Partnership| row.name.clone()),
            Column::text("brand", |row: &Partnership| row.brand.clone()).indexed(),
            Column::text("creator", |row: &Partnership| row.creator.clone()).indexed(),
            Column::enumeration("stage", "tandem.relationships.v1.Stage", |row: &Partnership| row.stage),
            Column::time("first_event_time", |row: &Partnership| row.first_event_time),
            Column::time("last_event_time", |row: &Partnership| row.last_event_time),
        ]
    }

    fn keys(&self, event: &RecordedEvent) -> Result<Vec<String>, FoldError> {
        Ok(event.envelope.partnership.strip_prefix("partnerships/").map(str::to_owned).into_iter().collect())
    }

    fn fold(
        &self,
        key: &str,
        row: Option<Partnership>,
        event: &RecordedEvent,
    ) -> Result<Option<Partnership>, FoldError> {
        let mut row = match row {
            Some(row) => row,
            None => new(key, &event.envelope)?,
        };
        let (envelope, payload) = (&event.envelope, &event.payload);
        let [_, context, aggregate, _] = event.tokens();
        match (context, aggregate) {
            ("creators", "prospect") => prospect(&mut row, decode(envelope, payload)?, envelope),
            ("contracts", "contract") => contract(&mut row, decode(envelope, payload)?, envelope)?,
            ("campaigns", "participation") => participation(&mut row, decode(envelope, payload)?, envelope),
            ("campaigns", "conversion") => conversion(&mut row, decode(envelope, payload)?)?,
            ("payouts", "earning") => earning(&mut row, decode(envelope, payload)?)?,
            ("payouts", "payout_run") => payout_run(&mut row, decode(envelope, payload)?)?,
            _ => {}
        }
        row.last_event_time = Some(time::to_proto(envelope.time));
        row.event_count += 1;
        row.position = i64::try_from(event.position).unwrap_or(i64::MAX);
        Ok(Some(row))
    }
}

fn new(key: &str, envelope: &Envelope) -> Result<Partnership, FoldError> {
    let (brand, creator) = key
        .split_once('~')
        .ok_or_else(|| FoldError::new(format!("partnership {key:?} is not {{brand}}~{{creator}}")))?;
    Ok(Partnership {
        name: format!("partnerships/{key}"),
        brand: format!("brands/{brand}"),
        creator: format!("creators/{creator}"),
        discovery: Some(DiscoveryFigures::default()),
        outreach: Some(OutreachFigures::default()),
        onboarding: Some(OnboardingFigures::default()),
        activation: Some(ActivationFigures::default()),
        results: Some(ResultFigures::default()),
        first_event_time: Some(time::to_proto(envelope.time)),
        ..Partnership::default()
    })
}

fn decode<E: EventSet>(envelope: &Envelope, payload: &[u8]) -> Result<E, FoldError> {
    Ok(read_event(&envelope.event_type, payload)?)
}

/// Enters a stage, unless a further one is reached already.
fn reach(row: &mut Partnership, stage: Stage, envelope: &Envelope) {
    if stage as i32 > row.stage {
        row.set_stage(stage);
        row.stages.push(StageEntry { stage: stage.into(), enter_time: Some(time::to_proto(envelope.time)) });
    }
}

fn prospect(row: &mut Partnership, event: prospect_event::Event, envelope: &Envelope) {
    use prospect_event::Event as E;
    match event {
        E::Shortlisted(event) => {
            row.discovery.get_or_insert_default().follower_count = event.follower_count;
            reach(row, Stage::Discovery, envelope);
        }
        E::FindingRecorded(_) => row.discovery.get_or_insert_default().finding_count += 1,
        E::Approved(event) => row.discovery.get_or_insert_default().reviewer = event.reviewer,
        E::Rejected(event) => row.discovery.get_or_insert_default().reviewer = event.reviewer,
        E::OutreachSent(_) => {
            let outreach = row.outreach.get_or_insert_default();
            outreach.message_count += 1;
            outreach.last_message_time = Some(time::to_proto(envelope.time));
            reach(row, Stage::Outreach, envelope);
        }
        E::ReplyReceived(_) => {
            let outreach = row.outreach.get_or_insert_default();
            if let (0, Some(sent)) = (outreach.reply_count, &outreach.last_message_time) {
                outreach.reply_seconds = envelope.time.as_second() - sent.seconds;
            }
            outreach.reply_count += 1;
        }
    }
}

fn contract(row: &mut Partnership, event: contract_event::Event, envelope: &Envelope) -> Result<(), FoldError> {
    use contract_event::Event as E;
    let onboarding = row.onboarding.get_or_insert_default();
    match event {
        E::Drafted(_) => onboarding.contract_count += 1,
        E::Proposed(_) => {
            onboarding.round_count += 1;
            reach(row, Stage::Onboarding, envelope);
        }
        E::Countered(_) => onboarding.round_count += 1,
        E::Signed(event) => {
            onboarding.signed_count += 1;
            onboarding.first_sign_time.get_or_insert_with(|| time::to_proto(envelope.time));
            add(row, event.committed_amount.as_ref(), 1, |money| &mut money.committed)?;
            if row.activation.is_some_and(|activation| activation.published_count > 0) {
                reach(row, Stage::Advocacy, envelope);
            }
        }
        E::AmendmentAccepted(event) => commit(row, event.committed_change.as_ref())?,
        E::TermsReplaced(event) => commit(row, event.committed_change.as_ref())?,
        E::Renewed(_) => onboarding.renewal_count += 1,
        E::Terminated(_) => onboarding.terminated_count += 1,
        // Steps that the contract itself tells better; none changes a figure.
        E::Accepted(_)
        | E::Declined(_)
        | E::Withdrawn(_)
        | E::Lapsed(_)
        | E::SignatureAdded(_)
        | E::DocumentAttached(_)
        | E::StatutoryChecked(_)
        | E::Started(_)
        | E::AmendmentProposed(_)
        | E::AmendmentDeclined(_)
        | E::AmendmentWithdrawn(_)
        | E::DeadlineWarned(_)
        | E::RenewalNoticeGiven(_)
        | E::Expired(_)
        | E::BreachNoticed(_)
        | E::BreachCured(_)
        | E::Suspended(_)
        | E::Reinstated(_)
        | E::TerminationNoticed(_)
        | E::TerminationProposed(_)
        | E::TerminationDeclined(_) => {}
    }
    Ok(())
}

/// An amendment changes what the brand has committed to, if it changes a fee.
fn commit(row: &mut Partnership, change: Option<&WireMoney>) -> Result<(), FoldError> {
    change.map_or(Ok(()), |change| add(row, Some(change), 1, |money| &mut money.committed))
}

fn participation(row: &mut Partnership, event: participation_event::Event, envelope: &Envelope) {
    use participation_event::Event as E;
    let activation = row.activation.get_or_insert_default();
    match event {
        E::Joined(_) => {
            activation.campaign_count += 1;
            reach(row, Stage::Activation, envelope);
        }
        E::DraftSubmitted(_) => activation.draft_count += 1,
        E::ChangesRequested(_) => activation.revision_count += 1,
        E::DraftApproved(_) | E::ReviewOverdue(_) | E::DraftOverdue(_) | E::PublicationOverdue(_) => {}
        E::DeliverablePublished(_) => {
            activation.published_count += 1;
            reach(row, Stage::Nurture, envelope);
        }
        E::PerformanceRecorded(event) => {
            let results = row.results.get_or_insert_default();
            measure(results, &envelope.resource, &event.deliverable_id, &event.performance.unwrap_or_default());
        }
    }
}

/// Figures are totals: the newest of a deliverable replace those before.
fn measure(results: &mut ResultFigures, participation: &str, deliverable_id: &str, figures: &Performance) {
    let newest = DeliverableResult {
        participation: participation.to_owned(),
        deliverable_id: deliverable_id.to_owned(),
        impressions: figures.impressions,
        engagements: figures.engagements,
        clicks: figures.clicks,
    };
    let known = results
        .deliverables
        .iter_mut()
        .find(|known| known.participation == participation && known.deliverable_id == deliverable_id);
    match known {
        Some(known) => *known = newest,
        None => results.deliverables.push(newest),
    }
    results.impressions = results.deliverables.iter().map(|result| result.impressions).sum();
    results.engagements = results.deliverables.iter().map(|result| result.engagements).sum();
    results.clicks = results.deliverables.iter().map(|result| result.clicks).sum();
}

fn conversion(row: &mut Partnership, event: conversion_event::Event) -> Result<(), FoldError> {
    use conversion_event::Event as E;
    let results = row.results.get_or_insert_default();
    match event {
        E::Attributed(event) => {
            results.order_count += 1;
            add(row, event.net_amount.as_ref(), 1, |money| &mut money.sales)
        }
        E::Refunded(event) => {
            results.refund_count += 1;
            add(row, event.net_amount.as_ref(), -1, |money| &mut money.sales)
        }
    }
}

fn earning(row: &mut Partnership, event: earning_event::Event) -> Result<(), FoldError> {
    use earning_event::Event as E;
    match event {
        E::Accrued(event) => add(row, event.earning.unwrap_or_default().amount.as_ref(), 1, |money| &mut money.earned),
        E::Scheduled(_) | E::Released(_) | E::Paid(_) => Ok(()),
    }
}

fn payout_run(row: &mut Partnership, event: payout_run_event::Event) -> Result<(), FoldError> {
    match event {
        payout_run_event::Event::Settled(event) => add(row, event.amount.as_ref(), 1, |money| &mut money.paid),
        _ => Ok(()),
    }
}

/// Adds an amount to a figure of its currency, `sign` times, and computes the return on investment anew.
fn add(
    row: &mut Partnership,
    amount: Option<&WireMoney>,
    sign: i64,
    figure: impl Fn(&mut MoneyFigures) -> &mut Option<WireMoney>,
) -> Result<(), FoldError> {
    let amount = Money::try_from(amount.ok_or_else(|| FoldError::new("the amount is missing"))?)
        .and_then(|amount| amount.checked_mul(sign))
        .map_err(FoldError::new)?;
    let code = amount.currency().code();
    let index = match row.money.binary_search_by(|money| money.currency_code.as_str().cmp(code)) {
        Ok(index) => index,
        Err(index) => {
            let zero = Some(WireMoney::from(Money::zero(amount.currency())));
            let figures = MoneyFigures {
                currency_code: code.to_owned(),
                committed: zero.clone(),
                earned: zero.clone(),
                paid: zero.clone(),
                sales: zero,
                roi_basis_points: 0,
            };
            row.money.insert(index, figures);
            index
        }
    };
    let Some(money) = row.money.get_mut(index) else { return Ok(()) };
    let figure = figure(money);
    let before = minor(figure.as_ref())?.unwrap_or(Money::zero(amount.currency()));
    *figure = Some(WireMoney::from(before.checked_add(amount).map_err(FoldError::new)?));
    money.roi_basis_points = match (minor(money.sales.as_ref())?, minor(money.earned.as_ref())?) {
        (Some(sales), Some(earned)) if earned.minor() > 0 => {
            let gain = i128::from(sales.minor()) - i128::from(earned.minor());
            i64::try_from(gain * 10_000 / i128::from(earned.minor())).unwrap_or(i64::MAX)
        }
        _ => 0,
    };
    Ok(())
}

fn minor(amount: Option<&WireMoney>) -> Result<Option<Money>, FoldError> {
    amount.map(Money::try_from).transpose().map_err(FoldError::new)
}

#[cfg(test)]
mod tests;
