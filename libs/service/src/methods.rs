//! The methods that are served, by path, with what their proto files say of them.
//!
//! Invariant: built once from the descriptors; a path that is not in it is not one of ours.

use std::collections::HashMap;
use std::sync::LazyLock;

use prost_reflect::{DynamicMessage, Value};
use tandem_proto::POOL;

/// A method of one of our services.
#[derive(Debug)]
pub(crate) struct Method {
    /// `tandem.contracts.v1.ContractService/SignContract`.
    pub(crate) name: String,
    /// What the caller's token must permit; none if the proto file names nothing.
    pub(crate) permission: Option<String>,
}

static METHODS: LazyLock<HashMap<String, Method>> = LazyLock::new(|| {
    let permission = POOL.get_extension_by_name("tandem.common.v1.permission");
    let permission_of = |options: DynamicMessage| {
        let value = permission.as_ref().filter(|option| options.has_extension(option));
        value.and_then(|option| match options.get_extension(option).as_ref() {
            Value::String(permission) if !permission.is_empty() => Some(permission.clone()),
            _ => None,
        })
    };
    let ours = POOL.services().filter(|service| service.full_name().starts_with("tandem."));
    ours.flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|method| {
            let name = format!("{}/{}", method.parent_service().full_name(), method.name());
            (format!("/{name}"), Method { name, permission: permission_of(method.options()) })
        })
        .collect()
});

/// The method of a request path, `/tandem.contracts.v1.ContractService/SignContract`.
pub(crate) fn find(path: &str) -> Option<&'static Method> {
    METHODS.get(path)
}

/// Health and reflection, which tell nothing of any tenant: open to all, and never shed.
pub(crate) fn is_open(path: &str) -> bool {
    path.starts_with("/grpc.health.v1.Health/") || path.starts_with("/grpc.reflection.v1.ServerReflection/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_names_its_permission() {
        let without: Vec<_> = METHODS.values().filter(|method| method.permission.is_none()).collect();
        assert!(without.is_empty(), "denied to everyone: {without:?}");
        let rebuild = find("/tandem.common.v1.ViewService/RebuildView").unwrap();
        assert_eq!(rebuild.permission.as_deref(), Some("views.rebuild"));
    }
}
