//! Creators: merging, payout accounts, who may see what.

use anyhow::Result;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use tandem_client::Client;
use tandem_proto::creators::v1::{
    BatchImportCreatorsRequest, Creator, CreatorState, EraseCreatorRequest, GetPayoutAccountRequest,
    MergeCreatorsRequest, PayoutAccount, SetPayoutAccountRequest,
};
use tandem_service::testing::token;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::support::*;

fn account(iban: &str) -> PayoutAccount {
    PayoutAccount { holder_name: "Ada L.".into(), iban: iban.into(), bic: String::new(), country_code: "DE".into() }
}

async fn set_account(client: &Client, name: &str, account: PayoutAccount) -> Result<Creator, Status> {
    let request = SetPayoutAccountRequest { name: name.into(), payout_account: Some(account), ..Default::default() };
    Ok(client.creators().set_payout_account(request).await?.into_inner())
}

async fn get_account(client: &Client, name: &str) -> Result<PayoutAccount, Status> {
    let request = GetPayoutAccountRequest { name: name.into() };
    Ok(client.creators().get_payout_account(request).await?.into_inner())
}

const GERMAN: &str = "DE89370400440532013000";
const BRITISH: &str = "GB29NWBK60161331926819";

#[tokio::test]
async fn merged_creators_are_one_person() -> Result<()> {
    let it = Fixture::new().await?;
    let [stays, goes] = [import_one(&it.client, row("a", 1)).await?, import_one(&it.client, row("b", 50_000)).await?];
    set_account(&it.client, &goes, account(GERMAN)).await?;

    let merged = merge(&it.client, &stays, &goes).await?;
    let handles: Vec<_> = merged.channels.iter().map(|channel| &channel.handle[..]).collect();
    assert_eq!((&merged.name, &merged.display_name[..], handles), (&stays, "Name of a", vec!["a", "b"]));
    assert_eq!((merged.follower_count, merged.has_payout_account), (50_000, true));
    assert_eq!(get(&it.client, &stays).await?, merged, "etag and all");
    assert_eq!(lookup(&it.client, "b").await?, merged);
    // Payouts that were promised to the one are paid to the account of the person.
    assert_eq!(get_account(&it.client, &stays).await?, account(GERMAN));
    assert_eq!(get_account(&it.client, &goes).await?, account(GERMAN));

    let gone = get(&it.client, &goes).await?;
    assert_eq!((gone.state(), &gone.merged_into), (CreatorState::Merged, &stays));
    for refused in [
        merge(&it.client, &stays, &goes).await,
        merge(&it.client, &goes, &stays).await,
        set_account(&it.client, &goes, account(BRITISH)).await,
        erase(&it.client, &goes).await,
    ] {
        assert_eq!(reason(&refused.unwrap_err()), "CREATOR_MERGED");
    }
    assert_eq!(reason(&merge(&it.client, &stays, &stays).await.unwrap_err()), "FIELD_INVALID");
    assert_eq!(reason(&merge(&it.client, &stays, "creators/nobody").await.unwrap_err()), "RESOURCE_NOT_FOUND");
    assert_eq!(reason(&merge(&it.client, "creators/nobody", &stays).await.unwrap_err()), "RESOURCE_NOT_FOUND");
    Ok(())
}

#[tokio::test]
async fn a_repeated_merge_answers_as_at_first_and_a_failed_one_leaves_nothing_half_done() -> Result<()> {
    let it = Fixture::new().await?;
    let [stays, goes] = [import_one(&it.client, row("a", 1)).await?, import_one(&it.client, row("b", 2)).await?];
    let events = it.messages("tandem").await?.len();
    merge(&it.client, "creators/nobody", &goes).await.unwrap_err();
    assert_eq!(it.messages("tandem").await?.len(), events);
    let request = MergeCreatorsRequest {
        name: stays.clone(),
        source: goes,
        reason: "the same person".into(),
        request_id: "merge-1".into(),
    };
    let first = it.client.creators().merge_creators(request.clone()).await?.into_inner();
    import_one(&it.client, row("a", 7)).await?;
    let repeated = it.client.creators().merge_creators(request).await?.into_inner();
    assert_eq!(repeated, first);
    assert_eq!(it.messages("tandem").await?.len(), events + 3, "two of the merge, one of the import");
    Ok(())
}

#[tokio::test]
async fn merges_crosswise_at_the_same_time_leave_one_that_remains() -> Result<()> {
    let it = Fixture::new().await?;
    let [a, b] = [import_one(&it.client, row("a", 1)).await?, import_one(&it.client, row("b", 2)).await?];
    let (one, other) = tokio::join!(merge(&it.client, &a, &b), merge(&it.client, &b, &a));
    assert_eq!(u8::from(one.is_ok()) + u8::from(other.is_ok()), 1, "{one:?} {other:?}");
    let remaining = lookup(&it.client, "a").await?;
    assert_eq!((remaining.state(), remaining.channels.len()), (CreatorState::Active, 2));
    Ok(())
}

#[tokio::test]
async fn a_payout_account_is_kept_in_the_vault_and_changes_only_with_its_event() -> Result<()> {
    let it = Fixture::new().await?;
    let name = import_one(&it.client, row("a", 1)).await?;
    assert_eq!(reason(&get_account(&it.client, &name).await.unwrap_err()), "PAYOUT_ACCOUNT_MISSING");
    let first = set_account(&it.client, &name, account(GERMAN)).await?;
    assert!(first.has_payout_account);
    let events = it.messages("tandem").await?.len();
    assert_eq!(set_account(&it.client, &name, account(GERMAN)).await?, first);
    assert_eq!(it.messages("tandem").await?.len(), events, "the same account is nothing new");
    let second = set_account(&it.client, &name, account(BRITISH)).await?;
    assert_ne!(second.payout_account_id, first.payout_account_id);
    assert_eq!(get_account(&it.client, &name).await?, account(BRITISH));
    set_account(&it.client, &name, account(GERMAN)).await?;
    assert_eq!(get_account(&it.client, &name).await?, account(GERMAN));
    for stream in ["tandem", "KV_tandem_vault", "KV_tandem_vault_keys"] {
        for message in it.messages(stream).await? {
            assert!(!contains(&message, "370400440532013000") && !contains(&message, "Ada L."), "in {stream}");
        }
    }
    Ok(())
}

