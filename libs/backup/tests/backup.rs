//! Backups of a log and a vault on one server, put back on another.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::path::Path;

use async_nats::jetstream;
use futures::StreamExt as _;
use tandem_backup::{BackupError, Create, Manifest, Restore, Restored, create, restore, verify};
use tandem_doctor::gather::{self, Scope};
use tandem_doctor::{Known, examine};
use tandem_eventlog::testing::{CONTRACT, part};
use tandem_eventlog::{EventLog as _, Filter, JetStreamLog, JetStreamOptions, RecordedEvent, Subject};
use tandem_nats_server::NatsServer;
use tandem_vault::{MasterKey, Vault, VaultError};
use tempfile::TempDir;

/// A server with a log and a vault, if there is any.
struct World {
    nats: NatsServer,
    client: async_nats::Client,
}

impl World {
    async fn empty() -> Self {
        let nats = NatsServer::builder().start().await.unwrap();
        let client = async_nats::connect(nats.url()).await.unwrap();
        Self { nats, client }
    }

    async fn log(&self) -> JetStreamLog {
        JetStreamLog::open(self.client.clone(), JetStreamOptions::default()).await.unwrap()
    }

    async fn vault(&self) -> Vault {
        let context = jetstream::new(self.client.clone());
        Vault::open(&context, "tandem", master(), 1).await.unwrap()
    }

    /// Data of a person, then an event about them, as services write them.
    async fn work(&self, person: usize) {
        let id = format!("p{person}");
        self.vault().await.put("acme", &id, "name", format!("name of {id}").as_bytes()).await.unwrap();
        let subject = Subject::new("acme", CONTRACT, &id).unwrap();
        let log = self.log().await;
        let ids = [1, 2, 3].map(|number| format!("{id}-{number}"));
        let first = log.append(vec![part(&subject, 0, &[&ids[0]])]).await.unwrap()[0];
        log.append(vec![part(&subject, first, &[&ids[1], &ids[2]])]).await.unwrap();
    }

    async fn events(&self) -> Vec<RecordedEvent> {
        let log = self.log().await;
        let last = log.last_position(&Filter::default()).await.unwrap();
        let all = log.follow(&Filter::default(), 0).await.unwrap().map(|followed| followed.unwrap().event);
        if last == 0 { Vec::new() } else { all.take(usize::try_from(last).unwrap()).collect().await }
    }

    async fn name(&self, person: &str) -> Option<String> {
        let name = self.vault().await.get("acme", person, "name").await.unwrap();
        name.map(|name| String::from_utf8(name).unwrap())
    }

    async fn back_up(&self, folder: &Path) -> Manifest {
        create(&self.client, folder, plain()).await.unwrap()
    }

    async fn restore(&self, folder: &Path, options: Restore) -> Result<Restored, BackupError> {
        restore(&self.client, folder, &verify(folder, None, Some(&master())).await?, options).await
    }
}

fn master() -> MasterKey {
    MasterKey::from_bytes([7; 32])
}

fn plain() -> Create<'static> {
    Create { stream: "tandem", key: None, vault_key: None }
}

fn folder() -> (TempDir, std::path::PathBuf) {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("backup");
    (parent, folder)
}

#[tokio::test]
async fn all_else_lost_the_log_is_the_same_to_the_position_and_persons_are_who_they_were() {
    let (_parent, folder) = folder();
    let mut before = World::empty().await;
    for person in 0..40 {
        before.work(person).await;
    }
    before.vault().await.erase("acme", "p7").await.unwrap();
    let events = before.events().await;
    let manifest = before.back_up(&folder).await;
    assert_eq!((manifest.log.events, manifest.log.last_position), (120, 120));
    let counts = manifest.vault.unwrap();
    assert_eq!((counts.data, counts.keys, counts.erased), (39, 40, 1), "39 persons and the proof of the master key");
    before.nats.kill().await.unwrap();

    let after = World::empty().await;
    let restored = after.restore(&folder, Restore::default()).await.unwrap();
    assert_eq!((restored.log.last_position, restored.resumed), (120, false));
    assert_eq!(after.events().await, events);
    assert_eq!(after.name("p3").await.unwrap(), "name of p3");
    assert_eq!(after.name("p7").await, None);
    let vault = after.vault().await;
    assert!(matches!(vault.put("acme", "p7", "name", b"again").await, Err(VaultError::Erased { .. })));
    vault.put("acme", "p8", "name", b"renamed").await.unwrap();
    vault.erase("acme", "p9").await.unwrap();
    assert_eq!(after.name("p10").await.unwrap(), "name of p10", "erasing one overwrites nobody else's key");

    // It goes on where it was, and is as safe as it was.
    after.work(100).await;
    let subject = Subject::new("acme", CONTRACT, "p100").unwrap();
    assert_eq!(after.log().await.read(&subject, 0).await.unwrap()[0].position, 121);
    let facts = gather::nats(&after.client, "tandem", Scope { vault: true, ..Scope::default() }).await;
    let unfit: Vec<_> = examine(&facts).into_iter().filter(|finding| finding.code.ends_with("unfit")).collect();
    assert!(unfit.is_empty(), "{unfit:?}");
    assert_eq!(facts.restoring, Known::Missing);
}

