//! The demo as a user runs it.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::process::{Command, Output};

fn demo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tandem-demo")).args(arguments).output().unwrap()
}

#[track_caller]
fn assert_told(output: &Output) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("All of it as stated"), "{out}");
}

#[test]
fn in_one_process() {
    assert_told(&demo(&[]));
}

#[test]
fn in_separate_processes() {
    assert_told(&demo(&["--separate"]));
}
