//! Running the real program.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tandem_cli::platform::{Ready, UpProcess};
use tandem_client::Service;
use tokio::process::Command;

/// The program under test.
pub const TANDEM: &str = env!("CARGO_BIN_EXE_tandem");
/// The examples of the repository.
pub const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");

/// What a command has printed, and its exit code.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A base with seven free ports after it, which nobody is given by chance: they are below those that systems choose from.
pub fn free_base() -> u16 {
    static TRIES: AtomicU32 = AtomicU32::new(0);
    loop {
        let attempt = TRIES.fetch_add(1, Ordering::Relaxed);
        let slot = (std::process::id().wrapping_mul(31) + attempt) % 2000;
        let base = 10_000 + u16::try_from(slot).unwrap() * 10;
        if (1..=7).all(|offset| TcpListener::bind((Ipv4Addr::LOCALHOST, base + offset)).is_ok()) {
            return base;
        }
    }
}

/// Starts `tandem up` on this data.
pub async fn up(data: &Path) -> UpProcess {
    UpProcess::start(TANDEM.as_ref(), data).await.unwrap()
}

/// Runs a command to its end.
pub async fn run(args: &[&str]) -> Ran {
    let output = Command::new(TANDEM).args(args).stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    let Output { status, stdout, stderr } = output;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// Runs a command against a Tandem that is up.
pub async fn run_against(ready: &Ready, args: &[&str]) -> Ran {
    let endpoints = ready.endpoints();
    let mut args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    for service in Service::ALL {
        args.extend([format!("--{service}-endpoint"), endpoints.of(service).to_owned()]);
    }
    run(&args.iter().map(String::as_str).collect::<Vec<_>>()).await
}

impl Ran {
    /// What it printed, if it did what it was asked.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }
}
