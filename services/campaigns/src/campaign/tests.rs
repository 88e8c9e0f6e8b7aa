use tandem_aggregate::testing::{Given, given};
use tandem_proto::google::r#type::{Date, Money};

use super::*;

fn usd(units: i64) -> Option<Money> {
    Some(Money { currency_code: "USD".into(), units, nanos: 0 })
}

fn kpi(metric: pb::Metric, target: i64) -> pb::Kpi {
    pb::Kpi { metric: metric.into(), target }
}

fn budget(region: &str, amount: Option<Money>) -> pb::RegionBudget {
    pb::RegionBudget { region: region.into(), amount }
}

fn plan() -> pb::Campaign {
    pb::Campaign {
        brand: "brands/glowco".into(),
        title: "Winter glow".into(),
        objective: pb::Objective::Conversion.into(),
        brief: "Show the serum in your own routine.".into(),
        kpis: vec![kpi(pb::Metric::Impressions, 100_000), kpi(pb::Metric::Orders, 500)],
        budgets: vec![budget("US", usd(20_000)), budget("CA", usd(5_000))],
        start_date: Some(Date { year: 2026, month: 1, day: 12 }),
        end_date: Some(Date { year: 2026, month: 2, day: 28 }),
        ..Default::default()
    }
}

fn make(plan: pb::Campaign) -> Command {
    Command::Plan(Box::new(plan))
}

fn planned(plan: pb::Campaign) -> Event {
    Event::Planned(pb::CampaignPlanned { campaign: Some(plan) })
}

fn launched() -> Event {
    Event::Launched(pb::CampaignLaunched { brand: "brands/glowco".into() })
}

fn in_draft() -> Given<Campaign> {
    given([planned(plan())])
}

#[test]
fn a_plan_becomes_a_draft() {
    let campaign = given::<Campaign>([]).when(make(plan())).then([planned(plan())]).state().0;
    assert_eq!(campaign.state(), State::Draft);
    assert_eq!(campaign.create_time, campaign.update_time);
    assert!(campaign.create_time.is_some() && campaign.launch_time.is_none());
}

#[test]
fn what_is_output_only_is_not_taken_from_the_request() {
    let request = pb::Campaign {
        name: "campaigns/mine".into(),
        state: State::Launched.into(),
        launch_time: Some(Default::default()),
        etag: "1".into(),
        ..plan()
    };
    given::<Campaign>([]).when(make(request)).then([planned(plan())]);
}

#[test]
fn an_id_is_not_taken_twice() {
    let refusal = in_draft().when(make(plan())).then_refused(ErrorReason::ResourceExists);
    assert!(refusal.message.starts_with("campaigns/test exists already."), "{}", refusal.message);
}

#[track_caller]
fn assert_faults(plan: pb::Campaign, expected: &[&str]) {
    let refusal = given::<Campaign>([]).when(make(plan)).then_refused(ErrorReason::FieldInvalid);
    let fields: Vec<_> = refusal.violations.iter().map(|violation| &violation.field[..]).collect();
    assert_eq!(fields, expected, "{}", refusal.message);
}

#[test]
fn a_metric_has_one_target() {
    let kpis = vec![kpi(pb::Metric::Reach, 1), kpi(pb::Metric::Clicks, 1), kpi(pb::Metric::Reach, 2)];
    assert_faults(pb::Campaign { kpis, ..plan() }, &["campaign.kpis[2].metric"]);
}

#[test]
fn a_region_has_one_budget() {
    let budgets = vec![budget("US", usd(1)), budget("CA", usd(1)), budget("US", usd(2))];
    assert_faults(pb::Campaign { budgets, ..plan() }, &["campaign.budgets[2].region"]);
}

#[test]
fn budgets_are_of_one_currency() {
    let euros = Some(Money { currency_code: "EUR".into(), units: 1, nanos: 0 });
    let budgets = vec![budget("US", usd(1)), budget("DE", euros)];
    assert_faults(pb::Campaign { budgets, ..plan() }, &["campaign.budgets[1].amount"]);
}

#[test]
fn budgets_are_amounts_above_nothing() {
    let no_currency = Some(Money { currency_code: "dollars".into(), units: 1, nanos: 0 });
    let fraction = Some(Money { currency_code: "USD".into(), units: 1, nanos: 1 });
    for amount in [usd(0), usd(-1), no_currency, fraction, None] {
        assert_faults(pb::Campaign { budgets: vec![budget("US", amount)], ..plan() }, &["campaign.budgets[0].amount"]);
    }
}

#[test]
fn dates_are_days_in_order() {
    let day = |month, day| Some(Date { year: 2026, month, day });
    let dates = |start_date, end_date| pb::Campaign { start_date, end_date, ..plan() };
    assert_faults(dates(day(2, 30), day(3, 1)), &["campaign.start_date"]);
    assert_faults(dates(day(2, 1), day(0, 0)), &["campaign.end_date"]);
    assert_faults(dates(day(2, 2), day(2, 1)), &["campaign.end_date"]);
    for (start, end) in [(day(2, 1), day(2, 1)), (None, day(2, 1)), (day(2, 1), None), (None, None)] {
        given::<Campaign>([]).when(make(dates(start, end))).then([planned(dates(start, end))]);
    }
}

