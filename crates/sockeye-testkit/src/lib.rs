//! Test support for sockeye: the real programs that tests talk to, and fault injection.
//!
//! For tests alone: it panics where a test would, and nothing that is shipped depends on it.

pub mod certificates;
pub mod client;
mod models;
#[cfg(feature = "node")]
pub mod node;
pub mod peer;
pub mod processes;
pub mod program;
pub mod running;
#[cfg(feature = "node")]
pub mod session;
mod soon;

pub use soon::soon;
