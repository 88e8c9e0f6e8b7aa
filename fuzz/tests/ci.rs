//! So many calls as a change is to pass.

use tandem_cli::platform::{Options, Platform};
use tandem_fuzz::{Defects, Plan, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_method_answers_everybody_as_it_should() {
    let defects = Defects::watch();
    let data = tempfile::tempdir().unwrap();
    let platform = Platform::start_in_process(Options::ephemeral(data.path())).await.unwrap();
    let report = run(&platform, Plan { seed: 1, first: 0, calls: 10_000, in_flight: 16 }, &defects).await.unwrap();
    platform.stop().await.unwrap();
    println!("{report}");
    assert!(report.violations.is_empty(), "{report}");
    assert!(report.methods > 50, "the descriptors were read wrongly");
    let of = |caller: &'static str, code: &str| report.calls.get(&(caller, code.to_owned())).copied();
    assert!(of("owner", "Ok") > Some(300), "calls that get nowhere find nothing: {report}");
    assert!(of("stranger", "NotFound") > Some(100), "{report}");
}
