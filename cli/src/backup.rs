//! `tandem backup` and `tandem restore`.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;
use tandem_backup::{Create, Manifest, Restore as Options, Restored, Verified};
use tandem_vault::MasterKey;

use crate::nats::Nats;
use crate::output::{self, Format, grouped};

/// Back up the log and the vault of a running Tandem, and check backups
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Backup {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    /// Back up into a folder that is empty or not there yet
    ///
    /// Tandem may be running. The backup is whole once manifest.json is in the folder.
    Create {
        /// The folder
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
        #[command(flatten)]
        seal: Seal,
        /// Puts this file, the vault's master key, into the backup. Else it is to be kept apart: without it no personal
        /// data can be read
        #[arg(long, value_name = "FILE")]
        include_vault_key: Option<PathBuf>,
        /// Form of the result
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        #[command(flatten)]
        nats: Nats,
    },
    /// Check that a backup is whole: every file, every entry
    Verify {
        /// The folder
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
        #[command(flatten)]
        seal: Seal,
        /// File with the vault's master key, to see that it is the right one
        #[arg(long, env = "TANDEM_VAULT_KEY", value_name = "FILE")]
        vault_key: Option<PathBuf>,
        /// Form of the result
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

/// What the files are sealed with.
#[derive(clap::Args, Clone, Debug)]
struct Seal {
    /// File with the key that the backup is sealed with: 32 random bytes in base64, as of `openssl rand -base64 32`
    #[arg(long, env = "TANDEM_BACKUP_KEY", value_name = "FILE")]
    backup_key: Option<PathBuf>,
}

/// Put a backup back into NATS
///
/// The services must be stopped. It refuses where there is a log or a vault already, unless --replace. What was broken
/// off is done by the same command again. Start the services with an empty folder of views afterwards: they are built
/// anew from the log.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Restore {
    /// The folder of the backup
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    #[command(flatten)]
    seal: Seal,
    /// Replace the log and the vault that are there: they are lost, but for erasures of persons
    #[arg(long)]
    replace: bool,
    /// Copies of each stream [default: as many as there were]
    #[arg(long, value_name = "N")]
    replicas: Option<usize>,
    /// Write the vault's master key to this file, if it lies in the backup
    #[arg(long, value_name = "FILE")]
    vault_key_out: Option<PathBuf>,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    nats: Nats,
}

impl Backup {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Create { folder, seal, include_vault_key, format, nats } => {
                let vault_key = include_vault_key.map(|path| {
                    let text = std::fs::read_to_string(&path)
                        .with_context(|| format!("--include-vault-key {} can't be read", path.display()))?;
                    anyhow::Ok((MasterKey::from_base64(&text).context("--include-vault-key")?, text))
                });
                let (key, vault_key) = (seal.key()?, vault_key.transpose()?);
                let client = nats.connect().await?;
                let options = Create { stream: &nats.stream, key, vault_key };
                let manifest = tandem_backup::create(&client, &folder, options).await?;
                warn(&manifest);
                tell(&folder, &manifest, format)
            }
            Command::Verify { folder, seal, vault_key, format } => {
                let vault_key = vault_key.map(|path| MasterKey::from_file(&path)).transpose().context("--vault-key")?;
                let verified = tandem_backup::verify(&folder, seal.key()?.as_ref(), vault_key.as_ref()).await?;
                tell(&folder, &verified.manifest, format)
            }
        }
    }
}

