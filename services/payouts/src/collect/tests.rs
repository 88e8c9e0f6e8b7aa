use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;
use tandem_money::Currency;

use super::*;

const RUN: &str = "payoutRuns/2026-08";

fn earning(name: usize, creator: &str, minor: i64) -> Earning {
    Earning {
        name: format!("earnings/e{name:05}"),
        creator: format!("creators/{creator}"),
        amount: Some(Money::new(minor, Currency::USD).into()),
        ..Earning::default()
    }
}

/// Creator by creator, otherwise in the order given.
fn collect(earnings: &[Earning]) -> Collected {
    collect_without(&HashMap::new(), earnings)
}

fn collect_without(unpayable: &HashMap<String, ErrorReason>, earnings: &[Earning]) -> Collected {
    collect_against(&Obstacles { unpayable: unpayable.clone(), ..Obstacles::default() }, earnings)
}

fn collect_against(obstacles: &Obstacles, earnings: &[Earning]) -> Collected {
    let mut collecting = Collecting::new(RUN, obstacles);
    let creators: BTreeSet<_> = earnings.iter().map(|earning| &earning.creator).collect();
    for creator in creators {
        for earning in earnings.iter().filter(|earning| earning.creator == *creator) {
            collecting.add(earning).unwrap();
        }
    }
    collecting.finish(earnings.len()).unwrap()
}

fn minor(payout: &Payout) -> i64 {
    Money::try_from(payout.amount.as_ref().unwrap()).unwrap().minor()
}

#[test]
fn each_creator_gets_one_payout() {
    let earnings = [
        earning(3, "zoe", 500),
        earning(1, "zoe", -200),
        earning(2, "adam", 100),
        earning(4, "bob", i64::from(i32::MAX)),
    ];
    let collected = collect(&earnings);
    let told: Vec<_> = collected
        .payouts
        .iter()
        .map(|payout| (&payout.name[..], &payout.end_to_end_id[..], minor(payout), payout.earnings.len()))
        .collect();
    assert_eq!(
        told,
        [
            ("payoutRuns/2026-08/payouts/adam", "2026-08-0001", 100, 1),
            ("payoutRuns/2026-08/payouts/bob", "2026-08-0002", i64::from(i32::MAX), 1),
            ("payoutRuns/2026-08/payouts/zoe", "2026-08-0003", 300, 2),
        ]
    );
    assert_eq!(collected.payouts[2].earnings, ["earnings/e00001", "earnings/e00003"]);
    assert!(collected.payouts.iter().all(|payout| payout.state() == PayoutState::Pending));
    assert_eq!(collected.total, Some(Money::new(i64::from(i32::MAX) + 400, Currency::USD)));
    assert_eq!(collected.remaining, 0);
}

#[test]
fn who_is_owed_nothing_or_less_is_left_out() {
    let earnings = [earning(1, "even", 5), earning(2, "even", -5), earning(3, "less", -1), earning(4, "zoe", 1)];
    let collected = collect(&earnings);
    assert_eq!(collected.payouts.iter().map(|payout| &payout.creator[..]).collect::<Vec<_>>(), ["creators/zoe"]);
    // They wait for new earnings, not for another run.
    assert_eq!(collected.remaining, 0);
    assert_eq!(collect(&earnings[..3]), Collected::default());
    assert_eq!(collect(&[]), Collected::default());
}

#[test]
fn who_cannot_be_paid_is_told_with_what_is_due() {
    let reasons = [("creators/adam", ErrorReason::PayoutAccountMissing), ("creators/less", ErrorReason::PersonErased)];
    let unpayable = reasons.map(|(creator, reason)| (creator.to_owned(), reason)).into();
    let earnings = [
        earning(1, "adam", 300),
        earning(2, "adam", -100),
        // Nothing is due to them: nothing to tell.
        earning(3, "less", -1),
        earning(4, "zoe", 1),
    ];
    let collected = collect_without(&unpayable, &earnings);
    assert_eq!(collected.payouts.iter().map(|payout| &payout.creator[..]).collect::<Vec<_>>(), ["creators/zoe"]);
    assert_eq!((collected.total, collected.remaining), (Some(Money::new(1, Currency::USD)), 0));
    let [adam] = &collected.unpayable[..] else { panic!("{:?}", collected.unpayable) };
    assert_eq!((&adam.creator[..], &adam.reason[..]), ("creators/adam", "PAYOUT_ACCOUNT_MISSING"));
    assert_eq!(adam.amount, Some(Money::new(200, Currency::USD).into()));
    assert!(adam.message.contains("SetPayoutAccount"), "{}", adam.message);
}