#[tokio::test]
async fn what_is_written_meanwhile_is_in_it_with_all_that_it_refers_to() {
    let (_parent, folder) = folder();
    let before = World::empty().await;
    before.work(0).await;
    let writing = async {
        for person in 1..200 {
            before.work(person).await;
        }
    };
    let backing_up = async {
        let subject = Subject::new("acme", CONTRACT, "p20").unwrap();
        let log = before.log().await;
        while log.read(&subject, 0).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        before.back_up(&folder).await
    };
    let ((), manifest) = tokio::join!(writing, backing_up);
    let all = before.events().await;
    assert!(manifest.log.events > 20, "{}", manifest.log.events);

    let after = World::empty().await;
    after.restore(&folder, Restore::default()).await.unwrap();
    let events = after.events().await;
    assert_eq!(events[..], all[..events.len()]);
    for event in events {
        let person = event.tokens()[3];
        assert_eq!(after.name(person).await, Some(format!("name of {person}")));
    }
}

#[tokio::test]
async fn nothing_is_lost_unless_that_is_asked_for_and_who_was_erased_since_stays_erased() {
    let (_parent, folder) = folder();
    let world = World::empty().await;
    for person in 0..3 {
        world.work(person).await;
    }
    let events = world.events().await;
    world.back_up(&folder).await;
    world.vault().await.erase("acme", "p1").await.unwrap();
    world.work(3).await;
    let refused = world.restore(&folder, Restore::default()).await.unwrap_err();
    let said = refused.to_string();
    assert!(said.contains("tandem (12 messages)") && said.contains("--replace"), "{said}");
    assert_eq!(world.events().await.len(), 12);

    let replace = Restore { replace: true, ..Restore::default() };
    let restored = world.restore(&folder, replace).await.unwrap();
    assert_eq!(restored.vault.kept_erased, 1);
    assert_eq!(world.events().await, events);
    assert_eq!(world.name("p0").await.unwrap(), "name of p0");
    assert_eq!(world.name("p1").await, None, "erased after the backup");
    assert_eq!(world.name("p3").await, None, "came after the backup");
    // Nobody is erased for having come later.
    world.work(3).await;
    assert_eq!(world.name("p3").await.unwrap(), "name of p3");
    world.back_up(&folder.with_file_name("again")).await;
}

#[tokio::test]
async fn a_restore_that_is_broken_off_says_so_and_is_done_again() {
    let (_parent, folder) = folder();
    let before = World::empty().await;
    before.work(0).await;
    before.work(1).await;
    before.back_up(&folder).await;

    let after = World::empty().await;
    let verified = verify(&folder, None, None).await.unwrap();
    let snapshot = folder.join("log.snapshot");
    let whole = std::fs::read(&snapshot).unwrap();
    std::fs::write(&snapshot, &whole[..whole.len() / 2]).unwrap();
    restore(&after.client, &folder, &verified, Restore::default()).await.unwrap_err();

    let facts = gather::nats(&after.client, "tandem", Scope::default()).await;
    let Known::Is(told) = &facts.restoring else { panic!("{:?}", facts.restoring) };
    assert!(told.contains(&verified.manifest.id), "{told}");
    assert!(examine(&facts).iter().any(|finding| finding.code == "restore-unfinished"));

    std::fs::write(&snapshot, whole).unwrap();
    let restored = after.restore(&folder, Restore::default()).await.unwrap();
    assert!(restored.resumed);
    assert_eq!(after.events().await, before.events().await);
    assert_eq!(gather::nats(&after.client, "tandem", Scope::default()).await.restoring, Known::Missing);
}

