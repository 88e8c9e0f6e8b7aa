//! `tandem`: run Tandem on one machine, feed it, look into it, operate it.
//!
//! Invariant: a command reaches the services by their public API alone, so what it can do any client can; but for those
//! that make what the services need before there are any, and those that operate the log itself: `doctor`, `backup` and
//! `restore`.
//!
//! As a library it offers what tests and demos share with the commands: [`import`], [`platform`] and [`output`].

mod audit;
mod backup;
mod cli;
mod connection;
mod contracts;
mod doctor;
mod erase;
mod events;
pub mod import;
mod keygen;
mod nats;
pub mod output;
mod pages;
mod partnership;
mod payout;
pub mod platform;
mod processes;
mod provision;
mod rights;
mod token;
mod up;
mod views;
mod vocabulary;

pub use cli::main;
pub use connection::Connection;
