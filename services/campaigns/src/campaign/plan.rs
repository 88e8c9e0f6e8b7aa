//! What the plan of a campaign must keep beyond the rules of its proto file.
//!
//! Invariant: every fault is named at once, so that one correction is enough.

use std::collections::HashSet;

use tandem_aggregate::Refusal;
use tandem_money::dates::date_from_proto;
use tandem_proto::FieldViolation;
use tandem_proto::campaigns::v1 as pb;
use tandem_proto::google::r#type as wire;

use crate::fields::{read_positive, refuse_if_any, short};

/// The plan without what is output only.
pub(super) fn checked(plan: &pb::Campaign) -> Result<pb::Campaign, Refusal> {
    let mut violations = Vec::new();
    repeated_metrics("campaign.kpis", &plan.kpis, &mut violations);
    budgets(&plan.budgets, &mut violations);
    dates(plan, &mut violations);
    refuse_if_any(violations)?;
    Ok(pb::Campaign {
        brand: plan.brand.clone(),
        title: plan.title.clone(),
        objective: plan.objective,
        brief: plan.brief.clone(),
        kpis: plan.kpis.clone(),
        budgets: plan.budgets.clone(),
        start_date: plan.start_date,
        end_date: plan.end_date,
        ..Default::default()
    })
}

/// Refuses a metric that comes twice.
pub(super) fn check_kpis(field: &str, kpis: &[pb::Kpi]) -> Result<(), Refusal> {
    let mut violations = Vec::new();
    repeated_metrics(field, kpis, &mut violations);
    refuse_if_any(violations)
}

fn repeated_metrics(field: &str, kpis: &[pb::Kpi], violations: &mut Vec<FieldViolation>) {
    let mut seen = HashSet::new();
    for (index, kpi) in kpis.iter().enumerate().filter(|(_, kpi)| !seen.insert(kpi.metric)) {
        let metric = short(kpi.metric().as_str_name(), "METRIC_");
        let description = format!("repeats {metric}; give each metric one target");
        violations.push(FieldViolation::new(format!("{field}[{index}].metric"), description));
    }
}

fn budgets(budgets: &[pb::RegionBudget], violations: &mut Vec<FieldViolation>) {
    let mut regions = HashSet::new();
    let mut currency = None;
    for (index, budget) in budgets.iter().enumerate() {
        let at = |field: &str| format!("campaign.budgets[{index}].{field}");
        if !regions.insert(&budget.region) {
            let description = format!("repeats {:?}; give each region one budget", budget.region);
            violations.push(FieldViolation::new(at("region"), description));
        }
        match read_positive(budget.amount.as_ref()) {
            Ok(amount) if amount.currency() != *currency.get_or_insert(amount.currency()) => {
                let first = currency.unwrap_or(amount.currency());
                let description = format!("is in {} and another in {first}; budget in one currency", amount.currency());
                violations.push(FieldViolation::new(at("amount"), description));
            }
            Ok(_) => {}
            Err(description) => violations.push(FieldViolation::new(at("amount"), description)),
        }
    }
}

fn dates(plan: &pb::Campaign, violations: &mut Vec<FieldViolation>) {
    let mut day = |field: &str, date: &Option<wire::Date>| {
        let parsed = date.as_ref().map(date_from_proto)?;
        parsed.map_err(|error| violations.push(FieldViolation::new(field, format!("is no day: {error}")))).ok()
    };
    let (start, end) = (day("campaign.start_date", &plan.start_date), day("campaign.end_date", &plan.end_date));
    if let (Some(start), Some(end)) = (start, end)
        && end < start
    {
        let description = format!("{end} is before start_date {start}; give that day or a later one");
        violations.push(FieldViolation::new("campaign.end_date", description));
    }
}