#[test]
fn who_cannot_be_paid_takes_no_room() {
    let mut earnings: Vec<_> = (0..MOST_EARNINGS).map(|name| earning(name, "adam", 1)).collect();
    earnings.push(earning(2000, "zoe", 1));
    assert_eq!(collect(&earnings).remaining, 1);
    let unpayable = [("creators/adam".to_owned(), ErrorReason::PersonErased)].into();
    let collected = collect_without(&unpayable, &earnings);
    assert_eq!(collected.payouts.iter().map(|payout| &payout.creator[..]).collect::<Vec<_>>(), ["creators/zoe"]);
    assert_eq!(collected.remaining, 0);
}

#[test]
fn a_run_ends_before_the_creator_who_does_not_fit() {
    let mut earnings: Vec<_> = (0..MOST_EARNINGS - 1).map(|name| earning(name, "adam", 1)).collect();
    earnings.extend([
        earning(2000, "bob", 1),
        earning(2001, "bob", 1),
        earning(3000, "cleo", 1),
        earning(4000, "dan", -1),
    ]);
    let collected = collect(&earnings);
    assert_eq!(collected.payouts.len(), 1);
    assert_eq!(collected.payouts[0].earnings.len(), MOST_EARNINGS - 1);
    assert_eq!(collected.remaining, 3);
    // One fewer of Bob's, and he fits to the last place.
    earnings.retain(|earning| earning.name != "earnings/e02001");
    let collected = collect(&earnings);
    assert_eq!((collected.payouts.len(), collected.remaining), (2, 1));
}

#[test]
fn who_alone_is_more_than_a_run_takes_is_paid_what_is_owed_at_most() {
    let mut earnings: Vec<_> = (0..1500).map(|name| earning(name, "adam", 100)).collect();
    earnings.push(earning(5000, "adam", -120_000));
    earnings.push(earning(6000, "bob", 1));
    let collected = collect(&earnings);
    let [payout] = &collected.payouts[..] else { panic!("{:?}", collected.payouts) };
    // The clawback is more than a run can set off, so nothing is paid against it.
    assert_eq!((minor(payout), payout.earnings.len()), (30_000, 300));
    assert_eq!(collected.remaining, 1202);

    let mut earnings: Vec<_> = (0..1500).map(|name| earning(name, "adam", 100)).collect();
    earnings.extend((5000..5010).map(|name| earning(name, "adam", -1000)));
    let collected = collect(&earnings);
    assert_eq!(collected.payouts[0].earnings.len(), MOST_EARNINGS);
    assert_eq!((minor(&collected.payouts[0]), collected.remaining), (890 * 100 - 10 * 1000, 610));
}

#[test]
fn it_is_known_when_a_run_is_full() {
    let none = Obstacles::default();
    let mut collecting = Collecting::new(RUN, &none);
    for name in 0..MOST_EARNINGS {
        collecting.add(&earning(name, "adam", 1)).unwrap();
    }
    collecting.add(&earning(2000, "bob", 1)).unwrap();
    assert!(!collecting.is_full());
    collecting.add(&earning(3000, "cleo", 1)).unwrap();
    assert!(collecting.is_full());
    // Others are payable of whom the run was not told.
    assert_eq!(collecting.finish(5000).unwrap().remaining, 5000 - MOST_EARNINGS);
}

#[test]
fn a_sum_that_does_not_fit_is_an_error() {
    let none = Obstacles::default();
    let mut collecting = Collecting::new(RUN, &none);
    collecting.add(&earning(1, "adam", i64::MAX)).unwrap();
    collecting.add(&earning(2, "adam", 1)).unwrap();
    assert_eq!(collecting.finish(2), Err(MoneyError::Overflow));
    let nothing = Earning { name: "earnings/e1".into(), ..Earning::default() };
    assert!(Collecting::new(RUN, &none).add(&nothing).is_err());
}

