//! The server as a child: it answers, keeps its data over restarts and crashes, and leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "a test that can't go on shall say where")]

use std::path::Path;
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};
use tandem_postgres_server::PostgresServer;

async fn ask(server: &PostgresServer, sql: &'static str) -> String {
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    sqlx::raw_sql(sql).fetch_one(&mut connection).await.unwrap().get(0)
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart_and_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path());
    let builder = PostgresServer::builder().store(directory.path().join("store")).durable(true);
    let mut server = builder.clone().start().await.unwrap();
    let url = server.url();
    assert_eq!(ask(&server, "SHOW fsync").await, "on");
    ask(&server, "CREATE TABLE kept AS SELECT 'kept' AS word; SELECT 'made'").await;
    server.restart().await.unwrap();
    server.kill().await.unwrap();
    assert_eq!(server.pid(), None);
    server.restart().await.unwrap();
    assert_eq!((ask(&server, "SELECT word FROM kept").await.as_str(), server.url()), ("kept", url));
    server.stop().await.unwrap();
    let server = builder.start().await.unwrap();
    assert_eq!(ask(&server, "SELECT word FROM kept").await, "kept");
}

#[tokio::test]
async fn one_that_is_dropped_leaves_nothing_behind() {
    let server = PostgresServer::builder().start().await.unwrap();
    let folder = ask(&server, "SHOW unix_socket_directories").await;
    assert!(Path::new(&folder).is_dir());
    drop(server);
    let gone = async {
        while Path::new(&folder).exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone).await.unwrap();
}

/// Lets the user of the server in.
fn open(directory: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
}
