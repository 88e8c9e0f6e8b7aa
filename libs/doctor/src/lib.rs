//! Whether a deployment is fit: facts about it, and what is wrong with them.
//!
//! Invariant: [`examine`] judges by the facts alone, so what keeps a service from starting and what `tandem doctor` prints
//! of a running system can't differ.
//!
//! ```
//! use tandem_doctor::{Facts, Known, Settings, examine};
//!
//! let mut facts = Facts::production("tandem");
//! facts.settings = Some(Settings { development_key: true, stream_replicas: 3, ..Settings::default() });
//! facts.log.state = Known::Missing; // not made yet
//! let findings = examine(&facts);
//! assert_eq!(findings[0].code, "development-key");
//! ```

mod checks;
mod facts;
mod finding;
pub mod gather;

pub use checks::examine;
pub use facts::{
    Consumer, ConsumerFacts, Copy, Facts, Info, Known, Server, ServerFacts, Service, ServiceFacts, Settings, Stream,
    StreamFacts, View, restore_marker,
};
pub use finding::{Finding, Severity};

#[cfg(test)]
mod tests;
