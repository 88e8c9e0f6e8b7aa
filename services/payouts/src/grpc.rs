//! The APIs of the service over gRPC. Transport, and what a decision needs to know from elsewhere.

pub(crate) mod earnings;
pub(crate) mod payout_runs;
