//! Listeners: what is spoken where.
//!
//! A protocol is a row of the program's table ([`Protocol`]); this crate knows none of them.

mod address;
mod protocol;

pub use address::{Listen, ListenError};
pub use protocol::{Protocol, Service};

#[cfg(test)]
pub(crate) mod tests;
