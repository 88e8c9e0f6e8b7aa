//! A balancer of connections, as a Kubernetes service is: a connection goes to one of the replicas that say they are ready,
//! and stays there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const PROBE_EVERY: Duration = Duration::from_millis(50);

#[derive(Clone)]
pub struct Balancer {
    ready: Arc<watch::Sender<Vec<SocketAddr>>>,
    connections: Arc<AtomicUsize>,
    address: SocketAddr,
}

impl Balancer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let balancer = Self { ready: Arc::default(), connections: Arc::default(), address };
        let serving = balancer.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(serving.clone().carry(client));
            }
        });
        balancer
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections it has carried.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Leads connections there for as long as it says that it is ready, from the first time on.
    pub fn add(&self, replica: SocketAddr) {
        let ready = self.ready.clone();
        tokio::spawn(async move {
            let mut listed = false;
            loop {
                let serves = serves(replica).await;
                if serves && !listed {
                    ready.send_modify(|ready| ready.push(replica));
                }
                if listed && !serves {
                    return ready.send_modify(|ready| ready.retain(|other| *other != replica));
                }
                listed = serves;
                tokio::time::sleep(PROBE_EVERY).await;
            }
        });
    }

    /// Waits until new connections may go there.
    pub async fn has(&self, replica: SocketAddr) {
        self.until(|ready| ready.contains(&replica)).await;
    }

    /// Waits until no new connection goes there.
    pub async fn is_rid_of(&self, replica: SocketAddr) {
        self.until(|ready| !ready.contains(&replica)).await;
    }

    async fn until(&self, condition: impl Fn(&[SocketAddr]) -> bool) -> Vec<SocketAddr> {
        self.ready.subscribe().wait_for(|ready| condition(ready)).await.unwrap().clone()
    }

    async fn carry(self, mut client: TcpStream) {
        let ready = self.until(|ready| !ready.is_empty()).await;
        let replica = ready[self.connections.fetch_add(1, Ordering::Relaxed) % ready.len()];
        if let Ok(mut server) = TcpStream::connect(replica).await {
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
    }
}

/// Asked over a new connection each time, as probes do: an old one ends for its age.
async fn serves(replica: SocketAddr) -> bool {
    let endpoint = Endpoint::try_from(format!("http://{replica}")).unwrap();
    let Ok(channel) = endpoint.connect().await else { return false };
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    answer.is_ok_and(|answer| answer.get_ref().status() == ServingStatus::Serving)
}
