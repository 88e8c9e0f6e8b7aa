//! Documents by their hash.

use tandem_proto::common::v1::ErrorReason::{ResourceNotFound, StateForbids};

use super::*;

fn pdf(digit: char) -> pb::Document {
    pb::Document {
        title: "Signed agreement".into(),
        media_type: "application/pdf".into(),
        sha256: String::from(digit).repeat(64),
        ..Default::default()
    }
}

/// As it is once somebody has attached it at the start of 2026.
fn attached(digit: char) -> pb::Document {
    let attach_time = Some(time::to_proto(instant("2026-01-01T00:00:00Z")));
    pb::Document { attach_time, attached_by: "users/someone".into(), ..pdf(digit) }
}

fn attach(digit: char) -> Action {
    Action::Attach(pdf(digit))
}

fn with(digit: char) -> Event {
    Event::DocumentAttached(pb::DocumentAttached { document: Some(attached(digit)) })
}

#[test]
fn either_party_attaches_documents_at_any_time() {
    for contract in [a_draft, a_proposal, a_counter, an_agreement, || signed_at("2026-01-01T00:00:00Z", terms())] {
        let contract = contract().when(brand(attach('a'))).then([with('a')]);
        let contract = contract.when(creator(attach('b'))).then([with('b')]).state().0;
        assert_eq!(contract.documents, [attached('a'), attached('b')]);
    }
}

#[test]
fn the_same_document_twice_has_no_further_effect() {
    let renamed = pb::Document { title: "The same".into(), ..pdf('a') };
    a_draft().and(with('a')).when(creator(Action::Attach(renamed))).then([]);
}

#[test]
fn when_and_by_whom_is_not_for_the_caller_to_say() {
    let forged = pb::Document { attached_by: "users/mallory".into(), attach_time: None, ..pdf('a') };
    a_draft().when(brand(Action::Attach(forged))).then([with('a')]);
}

#[test]
fn nothing_is_attached_after_the_end() {
    nothing().when(brand(attach('a'))).then_refused(ResourceNotFound);
    let ended = [
        a_proposal().and(declined(Party::Creator)),
        a_proposal().and(withdrawn(Party::Brand)),
        a_proposal().and(Event::Lapsed(pb::ContractLapsed::default())),
        signed_at("2026-01-01T00:00:00Z", terms()).and(expired(None)),
    ];
    for contract in ended {
        let refusal = contract.when(brand(attach('a'))).then_refused(StateForbids);
        assert!(refusal.message.contains("documents are attached before a contract's end"), "{refusal}");
    }
}

#[test]
fn a_signature_brings_its_document() {
    let sign = |digit| {
        let Action::Sign(consent) = sign(120) else { unreachable!() };
        Action::Sign(Consent { document: Some(pdf(digit)), ..consent })
    };
    let one = an_agreement().when(creator(sign('a'))).happens();
    let contract = one.when(brand(sign('b'))).happens().state().0;
    assert_eq!(contract.documents, [attached('a'), attached('b')]);
    // Both sign the same one.
    let one = an_agreement().when(creator(sign('a'))).happens();
    assert_eq!(one.when(brand(sign('a'))).happens().state().0.documents, [attached('a')]);
}
