//! The language of the domain: messages, services and events, generated from `proto/`.
//!
//! Invariant: nothing is declared here that is not in a proto file; what this crate adds ([`EventSet`],
//! [`RequestMessage`], [`Validate`], [`json`]) is derived from the descriptors.

pub mod json;
pub mod time;
mod unreadable;
pub mod validation;

pub use unreadable::{Unreadable, read_event};
pub use validation::{FieldViolation, Validate};

use std::collections::BTreeSet;
use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

macro_rules! package {
    ($module:ident, $package:literal) => {
        #[doc = concat!("Package `", $package, "`.")]
        pub mod $module {
            #[doc = concat!("Package `", $package, "`.")]
            #[allow(missing_docs, clippy::all)]
            pub mod v1 {
                tonic::include_proto!($package);
            }
        }
    };
}

/// Packages `tandem.*`, in the nesting that generated paths expect.
mod tandem {
    package!(common, "tandem.common.v1");
    package!(creators, "tandem.creators.v1");
    package!(contracts, "tandem.contracts.v1");
    package!(campaigns, "tandem.campaigns.v1");
    package!(payouts, "tandem.payouts.v1");
    package!(relationships, "tandem.relationships.v1");
}

pub use tandem::{campaigns, common, contracts, creators, payouts, relationships};

/// Google's common types.
pub mod google {
    /// Package `google.type`.
    #[allow(missing_docs, clippy::all)]
    pub mod r#type {
        tonic::include_proto!("google.r#type");
    }
}

/// Full names of all events: the messages of the oneof `event` of each `…Event`.
pub static EVENT_TYPES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let sets = POOL.all_messages().filter(|message| message.full_name().starts_with("tandem."));
    let oneofs = sets.flat_map(|set| set.oneofs().filter(|oneof| oneof.name() == "event").collect::<Vec<_>>());
    let fields = oneofs.flat_map(|oneof| oneof.fields().collect::<Vec<_>>());
    fields.filter_map(|field| field.kind().as_message().map(|event| event.full_name().to_owned())).collect()
});

/// The events of one aggregate: a generated oneof enum, of which only the variant's message travels.
pub trait EventSet: Clone + Send + Sync + Sized + 'static {
    /// Full protobuf name of the event's message, for example `tandem.contracts.v1.ContractSigned`.
    fn type_name(&self) -> &'static str;
    /// The event's protobuf.
    fn encode(&self) -> Vec<u8>;
    /// The event of this type; none if the type is not of this set.
    ///
    /// # Errors
    /// If the payload is not of that type.
    fn decode(type_name: &str, payload: &[u8]) -> Result<Option<Self>, prost::DecodeError>;
}

/// A request, with the fields that all handlers treat alike; empty where it has no such field.
pub trait RequestMessage: prost::Message + prost::Name + Validate {
    /// Resource name of what it is about.
    fn name(&self) -> &str {
        ""
    }
    /// Makes it idempotent.
    fn request_id(&self) -> &str {
        ""
    }
    /// Why it is asked for.
    fn reason(&self) -> &str {
        ""
    }
    /// The state that its sender decided by.
    fn etag(&self) -> &str {
        ""
    }
}

/// A generated server of one of our services.
pub trait GrpcServer: Sized {
    /// Refuses messages larger than this, in bytes.
    #[must_use]
    fn max_message_bytes(self, limit: usize) -> Self;
}

include!(concat!(env!("OUT_DIR"), "/events.rs"));
include!(concat!(env!("OUT_DIR"), "/requests.rs"));
include!(concat!(env!("OUT_DIR"), "/validation.rs"));

/// The descriptor set of all files, with their imports and comments, encoded (for server reflection).
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The same, to look things up in.
pub static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the build script has decoded the same bytes")]
    DescriptorPool::decode(DESCRIPTORS).expect("descriptor set")
});
