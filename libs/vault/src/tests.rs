//! The vault on a real server.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use async_nats::jetstream::{self, Context};
use futures::future::{join_all, try_join_all};
use prost::Message;
use tandem_nats_server::NatsServer;

use crate::record::{DataRecord, KeyRecord};
use crate::{MasterKey, Vault, VaultError};

/// A vault with a server of its own.
struct Fixture {
    server: NatsServer,
    jetstream: Context,
    vault: Vault,
}

impl Fixture {
    async fn new() -> Result<Self> {
        let server = NatsServer::builder().start().await?;
        let jetstream = jetstream::new(async_nats::connect(server.url()).await?);
        let vault = Vault::open(&jetstream, "test", MasterKey::from_bytes([7; 32]), 1).await?;
        Ok(Self { server, jetstream, vault })
    }

    async fn get(&self, tenant: &str, person: &str, field: &str) -> Result<Option<String>> {
        let value = self.vault.get(tenant, person, field).await?;
        Ok(value.map(String::from_utf8).transpose()?)
    }

    /// The value of an entry as the bucket holds it.
    async fn raw(&self, bucket: &str, key: &str) -> Result<Vec<u8>> {
        let store = self.jetstream.get_key_value(bucket).await?;
        Ok(store.get(key).await?.context("no entry")?.into())
    }

    async fn set_raw(&self, bucket: &str, key: &str, value: Vec<u8>) -> Result<()> {
        self.jetstream.get_key_value(bucket).await?.put(key, value.into()).await?;
        Ok(())
    }

    async fn wrapped_key(&self, entry: &str) -> Result<Vec<u8>> {
        Ok(KeyRecord::decode(self.raw("test_vault_keys", entry).await?.as_slice())?.wrapped)
    }

    /// All messages that the two buckets still answer, whatever their revision.
    async fn messages(&self) -> Result<Vec<Vec<u8>>> {
        let mut messages = Vec::new();
        for bucket in ["KV_test_vault", "KV_test_vault_keys"] {
            let mut stream = self.jetstream.get_stream(bucket).await?;
            let last = stream.info().await?.state.last_sequence;
            for sequence in 1..=last {
                if let Ok(message) = stream.get_raw_message(sequence).await {
                    messages.push(message.payload.into());
                }
            }
        }
        Ok(messages)
    }

    /// Whether the server's files hold `bytes`. Stops the server, so that it writes all that it has, and starts it.
    async fn on_disk(&mut self, bytes: &[u8]) -> Result<bool> {
        self.server.stop().await?;
        let found = files_hold(self.server.store(), bytes)?;
        self.server.restart().await?;
        self.jetstream = jetstream::new(async_nats::connect(self.server.url()).await?);
        self.vault = Vault::open(&self.jetstream, "test", MasterKey::from_bytes([7; 32]), 1).await?;
        Ok(found)
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn files_hold(directory: &Path, bytes: &[u8]) -> Result<bool> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if if path.is_dir() { files_hold(&path, bytes)? } else { contains(&std::fs::read(&path)?, bytes) } {
            return Ok(true);
        }
    }
    Ok(false)
}

#[tokio::test]
async fn what_is_put_is_got_and_other_fields_stay() -> Result<()> {
    let it = Fixture::new().await?;
    it.vault.put_person("acme", "ann", &[("name", b"Ann"), ("email", b"ann@example.com")]).await?;
    it.vault.put("acme", "ann", "name", b"Ann B.").await?;
    assert_eq!(it.get("acme", "ann", "name").await?.as_deref(), Some("Ann B."));
    assert_eq!(it.get("acme", "ann", "email").await?.as_deref(), Some("ann@example.com"));
    assert_eq!(it.get("acme", "ann", "phone").await?, None);
    assert_eq!(it.get("acme", "bob", "name").await?, None);
    ensure!(it.messages().await?.iter().all(|message| !contains(message, b"example.com")), "stored in the clear");
    Ok(())
}

