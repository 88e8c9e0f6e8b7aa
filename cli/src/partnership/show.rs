//! A partnership on a page, for people.
//!
//! Invariant: every figure of the partnership is on it, with the stage that it is of.

use jiff::Timestamp;
use tandem_money::Money;
use tandem_proto::relationships::v1::{Partnership, Stage};

pub(super) use tandem_proto::relationships::v1::MoneyFigures;

use super::stage_name;
use crate::output::{amount, grouped, instant, table};

const STAGES: [Stage; 6] =
    [Stage::Discovery, Stage::Outreach, Stage::Onboarding, Stage::Activation, Stage::Nurture, Stage::Advocacy];

/// The page.
pub(super) fn text(partnership: &Partnership, as_of: Option<Timestamp>) -> String {
    let time = as_of.map_or_else(|| "now".to_owned(), as_of_words);
    let mut parts = vec![format!(
        "{}: {} {time}\n{} events from {} to {} UTC, the last at position {} of the log",
        partnership.name,
        stage_name(partnership.stage()),
        grouped(partnership.event_count),
        instant(partnership.first_event_time.as_ref()),
        instant(partnership.last_event_time.as_ref()),
        partnership.position,
    )];
    parts.push(stages(partnership));
    let deliverables = partnership.results.as_ref().map(|results| &results.deliverables[..]).unwrap_or_default();
    if !deliverables.is_empty() {
        let mut shown = table(&["deliverable", "of", ">impressions", ">engagements", ">clicks"]);
        for result in deliverables {
            shown.add_row([
                result.deliverable_id.clone(),
                result.participation.clone(),
                grouped(result.impressions),
                grouped(result.engagements),
                grouped(result.clicks),
            ]);
        }
        parts.push(shown.trim_fmt());
    }
    parts.push(money(&partnership.money));
    parts.join("\n\n")
}

/// "as of 2026-03-31 23:59:59 UTC".
pub(super) fn as_of_words(time: Timestamp) -> String {
    format!("as of {} UTC", time.strftime("%Y-%m-%d %H:%M:%S"))
}

/// Each stage with the time when it was first reached, and its figures.
fn stages(partnership: &Partnership) -> String {
    let mut shown = table(&["stage", "reached (UTC)", "figures"]);
    for stage in STAGES {
        let reached = partnership.stages.iter().find(|entry| entry.stage() == stage);
        let figures = figures(partnership, stage);
        // What comes later is left out; a stage that was skipped may have figures all the same.
        if reached.is_none() && figures.is_empty() {
            continue;
        }
        let reached = reached.map_or_else(|| "–".to_owned(), |entry| instant(entry.enter_time.as_ref()));
        shown.add_row([stage_name(stage).to_owned(), reached, figures.join(", ")]);
    }
    shown.trim_fmt()
}

fn figures(partnership: &Partnership, stage: Stage) -> Vec<String> {
    let mut figures = Vec::new();
    let mut count = |number: i64, what: &str| figures.push(format!("{what} {}", grouped(number)));
    match stage {
        Stage::Discovery => {
            if let Some(of) = told(partnership.discovery.as_ref()) {
                count(of.follower_count, "followers");
                count(of.finding_count.into(), "findings");
                if !of.reviewer.is_empty() {
                    figures.push(format!("approved by {}", of.reviewer));
                }
            }
        }
        Stage::Outreach => {
            if let Some(of) = told(partnership.outreach.as_ref()) {
                count(of.message_count.into(), "messages");
                count(of.reply_count.into(), "replies");
                if of.reply_count > 0 {
                    figures.push(format!("first reply after {}", duration(of.reply_seconds)));
                }
                if of.last_message_time.is_some() {
                    figures.push(format!("last message {}", instant(of.last_message_time.as_ref())));
                }
            }
        }
        Stage::Onboarding => {
            if let Some(of) = told(partnership.onboarding.as_ref()) {
                count(of.contract_count.into(), "contracts");
                count(of.round_count.into(), "offers");
                count(of.signed_count.into(), "signed");
                if of.renewal_count > 0 {
                    count(of.renewal_count.into(), "renewals");
                }
                if of.terminated_count > 0 {
                    count(of.terminated_count.into(), "terminated early");
                }
                if of.first_sign_time.is_some() {
                    figures.push(format!("first signed {}", instant(of.first_sign_time.as_ref())));
                }
            }
        }
        Stage::Activation => {
            if let Some(of) = told(partnership.activation.as_ref()) {
                count(of.campaign_count.into(), "campaigns");
                count(of.draft_count.into(), "drafts");
                count(of.revision_count.into(), "revisions");
                count(of.published_count.into(), "published");
            }
        }
        Stage::Nurture => {
            if let Some(of) = told(partnership.results.as_ref()) {
                count(of.impressions, "impressions");
                count(of.engagements, "engagements");
                count(of.clicks, "clicks");
                count(of.order_count.into(), "orders");
                count(of.refund_count.into(), "refunds");
            }
        }
        Stage::Advocacy | Stage::Unspecified => {}
    }
    figures
}

