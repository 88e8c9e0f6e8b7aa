//! Storing, reading and erasing personal data.
//!
//! Invariant: a person's key is read before anything of theirs is read or written, and no key is ever made for a
//! person who is erased.

use std::collections::{BTreeMap, HashMap};

use async_nats::jetstream::Context;
use futures::{StreamExt, TryStreamExt, future, stream};

use crate::bucket::{Bucket, Entry, Written, unavailable};
use crate::cipher::{self, SecretKey};
use crate::record::{DataRecord, KeyRecord};
use crate::{MasterKey, VaultError};

/// Entry that proves the master key. Persons' entries have a dot in their key.
pub(crate) const PROOF: &str = "master-key";
/// Revisions kept of a key: its message stays when its tombstone is written, to be overwritten then.
const KEYS_HISTORY: i64 = 2;
/// Revisions kept of data.
const DATA_HISTORY: i64 = 1;
/// The largest field, in bytes. A person's fields share one message, of at most 1 MiB by default.
const FIELD_LIMIT: usize = 64 * 1024;
/// Reads in flight for a list of persons.
const READS_IN_FLIGHT: usize = 64;
/// How often a guarded write is tried. Each conflict means that another writer got through.
const ATTEMPTS: usize = 100;

/// The personal data of all tenants, persons by id. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Vault {
    keys: Bucket,
    data: Bucket,
    master: MasterKey,
}

/// One person of one tenant.
#[derive(Clone, Copy)]
pub(crate) struct Person<'a> {
    tenant: &'a str,
    id: &'a str,
}

/// What is known of a person's key.
enum Key {
    /// Nothing was stored yet.
    Missing,
    Known(SecretKey),
    Erased,
}

impl Vault {
    /// Opens the vault in the buckets `<prefix>_vault` and `<prefix>_vault_keys`, made with so many `replicas` if
    /// they are missing.
    ///
    /// # Errors
    /// [`VaultError::WrongMasterKey`] if the vault was made with another one, [`VaultError::Unavailable`].
    pub async fn open(
        jetstream: &Context,
        prefix: &str,
        master: MasterKey,
        replicas: usize,
    ) -> Result<Self, VaultError> {
        if master.is_development() {
            tracing::warn!(prefix, "the vault uses the development key, which protects nothing");
        }
        let (keys, data) = buckets(jetstream, prefix, replicas).await?;
        let vault = Self { keys, data, master };
        vault.prove_master_key().await?;
        Ok(vault)
    }

