//! Payout runs: opened, approved, cancelled.

use std::collections::BTreeSet;

use tandem_client::Error;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::payouts::v1 as pb;
use tandem_proto::payouts::v1::PayoutRunState as State;

use crate::fixtures::{CREATOR, date, debtor, earning, run, usd};
use crate::world::World;

fn taken(run: &pb::PayoutRun) -> Vec<&str> {
    let earnings = run.payouts.iter().flat_map(|payout| &payout.earnings);
    earnings.map(|name| name.trim_start_matches("earnings/")).collect()
}

#[tokio::test]
async fn a_run_takes_what_the_brand_owes_by_then_in_the_currency() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    let error = fred.create_payout_run(run("r1")).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::NothingPayable), "{error}");

    fred.earn_all("zoe", &[("z1", 500), ("z2", -200)]).await;
    fred.earn_all("adam", &[("a1", 100)]).await;
    fred.earn_all("less", &[("l1", 100), ("l2", -300)]).await;
    fred.earn("on-the-day", pb::Earning { due_date: Some(date(2026, 8, 3)), ..earning("creators/bob", 1) }).await;
    fred.earn("later", pb::Earning { due_date: Some(date(2026, 8, 4)), ..earning(CREATOR, 1) }).await;
    fred.earn("other-brand", pb::Earning { brand: "brands/other".into(), ..earning(CREATOR, 1) }).await;
    let mut euro = earning(CREATOR, 700);
    euro.amount.as_mut().unwrap().currency_code = "EUR".into();
    fred.earn("euro", euro).await;
    world.user("fred", "globex").earn("other-tenant", earning(CREATOR, 1)).await;

    // Refused before, the id is free.
    let run = fred.create_payout_run(run("r1")).await?;
    assert_eq!((&run.name[..], run.state()), ("payoutRuns/r1", State::PendingApproval));
    assert_eq!(taken(&run), ["a1", "on-the-day", "z1", "z2"]);
    assert_eq!(
        run.payouts.iter().map(|payout| payout.amount.clone()).collect::<Vec<_>>(),
        [usd(100), usd(1), usd(300)]
    );
    assert_eq!((run.total_amount.clone(), run.remaining_earning_count), (usd(401), 0));
    assert_eq!((&run.creator_actor[..], run.execution_date), ("users/fred", Some(date(2026, 8, 3))));
    assert_eq!(fred.run(&run.name).await?, run);

    assert_eq!(fred.earnings("state = SCHEDULED", "name").await, ["a1", "on-the-day", "z1", "z2"]);
    let scheduled = fred.get_earning_named("earnings/z1").await;
    assert_eq!((scheduled.state(), &scheduled.payout_run[..]), (pb::EarningState::Scheduled, "payoutRuns/r1"));
    Ok(())
}

#[tokio::test]
async fn who_was_owed_less_than_nothing_is_paid_once_new_earnings_make_up_for_it() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 100), ("z2", -300)]).await;
    let error = fred.create_payout_run(run("r1")).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::NothingPayable), "{error}");
    fred.earn_all("zoe", &[("z3", 250)]).await;
    let run = fred.create_payout_run(run("r1")).await?;
    assert_eq!((taken(&run), run.total_amount.clone()), (vec!["z1", "z2", "z3"], usd(50)));
    Ok(())
}

#[tokio::test]
async fn what_was_just_earned_is_seen_by_whoever_asks() -> Result<(), Error> {
    let world = World::start().await;
    for round in 0..20 {
        world.fred().earn_all("zoe", &[(&format!("z{round}"), 100)]).await;
        // Another client, which knows of no position.
        let run = world.frida().create_payout_run(run(&format!("r{round}"))).await?;
        assert_eq!(taken(&run), [format!("z{round}")]);
    }
    Ok(())
}

#[tokio::test]
async fn runs_opened_at_the_same_time_share_no_earning() {
    let world = World::start().await;
    let fred = world.fred();
    let earnings = (0..120).map(|at| (format!("e{at:03}"), earning(&format!("creators/c{}", at % 7), 100)));
    fred.earn_many(earnings).await;
    let opening = (0..8).map(|at| {
        let user = world.user(&format!("u{at}"), "acme");
        async move { user.create_payout_run(run(&format!("r{at}"))).await }
    });
    let opened = futures::future::join_all(opening).await;
    let mut all = BTreeSet::new();
    let mut count = 0;
    for run in opened {
        match run {
            Ok(run) => {
                count += taken(&run).len();
                all.extend(taken(&run).into_iter().map(str::to_owned));
            }
            Err(error) => {
                let lost = [ErrorReason::NothingPayable, ErrorReason::EarningScheduled, ErrorReason::ConcurrentWrites];
                assert!(lost.contains(&error.reason().unwrap()), "{error}");
            }
        }
    }
    assert_eq!((all.len(), count), (120, 120));
    assert_eq!(fred.seeing(&world).await.earnings("state = ACCRUED", "").await, [""; 0]);
}

