//! The story under mutual TLS between all parts, NATS among them.

use tandem_cli::platform::{Certificates, Options, Platform, beside_this_program};
use tandem_client::{Client, RetryPolicy, Service};
use tandem_demo::{Faults, tell};
use tandem_proto::common::v1::ListViewsRequest;
use tandem_tls::testing::Authority;
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_under_tls_and_to_those_alone_who_have_a_certificate() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let tls = Certificates { ca: authority.ca(), identity: authority.issue("everyone") };
    let options = Options { tls: Some(tls), ..Options::ephemeral(folder.path()) };
    let binaries = beside_this_program("tandem-creators").unwrap();
    let platform = Platform::start_processes(options, binaries.parent().unwrap()).await.unwrap();

    let trusting = tandem_client::ClientTls::open(Some(authority.ca()), None).unwrap();
    let stranger = Client::builder().endpoints(platform.endpoints().clone()).tls(trusting);
    let stranger = stranger.retry(RetryPolicy::NEVER).build().unwrap();
    for service in Service::ALL {
        let status = stranger.views(service).list_views(ListViewsRequest {}).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{service}: {status}");
    }
    assert!(async_nats::connect(platform.nats_url()).await.is_err(), "NATS trusts no stranger either");

    tell(platform.client_builder(), Faults::None).await.unwrap();
    platform.stop().await.unwrap();
}
