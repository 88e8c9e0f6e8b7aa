//! What a creator's book allows, and what it says.

use tandem_aggregate::testing::{Given, given};
use tandem_proto::common::v1::ErrorReason::ExclusivityConflict;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::Commitment;
use tandem_proto::contracts::v1::exclusivity_event::Event;

use super::{exclusive, words, work};
use crate::exclusivity::book::{Book, Command, Overriding};
use crate::fixtures::date;

fn reserve(commitment: Commitment) -> Command {
    reserve_over(commitment, Overriding::These(Vec::new()))
}

fn reserve_over(commitment: Commitment, overriding: Overriding) -> Command {
    Command::Reserve { commitment, overriding }
}

fn reserved<const N: usize>(commitment: Commitment, overridden: [&str; N]) -> Event {
    let overridden_contracts = words(overridden);
    Event::Reserved(pb::ExclusivityReserved { commitment: Some(commitment), overridden_contracts })
}

fn released(commitment: Commitment, end_date: Option<tandem_proto::google::r#type::Date>) -> Event {
    let contract = commitment.contract.clone();
    Event::Released(pb::ExclusivityReleased { contract, end_date, commitment: Some(commitment) })
}

fn empty() -> Given<Book> {
    given([])
}

/// A book with an exclusive contract of a rival.
fn taken() -> Given<Book> {
    given([reserved(exclusive("theirs", "rival"), [])])
}

#[test]
fn a_signed_contract_is_reserved() {
    empty().when(reserve(work("ours", "glowco"))).then([reserved(work("ours", "glowco"), [])]);
}

#[test]
fn what_conflicts_is_refused_by_name() {
    let refusal = taken().when(reserve(work("ours", "glowco"))).then_refused(ExclusivityConflict);
    assert!(refusal.message.starts_with("contracts/ours conflicts with contracts/theirs. By its clause"), "{refusal}");
    assert!(refusal.message.contains("exclusivity_override_reason"), "{refusal}");
    assert_eq!(refusal.metadata, [("contracts", "contracts/theirs".to_owned())]);
}

#[test]
fn all_that_stand_against_it_are_named_and_the_first_explained() {
    let several = (1..=5).fold(empty(), |book, number| {
        book.and(reserved(exclusive(&format!("theirs-{number}"), &format!("rival-{number}")), ["contracts/any"]))
    });
    let refusal = several.when(reserve(work("ours", "glowco"))).then_refused(ExclusivityConflict);
    assert!(refusal.message.contains("contracts/theirs-1, contracts/theirs-2, "), "{refusal}");
    assert_eq!(refusal.message.matches("By its clause").count(), 3);
    assert!(refusal.message.contains("CheckExclusivity tells 2 more."), "{refusal}");
}

#[test]
fn a_creator_is_told_what_they_can_do() {
    let refusal = taken().by("creators/zoe").when(reserve(work("ours", "glowco"))).then_refused(ExclusivityConflict);
    assert!(refusal.message.ends_with("or let the brand sign first in spite of it."), "{refusal}");
}

#[test]
fn it_is_reserved_in_spite_of_what_is_overridden() {
    let overridden = reserved(work("ours", "glowco"), ["contracts/theirs"]);
    let by_name = Overriding::These(words(["contracts/theirs"]));
    for overriding in [Overriding::All, by_name] {
        taken().when(reserve_over(work("ours", "glowco"), overriding)).then([overridden.clone()]);
    }
    // Of what does not conflict nothing is said.
    empty().when(reserve_over(work("ours", "glowco"), Overriding::All)).then([reserved(work("ours", "glowco"), [])]);
}

#[test]
fn an_override_covers_only_what_it_names() {
    let another = taken().and(reserved(exclusive("more", "third"), ["contracts/theirs"]));
    let these = Overriding::These(words(["contracts/theirs"]));
    let refusal = another.when(reserve_over(work("ours", "glowco"), these)).then_refused(ExclusivityConflict);
    assert_eq!(refusal.metadata, [("contracts", "contracts/more,contracts/theirs".to_owned())]);
}