#[tokio::test]
async fn many_are_got_at_once_without_those_who_have_no_such_field() -> Result<()> {
    let it = Fixture::new().await?;
    let persons: Vec<String> = (0..200).map(|number| format!("p{number}")).collect();
    try_join_all(persons.iter().map(|person| it.vault.put("acme", person, "name", person.as_bytes()))).await?;
    it.vault.erase("acme", "p7").await?;
    let names = it.vault.get_many("acme", &persons, "name").await?;
    assert_eq!(names.len(), 199);
    assert!(names.iter().all(|(person, name)| person.as_bytes() == name.as_slice()));
    assert!(!names.contains_key("p7"));
    assert!(it.vault.get_many("acme", &["nobody"], "name").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn the_same_values_again_write_nothing() -> Result<()> {
    let it = Fixture::new().await?;
    it.vault.put("acme", "ann", "name", b"Ann").await?;
    let before = it.raw("test_vault", "acme.ann").await?;
    it.vault.put("acme", "ann", "name", b"Ann").await?;
    assert_eq!(it.raw("test_vault", "acme.ann").await?, before);
    Ok(())
}

#[tokio::test]
async fn another_master_key_does_not_open_the_vault() -> Result<()> {
    let it = Fixture::new().await?;
    let other = Vault::open(&it.jetstream, "test", MasterKey::from_bytes([8; 32]), 1).await;
    assert!(matches!(other, Err(VaultError::WrongMasterKey { bucket }) if bucket == "test_vault_keys"));
    Vault::open(&it.jetstream, "test", MasterKey::from_bytes([7; 32]), 1).await?;
    Vault::open(&it.jetstream, "other", MasterKey::from_bytes([8; 32]), 1).await?;
    Ok(())
}

#[tokio::test]
async fn tenants_are_apart() -> Result<()> {
    let it = Fixture::new().await?;
    it.vault.put("acme", "ann", "name", b"Ann").await?;
    it.vault.put("umbrella", "ann", "name", b"Anna").await?;
    it.vault.erase("acme", "ann").await?;
    assert_eq!(it.get("acme", "ann", "name").await?, None);
    assert_eq!(it.get("umbrella", "ann", "name").await?.as_deref(), Some("Anna"));
    for (tenant, person) in
        [("acme.ann", "x"), ("acme", "ann.x"), ("*", "ann"), ("acme", ">"), ("", "ann"), ("acme", "")]
    {
        let refused = it.vault.get(tenant, person, "name").await;
        assert!(matches!(refused, Err(VaultError::InvalidId { .. })), "{tenant} {person}");
    }
    Ok(())
}

#[tokio::test]
async fn moved_ciphertexts_are_refused() -> Result<()> {
    let it = Fixture::new().await?;
    it.vault.put_person("acme", "ann", &[("name", b"Ann"), ("iban", b"DE1")]).await?;
    it.vault.put_person("acme", "eve", &[("name", b"Eve"), ("iban", b"DE2")]).await?;
    let corrupt = |result, expected: &str| matches!(result, Err(VaultError::Corrupt { item, .. }) if item == expected);

    // One field in the place of another of the same person.
    let mut record = DataRecord::decode(it.raw("test_vault", "acme.ann").await?.as_slice())?;
    let name = record.fields["name"].clone();
    record.fields.insert("iban".into(), name);
    it.set_raw("test_vault", "acme.ann", record.encode_to_vec()).await?;
    assert!(corrupt(it.vault.get("acme", "ann", "iban").await, "iban"));

    // The data of one person in the place of another's, without and with the key.
    it.set_raw("test_vault", "acme.eve", it.raw("test_vault", "acme.ann").await?).await?;
    assert!(corrupt(it.vault.get("acme", "eve", "name").await, "name"));
    it.set_raw("test_vault_keys", "acme.eve", it.raw("test_vault_keys", "acme.ann").await?).await?;
    assert!(corrupt(it.vault.get("acme", "eve", "name").await, "key"));
    Ok(())
}

#[tokio::test]
async fn erasing_leaves_nothing_readable_in_the_buckets_and_on_disk() -> Result<()> {
    let mut it = Fixture::new().await?;
    it.vault.put("acme", "ann", "email", b"ann@example.com").await?;
    it.vault.put("acme", "ann", "email", b"ann@example.org").await?;
    let wrapped = it.wrapped_key("acme.ann").await?;
    assert!(it.on_disk(&wrapped).await?, "the key is looked for in the wrong place");

    it.vault.erase("acme", "ann").await?;

    assert_eq!(it.get("acme", "ann", "email").await?, None);
    for message in it.messages().await? {
        assert!(!contains(&message, &wrapped));
        assert!(!contains(&message, b"ann@example"));
    }
    assert!(!it.on_disk(&wrapped).await?);
    assert!(!it.on_disk(b"ann@example").await?);
    Ok(())
}

#[tokio::test]
async fn an_erased_person_does_not_come_back() -> Result<()> {
    let it = Fixture::new().await?;
    it.vault.put("acme", "ann", "name", b"Ann").await?;
    // Erased twice, and one of whom nothing was stored yet: a late import may still carry both.
    for person in ["ann", "ann", "bob"] {
        it.vault.erase("acme", person).await?;
    }
    for person in ["ann", "bob"] {
        let refused = it.vault.put("acme", person, "name", b"again").await;
        assert!(matches!(refused, Err(VaultError::Erased { person: erased }) if erased == person));
        assert_eq!(it.get("acme", person, "name").await?, None);
    }
    Ok(())
}

#[tokio::test]
async fn an_erasure_cut_short_is_finished_by_repeating_it() -> Result<()> {
    let mut it = Fixture::new().await?;
    it.vault.put("acme", "ann", "name", b"Ann").await?;
    let wrapped = it.wrapped_key("acme.ann").await?;
    // What a process leaves that dies after the tombstone.
    let buried = it.vault.bury(crate::vault::Person::new("acme", "ann")?).await?;
    assert!(buried > 0);
    assert_eq!(it.get("acme", "ann", "name").await?, None);
    assert!(it.messages().await?.iter().any(|message| contains(message, &wrapped)));

    it.vault.erase("acme", "ann").await?;
    assert!(!it.messages().await?.iter().any(|message| contains(message, &wrapped)));
    assert!(!it.on_disk(&wrapped).await?);
    Ok(())
}

#[tokio::test]
async fn concurrent_puts_lose_no_field() -> Result<()> {
    let it = Fixture::new().await?;
    let fields: Vec<String> = (0..20).map(|number| format!("field{number}")).collect();
    try_join_all(fields.iter().map(|field| it.vault.put("acme", "ann", field, field.as_bytes()))).await?;
    for field in &fields {
        assert_eq!(it.get("acme", "ann", field).await?.as_ref(), Some(field));
    }
    Ok(())
}

#[tokio::test]
async fn concurrent_updates_of_a_field_lose_none() -> Result<()> {
    let it = Fixture::new().await?;
    let append = |letter: char| {
        let vault = it.vault.clone();
        async move {
            let appended =
                |held: Option<&[u8]>| Some([held.unwrap_or_default(), letter.to_string().as_bytes()].concat());
            vault.update("acme", "ann", "letters", appended).await
        }
    };
    try_join_all(('a'..='t').map(append)).await?;
    it.vault.update("acme", "ann", "letters", |_| None).await?;
    let mut letters: Vec<char> = it.get("acme", "ann", "letters").await?.context("nothing held")?.chars().collect();
    letters.sort_unstable();
    assert_eq!(letters, ('a'..='t').collect::<Vec<_>>());
    Ok(())
}

#[tokio::test]
async fn an_erasure_wins_over_puts_at_the_same_time() -> Result<()> {
    let it = Fixture::new().await?;
    let put = |number: usize| {
        let vault = it.vault.clone();
        async move { vault.put("acme", "ann", &format!("field{number}"), b"value").await }
    };
    let (puts, erased) = tokio::join!(join_all((0..20).map(put)), it.vault.erase("acme", "ann"));
    erased?;
    for result in puts {
        assert!(matches!(result, Ok(()) | Err(VaultError::Erased { .. })), "{result:?}");
    }
    for number in 0..20 {
        assert_eq!(it.get("acme", "ann", &format!("field{number}")).await?, None);
    }
    assert!(KeyRecord::decode(it.raw("test_vault_keys", "acme.ann").await?.as_slice())?.is_tombstone());
    Ok(())
}

#[tokio::test]
async fn values_too_large_are_refused_by_name() -> Result<()> {
    let it = Fixture::new().await?;
    let refused = it.vault.put("acme", "ann", "essay", &vec![0; 64 * 1024 + 1]).await;
    assert!(matches!(refused, Err(VaultError::TooLarge { field, size: 65_537, .. }) if field == "essay"));
    it.vault.put("acme", "ann", "essay", &vec![0; 64 * 1024]).await?;
    Ok(())
}
