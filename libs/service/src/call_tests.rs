use std::time::Duration;

use tandem_proto::creators::v1::{ListCreatorsRequest, MergeCreatorsRequest};
use tonic_types::StatusExt as _;

use super::*;
use crate::methods;

fn caller(sub: &str) -> Arc<Caller> {
    let claims = serde_json::json!({ "sub": sub, "tenant": "acme", "permissions": ["*"], "exp": 0 });
    Arc::new(Caller::new(serde_json::from_value(claims).unwrap()).unwrap())
}

/// As it comes out of the layers.
fn admitted<M>(message: M, sub: &str, metadata: &[(&'static str, &str)]) -> Request<M> {
    let mut request = Request::new(message);
    for (key, value) in metadata {
        request.metadata_mut().insert(*key, value.parse().unwrap());
    }
    let method = methods::find("/tandem.creators.v1.CreatorService/MergeCreators").unwrap();
    request.extensions_mut().insert(Admitted { caller: caller(sub), method });
    request.extensions_mut().insert(Deadline(Instant::now() + Duration::from_secs(1)));
    request
}

fn merge() -> MergeCreatorsRequest {
    MergeCreatorsRequest {
        name: "creators/c1".into(),
        source: "creators/c2".into(),
        reason: "same channel".into(),
        request_id: "r1".into(),
    }
}

#[test]
fn a_command_carries_what_goes_into_the_log() {
    let metadata = [(CORRELATION_ID, "flow-7"), (READ_AFTER, "creators.creator:12")];
    let call = Call::accept(admitted(merge(), "users/ada", &metadata)).unwrap();
    let meta = &call.meta;
    assert_eq!((&meta.tenant[..], &meta.actor[..]), ("acme", "users/ada"));
    assert_eq!(meta.command, "tandem.creators.v1.CreatorService/MergeCreators");
    assert_eq!((&meta.request_id[..], &meta.reason[..], &meta.correlation_id[..]), ("r1", "same channel", "flow-7"));
    assert_eq!(call.read_after.to_string(), "creators.creator:12");
}

#[test]
fn the_same_request_id_with_another_body_is_told_apart() {
    let hash = |message| Call::accept(admitted(message, "users/ada", &[])).unwrap().meta.request_hash;
    let other = MergeCreatorsRequest { reason: "same name".into(), ..merge() };
    assert_eq!(hash(merge()), hash(merge()));
    assert_ne!(hash(merge()), hash(other.clone()));
    assert_ne!(fingerprint("A/B", &merge()), fingerprint("A/C", &merge()), "nor is another method the same request");
}

#[test]
fn a_new_id_is_the_same_when_the_request_is_repeated() {
    let id = |request_id: &str| {
        let message = MergeCreatorsRequest { request_id: request_id.into(), ..merge() };
        Call::accept(admitted(message, "users/ada", &[])).unwrap().new_id("")
    };
    assert_eq!(id("r1"), id("r1"));
    assert_ne!(id("r1"), id("r2"));
    assert_ne!(id(""), id(""), "nobody can repeat it");
    assert_eq!(Call::accept(admitted(merge(), "users/ada", &[])).unwrap().new_id("summer"), "summer");
}

#[test]
fn without_a_request_id_each_call_is_its_own() {
    let id = || {
        let message = MergeCreatorsRequest { request_id: String::new(), ..merge() };
        let call = Call::accept(admitted(message, "users/ada", &[])).unwrap();
        assert_eq!(call.meta.correlation_id, call.meta.request_id);
        call.meta.request_id
    };
    assert_ne!(id(), id());
}

#[test]
fn only_services_name_causes() {
    let cause = |sub| Call::accept(admitted(merge(), sub, &[(CAUSATION_ID, "e1")])).unwrap().meta.causation_id;
    assert_eq!(cause("services/payouts"), "e1");
    assert_eq!(cause("users/ada"), "");
}

#[test]
fn all_fields_at_fault_are_named_at_once() {
    let message = MergeCreatorsRequest {
        name: "c1".into(),
        source: "creators/c2".into(),
        reason: String::new(),
        request_id: "a\nb".into(),
    };
    let long = "x".repeat(129);
    let status = Call::accept(admitted(message, "users/ada", &[(CORRELATION_ID, &long)])).unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    let details = status.get_error_details();
    let mut fields: Vec<_> = details.bad_request().unwrap().field_violations.iter().map(|v| &v.field[..]).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["name", "reason", "request_id", CORRELATION_ID]);
}

#[test]
fn positions_that_can_not_be_read_are_refused() {
    let request = admitted(ListCreatorsRequest::default(), "users/ada", &[(READ_AFTER, "yesterday")]);
    let status = Call::accept(request).unwrap_err();
    assert_eq!(status.get_error_details().bad_request().unwrap().field_violations[0].field, READ_AFTER);
}

#[test]
fn a_request_that_was_not_admitted_goes_no_further() {
    let status = Call::accept(Request::new(merge())).unwrap_err();
    assert_eq!(status.code(), tonic::Code::Internal);
}

#[test]
fn an_error_is_about_the_resource_of_the_request() {
    let call = Call::accept(admitted(merge(), "users/ada", &[])).unwrap();
    let refusal = tandem_aggregate::Refusal::new(ErrorReason::CreatorMerged, "Merged already.");
    let details = call.error(refusal).get_error_details();
    assert_eq!(details.precondition_failure().unwrap().violations[0].subject, "creators/c1");
}
