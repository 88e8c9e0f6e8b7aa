//! What time brings about.

use tandem_aggregate::Scheduled as _;

use super::*;

/// The review window of a draft handed in at [`SUBMITTED`] ends: Thursday and five business days, in New York.
const REVIEW_DUE: &str = "2026-01-23T05:00:00Z";
/// The first of February is over in New York.
const PUBLICATION_DUE: &str = "2026-02-02T05:00:00Z";

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn time(text: &str) -> Option<prost_types::Timestamp> {
    Some(to_proto(instant(text)))
}

fn silence_approves(terms: &mut contracts::Terms) {
    for clause in &mut terms.clauses {
        if let Some(Clause::Review(review)) = &mut clause.clause {
            review.silence_approves = true;
        }
    }
}

/// The first draft of `reel-1` is owed by this day of January.
fn draft_due(terms: &mut contracts::Terms, of_january: i32) {
    for clause in &mut terms.clauses {
        if let Some(Clause::Deliverables(clause)) = &mut clause.clause {
            clause.deliverables[0].draft_due_date = day(1, of_january);
        }
    }
}

fn by_the_law_of(terms: &mut contracts::Terms, country_code: &str, subdivision_code: &str) {
    let law =
        contracts::GoverningLawClause { country_code: country_code.into(), subdivision_code: subdivision_code.into() };
    let clause = Some(Clause::GoverningLaw(law));
    terms.clauses.push(contracts::Clause { clause_id: "law".into(), clause });
}

/// With a draft in review whose silence approves.
fn waiting() -> Given<Participation> {
    joined_with(silence_approves).at(SUBMITTED).when(submit(GOOD)).happens()
}

fn deemed() -> Event {
    let deliverable_id = "reel-1".into();
    Event::DraftApproved(pb::DraftApproved { deliverable_id, draft_number: 1, approver: String::new(), deemed: true })
}

fn review_overdue() -> Event {
    let (deliverable_id, due_time) = ("reel-1".into(), time(REVIEW_DUE));
    Event::ReviewOverdue(pb::ReviewOverdue { deliverable_id, draft_number: 1, due_time })
}

fn draft_overdue(until: &str) -> Event {
    Event::DraftOverdue(pb::DraftOverdue { deliverable_id: "reel-1".into(), due_time: time(until) })
}

fn publication_overdue(id: &str) -> Event {
    let (deliverable_id, due_time) = (id.into(), time(PUBLICATION_DUE));
    Event::PublicationOverdue(pb::PublicationOverdue { deliverable_id, due_time })
}

fn next_due(participation: Given<Participation>) -> Option<Timestamp> {
    participation.state().next_due()
}

fn act() -> Command {
    Participation::act_on_due()
}

#[test]
fn silence_approves_a_draft_when_its_review_window_ends() {
    let approved = waiting().at(REVIEW_DUE).when(act()).then([deemed()]);
    let reel = &approved.state().0.deliverables[0];
    assert_eq!((reel.state(), reel.review_due_time), (DeliverableState::Approved, None));
    assert!(reel.drafts[0].deemed_approved && reel.drafts[0].approver.is_empty());
}

#[test]
fn before_the_window_ends_nothing_is_due() {
    assert_eq!(next_due(waiting()), Some(instant(REVIEW_DUE)));
    waiting().at("2026-01-23T04:59:59Z").when(act()).then([]);
}

#[test]
fn an_answer_in_time_keeps_silence_from_approving() {
    let answered = waiting().at("2026-01-23T04:59:59Z").when(request_changes()).happens();
    answered.at(REVIEW_DUE).when(act()).then([]);
}

#[test]
fn silence_does_not_approve_what_nobody_may_approve() {
    let hidden = joined_with(silence_approves).at(SUBMITTED).when(submit("no tag at all")).happens();
    let overdue = hidden.at(REVIEW_DUE).when(act()).then([review_overdue()]);
    let refusal = overdue.when(approve()).then_refused(ErrorReason::DisclosureInsufficient);
    assert!(refusal.message.starts_with("Draft 1 of reel-1 can't be approved"), "{}", refusal.message);
}

#[test]
fn where_silence_does_not_approve_a_review_is_overdue_once() {
    let overdue = || in_review().at(REVIEW_DUE).when(act()).then([review_overdue()]);
    let reel = &overdue().state().0.deliverables[0];
    assert_eq!((reel.state(), reel.drafts[0].review_overdue_time), (DeliverableState::InReview, time(REVIEW_DUE)));
    overdue().at("2026-01-30T00:00:00Z").when(act()).then([]);
    assert_eq!(next_due(overdue()), Some(instant(PUBLICATION_DUE)));
    // It can still be answered, and the next draft has a window of its own.
    overdue().when(approve()).happens();
    let again = overdue().at("2026-01-26T15:00:00Z").when(request_changes()).happens().when(submit(GOOD)).happens();
    assert_eq!(again.state().0.deliverables[0].drafts[1].review_overdue_time, None);
}

#[test]
fn changes_asked_for_after_the_window_meet_an_approved_draft() {
    let refusal = waiting().at(REVIEW_DUE).when(request_changes()).then_refused(ErrorReason::StateForbids);
    assert_eq!(
        refusal.message,
        "Draft 1 of reel-1 of participations/test was not answered in its review window, and silence approves by the \
         contract. Agree on changes with the creator."
    );
    // The same once the timer has been there.
    let deemed = waiting().at(REVIEW_DUE).when(act()).happens();
    deemed.when(request_changes()).then_refused(ErrorReason::StateForbids);
    // An approval comes too late, too: the record says that nobody gave one.
    waiting().at(REVIEW_DUE).when(approve()).then_refused(ErrorReason::StateForbids);
}

