//! When two contracts stand against each other.

use proptest::prelude::*;
use tandem_proto::contracts::v1::{Commitment, ExclusivityConflict, ExclusivityWindow};
use tandem_proto::google::r#type::Date;

use super::{exclusive, words, work};
use crate::exclusivity::conflict::conflicts;
use crate::exclusivity::taxonomy::taxonomy;
use crate::fixtures::date;

fn window(commitment: &mut Commitment) -> &mut ExclusivityWindow {
    &mut commitment.windows[0]
}

/// Theirs is exclusive, ours is work; changed from where they conflict.
fn with(change: impl FnOnce(&mut Commitment, &mut Commitment)) -> Vec<ExclusivityConflict> {
    let (mut ours, mut theirs) = (work("ours", "glowco"), exclusive("theirs", "rival"));
    change(&mut ours, &mut theirs);
    conflicts(&ours, &theirs)
}

#[test]
fn exclusivity_of_another_brand_stands_against_work() {
    let [conflict] = &with(|_, _| ())[..] else { panic!() };
    assert_eq!((&conflict.contract[..], &conflict.brand[..]), ("contracts/theirs", "brands/rival"));
    assert_eq!((&conflict.clause_id[..], conflict.forbidden_by_other), ("exclusivity", true));
    assert_eq!((&conflict.category[..], &conflict.other_category[..]), ("skin-care", "skin-care"));
    assert_eq!((conflict.start_date, conflict.end_date), (date(2026, 6, 1), date(2026, 6, 30)));
    assert_eq!(
        conflict.explanation,
        "By its clause exclusivity, contracts/theirs of brands/rival keeps the creator from work in skin-care for other \
         brands; contracts/ours of brands/glowco is for skin-care. They overlap from 2026-06-01 to 2026-06-30."
    );
}

#[test]
fn so_does_the_own_exclusivity_against_work_that_the_creator_has() {
    let [conflict] = &conflicts(&exclusive("ours", "glowco"), &work("theirs", "rival"))[..] else { panic!() };
    assert_eq!((&conflict.contract[..], &conflict.brand[..]), ("contracts/theirs", "brands/rival"));
    assert_eq!((&conflict.clause_id[..], conflict.forbidden_by_other), ("exclusivity", false));
    assert!(conflict.explanation.starts_with("By its clause exclusivity, contracts/ours of brands/glowco keeps"));
}

