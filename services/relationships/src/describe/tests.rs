use std::collections::BTreeSet;

use tandem_proto::campaigns::v1::{DisclosureFinding, Draft, DraftSubmitted, Performance, PerformanceRecorded};
use tandem_proto::contracts::v1::{self as contracts, ContractCountered, ContractSigned};
use tandem_proto::google::r#type::Money as WireMoney;
use tandem_proto::payouts::v1::{Earning, EarningAccrued, Payout, PayoutRun, PayoutRunCreated, PayoutRunSubmitted};
use tandem_proto::{EVENT_TYPES, creators};

use super::*;

#[test]
fn every_event_has_words_of_its_own() {
    let types = &*EVENT_TYPES;
    assert!(types.len() >= 36, "{types:?}");
    let mut all = BTreeSet::new();
    for event_type in types {
        let words = describe(event_type, &[]);
        let bare = event_type.rsplit('.').next().unwrap();
        assert_ne!(words, bare, "say in describe.rs what {event_type} is for people");
        assert!(words.contains(' ') && !words.contains("PLATFORM") && !words.contains("UNSPECIFIED"), "{words}");
        all.insert(words);
    }
    assert_eq!(all.len(), types.len(), "two types read the same: {all:?}");
}

fn said<M: prost::Name>(event: &M) -> String {
    describe(&M::full_name(), &event.encode_to_vec())
}

#[test]
fn words_say_what_is_in_the_event() {
    let usd = |units| Some(WireMoney { currency_code: "USD".into(), units, nanos: 0 });
    let countered = ContractCountered { offered_by: Party::Creator.into(), round: 2, ..Default::default() };
    assert_eq!(said(&countered), "Counter-offer made by the creator (round 2)");
    let signature = Some(tandem_proto::contracts::v1::Signature { party: Party::Brand.into(), ..Default::default() });
    let signed = ContractSigned { signature, version: 2, committed_amount: usd(4000), ..Default::default() };
    assert_eq!(said(&signed), "Signed for the brand: contract concluded, version 2, USD 4,000.00 committed");
    let rule = EarningRule::CommissionClawback.into();
    let accrued = EarningAccrued { earning: Some(Earning { amount: usd(-10), rule, ..Default::default() }) };
    assert_eq!(said(&accrued), "Earned USD -10.00 (commission clawback)");
    let channel = creators::v1::Channel { platform: Platform::Tiktok.into(), ..Default::default() };
    let registered = creators::v1::CreatorRegistered { channel: Some(channel) };
    assert_eq!(said(&registered), "Creator registered by a channel on tiktok");
}

#[test]
fn the_life_of_a_signed_contract_is_told() {
    let date = |year, month, day| Some(google::r#type::Date { year, month, day });
    let by = Party::Creator.into();
    let amendment = || {
        Some(contracts::Amendment {
            number: 2,
            proposed_by: by,
            effective_date: date(2026, 7, 1),
            ..Default::default()
        })
    };
    let proposed = contracts::AmendmentProposed { amendment: amendment() };
    assert_eq!(said(&proposed), "Amendment 2 proposed by the creator, effective 2026-07-01");
    let replaced = contracts::TermsReplaced { amendment: amendment(), version: 3, ..Default::default() };
    assert_eq!(said(&replaced), "Terms replaced by the creator, effective 2026-07-01: version 3");
    let warning = |days_ahead| contracts::DeadlineWarned {
        warning: Some(contracts::DeadlineWarning {
            deadline: contracts::Deadline::RenewalNotice.into(),
            days_ahead,
            ..Default::default()
        }),
    };
    assert_eq!(said(&warning(1)), "Warned 1 day ahead: renewal notice");
    assert_eq!(said(&warning(30)), "Warned 30 days ahead: renewal notice");
    let renewed =
        contracts::ContractRenewed { renewal_count: 1, start_date: date(2026, 9, 1), end_date: date(2026, 11, 30) };
    assert_eq!(said(&renewed), "Contract renewed itself, from 2026-09-01 to 2026-11-30");
    let kind = contracts::TerminationKind::Morality.into();
    let termination = Some(Termination { kind, party: Party::Brand.into(), ..Default::default() });
    assert_eq!(said(&contracts::ContractTerminated { termination }), "Contract terminated: morality, by the brand");
    let checked = |findings| contracts::StatutoryChecked { findings: vec![Default::default(); findings] };
    assert_eq!(said(&checked(0)), "Statutory rules: nothing missing");
    assert_eq!(said(&checked(2)), "Statutory rules: 2 findings");
}

#[test]
fn templates_rights_and_exclusivity_are_told() {
    let published = contracts::ContractTemplatePublished { title: "Summer".into(), version: 2, ..Default::default() };
    assert_eq!(said(&published), "Template published: Summer, version 2");
    let right = contracts::UsageRight {
        kind: UsageKind::PaidAmplification.into(),
        deliverable: "participations/p1/deliverables/reel-1".into(),
        end_time: Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 }),
        ..Default::default()
    };
    assert_eq!(
        said(&contracts::UsageRightGranted { right: Some(right) }),
        "Right granted: paid amplification of participations/p1/deliverables/reel-1 until 2027-01-15 08:00:00Z"
    );
    let reserved = |overridden: &[&str]| contracts::ExclusivityReserved {
        commitment: Some(contracts::Commitment { contract: "contracts/c1".into(), ..Default::default() }),
        overridden_contracts: overridden.iter().map(|&name| name.to_owned()).collect(),
    };
    assert_eq!(said(&reserved(&[])), "Bound by contracts/c1");
    assert_eq!(
        said(&reserved(&["contracts/c2", "contracts/c3"])),
        "Bound by contracts/c1, in spite of contracts/c2, contracts/c3"
    );
}

