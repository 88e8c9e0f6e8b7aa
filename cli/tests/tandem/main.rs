//! The program `tandem` as people run it, with a real NATS server.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails its test")]

mod contracts;
mod life;
mod money;
mod operations;
mod refusals;
mod rights;
mod support;
mod tail;
