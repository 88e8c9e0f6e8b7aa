//! What must hold after all that happened: pure, over what was gathered.
//!
//! Invariant: each rule is one function that answers what breaks it, and has a history that breaks it in the tests.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::journal::Told;

/// An event, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Where it stands.
    pub position: u64,
    /// Its aggregate's address in the log.
    pub subject: String,
    /// Its resource, as "contracts/c1".
    pub resource: String,
    /// Its own id.
    pub event_id: String,
    /// Full name of its type.
    pub event_type: String,
    /// Of the command that it comes from.
    pub request_id: String,
}

/// An earning, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earned {
    /// "earnings/{earning}".
    pub name: String,
    /// "contracts/{contract}".
    pub contract: String,
    /// "creators/{creator}".
    pub creator: String,
    /// What is owed, in cents; less than 0 if it is taken back.
    pub cents: i64,
    /// Whether it is paid.
    pub paid: bool,
}

/// A payout, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// "payoutRuns/{payout_run}/payouts/{creator}".
    pub name: String,
    /// In cents.
    pub cents: i64,
    /// Names of the earnings that it pays.
    pub earnings: Vec<String>,
}

/// What was gathered when everything had come to rest.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// What the callers were told.
    pub told: Told,
    /// The whole log, in its order.
    pub log: Vec<Logged>,
    /// All earnings.
    pub earnings: Vec<Earned>,
    /// All payouts.
    pub payouts: Vec<Paid>,
    /// All that the lists answer, ...
    pub before: Vec<(String, Vec<u8>)>,
    /// ... and again after all views were built anew from the log.
    pub after: Vec<(String, Vec<u8>)>,
    /// Resources that Get and List show differently.
    pub unlike: Vec<String>,
}

/// Everything that is not as it must be; nothing if all is well.
#[must_use]
pub fn violations(evidence: &Evidence) -> Vec<String> {
    let rules = [answered, acknowledged, gapless, once, money, payouts, views];
    rules.iter().flat_map(|rule| rule(evidence)).collect()
}

/// Everything asked for was answered in the end, and nothing was refused that nothing stood against.
fn answered(evidence: &Evidence) -> Vec<String> {
    let Told { unanswered, refused, .. } = &evidence.told;
    let never = unanswered.iter().map(|what| format!("never answered: {what}"));
    never.chain(refused.iter().map(|what| format!("refused: {what}"))).collect()
}

/// What was acknowledged is in the log, for the resource and up to the position that the answer told.
fn acknowledged(evidence: &Evidence) -> Vec<String> {
    let at: HashMap<u64, &Logged> = evidence.log.iter().map(|event| (event.position, event)).collect();
    let lost = evidence.told.acknowledged.iter().filter_map(|told| {
        let event = u64::from_str_radix(&told.etag, 16).ok().and_then(|position| at.get(&position));
        match event {
            Some(event) if event.resource == told.resource && event.request_id == told.request_id => None,
            found => Some(format!("acknowledged and not in the log: {told:?}, there is {found:?}")),
        }
    });
    lost.collect()
}

/// Positions begin at 1 and leave none out.
fn gapless(evidence: &Evidence) -> Vec<String> {
    let expected = (1..).zip(&evidence.log).find(|(expected, event)| *expected != event.position);
    expected
        .map(|(expected, event)| format!("the log goes on at {} instead of {expected}", event.position))
        .into_iter()
        .collect()
}

/// A request has taken effect once for each aggregate: its events stand together, as they were committed; no event is
/// there twice.
fn once(evidence: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    let mut ids = HashSet::new();
    let mut taken: HashMap<(&str, &str), &Logged> = HashMap::new();
    for event in &evidence.log {
        if !ids.insert(&event.event_id) {
            found.push(format!("twice in the log: {event:?}"));
        }
        let first = taken.insert((&event.subject, &event.request_id), event);
        if let Some(first) =
            first.filter(|first| first.position + 1 != event.position || first.event_type == event.event_type)
        {
            found.push(format!("a request took effect twice: {first:?} and {event:?}"));
        }
    }
    found
}