#[test]
fn two_exclusive_contracts_forbid_each_other() {
    let found = conflicts(&exclusive("ours", "glowco"), &exclusive("theirs", "rival"));
    assert_eq!(found.iter().map(|conflict| conflict.forbidden_by_other).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn work_does_not_stand_against_work() {
    assert_eq!(conflicts(&work("ours", "glowco"), &work("theirs", "rival")), []);
}

#[test]
fn a_brand_does_not_stand_against_itself() {
    assert_eq!(conflicts(&exclusive("ours", "glowco"), &exclusive("theirs", "glowco")), []);
}

#[test]
fn a_category_conflicts_with_those_above_and_below() {
    let above = with(|ours, _| ours.categories = words(["beauty"]));
    assert_eq!((&above[0].category[..], &above[0].other_category[..]), ("beauty", "skin-care"));
    assert!(above[0].explanation.contains("is for beauty, which skin-care is part of."), "{}", above[0].explanation);
    let below = with(|ours, _| ours.categories = words(["sun-care"]));
    assert!(below[0].explanation.contains("is for sun-care, which is part of skin-care."), "{}", below[0].explanation);
    assert_eq!(with(|ours, _| ours.categories = words(["make-up"])), []);
}

#[test]
fn every_pair_of_categories_is_named() {
    let found = with(|ours, theirs| {
        ours.categories = words(["make-up", "sun-care", "fashion"]);
        window(theirs).categories = words(["beauty", "skin-care"]);
    });
    let pairs: Vec<_> = found.iter().map(|it| (&it.other_category[..], &it.category[..])).collect();
    assert_eq!(pairs, [("beauty", "make-up"), ("beauty", "sun-care"), ("skin-care", "sun-care")]);
}

#[test]
fn channels_have_to_meet_and_none_named_are_all() {
    let named = |theirs: &mut Commitment, channel| window(theirs).channels = words([channel]);
    assert_eq!(with(|_, theirs| named(theirs, "instagram")).len(), 1);
    assert_eq!(with(|_, theirs| named(theirs, "Instagram")).len(), 1);
    assert_eq!(with(|_, theirs| named(theirs, "tiktok")), []);
    let anywhere = with(|ours, theirs| {
        ours.channels.clear();
        named(theirs, "tiktok");
    });
    assert_eq!(anywhere.len(), 1);
}

#[test]
fn territories_have_to_meet_and_the_world_is_all() {
    let within = |work: &'static str, forbidden: &'static str| {
        with(|ours, theirs| {
            ours.territories = words([work]);
            window(theirs).territories = words([forbidden]);
        })
        .len()
    };
    assert_eq!([within("US", "US"), within("WORLD", "US"), within("US", "WORLD"), within("CA", "US")], [1, 1, 1, 0]);
}

#[test]
fn windows_that_touch_do_not_overlap() {
    let from = |day: Option<Date>| with(|_, theirs| window(theirs).start_date = day);
    assert_eq!(from(date(2026, 7, 1)), []);
    // One day in common is an overlap.
    let [conflict] = &from(date(2026, 6, 30))[..] else { panic!() };
    assert_eq!((conflict.start_date, conflict.end_date), (date(2026, 6, 30), date(2026, 6, 30)));
    assert!(conflict.explanation.ends_with("They overlap on 2026-06-30."), "{}", conflict.explanation);
}

#[test]
fn a_window_holds_after_the_contract_has_ended() {
    // Their contract ends in June, its window in July.
    let july = |ours: &mut Commitment| (ours.start_date, ours.end_date) = (date(2026, 7, 15), date(2026, 8, 15));
    let [conflict] = &with(|ours, _| july(ours))[..] else { panic!() };
    assert_eq!((conflict.start_date, conflict.end_date), (date(2026, 7, 15), date(2026, 7, 31)));
    // The other way round nothing is left: their work is done.
    let mut ours = exclusive("ours", "glowco");
    (ours.windows[0].start_date, ours.windows[0].end_date) = (date(2026, 7, 15), date(2026, 8, 15));
    assert_eq!(conflicts(&ours, &work("theirs", "rival")), []);
}

#[test]
fn a_contract_that_renews_itself_is_in_the_way_for_good() {
    let in_2030 = |ours: &mut Commitment| (ours.start_date, ours.end_date) = (date(2030, 1, 1), date(2030, 1, 31));
    let [conflict] = &with(|ours, theirs| {
        in_2030(ours);
        window(theirs).end_date = None;
    })[..] else {
        panic!()
    };
    assert_eq!((conflict.start_date, conflict.end_date), (date(2030, 1, 1), date(2030, 1, 31)));
    // As work, too.
    let [conflict] = &with(|ours, theirs| {
        ours.open_ended = true;
        (window(theirs).start_date, window(theirs).end_date) = (date(2030, 1, 1), None);
    })[..] else {
        panic!()
    };
    assert_eq!((conflict.start_date, conflict.end_date), (date(2030, 1, 1), None));
    assert!(conflict.explanation.ends_with("They overlap from 2030-01-01 on, without an end so far."));
}

/// A few values of each, so that they meet.
fn commitments(contract: &'static str, brand: &'static str) -> impl Strategy<Value = Commitment> {
    let set = |words: &'static [&'static str], least: usize| {
        prop::collection::btree_set(prop::sample::select(words), least..3)
            .prop_map(|set| set.into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    let categories = || set(&["beauty", "skin-care", "sun-care", "make-up", "fashion"], 1);
    let channels = || set(&["instagram", "tiktok"], 0);
    let territories = || set(&["WORLD", "US", "DE"], 1);
    let days = || (1_i32..20, 0_i32..10).prop_map(|(first, more)| (date(2026, 6, first), date(2026, 6, first + more)));
    let windows =
        (categories(), channels(), territories(), days()).prop_map(|(categories, channels, territories, days)| {
            let (start_date, end_date) = days;
            ExclusivityWindow {
                clause_id: "exclusivity".into(),
                categories,
                channels,
                territories,
                start_date,
                end_date,
            }
        });
    let windows = prop::collection::vec(windows, 0..3);
    (categories(), channels(), territories(), days(), windows, any::<bool>()).prop_map(
        move |(categories, channels, territories, (start_date, end_date), windows, open_ended)| Commitment {
            categories,
            channels,
            territories,
            start_date,
            end_date,
            windows,
            open_ended,
            ..work(contract, brand)
        },
    )
}

/// What does not depend on which of the two was asked for.
fn seen_from_neither(conflict: &ExclusivityConflict, turned: bool) -> (bool, String, String, String) {
    let (mine, theirs) = (conflict.category.clone(), conflict.other_category.clone());
    let (one, other) = if turned { (theirs, mine) } else { (mine, theirs) };
    (conflict.forbidden_by_other != turned, one, other, conflict.explanation.clone())
}

proptest! {
    #[test]
    fn a_conflict_is_one_from_either_side(ours in commitments("ours", "glowco"), theirs in commitments("theirs", "rival")) {
        let mut found: Vec<_> = conflicts(&ours, &theirs).iter().map(|it| seen_from_neither(it, false)).collect();
        let mut turned: Vec<_> = conflicts(&theirs, &ours).iter().map(|it| seen_from_neither(it, true)).collect();
        found.sort();
        turned.sort();
        prop_assert_eq!(found, turned);
    }

    #[test]
    fn what_begins_when_the_other_is_over_does_not_conflict(
        ours in commitments("ours", "glowco"), theirs in commitments("theirs", "rival"),
    ) {
        // Theirs is over by the end of June; ours begins in July.
        let theirs = Commitment { open_ended: false, ..theirs };
        let july = |day: Option<Date>| day.map(|day| Date { month: day.month + 1, ..day });
        let mut ours = Commitment { start_date: july(ours.start_date), end_date: july(ours.end_date), ..ours };
        for window in &mut ours.windows {
            (window.start_date, window.end_date) = (july(window.start_date), july(window.end_date));
        }
        prop_assert_eq!(conflicts(&ours, &theirs), []);
    }

    #[test]
    fn every_conflict_is_in_categories_that_exclude_each_other_and_on_common_days(
        ours in commitments("ours", "glowco"), theirs in commitments("theirs", "rival"),
    ) {
        for conflict in conflicts(&ours, &theirs) {
            prop_assert!(taxonomy().excludes(&conflict.category, &conflict.other_category));
            let order = |date: Option<Date>| date.map_or((i32::MAX, 0, 0), |day| (day.year, day.month, day.day));
            prop_assert!(order(conflict.start_date) <= order(conflict.end_date));
            prop_assert_eq!(&conflict.contract, "contracts/theirs");
        }
    }
}