#[test]
fn what_a_contract_has_reserved_does_not_stand_against_itself() {
    let book = taken().state();
    assert_eq!(book.conflicts(&exclusive("theirs", "rival")), []);
    assert_eq!(book.conflicts(&work("ours", "glowco")).len(), 1);
}

#[test]
fn nothing_is_written_where_nothing_has_changed() {
    taken().when(Command::Keep(exclusive("theirs", "rival"))).then([]);
    empty().when(Command::Keep(Commitment { categories: Vec::new(), ..work("ours", "glowco") })).then([]);
}

#[test]
fn an_earlier_end_releases_and_makes_room() {
    let mut shorter = exclusive("theirs", "rival");
    (shorter.end_date, shorter.windows[0].end_date) = (date(2026, 6, 10), date(2026, 6, 15));
    let book = taken().when(Command::Keep(shorter.clone())).then([released(shorter, date(2026, 6, 15))]);
    let mut ours = work("ours", "glowco");
    ours.start_date = date(2026, 6, 15);
    let refusal = book.when(reserve(ours.clone())).then_refused(ExclusivityConflict);
    assert!(refusal.message.contains("They overlap on 2026-06-15."), "{refusal}");

    let mut shorter = exclusive("theirs", "rival");
    (shorter.end_date, shorter.windows[0].end_date) = (date(2026, 6, 10), date(2026, 6, 14));
    taken().when(Command::Keep(shorter)).happens().when(reserve(ours.clone())).then([reserved(ours, [])]);
}

#[test]
fn notice_against_renewal_releases() {
    let mut renewing = exclusive("theirs", "rival");
    (renewing.open_ended, renewing.windows[0].end_date) = (true, None);
    let noticed = exclusive("theirs", "rival");
    empty()
        .and(reserved(renewing, []))
        .when(Command::Keep(noticed.clone()))
        .then([released(noticed, date(2026, 7, 31))]);
}

#[test]
fn what_never_begins_is_released_without_a_day() {
    let nothing = Commitment {
        contract: "contracts/theirs".into(),
        brand: "brands/rival".into(),
        creator: "creators/zoe".into(),
        ..Commitment::default()
    };
    let book = taken().when(Command::Keep(nothing.clone())).then([released(nothing, None)]);
    book.when(reserve(work("ours", "glowco"))).then([reserved(work("ours", "glowco"), [])]);
}

#[test]
fn a_longer_or_wider_contract_is_reserved_anew() {
    let mut longer = exclusive("theirs", "rival");
    longer.windows[0].end_date = date(2026, 8, 31);
    taken().when(Command::Keep(longer.clone())).then([reserved(longer, [])]);
}

#[test]
fn an_amendment_into_a_conflict_names_it() {
    let book = || taken().and(reserved(Commitment { categories: words(["fashion"]), ..work("ours", "glowco") }, []));
    let amended = work("ours", "glowco");
    book().when(Command::Keep(amended.clone())).then([reserved(amended, ["contracts/theirs"])]);
    // Even if it ends earlier at the same time.
    let shorter = Commitment { end_date: date(2026, 6, 20), ..work("ours", "glowco") };
    let known = book().when(Command::Keep(shorter.clone())).then([reserved(shorter, ["contracts/theirs"])]);
    // What is known is not told again.
    let shorter = Commitment { end_date: date(2026, 6, 10), ..work("ours", "glowco") };
    let book = known.when(Command::Keep(shorter.clone())).then([released(shorter, date(2026, 6, 10))]);
    assert_eq!(book.state().overridden("contracts/ours"), ["contracts/theirs"]);
}

#[test]
fn a_contract_signed_before_there_were_books_is_taken_in() {
    empty().when(Command::Keep(work("ours", "glowco"))).then([reserved(work("ours", "glowco"), [])]);
    taken().when(Command::Keep(work("ours", "glowco"))).then([reserved(work("ours", "glowco"), ["contracts/theirs"])]);
}
