//! Submitting: the file for the bank.

use sha2::{Digest as _, Sha256};
use tandem_client::Error;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::payouts::v1 as pb;
use tandem_proto::payouts::v1::PayoutRunState as State;

use crate::fixtures::{account, run};
use crate::world::World;

/// A run that pays Zoe and Adam, approved.
async fn approved(world: &World) -> pb::PayoutRun {
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 50_000), ("z2", -20)]).await;
    fred.earn_all("adam", &[("a1", 5)]).await;
    let run = fred.create_payout_run(run("2026-08")).await.unwrap();
    world.frida().approve(&run.name).await.unwrap()
}

fn accounts(world: &World) {
    world.creators.set("creators/zoe", account("Zoe & Sons"));
    world.creators.set("creators/adam", account("Adam"));
}

#[tokio::test]
async fn an_approved_run_becomes_a_credit_transfer() -> Result<(), Error> {
    let world = World::start().await;
    accounts(&world);
    let run = approved(&world).await;
    // Whether there is one, when the run was opened.
    assert_eq!(world.creators.asked(), ["creators/adam", "creators/zoe"]);
    let submitted = world.fred().submit(&run.name).await?;
    let file = String::from_utf8(submitted.pain001_xml.clone()).unwrap();
    for text in [
        "<NbOfTxs>2</NbOfTxs>",
        "<CtrlSum>499.85</CtrlSum>",
        ">499.80<",
        ">0.05<",
        "Zoe &amp; Sons",
        "<Nm>GlowCo Inc.</Nm>",
    ] {
        assert!(file.contains(text), "no {text} in {file}");
    }
    let run = submitted.payout_run.unwrap();
    assert_eq!((run.state(), &run.file_hash), (State::Submitted, &hex::encode(Sha256::digest(&submitted.pain001_xml))));
    // The payees', and nobody else's.
    assert_eq!(world.creators.asked(), ["creators/adam", "creators/zoe"]);
    Ok(())
}

#[tokio::test]
async fn whoever_submits_again_gets_the_same_bytes() -> Result<(), Error> {
    let mut world = World::start().await;
    accounts(&world);
    let name = approved(&world).await.name;
    let day = |time: &str| time.parse().unwrap();
    let (fred, frida) = (world.fred(), world.frida());
    let request = pb::SubmitPayoutRunRequest { name: name.clone(), request_id: "q1".into(), ..Default::default() };
    let first = crate::world::Api(fred.0.at(day("2026-08-03T09:00:00Z"))).submit_payout_run(request.clone()).await?;
    assert!(String::from_utf8_lossy(&first.pain001_xml).contains("<CreDtTm>2026-08-03T09:00:00Z</CreDtTm>"));
    // The same request, another's on another day, one after a restart, and one when all is paid.
    assert_eq!(fred.submit_payout_run(request).await?, first);
    let later = crate::world::Api(frida.0.at(day("2026-08-09T09:00:00Z"))).submit(&name).await?;
    assert_eq!(later, first);
    world.stop_service().await;
    world.start_service().await;
    let fred = world.fred();
    assert_eq!(fred.submit(&name).await?, first);
    for creator in ["adam", "zoe"] {
        fred.settle(&format!("{name}/payouts/{creator}"), "B1").await?;
    }
    let settled = fred.submit(&name).await?;
    assert_eq!((settled.pain001_xml, settled.payout_run.unwrap().state()), (first.pain001_xml, State::Settled));
    Ok(())
}

#[tokio::test]
async fn all_who_submit_at_the_same_time_get_the_same_file() -> Result<(), Error> {
    let world = World::start().await;
    accounts(&world);
    let name = approved(&world).await.name;
    let submitting = (0..8).map(|at| {
        let time = format!("2026-08-03T09:00:0{at}Z").parse().unwrap();
        let user = crate::world::Api(world.user(&format!("u{at}"), "acme").0.at(time));
        let name = name.clone();
        async move { user.submit(&name).await.unwrap() }
    });
    let mut files: Vec<_> = futures::future::join_all(submitting).await;
    files.dedup_by_key(|answer| answer.pain001_xml.clone());
    assert_eq!(files.len(), 1);
    Ok(())
}

#[tokio::test]
async fn all_payees_without_an_account_are_named_and_nothing_is_submitted() -> Result<(), Error> {
    let world = World::start().await;
    let name = approved(&world).await.name;
    world.creators.refuse("creators/adam", ErrorReason::PayoutAccountMissing);
    world.creators.refuse("creators/zoe", ErrorReason::PersonErased);
    let fred = world.fred();
    let error = fred.submit(&name).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::PayoutAccountMissing), "{error}");
    assert_eq!(
        error.message(),
        "payoutRuns/2026-08 can't be submitted, for payees are 1 without a payout account (creators/adam), 1 whose \
         personal data was erased (creators/zoe). Cancel it and create it again, which leaves them out; or set their \
         payout accounts with SetPayoutAccount and submit again."
    );
    assert_eq!(fred.run(&name).await?.state(), State::Approved);

    // As it advises: Zoe is left out of the next run.
    world.creators.set("creators/adam", account("Adam"));
    fred.cancel(&name).await?;
    let again = fred.create_payout_run(run("again")).await?;
    assert_eq!(again.payouts.iter().map(|payout| &payout.creator[..]).collect::<Vec<_>>(), ["creators/adam"]);
    assert_eq!(again.unpayable_creators.len(), 1);
    world.frida().approve(&again.name).await?;
    assert_eq!(fred.submit(&again.name).await?.payout_run.unwrap().state(), State::Submitted);
    Ok(())
}

#[tokio::test]
async fn a_payee_who_gets_an_account_back_is_paid_by_the_run() -> Result<(), Error> {
    let world = World::start().await;
    let name = approved(&world).await.name;
    world.creators.refuse("creators/adam", ErrorReason::PayoutAccountMissing);
    world.fred().submit(&name).await.unwrap_err();
    accounts(&world);
    assert_eq!(world.fred().submit(&name).await?.payout_run.unwrap().state(), State::Submitted);
    // The bank has the file; it is too late to cancel.
    world.creators.refuse("creators/adam", ErrorReason::PersonErased);
    let error = world.fred().submit(&name).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::StateForbids), "{error}");
    assert!(error.message().contains("was submitted before") && error.message().contains("creators/adam"), "{error}");
    Ok(())
}

#[tokio::test]
async fn no_bank_details_are_read_for_what_is_not_approved() -> Result<(), Error> {
    let world = World::start().await;
    accounts(&world);
    let fred = world.fred();
    fred.earn_all("zoe", &[("z1", 500)]).await;
    let name = fred.create_payout_run(run("r1")).await?.name;
    world.creators.asked();
    let error = fred.submit(&name).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::StateForbids), "{error}");
    fred.cancel(&name).await?;
    let error = fred.submit(&name).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::StateForbids), "{error}");
    let error = fred.submit("payoutRuns/none").await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::ResourceNotFound), "{error}");
    assert_eq!(world.creators.asked(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_file_that_cannot_be_written_again_is_not_replaced_by_another() -> Result<(), Error> {
    let world = World::start().await;
    accounts(&world);
    let name = approved(&world).await.name;
    let first = world.fred().submit(&name).await?;
    world.creators.set("creators/zoe", account("Zoe Newname"));
    let error = world.fred().submit(&name).await.unwrap_err();
    assert_eq!(error.reason(), Some(ErrorReason::StateForbids), "{error}");
    assert!(error.message().contains("other payout accounts"), "{error}");
    assert_eq!(world.fred().run(&name).await?.file_hash, first.payout_run.unwrap().file_hash);
    Ok(())
}