/// What has been earned is, contract by contract and to the cent, what the acknowledged writes must have earned.
fn money(evidence: &Evidence) -> Vec<String> {
    let mut earned: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for earning in &evidence.earnings {
        earned.entry(&earning.contract).or_default().push(earning.cents);
    }
    let mut expected: BTreeMap<&str, Vec<i64>> =
        evidence.told.earned.iter().map(|(contract, cents)| (contract.as_str(), cents.clone())).collect();
    let contracts: HashSet<&str> = earned.keys().chain(expected.keys()).copied().collect();
    let differ = contracts.into_iter().filter_map(|contract| {
        let (mut earned, mut expected) =
            (earned.remove(contract).unwrap_or_default(), expected.remove(contract).unwrap_or_default());
        earned.sort_unstable();
        expected.sort_unstable();
        (earned != expected).then(|| format!("{contract} earned {earned:?} cents instead of {expected:?}"))
    });
    differ.collect()
}

/// No earning is paid twice, a payout is the sum of its earnings, and what is in none comes to nothing or less for its
/// creator: what is owed back waits until there is more to be set off against.
fn payouts(evidence: &Evidence) -> Vec<String> {
    let mut left: HashMap<&str, &Earned> =
        evidence.earnings.iter().map(|earning| (earning.name.as_str(), earning)).collect();
    let mut found = Vec::new();
    for payout in &evidence.payouts {
        let mut sum = 0;
        for name in &payout.earnings {
            match left.remove(name.as_str()) {
                Some(earning) if earning.paid => sum += earning.cents,
                Some(earning) => found.push(format!("{} is settled, and not paid is {earning:?}", payout.name)),
                None => found.push(format!("{} pays {name}, which is paid already or does not exist", payout.name)),
            }
        }
        if sum != payout.cents {
            found.push(format!("{} is {} cents, its earnings are {sum}", payout.name, payout.cents));
        }
    }
    let mut owed: BTreeMap<&str, i64> = BTreeMap::new();
    for earning in left.values() {
        *owed.entry(&earning.creator).or_default() += earning.cents;
        if earning.paid {
            found.push(format!("paid by no payout: {earning:?}"));
        }
    }
    let unpaid = owed.into_iter().filter(|(_, cents)| *cents > 0);
    found.extend(unpaid.map(|(creator, cents)| format!("{creator} is owed {cents} cents, which are in no payout")));
    found
}

