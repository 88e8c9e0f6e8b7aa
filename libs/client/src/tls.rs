//! Connections under TLS.
//!
//! Invariant: each connection is made with the certificates that the files hold then.

use std::io;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use tandem_tls::ClientTls;
use tandem_tls::rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};

const HTTP2: &[u8] = b"h2";
const DEFAULT_PORT: u16 = 443;

/// A channel to a URL of https, with `settings`; none if its host is not one that a certificate can name.
pub(crate) fn connect_lazy(url: &Uri, tls: &ClientTls, settings: impl Fn(Endpoint) -> Endpoint) -> Option<Channel> {
    let host = url.host()?.trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host.clone()).ok()?;
    let port = url.port_u16().unwrap_or(DEFAULT_PORT);
    let mut config = tls.config();
    config.alpn_protocols = vec![HTTP2.to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let connector = tower::service_fn(move |_: Uri| {
        let (connector, host, name) = (connector.clone(), host.clone(), name.clone());
        async move { connect(&connector, &host, port, name).await.map(TokioIo::new) }
    });
    // tonic wants to do TLS itself where it reads https, and can't with certificates that change: it is told http, but for
    // what the requests say of themselves.
    let plain = format!("http://{}", url.authority()?).parse::<Uri>().ok()?;
    Some(settings(Endpoint::from(plain).origin(url.clone())).connect_with_connector_lazy(connector))
}

async fn connect(
    connector: &TlsConnector,
    host: &str,
    port: u16,
    name: ServerName<'static>,
) -> io::Result<TlsStream<TcpStream>> {
    let connection = TcpStream::connect((host, port)).await?;
    connection.set_nodelay(true)?;
    let connection = connector.connect(name, connection).await?;
    match connection.get_ref().1.alpn_protocol() {
        Some(HTTP2) => Ok(connection),
        _ => Err(io::Error::other("the server does not speak HTTP/2")),
    }
}
