//! The creators service as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    tandem_service::main::<tandem_creators::Creators>()
}
