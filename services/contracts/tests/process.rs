//! The service as a process of its own: how it ends when it can't start.
#![allow(clippy::unwrap_used, reason = "a test that can't go on shall say where")]

use std::net::TcpListener;
use std::process::Command;

#[test]
fn what_keeps_it_from_starting_is_one_line_and_no_backtrace() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = Command::new(env!("CARGO_BIN_EXE_tandem-contracts"))
        .args(["--listen", &address])
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    let remedy = "stop it, or choose another address with --listen";
    assert_eq!(told, format!("Error: {address} is taken by another process; {remedy}\n"));
}
