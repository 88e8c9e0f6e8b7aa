use tandem_proto::contracts::v1::ContractDeclined;
use tandem_proto::payouts::v1::{
    PayoutRunApproved, PayoutRunCancelled, PayoutRunCreated, PayoutRunSubmitted, PayoutSettled,
};
use tandem_views::testing::{assert_batches_do_not_matter, event, given};

use super::*;

fn declined(position: u64) -> RecordedEvent {
    let mut event = event(position, "acme.contracts.contract.c1", &ContractDeclined::default());
    let envelope = &mut event.envelope;
    envelope.command = "tandem.contracts.v1.ContractService/DeclineContract".into();
    envelope.reason = "Too busy.".into();
    envelope.correlation_id = "correlation".into();
    envelope.causation_id = "cause".into();
    envelope.partnership = "partnerships/glowco~zoe".into();
    event
}

#[test]
fn an_entry_has_all_that_proves_an_event() {
    let expected = AuditEntry {
        position: 7,
        event_id: "event-7".into(),
        r#type: "tandem.contracts.v1.ContractDeclined".into(),
        resource: "contracts/c1".into(),
        partnership: "partnerships/glowco~zoe".into(),
        time: Some(prost_types::Timestamp { seconds: 7, nanos: 0 }),
        actor: "users/ada".into(),
        command: "tandem.contracts.v1.ContractService/DeclineContract".into(),
        reason: "Too busy.".into(),
        request_id: "request-7".into(),
        correlation_id: "correlation".into(),
        causation_id: "cause".into(),
        summary: "Offer declined by the unspecified".into(),
        partnerships: vec!["partnerships/glowco~zoe".into()],
    };
    given(Audit, [declined(7)]).assert_row("acme", "00000000000000000007", Some(&expected));
}

fn concerned(event: RecordedEvent) -> Vec<String> {
    let key = format!("{:020}", event.position);
    given(Audit, [event]).row("acme", &key).unwrap().partnerships.clone()
}

#[test]
fn a_payout_run_concerns_all_whom_it_pays_and_belongs_to_none() {
    let paid: Vec<String> = ["partnerships/glowco~adam", "partnerships/glowco~zoe"].map(str::to_owned).into();
    let partnerships = || paid.clone();
    let run = "acme.payouts.payout_run.r1";
    for event in [
        event(1, run, &PayoutRunCreated { partnerships: partnerships(), ..Default::default() }),
        event(2, run, &PayoutRunApproved { partnerships: partnerships(), ..Default::default() }),
        event(3, run, &PayoutRunCancelled { partnerships: partnerships(), ..Default::default() }),
        event(4, run, &PayoutRunSubmitted { partnerships: partnerships(), ..Default::default() }),
    ] {
        assert_eq!(event.envelope.partnership, "");
        assert_eq!(concerned(event), paid);
    }
}

#[test]
fn what_belongs_to_one_concerns_that_one() {
    let mut settled = event(1, "acme.payouts.payout_run.r1", &PayoutSettled::default());
    settled.envelope.partnership = "partnerships/glowco~zoe".into();
    assert_eq!(concerned(settled), ["partnerships/glowco~zoe"]);
    assert_eq!(concerned(declined(2)), ["partnerships/glowco~zoe"]);
    let mut of_none = declined(3);
    of_none.envelope.partnership.clear();
    assert_eq!(concerned(of_none), [""; 0]);
}

#[test]
fn what_this_version_does_not_know_has_its_entry() {
    let mut unknown = declined(1);
    unknown.envelope.event_type = "tandem.contracts.v2.ContractReopened".into();
    let mut garbled = declined(2);
    garbled.payload = bytes::Bytes::from_static(&[0xff]);
    let mut elsewhere = declined(3);
    elsewhere.subject = "globex.agencies.agency.a1".into();
    let folded = given(Audit, [unknown, garbled, elsewhere]);
    assert_eq!(folded.parked(), []);
    let summary = |tenant, position| &folded.row(tenant, &format!("{position:020}")).unwrap().summary[..];
    assert_eq!(summary("acme", 1), "ContractReopened (a type that is unknown here)");
    assert_eq!(summary("acme", 2), "ContractDeclined (damaged: its content can't be read)");
    assert_eq!(summary("globex", 3), "Offer declined by the unspecified");
}

#[tokio::test]
async fn batches_do_not_matter() {
    let events: Vec<_> = (1..40).map(declined).collect();
    assert_eq!(given(Audit, events.clone()).rows().len(), 39);
    assert_batches_do_not_matter(|| Audit, &events).await;
}
