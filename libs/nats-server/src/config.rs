//! What a server is told that is given no configuration of its own: how surely it stores, how much, and whom it is in a
//! cluster with.
//!
//! Invariant: all that is configured for one server; nothing is left to its defaults that a restart could change.

use std::fmt::Write as _;

/// Settings of one server, the same over its restarts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    pub(crate) sync_always: bool,
    /// Most bytes of all streams together.
    pub(crate) storage_limit: Option<u64>,
    pub(crate) membership: Option<Membership>,
}

/// A server's place in a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Membership {
    pub(crate) server: String,
    pub(crate) cluster: String,
    /// Where it listens for the other members.
    pub(crate) port: u16,
    /// Where all members listen for each other.
    pub(crate) members: Vec<u16>,
}

impl Config {
    /// As a file. Address, port and store come as flags; text is quoted as JSON, which the server's configuration language
    /// takes.
    pub(crate) fn file(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let mut file = "jetstream {\n".to_owned();
        // Writing to a String does not fail.
        if self.sync_always {
            let _ = writeln!(file, "  sync_interval: always");
        }
        if let Some(bytes) = self.storage_limit {
            let _ = writeln!(file, "  max_file_store: {bytes}");
        }
        file.push_str("}\n");
        if let Some(Membership { server, cluster, port, members }) = &self.membership {
            let routes: Vec<_> = members.iter().map(|port| format!("nats-route://127.0.0.1:{port}")).collect();
            let (server, cluster, routes) = (quoted(server), quoted(cluster), serde_json::Value::from(routes));
            // By default a member that hangs is noticed after six minutes.
            let _ = writeln!(file, "ping_interval: 2s\nping_max: 2");
            let _ = writeln!(
                file,
                "server_name: {server}\ncluster {{\n  name: {cluster}\n  listen: \"127.0.0.1:{port}\"\n  routes: {routes}\n}}"
            );
        }
        file
    }
}
