//! Operating a Tandem: what the doctor says, and backups.

use crate::support::{EXAMPLES, Ran, run, run_against, up};
use tempfile::TempDir;

#[tokio::test]
async fn the_doctor_says_what_stands_against_production_and_what_is_fine() {
    let data = TempDir::new().unwrap();
    let up = up(data.path()).await;
    let nats = ["--nats-url", &up.ready.nats];
    let ran = run_against(&up.ready, &[&["doctor"], &nats[..]].concat()).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for said in [
        "log-not-replicated",
        "nats stream edit tandem --replicas=3",
        "service-development",
        "vault-development-key",
        "view contracts",
        "process payouts",
        "--nats-monitor",
    ] {
        assert!(ran.stdout.contains(said), "{said:?} is not in {}", ran.stdout);
    }

    let development = [&["doctor", "--environment", "development", "--json"], &nats[..]].concat();
    let report: serde_json::Value = serde_json::from_str(&run_against(&up.ready, &development).await.ok()).unwrap();
    assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{report}");
    assert_eq!(report["services"].as_array().unwrap().len(), 5);
    assert_eq!(report["services"][1]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(report["services"][1]["views"][0]["lag"], 0, "{report}");
}

#[tokio::test]
async fn the_doctor_hides_nothing_of_what_answers_behind_what_does_not() {
    let nowhere = "http://127.0.0.1:1";
    let data = TempDir::new().unwrap();
    let up = up(data.path()).await;
    let ran =
        run_against(&up.ready, &["doctor", "--json", "--environment", "development", "--nats-url", "127.0.0.1:1"])
            .await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["findings"][0]["code"], "nats-unreachable", "{report}");
    assert!(report["findings"][0].to_string().contains("NATS can't be reached"), "{report}");
    assert_eq!(report["services"].as_array().unwrap().len(), 5, "{report}");
    let mut args = vec!["doctor".to_owned(), "--nats-url".to_owned(), up.ready.nats.clone()];
    for service in ["creators", "contracts", "campaigns", "payouts", "relationships"] {
        args.extend([format!("--{service}-endpoint"), nowhere.to_owned()]);
    }
    let ran = run(&args.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("service-unreachable") && ran.stdout.contains("log-not-replicated"), "{ran:?}");
}

#[tokio::test]
async fn a_backup_is_made_checked_and_not_put_over_what_is_there() {
    let (data, backups) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let up = up(data.path()).await;
    let mapping = format!("{EXAMPLES}/creators-tiktok.toml");
    let file = format!("{EXAMPLES}/creators-tiktok-2022-09.csv");
    run_against(&up.ready, &["import", "--mapping", &mapping, &file]).await.ok();

    let folder = backups.path().join("first");
    let folder = folder.to_str().unwrap();
    let nats = ["--nats-url", &up.ready.nats];
    let made = run(&[&["backup", "create", folder], &nats[..]].concat()).await;
    assert!(made.stderr.contains("not sealed") && made.stderr.contains("keep its file"), "{made:?}");
    assert!(made.ok().contains("is whole: the log tandem"));
    let checked = run(&["backup", "verify", folder]).await.ok();
    assert!(checked.contains("996 persons' data, 996 keys, 0 erasures"), "{checked}");

    let refused = run(&[&["restore", folder], &nats[..]].concat()).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("not empty: tandem (") && refused.stderr.contains("--replace"), "{refused:?}");
    let refused = run(&[&["restore", "--replace", folder], &nats[..]].concat()).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("services are running") && refused.stderr.contains("stop all"), "{refused:?}");
    assert!(run_against(&up.ready, &["views", "status"]).await.ok().contains("creators"));
    let again = run(&[&["backup", "create", folder], &nats[..]].concat()).await;
    assert!(again.stderr.contains("is not empty"), "{again:?}");
    let Ran { code, stderr, .. } = run(&["backup", "verify", backups.path().to_str().unwrap()]).await;
    assert!(code == Some(1) && stderr.contains("no manifest.json"), "{stderr}");
}
