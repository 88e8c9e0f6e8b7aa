//! Messages from and to ProtoJSON, through the descriptors.
//!
//! Invariant: an unknown field or a value of the wrong type is an error, never ignored.

use prost::{Message, Name};
use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde::de::{DeserializeSeed as _, Deserializer};

use crate::POOL;

/// A message could not be read from or written as JSON.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct JsonError(String);

fn descriptor(full_name: &str) -> Result<MessageDescriptor, JsonError> {
    POOL.get_message_by_name(full_name).ok_or_else(|| JsonError(format!("{full_name} is not a known message")))
}

/// Reads a message by its ProtoJSON mapping from any serde format (JSON, YAML).
///
/// # Errors
/// Says which field is unknown or of the wrong type.
pub fn read<'de, M: Message + Name + Default, D: Deserializer<'de>>(from: D) -> Result<M, JsonError> {
    let message = descriptor(&M::full_name())?.deserialize(from).map_err(|error| JsonError(error.to_string()))?;
    message.transcode_to().map_err(|error| JsonError(error.to_string()))
}

/// Writes a message as ProtoJSON.
///
/// # Errors
/// If the type is not in the descriptor set.
pub fn write<M: Message + Name>(message: &M) -> Result<serde_json::Value, JsonError> {
    write_any(&M::full_name(), &message.encode_to_vec())
}

/// Writes the message of a full name and encoding, for example an event of the log, as ProtoJSON.
///
/// # Errors
/// If the type is unknown or the bytes are not of it.
pub fn write_any(full_name: &str, encoded: &[u8]) -> Result<serde_json::Value, JsonError> {
    let message =
        DynamicMessage::decode(descriptor(full_name)?, encoded).map_err(|error| JsonError(error.to_string()))?;
    serde_json::to_value(&message).map_err(|error| JsonError(error.to_string()))
}