#[tokio::test]
async fn a_request_that_comes_again_opens_no_second_run() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 500)]).await;
    let request = pb::CreatePayoutRunRequest { request_id: "q1".into(), ..run("") };
    let first = fred.create_payout_run(request.clone()).await?;
    fred.earn_all("zoe", &[("z2", 500)]).await;
    assert_eq!(fred.create_payout_run(request).await?, first);
    assert_eq!(taken(&first), ["z1"]);
    assert_eq!(fred.earnings("state = ACCRUED", "").await, ["z2"]);

    let again =
        pb::CreatePayoutRunRequest { payout_run_id: first.name.trim_start_matches("payoutRuns/").into(), ..run("") };
    let error = fred.create_payout_run(again).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::ResourceExists), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_run_takes_nine_hundred_and_gives_them_back() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    let earnings = (0..930).map(|at| (format!("e{at:03}"), earning(&format!("creators/c{:02}", at / 30), 100)));
    fred.earn_many(earnings).await;
    let first = fred.create_payout_run(run("r1")).await?;
    assert_eq!((taken(&first).len(), first.payouts.len(), first.remaining_earning_count), (900, 30, 30));
    let second = fred.create_payout_run(run("r2")).await?;
    assert_eq!((taken(&second).len(), second.remaining_earning_count), (30, 0));

    let cancelled = fred.cancel(&first.name).await?;
    assert_eq!(cancelled.state(), State::Cancelled);
    let again = fred.create_payout_run(run("r3")).await?;
    assert_eq!(taken(&again), taken(&first));
    Ok(())
}

#[tokio::test]
async fn a_second_person_approves() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 500)]).await;
    let run = fred.create_payout_run(run("r1")).await?;
    let error = fred.approve(&run.name).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::SecondPersonRequired), "{error}");

    let stale = pb::ApprovePayoutRunRequest { name: run.name.clone(), etag: "1".into(), ..Default::default() };
    let error = world.frida().approve_payout_run(stale).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::EtagMismatch), "{error}");
    let request = pb::ApprovePayoutRunRequest { name: run.name.clone(), etag: run.etag, ..Default::default() };
    let approved = world.frida().approve_payout_run(request).await?;
    assert_eq!((approved.state(), &approved.approver[..]), (State::Approved, "users/frida"));
    assert!(approved.approve_time.is_some());
    let error = world.frida().approve(&approved.name).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::StateForbids), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_cancelled_run_frees_its_earnings() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 500), ("z2", 20)]).await;
    let run = fred.create_payout_run(run("r1")).await?;
    let approved = world.frida().approve(&run.name).await?;
    let request = pb::CancelPayoutRunRequest {
        name: run.name.clone(),
        reason: "Wrong account.".into(),
        etag: approved.etag,
        ..Default::default()
    };
    let cancelled = fred.cancel_payout_run(request).await?;
    assert_eq!(cancelled.state(), State::Cancelled);
    assert_eq!(fred.earnings("state = ACCRUED AND NOT payout_run:*", "name").await, ["z1", "z2"]);
    let error = fred.cancel(&run.name).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::StateForbids), "{error}");
    Ok(())
}

#[tokio::test]
async fn nothing_is_believed_that_only_a_second_person_may_say() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 500)]).await;
    let mut request = run("r1");
    let forged = request.payout_run.as_mut().unwrap();
    forged.set_state(State::Approved);
    forged.creator_actor = "users/nobody".into();
    forged.approver = "users/frida".into();
    forged.file_hash = "f00d".into();
    let run = fred.create_payout_run(request).await?;
    assert_eq!((run.state(), &run.creator_actor[..]), (State::PendingApproval, "users/fred"));
    assert_eq!((&run.approver[..], &run.file_hash[..]), ("", ""));
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_a_run_is_named() {
    let world = World::start().await;
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 500)]).await;
    let wrong = |change: fn(&mut pb::PayoutRun)| {
        let mut request = run("r1");
        change(request.payout_run.as_mut().unwrap());
        request
    };
    for (field, request) in [
        ("payout_run.due_date", wrong(|run| run.due_date = Some(date(2026, 2, 30)))),
        ("payout_run.debtor.iban", wrong(|run| run.debtor.as_mut().unwrap().iban = "DE89370400440532013001".into())),
        (
            "payout_run.debtor.bic",
            wrong(|run| run.debtor = Some(pb::DebtorAccount { bic: "12345678".into(), ..debtor() })),
        ),
        ("payout_run_id", run("Run 1")),
    ] {
        let error = fred.create_payout_run(request).await.unwrap_err();
        assert_eq!(error.violations()[0].field, field, "{error}");
    }
}

#[tokio::test]
async fn runs_are_listed_and_tenants_apart() -> Result<(), Error> {
    let world = World::start().await;
    let fred = world.fred();
    for (at, creator) in ["zoe", "adam"].into_iter().enumerate() {
        fred.earn_all(creator, &[(creator, 100)]).await;
        fred.create_payout_run(run(&format!("r{at}"))).await?;
    }
    let frida = world.frida();
    frida.approve("payoutRuns/r1").await?;
    for (filter, order_by, found) in [
        ("brand = \"brands/glowco\"", "create_time desc", vec!["r1", "r0"]),
        ("state = APPROVED", "", vec!["r1"]),
        ("currency_code = EUR", "", vec![]),
        ("due_date = \"2026-08-03\"", "name", vec!["r0", "r1"]),
    ] {
        let (filter, order_by) = (filter.to_owned(), order_by.to_owned());
        let request = pb::ListPayoutRunsRequest { filter: filter.clone(), order_by, ..Default::default() };
        let listed = frida.list_payout_runs(request).await?.payout_runs;
        let names: Vec<_> = listed.iter().map(|run| run.name.trim_start_matches("payoutRuns/")).collect();
        assert_eq!(names, found, "{filter}");
    }
    let stranger = world.user("fred", "globex");
    assert!(stranger.list_payout_runs(pb::ListPayoutRunsRequest::default()).await?.payout_runs.is_empty());
    let error = stranger.run("payoutRuns/r0").await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::ResourceNotFound), "{error}");
    Ok(())
}
