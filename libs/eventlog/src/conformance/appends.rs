//! Checks of appending and of reading back.

use std::collections::HashSet;

use bytes::Bytes;
use futures::future::join_all;

use super::{contract, given, ids};
use crate::testing::{CONTRACT, EARNING, envelope, event, part};
use crate::{Append, AppendError, Envelope, EventLog, Filter, NewEvent, Subject};

/// Guard 0 lets the first event in, and only the first.
pub async fn a_new_aggregate_is_guarded_by_zero(log: &dyn EventLog) {
    let subject = contract("new", "c1");
    let first = log.append(vec![part(&subject, 0, &["1"])]).await.unwrap();
    assert_eq!(first.len(), 1);
    assert!(first[0] > 0);
    let again = log.append(vec![part(&subject, 0, &["2"])]).await;
    assert!(matches!(again, Err(AppendError::Conflict)), "{again:?}");
    let second = log.append(vec![part(&subject, first[0], &["2"])]).await.unwrap();
    assert!(second[0] > first[0]);
    assert_eq!(ids(&log.read(&subject, 0).await.unwrap()), ["1", "2"]);
}

/// A guard that is behind, ahead, or of an aggregate without events writes nothing, anywhere.
pub async fn a_conflict_changes_nothing(log: &dyn EventLog) {
    let (subject, other) = (contract("conflict", "c1"), contract("conflict", "c2"));
    let positions = given(log, &subject, &["1", "2"]).await;
    let end = log.last_position(&Filter::default()).await.unwrap();
    for expected in [0, positions[0], positions[1] + 1] {
        let refused = log.append(vec![part(&subject, expected, &["x"])]).await;
        assert!(matches!(refused, Err(AppendError::Conflict)), "{expected}: {refused:?}");
    }
    let refused = log.append(vec![part(&other, positions[1], &["x"])]).await;
    assert!(matches!(refused, Err(AppendError::Conflict)), "{refused:?}");
    assert_eq!(log.last_position(&Filter::default()).await.unwrap(), end);
    assert_eq!(ids(&log.read(&subject, 0).await.unwrap()), ["1", "2"]);
    assert!(log.read(&other, 0).await.unwrap().is_empty());
}

/// Appends that mean nothing, or two things at once, are refused and not half done.
pub async fn an_empty_append_is_refused(log: &dyn EventLog) {
    let (one, two) = (contract("empty", "c1"), contract("empty", "c2"));
    let mixed = Append { expected: 0, events: vec![event(&one, "1"), event(&two, "2")] };
    for parts in [vec![], vec![part(&one, 0, &[])], vec![mixed], vec![part(&one, 0, &["1"]), part(&one, 0, &["2"])]] {
        let refused = log.append(parts).await;
        assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    }
    assert!(log.read(&one, 0).await.unwrap().is_empty());
}

/// Parts to several aggregates are written together; each part's position is that of its last event.
pub async fn a_batch_is_all(log: &dyn EventLog) {
    let (one, two, three) = (contract("batch", "c1"), contract("batch", "c2"), contract("batch", "c3"));
    let before = given(log, &two, &["0"]).await[0];
    let parts = vec![part(&one, 0, &["1", "2"]), part(&two, before, &["3"]), part(&three, 0, &["4", "5", "6"])];
    let ends = log.append(parts).await.unwrap();
    for (subject, end, expected) in
        [(&one, ends[0], vec!["1", "2"]), (&two, ends[1], vec!["0", "3"]), (&three, ends[2], vec!["4", "5", "6"])]
    {
        let events = log.read(subject, 0).await.unwrap();
        assert_eq!(ids(&events), expected);
        assert_eq!(events.last().unwrap().position, end);
    }
    // The position can be used as the next guard.
    log.append(vec![part(&three, ends[2], &["7"])]).await.unwrap();
}

