//! The event contract in `docs/events.md` lists every event that there is, and none that there is not.
//!
//! Invariant: what a subscriber reads there is what the descriptors say; a row can neither be forgotten nor rot.

use std::collections::BTreeSet;

use prost_reflect::Kind;
use tandem_proto::POOL;

const CATALOGUE: &str = include_str!("../../../docs/events.md");

/// The types in the oneofs `event` of messages `…Event`: what the build script makes [`tandem_proto::EventSet`]s of.
fn declared() -> BTreeSet<String> {
    let lists = POOL.all_messages().filter(|list| {
        list.package_name().starts_with("tandem.")
            && list.name().ends_with("Event")
            && list.oneofs().any(|oneof| oneof.name() == "event")
    });
    lists
        .flat_map(|list| list.fields().map(|field| field.kind()).collect::<Vec<_>>())
        .filter_map(|kind| match kind {
            Kind::Message(event) => Some(event.full_name().to_owned()),
            _ => None,
        })
        .collect()
}

/// The rows ``| `tandem.…` | meaning |``: type and meaning.
fn documented() -> Vec<(String, String)> {
    let rows = CATALOGUE.lines().filter_map(|line| line.strip_prefix("| `tandem."));
    rows.map(|row| {
        let (name, meaning) = row.split_once("` |").unwrap_or((row, ""));
        (format!("tandem.{name}"), meaning.trim_end_matches('|').trim().to_owned())
    })
    .collect()
}

#[test]
fn every_event_is_in_the_catalogue_once_and_no_other() {
    let (declared, documented) = (declared(), documented());
    let names: BTreeSet<String> = documented.iter().map(|(name, _)| name.clone()).collect();
    let missing: Vec<_> = declared.difference(&names).collect();
    let unknown: Vec<_> = names.difference(&declared).collect();
    assert!(missing.is_empty(), "give each a row in docs/events.md: {missing:?}");
    assert!(unknown.is_empty(), "docs/events.md lists what is no event: {unknown:?}");
    assert_eq!(names.len(), documented.len(), "docs/events.md lists an event twice");
    assert!(declared.len() > 20, "the descriptors were read wrongly: {declared:?}");
}

#[test]
fn every_event_has_a_meaning() {
    for (name, meaning) in documented() {
        assert!(meaning.ends_with('.') && meaning.len() > 10, "{name} needs a sentence in docs/events.md: {meaning:?}");
    }
}

/// Types named in the text around the catalogue, as in examples, exist too.
#[test]
fn what_the_text_names_exists() {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
    for (at, _) in CATALOGUE.match_indices("tandem.") {
        let name: String = CATALOGUE[at..].chars().take_while(|c| is_name(*c)).collect();
        // Only full names of messages and services: `tandem.<package>.v1.<Name>`; subjects have no `.v1.`.
        let Some((_, item)) = name.trim_end_matches('.').split_once(".v1.") else { continue };
        let name = name.trim_end_matches('.');
        let exists = POOL.get_message_by_name(name).is_some() || POOL.services().any(|s| s.full_name() == name);
        assert!(exists, "docs/events.md speaks of {name} ({item}), which is in no proto file");
    }
}
