use prost::Name;
use tandem_proto::campaigns::v1 as campaigns;
use tandem_proto::contracts::v1 as contracts;
use tandem_proto::creators::v1 as creators;
use tandem_proto::payouts::v1 as payouts;
use tandem_views::testing::{assert_batches_do_not_matter, event, given};

use super::*;

const KEY: &str = "glowco~zoe";

fn of(aggregate: &str, position: u64, message: &impl Name) -> RecordedEvent {
    let mut event = event(position, &format!("acme.{aggregate}"), message);
    event.envelope.partnership = format!("partnerships/{KEY}");
    event
}

fn prospect(position: u64, message: &impl Name) -> RecordedEvent {
    of("creators.prospect.glowco~zoe", position, message)
}

fn contract(position: u64, message: &impl Name) -> RecordedEvent {
    of("contracts.contract.c1", position, message)
}

fn participation(position: u64, message: &impl Name) -> RecordedEvent {
    let mut event = of("campaigns.participation.p1", position, message);
    event.envelope.resource = "participations/p1".into();
    event
}

fn conversion(position: u64, message: &impl Name) -> RecordedEvent {
    of("campaigns.conversion.o1", position, message)
}

fn earning(position: u64, message: &impl Name) -> RecordedEvent {
    of("payouts.earning.e1", position, message)
}

fn payout_run(position: u64, message: &impl Name) -> RecordedEvent {
    of("payouts.payout_run.r1", position, message)
}

fn amount(currency_code: &str, units: i64) -> Option<WireMoney> {
    Some(WireMoney { currency_code: currency_code.into(), units, nanos: 0 })
}

fn usd(units: i64) -> Option<WireMoney> {
    amount("USD", units)
}

fn signed(units: i64) -> contracts::ContractSigned {
    contracts::ContractSigned { committed_amount: usd(units), ..Default::default() }
}

fn sold(units: i64) -> campaigns::OrderAttributed {
    campaigns::OrderAttributed { net_amount: usd(units), ..Default::default() }
}

fn refunded(units: i64) -> campaigns::OrderRefunded {
    campaigns::OrderRefunded { net_amount: usd(units), ..Default::default() }
}

fn accrued(units: i64) -> payouts::EarningAccrued {
    payouts::EarningAccrued { earning: Some(payouts::Earning { amount: usd(units), ..Default::default() }) }
}

fn measured(deliverable_id: &str, impressions: i64) -> campaigns::PerformanceRecorded {
    let (engagements, clicks) = (impressions / 10, impressions / 100);
    let performance = Some(campaigns::Performance { impressions, engagements, clicks, ..Default::default() });
    campaigns::PerformanceRecorded { deliverable_id: deliverable_id.into(), performance }
}

fn second(second: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: second, nanos: 0 })
}

fn row(events: impl IntoIterator<Item = RecordedEvent>) -> Partnership {
    let folded = given(Partnerships, events);
    assert_eq!(folded.parked(), []);
    folded.row("acme", KEY).unwrap().clone()
}

fn stage(stage: Stage, time: i64) -> StageEntry {
    StageEntry { stage: stage.into(), enter_time: second(time) }
}

