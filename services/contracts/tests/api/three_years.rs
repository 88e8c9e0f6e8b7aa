//! Three years of one contract: two renewals, an amendment back-dated by both, and an end with notice. On chosen days: its
//! state, terms, warnings, the rights that it grants, and what it obliges to.

use tandem_client::Error;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::clause::Clause as Kind;
use tandem_client::proto::contracts::v1::{ContractState as State, Deadline, Effect, TerminationKind, WorkProgress};
use tandem_client::proto::google::r#type::Date;
use tandem_proto::time::from_proto;

use crate::fixtures::{changeable_terms, changeable_terms_for, date, usd};
use crate::obligations::{PARTICIPATION, joined, owed, tell};
use crate::rights::stage::{Stage, ad};
use crate::world::{Api, World, instant};

/// A year from 1 June 2026 in New York, renewed by a year unless notice is given by 1 May, with the usual warnings.
fn a_year(mut terms: pb::Terms) -> pb::Terms {
    terms.end_date = date(2027, 5, 31);
    for clause in &mut terms.clauses {
        if let Some(Kind::Renewal(renewal)) = &mut clause.clause {
            (renewal.term_months, renewal.notice_days) = (12, 30);
            renewal.warning_days.clear();
        }
    }
    terms
}

/// What a day of the contract looks like.
#[derive(Debug, PartialEq)]
struct Day {
    state: State,
    version: i32,
    renewals: i32,
    last_day: Option<Date>,
    warnings: usize,
}

/// Lets time pass until noon UTC of a day, and looks.
async fn look(api: &Api, name: &str, day: &str) -> Day {
    let noon = api.at(&format!("{day}T12:00:00Z"));
    noon.act_on_due(name).await.unwrap();
    let contract = noon.get(name).await.unwrap();
    Day {
        state: contract.state(),
        version: contract.version,
        renewals: contract.renewal_count,
        last_day: contract.end_date,
        warnings: contract.warnings.len(),
    }
}

#[tokio::test]
async fn three_years_pass() -> Result<(), Error> {
    let stage = Stage::start().await;
    let (world, api) = (&stage.world, stage.world.operator());
    let name = world.signed("zoe", a_year(changeable_terms())).await.name;
    let look = async |day: &str| look(&api, &name, day).await;
    let term = |renewals: i32, state: State, version: i32, warnings: usize| {
        let last_day = date(2027 + renewals, 5, 31);
        Day { state, version, renewals, last_day, warnings }
    };
    let active = |renewals, version, warnings| term(renewals, State::Active, version, warnings);

    assert_eq!(look("2026-05-31").await, term(0, State::Upcoming, 1, 0));
    assert_eq!(look("2026-06-01").await, active(0, 1, 0));
    publish_late(&stage, &name).await;
    amend(world, &name).await?;
    assert_eq!(look("2026-11-12").await, active(0, 2, 0));
    for (day, expected) in [
        // The last day for notice is 1 May: warnings on 2 March, 1 April and 24 April.
        ("2027-03-01", active(0, 2, 0)),
        ("2027-03-02", active(0, 2, 1)),
        ("2027-04-01", active(0, 2, 2)),
        ("2027-04-24", active(0, 2, 3)),
        ("2027-05-31", active(0, 2, 3)),
        ("2027-06-01", active(1, 2, 3)),
        ("2028-03-02", active(1, 2, 4)),
        ("2028-04-01", active(1, 2, 5)),
        ("2028-04-24", active(1, 2, 6)),
        ("2028-05-31", active(1, 2, 6)),
        ("2028-06-01", active(2, 2, 6)),
        ("2029-03-02", active(2, 2, 7)),
        ("2029-04-01", active(2, 2, 8)),
    ] {
        assert_eq!(look(day).await, expected, "{day}");
    }
    terminate(&api, &name).await?;
    // It is not renewed any more, so there is nothing to be warned of.
    assert_eq!(look("2029-04-24").await, active(2, 2, 8));
    assert_eq!(look("2029-04-25").await, term(2, State::Terminated, 2, 8));
    assert_eq!(look("2035-01-01").await, term(2, State::Terminated, 2, 8));

    assert_warnings(&api.get(&name).await?);
    assert_rights(&stage).await?;
    assert_eq!(owed(&api, "state = OPEN", &[]).await, [""; 0], "nothing is owed under what has ended");
    assert_terms(&api, &name).await
}

/// The reel that is owed by the end of June goes online in July.
async fn publish_late(stage: &Stage, name: &str) {
    let api = stage.world.operator();
    let joined = tell(&stage.world, PARTICIPATION, "p1", 0, &joined(name)).await;
    assert_eq!(owed(&api, "kind = PUBLICATION", &[joined]).await, ["p1~reel-1~publication: OPEN"]);
    let published = (PARTICIPATION, stage.published(name).await.position);
    assert_eq!(owed(&api, "kind = PUBLICATION", &[published]).await, ["p1~reel-1~publication: FULFILLED_LATE"]);
    stage.all_handled().await;
}

