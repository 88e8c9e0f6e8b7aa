//! What holds for any terms and any sequence of facts.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// Terms of a commission: rate, tiers, caps.
#[derive(Clone, Debug)]
struct Scheme {
    rate: i32,
    tiers: Vec<(i64, i32)>,
    caps: [Option<i64>; 3],
    holdback: Option<i32>,
}

impl Scheme {
    fn rules(&self) -> Rules {
        let mut clauses = vec![commission(self.rate, &self.tiers, self.caps)];
        clauses.extend(self.holdback.map(|share| holdback(share, 30)));
        rules(clauses)
    }

    /// What orders (month, kept) earn, in the order in which they were made: told cent by cent.
    fn earns(&self, orders: &[(u8, i64)]) -> i64 {
        let [order_cap, month_cap, total_cap] = self.caps.map(|cap| cap.unwrap_or(i64::MAX));
        let (mut sold, mut total, mut by_month) = (0, 0, [0; 13]);
        for &(month, kept) in orders {
            let mut exact = 0;
            for _ in 0..kept {
                let tier = self.tiers.iter().rev().find(|(from, _)| *from <= sold);
                exact += i64::from(tier.map_or(self.rate, |(_, rate)| *rate));
                sold += 1;
            }
            let (whole, rest) = (exact / 10_000, exact % 10_000);
            let rounded = whole + i64::from(rest > 5000 || (rest == 5000 && whole % 2 == 1));
            let of_month = &mut by_month[usize::from(month)];
            let earned = rounded.min(order_cap).min(month_cap - *of_month).min(total_cap - total);
            *of_month += earned;
            total += earned;
        }
        total
    }
}

fn scheme() -> impl Strategy<Value = Scheme> {
    let tiers = prop::collection::btree_map(0_i64..6000, 1_i32..=10_000, 0..4);
    let cap = || prop::option::of(1_i64..2000);
    (1_i32..=10_000, tiers, (cap(), cap(), cap()), prop::option::of(1_i32..=10_000)).prop_map(
        |(rate, tiers, (order, month, total), holdback)| Scheme {
            rate,
            tiers: tiers.into_iter().collect(),
            caps: [order, month, total],
            holdback,
        },
    )
}

/// An order: month, and net value; and how much of it goes back, in parts.
fn order() -> impl Strategy<Value = (u8, i64, Vec<Index>)> {
    (1_u8..=3, 0_i64..1500, prop::collection::vec(any::<Index>(), 0..3))
}

/// All that happens, order by order: each with its refunds after it.
fn facts(orders: &[(u8, i64, Vec<Index>)]) -> (Vec<Vec<Fact>>, Vec<(u8, i64)>) {
    let (mut facts, mut kept) = (Vec::new(), Vec::new());
    for (index, (month, net, refunds)) in orders.iter().enumerate() {
        let id = format!("o{index:02}");
        let mut of_order = vec![ordered(&id, *net, &format!("2026-{month:02}-{:02}", index + 1))];
        let mut left = *net;
        for part in refunds {
            let back = part.index(usize::try_from(left).unwrap() + 1).try_into().unwrap();
            of_order.push(refunded(&id, back));
            left -= back;
        }
        facts.push(of_order);
        kept.push((*month, index, left));
    }
    kept.sort_unstable();
    (facts, kept.into_iter().map(|(month, _, left)| (month, left)).collect())
}

/// Draws one fact after the other, in the order within each list, the lists at random.
fn interleave(mut facts: Vec<Vec<Fact>>, draws: &[Index]) -> Vec<Fact> {
    facts.iter_mut().for_each(|facts| facts.reverse());
    let mut drawn = Vec::new();
    for draw in draws.iter().cycle() {
        facts.retain(|facts| !facts.is_empty());
        if facts.is_empty() {
            break;
        }
        let at = draw.index(facts.len());
        drawn.extend(facts[at].pop());
    }
    drawn
}

proptest! {
    #[test]
    fn earned_less_taken_back_is_the_commission_on_what_was_kept_in_whatever_order(
        scheme in scheme(),
        orders in prop::collection::vec(order(), 1..12),
        draws in prop::collection::vec(any::<Index>(), 1..30),
    ) {
        let rules = scheme.rules();
        let (facts, kept) = facts(&orders);
        let mut ledger = Ledger::default();
        let (mut earned, total_cap) = (0, scheme.caps[2].unwrap_or(i64::MAX));
        for fact in interleave(facts, &draws) {
            for line in ledger.take(&rules, &fact, noon("2026-07-01")).unwrap() {
                prop_assert_eq!(line.amount.is_negative(), line.rule.as_str_name().ends_with("CLAWBACK"));
                prop_assert!(!line.amount.is_zero());
                earned += line.amount.minor();
            }
            prop_assert!((0..=total_cap).contains(&earned), "{} is beyond the cap", earned);
        }
        prop_assert_eq!(earned, scheme.earns(&kept));
    }

    #[test]
    fn no_month_earns_more_than_its_cap(
        scheme in scheme(),
        orders in prop::collection::vec(order(), 1..12),
        month in 1_u8..=3,
    ) {
        let of_month: Vec<_> = orders.into_iter().filter(|(of, ..)| *of == month).collect();
        let rules = scheme.rules();
        let mut ledger = Ledger::default();
        let mut earned = 0;
        for fact in facts(&of_month).0.into_iter().flatten() {
            earned += ledger.take(&rules, &fact, noon("2026-07-01")).unwrap().iter().map(|line| line.amount.minor()).sum::<i64>();
            prop_assert!(earned <= scheme.caps[1].unwrap_or(i64::MAX));
        }
    }

    #[test]
    fn instalments_sum_up_to_the_fee(
        minor in 1_i64..1_000_000_000_000,
        shares in prop::collection::vec((1_i32..10_000, any::<bool>()), 1..12),
        held in prop::option::of(1_i32..=10_000),
    ) {
        let milestone = |on_signing| if on_signing { Milestone::Signing } else { Milestone::Publication };
        let instalments: Vec<_> = shares.iter().map(|&(share, on_signing)| (milestone(on_signing), share)).collect();
        let mut contract = given([Some(fee(minor, &instalments)), held.map(|share| holdback(share, 30))].into_iter().flatten());
        let lines = [contract.lines(Fact::Signed), contract.lines(published("reel", true))].concat();
        prop_assert_eq!(Money::total(Currency::USD, lines.iter().map(|line| line.amount)), Ok(usd(minor)));
        let mut parts: Vec<_> = lines.iter().map(|line| (&line.part, line.held_back)).collect();
        parts.sort_unstable();
        parts.dedup();
        prop_assert_eq!(parts.len(), lines.len());
    }

    #[test]
    fn a_holdback_loses_no_cent_and_holds_what_does_not_split(minor: i64, share in 1_i32..=10_000) {
        let holdback = crate::due::Holdback { share_basis_points: share, release_days: 1 };
        let (now, held) = holdback.split(usd(minor)).unwrap();
        prop_assert_eq!(now.checked_add(held), Ok(usd(minor)));
        let exact = i128::from(minor) * i128::from(share);
        let excess = i128::from(held.minor()) * 10_000 - exact;
        prop_assert!(excess * i128::from(minor.signum()) >= 0 && excess.abs() < 10_000);
    }
}
