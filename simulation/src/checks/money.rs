//! What was earned is what the contracts give for what happened, to the cent, reckoned apart from the services.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tandem_aggregate::Aggregate;
use tandem_campaigns::conversion::Conversion;
use tandem_contracts::contract::Contract;
use tandem_eventlog::{MemoryLog, RecordedEvent};
use tandem_payouts::earning::Earning;
use tandem_proto::EventSet as _;
use tandem_proto::campaigns::v1::participation_event::Event as Participated;
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::contract_event::Event as Contracted;
use tandem_proto::contracts::v1::{Effect, Milestone, Terms};
use tandem_proto::google::r#type::Money;
use tandem_proto::payouts::v1::EarningRule as Rule;
use tandem_proto::time::from_proto;

/// By contract and rule, in cents.
type Sums = BTreeMap<(String, &'static str), i128>;

pub(super) fn check(log: &MemoryLog, found: &mut Vec<String>) {
    let events = log.events();
    let (expected, earned) = (expected(&events), earned(&events));
    let contracts: BTreeSet<_> = expected.keys().chain(earned.keys()).cloned().collect();
    for key in contracts {
        let (should, is) = (expected.get(&key).copied().unwrap_or(0), earned.get(&key).copied().unwrap_or(0));
        if should != is {
            found.push(format!("{} has earned {is} cents of {}, and should have {should}", key.0, key.1));
        }
    }
}

/// The aggregates of a kind, folded, by id.
pub(super) fn folded<A: Aggregate>(events: &[RecordedEvent]) -> BTreeMap<String, A> {
    let mut all = BTreeMap::<String, A>::new();
    for event in events {
        let [_, context, aggregate, id] = event.tokens();
        if (context, aggregate) == (A::KIND.context, A::KIND.aggregate)
            && let Ok(Some(decoded)) = A::Event::decode(&event.envelope.event_type, &event.payload)
        {
            all.entry(id.to_owned()).or_default().evolve(&decoded, &event.envelope);
        }
    }
    all
}

pub(super) fn cents(money: Option<&Money>) -> i128 {
    money.map_or(0, |money| i128::from(money.units) * 100 + i128::from(money.nanos) / 10_000_000)
}

fn word(rule: Rule) -> &'static str {
    match rule {
        Rule::FeeInstalment => "fee",
        Rule::Commission | Rule::CommissionClawback => "commission",
        Rule::Bonus => "bonus",
        Rule::KillFee => "kill fee",
        Rule::TerminationClawback => "clawback",
        _ => "something else",
    }
}

fn earned(events: &[RecordedEvent]) -> Sums {
    let mut sums = Sums::new();
    for earning in folded::<Earning>(events).into_values() {
        let rule = word(earning.0.rule());
        *sums.entry((earning.0.contract, rule)).or_default() += cents(earning.0.amount.as_ref());
    }
    sums
}

fn expected(events: &[RecordedEvent]) -> Sums {
    let contracts = folded::<Contract>(events);
    let mut sums = Sums::new();
    let mut published = BTreeSet::new();
    for event in events {
        let (time, resource) = (event.envelope.time, event.envelope.resource.clone());
        match event.tokens()[1..3] {
            ["contracts", "contract"] => match decoded(event) {
                Some(Contracted::Signed(_)) => {
                    let fee = terms(&contracts, &resource, time).map_or(0, |terms| fee(terms, Milestone::Signing));
                    *sums.entry((resource, "fee")).or_default() += fee;
                }
                Some(Contracted::Terminated(ended)) => {
                    for effect in ended.termination.unwrap_or_default().effects {
                        let kill_fee = effect.clause_id == "kill-fee" && effect.effect() == Effect::Owed;
                        if kill_fee || effect.effect() == Effect::ClawedBack {
                            let (rule, sign) = if kill_fee { ("kill fee", 1) } else { ("clawback", -1) };
                            *sums.entry((resource.clone(), rule)).or_default() += sign * cents(effect.amount.as_ref());
                        }
                    }
                }
                _ => {}
            },
            ["campaigns", "participation"] => {
                if let Some(Participated::DeliverablePublished(done)) = decoded(event)
                    && done.remaining_count == 0
                    && published.insert(done.contract.clone())
                {
                    let fee =
                        terms(&contracts, &done.contract, time).map_or(0, |terms| fee(terms, Milestone::Publication));
                    *sums.entry((done.contract, "fee")).or_default() += fee;
                }
            }
            _ => {}
        }
    }
    let mut orders = BTreeMap::<String, Vec<Conversion>>::new();
    for order in folded::<Conversion>(events).into_values() {
        orders.entry(order.0.contract.clone()).or_default().push(order);
    }
    for (contract, orders) in orders {
        // Neither commission nor bonus is ever amended.
        let Some(terms) = contracts.get(contract.trim_start_matches("contracts/")).and_then(|c| c.0.terms.as_ref())
        else {
            continue;
        };
        sums.insert((contract.clone(), "commission"), commission(terms, &orders));
        sums.insert((contract, "bonus"), bonus(terms, orders.len()));
    }
    sums
}

