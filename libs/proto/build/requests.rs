//! For each message that is a request: the fields that every handler treats alike. For each service: the limit on the
//! size of what it takes.

use std::fmt::Write as _;

use prost_reflect::{Cardinality, DescriptorPool, Kind};

use crate::names;

/// Fields of `crate::RequestMessage`.
const FIELDS: [&str; 4] = ["name", "request_id", "reason", "etag"];

pub fn generate(pool: &DescriptorPool) -> anyhow::Result<String> {
    let mut out = String::new();
    for request in names::own_messages(pool).filter(|message| message.name().ends_with("Request")) {
        writeln!(out, "impl crate::RequestMessage for {} {{", names::type_path(&request))?;
        for name in FIELDS {
            let single_string = request.get_field_by_name(name).is_some_and(|field| {
                field.kind() == Kind::String
                    && field.cardinality() != Cardinality::Repeated
                    && field.containing_oneof().is_none()
            });
            if single_string {
                writeln!(out, "    fn {name}(&self) -> &str {{ &self.{name} }}")?;
            }
        }
        out += "}\n";
    }
    for service in pool.services().filter(|service| service.package_name().starts_with("tandem.")) {
        let server = format!(
            "crate::{}::{}_server::{}Server",
            service.package_name().trim_start_matches("tandem.").replace('.', "::"),
            names::snake(service.name()),
            service.name()
        );
        writeln!(
            out,
            "impl<T> crate::GrpcServer for {server}<T> {{
    fn max_message_bytes(self, limit: usize) -> Self {{ self.max_decoding_message_size(limit) }}
}}"
        )?;
    }
    Ok(out)
}
