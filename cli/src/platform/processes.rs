//! Each service in a process of its own, as in production.
//!
//! Invariant: a service is told all that it needs by its options; it knows nothing of having been started from here.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use futures::FutureExt as _;
use futures::future::{join_all, select_all, try_join_all};
use tandem_client::{Endpoints, Service};
use tokio::process::Command;

use super::Options;
use super::child::Child;
use super::ports::Listeners;

pub(super) struct Processes(Vec<Child>);

impl Processes {
    pub(super) async fn start(
        listeners: Listeners,
        endpoints: &Endpoints,
        nats_url: &str,
        options: &Options,
        binaries: &Path,
    ) -> anyhow::Result<Self> {
        let logs = options.data.join("logs");
        std::fs::create_dir_all(&logs)?;
        let mut starting = Vec::new();
        for (service, listener, address) in listeners.into_iter() {
            // A listener can't be handed to another program here: its port is free for an instant.
            drop(listener);
            let program = format!("tandem-{service}");
            let ready_file = logs.join(format!("{service}.ready"));
            let mut command = Command::new(binaries.join(&program));
            command
                .arg("--development-key")
                .args(["--environment", "development", "--nats-url", nats_url])
                .args(["--listen", &address.to_string()])
                .args(["--views", &format!("sqlite:{}", options.data.join("views").display())])
                .arg("--ready-file")
                .arg(&ready_file);
            if let Some(collector) = &options.otlp_endpoint {
                command.args(["--otlp-endpoint", collector]);
            }
            for other in Service::ALL {
                let variable = format!("TANDEM_{}_URL", other.name().to_ascii_uppercase());
                command.env(variable, endpoints.of(other));
            }
            let log = logs.join(format!("{service}.log"));
            starting.push(async move {
                let started = Child::start(&program, &mut command, &ready_file, &log).await;
                started.map(|(child, _)| child).with_context(|| format!("the {service} service"))
            });
        }
        Ok(Self(try_join_all(starting).await?))
    }

    /// Waits until a service ends, and says which.
    pub(super) async fn ended(&mut self) -> anyhow::Error {
        let ends = self.0.iter_mut().map(|child| {
            async {
                let status = child.ended().await;
                (child.name().to_owned(), status)
            }
            .boxed()
        });
        let ((name, status), ..) = select_all(ends).await;
        match status {
            Ok(status) => anyhow!("{name} ended by itself ({status})"),
            Err(error) => error.into(),
        }
    }

    pub(super) async fn stop(self) -> anyhow::Result<()> {
        join_all(self.0.into_iter().map(Child::stop)).await.into_iter().collect()
    }
}
