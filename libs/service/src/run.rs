//! Running a service, as a process of its own or beside others.
//!
//! Invariant: started in the order address, server, log, views, gate, so that health is answered from the first moment on;
//! stopped in the reverse order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::auth::Authenticator;
use crate::config::Settings;
use crate::environment::{Environment, Service};
use crate::gate::Gate;
use crate::readiness::Readiness;
use crate::{Telemetry, health, processes, server, views};

/// The command line of a service.
#[derive(clap::Parser, Clone, Debug)]
#[command(version)]
pub struct CommandLine<A: clap::Args> {
    /// What all services can be told.
    #[command(flatten)]
    pub settings: Settings,
    /// What this one can be told.
    #[command(flatten)]
    pub args: A,
    /// File to be written once the service answers, for whoever has started it: {"address": "127.0.0.1:7402"}
    #[arg(long, env = "TANDEM_READY_FILE", value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

/// The whole of a service's `main`: reads the command line, runs the service, and ends on SIGTERM or Ctrl-C after the
/// requests in flight.
///
/// What kept it from starting or running is told in one line on standard error, whatever `RUST_BACKTRACE` says, with exit
/// code 1; a wrong command line with code 2.
#[must_use]
pub fn main<S: Service>() -> ExitCode {
    match try_main::<S>() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes; some of a library span several lines.
fn one_line(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

fn try_main<S: Service>() -> anyhow::Result<()> {
    let name = format!("tandem-{}", S::NAME);
    let command = CommandLine::<S::Args>::command().about(format!("The {} service of Tandem", S::NAME));
    let mut matches = command.bin_name(&name).display_name(&name).get_matches();
    let CommandLine { settings, args, ready_file } =
        CommandLine::<S::Args>::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.exit());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let telemetry = Telemetry::start(S::NAME, &settings.telemetry)?;
        let shutdown = CancellationToken::new();
        tokio::spawn(cancel_when_terminated(shutdown.clone()));
        let (ready, address) = oneshot::channel();
        let announced = announce(ready_file.as_deref(), address, shutdown.clone());
        let (ran, announced) = tokio::join!(run::<S>(&settings, &args, shutdown, ready), announced);
        telemetry.stop().await;
        ran.and(announced)
    })
}

/// Runs a service until `shutdown`. `ready` is told the address once the service answers on it. Without NATS it waits:
/// its health is NOT_SERVING then, and whoever calls is told to come again.
///
/// # Errors
/// What kept it from starting or running.
pub async fn run<S: Service>(
    settings: &Settings,
    args: &S::Args,
    shutdown: CancellationToken,
    ready: oneshot::Sender<SocketAddr>,
) -> anyhow::Result<()> {
    let listener = server::bind(settings.address(S::DEFAULT_PORT)).await?;
    run_on::<S>(listener, settings, args, shutdown, ready).await
}

/// Runs a service as [`run`] does, on an address that is taken already: whoever starts several that call each other
/// knows all addresses before the first one runs.
///
/// # Errors
/// What kept it from starting or running.
pub async fn run_on<S: Service>(
    listener: TcpListener,
    settings: &Settings,
    args: &S::Args,
    shutdown: CancellationToken,
    ready: oneshot::Sender<SocketAddr>,
) -> anyhow::Result<()> {
    settings.check()?;
    let authenticator = Authenticator::new(&settings.auth)?;
    let tls = settings.tls.server()?;
    let address = listener.local_addr()?;
    let health_listener = match settings.health_listen {
        Some(address) => Some(server::bind(address).await?),
        None => None,
    };
    let (gate, readiness, draining) = (Gate::default(), Readiness::default(), CancellationToken::new());
    let health = health::server(gate.clone(), readiness.clone(), shutdown.clone());
    let announced = async {
        shutdown.cancelled().await;
        tokio::time::sleep(settings.drain_delay()).await;
        draining.cancel();
        std::future::pending().await
    };
    let with_tls = tls.is_some();
    let serving = async {
        let (gate, limits) = (gate.clone(), &settings.limits);
        tokio::select! {
            served = server::serve(listener, tls, gate, health.clone(), authenticator, limits, draining.clone()) => served,
            () = server::serve_health(health_listener, health.clone()) => Ok(()),
            () = announced => Ok(()),
        }
    };
    let mut serving = std::pin::pin!(serving);
    let started = async {
        let env = Environment::open(S::NAME, settings, S::KEEPS_VAULT, readiness.clone(), draining.clone()).await?;
        // Whatever was started ends, should the rest fail or be given up.
        let guard = env.stopping.clone().drop_guard();
        let wired = S::wire(&env, args).await.with_context(|| format!("{} can't be started", S::NAME))?;
        let views = wired.views.clone();
        gate.open(server::behind(wired, &env)?);
        guard.disarm();
        anyhow::Ok((env, views))
    };
    // Health is answered while NATS is waited for.
    let (env, views) = tokio::select! {
        started = started => started?,
        served = &mut serving => return served,
    };
    env.start_processes();
    env.spawn(readiness.clone().ask(Arc::clone(&env.log), env.stopping.clone()));
    if settings.telemetry.endpoint().is_some() {
        env.spawn(views::measure(views.clone(), env.stopping.clone()));
        env.spawn(processes::measure(env.failing(), env.stopping.clone()));
    }
    let reached = async {
        // In an upgrade the replicas of the old version answer until this one's views are built.
        for view in &views {
            view.settled().await;
        }
        readiness.wired();
        readiness.reached().await;
    };
    // Whoever is told that it is ready may ask its health at once.
    let served = tokio::select! {
        () = reached => None,
        served = &mut serving => Some(served),
    };
    if let Some(served) = served {
        env.stop(&views, settings.limits.drain_timeout).await;
        return served;
    }
    tracing::info!(service = S::NAME, %address, tls = with_tls, "ready");
    // Nobody may care.
    let _ = ready.send(address);
    let served = serving.await;
    env.stop(&views, settings.limits.drain_timeout).await;
    tracing::info!(service = S::NAME, "stopped");
    served
}

/// Waits for SIGTERM or SIGINT (Ctrl-C).
///
/// # Errors
/// If signals can't be received.
pub async fn terminated() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Writes the ready file; the service ends if that fails, for nobody would ever learn that it runs.
async fn announce(
    file: Option<&Path>,
    address: oneshot::Receiver<SocketAddr>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (Some(file), Ok(address)) = (file, address.await) else { return Ok(()) };
    let content = serde_json::json!({ "address": address });
    write_ready_file(file, &content).inspect_err(|_| shutdown.cancel())
}

/// Writes a ready file in one step: who sees it sees all of it.
///
/// # Errors
/// If the file can't be written.
pub fn write_ready_file(file: &Path, content: &serde_json::Value) -> anyhow::Result<()> {
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".unfinished");
    std::fs::write(&unfinished, content.to_string())
        .and_then(|()| std::fs::rename(&unfinished, file))
        .with_context(|| format!("the ready file {} can't be written", file.display()))
}

async fn cancel_when_terminated(shutdown: CancellationToken) {
    match terminated().await {
        Ok(()) => shutdown.cancel(),
        Err(error) => tracing::warn!(%error, "signals can't be received; the service ends only when killed"),
    }
}