/// A whole life, with an event of every type that a partnership is folded from.
fn life() -> Vec<RecordedEvent> {
    let shortlisted = creators::ProspectShortlisted { follower_count: 12_000, ..Default::default() };
    let offer = contracts::ContractCountered { round: 2, ..Default::default() };
    vec![
        prospect(1, &shortlisted),
        prospect(2, &creators::FindingRecorded::default()),
        prospect(3, &creators::FindingRecorded::default()),
        prospect(4, &creators::ProspectRejected { reviewer: "users/rita".into() }),
        prospect(5, &creators::ProspectApproved { reviewer: "users/ravi".into() }),
        prospect(6, &creators::OutreachSent::default()),
        prospect(10, &creators::OutreachSent::default()),
        prospect(25, &creators::ReplyReceived::default()),
        prospect(30, &creators::ReplyReceived::default()),
        contract(31, &contracts::ContractDrafted::default()),
        contract(32, &contracts::ContractProposed::default()),
        contract(33, &offer),
        contract(34, &contracts::ContractAccepted::default()),
        contract(35, &contracts::SignatureAdded::default()),
        contract(36, &signed(4000)),
        participation(37, &campaigns::CampaignJoined::default()),
        participation(38, &campaigns::DraftSubmitted::default()),
        participation(39, &campaigns::ChangesRequested::default()),
        participation(40, &campaigns::DraftSubmitted::default()),
        participation(41, &campaigns::DraftApproved::default()),
        participation(42, &campaigns::DeliverablePublished::default()),
        participation(43, &measured("reel-1", 1000)),
        conversion(44, &sold(100)),
        conversion(45, &refunded(20)),
        earning(46, &accrued(4000)),
        earning(47, &accrued(10)),
        earning(48, &accrued(-2)),
        earning(49, &payouts::EarningScheduled::default()),
        earning(50, &payouts::EarningReleased::default()),
        payout_run(51, &payouts::PayoutSettled { amount: usd(4008), ..Default::default() }),
        earning(52, &payouts::EarningPaid::default()),
        of("contracts.contract.c2", 53, &contracts::ContractDeclined::default()),
        of("contracts.contract.c3", 54, &contracts::ContractWithdrawn::default()),
        of("contracts.contract.c4", 55, &contracts::ContractProposed::default()),
        of("contracts.contract.c4", 56, &signed(500)),
        of("contracts.contract.c5", 57, &contracts::ContractLapsed::default()),
    ]
    .into_iter()
    .chain(late_deliverables(58))
    .chain(after_signature(61))
    .collect()
}

/// What is told of a participation when it runs late.
fn late_deliverables(from: u64) -> Vec<RecordedEvent> {
    vec![
        participation(from, &campaigns::DraftOverdue::default()),
        participation(from + 1, &campaigns::ReviewOverdue::default()),
        participation(from + 2, &campaigns::PublicationOverdue::default()),
    ]
}

/// A contract from its second signature to its end: changed, renewed twice, suspended, terminated; and the expiry of
/// another.
fn after_signature(from: u64) -> Vec<RecordedEvent> {
    macro_rules! told {
        ($($event:ident)*) => {
            [$(|position| of("contracts.contract.c4", position, &contracts::$event::default())),*]
        };
    }
    let told: [fn(u64) -> RecordedEvent; 23] = told![
        DocumentAttached StatutoryChecked ContractStarted
        AmendmentProposed AmendmentAccepted AmendmentProposed AmendmentDeclined AmendmentProposed AmendmentWithdrawn
        TermsReplaced DeadlineWarned ContractRenewed ContractRenewed RenewalNoticeGiven
        BreachNoticed BreachCured ContractSuspended ContractReinstated
        TerminationProposed TerminationDeclined TerminationNoticed ContractTerminated ContractExpired
    ];
    (from..).zip(told).map(|(position, told)| told(position)).collect()
}

#[test]
fn a_life_comes_to_all_its_figures() {
    let expected = Partnership {
        name: "partnerships/glowco~zoe".into(),
        brand: "brands/glowco".into(),
        creator: "creators/zoe".into(),
        stage: Stage::Advocacy.into(),
        stages: vec![
            stage(Stage::Discovery, 1),
            stage(Stage::Outreach, 6),
            stage(Stage::Onboarding, 32),
            stage(Stage::Activation, 37),
            stage(Stage::Nurture, 42),
            stage(Stage::Advocacy, 56),
        ],
        discovery: Some(DiscoveryFigures { follower_count: 12_000, finding_count: 2, reviewer: "users/ravi".into() }),
        outreach: Some(OutreachFigures {
            message_count: 2,
            reply_count: 2,
            reply_seconds: 15,
            last_message_time: second(10),
        }),
        onboarding: Some(OnboardingFigures {
            contract_count: 1,
            round_count: 3,
            signed_count: 2,
            first_sign_time: second(36),
            renewal_count: 2,
            terminated_count: 1,
        }),
        activation: Some(ActivationFigures {
            campaign_count: 1,
            draft_count: 2,
            revision_count: 1,
            published_count: 1,
        }),
        results: Some(ResultFigures {
            impressions: 1000,
            engagements: 100,
            clicks: 10,
            order_count: 1,
            refund_count: 1,
            deliverables: vec![DeliverableResult {
                participation: "participations/p1".into(),
                deliverable_id: "reel-1".into(),
                impressions: 1000,
                engagements: 100,
                clicks: 10,
            }],
        }),
        money: vec![MoneyFigures {
            currency_code: "USD".into(),
            committed: usd(4500),
            earned: usd(4008),
            paid: usd(4008),
            sales: usd(80),
            // (80 - 4008) / 4008, towards zero.
            roi_basis_points: -9800,
        }],
        first_event_time: second(1),
        last_event_time: second(83),
        event_count: 62,
        position: 83,
    };
    assert_eq!(row(life()), expected);
}

