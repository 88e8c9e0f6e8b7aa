//! Where the parts listen.
//!
//! Invariant: the ports of all services are held before anything is started, so that a taken one is told at once and
//! each service knows the addresses of the others from the beginning.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::anyhow;
use tandem_client::{Endpoints, Service};
use tokio::net::TcpListener;

/// Ports on 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// Those that are free.
    Free,
    /// These.
    Fixed {
        /// The services listen on the five ports after this one, in the order of [`Service::ALL`].
        base: u16,
        /// Port of NATS.
        nats: u16,
    },
}

impl Ports {
    pub(super) fn nats(self) -> u16 {
        match self {
            Self::Free => 0,
            Self::Fixed { nats, .. } => nats,
        }
    }

    fn service(self, index: u16) -> anyhow::Result<u16> {
        match self {
            Self::Free => Ok(0),
            Self::Fixed { base, .. } => base.checked_add(1 + index).ok_or_else(|| {
                anyhow!("--port-base {base} leaves no room for the ports of five services; choose one below 65530")
            }),
        }
    }
}

/// The ports of all services, held.
pub(super) struct Listeners(Vec<(Service, TcpListener, SocketAddr)>);

impl Listeners {
    pub(super) async fn bind(ports: Ports) -> anyhow::Result<Self> {
        let mut listeners = Vec::with_capacity(Service::ALL.len());
        for (index, service) in (0..).zip(Service::ALL) {
            let port = ports.service(index)?;
            let listener =
                TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| match error.kind() {
                    ErrorKind::AddrInUse => taken(&format!("the {service} service"), port, "--port-base"),
                    _ => anyhow!(error).context(format!("can't listen on port {port}; choose others with --port-base")),
                })?;
            let address = listener.local_addr()?;
            listeners.push((service, listener, address));
        }
        Ok(Self(listeners))
    }

    pub(super) fn endpoints(&self, scheme: &str) -> Endpoints {
        let mut endpoints = Endpoints::default();
        for (service, _, address) in &self.0 {
            *endpoints.of_mut(*service) = format!("{scheme}://{address}");
        }
        endpoints
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = (Service, TcpListener, SocketAddr)> {
        self.0.into_iter()
    }
}

/// What to do about a port that belongs to somebody else.
pub(super) fn taken(whose: &str, port: u16, option: &str) -> anyhow::Error {
    anyhow!("port {port}, for {whose}, is taken by another process; stop that, or choose another port with {option}")
}