fn decoded<E: tandem_proto::EventSet>(event: &RecordedEvent) -> Option<E> {
    E::decode(&event.envelope.event_type, &event.payload).ok().flatten()
}

/// The terms of the version that was in force at an instant, as known then.
fn terms<'a>(contracts: &'a BTreeMap<String, Contract>, contract: &str, at: Timestamp) -> Option<&'a Terms> {
    let contract = &contracts.get(contract.trim_start_matches("contracts/"))?.0;
    let by = |time: &Option<prost_types::Timestamp>| time.as_ref().and_then(from_proto).is_none_or(|time| time <= at);
    let version =
        contract.versions.iter().rev().find(|version| by(&version.agree_time) && by(&version.effective_time))?;
    version.terms.as_ref().or(contract.terms.as_ref())
}

/// The instalment of a milestone: what is left of a fee of two goes to where the larger part was cut off.
fn fee(terms: &Terms, milestone: Milestone) -> i128 {
    let Some(fee) = terms.clauses.iter().find_map(|clause| match &clause.clause {
        Some(Kind::Fee(fee)) => Some(fee),
        _ => None,
    }) else {
        return 0;
    };
    let whole = cents(fee.amount.as_ref());
    let exact = |share: i32| whole * i128::from(share);
    let [first, second] = &fee.instalments[..] else { return 0 };
    let (a, b) = (exact(first.share_basis_points), exact(second.share_basis_points));
    let rest = whole - a / 10_000 - b / 10_000;
    let first_gets = if a % 10_000 >= b % 10_000 { rest } else { 0 };
    let first_amount = a / 10_000 + first_gets;
    if first.milestone() == milestone { first_amount } else { whole - first_amount }
}

fn commission(terms: &Terms, orders: &[Conversion]) -> i128 {
    let Some(clause) = terms.clauses.iter().find_map(|clause| match &clause.clause {
        Some(Kind::Commission(commission)) => Some(commission),
        _ => None,
    }) else {
        return 0;
    };
    let mut orders: Vec<_> = orders.iter().map(|order| &order.0).collect();
    orders.sort_by_key(|order| (order.order_time.map(|time| (time.seconds, time.nanos)), order.name.clone()));
    let (mut sold, mut total) = (0, 0);
    let cap = |cap: &Option<Money>| cap.as_ref().map_or(i128::MAX, |cap| cents(Some(cap)));
    for order in orders {
        let kept = cents(order.net_amount.as_ref()) - cents(order.refunded_amount.as_ref());
        // Cent by cent would do; by tiers is faster.
        let mut exact = 0;
        let mut bounds: Vec<_> = vec![(0, clause.rate_basis_points)];
        bounds.extend(clause.tiers.iter().map(|tier| (cents(tier.from_amount.as_ref()), tier.rate_basis_points)));
        for (index, (from, rate)) in bounds.iter().enumerate() {
            let until = bounds.get(index + 1).map_or(i128::MAX, |(next, _)| *next);
            let part = (sold + kept).min(until) - sold.max(*from);
            exact += part.max(0) * i128::from(*rate);
        }
        let (floor, rest) = (exact / 10_000, exact % 10_000);
        let rounded = floor + i128::from(rest > 5_000 || (rest == 5_000 && floor % 2 == 1));
        total += rounded.min(cap(&clause.order_cap)).min(cap(&clause.total_cap).saturating_sub(total));
        sold += kept;
    }
    total
}

fn bonus(terms: &Terms, orders: usize) -> i128 {
    let bonus = terms.clauses.iter().find_map(|clause| match &clause.clause {
        Some(Kind::Bonus(bonus)) => Some(bonus),
        _ => None,
    });
    bonus.filter(|bonus| orders as i64 >= bonus.threshold).map_or(0, |bonus| cents(bonus.amount.as_ref()))
}
