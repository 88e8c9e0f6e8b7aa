//! Three NATS servers on this machine, configured by the files that the manifests carry.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tandem_cli::platform::beside_this_program;
use tandem_nats_server::NatsServer;
use tandem_tls::testing::Authority;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

/// Where pods have their certificates.
const CERTIFICATES: &str = "/run/secrets/tls";
const ROUTES_PASSWORD: &str = "R2d2";
/// A Job is started again, too, while the servers have not found each other.
const PROVISIONED_WITHIN: Duration = Duration::from_secs(60);

pub struct Cluster {
    servers: Vec<NatsServer>,
    /// Certificates of all parts, as in production; none in development.
    pub certificates: Option<TempDir>,
    _configurations: Vec<TempDir>,
}

/// A file or folder below `k8s/`.
pub fn manifests(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../k8s").join(path)
}

/// The variables of an env file, as kustomize reads it.
pub fn variables(path: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(manifests(path)).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once('=').map(|(name, value)| (name.into(), value.into())).unwrap()).collect()
}

/// The seed of a user's NKey in development.
pub fn nkey(user: &str) -> PathBuf {
    manifests(&format!("overlays/development/nkeys/{user}.nk"))
}

impl Cluster {
    /// As in development: without TLS.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// As in production: clients and servers show each other certificates of this authority.
    pub async fn start_under_tls(authority: &Authority) -> Self {
        let (folder, identity) = (tempfile::tempdir().unwrap(), authority.issue("everyone"));
        for (file, name) in [(identity.certificate, "tls.crt"), (identity.key, "tls.key"), (authority.ca(), "ca.crt")] {
            std::fs::copy(file, folder.path().join(name)).unwrap();
        }
        Self::start_with(Some(folder)).await
    }

    async fn start_with(certificates: Option<TempDir>) -> Self {
        let ports = free_ports(6);
        let (routes, monitors) = ports.split_at(3);
        let route = |port: &u16| format!("nats://routes:{ROUTES_PASSWORD}@127.0.0.1:{port}");
        let all_routes = routes.iter().map(route).collect::<Vec<_>>().join(",");
        let configurations: Vec<_> = routes.iter().map(|_| configuration(certificates.as_ref())).collect();
        let numbered = routes.iter().zip(monitors).zip(&configurations).enumerate();
        let starting = numbered.map(|(index, ((port, monitor), configuration))| {
            let mut server = NatsServer::builder()
                .config(configuration.path().join("nats.conf"))
                .variable("POD_NAME", format!("nats-{index}"))
                .variable("NATS_ROUTES_PASSWORD", ROUTES_PASSWORD)
                .flags(["--cluster", &route(port), "--routes", &all_routes, "--http_port", &monitor.to_string()]);
            for (name, value) in variables("overlays/development/nats-users.env") {
                server = server.variable(name, value);
            }
            server.start()
        });
        let servers = futures::future::try_join_all(starting).await.unwrap();
        Self { servers, certificates, _configurations: configurations }
    }

    pub fn url(&self) -> String {
        self.servers.iter().map(NatsServer::url).collect::<Vec<_>>().join(",")
    }

    /// What clients are told of TLS: the settings of production, with the certificates of this one.
    pub fn tls_settings(&self) -> Vec<(String, String)> {
        let Some(certificates) = &self.certificates else { return Vec::new() };
        let settings = variables("overlays/production/settings.env").into_iter();
        let of_tls = settings.filter(|(_, value)| value.starts_with(CERTIFICATES));
        of_tls
            .map(|(name, value)| (name, value.replace(CERTIFICATES, &certificates.path().to_string_lossy())))
            .collect()
    }

    /// Makes streams and buckets as the Job does.
    pub async fn provision(&self) {
        let give_up = Instant::now() + PROVISIONED_WITHIN;
        loop {
            let mut provision = Command::new(beside_this_program("tandem").unwrap());
            provision.arg("provision").env("TANDEM_NATS_URL", self.url()).env("TANDEM_NATS_NKEY", nkey("operator"));
            provision.env("TANDEM_STREAM_REPLICAS", "3").envs(self.tls_settings()).stdin(Stdio::null());
            let done = provision.output().await.unwrap();
            if done.status.success() {
                return;
            }
            assert!(Instant::now() < give_up, "{}", String::from_utf8_lossy(&done.stderr));
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// The configuration of one server in a folder of its own: the files of the base, in production with those of the overlay
/// over them. Of the paths in those, what differs on one machine is replaced.
fn configuration(certificates: Option<&TempDir>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let overlay = certificates.map(|_| "overlays/production");
    for source in ["base/nats"].into_iter().chain(overlay) {
        for file in std::fs::read_dir(manifests(source)).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "conf") {
                let mut text = std::fs::read_to_string(&file).unwrap();
                if let Some(certificates) = certificates {
                    text = text.replace(CERTIFICATES, &certificates.path().to_string_lossy());
                    text = text.replace("/run/nats", &folder.path().to_string_lossy());
                }
                std::fs::write(folder.path().join(file.file_name().unwrap()), text).unwrap();
            }
        }
    }
    folder
}

/// Ports that nobody listens on, so far.
pub fn free_ports(count: usize) -> Vec<u16> {
    let held: Vec<_> = (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
    held.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}
