//! Endpoints of `https://`.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tonic::Code;
use tonic::transport::{Identity, ServerTlsConfig};

use crate::support::{Server, Stub, client, list};

/// An authority that a test makes for itself.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

async fn serve(stub: &Stub, authority: &CertifiedIssuer<'_, KeyPair>) -> (Server, String) {
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, authority).unwrap();
    let identity = Identity::from_pem(certificate.pem(), key.serialize_pem());
    let server = Server::start_tls(stub, ServerTlsConfig::new().identity(identity)).await;
    let url = format!("https://localhost:{}", server.address.port());
    (server, url)
}

#[tokio::test]
async fn a_server_of_the_given_authority_is_trusted() {
    let (stub, authority) = (Stub::default(), authority());
    let (_server, url) = serve(&stub, &authority).await;

    let client = client(url).ca_certificate(authority.pem()).build().unwrap();

    client.creators().list_creators(list()).await.unwrap();
    assert_eq!(stub.seen().len(), 1);
}

#[tokio::test]
async fn a_server_of_another_authority_is_not() {
    let stub = Stub::default();
    let (_server, url) = serve(&stub, &authority()).await;

    let client = client(url).ca_certificate(authority().pem()).deadline(std::time::Duration::from_millis(500));
    let error = client.build().unwrap().creators().list_creators(list()).await.unwrap_err();

    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains("certificate"), "{error}");
    assert!(stub.seen().is_empty());
}
