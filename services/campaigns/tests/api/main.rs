//! The campaigns service through its API: a real client, the real server, a real log. Only the contracts service is
//! another: one that answers the contracts that a test has put there.

mod contracts;
mod creators;
mod joining;
mod life;
mod lists;
mod orders;
mod refusals;
mod world;