/// Ads run for six months from publication on, whatever becomes of the contract.
async fn assert_rights(stage: &Stage) -> Result<(), Error> {
    for (day, allowed) in [
        ("2026-07-02T12:00:00Z", false),
        ("2026-07-03T12:00:00Z", true),
        ("2026-12-31T12:00:00Z", true),
        ("2027-01-02T12:00:00Z", true),
        ("2027-01-03T12:00:00Z", false),
        ("2029-05-01T12:00:00Z", false),
    ] {
        let answer = stage.brand().at(day).check(ad()).await?;
        assert_eq!(answer.allowed, allowed, "{day}: {answer:?}");
    }
    Ok(())
}

/// More money from October on, agreed in November.
async fn amend(world: &World, name: &str) -> Result<(), Error> {
    let proposal = pb::ProposeAmendmentRequest {
        name: name.into(),
        terms: Some(a_year(changeable_terms_for(5000))),
        effective_date: date(2026, 10, 1),
        reason: "The first months went better than planned.".into(),
        ..Default::default()
    };
    let proposed = world.brand().at("2026-11-10T15:00:00Z").propose_amendment(proposal).await?;
    assert_eq!((proposed.version, proposed.amendments.len()), (1, 1));
    let terms_hash = proposed.amendments[0].terms_hash.clone();
    let creator = world.creator().at("2026-11-12T09:00:00Z");
    let acceptance = pb::AcceptAmendmentRequest { name: name.into(), number: 1, terms_hash, ..Default::default() };
    assert_eq!(creator.accept_amendment(acceptance).await?.version, 2);
    Ok(())
}

/// With two weeks of notice, while a draft waits for its review.
async fn terminate(api: &Api, name: &str) -> Result<(), Error> {
    let notice = pb::TerminateContractRequest {
        name: name.into(),
        kind: TerminationKind::Convenience.into(),
        reason: "The brand leaves the market.".into(),
        progress: WorkProgress::DraftSubmitted.into(),
        ..Default::default()
    };
    let noticed = api.at("2029-04-10T12:00:00Z").terminate_contract(notice).await?;
    let termination = noticed.termination.unwrap();
    assert_eq!(termination.effective_time, instant("2029-04-25T04:00:00Z"));
    let kill_fee = termination.effects.iter().find(|effect| effect.clause_id == "kill-fee").unwrap();
    // Half of what was agreed last.
    assert_eq!((kill_fee.effect(), &kill_fee.amount), (Effect::Owed, &usd(2500)));
    Ok(())
}

/// The evidence: what was warned of, how far ahead, and when.
fn assert_warnings(contract: &pb::Contract) {
    let given: Vec<_> = contract
        .warnings
        .iter()
        .map(|warning| {
            let [deadline, at] =
                [warning.deadline_time, warning.warn_time].map(|time| from_proto(&time.unwrap()).unwrap().to_string());
            assert_eq!(warning.deadline(), Deadline::RenewalNotice);
            (deadline, warning.days_ahead, at)
        })
        .collect();
    let expected = [
        ("2027-05-02T04:00:00Z", 60, "2027-03-02T12:00:00Z"),
        ("2027-05-02T04:00:00Z", 30, "2027-04-01T12:00:00Z"),
        ("2027-05-02T04:00:00Z", 7, "2027-04-24T12:00:00Z"),
        ("2028-05-02T04:00:00Z", 60, "2028-03-02T12:00:00Z"),
        ("2028-05-02T04:00:00Z", 30, "2028-04-01T12:00:00Z"),
        ("2028-05-02T04:00:00Z", 7, "2028-04-24T12:00:00Z"),
        ("2029-05-02T04:00:00Z", 60, "2029-03-02T12:00:00Z"),
        ("2029-05-02T04:00:00Z", 30, "2029-04-01T12:00:00Z"),
    ];
    assert_eq!(given, expected.map(|(deadline, days, at)| (deadline.to_owned(), days, at.to_owned())));
}

/// What applied on a day, as known on another.
async fn assert_terms(api: &Api, name: &str) -> Result<(), Error> {
    for (as_of, known_at, version, fee) in [
        ("2026-06-15T12:00:00Z", "2026-06-15T12:00:00Z", 1, 4000),
        // The amendment changes nothing that was known before it.
        ("2026-10-15T12:00:00Z", "2026-10-15T12:00:00Z", 1, 4000),
        ("2026-10-15T12:00:00Z", "2026-11-12T08:59:59Z", 1, 4000),
        ("2026-10-15T12:00:00Z", "2026-11-12T09:00:00Z", 2, 5000),
        // 1 October begins at four o'clock.
        ("2026-10-01T03:59:59Z", "2029-01-01T00:00:00Z", 1, 4000),
        ("2026-10-01T04:00:00Z", "2029-01-01T00:00:00Z", 2, 5000),
        ("2028-06-15T12:00:00Z", "2028-06-15T12:00:00Z", 2, 5000),
    ] {
        let (as_of_time, known_at_time) = (instant(as_of), instant(known_at));
        let applied = api.get_terms(pb::GetTermsRequest { name: name.into(), as_of_time, known_at_time }).await?;
        assert_eq!(applied.version, version, "{as_of} as known at {known_at}");
        assert_eq!(applied.terms, Some(a_year(changeable_terms_for(fee))), "{as_of} as known at {known_at}");
    }
    Ok(())
}
