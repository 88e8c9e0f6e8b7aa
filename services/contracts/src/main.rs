//! `tandem-contracts`: the contracts service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    tandem_service::main::<tandem_contracts::Contracts>()
}