#[test]
fn all_faults_are_named_at_once() {
    let faulty = pb::Campaign {
        kpis: vec![kpi(pb::Metric::Reach, 1), kpi(pb::Metric::Reach, 2)],
        budgets: vec![budget("US", usd(0)), budget("US", usd(1))],
        end_date: Some(Date { year: 2025, month: 1, day: 1 }),
        ..plan()
    };
    let fields =
        ["campaign.kpis[1].metric", "campaign.budgets[0].amount", "campaign.budgets[1].region", "campaign.end_date"];
    assert_faults(faulty, &fields);
}

#[test]
fn kpis_are_set_in_place_of_those_before() {
    let kpis = vec![kpi(pb::Metric::Clicks, 9)];
    let campaign = in_draft()
        .when(Command::SetKpis(kpis.clone()))
        .then([Event::KpisSet(pb::CampaignKpisSet { kpis: kpis.clone() })])
        .state();
    assert_eq!(campaign.0.kpis, kpis);
}

#[test]
fn the_same_kpis_change_nothing() {
    in_draft().when(Command::SetKpis(plan().kpis)).then([]);
}

#[test]
fn kpis_set_twice_are_refused_by_their_place() {
    let kpis = vec![kpi(pb::Metric::Clicks, 9), kpi(pb::Metric::Clicks, 8)];
    let refusal = in_draft().when(Command::SetKpis(kpis)).then_refused(ErrorReason::FieldInvalid);
    assert_eq!(refusal.message, "kpis[1].metric repeats CLICKS; give each metric one target.");
}

#[test]
fn kpis_are_fixed_by_the_launch() {
    let refusal = in_draft().and(launched()).when(Command::SetKpis(vec![])).then_refused(ErrorReason::StateForbids);
    assert_eq!(refusal.message, "campaigns/test is LAUNCHED; KPIs are set before the launch.");
}

#[test]
fn a_campaign_with_kpis_and_budget_is_launched() {
    let campaign = in_draft().at("2026-01-12T08:00:00Z").when(Command::Launch).then([launched()]).state().0;
    assert_eq!(campaign.state(), State::Launched);
    assert_eq!(campaign.launch_time.map(|time| time.seconds), Some(1_768_204_800));
}

#[test]
fn without_kpis_there_is_no_launch() {
    let plan = pb::Campaign { kpis: vec![], ..plan() };
    let refusal = given::<Campaign>([planned(plan)]).when(Command::Launch).then_refused(ErrorReason::KpisMissing);
    assert!(refusal.message.contains("SetCampaignKpis"), "{}", refusal.message);
}

#[test]
fn without_a_budget_there_is_no_launch() {
    let plan = pb::Campaign { budgets: vec![], ..plan() };
    let refusal = given::<Campaign>([planned(plan)]).when(Command::Launch).then_refused(ErrorReason::TermsIncomplete);
    assert!(refusal.message.starts_with("campaigns/test has no budget, and none can be added."), "{}", refusal.message);
    assert!(!refusal.message.contains("kpis"), "{}", refusal.message);
    // Nobody sets KPIs in vain.
    let bare = pb::Campaign { budgets: vec![], kpis: vec![], ..self::plan() };
    let refusal = given::<Campaign>([planned(bare)]).when(Command::Launch).then_refused(ErrorReason::TermsIncomplete);
    assert!(refusal.message.contains("`kpis`"), "{}", refusal.message);
}

#[test]
fn a_campaign_is_launched_once() {
    in_draft().and(launched()).when(Command::Launch).then_refused(ErrorReason::StateForbids);
}

#[test]
fn a_campaign_is_closed_running_or_planned() {
    let closed = || [Event::Closed(pb::CampaignClosed {})];
    let campaign = in_draft().and(launched()).when(Command::Close).then(closed()).state();
    assert_eq!(campaign.0.state(), State::Closed);
    in_draft().when(Command::Close).then(closed());
}

#[test]
fn closed_is_final() {
    for command in [Command::Launch, Command::Close, Command::SetKpis(plan().kpis)] {
        let closed = in_draft().and(Event::Closed(pb::CampaignClosed {}));
        let refusal = closed.when(command).then_refused(ErrorReason::StateForbids);
        assert!(refusal.message.starts_with("campaigns/test is CLOSED; "), "{}", refusal.message);
    }
}

#[test]
fn what_was_never_planned_is_not_found() {
    for command in [Command::SetKpis(plan().kpis), Command::Launch, Command::Close] {
        given::<Campaign>([]).when(command).then_refused(ErrorReason::ResourceNotFound);
    }
}
