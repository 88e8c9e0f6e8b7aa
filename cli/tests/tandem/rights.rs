//! What published content may be used for, as the command line tells it.

use tandem_cli::platform::UpProcess;
use tempfile::TempDir;

use crate::support::{run, run_against, up};

const REEL: &str = "participations/p1/deliverables/reel-1";
const USE: [&str; 6] = ["--for", "paid-amplification", "--channel", "instagram", "--territory", "US"];

#[tokio::test]
async fn what_is_not_published_is_told_with_what_to_do() {
    let data = TempDir::new().unwrap();
    let up: UpProcess = up(data.path()).await;
    let asked = run_against(&up.ready, &[&["rights", "check", REEL][..], &USE].concat()).await;
    assert_eq!((asked.code, &asked.stdout[..]), (Some(1), ""), "{asked:?}");
    assert!(asked.stderr.contains(&format!("{REEL} is not published")), "{asked:?}");
    assert!(asked.stderr.contains("RecordPublication"), "{asked:?}");

    for list in [&["rights", "list", "--filter", "state = ACTIVE"][..], &["rights", "expiring", "--within-days", "90"]]
    {
        let listed = run_against(&up.ready, list).await;
        assert_eq!((listed.code, &listed.stdout[..], &listed.stderr[..]), (Some(0), "", "0 rights\n"), "{listed:?}");
    }
    up.child.stop().await.unwrap();
}

#[tokio::test]
async fn what_can_not_be_meant_is_refused_before_anything_is_asked() {
    let other_use = ["--for", "ads", "--channel", "instagram", "--territory", "US"];
    for (arguments, said) in [
        (
            [&["rights", "check", "reel-1"][..], &USE].concat(),
            "participations/{participation}/deliverables/{deliverable}",
        ),
        ([&["rights", "check", REEL][..], &other_use].concat(), "full-commercial"),
        (vec!["rights", "check", REEL], "--territory"),
        (vec!["rights", "expiring", "--within-days", "0"], "1..=3660"),
        (vec!["rights", "expiring", "--as-of", "soon"], "2026-03-31"),
    ] {
        let refused = run(&arguments).await;
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(said), "{said}: {refused:?}");
    }
}
