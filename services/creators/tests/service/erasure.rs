//! Erasing a person: what is gone, what stays, and that nothing brings them back.

use anyhow::Result;
use tandem_proto::creators::v1::ImportOutcome::{Created, Rejected};
use tandem_proto::creators::v1::{
    BatchImportCreatorsResponse, Creator, CreatorState, GetPayoutAccountRequest, PayoutAccount, SetPayoutAccountRequest,
};
use tandem_vault::{MasterKey, Vault};

use crate::support::*;

/// In no message of the log, whatever happens to the person.
const HANDLE: &str = "erika.mustermann.official";
const DISPLAY_NAME: &str = "Erika Mustermann";
const IBAN: &str = "DE89370400440532013000";

struct Erased {
    it: Fixture,
    name: String,
    /// What was merged into it.
    merged: String,
    answer: Creator,
}

/// A person of two channels with an account, erased.
async fn erased() -> Result<Erased> {
    let it = Fixture::new().await?;
    let mut first = row(HANDLE, 50_000);
    first.display_name = DISPLAY_NAME.into();
    let name = import_one(&it.client, first).await?;
    let merged = import_one(&it.client, row("erika.privat", 10)).await?;
    merge(&it.client, &name, &merged).await?;
    let account = PayoutAccount {
        holder_name: DISPLAY_NAME.into(),
        iban: IBAN.into(),
        country_code: "DE".into(),
        ..Default::default()
    };
    let request = SetPayoutAccountRequest { name: name.clone(), payout_account: Some(account), ..Default::default() };
    it.client.creators().set_payout_account(request).await?;
    let answer = erase(&it.client, &name).await?;
    Ok(Erased { it, name, merged, answer })
}

fn is_empty_of_personal_data(creator: &Creator) -> bool {
    creator.display_name.is_empty() && creator.channels.iter().all(|channel| channel.handle.is_empty())
}

#[tokio::test]
async fn nothing_personal_is_answered_any_more() -> Result<()> {
    let Erased { it, name, merged, answer } = erased().await?;
    assert_eq!((answer.state(), answer.has_payout_account), (CreatorState::Erased, false));
    assert_eq!(answer.channels.len(), 2, "what was reported stays, without whose it is");
    assert!(is_empty_of_personal_data(&answer));
    assert_eq!(get(&it.client, &name).await?, answer);
    let listed = list(&it.client, "", "").await?;
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(is_empty_of_personal_data));
    for name in [&name, &merged] {
        assert!(is_empty_of_personal_data(&get(&it.client, name).await?));
        let request = GetPayoutAccountRequest { name: name.clone() };
        let refused = it.client.creators().get_payout_account(request).await.unwrap_err();
        assert_eq!(reason(&refused), "PERSON_ERASED");
    }
    Ok(())
}