/// Every view is the fold of the log: built anew, it answers the same bytes; and what a list shows is what the aggregate
/// is.
fn views(evidence: &Evidence) -> Vec<String> {
    let mut found: Vec<_> = evidence.unlike.iter().map(|what| format!("Get and List differ: {what}")).collect();
    if evidence.before.len() != evidence.after.len() {
        found.push(format!("{} answers before, {} after the rebuild", evidence.before.len(), evidence.after.len()));
    }
    let pairs = evidence.before.iter().zip(&evidence.after);
    found.extend(
        pairs
            .filter(|(before, after)| before != after)
            .map(|((question, _), _)| format!("answered otherwise after the rebuild: {question}")),
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Acknowledged;

    fn event(position: u64, resource: &str, request_id: &str) -> Logged {
        Logged {
            position,
            subject: format!("acme.contracts.{}", resource.replace('/', ".")),
            resource: resource.to_owned(),
            event_id: format!("e{position}"),
            event_type: format!("Type{position}"),
            request_id: request_id.to_owned(),
        }
    }

    /// A contract of two writes, the second of two events, that earns and is paid.
    fn sound() -> Evidence {
        let acknowledged = |request_id: &str, etag: &str| Acknowledged {
            request_id: request_id.to_owned(),
            resource: "contracts/c1".to_owned(),
            etag: etag.to_owned(),
        };
        let earning = |name: &str, cents| Earned {
            name: name.to_owned(),
            contract: "contracts/c1".to_owned(),
            creator: "creators/zoe".to_owned(),
            cents,
            paid: true,
        };
        Evidence {
            told: Told {
                acknowledged: vec![acknowledged("r1", "1"), acknowledged("r2", "3")],
                earned: BTreeMap::from([("contracts/c1".to_owned(), vec![500, -20])]),
                ..Told::default()
            },
            log: vec![event(1, "contracts/c1", "r1"), event(2, "contracts/c1", "r2"), event(3, "contracts/c1", "r2")],
            earnings: vec![earning("earnings/a", -20), earning("earnings/b", 500)],
            payouts: vec![Paid {
                name: "payoutRuns/r/payouts/zoe".to_owned(),
                cents: 480,
                earnings: vec!["earnings/a".to_owned(), "earnings/b".to_owned()],
            }],
            before: vec![("list".to_owned(), vec![1])],
            after: vec![("list".to_owned(), vec![1])],
            unlike: Vec::new(),
        }
    }

    /// What is found once `doctor` has been at it.
    fn found(doctor: impl FnOnce(&mut Evidence)) -> String {
        let mut evidence = sound();
        doctor(&mut evidence);
        let found = violations(&evidence);
        assert!(!found.is_empty(), "nothing was noticed");
        found.join("\n")
    }

    #[test]
    fn a_sound_history_is_sound() {
        assert_eq!(violations(&sound()), Vec::<String>::new());
    }

    #[test]
    fn what_was_never_answered_or_refused_is_told() {
        assert!(found(|evidence| evidence.told.unanswered.push("sign".to_owned())).contains("never answered: sign"));
        assert!(found(|evidence| evidence.told.refused.push("sign".to_owned())).contains("refused: sign"));
    }

    #[test]
    fn an_acknowledged_write_that_is_not_in_the_log_is_found() {
        let lost = found(|evidence| {
            evidence.log.truncate(1);
        });
        assert!(lost.contains("acknowledged and not in the log") && lost.contains("r2"), "{lost}");
        found(|evidence| evidence.log[0].request_id = "r9".to_owned());
        found(|evidence| evidence.log[0].resource = "contracts/c2".to_owned());
        found(|evidence| evidence.told.acknowledged[0].etag = String::new());
    }

    #[test]
    fn a_gap_in_the_log_is_found() {
        assert!(found(|evidence| evidence.log[2].position = 4).contains("goes on at 4 instead of 3"));
    }

    #[test]
    fn a_request_that_took_effect_twice_is_found() {
        let twice = found(|evidence| evidence.log.push(event(4, "contracts/c1", "r1")));
        assert!(twice.contains("a request took effect twice"), "{twice}");
        // Also right after the first time.
        let twice = found(|evidence| {
            let again = Logged { position: 4, event_id: "e4".to_owned(), ..evidence.log[2].clone() };
            evidence.log.push(again);
        });
        assert!(twice.contains("a request took effect twice"), "{twice}");
        assert!(found(|evidence| evidence.log[1].event_id = "e1".to_owned()).contains("twice in the log"));
    }

    #[test]
    fn a_cent_too_much_too_little_or_earned_twice_is_found() {
        assert!(found(|evidence| evidence.earnings[1].cents = 501).contains("contracts/c1 earned [-20, 501]"));
        found(|evidence| drop(evidence.earnings.pop()));
        found(|evidence| {
            let again = Earned { name: "earnings/c".to_owned(), ..evidence.earnings[1].clone() };
            evidence.earnings.push(again);
        });
    }

    #[test]
    fn what_is_paid_twice_or_not_at_all_is_found() {
        let twice = found(|evidence| evidence.payouts.push(evidence.payouts[0].clone()));
        assert!(twice.contains("which is paid already"), "{twice}");
        assert!(found(|evidence| evidence.payouts[0].cents = 481).contains("481 cents, its earnings are 480"));
        assert!(found(|evidence| evidence.payouts.clear()).contains("paid by no payout"));
        assert!(found(|evidence| evidence.earnings[0].paid = false).contains("not paid is"));
        let owed = found(|evidence| {
            evidence.payouts.clear();
            evidence.earnings.iter_mut().for_each(|earning| earning.paid = false);
        });
        assert!(owed.contains("creators/zoe is owed 480 cents"), "{owed}");
    }

    #[test]
    fn what_is_owed_back_may_wait() {
        let mut evidence = sound();
        let owed_back =
            Earned { name: "earnings/c".to_owned(), cents: -7, paid: false, ..evidence.earnings[0].clone() };
        evidence.earnings.push(owed_back);
        evidence.told.earned.get_mut("contracts/c1").unwrap().push(-7);
        assert_eq!(violations(&evidence), Vec::<String>::new());
    }

    #[test]
    fn a_view_that_is_no_fold_of_the_log_is_found() {
        assert!(found(|evidence| evidence.after[0].1 = vec![2]).contains("otherwise after the rebuild: list"));
        found(|evidence| evidence.after.clear());
        assert!(found(|evidence| evidence.unlike.push("contracts/c1".to_owned())).contains("Get and List differ"));
    }
}
