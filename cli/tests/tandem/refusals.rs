//! What can't be started or reached is said, with what to do, and nothing is left running.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

use crate::support::{EXAMPLES, free_base, run, run_against, up};
use tandem_cli::platform::{Options, Platform};
use tandem_nats_server::NatsServer;
use tempfile::TempDir;

fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

#[tokio::test]
async fn a_taken_port_of_a_service_is_named_with_its_option() {
    let base = free_base();
    let _held = bind(base + 3).unwrap();
    let data = TempDir::new().unwrap();
    let folder = data.path().to_str().unwrap();
    let refused = run(&["up", "--data", folder, "--port-base", &base.to_string()]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let expected = format!("port {}, for the campaigns service, is taken", base + 3);
    assert!(refused.stderr.contains(&expected) && refused.stderr.contains("--port-base"), "{refused:?}");
    assert!(!data.path().join("nats").exists(), "NATS was started");
    bind(base + 1).unwrap();
}

#[tokio::test]
async fn a_taken_port_of_nats_is_named_with_its_option() {
    let base = free_base();
    let nats = base + 6;
    let _held = bind(nats).unwrap();
    let data = TempDir::new().unwrap();
    let folder = data.path().to_str().unwrap();
    let refused =
        run(&["up", "--data", folder, "--port-base", &base.to_string(), "--nats-port", &nats.to_string()]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let expected = format!("port {nats}, for NATS, is taken");
    assert!(refused.stderr.contains(&expected) && refused.stderr.contains("--nats-port"), "{refused:?}");
    bind(base + 1).unwrap();
}

#[tokio::test]
async fn what_nobody_could_use_is_refused_before_anything_is_started() {
    let data = TempDir::new().unwrap();
    let folder = data.path().join("data");
    for (option, value, said) in [("--tenant", "a b", "tenant"), ("--ready-file", "/nonexistent/ready.json", "folder")]
    {
        let refused = run(&["up", "--ephemeral-ports", "--data", folder.to_str().unwrap(), option, value]).await;
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(option) && refused.stderr.contains(said), "{refused:?}");
    }
    assert!(!folder.exists());
}

#[tokio::test]
async fn data_in_use_is_not_used_twice() {
    let data = TempDir::new().unwrap();
    let first = up(data.path()).await;
    let refused = run(&["up", "--ephemeral-ports", "--data", data.path().to_str().unwrap()]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("in use by another tandem") && refused.stderr.contains("--data"), "{refused:?}");
    first.child.stop().await.unwrap();
}

#[tokio::test]
async fn a_nats_of_somebody_else_is_left_running() {
    let mut nats = NatsServer::builder().start().await.unwrap();
    let data = TempDir::new().unwrap();
    let options = Options { external_nats: Some(nats.url()), ..Options::ephemeral(data.path()) };
    let platform = Platform::start_in_process(options).await.unwrap();
    assert_eq!(platform.nats_url(), nats.url());
    let views = platform.client("demo").unwrap().views(tandem_client::Service::Creators);
    let listed = { views }.list_views(tandem_proto::common::v1::ListViewsRequest {}).await.unwrap();
    assert!(!listed.into_inner().views.is_empty());
    platform.stop().await.unwrap();
    TcpStream::connect((Ipv4Addr::LOCALHOST, nats.port())).unwrap();
    nats.stop().await.unwrap();
}

#[tokio::test]
async fn a_nats_that_is_not_there_is_named() {
    let mut nats = NatsServer::builder().start().await.unwrap();
    nats.stop().await.unwrap();
    // The services wait for NATS no longer than some seconds: a wrong URL is told.
    let data = TempDir::new().unwrap();
    let options = Options { external_nats: Some(nats.url()), ..Options::ephemeral(data.path()) };
    let Err(error) = Platform::start_in_process(options).await else { panic!("it started without NATS") };
    let error = format!("{error:#}");
    assert!(error.contains(&nats.url()) && error.contains("--external-nats"), "{error}");
    assert!(!error.contains("relationships") && !error.contains("--nats-url"), "{error}");
}

#[tokio::test]
async fn the_development_token_is_not_sent_to_other_machines() {
    let refused = run(&["audit", "--relationships-endpoint", "http://192.0.2.1:7405"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("192.0.2.1") && refused.stderr.contains("--token-file"), "{refused:?}");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named() {
    let port = free_base() + 1;
    let url = format!("http://127.0.0.1:{port}");
    for command in [&["audit"][..], &["events", "tail"]] {
        let refused = run(&[command, &["--relationships-endpoint", &url]].concat()).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains(&format!("127.0.0.1:{port}")), "{refused:?}");
    }
}

#[tokio::test]
async fn a_typo_is_not_an_empty_result() {
    for (args, told) in [
        (&["audit", "--partnership", "foo"][..], "partnerships/{brand}~{creator}"),
        (&["audit", "--resource", "contract/c1"], "contracts"),
        (&["events", "tail", "--type", "foo.Bar"], "tandem.contracts.v1.ContractSigned"),
        (&["events", "tail", "--partnership", "bogus"], "partnerships/{brand}~{creator}"),
        (&["events", "tail", "--after", "-1"], "--after"),
        (&["events", "tail", "--after", "9223372036854775808"], "--after"),
        (&["partnership", "show", "glowco"], "partnerships/{brand}~{creator}"),
        (&["partnership", "show", "partnerships/a~b", "--as-of", "yesterday"], "2026-03-31"),
        (&["payout", "explain", "payoutRuns/r1"], "payoutRuns/{payout_run}/payouts/{creator}"),
    ] {
        let refused = run(args).await;
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(told), "{told} in {refused:?}");
        assert_eq!(refused.stdout, "");
    }
}

#[tokio::test]
async fn a_position_has_64_bits() {
    let url = format!("http://127.0.0.1:{}", free_base() + 1);
    let tail = ["events", "tail", "--after", "9223372036854775807", "--relationships-endpoint", &url];
    let unreached = run(&tail).await;
    assert_eq!(unreached.code, Some(1), "{unreached:?}");
}

#[tokio::test]
async fn no_token_is_minted_that_every_service_refuses() {
    let token = |args: &[&'static str]| {
        let args = [&["token"], args].concat();
        async move { run(&args).await }
    };
    for (args, told) in [
        (&["--tenant", "a b", "--subject", "users/maria"][..], "`tenant`"),
        (&["--tenant", "acme", "--subject", "users/maria@x.com"], "`sub`"),
        (&["--tenant", "acme", "--subject", "maria"], "`sub`"),
        (&["--tenant", "acme", "--subject", "users/maria", "--creator", "c1"], "`creator`"),
    ] {
        let refused = token(args).await;
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{refused:?}");
        assert!(refused.stderr.contains(told), "{refused:?}");
    }
    let mistyped = token(&["--tenant", "acme", "--subject", "users/maria", "--permission", "contracts.sing"]).await;
    assert!(mistyped.stderr.contains("contracts.sing") && mistyped.stderr.contains("contracts.sign"), "{mistyped:?}");
    assert!(!mistyped.ok().is_empty());
    let good = token(&["--tenant", "acme", "--subject", "users/maria", "--permission", "contracts.*"]).await;
    assert_eq!(good.stderr, "");
}

#[tokio::test]
async fn an_error_is_told_once() {
    let unread = run(&["import", "--mapping", "nope.toml", "nope.csv"]).await;
    assert_eq!(unread.code, Some(1), "{unread:?}");
    assert_eq!(unread.stderr.matches("No such file").count(), 1, "{unread:?}");
}

#[tokio::test]
async fn who_may_not_import_or_look_is_told_once_and_nothing_else() {
    let data = TempDir::new().unwrap();
    let up = up(data.path()).await;
    let mapping = format!("{EXAMPLES}/creators-instagram.toml");
    let file = format!("{EXAMPLES}/creators-instagram-2022-09.csv");
    let import = ["import", "--mapping", &mapping, &file, "--token", "bad"];
    let denied = run_against(&up.ready, &import).await;
    assert_eq!(denied.code, Some(1), "{denied:?}");
    assert!(denied.stderr.contains("was not imported: no row was taken"), "{denied:?}");
    assert!(!denied.stderr.contains("kept"), "{denied:?}");
    assert_eq!(denied.stderr.matches("(Unauthenticated)").count(), 1, "{denied:?}");

    let status = run_against(&up.ready, &["views", "status", "--token", "bad"]).await;
    assert_eq!((status.code, status.stdout.as_str()), (Some(1), ""), "{status:?}");

    let wrong = data.path().join("mapping.toml");
    let text = std::fs::read_to_string(&mapping).unwrap().replace("handle = ", "handle = \"Nobody\" # ");
    std::fs::write(&wrong, text).unwrap();
    let wrong = run_against(&up.ready, &["import", "--mapping", wrong.to_str().unwrap(), &file]).await;
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.stderr.contains("was not imported: "), "{wrong:?}");
    up.child.stop().await.unwrap();
}
