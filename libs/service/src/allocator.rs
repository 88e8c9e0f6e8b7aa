//! The allocator of every program of Tandem.
//!
//! Invariant: there is one. A request makes some hundred small allocations, and freed elsewhere than made they have the
//! threads wait for each other in the C library's allocator: with this one a service does twice as much at 64 requests
//! in flight (`docs/performance.md`). Version 2, for version 3 keeps three times the memory when idle.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
