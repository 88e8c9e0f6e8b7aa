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
    /// Whether only the client's deadline ends it.
    pub(crate) long_running: bool,
}

static METHODS: LazyLock<HashMap<String, Method>> = LazyLock::new(|| {
    let option_of = |options: &DynamicMessage, name: &str| {
        let option = POOL.get_extension_by_name(name).filter(|option| options.has_extension(option));
        option.map(|option| options.get_extension(&option).into_owned())
    };
    let ours = POOL.services().filter(|service| service.full_name().starts_with("tandem."));
    ours.flat_map(|service| service.methods().collect::<Vec<_>>())
        .map(|method| {
            let name = format!("{}/{}", method.parent_service().full_name(), method.name());
            let options = method.options();
            let permission = option_of(&options, "tandem.common.v1.permission");
            let permission = permission.as_ref().and_then(Value::as_str).filter(|permission| !permission.is_empty());
            let long_running = option_of(&options, "tandem.common.v1.long_running") == Some(Value::Bool(true));
            (format!("/{name}"), Method { name, permission: permission.map(str::to_owned), long_running })
        })
        .collect()
});

/// The method of a request path, `/tandem.contracts.v1.ContractService/SignContract`.
pub(crate) fn find(path: &str) -> Option<&'static Method> {
    METHODS.get(path)
}

/// Health and reflection, which tell nothing of any tenant: open to all, and never shed.
pub(crate) fn is_open(path: &str) -> bool {
    is_health(path) || path.starts_with("/grpc.reflection.v1.ServerReflection/")
}

/// Health, which answers from the first moment on.
pub(crate) fn is_health(path: &str) -> bool {
    path.starts_with("/grpc.health.v1.Health/")
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
        assert!(rebuild.long_running);
        assert!(!find("/tandem.common.v1.ViewService/ListViews").unwrap().long_running);
    }
}
