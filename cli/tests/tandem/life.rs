//! One Tandem from its first start over work, stop and crash to the next start.

use crate::support::{EXAMPLES, Ran, run_against, up};
use rustix::process::Signal;
use tandem_cli::platform::{Ready, UpProcess};
use tempfile::TempDir;

async fn import(ready: &Ready) -> Ran {
    let mapping = format!("{EXAMPLES}/creators-instagram.toml");
    let file = format!("{EXAMPLES}/creators-instagram-2022-09.csv");
    run_against(ready, &["import", "--mapping", &mapping, &file]).await
}

/// The audit trail, an entry a line.
async fn audit(ready: &Ready, more: &[&str]) -> Vec<serde_json::Value> {
    let text = run_against(ready, &[&["audit", "--format", "json"], more].concat()).await.ok();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn events(ready: &Ready, more: &[&str]) -> Vec<serde_json::Value> {
    let tail = ["events", "tail", "--until-now", "--format", "json"];
    let text = run_against(ready, &[&tail, more].concat()).await.ok();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Ends it as Ctrl-C does.
async fn interrupt(mut up: UpProcess) {
    up.child.signal(Signal::INT).unwrap();
    let status = up.child.ended().await.unwrap();
    let output = up.child.output();
    assert_eq!(status.code(), Some(0), "{output}");
    assert!(output.contains("stopped, nothing lost"), "{output}");
}

fn count_before(text: &str, what: &str) -> String {
    let line = text.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("no {what} in {text}"));
    line.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_done_is_there_after_a_stop_and_after_a_crash() {
    let data = TempDir::new().unwrap();
    let first = up(data.path()).await;

    let summary = import(&first.ready).await.ok();
    for (what, count) in [
        ("rows read", "1,050"),
        ("creators created", "983"),
        ("merged as repeats", "67"),
        ("creators updated", "0"),
        ("rows rejected", "0"),
    ] {
        assert_eq!(count_before(&summary, what), count, "{what} in {summary}");
    }

    let trail = audit(&first.ready, &[]).await;
    assert!(trail.len() >= 983, "{}", trail.len());
    assert_eq!(trail[0]["command"], "tandem.creators.v1.CreatorService/BatchImportCreators");
    assert_eq!(trail[0]["actor"], "users/developer");
    let table = run_against(&first.ready, &["audit", "--resource", trail[0]["resource"].as_str().unwrap()]).await;
    assert!(table.stdout.contains("BatchImportCreators") && table.stdout.contains("users/developer"), "{table:?}");

    let rebuilt = run_against(&first.ready, &["views", "rebuild", "--all"]).await.ok();
    assert!(rebuilt.contains("audit") && rebuilt.contains("creators"), "{rebuilt}");
    assert_eq!(audit(&first.ready, &[]).await, trail);
    interrupt(first).await;

    let mut second = up(data.path()).await;
    assert_eq!(audit(&second.ready, &[]).await, trail);
    let summary = import(&second.ready).await.ok();
    assert_eq!(count_before(&summary, "creators unchanged"), "983", "{summary}");
    assert!(summary.contains("nothing changed"), "{summary}");
    assert_eq!(audit(&second.ready, &[]).await, trail);
    second.child.signal(Signal::KILL).unwrap();
    second.child.ended().await.unwrap();

    let third = up(data.path()).await;
    assert_eq!(audit(&third.ready, &[]).await, trail);
    interrupt(third).await;
}

#[tokio::test]
async fn an_erased_creator_leaves_a_reasoned_entry_and_no_name() {
    let data = TempDir::new().unwrap();
    let up = up(data.path()).await;
    let mapping = data.path().join("mapping.toml");
    let text = "[fixed]\nplatform = \"tiktok\"\nobserve_date = \"2022-09-01\"\n[columns]\nhandle = \"Handle\"\n\
        display_name = \"Name\"\nfollowers = \"Fans\"";
    std::fs::write(&mapping, text).unwrap();
    let file = data.path().join("export.csv");
    std::fs::write(&file, "Handle,Name,Fans\nann,\"Ann\nof Kent\",12.3K\nbob,Bob,-1\n@,Nobody,5\n").unwrap();

    let (mapping, file) = (mapping.to_str().unwrap(), file.to_str().unwrap());
    let imported = run_against(&up.ready, &["import", "--mapping", mapping, file]).await;
    assert_eq!(imported.code, Some(2), "{imported:?}");
    assert!(imported.stderr.contains("export.csv:4: Fans: \"-1\" is negative"), "{imported:?}");
    assert!(imported.stderr.contains("export.csv:5: Handle: is empty"), "{imported:?}");
    assert_eq!(count_before(&imported.stdout, "creators created"), "1", "{imported:?}");

    let seen = events(&up.ready, &[]).await;
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0]["data"]["channel"]["figures"]["followers"], "12300");
    assert!(!seen[0].to_string().contains("Ann"), "{seen:?}");

    let creator = seen[0]["subject"].as_str().unwrap();
    let erased = run_against(&up.ready, &["erase", creator, "--reason", "request of the person"]).await.ok();
    assert!(erased.contains(creator), "{erased}");
    let entries = audit(&up.ready, &["--filter", "command = \"tandem.creators.v1.CreatorService/EraseCreator\""]).await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["reason"], "request of the person");
    let after = seen[0]["position"].to_string();
    let later = events(&up.ready, &["--after", &after, "--type", "tandem.creators.v1.CreatorErased"]).await;
    assert_eq!(later.len(), 1, "{later:?}");
    interrupt(up).await;
    assert!(!data.path().join("up.ready").exists(), "nobody takes it for running");
}

#[tokio::test]
async fn a_token_of_a_tenant_reaches_that_tenant_alone() {
    let data = TempDir::new().unwrap();
    let up = up(data.path()).await;
    assert_eq!(import(&up.ready).await.code, Some(0));
    let mint = |permission: &'static str| {
        let args = ["token", "--tenant", "other", "--subject", "users/maria", "--permission", permission];
        async move { crate::support::run(&args).await.ok().trim().to_owned() }
    };
    let token = mint("audit.read").await;
    assert_eq!(audit(&up.ready, &["--token", &token]).await, Vec::<serde_json::Value>::new());
    let refused = run_against(&up.ready, &["audit", "--token", &mint("contracts.*").await]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("PERMISSION_MISSING") && refused.stderr.contains("audit.read"), "{refused:?}");
    interrupt(up).await;
}
