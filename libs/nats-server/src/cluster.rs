//! Several servers on this machine that keep streams together.
//!
//! Invariant: a member is a [`NatsServer`] like any other: it can be killed, paused and restarted, and comes back to its
//! cluster under its name, on its ports, with its store.

use std::net::{Ipv4Addr, TcpListener};

use futures::future::try_join_all;

use crate::config::Membership;
use crate::{Builder, NatsServer, StartError};

/// A running cluster. Dropping it kills all members.
#[derive(Debug)]
pub struct Cluster {
    members: Vec<NatsServer>,
}

impl Cluster {
    /// Starts so many members, each as `member` says, with a store of its own below the store given there, if one is.
    /// They take connections when this returns; they agree on who leads shortly after, and answer for streams then.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub async fn start(size: usize, member: Builder) -> Result<Self, StartError> {
        let ports = free_ports(size)?;
        let starting = ports.iter().enumerate().map(|(index, port)| {
            let server = format!("n{}", index + 1);
            let store = member.store.as_ref().map(|store| store.join(&server));
            let mut member = Builder { store, ..member.clone() };
            member.own.membership =
                Some(Membership { server, cluster: "tandem".to_owned(), port: *port, members: ports.clone() });
            member.start()
        });
        Ok(Self { members: try_join_all(starting).await? })
    }

    /// Where clients connect: all members, with commas between. Stays the same over restarts.
    #[must_use]
    pub fn url(&self) -> String {
        self.members.iter().map(NatsServer::url).collect::<Vec<_>>().join(",")
    }

    /// Its members, which are named `n1`, `n2`, ... in this order.
    pub fn members(&mut self) -> &mut [NatsServer] {
        &mut self.members
    }
}

/// Ports that nobody listens on. All are held until the last is found, so that none is named twice; each member then has
/// to take its own, for all have to know all before the first one runs.
fn free_ports(count: usize) -> std::io::Result<Vec<u16>> {
    let held: Vec<_> = (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<Result<_, _>>()?;
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
