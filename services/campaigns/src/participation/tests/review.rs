use super::*;

fn reel(participation: Given<Participation>) -> pb::Deliverable {
    participation.state().0.deliverables.swap_remove(0)
}

#[test]
fn a_draft_is_in_review_until_the_end_of_the_window() {
    let reel = reel(in_review());
    assert_eq!(reel.state(), DeliverableState::InReview);
    assert_eq!((reel.drafts[0].number, &reel.drafts[0].caption[..]), (1, GOOD));
    assert!(reel.drafts[0].findings.is_empty());
    assert_eq!(reel.drafts[0].submit_time, Some(to_proto(SUBMITTED.parse().unwrap())));
    // Thursday and five business days: the end of the next Thursday in New York.
    assert_eq!(reel.review_due_time, Some(to_proto("2026-01-23T05:00:00Z".parse().unwrap())));
}

#[test]
fn the_window_counts_by_the_contracts_calendar() {
    // Friday in New York, Saturday in UTC; the clocks go forward before the window ends.
    let due = reel(joined().at("2026-03-07T03:00:00Z").when(submit(GOOD)).happens()).review_due_time;
    assert_eq!(due, Some(to_proto("2026-03-14T04:00:00Z".parse().unwrap())));
}

#[test]
fn without_a_review_clause_nothing_is_due_and_rounds_are_not_limited() {
    let mut join = join();
    let terms = join.contract.terms.as_mut().unwrap();
    terms.clauses.retain(|clause| matches!(clause.clause, Some(Clause::Deliverables(_))));
    let mut participation = given::<Participation>([]).when(command(join)).happens();
    for _ in 0..3 {
        // Nor is any disclosure agreed to be checked for.
        participation = participation.when(submit("no tag at all")).happens().when(request_changes()).happens();
    }
    let reel = reel(participation);
    assert_eq!((reel.revision_rounds_used, reel.review_due_time), (3, None));
    assert!(reel.drafts.iter().all(|draft| draft.findings.is_empty()));
}

#[test]
fn what_is_output_only_is_not_taken_from_a_draft() {
    let Command::SubmitDraft(mut request) = submit(GOOD) else { unreachable!() };
    let draft = request.draft.as_mut().unwrap();
    draft.number = 9;
    draft.approver = "users/me".into();
    draft.change_request = "none".into();
    draft.findings = vec![pb::DisclosureFinding::default()];
    let with = reel(joined().at(SUBMITTED).when(Command::SubmitDraft(request)).happens());
    assert_eq!(with, reel(in_review()));
}

#[test]
fn a_draft_in_review_is_not_replaced() {
    let refusal = in_review().when(submit(GOOD)).then_refused(ErrorReason::StateForbids);
    assert!(
        refusal.message.starts_with("Deliverable reel-1 of participations/test is IN_REVIEW; "),
        "{}",
        refusal.message
    );
}

#[test]
fn approved_or_published_content_has_no_more_drafts() {
    approved().when(submit(GOOD)).then_refused(ErrorReason::StateForbids);
    published().when(submit(GOOD)).then_refused(ErrorReason::StateForbids);
}

#[test]
fn changes_are_asked_for_and_a_new_draft_comes() {
    let changes = pb::ChangesRequested {
        deliverable_id: "reel-1".into(),
        draft_number: 1,
        change_request: "Show the label".into(),
    };
    let sent_back = in_review().when(request_changes()).then([Event::ChangesRequested(changes)]);
    let again = reel(sent_back.when(submit(GOOD)).happens());
    assert_eq!(again.drafts.iter().map(|draft| draft.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(again.drafts[0].change_request, "Show the label");
    assert_eq!((again.revision_rounds_used, again.state()), (1, DeliverableState::InReview));
}

#[test]
fn changes_asked_for_end_the_window() {
    assert_eq!(reel(in_review().when(request_changes()).happens()).review_due_time, None);
}

#[test]
fn rounds_beyond_the_contracts_are_refused() {
    let second = in_review().when(request_changes()).happens().when(submit(GOOD)).happens();
    let refusal = second.when(request_changes()).then_refused(ErrorReason::RevisionRoundsExhausted);
    assert!(refusal.message.starts_with("The fee includes 1 revision rounds"), "{}", refusal.message);
}

#[test]
fn only_a_draft_in_review_is_answered() {
    let nothing = || [joined(), in_review().when(request_changes()).happens(), approved(), published()];
    for participation in nothing() {
        participation.when(request_changes()).then_refused(ErrorReason::StateForbids);
    }
    for participation in nothing() {
        participation.when(approve()).then_refused(ErrorReason::StateForbids);
    }
}

#[test]
fn an_approval_names_who_gave_it() {
    let approval = pb::DraftApproved {
        deliverable_id: "reel-1".into(),
        draft_number: 1,
        approver: "users/rev".into(),
        ..Default::default()
    };
    let after = in_review().by("users/rev").when(approve()).then([Event::DraftApproved(approval)]);
    let reel = reel(after);
    assert_eq!((reel.state(), &reel.drafts[0].approver[..]), (DeliverableState::Approved, "users/rev"));
    assert_eq!(reel.review_due_time, None);
}

#[test]
fn findings_come_with_the_draft_and_block_its_approval() {
    let hidden = joined().when(submit("My winter routine #glow #ad #skin")).happens();
    let refusal = hidden.when(approve()).then_refused(ErrorReason::DisclosureInsufficient);
    assert!(
        refusal.message.starts_with("Draft 1 of reel-1 can't be approved: IN_HASHTAG_PILE, BRAND_TAG_MISSING. "),
        "{}",
        refusal.message
    );
    assert!(refusal.message.ends_with("Add @glowco."), "{}", refusal.message);
}

#[test]
fn a_better_draft_is_approved() {
    joined()
        .when(submit("no tag"))
        .happens()
        .when(request_changes())
        .happens()
        .when(submit(GOOD))
        .happens()
        .when(approve())
        .happens();
}

#[test]
fn a_deliverable_has_to_be_owed() {
    let Command::SubmitDraft(mut request) = submit(GOOD) else { unreachable!() };
    request.deliverable_id = "story-1".into();
    let refusal = joined().when(Command::SubmitDraft(request)).then_refused(ErrorReason::FieldInvalid);
    assert_eq!(refusal.message, "deliverable_id names nothing that participations/test owes; it owes reel-1, reel-2.");
}

#[test]
fn who_has_not_joined_is_not_found() {
    for command in [submit(GOOD), request_changes(), approve(), Command::RecordPublication(publish())] {
        given::<Participation>([]).when(command).then_refused(ErrorReason::ResourceNotFound);
    }
}
