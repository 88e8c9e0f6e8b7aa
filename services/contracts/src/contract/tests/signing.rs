//! From agreement to a contract in force.

use super::*;
use crate::fixtures::usd;
use tandem_proto::common::v1::ErrorReason::{AlreadySigned, StateForbids, TermsHashMismatch};

fn signature(party: Party, signer: &str, seconds: i64) -> pb::Signature {
    pb::Signature {
        party: party.into(),
        signer: signer.into(),
        capacity: "Head of Partnerships".into(),
        method: SignatureMethod::Click.into(),
        terms_hash: hash(&terms_for(120)),
        sign_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
    }
}

fn added(party: Party, signer: &str, seconds: i64) -> Event {
    Event::SignatureAdded(pb::SignatureAdded {
        signature: Some(signature(party, signer, seconds)),
        ..Default::default()
    })
}

fn signed(party: Party, signer: &str, seconds: i64) -> Event {
    Event::Signed(pb::ContractSigned {
        signature: Some(signature(party, signer, seconds)),
        version: 2,
        brand: BRAND.into(),
        creator: CREATOR.into(),
        committed_amount: usd(120),
        ..Default::default()
    })
}

#[test]
fn the_first_signature_is_added() {
    let given = an_agreement().by("creators/zoe").at("2026-05-02T10:00:00Z");
    let contract =
        given.when(creator(sign(120))).then([added(Party::Creator, "creators/zoe", 1_777_716_000)]).state().0;
    assert_eq!((contract.state(), contract.sign_time), (State::Accepted, None));
    assert_eq!(contract.signatures, [signature(Party::Creator, "creators/zoe", 1_777_716_000)]);
}

#[test]
fn the_second_signature_concludes_the_contract() {
    let one = an_agreement().and(added(Party::Creator, "creators/zoe", 1)).by("users/ada").at("2026-05-02T10:00:00Z");
    let contract = one.when(brand(sign(120))).then([signed(Party::Brand, "users/ada", 1_777_716_000)]).state().0;
    assert_eq!(contract.state(), State::Upcoming);
    assert_eq!(contract.sign_time.unwrap().seconds, 1_777_716_000);
    let parties: Vec<_> = contract.signatures.iter().map(pb::Signature::party).collect();
    assert_eq!(parties, [Party::Creator, Party::Brand]);
}

#[test]
fn the_terms_signed_are_the_first_version_and_name_the_last_day() {
    let one = an_agreement().and(added(Party::Creator, "creators/zoe", 1)).by("users/ada").at("2026-05-02T10:00:00Z");
    assert_eq!((one.state().0.version, an_agreement().state().0.versions), (0, vec![]));
    let one = an_agreement().and(added(Party::Creator, "creators/zoe", 1)).by("users/ada").at("2026-05-02T10:00:00Z");
    let contract = one.when(brand(sign(120))).happens().state().0;
    let first = pb::TermsVersion {
        version: 2,
        terms_hash: hash(&terms_for(120)),
        agree_time: contract.sign_time,
        ..Default::default()
    };
    assert_eq!((contract.version, contract.versions), (2, vec![first]));
    assert_eq!(contract.end_date, date(2026, 8, 31));
}

#[test]
fn both_signatures_may_stand_against_conflicts() {
    let conflicting = |contract: &str, reason: &str| {
        let Action::Sign(consent) = sign(120) else { unreachable!() };
        let (contracts, decided_by) = (vec![contract.to_owned()], "users/ada".to_owned());
        let exclusivity_override = Some(pb::ExclusivityOverride { contracts, reason: reason.into(), decided_by });
        Action::Sign(Consent { exclusivity_override, ..consent })
    };
    let one = an_agreement().when(creator(conflicting("contracts/b", "They agreed."))).happens();
    let contract = one.when(brand(conflicting("contracts/a", "Ends soon."))).happens().state().0;
    let shown = contract.exclusivity_override.unwrap();
    assert_eq!((shown.contracts, &shown.reason[..]), (vec!["contracts/a".into(), "contracts/b".into()], "Ends soon."));

    let plain = an_agreement().when(creator(conflicting("contracts/b", "They agreed."))).happens();
    let shown = plain.when(brand(sign(120))).happens().state().0.exclusivity_override.unwrap();
    assert_eq!(shown.contracts, ["contracts/b"]);
}

#[test]
fn either_party_may_sign_first() {
    let one = an_agreement().by("users/ada").at("1970-01-01T00:00:01Z");
    let both = one.when(brand(sign(120))).then([added(Party::Brand, "users/ada", 1)]).by("creators/zoe");
    both.when(creator(sign(120))).then([signed(Party::Creator, "creators/zoe", 1)]);
}

#[test]
fn a_party_signs_once() {
    let one = || an_agreement().and(added(Party::Creator, "creators/zoe", 1));
    let refusal = one().when(creator(sign(120))).then_refused(AlreadySigned);
    assert!(refusal.message.contains("signed by the creator already"), "{refusal}");
    // Whatever they think to have signed.
    one().when(creator(sign(1))).then_refused(AlreadySigned);

    let both = || one().and(signed(Party::Brand, "users/ada", 2));
    both().when(creator(sign(120))).then_refused(AlreadySigned);
    both().when(brand(sign(120))).then_refused(AlreadySigned);
}

#[test]
fn what_is_signed_is_what_was_agreed() {
    // The fee of the first round.
    let refusal = an_agreement().when(creator(sign(100))).then_refused(TermsHashMismatch);
    for hash in [hash(&terms_for(100)), hash(&terms_for(120))] {
        assert!(refusal.message.contains(&hash), "{refusal}");
    }
}

#[test]
fn an_offer_is_not_signed_before_it_is_accepted() {
    for command in [brand(sign(120)), creator(sign(120))] {
        let refusal = a_counter().when(command).then_refused(StateForbids);
        assert_eq!(refusal.message, "contracts/test is COUNTERED; only a contract in ACCEPTED can be signed.");
    }
}

#[test]
fn a_signed_contract_is_negotiated_no_more() {
    let one = || an_agreement().and(added(Party::Creator, "creators/zoe", 1));
    let both = || one().and(signed(Party::Brand, "users/ada", 2));
    for action in [Action::Propose { expire_time: None }, counter(130), Action::Accept, decline(), withdraw()] {
        both().when(brand(action.clone())).then_refused(StateForbids);
        both().when(creator(action)).then_refused(StateForbids);
    }
}