    /// Makes the buckets of a vault where they are missing, for whoever opens it and may not. No key is needed for it.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn provision(jetstream: &Context, prefix: &str, replicas: usize) -> Result<(), VaultError> {
        buckets(jetstream, prefix, replicas).await.map(|_| ())
    }

    /// Stores one field of a person, in place of what it held.
    ///
    /// # Errors
    /// As [`put_person`](Self::put_person).
    pub async fn put(&self, tenant: &str, person: &str, field: &str, plaintext: &[u8]) -> Result<(), VaultError> {
        self.put_person(tenant, person, &[(field, plaintext)]).await
    }

    /// Stores fields of a person in one write, in place of what they held; other fields stay. Nothing is written if
    /// all hold these values already. The first write for a person writes a key as well.
    ///
    /// # Errors
    /// [`VaultError::Erased`] for a person who was erased, [`VaultError::TooLarge`] over 64 KiB a field,
    /// [`VaultError::InvalidId`], [`VaultError::Corrupt`], [`VaultError::Unavailable`].
    pub async fn put_person(&self, tenant: &str, person: &str, fields: &[(&str, &[u8])]) -> Result<(), VaultError> {
        let person = Person::new(tenant, person)?;
        for (field, plaintext) in fields {
            check_size(field, plaintext)?;
        }
        self.edit(person, |key, record| {
            let mut changed = false;
            for &(field, plaintext) in fields {
                if person.open(key, &record.fields, field)?.as_deref() != Some(plaintext) {
                    record.fields.insert(field.to_owned(), cipher::seal(key, &person.place(field), plaintext));
                    changed = true;
                }
            }
            Ok(changed)
        })
        .await
    }

    /// Changes one field of a person by what it holds (none if it was never stored): `change` answers what it is to
    /// hold from now on, or none to leave it. It is asked again when others write the same person meanwhile, so that
    /// no change is lost.
    ///
    /// # Errors
    /// As [`put_person`](Self::put_person).
    pub async fn update(
        &self,
        tenant: &str,
        person: &str,
        field: &str,
        change: impl Fn(Option<&[u8]>) -> Option<Vec<u8>> + Send + Sync,
    ) -> Result<(), VaultError> {
        let person = Person::new(tenant, person)?;
        self.edit(person, |key, record| {
            let held = person.open(key, &record.fields, field)?;
            let Some(plaintext) = change(held.as_deref()) else { return Ok(false) };
            check_size(field, &plaintext)?;
            record.fields.insert(field.to_owned(), cipher::seal(key, &person.place(field), &plaintext));
            Ok(true)
        })
        .await
    }

    /// One field of a person; none if it was never stored, or the person is erased.
    ///
    /// # Errors
    /// [`VaultError::InvalidId`], [`VaultError::Corrupt`], [`VaultError::Unavailable`].
    pub async fn get(&self, tenant: &str, person: &str, field: &str) -> Result<Option<Vec<u8>>, VaultError> {
        let person = Person::new(tenant, person)?;
        let entry = person.entry();
        let (key, data) = tokio::try_join!(self.key_of(person), self.data.read::<DataRecord>(&entry))?;
        match (key, data.record) {
            (Key::Known(key), Some(record)) => person.open(&key, &record.fields, field),
            _ => Ok(None),
        }
    }

    /// One field of many persons, read concurrently, by person; who has no such field is left out.
    ///
    /// # Errors
    /// As [`get`](Self::get), if it fails for any of them.
    pub async fn get_many(
        &self,
        tenant: &str,
        persons: &[impl AsRef<str>],
        field: &str,
    ) -> Result<HashMap<String, Vec<u8>>, VaultError> {
        // Collected, because a stream over a closure with borrowed arguments can't be sent between threads.
        let reads: Vec<_> = persons.iter().map(|person| self.get_one(tenant, person.as_ref(), field)).collect();
        stream::iter(reads)
            .buffer_unordered(READS_IN_FLIGHT)
            .try_filter_map(|found| future::ready(Ok(found)))
            .try_collect()
            .await
    }

    /// Erases a person for good: afterwards nothing of theirs can be read, and nothing stored. Erasing again, or
    /// erasing a person of whom nothing was stored, is no error. If it fails, repeat it: part of it may be done.
    ///
    /// # Errors
    /// [`VaultError::InvalidId`], [`VaultError::Unavailable`].
    pub async fn erase(&self, tenant: &str, person: &str) -> Result<(), VaultError> {
        let person = Person::new(tenant, person)?;
        // The tombstone first: from then on no key can be made. It names the key's revision, so that who repeats
        // this after a crash finds it.
        let erased_revision = self.bury(person).await?;
        if erased_revision > 0 {
            self.keys.shred(erased_revision).await?;
        }
        // Unreadable already; this gives the space back, and takes what a write at the same time left behind.
        self.data.purge(&person.entry()).await
    }

    /// A keyed hash of `value` in one tenant, stable for the life of the master key; see [`MasterKey::identity`].
    #[must_use]
    pub fn identity(&self, tenant: &str, domain: &str, value: &str) -> String {
        self.master.identity(tenant, domain, value)
    }

    async fn get_one(&self, tenant: &str, person: &str, field: &str) -> Result<Option<(String, Vec<u8>)>, VaultError> {
        let value = self.get(tenant, person, field).await?;
        Ok(value.map(|value| (person.to_owned(), value)))
    }

    /// Writes the tombstone if there is none, and answers the revision of the key that it stands for.
    pub(crate) async fn bury(&self, person: Person<'_>) -> Result<u64, VaultError> {
        for _ in 0..ATTEMPTS {
            let entry = self.keys.read::<KeyRecord>(&person.entry()).await?;
            let erased_revision = match entry.record {
                Some(record) if record.is_tombstone() => return Ok(record.erased_revision),
                Some(_) => entry.revision,
                None => 0,
            };
            let tombstone = KeyRecord { wrapped: Vec::new(), erased_revision };
            if self.keys.write(&person.entry(), &tombstone, entry.revision).await? == Written::Done {
                return Ok(erased_revision);
            }
        }
        Err(contended())
    }

    /// Writes what `edit` makes of a person's record, unless it answers false: nothing changed.
    async fn edit(
        &self,
        person: Person<'_>,
        edit: impl Fn(&SecretKey, &mut DataRecord) -> Result<bool, VaultError> + Send + Sync,
    ) -> Result<(), VaultError> {
        let (key, is_new) = self.key_for_writing(person).await?;
        // Who had no key has no data.
        let mut entry = if is_new { Entry::missing() } else { self.data.read(&person.entry()).await? };
        for _ in 0..ATTEMPTS {
            let mut record: DataRecord = entry.record.unwrap_or_default();
            let changed = edit(&key, &mut record)?;
            if !changed || self.data.write(&person.entry(), &record, entry.revision).await? == Written::Done {
                return Ok(());
            }
            entry = self.data.read(&person.entry()).await?;
        }
        Err(contended())
    }

    /// The person's key, made if there is none, and whether it was.
    async fn key_for_writing(&self, person: Person<'_>) -> Result<(SecretKey, bool), VaultError> {
        for _ in 0..ATTEMPTS {
            match self.key_of(person).await? {
                Key::Known(key) => return Ok((key, false)),
                Key::Erased => return Err(VaultError::Erased { person: person.id.to_owned() }),
                Key::Missing => {}
            }
            let key = cipher::random_key();
            let wrapped = cipher::seal(&self.master.wrapping_key(), &person.key_place(), key.as_slice());
            let record = KeyRecord { wrapped, erased_revision: 0 };
            if self.keys.write(&person.entry(), &record, 0).await? == Written::Done {
                return Ok((key, true));
            }
        }
        Err(contended())
    }

    async fn key_of(&self, person: Person<'_>) -> Result<Key, VaultError> {
        let Some(record) = self.keys.read::<KeyRecord>(&person.entry()).await?.record else {
            return Ok(Key::Missing);
        };
        if record.is_tombstone() {
            return Ok(Key::Erased);
        }
        cipher::open(&self.master.wrapping_key(), &person.key_place(), &record.wrapped)
            .ok()
            .and_then(|key| Some(Key::Known(SecretKey::new(key.try_into().ok()?))))
            .ok_or_else(|| person.corrupt("key"))
    }

    /// Checks the master key by what the first to open the vault sealed with theirs.
    async fn prove_master_key(&self) -> Result<(), VaultError> {
        let key = self.master.wrapping_key();
        for _ in 0..ATTEMPTS {
            let entry = self.keys.read::<KeyRecord>(PROOF).await?;
            if let Some(proof) = entry.record {
                let proven = cipher::open(&key, &[PROOF], &proof.wrapped).is_ok();
                let wrong = || VaultError::WrongMasterKey { bucket: self.keys.name().to_owned() };
                return proven.then_some(()).ok_or_else(wrong);
            }
            let proof = KeyRecord { wrapped: cipher::seal(&key, &[PROOF], b""), erased_revision: 0 };
            if self.keys.write(PROOF, &proof, 0).await? == Written::Done {
                return Ok(());
            }
        }
        Err(contended())
    }
}

