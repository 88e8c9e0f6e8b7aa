//! The command line.
//!
//! Invariant: exit code 0 means done, 1 means not done and stderr says why and what to do, 2 that the arguments are
//! wrong or, for an import, that some rows were rejected.

use std::fmt::Display;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::audit::Audit;
use crate::backup::{Backup, Restore};
use crate::contracts::Contracts;
use crate::doctor::Doctor;
use crate::erase::Erase;
use crate::events::Events;
use crate::import::Import;
use crate::keygen::Keygen;
use crate::partnership::Partnerships;
use crate::payout::Payouts;
use crate::processes::Processes;
use crate::provision::Provision;
use crate::rights::Rights;
use crate::token::Token;
use crate::up::Up;
use crate::views::Views;

/// As clap ends where it finds it itself.
const WRONG_ARGUMENTS: u8 = 2;

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
    Contracts(Contracts),
    Partnership(Partnerships),
    Payout(Payouts),
    Rights(Rights),
    Views(Views),
    Processes(Processes),
    Audit(Audit),
    Erase(Erase),
    Keygen(Keygen),
    Provision(Provision),
    Doctor(Doctor),
    Backup(Backup),
    Restore(Restore),
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
            Command::Contracts(contracts) => contracts.run().await,
            Command::Partnership(partnerships) => partnerships.run().await,
            Command::Payout(payouts) => payouts.run().await,
            Command::Rights(rights) => rights.run().await,
            Command::Views(views) => views.run().await,
            Command::Processes(processes) => processes.run().await,
            Command::Audit(audit) => audit.run().await,
            Command::Erase(erase) => erase.run().await,
            Command::Keygen(keygen) => keygen.run(),
            Command::Provision(provision) => provision.run().await,
            Command::Doctor(doctor) => doctor.run().await,
            Command::Backup(backup) => backup.run().await,
            Command::Restore(restore) => restore.run().await,
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
        if let Some(usage) = error.downcast_ref::<clap::Error>() {
            let _ = usage.print();
            return ExitCode::from(WRONG_ARGUMENTS);
        }
        eprintln!("tandem: {}", told(&error));
        ExitCode::FAILURE
    })
}

/// An error of arguments that each are well formed, but not what can be done.
pub(crate) fn wrong_arguments(message: impl Display) -> anyhow::Error {
    Cli::command().error(ErrorKind::ValueValidation, message).into()
}

/// The error with its causes. A cause is told once, also where the text of an error holds it already; what a service
/// has said is complete.
fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    let mut cause = Some(error.as_ref() as &(dyn std::error::Error + 'static));
    while let Some(error) = cause.filter(|error| !error.is::<tandem_client::Error>()) {
        cause = error.source();
        let Some(said) = cause.map(ToString::to_string) else { break };
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_cause_is_told_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("map.toml can't be read: {source}")]
        struct Unreadable {
            source: std::io::Error,
        }
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        let error = anyhow::Error::from(Unreadable { source }).context("nothing was imported");
        assert_eq!(told(&error), "nothing was imported: map.toml can't be read: entity not found");
        let service = tandem_client::Error::from(tonic::Status::from_error(Box::new(std::io::Error::other("tcp"))));
        let said = service.to_string();
        assert_eq!(told(&anyhow::Error::from(service).context("lost")), format!("lost: {said}"));
    }
}