#[tokio::test]
async fn no_log_begins_while_a_restore_is_under_way() {
    let (_parent, folder) = folder();
    let before = World::empty().await;
    before.work(0).await;
    before.back_up(&folder).await;
    let verified = verify(&folder, None, None).await.unwrap();
    // Broken off at the vault: the log has not begun to come.
    std::fs::write(folder.join("vault.entries"), b"").unwrap();
    let after = World::empty().await;
    restore(&after.client, &folder, &verified, Restore::default()).await.unwrap_err();
    let opened = JetStreamLog::open(after.client.clone(), JetStreamOptions::default()).await;
    let refused = opened.unwrap_err().to_string();
    assert!(refused.contains("restore"), "{refused}");
}

#[tokio::test]
async fn what_is_damaged_or_not_whole_is_found() {
    let (_parent, folder) = folder();
    let world = World::empty().await;
    world.work(0).await;
    assert!(matches!(
        create(&world.client, &folder, Create { stream: "other", ..plain() }).await,
        Err(BackupError::NoLog(_))
    ));
    world.back_up(&folder).await;
    assert!(matches!(create(&world.client, &folder, plain()).await, Err(BackupError::NotEmpty(_))));
    verify(&folder, None, Some(&master())).await.unwrap();
    let other = MasterKey::from_bytes([8; 32]);
    assert!(matches!(verify(&folder, None, Some(&other)).await, Err(BackupError::WrongMasterKey)));

    for file in ["log.snapshot", "vault.entries"] {
        let path = folder.join(file);
        let whole = std::fs::read(&path).unwrap();
        let mut altered = whole.clone();
        altered[whole.len() / 2] ^= 1;
        for damaged in [&altered[..], &whole[..whole.len() - 1]] {
            std::fs::write(&path, damaged).unwrap();
            let error = verify(&folder, None, None).await.unwrap_err();
            assert!(matches!(error, BackupError::Damaged { .. }) && error.to_string().contains(file), "{error}");
        }
        std::fs::write(&path, whole).unwrap();
    }
    verify(&folder, None, None).await.unwrap();
    std::fs::remove_file(folder.join("manifest.json")).unwrap();
    assert!(matches!(verify(&folder, None, None).await, Err(BackupError::Unfinished(_))));
}

#[tokio::test]
async fn a_sealed_backup_opens_with_its_key_alone() {
    let (_parent, folder) = folder();
    let world = World::empty().await;
    world.work(0).await;
    let key = MasterKey::from_bytes([9; 32]);
    let vault_key = Some((master(), "the file of the master key".to_owned()));
    let locked_in = Create { stream: "tandem", key: Some(master()), vault_key: vault_key.clone() };
    assert!(matches!(create(&world.client, &folder, locked_in).await, Err(BackupError::LockedIn)));
    let sealed = Create { stream: "tandem", key: Some(key.clone()), vault_key };
    create(&world.client, &folder, sealed).await.unwrap();

    assert!(matches!(verify(&folder, None, None).await, Err(BackupError::KeyMissing)));
    assert!(matches!(verify(&folder, Some(&master()), None).await, Err(BackupError::WrongKey)));
    let verified = verify(&folder, Some(&key), Some(&master())).await.unwrap();
    assert_eq!(verified.vault_key(&folder).unwrap().unwrap(), "the file of the master key");
    let bytes = std::fs::read(folder.join("vault.key")).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("master key"));

    let after = World::empty().await;
    restore(&after.client, &folder, &verified, Restore::default()).await.unwrap();
    assert_eq!(after.events().await, world.events().await);
    assert_eq!(after.name("p0").await.unwrap(), "name of p0");
}

#[tokio::test]
async fn a_wrong_master_key_is_noticed_before_it_is_too_late() {
    let (_parent, folder) = folder();
    let world = World::empty().await;
    world.work(0).await;
    let other = Some((MasterKey::from_bytes([8; 32]), "text".to_owned()));
    let wrong = create(&world.client, &folder, Create { vault_key: other, ..plain() }).await;
    assert!(matches!(wrong, Err(BackupError::WrongMasterKey)), "{wrong:?}");
    assert!(matches!(verify(&folder, None, None).await, Err(BackupError::Unfinished(_))));
}
