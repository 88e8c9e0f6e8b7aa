//! The methods, as the descriptors tell of them.
//!
//! Invariant: each method that is Tandem's is here, once.

use prost_reflect::MethodDescriptor;
use prost_reflect::prost_types::method_options::IdempotencyLevel;
use tandem_client::{Endpoints, Service};
use tandem_proto::POOL;
use tonic::codegen::http::uri::PathAndQuery;

/// A method and where it is served.
pub(crate) struct Method {
    pub(crate) descriptor: MethodDescriptor,
    pub(crate) url: String,
    pub(crate) path: PathAndQuery,
    /// Declared free of side effects.
    pub(crate) reads: bool,
}

impl Method {
    /// All of them, in the order of the descriptors.
    pub(crate) fn all(endpoints: &Endpoints) -> anyhow::Result<Vec<Self>> {
        let services = POOL.services().filter(|service| service.full_name().starts_with("tandem."));
        let descriptors = services.flat_map(|service| service.methods().collect::<Vec<_>>());
        descriptors.map(|descriptor| Self::new(descriptor, endpoints)).collect()
    }

    fn new(descriptor: MethodDescriptor, endpoints: &Endpoints) -> anyhow::Result<Self> {
        let service = descriptor.parent_service();
        let package = service.package_name();
        // What all services serve is asked of one of those that do.
        let owner = Service::ALL.into_iter().find(|owner| package.starts_with(&format!("tandem.{owner}.")));
        let url = endpoints.of(owner.unwrap_or(Service::Contracts)).to_owned();
        let path = format!("/{}/{}", service.full_name(), descriptor.name()).parse()?;
        let options = descriptor.method_descriptor_proto().options.clone().unwrap_or_default();
        let reads = options.idempotency_level() == IdempotencyLevel::NoSideEffects;
        Ok(Self { descriptor, url, path, reads })
    }

    pub(crate) fn name(&self) -> &str {
        self.descriptor.full_name()
    }

    pub(crate) fn streams(&self) -> bool {
        self.descriptor.is_server_streaming()
    }
}
