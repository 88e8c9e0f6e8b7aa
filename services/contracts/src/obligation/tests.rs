//! Who owes what after which events. Events happen at the second of their position.

use prost::Name;
use prost_types::Timestamp;
use tandem_eventlog::RecordedEvent;
use tandem_proto::campaigns::v1 as campaigns;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::{ObligationKind as Kind, ObligationState as State, Party};
use tandem_proto::payouts::v1 as payouts;
use tandem_views::testing::{assert_batches_do_not_matter, event, given};

use super::Obligations;
use crate::fixtures::{date, usd};

fn of(aggregate: &str, position: u64, message: &impl Name) -> RecordedEvent {
    let mut event = event(position, &format!("acme.{aggregate}"), message);
    event.envelope.partnership = "partnerships/glowco~zoe".into();
    event
}

fn contract(position: u64, message: &impl Name) -> RecordedEvent {
    of("contracts.contract.c1", position, message)
}

fn participation(position: u64, message: &impl Name) -> RecordedEvent {
    of("campaigns.participation.p1", position, message)
}

fn earning(position: u64, message: &impl Name) -> RecordedEvent {
    of("payouts.earning.e1", position, message)
}

fn second(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

/// What is listed after the events, all taken.
#[track_caller]
fn after(events: &[RecordedEvent]) -> Vec<pb::Obligation> {
    let folded = given(Obligations, events.to_vec());
    assert_eq!(folded.parked(), []);
    folded.rows().values().cloned().collect()
}

/// Names without the collection, with their parties and states.
fn told(rows: &[pb::Obligation]) -> Vec<(&str, Party, State)> {
    rows.iter().map(|row| (row.name.trim_start_matches("obligations/"), row.party(), row.state())).collect()
}

fn proposed(position: u64, until: i64) -> RecordedEvent {
    contract(position, &pb::ContractProposed { expire_time: second(until), ..Default::default() })
}

fn countered(position: u64) -> RecordedEvent {
    let offered_by = Party::Creator.into();
    contract(position, &pb::ContractCountered { offered_by, round: 2, ..Default::default() })
}

fn signature(party: Party) -> Option<pb::Signature> {
    Some(pb::Signature { party: party.into(), ..Default::default() })
}

fn amendment(position: u64, number: i32, by: Party) -> RecordedEvent {
    let amendment = pb::Amendment { number, proposed_by: by.into(), ..Default::default() };
    contract(position, &pb::AmendmentProposed { amendment: Some(amendment) })
}

fn ending(kind: pb::TerminationKind, by: Party) -> Option<pb::Termination> {
    Some(pb::Termination { kind: kind.into(), party: by.into(), ..Default::default() })
}

/// A reel, whose draft is due on the first day of 1970 in UTC and which is to be online on the second.
fn joined(position: u64) -> RecordedEvent {
    let reel = campaigns::Deliverable {
        deliverable_id: "reel-1".into(),
        draft_due_date: date(1970, 1, 1),
        due_date: date(1970, 1, 2),
        ..Default::default()
    };
    let rules = campaigns::ReviewRules { time_zone: "UTC".into(), ..Default::default() };
    let participation = campaigns::Participation {
        contract: "contracts/c1".into(),
        deliverables: vec![reel],
        review_rules: Some(rules),
        ..Default::default()
    };
    self::participation(position, &campaigns::CampaignJoined { participation: Some(participation) })
}

fn submitted(position: u64, number: i32, review_due: i64) -> RecordedEvent {
    let message = campaigns::DraftSubmitted {
        deliverable_id: "reel-1".into(),
        draft: Some(campaigns::Draft { number, ..Default::default() }),
        review_due_time: second(review_due),
        contract: "contracts/c1".into(),
    };
    participation(position, &message)
}

fn approved(position: u64, draft_number: i32, deemed: bool) -> RecordedEvent {
    let approver = if deemed { String::new() } else { "users/ada".into() };
    participation(
        position,
        &campaigns::DraftApproved { deliverable_id: "reel-1".into(), draft_number, approver, deemed },
    )
}

fn published(position: u64, at: i64) -> RecordedEvent {
    let (deliverable_id, publish_time) = ("reel-1".into(), second(at));
    participation(position, &campaigns::DeliverablePublished { deliverable_id, publish_time, ..Default::default() })
}

fn accrued(position: u64, units: i64) -> RecordedEvent {
    let earned = payouts::Earning {
        contract: "contracts/c1".into(),
        clause_id: "fee".into(),
        amount: usd(units),
        due_date: date(1970, 1, 1),
        ..Default::default()
    };
    earning(position, &payouts::EarningAccrued { earning: Some(earned) })
}

const DAY: i64 = 86_400;

#[test]
fn an_offer_is_to_be_answered_by_who_did_not_make_it() {
    let rows = after(&[proposed(1, 60)]);
    let expected = pb::Obligation {
        name: "obligations/c1~answer".into(),
        contract: "contracts/c1".into(),
        brand: "brands/glowco".into(),
        creator: "creators/zoe".into(),
        party: Party::Creator.into(),
        kind: Kind::Answer.into(),
        state: State::Open.into(),
        subject: "contracts/c1".into(),
        due_time: second(60),
        ..Default::default()
    };
    assert_eq!(rows, [expected]);
    assert_eq!(told(&after(&[proposed(1, 60), countered(2)])), [("c1~answer", Party::Brand, State::Open)]);
}

#[test]
fn an_offer_is_answered_or_comes_to_nothing() {
    for (answer, state) in [
        (contract(2, &pb::ContractDeclined::default()), State::Fulfilled),
        (contract(2, &pb::ContractWithdrawn::default()), State::Discharged),
        (contract(61, &pb::ContractLapsed::default()), State::Discharged),
    ] {
        assert_eq!(told(&after(&[proposed(1, 60), answer])), [("c1~answer", Party::Creator, state)]);
    }
}

#[test]
fn what_is_agreed_is_to_be_signed_by_both() {
    let agreed = [proposed(1, 60), contract(2, &pb::ContractAccepted::default())];
    let signatures = [("c1~signature~brand", Party::Brand), ("c1~signature~creator", Party::Creator)];
    let open = signatures.map(|(name, party)| (name, party, State::Open));
    assert_eq!(told(&after(&agreed))[1..], open);

    let added = pb::SignatureAdded { signature: signature(Party::Creator), ..Default::default() };
    let one = [agreed.to_vec(), vec![contract(3, &added)]].concat();
    assert_eq!(told(&after(&one))[1..], [open[0], ("c1~signature~creator", Party::Creator, State::Fulfilled)]);
    let signed = pb::ContractSigned { signature: signature(Party::Brand), ..Default::default() };
    let both = after(&[one, vec![contract(4, &signed)]].concat());
    assert_eq!((both[1].state(), both[1].fulfil_time), (State::Fulfilled, second(4)));
}

#[test]
fn an_amendment_is_answered_taken_back_or_superseded() {
    let decided = |event: RecordedEvent| {
        let rows = after(&[amendment(1, 1, Party::Brand), amendment(2, 2, Party::Creator), event]);
        rows.iter().map(|row| row.state()).collect::<Vec<_>>()
    };
    let accepted = contract(3, &pb::AmendmentAccepted { number: 1, ..Default::default() });
    assert_eq!(decided(accepted), [State::Fulfilled, State::Discharged]);
    let declined = contract(3, &pb::AmendmentDeclined { number: 2, ..Default::default() });
    assert_eq!(decided(declined), [State::Open, State::Fulfilled]);
    let withdrawn = contract(3, &pb::AmendmentWithdrawn { number: 1, ..Default::default() });
    assert_eq!(decided(withdrawn), [State::Discharged, State::Open]);
    assert_eq!(decided(contract(3, &pb::TermsReplaced::default())), [State::Discharged; 2]);
    assert_eq!(decided(contract(3, &pb::ContractExpired::default())), [State::Discharged; 2]);
}

#[test]
fn a_proposal_to_end_is_answered_or_taken_back() {
    let proposal = pb::TerminationProposed { termination: ending(pb::TerminationKind::Mutual, Party::Brand) };
    let declined = |by: Party| pb::TerminationDeclined { declined_by: by.into(), ..Default::default() };
    let agreed = pb::ContractTerminated { termination: ending(pb::TerminationKind::Mutual, Party::Brand) };
    let decided = |event| told(&after(&[contract(1, &proposal), event]))[0].2;
    assert_eq!(decided(contract(2, &declined(Party::Creator))), State::Fulfilled);
    assert_eq!(decided(contract(2, &declined(Party::Brand))), State::Discharged);
    assert_eq!(decided(contract(2, &agreed)), State::Fulfilled);
}

#[test]
fn a_deliverable_is_drafted_and_published_by_the_end_of_its_days() {
    let rows = after(&[joined(1)]);
    assert_eq!(
        told(&rows),
        [("p1~reel-1~draft", Party::Creator, State::Open), ("p1~reel-1~publication", Party::Creator, State::Open)]
    );
    assert_eq!(rows.iter().map(|row| row.due_time).collect::<Vec<_>>(), [second(DAY), second(2 * DAY)]);
    assert_eq!(rows[1].subject, "participations/p1/deliverables/reel-1");

    let publication = |at| after(&[joined(1), published(5, at)])[1].clone();
    assert_eq!(publication(2 * DAY - 1).state(), State::Fulfilled);
    assert_eq!(
        (publication(2 * DAY).state(), publication(2 * DAY).fulfil_time),
        (State::FulfilledLate, second(2 * DAY))
    );
}

#[test]
fn days_end_in_the_contracts_own_time_zone() {
    let mut event = joined(1);
    let mut message = <campaigns::CampaignJoined as prost::Message>::decode(&event.payload[..]).unwrap();
    let rules = message.participation.as_mut().and_then(|participation| participation.review_rules.as_mut());
    rules.unwrap().time_zone = "America/New_York".into();
    event.payload = prost::Message::encode_to_vec(&message).into();
    assert_eq!(after(&[event])[0].due_time, second(DAY + 5 * 3600));
}

#[test]
fn a_draft_is_reviewed_each_time() {
    let review = |events: &[RecordedEvent]| {
        let rows = after(&[vec![joined(1), submitted(10, 1, 100)], events.to_vec()].concat());
        let reviews = rows.iter().filter(|row| row.kind() == Kind::Review);
        reviews.map(|row| (row.party(), row.state())).collect::<Vec<_>>()
    };
    let changes = |position| {
        let deliverable_id = "reel-1".into();
        participation(position, &campaigns::ChangesRequested { deliverable_id, draft_number: 1, ..Default::default() })
    };
    assert_eq!(review(&[]), [(Party::Brand, State::Open)]);
    assert_eq!(review(&[changes(99)]), [(Party::Brand, State::Fulfilled)]);
    assert_eq!(review(&[changes(100)]), [(Party::Brand, State::FulfilledLate)]);
    assert_eq!(
        review(&[changes(99), submitted(110, 2, 200), approved(120, 2, false)]),
        [(Party::Brand, State::Fulfilled), (Party::Brand, State::Fulfilled)]
    );
    assert_eq!(review(&[approved(100, 1, true)]), [(Party::Brand, State::Discharged)], "silence stood in for it");

    let rows = after(&[joined(1), submitted(10, 1, 100)]);
    assert_eq!((rows[0].kind(), rows[0].state()), (Kind::Draft, State::Fulfilled));
    assert_eq!(rows[2].subject, "participations/p1/deliverables/reel-1/drafts/1");
}

#[test]
fn what_the_log_calls_overdue_is_and_is_late_once_done() {
    let deliverable_id = || "reel-1".to_owned();
    let due_time = second(DAY);
    let overdue = [
        joined(1),
        submitted(10, 1, 100),
        participation(101, &campaigns::ReviewOverdue { deliverable_id: deliverable_id(), draft_number: 1, due_time }),
        participation(102, &campaigns::PublicationOverdue { deliverable_id: deliverable_id(), due_time }),
    ];
    let states = |rows: Vec<pb::Obligation>| rows.iter().map(|row| row.state()).collect::<Vec<_>>();
    assert_eq!(states(after(&overdue)), [State::Fulfilled, State::Overdue, State::Overdue]);
    let done = [overdue.to_vec(), vec![approved(103, 1, false), published(104, 2 * DAY)]].concat();
    assert_eq!(states(after(&done)), [State::Fulfilled, State::FulfilledLate, State::FulfilledLate]);

    let draft = participation(2, &campaigns::DraftOverdue { deliverable_id: deliverable_id(), due_time });
    assert_eq!(states(after(&[joined(1), draft.clone()]))[0], State::Overdue);
    assert_eq!(states(after(&[joined(1), submitted(3, 1, 100), draft]))[0], State::Fulfilled, "it came too late");
}

#[test]
fn what_is_earned_is_to_be_paid() {
    let rows = after(&[accrued(1, 100)]);
    assert_eq!(told(&rows), [("e1", Party::Brand, State::Open)]);
    assert_eq!((rows[0].kind(), &rows[0].clause_id[..], rows[0].due_time), (Kind::Payment, "fee", second(DAY)));
    let paid = |position| earning(position, &payouts::EarningPaid::default());
    assert_eq!(after(&[accrued(1, 100), paid(2)])[0].state(), State::Fulfilled);
    assert_eq!(after(&[accrued(1, 100), paid(86_400)])[0].state(), State::FulfilledLate);
    assert_eq!(after(&[accrued(1, -100), paid(2)]), [], "what is taken back is offset");
}

#[test]
fn an_ended_contract_leaves_nothing_owed_but_money() {
    let terminated = pb::ContractTerminated { termination: ending(pb::TerminationKind::Breach, Party::Brand) };
    let owed = [joined(1), submitted(2, 1, 100), amendment(3, 1, Party::Brand), accrued(4, 100)];
    let rows = after(&[owed.to_vec(), vec![contract(5, &terminated), published(6, 6)]].concat());
    assert_eq!(
        told(&rows),
        [
            ("c1~amendment~1", Party::Creator, State::Discharged),
            ("e1", Party::Brand, State::Open),
            ("p1~reel-1~draft", Party::Creator, State::Fulfilled),
            ("p1~reel-1~publication", Party::Creator, State::Discharged),
            ("p1~reel-1~review~1", Party::Brand, State::Discharged),
        ]
    );
}

#[test]
fn another_contract_and_another_tenant_owe_what_they_did() {
    let terminated = pb::ContractTerminated { termination: ending(pb::TerminationKind::Breach, Party::Brand) };
    let mut elsewhere = contract(3, &terminated);
    elsewhere.subject = "globex.contracts.contract.c1".into();
    let other = of("contracts.contract.c2", 4, &terminated);
    assert_eq!(told(&after(&[joined(1), elsewhere, other]))[0].2, State::Open);
}

#[test]
fn what_ends_stays_owed_if_the_contract_only_expires() {
    let rows = after(&[joined(1), contract(2, &pb::ContractExpired::default())]);
    assert_eq!(told(&rows)[1], ("p1~reel-1~publication", Party::Creator, State::Open));
}

#[tokio::test]
async fn batches_do_not_matter() {
    let terminated = pb::ContractTerminated { termination: ending(pb::TerminationKind::Breach, Party::Brand) };
    let added = pb::SignatureAdded { signature: signature(Party::Creator), ..Default::default() };
    let events = [
        proposed(1, 60),
        countered(2),
        contract(3, &pb::ContractAccepted::default()),
        contract(4, &added),
        joined(5),
        submitted(6, 1, 100),
        approved(7, 1, true),
        amendment(8, 1, Party::Brand),
        amendment(9, 2, Party::Creator),
        contract(10, &pb::AmendmentAccepted { number: 2, ..Default::default() }),
        accrued(11, 100),
        contract(12, &terminated),
        published(13, 13),
        earning(14, &payouts::EarningPaid::default()),
    ];
    assert_batches_do_not_matter(|| Obligations, &events).await;
}