#[tokio::test]
async fn batches_do_not_matter() {
    assert_batches_do_not_matter(|| Partnerships, &life()).await;
}

#[test]
fn the_life_has_an_event_of_every_type_that_is_read() {
    let told: std::collections::BTreeSet<_> = life().into_iter().map(|event| event.envelope.event_type).collect();
    let sets = [
        "tandem.creators.v1.ProspectEvent",
        "tandem.contracts.v1.ContractEvent",
        "tandem.campaigns.v1.ParticipationEvent",
        "tandem.campaigns.v1.ConversionEvent",
        "tandem.payouts.v1.EarningEvent",
    ];
    for set in sets {
        for field in tandem_proto::POOL.get_message_by_name(set).unwrap().fields() {
            let name = field.kind().as_message().unwrap().full_name().to_owned();
            assert!(told.contains(&name), "{name}");
        }
    }
}

#[test]
fn the_stage_never_goes_back() {
    let mut furthest = 0;
    let events = life();
    for count in 1..=events.len() {
        let row = row(events[..count].to_vec());
        assert!(row.stage >= furthest, "after {count} events");
        furthest = row.stage;
        let stages: Vec<_> = row.stages.iter().map(|entry| entry.stage).collect();
        assert!(stages.is_sorted_by(|a, b| a < b), "{stages:?}");
        assert_eq!(stages.last(), Some(&row.stage));
    }
    // A new outreach, and a second campaign, change neither the stage nor when it was reached.
    let mut again = events.clone();
    again.extend([
        prospect(60, &creators::OutreachSent::default()),
        participation(61, &campaigns::CampaignJoined::default()),
    ]);
    let (before, after) = (row(events), row(again));
    assert_eq!((after.stage, after.stages), (before.stage, before.stages));
}

#[test]
fn a_second_contract_before_any_content_is_no_advocacy() {
    let events =
        [contract(1, &contracts::ContractProposed::default()), contract(2, &signed(1)), contract(3, &signed(1))];
    assert_eq!(row(events).stage(), Stage::Onboarding);
}

#[test]
fn what_is_committed_follows_amendments() {
    let agreed = |units| contracts::AmendmentAccepted { committed_change: usd(units), ..Default::default() };
    let replaced = |units| contracts::TermsReplaced { committed_change: usd(units), ..Default::default() };
    let unchanged = contracts::AmendmentAccepted::default();
    let row = row([
        contract(1, &signed(4000)),
        contract(2, &agreed(500)),
        contract(3, &replaced(-1000)),
        contract(4, &unchanged),
    ]);
    assert_eq!(row.money[0].committed, usd(3500));
}

#[test]
fn stages_may_be_skipped() {
    let row = row([participation(1, &campaigns::CampaignJoined::default())]);
    assert_eq!(row.stages, [stage(Stage::Activation, 1)]);
}

#[test]
fn the_newest_figures_of_each_deliverable_count() {
    let mut other = participation(4, &measured("reel-1", 50));
    other.envelope.resource = "participations/p2".into();
    let row = row([
        participation(1, &measured("reel-1", 1000)),
        participation(2, &measured("reel-2", 300)),
        participation(3, &measured("reel-1", 2000)),
        other,
        // Platforms correct themselves.
        participation(5, &measured("reel-2", 200)),
    ]);
    let results = row.results.unwrap();
    assert_eq!((results.impressions, results.engagements, results.clicks), (2250, 225, 22));
    assert_eq!(results.deliverables.len(), 3);
}

