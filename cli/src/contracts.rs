//! `tandem contracts`.

mod apply;
mod conflicts;
mod file;
mod list;
mod located;
mod obligations;
mod outcome;
mod plan;
mod render;
mod show;
mod terms;

use std::process::ExitCode;

/// Write contracts in files, see what they say, and what stands against them
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Contracts {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Command {
    Apply(apply::Apply),
    Show(show::Show),
    List(list::List),
    Render(render::Render),
    Terms(terms::ShowTerms),
    Conflicts(conflicts::Conflicts),
    Obligations(obligations::Obligations),
}

impl Contracts {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Apply(apply) => apply.run().await,
            Command::Show(show) => show.run().await,
            Command::List(list) => list.run().await,
            Command::Render(render) => render.run().await,
            Command::Terms(terms) => terms.run().await,
            Command::Conflicts(conflicts) => conflicts.run().await,
            Command::Obligations(obligations) => obligations.run().await,
        }
    }
}
