//! How prost names in Rust what a proto file declares.

use prost_reflect::{DescriptorPool, EnumDescriptor, MessageDescriptor};

/// Messages of Tandem's own packages.
pub fn own_messages(pool: &DescriptorPool) -> impl Iterator<Item = MessageDescriptor> {
    pool.all_messages().filter(|message| message.package_name().starts_with("tandem.") && !message.is_map_entry())
}

/// Path of a message's type from the crate's root.
pub fn type_path(message: &MessageDescriptor) -> String {
    format!("{}::{}", module_path(message), message.name())
}

/// Path of an enum's type from the crate's root.
pub fn enum_path(of: &EnumDescriptor) -> String {
    format!("{}::{}", module(of.package_name(), of.parent_message()), of.name())
}

/// Path of the module that holds what is nested in a message (its oneofs).
pub fn nested_module(message: &MessageDescriptor) -> String {
    format!("{}::{}", module_path(message), snake(message.name()))
}

fn module_path(message: &MessageDescriptor) -> String {
    module(message.package_name(), message.parent_message())
}

fn module(package: &str, parent: Option<MessageDescriptor>) -> String {
    let package = package.trim_start_matches("tandem.").replace('.', "::");
    match parent {
        Some(parent) => format!("crate::{package}::{}", snake(parent.name())),
        None => format!("crate::{package}"),
    }
}

/// `launch_time` → `LaunchTime`.
pub fn camel(name: &str) -> String {
    name.split('_').map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}

/// `LaunchTime` → `launch_time`.
pub fn snake(name: &str) -> String {
    let mut out = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// A field's name as prost writes it.
pub fn field(name: &str) -> String {
    if matches!(name, "type" | "use" | "ref" | "match") { format!("r#{name}") } else { name.to_owned() }
}
