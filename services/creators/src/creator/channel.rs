//! What reports on a channel come to.
//!
//! Invariant: joining is commutative, associative and idempotent, so in whatever order, batches and repetitions
//! reports come in, the channel ends up the same.

use std::cmp::Ordering;

use tandem_proto::creators::v1::{Channel, ChannelFigures, Tier};

/// What two reports on one channel say together.
///
/// - Figures: those of the newer day, as they are (what it does not report is then not known); of the same day the
///   larger value of each.
/// - Categories: all that either names, sorted.
/// - Country: the first in the order of letters. A rule by date could not be kept for reports that name none.
pub(crate) fn join(one: &Channel, other: &Channel) -> Channel {
    let mut categories = [&one.categories[..], &other.categories[..]].concat();
    categories.sort_unstable();
    categories.dedup();
    let countries = [&one.audience_country, &other.audience_country].into_iter().filter(|country| !country.is_empty());
    Channel {
        channel_id: one.channel_id.clone(),
        platform: one.platform,
        handle: String::new(),
        audience_country: countries.min().cloned().unwrap_or_default(),
        categories,
        figures: match (one.figures, other.figures) {
            (Some(one), Some(other)) => Some(join_figures(one, other)),
            (one, other) => one.or(other),
        },
    }
}

fn join_figures(one: ChannelFigures, other: ChannelFigures) -> ChannelFigures {
    match day(&one).cmp(&day(&other)) {
        Ordering::Greater => one,
        Ordering::Less => other,
        Ordering::Equal => ChannelFigures {
            observe_date: one.observe_date,
            followers: one.followers.max(other.followers),
            average_engagements: one.average_engagements.max(other.average_engagements),
            authentic_engagements: one.authentic_engagements.max(other.authentic_engagements),
            average_views: one.average_views.max(other.average_views),
            average_likes: one.average_likes.max(other.average_likes),
            average_comments: one.average_comments.max(other.average_comments),
            average_shares: one.average_shares.max(other.average_shares),
        },
    }
}

fn day(figures: &ChannelFigures) -> Option<(i32, i32, i32)> {
    figures.observe_date.map(|date| (date.year, date.month, date.day))
}

/// Size class by followers.
pub(crate) fn tier(followers: i64) -> Tier {
    match followers {
        ..=0 => Tier::Unspecified,
        1..10_000 => Tier::Nano,
        10_000..100_000 => Tier::Micro,
        100_000..1_000_000 => Tier::Macro,
        _ => Tier::Mega,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use tandem_proto::google::r#type::Date;

    use super::*;

    prop_compose! {
        /// Few values, so that days, countries and categories meet.
        fn figures()(
            day in 1..4,
            counts in prop::array::uniform7(0_i64..5),
        ) -> ChannelFigures {
            let [followers, average_engagements, authentic_engagements, average_views, average_likes, average_comments,
                average_shares] = counts;
            ChannelFigures {
                observe_date: Some(Date { year: 2022, month: 9, day }),
                followers, average_engagements, authentic_engagements, average_views, average_likes, average_comments,
                average_shares,
            }
        }
    }

    prop_compose! {
        /// A report on the channel `c`.
        pub(crate) fn report()(
            figures in figures(),
            country in prop::sample::select(vec!["", "Brazil", "Spain", "India"]),
            categories in prop::collection::btree_set(prop::sample::select(vec!["Music", "Sports", "Food"]), 0..3),
        ) -> Channel {
            Channel {
                channel_id: "c".into(),
                platform: 1,
                handle: String::new(),
                audience_country: country.into(),
                categories: categories.into_iter().map(Into::into).collect(),
                figures: Some(figures),
            }
        }
    }

    proptest! {
        #[test]
        fn joining_is_commutative_associative_and_idempotent(a in report(), b in report(), c in report()) {
            prop_assert_eq!(join(&a, &b), join(&b, &a));
            prop_assert_eq!(join(&join(&a, &b), &c), join(&a, &join(&b, &c)));
            prop_assert_eq!(join(&a, &a), a.clone());
            prop_assert_eq!(join(&join(&a, &b), &b), join(&a, &b));
        }

        #[test]
        fn nothing_reported_is_lost_but_older_figures(a in report(), b in report()) {
            let both = join(&a, &b);
            for report in [&a, &b] {
                prop_assert!(report.categories.iter().all(|category| both.categories.contains(category)));
                prop_assert!(report.audience_country.is_empty() || !both.audience_country.is_empty());
                let (figures, joined) = (report.figures.unwrap(), both.figures.unwrap());
                prop_assert!(day(&figures) < day(&joined) || figures.followers <= joined.followers);
            }
        }
    }

    #[test]
    fn tiers_change_at_the_powers_of_ten() {
        for (followers, expected) in [
            (0, Tier::Unspecified),
            (1, Tier::Nano),
            (9_999, Tier::Nano),
            (10_000, Tier::Micro),
            (99_999, Tier::Micro),
            (100_000, Tier::Macro),
            (999_999, Tier::Macro),
            (1_000_000, Tier::Mega),
            (i64::MAX, Tier::Mega),
        ] {
            assert_eq!(tier(followers), expected, "{followers}");
        }
    }
}
