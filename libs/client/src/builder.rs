//! Building a client.
//!
//! Invariant: what can be known to be wrong without a connection is an error here, not at the first call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use crate::auth::Auth;
use crate::channel::Concerns;
use crate::client::Client;
use crate::deadline::Deadline;
use crate::endpoints::{Endpoints, Service};
use crate::positions::Memory;
use crate::retry::RetryPolicy;
use crate::tokens::TokenSource;
use crate::wire::Wire;

const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection whose other end has vanished is found out within the sum of these, well before the default deadline.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(4);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(2);
const PEM_CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Settings of a [`Client`].
pub struct ClientBuilder {
    endpoints: Endpoints,
    token: Option<Arc<dyn TokenSource>>,
    ca: Option<Vec<u8>>,
    deadline: Duration,
    retry: RetryPolicy,
}

/// Why there can't be a client of these settings.
#[derive(Debug, thiserror::Error)]
#[error("endpoint {url:?} of the {service} service: {problem}")]
pub struct BuildError {
    service: Service,
    url: String,
    problem: String,
    source: Option<tonic::transport::Error>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            endpoints: Endpoints::default(),
            token: None,
            ca: None,
            deadline: DEFAULT_DEADLINE,
            retry: RetryPolicy::default(),
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

    /// Trusts these authorities (PEM) for `https://` endpoints, instead of those of the system.
    #[must_use]
    pub fn ca_certificate(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.ca = Some(pem.as_ref().to_vec());
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

    /// The client. It connects when a service is first called, and again whenever a connection is lost; to be called
    /// within a Tokio runtime, which runs the connections.
    ///
    /// # Errors
    /// If an endpoint is not a URL of http or https, or the certificate is none.
    pub fn build(self) -> Result<Client, BuildError> {
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
        let error =
            |problem: &str, source| BuildError { service, url: url.to_owned(), problem: problem.into(), source };
        let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|source| error("not a URL", Some(source)))?;
        let endpoint = match endpoint.uri().scheme_str() {
            Some("http") => endpoint,
            Some("https") => {
                let tls = match &self.ca {
                    // What has none would be no error to rustls: it would trust nobody.
                    Some(pem) if !pem.windows(PEM_CERTIFICATE.len()).any(|part| part == PEM_CERTIFICATE) => {
                        return Err(error("the CA certificate is not PEM with a CERTIFICATE in it", None));
                    }
                    Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
                    None => ClientTlsConfig::new().with_native_roots(),
                };
                endpoint.tls_config(tls).map_err(|source| error("TLS can't be set up", Some(source)))?
            }
            _ => return Err(error("give it as http://host:port or https://host:port", None)),
        };
        let endpoint = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT);
        Ok(Wire::new(endpoint.connect_lazy(), url))
    }
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

    #[tokio::test]
    async fn a_ca_that_is_no_certificate_is_refused() {
        let builder = Client::builder().payouts("https://payouts.example").ca_certificate("not PEM");
        assert!(builder.build().unwrap_err().to_string().contains("payouts service"));
    }
}