impl Restore {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let verified = tandem_backup::verify(&self.folder, self.seal.key()?.as_ref(), None).await?;
        let Manifest { log, .. } = &verified.manifest;
        anyhow::ensure!(
            log.stream == self.nats.stream,
            "the backup is of the log {0}, not {1}; name it in --stream",
            log.stream,
            self.nats.stream
        );
        if let Some(file) = &self.vault_key_out {
            write_vault_key(&self.folder, &verified, file)?;
        }
        let client = self.nats.connect().await?;
        let options = Options { replace: self.replace, replicas: self.replicas };
        let restored = tandem_backup::restore(&client, &self.folder, &verified, options).await?;
        self.tell(&verified.manifest, &restored)?;
        Ok(ExitCode::SUCCESS)
    }

    fn tell(&self, manifest: &Manifest, restored: &Restored) -> std::io::Result<()> {
        let Restored { log, vault, copies_current, resumed } = restored;
        if self.format == Format::Json {
            return output::line(json!({
                "backup": manifest.id, "events": log.events, "last_position": log.last_position,
                "vault_data": vault.data, "vault_keys": vault.keys, "kept_erased": vault.kept_erased,
                "copies_current": copies_current, "resumed": resumed,
            }));
        }
        let resumed = if *resumed { ", after a restore that was broken off" } else { "" };
        output::line(format!(
            "Restored the log {} as of {}: {} events, the last at position {}{resumed}.",
            log.stream,
            manifest.time.strftime("%Y-%m-%d %H:%M:%S UTC"),
            grouped(log.events),
            grouped(log.last_position)
        ))?;
        output::line(format!("Restored the vault: data of {} persons.", grouped(vault.data)))?;
        if vault.kept_erased > 0 {
            output::line(format!(
                "Kept {} erasures of persons that the backup still had.",
                grouped(vault.kept_erased)
            ))?;
        }
        if !copies_current {
            output::line("Not all copies of the log are current yet; `tandem doctor` tells when they are.")?;
        }
        output::line(
            "\nNext: start the services, with an empty --views; views and timers are made anew from the log.\n\
             Persons who were erased after the backup was made have to be erased again (`tandem erase`), unless kept above.",
        )
    }
}

impl Seal {
    fn key(&self) -> anyhow::Result<Option<MasterKey>> {
        self.backup_key.as_deref().map(MasterKey::from_file).transpose().context("--backup-key")
    }
}

/// Says what lies where.
fn warn(manifest: &Manifest) {
    if manifest.has_vault_key() && !manifest.sealed {
        eprintln!(
            "tandem: the vault's master key lies in this backup, and the backup is not sealed: whoever has the folder reads \
             all personal data. Seal it with --backup-key, or leave --include-vault-key out"
        );
    } else if !manifest.sealed {
        eprintln!(
            "tandem: this backup is not sealed: whoever has the folder reads the log. Personal data in it stays sealed by \
             the vault's master key. Seal it with --backup-key"
        );
    }
    if manifest.vault.is_some() && !manifest.has_vault_key() {
        eprintln!(
            "tandem: the vault's master key is not in this backup: keep its file (--vault-key of creators) apart"
        );
    }
    if manifest.vault.is_none() {
        eprintln!("tandem: there is no vault beside the log, so none is in this backup");
    }
}

fn tell(folder: &Path, manifest: &Manifest, format: Format) -> anyhow::Result<ExitCode> {
    if format == Format::Json {
        output::line(serde_json::to_string(manifest)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Manifest { log, vault, .. } = manifest;
    let vault = vault.unwrap_or_default();
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    output::line(format!(
        "{} is whole: the log {} as of {}, {} events, the last at position {};\nthe vault with {} persons' data, {} keys, {} \
         erasures{}; {} bytes{}.",
        folder.display(),
        log.stream,
        manifest.time.strftime("%Y-%m-%d %H:%M:%S UTC"),
        grouped(log.events),
        grouped(log.last_position),
        grouped(vault.data),
        // One entry proves the master key.
        grouped(vault.keys.saturating_sub(1)),
        grouped(vault.erased),
        if manifest.has_vault_key() { ", and its master key" } else { "" },
        grouped(bytes),
        if manifest.sealed { ", sealed" } else { "" },
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn write_vault_key(folder: &Path, verified: &Verified, file: &Path) -> anyhow::Result<()> {
    let text = verified.vault_key(folder)?.context(
        "the vault's master key is not in this backup; leave --vault-key-out out, and start creators with the file that you \
         kept",
    )?;
    if std::fs::read_to_string(file).is_ok_and(|there| there == text) {
        return Ok(());
    }
    std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut written| written.write_all(text.as_bytes()))
        .with_context(|| format!("--vault-key-out {} can't be written", file.display()))
}