#[test]
fn what_silence_does_is_told_apart_from_what_a_person_does() {
    use tandem_proto::campaigns::v1::{DraftApproved, ReviewOverdue};
    let approved = DraftApproved { deliverable_id: "reel-1".into(), draft_number: 2, ..Default::default() };
    assert_eq!(said(&DraftApproved { deemed: true, ..approved.clone() }), "Draft 2 of reel-1 approved by silence");
    assert_eq!(
        said(&DraftApproved { approver: "users/ada".into(), ..approved }),
        "Draft 2 of reel-1 approved by users/ada"
    );
    let overdue = ReviewOverdue { deliverable_id: "reel-1".into(), draft_number: 2, ..Default::default() };
    assert_eq!(said(&overdue), "Review of draft 2 of reel-1 overdue");
}

#[test]
fn a_run_says_what_was_done_and_no_more() {
    let payouts = |count| vec![Payout::default(); count];
    let run = |count, unpayable_creator_count| PayoutRunCreated {
        payout_run: Some(PayoutRun {
            payouts: payouts(count),
            total_amount: Some(WireMoney { currency_code: "USD".into(), units: 30, nanos: 0 }),
            unpayable_creator_count,
            ..Default::default()
        }),
        ..Default::default()
    };
    assert_eq!(said(&run(1, 0)), "Payout run over USD 30.00, 1 payout");
    assert_eq!(said(&run(2, 1)), "Payout run over USD 30.00, 2 payouts, 1 creator who can't be paid left out");
    let file_hash = "00112233445566778899aabbccddeeff".into();
    let submitted = PayoutRunSubmitted { file_hash, ..Default::default() };
    assert_eq!(said(&submitted), "Written as a credit transfer file, SHA-256 001122334455…");
}

#[test]
fn numbers_are_for_people() {
    let performance =
        Some(Performance { impressions: 16_500_000, engagements: 3_412_880, clicks: 999, ..Default::default() });
    let recorded = PerformanceRecorded { deliverable_id: "reel-1".into(), performance };
    assert_eq!(said(&recorded), "reel-1: 16,500,000 impressions, 3,412,880 engagements, 999 clicks");
    let draft = |findings| DraftSubmitted {
        deliverable_id: "reel-1".into(),
        draft: Some(Draft { number: 1, findings: vec![DisclosureFinding::default(); findings], ..Default::default() }),
        ..Default::default()
    };
    assert_eq!(said(&draft(0)), "Draft 1 of reel-1 submitted: disclosure in order");
    assert_eq!(said(&draft(1)), "Draft 1 of reel-1 submitted: 1 disclosure finding");
    assert_eq!(said(&draft(2)), "Draft 1 of reel-1 submitted: 2 disclosure findings");
    for (number, text) in [(0, "0"), (-999, "-999"), (1000, "1,000"), (-100_000, "-100,000"), (1_234_567, "1,234,567")]
    {
        assert_eq!(grouped(number), text);
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    assert_eq!(describe("tandem.contracts.v2.ContractReopened", &[]), "ContractReopened (a type that is unknown here)");
    assert_eq!(
        describe("tandem.contracts.v1.ContractSigned", &[0xff]),
        "ContractSigned (damaged: its content can't be read)"
    );
    assert_eq!(describe("", &[]), "An event without a type");
    assert_eq!(describe("odd", &[]), "odd (a type that is unknown here)");
}
