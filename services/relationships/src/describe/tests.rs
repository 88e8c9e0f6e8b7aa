use std::collections::BTreeSet;

use tandem_proto::campaigns::v1::{DisclosureFinding, Draft, DraftSubmitted, Performance, PerformanceRecorded};
use tandem_proto::contracts::v1::{ContractCountered, ContractSigned};
use tandem_proto::google::r#type::Money as WireMoney;
use tandem_proto::payouts::v1::{Earning, EarningAccrued, Payout, PayoutRun, PayoutRunCreated, PayoutRunSubmitted};
use tandem_proto::{POOL, creators};

use super::*;

/// Full names of all events: the messages of the oneofs `event` of the messages that end in `Event`.
fn event_types() -> BTreeSet<String> {
    let sets = POOL.all_messages().filter(|message| {
        message.full_name().starts_with("tandem.")
            && message.name().ends_with("Event")
            && message.oneofs().any(|oneof| oneof.name() == "event")
    });
    sets.flat_map(|set| set.fields().collect::<Vec<_>>())
        .map(|field| field.kind().as_message().unwrap().full_name().to_owned())
        .collect()
}

#[test]
fn every_event_has_words_of_its_own() {
    let types = event_types();
    assert!(types.len() >= 36, "{types:?}");
    let mut all = BTreeSet::new();
    for event_type in &types {
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
    assert_eq!(describe("tandem.contracts.v2.ContractReopened", &[]), "ContractReopened");
    assert_eq!(describe("tandem.contracts.v1.ContractSigned", &[0xff]), "ContractSigned");
    assert_eq!(describe("odd", &[]), "odd");
}
