//! The same seed is the same run.
#![cfg(tokio_unstable)]

use std::process::Command;

use tandem_simulation::{Options, run};

#[test]
fn a_seed_makes_the_same_run_again_and_in_another_thread() {
    for seed in 1..=4 {
        let first = run(seed, &Options::default());
        assert!(first.steps > 1000 && first.events > 10, "{} steps, {} events", first.steps, first.events);
        assert_eq!(run(seed, &Options::default()), first);
        let other = std::thread::spawn(move || run(seed, &Options::default())).join().unwrap();
        assert_eq!(other, first);
    }
}

#[test]
fn another_seed_makes_another_run() {
    assert_ne!(run(1, &Options::default()).hash, run(2, &Options::default()).hash);
}

/// What differs from process to process, as the order of a map's entries does, has no part in it.
#[test]
fn a_seed_makes_the_same_run_in_another_process() {
    let trace = || {
        let run = Command::new(env!("CARGO_BIN_EXE_tandem-simulation")).args(["--seed", "5"]).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
        String::from_utf8(run.stderr).unwrap()
    };
    let first = trace();
    assert!(first.lines().count() > 200);
    assert_eq!(trace(), first);
}

#[test]
fn many_seeds_make_the_same_runs_in_another_process_with_other_threads() {
    let counts = |threads| {
        let run = Command::new(env!("CARGO_BIN_EXE_tandem-simulation"))
            .args(["--first", "100", "--seeds", "40", "--threads", threads])
            .output()
            .unwrap();
        let counts = String::from_utf8(run.stdout).unwrap();
        assert!(run.status.success(), "{counts}{}", String::from_utf8_lossy(&run.stderr));
        // But for how long it took.
        counts.rsplit_once(", ").unwrap().0.to_owned()
    };
    let first = counts("1");
    assert!(first.contains("40 seeds") && first.contains("traces"), "{first}");
    assert_eq!(counts("3"), first);
}