#[test]
fn return_on_investment_is_whole_basis_points_towards_zero() {
    for (sales, earned, roi) in [
        (0, 0, 0),
        (100, 0, 0),
        (100, -5, 0),
        (300, 100, 20_000),
        (100, 300, -6666),
        (200, 300, -3333),
        (400, 300, 3333),
        (i64::MAX / 1000, 1, i64::MAX),
    ] {
        let row = row([conversion(1, &sold(sales)), earning(2, &accrued(earned))]);
        assert_eq!(row.money[0].roi_basis_points, roi, "{sales} for {earned}");
    }
}

#[test]
fn currencies_are_kept_apart() {
    let row = row([
        conversion(1, &sold(10)),
        conversion(2, &campaigns::OrderAttributed { net_amount: amount("EUR", 7), ..Default::default() }),
        conversion(3, &campaigns::OrderAttributed { net_amount: amount("JPY", 5), ..Default::default() }),
        conversion(4, &sold(1)),
    ]);
    let sales: Vec<_> = row.money.iter().map(|money| (&money.currency_code[..], money.sales.clone())).collect();
    assert_eq!(sales, [("EUR", amount("EUR", 7)), ("JPY", amount("JPY", 5)), ("USD", usd(11))]);
}

#[test]
fn what_does_not_belong_to_a_partnership_makes_none() {
    let mut created = payout_run(1, &payouts::PayoutRunCreated::default());
    created.envelope.partnership.clear();
    let folded = given(Partnerships, [created]);
    assert!(folded.rows().is_empty() && folded.parked().is_empty());
}

#[test]
fn tenants_and_partnerships_are_kept_apart() {
    let mut other_tenant = contract(2, &signed(2));
    other_tenant.subject = "globex.contracts.contract.c1".into();
    let mut other_creator = contract(3, &signed(3));
    other_creator.envelope.partnership = "partnerships/glowco~adam".into();
    let folded = given(Partnerships, [contract(1, &signed(1)), other_tenant, other_creator]);
    let committed = |tenant, key| folded.row(tenant, key).unwrap().money[0].committed.clone();
    assert_eq!(committed("acme", KEY), usd(1));
    assert_eq!(committed("globex", KEY), usd(2));
    assert_eq!(committed("acme", "glowco~adam"), usd(3));
    assert_eq!(folded.rows().len(), 3);
}

#[test]
fn what_this_version_cannot_take_is_parked_and_nothing_else() {
    let mut garbled = contract(2, &signed(1));
    garbled.envelope.event_type = "ContractSigned".into();
    let missing = of("campaigns.conversion.o2", 4, &campaigns::OrderAttributed::default());
    let mut nameless = of("contracts.contract.c9", 5, &signed(1));
    nameless.envelope.partnership = "partnerships/nobody".into();
    let events =
        [contract(1, &signed(1)), garbled, contract(3, &signed(10)), missing, nameless, conversion(6, &sold(5))];
    let folded = given(Partnerships, events);
    let parked: Vec<_> = folded.parked().iter().map(|parked| (parked.position, &parked.error[..])).collect();
    assert_eq!(
        parked,
        [
            (2, "\"ContractSigned\" is no type of event"),
            (3, "waits for position 2"),
            (4, "the amount is missing"),
            (5, "partnership \"nobody\" is not {brand}~{creator}"),
        ]
    );
    let row = folded.row("acme", KEY).unwrap();
    assert_eq!((row.event_count, row.position), (2, 6));
    assert_eq!((&row.money[0].committed, &row.money[0].sales), (&usd(1), &usd(5)));
}

#[test]
fn what_a_newer_version_has_written_is_passed_over_alone_and_marked() {
    let mut newer = contract(2, &signed(1));
    newer.envelope.event_type = "tandem.contracts.v1.ContractReopened".into();
    let folded = given(Partnerships, [contract(1, &signed(1)), newer, contract(3, &signed(10))]);
    assert_eq!(folded.parked(), []);
    assert_eq!(folded.newer().iter().map(|event| event.position).collect::<Vec<_>>(), [2]);
    let row = folded.row("acme", KEY).unwrap();
    assert_eq!((row.event_count, row.position), (2, 3));
}
