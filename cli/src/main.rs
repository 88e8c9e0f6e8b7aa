//! The program `tandem`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tandem_cli::main()
}
