//! A TCP proxy whose connections can be cut, as a network does.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Cuts all its connections on demand; new ones are taken.
#[derive(Clone)]
pub struct Proxy {
    address: SocketAddr,
    cuts: Arc<watch::Sender<u64>>,
    /// Cut when this many bytes at once have gone to a client; 0 is never.
    limit: Arc<watch::Sender<usize>>,
}

impl Proxy {
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = Self { address, cuts: Arc::new(watch::Sender::new(0)), limit: Arc::new(watch::Sender::new(0)) };
        let accepting = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(target).await else { continue };
                tokio::spawn(accepting.clone().carry(client, server));
            }
        });
        proxy
    }

    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Cuts within the next reply of more than `bytes`, behind that many.
    pub fn cut_within_reply(&self, bytes: usize) {
        self.limit.send_replace(bytes);
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    async fn carry(self, client: TcpStream, server: TcpStream) {
        let mut cut = self.cuts.subscribe();
        let (mut from_client, to_client) = client.into_split();
        let (from_server, mut to_server) = server.into_split();
        tokio::select! {
            _ = copy(&mut from_client, &mut to_server) => {}
            _ = self.replies(from_server, to_client) => {}
            _ = cut.changed() => {}
        }
    }

    async fn replies(&self, mut from_server: OwnedReadHalf, mut to_client: OwnedWriteHalf) -> std::io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let length = from_server.read(&mut buffer).await?;
            let limit = *self.limit.borrow();
            if length == 0 {
                return Ok(());
            }
            if limit > 0 && length > limit {
                self.limit.send_replace(0);
                return to_client.write_all(&buffer[..limit]).await;
            }
            to_client.write_all(&buffer[..length]).await?;
        }
    }
}