/// A hash that anyone can compute gives away what few guesses would find.
#[tokio::test]
async fn no_unkeyed_hash_of_personal_data_is_in_the_log() -> Result<()> {
    let it = Fixture::new().await?;
    // What a request leaves in the log otherwise.
    let fingerprint = |method: &str, body: Vec<u8>| {
        let method = format!("tandem.creators.v1.CreatorService/{method}\0");
        hex::encode(&Sha256::digest([method.as_bytes(), &body].concat())[..16])
    };
    let row = row("a", 1);
    let request = BatchImportCreatorsRequest { rows: vec![row.clone()], request_id: "import-1".into() };
    let name = import(&it.client, request.rows.clone(), "import-1").await?.results[0].creator.clone();
    let payout_account = Some(account(GERMAN));
    let set = SetPayoutAccountRequest { name: name.clone(), payout_account, request_id: "set-1".into() };
    let first = it.client.creators().set_payout_account(set.clone()).await?.into_inner();
    assert_eq!(it.client.creators().set_payout_account(set.clone()).await?.into_inner(), first, "still idempotent");
    let other = SetPayoutAccountRequest { payout_account: Some(account(BRITISH)), ..set.clone() };
    let reused = it.client.creators().set_payout_account(other).await.unwrap_err();
    assert_eq!(reason(&reused), "REQUEST_ID_REUSED");
    let erase = EraseCreatorRequest { name, reason: "request of the person".into(), request_id: "erase-1".into() };
    it.client.creators().erase_creator(erase.clone()).await?;

    let log = it.messages("tandem").await?;
    let holds = |text: &str| log.iter().any(|message| contains(message, text));
    assert!(holds(&fingerprint("EraseCreator", erase.encode_to_vec())), "looked for in the right way");
    assert!(!holds(&fingerprint("SetPayoutAccount", set.encode_to_vec())));
    assert!(!holds(&fingerprint("BatchImportCreators", request.encode_to_vec())));
    for hash in [Sha256::digest("a"), Sha256::digest(row.encode_to_vec()), Sha256::digest(GERMAN)] {
        assert!(!holds(&hex::encode(&hash[..16])));
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_account_is_refused_with_its_field() -> Result<()> {
    let it = Fixture::new().await?;
    let name = import_one(&it.client, row("a", 1)).await?;
    for (iban, says) in [
        ("DE89370400440532013001", "check digits"),
        ("US89370400440532013000", "does not begin with a country"),
        ("DE893704004405320130", "has 20 characters"),
    ] {
        let refused = set_account(&it.client, &name, account(iban)).await.unwrap_err();
        let violation = refused.get_error_details().bad_request().unwrap().field_violations[0].clone();
        assert_eq!(violation.field, "payout_account.iban");
        assert!(violation.description.contains(says), "{}", violation.description);
        assert!(!refused.message().contains(iban), "personal data in a message");
    }
    let unknown = set_account(&it.client, "creators/nobody", account(GERMAN)).await.unwrap_err();
    assert_eq!(reason(&unknown), "RESOURCE_NOT_FOUND");
    assert!(it.messages("KV_tandem_vault").await?.iter().all(|message| !contains(message, "nobody")));
    Ok(())
}

#[tokio::test]
async fn a_creator_reaches_their_own_record_only() -> Result<()> {
    let it = Fixture::new().await?;
    let [own, other] = [import_one(&it.client, row("a", 1)).await?, import_one(&it.client, row("b", 1)).await?];
    let creator = it.client_of(creator_token(&own))?;
    assert_eq!(get(&creator, &own).await?.name, own);
    set_account(&creator, &own, account(GERMAN)).await?;
    assert_eq!(get_account(&creator, &own).await?, account(GERMAN));
    for refused in [
        get(&creator, &other).await.unwrap_err(),
        get_account(&creator, &other).await.unwrap_err(),
        set_account(&creator, &other, account(GERMAN)).await.unwrap_err(),
        erase(&creator, &other).await.unwrap_err(),
        lookup(&creator, "b").await.unwrap_err(),
        list(&creator, "", "").await.unwrap_err(),
        merge(&creator, &own, &other).await.unwrap_err(),
        import(&creator, vec![row("a", 5)], "").await.unwrap_err(),
    ] {
        assert_eq!((refused.code(), &reason(&refused)[..]), (Code::PermissionDenied, "NOT_A_PARTY"));
    }
    Ok(())
}

#[tokio::test]
async fn bank_details_need_a_permission_of_their_own() -> Result<()> {
    let it = Fixture::new().await?;
    let name = import_one(&it.client, row("a", 1)).await?;
    set_account(&it.client, &name, account(GERMAN)).await?;
    let reader = it.client_of(token("users/rob", "acme", &["creators.read", "creators.write"]))?;
    assert!(get(&reader, &name).await?.has_payout_account);
    assert_eq!(reason(&get_account(&reader, &name).await.unwrap_err()), "PERMISSION_MISSING");
    assert_eq!(reason(&erase(&reader, &name).await.unwrap_err()), "PERMISSION_MISSING");
    Ok(())
}
