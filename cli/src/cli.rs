//! The command line.
//!
//! Invariant: exit code 0 means done, 1 means not done and stderr says why and what to do, 2 that the arguments are
//! wrong or, for an import, that some rows were rejected.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::audit::Audit;
use crate::erase::Erase;
use crate::events::Events;
use crate::import::Import;
use crate::token::Token;
use crate::up::Up;
use crate::views::Views;

/// The system of record for partnerships of brands and creators
///
/// Start with `tandem up`, which runs all of it on this machine.
#[derive(Parser)]
#[command(name = "tandem", version, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Up(Up),
    Token(Token),
    Import(Import),
    Events(Events),
    Views(Views),
    Audit(Audit),
    Erase(Erase),
}

/// The whole of the program: reads the arguments, runs the command, says what went wrong.
pub fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    let run = async {
        match command {
            Command::Up(up) => up.run().await,
            Command::Token(token) => token.run(),
            Command::Import(import) => import.run().await,
            Command::Events(events) => events.run().await,
            Command::Views(views) => views.run().await,
            Command::Audit(audit) => audit.run().await,
            Command::Erase(erase) => erase.run().await,
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run));
    outcome.unwrap_or_else(|error| {
        // Who reads the output has seen enough, as `head` does.
        let broken_pipe = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
        if error.downcast_ref::<std::io::Error>().is_some_and(broken_pipe) {
            return ExitCode::SUCCESS;
        }
        eprintln!("tandem: {error:#}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
