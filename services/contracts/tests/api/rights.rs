//! The register of rights and what may be done with content: contracts by the API, publications as campaigns tells them.

mod changes;
mod checks;
mod lists;
mod register;
pub mod stage;
