//! Who gets through to a handler, and what the others are told.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod common;

use std::time::Duration;

use common::{Door, Test, client, client_with, reason};
use tandem_client::tokens::{Claims, SigningKey};
use tandem_proto::common::v1::view_service_client::ViewServiceClient;
use tandem_proto::common::v1::{ListViewsRequest, RebuildViewRequest};
use tandem_service::testing::token;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_types::StatusExt as _;

#[tokio::test]
async fn each_failure_of_a_token_has_its_reason() {
    let test = Test::new(Door::default()).await;
    let running = test.start().await;
    let status = ViewServiceClient::new(running.channel()).list_views(ListViewsRequest {}).await.unwrap_err();
    assert_eq!((status.code(), &reason(&status)[..]), (Code::Unauthenticated, "TOKEN_MISSING"));

    let key = SigningKey::development();
    let claims = Claims::new("users/ada", "acme").with_permissions(["*"]);
    let elsewhere = Claims { iss: "https://elsewhere.example".into(), ..claims.clone() };
    for (token, code, expected) in [
        ("garbage".to_owned(), Code::Unauthenticated, "TOKEN_INVALID"),
        (key.mint(&elsewhere, Duration::from_secs(60)), Code::Unauthenticated, "TOKEN_INVALID"),
        (token("users/ada", "acme", &["contracts.*"]), Code::PermissionDenied, "PERMISSION_MISSING"),
        (token("users/ada", "acme", &[]), Code::PermissionDenied, "PERMISSION_MISSING"),
    ] {
        let status = client_with(&running, &token).list_views(ListViewsRequest {}).await.unwrap_err();
        assert_eq!((status.code(), &reason(&status)[..]), (code, expected));
    }

    let answer =
        client_with(&running, &token("users/ada", "acme", &["views.read"])).list_views(ListViewsRequest {}).await;
    assert_eq!(answer.unwrap().into_inner().views[0].name, "users/ada");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_missing_permission_is_named() {
    let test = Test::new(Door::default()).await;
    let running = test.start().await;
    let reader = token("users/ada", "acme", &["views.read"]);
    // The message is wrong, too: who may not, is not told.
    let status = client_with(&running, &reader).rebuild_view(RebuildViewRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().metadata["permission"], "views.rebuild");
}

#[tokio::test]
async fn what_is_wrong_with_a_message_is_named_by_field() {
    let test = Test::new(Door::default()).await;
    let running = test.start().await;
    let mut request = Request::new(RebuildViewRequest { name: "contracts".into() });
    request.metadata_mut().insert("tandem-correlation-id", "x".repeat(200).parse().unwrap());
    let status = client(&running).rebuild_view(request).await.unwrap_err();
    assert_eq!((status.code(), &reason(&status)[..]), (Code::InvalidArgument, "FIELD_INVALID"));
    let details = status.get_error_details();
    let mut fields: Vec<_> = details.bad_request().unwrap().field_violations.iter().map(|v| &v.field[..]).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["name", "tandem-correlation-id"]);
}

#[tokio::test]
async fn health_and_reflection_are_open() {
    let test = Test::new(Door::default()).await;
    let running = test.start().await;
    let mut health = HealthClient::new(running.channel());
    for service in ["", "tandem.common.v1.ViewService"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let status = health.check(request).await.unwrap().into_inner().status();
        assert_eq!(status, ServingStatus::Serving, "{service}");
    }
    let unknown = HealthCheckRequest { service: "tandem.contracts.v1.ContractService".into() };
    assert_eq!(health.check(unknown).await.unwrap_err().code(), Code::NotFound);

    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(running.channel());
    let mut answers = reflection.server_reflection_info(tokio_stream::once(list)).await.unwrap().into_inner();
    let Some(MessageResponse::ListServicesResponse(listed)) =
        answers.message().await.unwrap().unwrap().message_response
    else {
        panic!("not a list of services");
    };
    let names: Vec<_> = listed.service.iter().map(|service| &service.name[..]).collect();
    assert!(names.contains(&"tandem.common.v1.ViewService") && names.contains(&"grpc.health.v1.Health"), "{names:?}");
    assert!(!names.contains(&"tandem.contracts.v1.ContractService"), "only what is served here: {names:?}");
}

#[tokio::test]
async fn what_is_not_served_is_not_reached() {
    let test = Test::new(Door::default()).await;
    let running = test.start().await;
    use tandem_proto::creators::v1::{GetCreatorRequest, creator_service_client::CreatorServiceClient};
    let request = GetCreatorRequest { name: "creators/c1".into() };
    let status = CreatorServiceClient::new(running.channel()).get_creator(request.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated, "a method of ours, though not served here");
    let bearer = common::Bearer(token("users/ada", "acme", &["*"]));
    let mut admitted = CreatorServiceClient::with_interceptor(running.channel(), bearer);
    assert_eq!(admitted.get_creator(request).await.unwrap_err().code(), Code::Unimplemented);
}