fn earnings() -> impl Strategy<Value = Vec<Earning>> {
    // One creator in two has few earnings, one many: runs that are full, and creators who alone fill them, both occur.
    let creator = prop_oneof![(0_usize..3).prop_map(|_| 0), 0_usize..8];
    prop::collection::vec((creator, -500_i64..1000), 0..2500).prop_map(|amounts| {
        let nonzero = amounts.into_iter().filter(|(_, minor)| *minor != 0).enumerate();
        nonzero.map(|(name, (creator, minor))| earning(name, &format!("c{creator}"), minor)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_earning_is_in_one_payout_or_in_none(earnings in earnings()) {
        let collected = collect(&earnings);
        let known: BTreeMap<_, _> = earnings.iter().map(|earning| (&earning.name, earning)).collect();
        let mut taken = BTreeSet::new();
        let mut ids = BTreeSet::new();
        let mut total = 0;
        for payout in &collected.payouts {
            let mut sum = 0;
            for name in &payout.earnings {
                prop_assert!(taken.insert(name), "{} is taken twice", name);
                prop_assert_eq!(&known[name].creator, &payout.creator);
                sum += Money::try_from(known[name].amount.as_ref().unwrap()).unwrap().minor();
            }
            prop_assert!(sum > 0);
            let owed: i64 = earnings
                .iter()
                .filter(|earning| earning.creator == payout.creator)
                .map(|earning| Money::try_from(earning.amount.as_ref().unwrap()).unwrap().minor())
                .sum();
            let largest = 1000;
            prop_assert!(sum <= owed.max(largest), "{} of {}", sum, owed);
            prop_assert_eq!(sum, minor(payout));
            prop_assert!(ids.insert(&payout.end_to_end_id) && payout.end_to_end_id.len() <= 35);
            total += sum;
        }
        prop_assert!(taken.len() <= MOST_EARNINGS);
        prop_assert_eq!(collected.total.map_or(0, Money::minor), total);

        let mut owed: BTreeMap<&str, (i64, usize)> = BTreeMap::new();
        for earning in &earnings {
            let entry = owed.entry(&earning.creator).or_default();
            entry.0 += Money::try_from(earning.amount.as_ref().unwrap()).unwrap().minor();
            entry.1 += 1;
        }
        let payable: usize = owed.values().filter(|(sum, _)| *sum > 0).map(|(_, count)| count).sum();
        prop_assert_eq!(collected.remaining, payable - taken.len());
        // Whoever is owed something is paid something, now or in a further run: no run of theirs is empty for ever.
        prop_assert_eq!(collected.payouts.is_empty(), payable == 0);
    }

    #[test]
    fn the_order_does_not_matter(earnings in earnings(), swaps in prop::collection::vec(any::<(Index, Index)>(), 100)) {
        let expected = collect(&earnings);
        let mut shuffled = earnings;
        if !shuffled.is_empty() {
            for (one, other) in swaps {
                let (one, other) = (one.index(shuffled.len()), other.index(shuffled.len()));
                shuffled.swap(one, other);
            }
        }
        prop_assert_eq!(collect(&shuffled), expected);
    }
}

#[test]
fn what_is_less_than_the_contract_s_minimum_waits_for_more() {
    let under = |contract: &str, earning: Earning| Earning { contract: contract.into(), ..earning };
    let earnings = [
        under("contracts/small", earning(1, "zoe", 300)),
        under("contracts/small", earning(2, "zoe", 199)),
        under("contracts/other", earning(3, "zoe", 100)),
        under("contracts/enough", earning(4, "adam", 600)),
        under("contracts/enough", earning(5, "adam", -100)),
        // Owed back: set off, however little it is.
        under("contracts/back", earning(6, "bob", -1)),
        under("contracts/other", earning(7, "bob", 100)),
    ];
    let minimum = Money::new(500, Currency::USD);
    let minimums = ["small", "enough", "back"].map(|contract| (format!("contracts/{contract}"), minimum));
    let obstacles = Obstacles { minimums: minimums.into(), ..Obstacles::default() };
    let collected = collect_against(&obstacles, &earnings);
    let paid: Vec<_> = collected.payouts.iter().map(|payout| (&payout.creator[..], minor(payout))).collect();
    assert_eq!(paid, [("creators/adam", 500), ("creators/bob", 99), ("creators/zoe", 100)]);
    let [left] = &collected.unpayable[..] else { panic!("{collected:?}") };
    assert_eq!((&left.creator[..], &left.reason[..]), ("creators/zoe", "BELOW_MINIMUM_PAYOUT"));
    assert_eq!(left.amount, Some(Money::new(499, Currency::USD).into()));
    assert_eq!(
        left.message,
        "creators/zoe is owed USD 4.99 under contracts/small, less than its minimum payout of USD 5.00. It waits for more."
    );
    assert_eq!(collected.remaining, 0);
    let contracts: Vec<_> = collected.contracts.iter().map(String::as_str).collect();
    assert_eq!(contracts, ["contracts/back", "contracts/enough", "contracts/other"]);
}
