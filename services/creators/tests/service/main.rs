//! The creators service as clients see it: a real server on a free port, over a real NATS server.

mod creators;
mod erasure;
mod import;
mod prospects;
mod support;
