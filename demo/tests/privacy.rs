//! Personal data stays between the vault and those who ask for it. Whoever runs the platform sees none, however closely
//! they look: not in log lines, traces and measurements, nor in the files of the log, the vault and the views.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

use tandem_client::Service;
use tandem_service::testing::Collector;
use tokio::process::Command;

/// Of the creator of the story, in any case: handle and display name, holder and numbers of the account.
const PERSONAL: [&str; 4] = ["nikkietutorials", "nikkie tutorials", "nl91abna0417164300", "abnanl2a"];
/// The contract of the story, which is not personal, is to be found where events are: what is searched can be read.
const LEGIBLE: &str = "contracts/glowco-summer";

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_is_nowhere_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start().unwrap();
    let told = Command::new(env!("CARGO_BIN_EXE_tandem-demo"))
        .args(["--separate", "--data"])
        .arg(folder.path())
        .envs([("TANDEM_LOG_FORMAT", "json"), ("TANDEM_LOG_FILTER", "debug")])
        .env("TANDEM_OTLP_ENDPOINT", &collector.endpoint)
        .output()
        .await
        .unwrap();
    let out = String::from_utf8(told.stdout).unwrap();
    assert!(told.status.success(), "{out}\n{}", String::from_utf8_lossy(&told.stderr));
    assert!(out.contains(PERSONAL[0]), "the story is not of this creator:\n{out}");

    let sent = collector.text();
    for method in ["LookupCreator", "SetPayoutAccount", "SubmitPayoutRun"] {
        assert!(sent.contains(method), "{method} was not traced");
    }
    assert_nothing_personal("telemetry", &sent);
    for service in Service::ALL {
        let log = std::fs::read_to_string(folder.path().join(format!("logs/{service}.log"))).unwrap();
        assert!(log.contains(r#""level":"DEBUG""#), "the {service} service has not logged what it could:\n{log}");
    }
    let nats = assert_nothing_personal_below(&folder.path().join("nats"));
    assert!(nats.contains(LEGIBLE), "the events can't be read");
    let views = assert_nothing_personal_below(&folder.path().join("views"));
    assert!(views.contains(LEGIBLE), "the views can't be read");
    assert_nothing_personal_below(&folder.path().join("logs"));
}

/// Answers the content of all files below a folder, in lower case.
fn assert_nothing_personal_below(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all += &assert_nothing_personal_below(&path);
        } else {
            all += &assert_nothing_personal(
                &path.display().to_string(),
                &String::from_utf8_lossy(&std::fs::read(&path).unwrap()),
            );
        }
    }
    all
}

/// Answers the text in lower case.
fn assert_nothing_personal(place: &str, text: &str) -> String {
    let text = text.to_lowercase();
    for personal in PERSONAL {
        if let Some((before, _)) = text.split_once(personal) {
            let start = before.char_indices().rev().nth(200).map_or(0, |(at, _)| at);
            panic!("{personal:?} is in {place}, after {:?}", &before[start..]);
        }
    }
    text
}
