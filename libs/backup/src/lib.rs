//! Backup and restore: the log and the vault, into a folder and back.
//!
//! Invariant: a folder with a manifest is a whole backup, and a restore that has not ended leaves a mark in NATS; neither
//! is ever taken for something else.
//!
//! # What is taken, and in which order
//! 1. *The log*, as a snapshot of its stream by the server: every event with its sequence, which is its position, so that
//!    positions and etags stay what they were. Without its consumers: whatever consumes it begins at its start again.
//! 2. *The vault's data*, then its *keys*, sealed as they are. What an event refers to is written to the vault before the
//!    event is written, so a vault that is read after the log has all that the log refers to; and an erasure that happens
//!    meanwhile is in the backup rather than not.
//!
//! Nothing else is needed: views are folds of the log; timers are armed anew by the processes that arm them, which begin
//! at the start of the log like all processes; and what they do again has its request id in the log already.

mod chunks;
mod create;
mod error;
mod files;
mod manifest;
mod marker;
mod restore;
mod snapshot;
mod vault;
mod verify;

pub use create::{Create, create};
pub use error::BackupError;
pub use manifest::{FileEntry, Log, Manifest, VaultCounts};
pub use restore::{Restore, Restored, restore};
pub use verify::{Verified, verify};