/// Figures of which there are any.
fn told<T: Default + PartialEq>(figures: Option<&T>) -> Option<&T> {
    figures.filter(|figures| **figures != T::default())
}

fn money(money: &[MoneyFigures]) -> String {
    if money.is_empty() {
        return "No money is committed or earned".to_owned();
    }
    let mut shown =
        table(&[">committed", ">earned", ">paid", ">outstanding", ">sales less refunds", ">return on creator cost"]);
    for figures in money {
        shown.add_row([
            amount(figures.committed.as_ref()),
            amount(figures.earned.as_ref()),
            amount(figures.paid.as_ref()),
            outstanding(figures),
            amount(figures.sales.as_ref()),
            roi(figures),
        ]);
    }
    format!("{}\nReturn on creator cost: (sales − earned) ÷ earned", shown.trim_fmt())
}

/// Earned and not paid yet.
pub(super) fn outstanding(figures: &MoneyFigures) -> String {
    let minor = |money: &Option<_>| money.as_ref().and_then(|money| Money::try_from(money).ok());
    let rest =
        minor(&figures.earned).zip(minor(&figures.paid)).and_then(|(earned, paid)| earned.checked_sub(paid).ok());
    rest.map_or_else(|| "–".to_owned(), |rest| rest.to_string())
}

/// "123.45 %"; there is none while nothing is earned.
fn roi(figures: &MoneyFigures) -> String {
    let earned = figures.earned.as_ref().and_then(|earned| Money::try_from(earned).ok());
    if earned.is_none_or(|earned| earned.minor() <= 0) {
        return "–".to_owned();
    }
    let points = figures.roi_basis_points;
    let sign = if points < 0 { "-" } else { "" };
    format!("{sign}{}.{:02} %", grouped(points.unsigned_abs() / 100), points.unsigned_abs() % 100)
}

/// "2 d 3 h", "3 h 20 min", "45 s": its two largest units.
fn duration(seconds: i64) -> String {
    let units = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)];
    let first = units.iter().position(|(_, length)| seconds >= *length).unwrap_or(units.len() - 1);
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, length) in units.iter().skip(first).take(2) {
        let count = rest / length;
        rest %= length;
        if count > 0 || parts.is_empty() {
            parts.push(format!("{count} {unit}"));
        }
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use tandem_money::Currency;
    use tandem_proto::relationships::v1::{OnboardingFigures, OutreachFigures, ResultFigures, StageEntry};

    use super::*;

    fn usd(minor: i64) -> Option<tandem_proto::google::r#type::Money> {
        Some(Money::new(minor, Currency::USD).into())
    }

    #[test]
    fn a_page_has_stages_figures_and_money() {
        let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let partnership = Partnership {
            name: "partnerships/glowco~ann".into(),
            stage: Stage::Onboarding.into(),
            stages: vec![
                StageEntry { stage: Stage::Outreach.into(), enter_time: time(1_662_033_600) },
                StageEntry { stage: Stage::Onboarding.into(), enter_time: time(1_662_120_000) },
            ],
            outreach: Some(OutreachFigures {
                message_count: 2,
                reply_count: 1,
                reply_seconds: 93_600,
                ..Default::default()
            }),
            results: Some(ResultFigures::default()),
            onboarding: Some(OnboardingFigures { contract_count: 1, round_count: 3, ..Default::default() }),
            money: vec![MoneyFigures {
                currency_code: "USD".into(),
                committed: usd(400_000),
                earned: usd(200_000),
                paid: usd(150_050),
                sales: usd(1_000_000),
                roi_basis_points: 40_000,
            }],
            position: 12,
            event_count: 7,
            ..Default::default()
        };
        let page = text(&partnership, None);
        let line = |start: &str| {
            let line =
                page.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start}: {page}"));
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("partnerships/glowco~ann"), "partnerships/glowco~ann: ONBOARDING now");
        assert_eq!(line("OUTREACH"), "OUTREACH 2022-09-01 12:00:00 messages 2, replies 1, first reply after 1 d 2 h");
        assert_eq!(line("ONBOARDING"), "ONBOARDING 2022-09-02 12:00:00 contracts 1, offers 3, signed 0");
        assert!(!page.contains("NURTURE") && !page.contains("deliverable"), "{page}");
        let money = page.lines().find(|line| line.contains("USD 4,000.00")).unwrap();
        let money: Vec<_> = money.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(money, ["USD 4,000.00", "USD 2,000.00", "USD 1,500.50", "USD 499.50", "USD 10,000.00", "400.00 %"]);
    }

    #[test]
    fn a_loss_is_negative_and_nothing_earned_has_no_return() {
        let figures =
            |earned, roi_basis_points| MoneyFigures { earned: usd(earned), roi_basis_points, ..Default::default() };
        assert_eq!(roi(&figures(5, -1_005)), "-10.05 %");
        assert_eq!(roi(&figures(0, 0)), "–");
    }

    #[test]
    fn durations_have_two_units() {
        for (seconds, text) in [(0, "0 s"), (59, "59 s"), (3_600, "1 h"), (12_000, "3 h 20 min"), (90_061, "1 d 1 h")] {
            assert_eq!(duration(seconds), text);
        }
    }
}