/// A conflict in a later part undoes the earlier ones.
pub async fn a_batch_is_nothing_if_its_second_part_conflicts(log: &dyn EventLog) {
    let (one, two) = (contract("undone", "c1"), contract("undone", "c2"));
    let position = given(log, &two, &["0"]).await[0];
    let end = log.last_position(&Filter::default()).await.unwrap();
    for (expected, events) in [(0, vec!["3"]), (position + 1, vec!["3", "4"])] {
        let refused = log.append(vec![part(&one, 0, &["1", "2"]), part(&two, expected, &events)]).await;
        assert!(matches!(refused, Err(AppendError::Conflict)), "{refused:?}");
    }
    assert_eq!(log.last_position(&Filter::default()).await.unwrap(), end);
    assert!(log.read(&one, 0).await.unwrap().is_empty());
    // And leaves nothing behind that would stand in the way.
    log.append(vec![part(&one, 0, &["1"]), part(&two, position, &["2"])]).await.unwrap();
}

/// A batch stands in the log in its own order.
pub async fn a_batch_of_300_keeps_its_order(log: &dyn EventLog) {
    let subject = contract("order", "c1");
    let names: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let end = log.append(vec![part(&subject, 0, &names)]).await.unwrap();
    let events = log.read(&subject, 0).await.unwrap();
    assert_eq!(ids(&events), names);
    assert_eq!(events.last().unwrap().position, end[0]);
}

/// More than the server's limit is refused before anything is sent; the limit itself is not.
pub async fn a_batch_of_more_than_1000_is_refused(log: &dyn EventLog) {
    let subject = contract("limit", "c1");
    let refused = log.append(vec![part(&subject, 0, &["x"; 1001])]).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    assert!(log.read(&subject, 0).await.unwrap().is_empty());
    log.append(vec![part(&subject, 0, &["x"; 1000])]).await.unwrap();
    assert_eq!(log.read(&subject, 0).await.unwrap().len(), 1000);
}

/// Of many who decided on the same state, one is right.
pub async fn one_of_64_appends_to_an_aggregate_wins(log: &dyn EventLog) {
    let subject = contract("race", "c1");
    let mut expected = 0;
    for round in 0..5 {
        let names: Vec<String> = (0..64).map(|n| format!("{round}-{n}")).collect();
        let results = join_all(names.iter().map(|id| log.append(vec![part(&subject, expected, &[id])]))).await;
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        assert!(lost.iter().all(|result| matches!(result, Err(AppendError::Conflict))), "{lost:?}");
        let events = log.read(&subject, expected).await.unwrap();
        assert_eq!(events.len(), 1);
        expected = events[0].position;
    }
}

/// Appends to aggregates that have nothing to do with each other do not disturb each other.
pub async fn many_aggregates_are_written_at_once(log: &dyn EventLog) {
    let subjects: Vec<Subject> = (0..128).map(|n| contract("many", &format!("c{n}"))).collect();
    let positions = join_all(subjects.iter().map(|subject| log.append(vec![part(subject, 0, &[subject.id()])]))).await;
    let positions: HashSet<_> = positions.into_iter().map(|result| result.unwrap()[0]).collect();
    assert_eq!(positions.len(), subjects.len());
    let histories = join_all(subjects.iter().map(|subject| log.read(subject, 0))).await;
    for (subject, history) in subjects.iter().zip(histories) {
        assert_eq!(ids(&history.unwrap()), [subject.id()]);
    }
}

/// Reading goes on where an earlier one ended.
pub async fn reads_what_comes_after_a_position(log: &dyn EventLog) {
    let subject = contract("after", "c1");
    let positions = given(log, &subject, &["1", "2", "3"]).await;
    assert_eq!(ids(&log.read(&subject, 0).await.unwrap()), ["1", "2", "3"]);
    assert_eq!(ids(&log.read(&subject, positions[0]).await.unwrap()), ["2", "3"]);
    assert!(log.read(&subject, positions[2]).await.unwrap().is_empty());
    assert!(log.read(&contract("after", "c2"), 0).await.unwrap().is_empty());
}

