//! The other services, as one service calls them.
//!
//! Invariant: a call is made with a token of the tenant for whose data it is made, and says what it follows from.

use std::sync::Arc;

use jiff::Timestamp;
use tandem_aggregate::{Cause, CommandMeta};
use tandem_client::Client;

use crate::ServiceTokens;

/// Clients of the other services. Connections are shared by all tenants.
#[derive(Clone)]
pub struct Peers {
    client: Client,
    tokens: Arc<ServiceTokens>,
}

impl Peers {
    pub(crate) fn new(client: Client, tokens: ServiceTokens) -> Self {
        Self { client, tokens: Arc::new(tokens) }
    }

    /// For calls that a request makes necessary.
    ///
    /// # Errors
    /// If an id of the request can't be sent on.
    pub fn for_request(&self, meta: &CommandMeta) -> Result<Client, tandem_client::Error> {
        self.client
            .with_token(self.tokens.for_tenant(&meta.tenant))
            .caused_by(&meta.correlation_id, &meta.causation_id)
            .map(|client| at(client, meta.test_clock.then_some(meta.time)))
    }

    /// For commands that follow from an event.
    ///
    /// # Errors
    /// If an id of the event can't be sent on.
    pub fn for_event(&self, cause: &Cause) -> Result<Client, tandem_client::Error> {
        self.client
            .with_token(self.tokens.for_tenant(&cause.tenant))
            .caused_by(&cause.correlation_id, &cause.event_id)
            .map(|client| at(client, cause.test_clock))
    }
}

fn at(client: Client, test_clock: Option<Timestamp>) -> Client {
    match test_clock {
        Some(time) => client.at(time),
        None => client,
    }
}
