//! Building a client.
//!
//! Invariant: what can be known to be wrong without a connection is an error here, not at the first call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tandem_tls::ClientTls;
use tonic::transport::Endpoint;

use crate::auth::Auth;
use crate::channel::Concerns;
use crate::client::Client;
use crate::deadline::Deadline;
use crate::endpoints::{Endpoints, Service};
use crate::positions::Memory;
use crate::retry::RetryPolicy;
use crate::tls;
use crate::tokens::TokenSource;
use crate::wire::{Carrier, Wire};

const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection whose other end has vanished is found out within the sum of these, well before the default deadline.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(4);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(2);

/// Settings of a [`Client`].
pub struct ClientBuilder {
    endpoints: Endpoints,
    token: Option<Arc<dyn TokenSource>>,
    tls: Option<ClientTls>,
    deadline: Duration,
    retry: RetryPolicy,
    carriers: Vec<(Service, Carrier)>,
}

/// Why there can't be a client of these settings.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An endpoint is none.
    #[error("endpoint {url:?} of the {service} service: {problem}")]
    Endpoint {
        /// Whose endpoint.
        service: Service,
        /// What was given.
        url: String,
        /// What is wrong with it.
        problem: String,
        /// What has found it wrong.
        source: Option<tonic::transport::Error>,
    },
    /// An endpoint is of https, and nobody is trusted.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] tandem_tls::Error),
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            endpoints: Endpoints::default(),
            token: None,
            tls: None,
            deadline: DEFAULT_DEADLINE,
            retry: RetryPolicy::default(),
            carriers: Vec::new(),
        }
    }
}

impl ClientBuilder {
    /// Where all services are.
    #[must_use]
    pub fn endpoints(mut self, endpoints: Endpoints) -> Self {
        self.endpoints = endpoints;
        self
    }

    /// Where the creators service is.
    #[must_use]
    pub fn creators(self, url: impl Into<String>) -> Self {
        self.endpoint(Service::Creators, url)
    }

    /// Where the contracts service is.
    #[must_use]
    pub fn contracts(self, url: impl Into<String>) -> Self {
        self.endpoint(Service::Contracts, url)
    }

    /// Where the campaigns service is.
    #[must_use]
    pub fn campaigns(self, url: impl Into<String>) -> Self {
        self.endpoint(Service::Campaigns, url)
    }

    /// Where the payouts service is.
    #[must_use]
    pub fn payouts(self, url: impl Into<String>) -> Self {
        self.endpoint(Service::Payouts, url)
    }

    /// Where the relationships service is.
    #[must_use]
    pub fn relationships(self, url: impl Into<String>) -> Self {
        self.endpoint(Service::Relationships, url)
    }

    /// Where a service is.
    #[must_use]
    pub fn endpoint(mut self, service: Service, url: impl Into<String>) -> Self {
        *self.endpoints.of_mut(service) = url.into();
        self
    }

    /// Where tokens come from. Without, only calls that set `authorization` themselves are authorized.
    #[must_use]
    pub fn token(mut self, source: impl TokenSource) -> Self {
        self.token = Some(Arc::new(source));
        self
    }

    /// How `https://` endpoints are connected to. Without, the authorities of the system are trusted, and no certificate
    /// is shown.
    #[must_use]
    pub fn tls(mut self, tls: ClientTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Time of a unary call with all its tries, where the call sets none (`tonic::Request::set_timeout`); 10 seconds if
    /// not set. Streams have no deadline but one that their call sets.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// When to try again.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Reaches a service by this instead of a connection to its endpoint: where both are in one process, or a test stands
    /// between them.
    #[must_use]
    pub fn carried_by(mut self, service: Service, carrier: Carrier) -> Self {
        self.carriers.retain(|(of, _)| *of != service);
        self.carriers.push((service, carrier));
        self
    }

    /// The client. It connects when a service is first called, and again whenever a connection is lost; to be called
    /// within a Tokio runtime, which runs the connections.
    ///
    /// # Errors
    /// If an endpoint is not a URL of http or https, or is of https and nobody is trusted.
    pub fn build(mut self) -> Result<Client, BuildError> {
        if self.tls.is_none() && Service::ALL.iter().any(|service| self.endpoints.of(*service).starts_with("https:")) {
            self.tls = Some(ClientTls::open(None, None)?);
        }
        let wire = |service| self.wire(service).map(|wire| (service, wire));
        let [creators, contracts, campaigns, payouts, relationships] = Service::ALL.map(wire);
        let wires = [creators?, contracts?, campaigns?, payouts?, relationships?];
        let concerns = Concerns {
            deadline: Deadline(self.deadline),
            origin: None,
            test_clock: None,
            memory: Memory::default(),
            retry: self.retry,
            auth: Auth(self.token),
        };
        Ok(Client::new(wires, concerns))
    }

    fn wire(&self, service: Service) -> Result<Wire, BuildError> {
        let url = self.endpoints.of(service);
        if let Some((_, carrier)) = self.carriers.iter().find(|(of, _)| *of == service) {
            return Ok(Wire::carried_by(carrier.clone(), url));
        }
        let error = |problem: &str, source| BuildError::Endpoint {
            service,
            url: url.to_owned(),
            problem: problem.into(),
            source,
        };
        let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|source| error("not a URL", Some(source)))?;
        let uri = endpoint.uri();
        let channel = match (uri.scheme_str(), &self.tls) {
            (Some("http"), _) => settings(endpoint).connect_lazy(),
            (Some("https"), Some(tls)) => tls::connect_lazy(uri, tls, settings)
                .ok_or_else(|| error("its host is not one that a certificate can name", None))?,
            _ => return Err(error("give it as http://host:port or https://host:port", None)),
        };
        Ok(Wire::new(channel, url))
    }
}

fn settings(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("endpoints", &self.endpoints)
            .field("deadline", &self.deadline)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_endpoint_that_is_no_url_is_named() {
        for url in ["127.0.0.1:7402", "ftp://contracts", "", "http://a b"] {
            let error = Client::builder().contracts(url).build().unwrap_err().to_string();
            assert!(error.contains("contracts service") && error.contains(&format!("{url:?}")), "{error}");
        }
    }
}
