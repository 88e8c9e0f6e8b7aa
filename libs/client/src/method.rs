//! What the proto files say about a method.
//!
//! Invariant: there is no list of methods here; a new one behaves by its declaration.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost_reflect::MethodDescriptor;
use prost_reflect::prost_types::method_options::IdempotencyLevel;
use tandem_proto::POOL;

/// A method, as far as calling it depends on it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Method {
    pub(crate) client_streaming: bool,
    pub(crate) server_streaming: bool,
    /// Declared NO_SIDE_EFFECTS or IDEMPOTENT.
    pub(crate) idempotent: bool,
    /// Number of the request's field `request_id`, if it has one.
    pub(crate) request_id_field: Option<u32>,
}

/// A method that is not Tandem's, about which nothing is known (health, reflection): passed on as it comes.
static FOREIGN: Method =
    Method { client_streaming: true, server_streaming: true, idempotent: false, request_id_field: None };

static METHODS: LazyLock<HashMap<String, Method>> = LazyLock::new(|| {
    let methods = POOL.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.map(|method| (path(&method), Method::from(&method))).collect()
});

fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

impl Method {
    /// The method of an HTTP path, "/{package}.{Service}/{Method}".
    pub(crate) fn at(path: &str) -> &'static Self {
        METHODS.get(path).unwrap_or(&FOREIGN)
    }

    pub(crate) fn is_unary(&self) -> bool {
        !self.client_streaming && !self.server_streaming
    }
}

impl From<&MethodDescriptor> for Method {
    fn from(method: &MethodDescriptor) -> Self {
        let options = method.method_descriptor_proto().options.as_ref();
        let level = options.map_or(IdempotencyLevel::IdempotencyUnknown, |options| options.idempotency_level());
        let request_id = method.input().get_field_by_name("request_id");
        Self {
            client_streaming: method.is_client_streaming(),
            server_streaming: method.is_server_streaming(),
            idempotent: level != IdempotencyLevel::IdempotencyUnknown,
            request_id_field: request_id
                .filter(|field| matches!(field.kind(), prost_reflect::Kind::String) && !field.is_list())
                .map(|field| field.number()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_as_declared() {
        let import = Method::at("/tandem.creators.v1.CreatorService/BatchImportCreators");
        assert!(import.is_unary() && import.idempotent);
        assert_eq!(import.request_id_field, Some(2));

        let get = Method::at("/tandem.creators.v1.CreatorService/GetCreator");
        assert!(get.is_unary() && get.idempotent);
        assert_eq!(get.request_id_field, None);
    }

    #[test]
    fn an_unknown_method_is_passed_on() {
        assert_eq!(Method::at("/grpc.health.v1.Health/Check"), &FOREIGN);
    }

    /// A command that has no request id would be done twice when its reply is lost.
    #[test]
    fn every_method_is_repeatable() {
        for (path, method) in METHODS.iter().filter(|(_, method)| method.is_unary()) {
            assert!(method.idempotent, "{path} declares no idempotency_level");
        }
    }
}
