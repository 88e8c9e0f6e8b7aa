//! A server that does what a test tells it, behind a proxy that can cut connections.

mod proxy;
mod stub;

use std::collections::HashMap;
use std::time::Duration;

use tandem_client::{Client, ClientBuilder, Endpoints, RetryPolicy, StaticToken};
use tandem_proto::creators::v1::{ListCreatorsRequest, MergeCreatorsRequest};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::ServerTlsConfig;
use tonic_types::ErrorDetails;

pub use self::proxy::Proxy;
pub use self::stub::{Seen, SpoilingRouter, Step, Stub};

/// A running server.
pub struct Server {
    pub address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl Server {
    pub async fn start(stub: &Stub) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), stub).await
    }

    pub async fn start_at(address: std::net::SocketAddr, stub: &Stub) -> Self {
        Self::serve(address, stub.router(tonic::transport::Server::builder())).await
    }

    pub async fn start_tls(stub: &Stub, tls: ServerTlsConfig) -> Self {
        let builder = tonic::transport::Server::builder().tls_config(tls).unwrap();
        Self::serve("127.0.0.1:0".parse().unwrap(), stub.router(builder)).await
    }

    async fn serve(address: std::net::SocketAddr, router: SpoilingRouter) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            router.serve_with_incoming_shutdown(TcpListenerStream::new(listener), stopped).await
        });
        Self { address, stop, task }
    }

    /// Ends all connections and gives the port back.
    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// A client whose retries don't keep tests waiting.
pub fn client(url: impl Into<String>) -> ClientBuilder {
    let retry = RetryPolicy { backoff: Duration::from_millis(5), ..RetryPolicy::default() };
    Client::builder().endpoints(Endpoints::behind(url)).token(StaticToken::new("a-token")).retry(retry)
}

/// A command without a request id.
pub fn merge() -> MergeCreatorsRequest {
    MergeCreatorsRequest {
        name: "creators/a".into(),
        source: "creators/b".into(),
        reason: "same person".into(),
        ..Default::default()
    }
}

/// A query.
pub fn list() -> ListCreatorsRequest {
    ListCreatorsRequest { page_size: 10, ..Default::default() }
}

/// Details of an error with this reason.
pub fn reason(name: &str) -> ErrorDetails {
    ErrorDetails::with_error_info(name, "tandem", HashMap::new())
}