impl<'a> Person<'a> {
    pub(crate) fn new(tenant: &'a str, id: &'a str) -> Result<Self, VaultError> {
        for (what, value) in [("tenant", tenant), ("person", id)] {
            let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            if value.is_empty() || value.len() > 128 || !value.bytes().all(valid) {
                return Err(VaultError::InvalidId { what, value: value.to_owned() });
            }
        }
        Ok(Self { tenant, id })
    }

    /// Key of the person's entries in both buckets.
    fn entry(&self) -> String {
        format!("{}.{}", self.tenant, self.id)
    }

    fn key_place(&self) -> [&'a str; 3] {
        ["key", self.tenant, self.id]
    }

    fn place<'f>(&self, field: &'f str) -> [&'f str; 4]
    where
        'a: 'f,
    {
        ["field", self.tenant, self.id, field]
    }

    fn open(
        &self,
        key: &SecretKey,
        fields: &BTreeMap<String, Vec<u8>>,
        field: &str,
    ) -> Result<Option<Vec<u8>>, VaultError> {
        let open = |sealed: &Vec<u8>| cipher::open(key, &self.place(field), sealed);
        fields.get(field).map(open).transpose().map_err(|_| self.corrupt(field))
    }

    fn corrupt(&self, item: &str) -> VaultError {
        VaultError::Corrupt { person: self.id.to_owned(), item: item.to_owned() }
    }
}

/// The buckets of keys and data, made where they are missing.
pub(crate) async fn buckets(
    jetstream: &Context,
    prefix: &str,
    replicas: usize,
) -> Result<(Bucket, Bucket), VaultError> {
    let keys = Bucket::open(jetstream, &format!("{prefix}_vault_keys"), KEYS_HISTORY, replicas).await?;
    let data = Bucket::open(jetstream, &format!("{prefix}_vault"), DATA_HISTORY, replicas).await?;
    Ok((keys, data))
}

fn check_size(field: &str, plaintext: &[u8]) -> Result<(), VaultError> {
    let size = plaintext.len();
    if size > FIELD_LIMIT {
        return Err(VaultError::TooLarge { field: field.to_owned(), size, limit: FIELD_LIMIT });
    }
    Ok(())
}

pub(crate) fn contended() -> VaultError {
    unavailable("write")("others wrote the same person each time")
}