/// An aggregate's history is whole however long it is.
pub async fn reads_more_than_one_batch(log: &dyn EventLog) {
    let (subject, between) = (contract("long", "c1"), contract("long", "c2"));
    let mut last = 0;
    for hundred in 0..15 {
        let names: Vec<String> = (0..100).map(|n| (hundred * 100 + n).to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        last = log.append(vec![part(&subject, last, &names)]).await.unwrap()[0];
    }
    given(log, &between, &["x"]).await;
    let events = log.read(&subject, 0).await.unwrap();
    assert_eq!(events.len(), 1500);
    assert!(events.iter().enumerate().all(|(n, event)| event.envelope.id == n.to_string()));
    assert_eq!(log.read(&subject, events[700].position).await.unwrap(), events[701..]);
}

/// An id names one aggregate, of one tenant and one kind; a prefix of it names another.
pub async fn keeps_aggregates_and_tenants_apart(log: &dyn EventLog) {
    let subjects = [
        contract("a", "c1"),
        contract("b", "c1"),
        contract("a", "c10"),
        Subject::new("a", EARNING, "c1").unwrap(),
        contract("a", "C1"),
    ];
    for (n, subject) in subjects.iter().enumerate() {
        given(log, subject, &[&n.to_string()]).await;
    }
    for (n, subject) in subjects.iter().enumerate() {
        let events = log.read(subject, 0).await.unwrap();
        assert_eq!(ids(&events), [n.to_string()]);
        assert_eq!(*events[0].subject, subject.to_string());
        assert_eq!(events[0].tenant(), subject.tenant());
    }
    for id in ["*", ">", "", "c1.x", "c 1", "c1\r\n"] {
        assert!(Subject::new("a", CONTRACT, id).is_err(), "{id:?}");
        assert!(Subject::new(id, CONTRACT, "c1").is_err(), "{id:?}");
    }
}

/// What any replica tells is how it was at some time: it begins as the aggregate does, and lacks its end at most.
pub async fn reads_from_any_replica(log: &dyn EventLog) {
    let subject = contract("any", "c1");
    let positions = given(log, &subject, &["1", "2", "3"]).await;
    let all = log.read(&subject, 0).await.unwrap();
    let told = log.read_from_any(&subject, 0).await.unwrap();
    assert!(all.starts_with(&told), "{told:?}");
    assert!(all[1..].starts_with(&log.read_from_any(&subject, positions[0]).await.unwrap()));
    assert!(log.read_from_any(&contract("any", "none"), 0).await.unwrap().is_empty());
}

/// A position names one event, and none beyond the end.
pub async fn gets_by_position(log: &dyn EventLog) {
    let subject = contract("get", "c1");
    let positions = given(log, &subject, &["1", "2"]).await;
    let event = log.get(positions[1]).await.unwrap().unwrap();
    assert_eq!(event, log.read(&subject, positions[0]).await.unwrap()[0]);
    assert!(log.get(0).await.unwrap().is_none());
    assert!(log.get(positions[1] + 1_000_000).await.unwrap().is_none());
}

/// What was written comes back as it was, byte by byte.
pub async fn keeps_every_text(log: &dyn EventLog) {
    let subject = contract("text", "c1");
    let mut last = 0;
    for reason in
        ["", "Zoë hat zugesagt — 100 % 🎬", "line one\r\nce-actor: services/forged", "\"quoted\" %41", "\0\u{7f}"]
    {
        let envelope = Envelope { reason: reason.to_owned(), causation_id: String::new(), ..envelope("e") };
        let payload = Bytes::from_iter(0..=255);
        let event = NewEvent { subject: subject.clone(), envelope: envelope.clone(), payload: payload.clone() };
        let position = log.append(vec![Append { expected: last, events: vec![event] }]).await.unwrap()[0];
        let events = log.read(&subject, last).await.unwrap();
        assert_eq!(events[0].envelope, envelope);
        assert_eq!(events[0].payload, payload);
        assert_eq!(log.get(position).await.unwrap().unwrap().envelope, envelope);
        last = position;
    }
}

/// The last position is that of the last event that the filter lets through, at once after the append.
pub async fn finds_the_last_position(log: &dyn EventLog) {
    let filter =
        |kinds: &[_], tenant: Option<&str>| Filter { kinds: kinds.to_vec(), tenant: tenant.map(str::to_owned) };
    let (here, there) = (Some("last"), Some("last2"));
    assert_eq!(log.last_position(&filter(&[CONTRACT], here)).await.unwrap(), 0);
    let contract_at = given(log, &contract("last", "c1"), &["1"]).await[0];
    let earning_at = given(log, &Subject::new("last", EARNING, "e1").unwrap(), &["2"]).await[0];
    let other_at = given(log, &contract("last2", "c1"), &["3"]).await[0];
    for (filter, expected) in [
        (filter(&[CONTRACT], here), contract_at),
        (filter(&[EARNING], here), earning_at),
        (filter(&[CONTRACT, EARNING], here), earning_at),
        (filter(&[], here), earning_at),
        (filter(&[EARNING], there), 0),
        (filter(&[CONTRACT], None), other_at),
        (Filter::default(), other_at),
    ] {
        assert_eq!(log.last_position(&filter).await.unwrap(), expected, "{filter:?}");
    }
    // Far behind the end, and asked again when the end has moved.
    let (noise, contracts) = (Subject::new("last2", EARNING, "e1").unwrap(), filter(&[CONTRACT], None));
    let noise_at = log.append(vec![part(&noise, 0, &["x"; 500])]).await.unwrap()[0];
    assert_eq!(log.last_position(&contracts).await.unwrap(), other_at);
    assert_eq!(log.last_position(&filter(&[CONTRACT], here)).await.unwrap(), contract_at);
    log.append(vec![part(&noise, noise_at, &["x"; 5])]).await.unwrap();
    assert_eq!(log.last_position(&contracts).await.unwrap(), other_at);
    let newest = given(log, &contract("last", "c2"), &["4"]).await[0];
    assert_eq!(log.last_position(&contracts).await.unwrap(), newest);
}

/// Of many aggregates those are told that have events after a position, each with its last one.
pub async fn tells_which_have_new_events(log: &dyn EventLog) {
    let subjects: Vec<_> = ["c1", "c2", "c3", "none"].map(|id| contract("newer", id)).into();
    let mut ends = Vec::new();
    for subject in &subjects[..3] {
        ends.extend(given(log, subject, &["1", "2"]).await.last().copied());
    }
    let all = log.newer(&subjects, 0).await.unwrap();
    assert_eq!(all.last, [ends[0], ends[1], ends[2], 0]);
    // In their order, whatever it is, and twice if asked twice.
    let order: Vec<_> = [2, 0, 2].map(|at| subjects[at].clone()).into();
    assert_eq!(log.newer(&order, ends[0]).await.unwrap().last, [ends[2], 0, ends[2]]);
    let end = log.last_position(&Filter::default()).await.unwrap();
    let none = log.newer(&subjects, end).await.unwrap();
    assert_eq!(none, crate::Newer { last: vec![0; 4], up_to: end });
    let later = log.append(vec![part(&subjects[1], ends[1], &["3"])]).await.unwrap()[0];
    let newer = log.newer(&subjects, end).await.unwrap();
    assert_eq!(newer.last, [0, later, 0, 0]);
    assert!((end..=later).contains(&newer.up_to), "{newer:?}");
    let nothing = log.newer(&[], end).await.unwrap();
    assert!(nothing.last.is_empty() && (end..=later).contains(&nothing.up_to), "{nothing:?}");
}