#[tokio::test]
async fn the_vault_holds_nothing_readable_and_the_log_still_tells_what_happened() -> Result<()> {
    let Erased { it, name, merged, .. } = erased().await?;
    let vault = Vault::open(&it.jetstream().await?, "tandem", MasterKey::development(), 1).await?;
    for name in [&name, &merged] {
        let person = name.trim_start_matches("creators/");
        assert_eq!(vault.get("acme", person, "profile").await?, None);
        assert!(vault.put("acme", person, "profile", b"again").await.is_err());
        let entry = format!("$KV.tandem_vault.acme.{person}");
        let stream = it.jetstream().await?.get_stream("KV_tandem_vault").await?;
        assert!(stream.get_last_raw_message_by_subject(&entry).await?.payload.is_empty(), "the entry is purged");
    }
    let log = it.messages("tandem").await?;
    for event in ["CreatorRegistered", "CreatorMerged", "ChannelsAdopted", "PayoutAccountSet", "CreatorErased"] {
        assert!(log.iter().any(|message| contains(message, event)), "{event} is in the log");
    }
    for message in &log {
        for personal in [HANDLE, "erika", DISPLAY_NAME, "Name of", IBAN] {
            assert!(!contains(message, personal), "{personal} in {}", String::from_utf8_lossy(message));
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_import_does_not_bring_them_back() -> Result<()> {
    let Erased { it, answer, name, .. } = erased().await?;
    let rows = vec![row(HANDLE, 90_000), row("somebody", 1), row("erika.privat", 11)];
    let response: BatchImportCreatorsResponse = import(&it.client, rows, "").await?;
    assert_eq!(outcomes(&response), [Rejected, Created, Rejected]);
    for result in [&response.results[0], &response.results[2]] {
        assert_eq!(result.field, "handle");
        assert!(result.message.contains("erased for good; leave the row out"), "{}", result.message);
        assert!(!result.message.contains("erika"));
    }
    assert_eq!(get(&it.client, &name).await?, answer);
    Ok(())
}

#[tokio::test]
async fn erasing_again_is_no_error_and_changes_nothing() -> Result<()> {
    let Erased { it, answer, name, merged } = erased().await?;
    let events = it.messages("tandem").await?.len();
    assert_eq!(erase(&it.client, &name).await?, answer);
    assert_eq!(reason(&erase(&it.client, &merged).await.unwrap_err()), "CREATOR_MERGED");
    assert_eq!(reason(&erase(&it.client, "creators/nobody").await.unwrap_err()), "RESOURCE_NOT_FOUND");
    assert_eq!(reason(&merge(&it.client, &name, &merged).await.unwrap_err()), "CREATOR_MERGED");
    assert_eq!(it.messages("tandem").await?.len(), events);
    Ok(())
}

#[tokio::test]
async fn an_erasure_cut_short_is_finished_by_repeating_it() -> Result<()> {
    let it = Fixture::new().await?;
    let name = import_one(&it.client, row(HANDLE, 1)).await?;
    // What a process leaves that dies between vault and log.
    let vault = Vault::open(&it.jetstream().await?, "tandem", MasterKey::development(), 1).await?;
    vault.erase("acme", name.trim_start_matches("creators/")).await?;

    let unmarked = get(&it.client, &name).await?;
    assert_eq!(unmarked.state(), CreatorState::Active);
    assert!(is_empty_of_personal_data(&unmarked));
    assert_eq!(outcomes(&import(&it.client, vec![row(HANDLE, 2)], "").await?), [Rejected]);

    assert_eq!(erase(&it.client, &name).await?.state(), CreatorState::Erased);
    Ok(())
}

#[tokio::test]
async fn an_import_cut_short_leaves_an_unused_entry_and_is_finished_by_repeating_it() -> Result<()> {
    let it = Fixture::new().await?;
    // What a process leaves that dies between vault and log.
    let master = MasterKey::development();
    let id = master.identity("acme", "instagram", HANDLE);
    let vault = Vault::open(&it.jetstream().await?, "tandem", master, 1).await?;
    vault.put("acme", &id, "profile", b"").await?;
    assert_eq!(reason(&lookup(&it.client, HANDLE).await.unwrap_err()), "RESOURCE_NOT_FOUND");
    assert_eq!(outcomes(&import(&it.client, vec![row(HANDLE, 2)], "").await?), [Created]);
    assert_eq!(lookup(&it.client, HANDLE).await?.channels[0].handle, HANDLE);
    Ok(())
}

#[tokio::test]
async fn erasing_while_they_are_merged_and_imported_leaves_nothing() -> Result<()> {
    let it = Fixture::new().await?;
    let vault = Vault::open(&it.jetstream().await?, "tandem", MasterKey::development(), 1).await?;
    for round in 0..8 {
        let handles = [format!("stays{round}"), format!("goes{round}")];
        let [stays, goes] =
            [import_one(&it.client, row(&handles[0], 1)).await?, import_one(&it.client, row(&handles[1], 1)).await?];
        let again = vec![row(&handles[0], 5), row(&handles[1], 6)];
        let (erased, merged, imported) =
            tokio::join!(erase(&it.client, &stays), merge(&it.client, &stays, &goes), import(&it.client, again, ""));
        assert_eq!(erased?.state(), CreatorState::Erased);
        imported?;
        let people = match merged {
            Ok(_) => vec![&stays, &goes],
            Err(refused) => {
                assert_eq!(reason(&refused), "PERSON_ERASED");
                vec![&stays]
            }
        };
        for name in people {
            assert_eq!(vault.get("acme", name.trim_start_matches("creators/"), "profile").await?, None);
        }
    }
    Ok(())
}
