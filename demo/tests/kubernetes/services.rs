//! The five services as processes with the settings of the manifests.

use tandem_cli::platform::{Child, beside_this_program};
use tandem_client::{Client, ClientBuilder, ClientTls, Endpoints, Identity, Service};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::cluster::{Cluster, free_ports, nkey, variables};

pub struct Services {
    endpoints: Endpoints,
    tls: Option<ClientTls>,
    running: Mutex<Vec<Child>>,
    data: TempDir,
}

impl Services {
    pub async fn start(cluster: &Cluster) -> Self {
        let (data, ports) = (tempfile::tempdir().unwrap(), free_ports(5));
        let scheme = if cluster.certificates.is_some() { "https" } else { "http" };
        let mut endpoints = Endpoints::default();
        for (service, port) in Service::ALL.into_iter().zip(&ports) {
            *endpoints.of_mut(service) = format!("{scheme}://127.0.0.1:{port}");
        }
        let starting = Service::ALL.into_iter().map(|service| {
            let (data, endpoints) = (data.path(), &endpoints);
            async move {
                let program = format!("tandem-{service}");
                let mut command = Command::new(beside_this_program(&program).unwrap());
                command.envs(variables("base/settings.env")).envs(variables("overlays/development/settings.env"));
                // What differs on one machine: addresses, and where files are.
                command.env("TANDEM_LISTEN", endpoints.of(service).split_once("//").unwrap().1);
                command.env_remove("TANDEM_HEALTH_LISTEN").env_remove("TANDEM_NATS_MONITOR");
                for other in Service::ALL {
                    command.env(other.variable(), endpoints.of(other));
                }
                command.envs(cluster.tls_settings());
                command.env("TANDEM_NATS_URL", cluster.url()).env("TANDEM_NATS_NKEY", nkey(service.name()));
                command.env("TANDEM_VIEWS", format!("sqlite:{}", data.join("views").display()));
                let ready = data.join(format!("{service}.ready"));
                command.arg("--ready-file").arg(&ready);
                Child::start(&program, &mut command, &ready, &data.join(format!("{service}.log"))).await
            }
        });
        let started = futures::future::try_join_all(starting).await.unwrap();
        let running = started.into_iter().map(|(child, _)| child).collect();
        let tls = cluster.certificates.as_ref().map(|certificates| {
            let file = |name: &str| certificates.path().join(name);
            let identity = Identity { certificate: file("tls.crt"), key: file("tls.key") };
            ClientTls::open(Some(file("ca.crt")), Some(identity)).unwrap()
        });
        Self { endpoints, tls, running: Mutex::new(running), data }
    }

    /// A client to be, which reaches them.
    pub fn client(&self) -> ClientBuilder {
        let client = Client::builder().endpoints(self.endpoints.clone());
        match &self.tls {
            Some(tls) => client.tls(tls.clone()),
            None => client,
        }
    }

    pub async fn stop(&self) {
        let running = std::mem::take(&mut *self.running.lock().await);
        futures::future::try_join_all(running.into_iter().map(Child::stop)).await.unwrap();
    }

    /// What all of them have said.
    pub fn output(&self) -> String {
        let log = |service: Service| std::fs::read_to_string(self.data.path().join(format!("{service}.log"))).unwrap();
        Service::ALL.map(|service| format!("{service}:\n{}", log(service))).join("\n")
    }
}
