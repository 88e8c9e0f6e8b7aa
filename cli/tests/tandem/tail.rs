//! Watching events over a restart of what is watched.

use std::process::Stdio;
use std::time::Duration;

use tandem_cli::import::{self, Mapping};
use tandem_cli::platform::{Options, Platform, Ports};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{ChildStdout, Command};
use tokio::time::timeout;

use crate::support::{TANDEM, free_base};

const MAPPING: &str = "[fixed]\nplatform = \"tiktok\"\nobserve_date = \"2022-09-01\"\n[columns]\nhandle = \"Handle\"\nfollowers = \"Fans\"";

async fn register(platform: &Platform, handles: &[&str]) {
    let file = format!("Handle,Fans\n{}", handles.iter().map(|handle| format!("{handle},1K\n")).collect::<String>());
    let client = platform.client("demo").unwrap();
    let report = import::run(&client, &Mapping::from_toml(MAPPING).unwrap(), file.as_bytes(), |_| {}).await.unwrap();
    assert_eq!(report.created, handles.len() as u64);
}

/// Positions of the next events printed.
async fn positions(lines: &mut Lines<BufReader<ChildStdout>>, count: usize) -> Vec<i64> {
    let mut positions = Vec::new();
    for _ in 0..count {
        let line = timeout(Duration::from_secs(30), lines.next_line()).await.unwrap();
        let event: serde_json::Value = serde_json::from_str(&line.unwrap().unwrap()).unwrap();
        assert_eq!(event["type"], "tandem.creators.v1.CreatorRegistered");
        positions.push(event["position"].as_i64().unwrap());
    }
    positions
}

#[tokio::test]
async fn no_event_is_skipped_or_doubled_over_a_restart() {
    let data = TempDir::new().unwrap();
    let base = free_base();
    let options = Options { ports: Ports::Fixed { base, nats: base + 6 }, ..Options::ephemeral(data.path()) };
    let platform = Platform::start_in_process(options.clone()).await.unwrap();
    register(&platform, &["ann", "bob"]).await;

    let mut tail = Command::new(TANDEM)
        .args(["events", "tail", "--format", "json", "--relationships-endpoint", &platform.endpoints().relationships])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    assert_eq!(positions(&mut lines, 2).await, [1, 2]);
    register(&platform, &["cid"]).await;
    assert_eq!(positions(&mut lines, 1).await, [3]);
    platform.stop().await.unwrap();

    let platform = Platform::start_in_process(options).await.unwrap();
    register(&platform, &["dan", "eva"]).await;
    assert_eq!(positions(&mut lines, 2).await, [4, 5]);
    tail.kill().await.unwrap();
    platform.stop().await.unwrap();
}
