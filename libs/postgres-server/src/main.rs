//! Runs a command beside a PostgreSQL of its own, which the tests of that command then share: they find it in
//! `TANDEM_POSTGRES_URL`. `tandem-postgres-server cargo nextest run` makes one data directory, not one a process.
//!
//! Invariant: it ends as the command ends, and the server with it.

use std::process::ExitCode;

use tandem_postgres_server::{PostgresServer, SHARED_URL, StartError};
use tokio::process::Command;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tandem-postgres-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode, StartError> {
    let mut command = std::env::args_os().skip(1);
    let Some(program) = command.next() else {
        eprintln!("usage: tandem-postgres-server <command> [<argument>..]");
        return Ok(ExitCode::FAILURE);
    };
    let mut server = PostgresServer::builder().start().await?;
    // Ctrl-C reaches the command, too; it is for the command to end on it.
    tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
    let status = Command::new(program).args(command).env(SHARED_URL, server.url()).status().await?;
    server.stop().await?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
