//! A replica of a service, in a process of its own.

use std::net::SocketAddr;
use std::path::Path;

use tandem_cli::platform::{Child, beside_this_program};
use tokio::process::Command;

/// Where replicas keep their views.
#[derive(Clone, Debug)]
pub enum Views {
    /// Each has its own, which it builds when it starts.
    Own,
    /// All in this database, where one replica folds for all.
    Shared(String),
}

pub struct Replica {
    pub child: Child,
    pub address: SocketAddr,
}

impl Replica {
    /// Starts one, and waits until it says that it is ready.
    pub async fn start(folder: &Path, nats: &str, views: &Views, number: usize) -> Self {
        let folder = folder.join(format!("replica-{number}"));
        std::fs::create_dir(&folder).unwrap();
        let ready = folder.join("ready");
        let views = match views {
            Views::Own => format!("sqlite:{}", folder.display()),
            Views::Shared(url) => url.clone(),
        };
        let mut command = Command::new(beside_this_program("tandem-contracts").unwrap());
        command
            .args(["--development-key", "--listen", "127.0.0.1:0", "--nats-url", nats, "--views", &views])
            // Long enough for the balancer to hear of it; and connections so short-lived that some end all the time.
            .args(["--drain-delay", "1", "--max-connection-age", "0.5"])
            .arg("--ready-file")
            .arg(&ready);
        let started = Child::start("tandem-contracts", &mut command, &ready, &folder.join("log")).await;
        let (child, told) = started.unwrap();
        Self { child, address: told["address"].as_str().unwrap().parse().unwrap() }
    }
}
