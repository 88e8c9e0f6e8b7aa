//! The rules of a creator.

use proptest::prelude::*;
use tandem_aggregate::testing::{Given, given};
use tandem_proto::creators::v1::{ChannelFigures, ChannelsAdopted, CreatorErased, CreatorMerged, CreatorRegistered};
use tandem_proto::creators::v1::{ChannelObserved, PayoutAccountSet, Platform, Tier};
use tandem_proto::google::r#type::Date;

use super::channel::tests::report;
use super::*;

fn channel(id: &str, day: i32, followers: i64) -> Channel {
    Channel {
        channel_id: id.into(),
        platform: Platform::Instagram.into(),
        audience_country: "Spain".into(),
        categories: vec!["Music".into()],
        figures: Some(ChannelFigures {
            observe_date: Some(Date { year: 2022, month: 9, day }),
            followers,
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn registered(channel: Channel) -> Event {
    Event::Registered(CreatorRegistered { channel: Some(channel) })
}

fn observed(channel: Channel) -> Event {
    Event::ChannelObserved(ChannelObserved { channel: Some(channel) })
}

fn account_set(id: &str) -> Event {
    Event::PayoutAccountSet(PayoutAccountSet { account_country_code: "DE".into(), payout_account_id: id.into() })
}

fn set_account(id: &str) -> Command {
    Command::SetPayoutAccount { account_id: id.into(), country_code: "DE".into() }
}

fn adopted(source: &str, channels: Vec<Channel>, account: &str) -> Event {
    Event::ChannelsAdopted(ChannelsAdopted { source: source.into(), channels, payout_account_id: account.into() })
}

fn creator() -> Given<Creator> {
    given([registered(channel("a", 10, 5_000))])
}

fn merged() -> Given<Creator> {
    creator().and(Event::Merged(CreatorMerged { into: "creators/b".into() }))
}

fn erased() -> Given<Creator> {
    creator().and(Event::Erased(CreatorErased {}))
}

#[test]
fn the_first_report_registers() {
    let state = given::<Creator>([])
        .when(Command::Observe(channel("a", 10, 5_000)))
        .then([registered(channel("a", 10, 5_000))])
        .state()
        .0;
    assert_eq!((state.state(), state.tier(), state.follower_count), (CreatorState::Active, Tier::Nano, 5_000));
    assert_eq!(state.create_time, state.update_time);
}

#[test]
fn the_same_or_an_older_report_changes_nothing() {
    creator().when(Command::Observe(channel("a", 10, 5_000))).then([]);
    creator().when(Command::Observe(channel("a", 9, 9_000))).then([]);
    creator().when(Command::Observe(channel("a", 10, 4_000))).then([]);
}

#[test]
fn a_newer_report_replaces_the_figures() {
    let state = creator()
        .when(Command::Observe(channel("a", 11, 4_000)))
        .then([observed(channel("a", 11, 4_000))])
        .when(Command::Observe(channel("a", 12, 2_000_000)))
        .happens()
        .state()
        .0;
    assert_eq!((state.tier(), state.follower_count, state.channels.len()), (Tier::Mega, 2_000_000, 1));
}

#[test]
fn an_older_report_adds_what_is_not_a_figure() {
    let older = Channel { categories: vec!["Food".into()], ..channel("a", 1, 1) };
    let joined = Channel { categories: vec!["Food".into(), "Music".into()], ..channel("a", 10, 5_000) };
    creator().when(Command::Observe(older)).then([observed(joined)]);
}

#[test]
fn a_merged_creator_takes_nothing_and_says_where_to_go() {
    for command in [
        Command::Observe(channel("a", 11, 1)),
        Command::MergeInto("creators/c".into()),
        Command::Adopt(creator().state().0),
        set_account("x"),
        Command::Erase,
    ] {
        let refusal = merged().when(command).then_refused(ErrorReason::CreatorMerged);
        assert!(refusal.message.contains("Use creators/b instead"), "{refusal}");
    }
}

#[test]
fn an_erased_creator_takes_nothing() {
    for command in [
        Command::Observe(channel("a", 11, 1)),
        Command::MergeInto("creators/c".into()),
        Command::Adopt(creator().state().0),
        set_account("x"),
    ] {
        erased().when(command).then_refused(ErrorReason::PersonErased);
    }
    erased().when(Command::Erase).then([]);
}

#[test]
fn nothing_but_a_report_makes_a_creator() {
    for command in
        [Command::MergeInto("creators/c".into()), Command::Adopt(creator().state().0), set_account("x"), Command::Erase]
    {
        given::<Creator>([]).when(command).then_refused(ErrorReason::ResourceNotFound);
    }
}

#[test]
fn merging_into_another() {
    let event = Event::Merged(CreatorMerged { into: "creators/b".into() });
    let state = creator().when(Command::MergeInto("creators/b".into())).then([event]).state().0;
    assert_eq!((state.state(), &state.merged_into[..]), (CreatorState::Merged, "creators/b"));
}

#[test]
fn nobody_is_merged_into_themselves() {
    // The name of the aggregate under test.
    let refusal = creator().when(Command::MergeInto("creators/test".into())).then_refused(ErrorReason::FieldInvalid);
    assert_eq!(refusal.violations[0].field, "source");
}

#[test]
fn adopted_channels_count_and_are_kept_up_to_date() {
    let source =
        pb::Creator { name: "creators/b".into(), channels: vec![channel("b", 10, 50_000)], ..Default::default() };
    let state = creator()
        .when(Command::Adopt(source.clone()))
        .then([adopted("creators/b", source.channels, "")])
        .when(Command::Observe(channel("b", 11, 150_000)))
        .then([observed(channel("b", 11, 150_000))])
        .state()
        .0;
    let channels: Vec<_> = state.channels.iter().map(|channel| &channel.channel_id[..]).collect();
    assert_eq!(channels, ["a", "b"]);
    assert_eq!((state.tier(), state.follower_count), (Tier::Macro, 150_000));
}

#[test]
fn the_own_payout_account_stays_in_a_merge_and_is_replaced_only_where_there_is_none() {
    let source = pb::Creator {
        name: "creators/b".into(),
        channels: vec![channel("b", 1, 1)],
        has_payout_account: true,
        payout_account_id: "theirs".into(),
        ..Default::default()
    };
    let adopted = || adopted("creators/b", vec![channel("b", 1, 1)], "theirs");
    let with = creator().and(account_set("own")).when(Command::Adopt(source.clone())).then([adopted()]).state().0;
    let without = creator().when(Command::Adopt(source)).then([adopted()]).state().0;
    assert_eq!((with.has_payout_account, &with.payout_account_id[..]), (true, "own"));
    assert_eq!((without.has_payout_account, &without.payout_account_id[..]), (true, "theirs"));
}

#[test]
fn the_same_payout_account_again_changes_nothing() {
    let state = creator()
        .when(set_account("one"))
        .then([account_set("one")])
        .when(set_account("one"))
        .then([])
        .when(set_account("two"))
        .then([account_set("two")])
        .state()
        .0;
    assert!(state.has_payout_account);
}

#[test]
fn erasing_forgets_that_there_was_an_account() {
    let state =
        creator().and(account_set("one")).when(Command::Erase).then([Event::Erased(CreatorErased {})]).state().0;
    assert_eq!(state.state(), CreatorState::Erased);
    assert_eq!((state.has_payout_account, &state.payout_account_id[..]), (false, ""));
}

proptest! {
    #[test]
    fn reports_in_any_order_and_number_come_to_the_same(
        reports in prop::collection::vec(report(), 1..6),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let import = |reports: Vec<Channel>| reports.into_iter().fold(given::<Creator>([]), |given, report| {
            given.when(Command::Observe(report)).happens()
        });
        // All of them, in the order drawn, some more than once.
        let mut shuffled: Vec<_> = order.iter().map(|index| index.get(&reports).clone()).collect();
        shuffled.extend(reports.iter().rev().cloned());
        let state = import(reports.clone()).state();
        prop_assert_eq!(&state, &import(shuffled).state());
        for report in reports {
            prop_assert_eq!(state.observe(&report), []);
        }
    }
}
