//! What became of a contract after its signature, as people read it.

use prost_types::Timestamp;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::{AmendmentState, ContractState, Deadline, Effect, Party, TerminationKind};

use super::{assert_says, draft, html_of, markdown_of};
use crate::fixtures::{date, terms, terms_for, usd};

/// Noon in New York on a day of summer 2026, counted from the first of June.
fn noon(days: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: 1_780_329_600 + days * 86_400, nanos: 0 })
}

fn signature(party: Party, capacity: &str) -> pb::Signature {
    pb::Signature {
        party: party.into(),
        signer: "users/ada".into(),
        capacity: capacity.into(),
        method: pb::SignatureMethod::Click.into(),
        terms_hash: "ab".repeat(32),
        sign_time: noon(0),
    }
}

/// A contract to which everything has happened that can happen to one.
fn eventful() -> pb::Contract {
    let (first, second) = (terms(), terms_for(6000));
    let mut contract = draft();
    contract.set_state(ContractState::Terminated);
    contract.signatures =
        vec![signature(Party::Brand, "Head of Partnerships"), signature(Party::Creator, "themselves")];
    contract.template = "contractTemplates/standard".into();
    contract.template_version = 3;
    contract.deviations = crate::terms::changes(&terms_for(1000), &first);
    contract.version = 2;
    contract.versions = vec![
        pb::TermsVersion { version: 1, terms: Some(first.clone()), agree_time: noon(0), ..Default::default() },
        pb::TermsVersion {
            version: 2,
            effective_time: noon(9),
            agree_time: noon(5),
            amendment: 1,
            ..Default::default()
        },
    ];
    let amendment = pb::Amendment {
        number: 1,
        proposed_by: Party::Creator.into(),
        state: AmendmentState::Accepted.into(),
        terms: Some(second.clone()),
        effective_date: date(2026, 6, 10),
        changes: crate::terms::changes(&first, &second),
        reason: "More work than planned".into(),
        propose_time: noon(4),
        decide_time: noon(5),
        ..Default::default()
    };
    let declined = pb::Amendment {
        number: 2,
        state: AmendmentState::Declined.into(),
        changes: crate::terms::changes(&second, &terms_for(7000)),
        decline_reason: "Enough is enough".into(),
        ..amendment.clone()
    };
    contract.amendments = vec![amendment, declined];
    contract.terms = Some(second);
    contract.end_date = date(2026, 11, 30);
    contract.renewal_count = 1;
    contract.set_renewal_notice_by(Party::Brand);
    contract.warnings = vec![pb::DeadlineWarning {
        deadline: Deadline::RenewalNotice.into(),
        deadline_time: noon(60),
        days_ahead: 30,
        warn_time: noon(30),
    }];
    contract.breaches = vec![pb::Breach {
        number: 1,
        noticed_by: Party::Brand.into(),
        clause_id: "content".into(),
        description: "The reel is late".into(),
        notice_time: noon(31),
        cure_deadline: noon(41),
        cure_time: None,
    }];
    contract.suspension =
        Some(pb::Suspension { incident: "A scandal".into(), suspend_time: noon(35), suspended_by: "users/lea".into() });
    let effect = |clause_id: &str, effect: Effect, amount, explanation: &str| pb::ClauseEffect {
        clause_id: clause_id.into(),
        effect: effect.into(),
        amount,
        explanation: explanation.into(),
    };
    contract.termination = Some(pb::Termination {
        kind: TerminationKind::Breach.into(),
        party: Party::Brand.into(),
        reason: "Never cured".into(),
        notice_time: noon(42),
        effective_time: noon(42),
        progress: pb::WorkProgress::DraftSubmitted.into(),
        effects: vec![
            effect("fee", Effect::ClawedBack, usd(1500), "half of what was earned"),
            effect("ads", Effect::Survives, None, "granted for a time of its own"),
        ],
        decided_by: "users/lea".into(),
    });
    contract.statutory_findings = vec![pb::StatutoryFinding {
        rule: "us-ny-fifa-payment-date".into(),
        message: "No date of payment is agreed".into(),
        source: "NY GBL § 1411".into(),
    }];
    contract.documents = vec![pb::Document {
        title: "Signed agreement".into(),
        media_type: "application/pdf".into(),
        sha256: "cd".repeat(32),
        uri: String::new(),
        attach_time: noon(1),
        attached_by: "users/ada".into(),
    }];
    contract.exclusivity_override = Some(pb::ExclusivityOverride {
        contracts: vec!["contracts/other".into()],
        reason: "They have agreed to it".into(),
        decided_by: "users/lea".into(),
    });
    contract
}

#[test]
fn all_that_happened_is_told_in_the_contracts_own_time_zone() {
    assert_says(
        &markdown_of(eventful(), 0),
        &[
            "- **State:** terminated\n",
            "- **Last day:** 30 November 2026, after 1 renewal (first term: 31 August 2026)\n",
            "- **Terms shown:** version 2\n",
            "| No date of payment is agreed | us-ny-fifa-payment-date | NY GBL § 1411 |\n",
            &format!(
                "| Brand | users/ada, Head of Partnerships | click | 1 June 2026, 12:00 EDT | {} |",
                "ab".repeat(32)
            ),
            "| Creator | users/ada, themselves |",
            "Signed in spite of the exclusivity of contracts/other, as users/lea decided: They have agreed to it",
            "Drafted from contractTemplates/standard, version 3.",
            "| fee | amount | USD 1,000.00 | USD 4,000.00 |\n",
            "| 1 | the beginning | 1 June 2026, 12:00 EDT | – |",
            "| 2 | 10 June 2026, 12:00 EDT | 6 June 2026, 12:00 EDT | 1 |",
            "### Amendment 1\n\n- **Proposed by:** the creator\n",
            "- **State:** accepted\n- **Applies from:** 10 June 2026\n- **Because:** More work than planned\n",
            "| fee | amount | USD 4,000.00 | USD 6,000.00 |\n",
            "- **Declined because:** Enough is enough\n",
            "| fee | amount | USD 6,000.00 | USD 7,000.00 |\n",
            "- **Renewed itself:** 1 time\n",
            "- **Notice against renewal was given by:** the brand\n",
            "| the last day for notice against renewal | 31 July 2026, 12:00 EDT | 30 | 1 July 2026, 12:00 EDT |\n",
            "| 1 | content | The reel is late | the brand on 2 July 2026, 12:00 EDT | 12 July 2026, 12:00 EDT | – |\n",
            "- **Because:** A scandal\n- **Since:** 6 July 2026, 12:00 EDT\n- **By:** users/lea\n",
            "## Termination\n\n- **How:** for a breach\n- **By:** the brand\n- **Because:** Never cured\n",
            "- **Work had come so far:** a draft was submitted\n",
            "| fee | clawed back | USD 1,500.00 | half of what was earned |\n",
            "| ads | survives | – | granted for a time of its own |\n",
            "| Signed agreement | application/pdf | users/ada, 2 June 2026, 12:00 EDT | – |",
        ],
    );
}

#[test]
fn a_proposal_to_end_it_is_told_as_such() {
    let mut contract = eventful();
    let kind = TerminationKind::Mutual.into();
    contract.proposed_termination = contract.termination.take().map(|end| pb::Termination { kind, ..end });
    let page = html_of(contract);
    assert_says(&page, &["<h2>Proposal to end it</h2>", "<dt>How</dt><dd>by mutual consent</dd>"]);
    assert!(!page.contains("<h2>Termination</h2>"), "{page}");
}