#[test]
fn what_silence_has_approved_is_published_though_no_timer_came() {
    let published = waiting().at("2026-01-25T00:00:00Z").when(Command::RecordPublication(publish())).happens();
    let reel = &published.state().0.deliverables[0];
    assert_eq!((reel.state(), reel.drafts[0].deemed_approved), (DeliverableState::Published, true));
}

#[test]
fn a_first_draft_is_overdue_once_its_day_is_over_in_the_contracts_zone() {
    let owed = || joined_with(|terms| draft_due(terms, 10));
    assert_eq!(next_due(owed()), Some(instant("2026-01-11T05:00:00Z")));
    owed().at("2026-01-11T04:59:59Z").when(act()).then([]);
    let overdue = owed().at("2026-01-11T05:00:00Z").when(act()).then([draft_overdue("2026-01-11T05:00:00Z")]);
    let after = overdue.at("2026-01-12T00:00:00Z").when(act()).then([]);
    // What was late stays on record.
    let late = after.when(submit(GOOD)).happens().state();
    assert_eq!(late.0.deliverables[0].draft_overdue_time, time("2026-01-11T05:00:00Z"));
}

#[test]
fn a_draft_that_comes_late_finds_itself_overdue_first() {
    let owed = joined_with(|terms| draft_due(terms, 10));
    let late = owed.at("2026-01-15T20:00:00Z").when(submit(GOOD)).happens().state();
    let reel = &late.0.deliverables[0];
    assert_eq!((reel.state(), reel.drafts.len()), (DeliverableState::InReview, 1));
    assert_eq!(reel.draft_overdue_time, time("2026-01-11T05:00:00Z"));
}

#[test]
fn a_draft_in_time_is_not_overdue() {
    let in_time = joined_with(|terms| draft_due(terms, 20)).at(SUBMITTED).when(submit(GOOD)).happens();
    // Nor is the one that follows changes: only the first has a day of its own.
    let changed = in_time.when(request_changes()).happens();
    changed.at("2026-01-30T00:00:00Z").when(act()).then([]);
}

#[test]
fn what_is_not_online_is_overdue_once_its_day_is_over() {
    assert_eq!(next_due(joined()), Some(instant(PUBLICATION_DUE)));
    let both = [publication_overdue("reel-1"), publication_overdue("reel-2")];
    let overdue = joined().at(PUBLICATION_DUE).when(act()).then(both).at("2026-03-01T00:00:00Z").when(act()).then([]);
    assert_eq!(next_due(overdue), None);
    // Not what is.
    published().at(PUBLICATION_DUE).when(act()).then([publication_overdue("reel-2")]);
}

#[test]
fn what_was_online_in_time_and_told_late_is_not_overdue_any_more() {
    let told = |publish_time: &str| {
        let request = pb::RecordPublicationRequest { publish_time: time(publish_time), ..publish() };
        approved().at("2026-02-10T00:00:00Z").when(Command::RecordPublication(request)).happens().state()
    };
    let of = |told: Participation| told.0.deliverables[0].publication_overdue_time;
    assert_eq!(of(told("2026-02-02T04:59:59Z")), None);
    assert_eq!(of(told(PUBLICATION_DUE)), time(PUBLICATION_DUE));
}

#[test]
fn what_passed_while_no_timer_came_happens_in_order() {
    let late = joined_with(|terms| {
        silence_approves(terms);
        draft_due(terms, 10);
    });
    let late = late.at("2026-01-15T20:00:00Z").when(submit(GOOD)).happens();
    late.at("2026-03-01T00:00:00Z").when(act()).then([
        deemed(),
        publication_overdue("reel-1"),
        publication_overdue("reel-2"),
    ]);
}

#[test]
fn who_has_not_joined_owes_nothing() {
    given::<Participation>([]).at("2030-01-01T00:00:00Z").when(act()).then([]);
}

#[test]
fn the_window_counts_business_days_of_the_law_agreed_on() {
    let due = |country: &str, subdivision: &str, submitted: &str| {
        let joined = joined_with(|terms| by_the_law_of(terms, country, subdivision));
        joined.at(submitted).when(submit(GOOD)).happens().state().0.deliverables[0].review_due_time
    };
    // Martin Luther King's birthday is the Monday after.
    assert_eq!(due("US", "US-NY", SUBMITTED), time("2026-01-24T05:00:00Z"));
    // Christmas of 2027 is kept on Friday the 24th, New Year's Day of 2028 on Friday the 31st: until Monday the 3rd.
    assert_eq!(due("US", "", "2027-12-23T20:00:00Z"), time("2028-01-04T05:00:00Z"));
    // Thursday before Easter, by German law.
    assert_eq!(due("DE", "", "2026-04-02T15:00:00Z"), time("2026-04-14T04:00:00Z"));
    // The day before Ascension, and Whit Monday, by French law; the 8th was a Friday.
    assert_eq!(due("FR", "", "2026-05-07T15:00:00Z"), time("2026-05-19T04:00:00Z"));
    // The summer bank holiday.
    assert_eq!(due("GB", "", "2026-08-27T15:00:00Z"), time("2026-09-05T04:00:00Z"));
    // No calendar is known: Monday to Friday, as without a governing law.
    assert_eq!(due("IT", "", SUBMITTED), time(REVIEW_DUE));
}
