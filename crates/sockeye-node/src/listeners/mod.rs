//! Listeners: what is spoken where.
//!
//! A protocol is a row of the program's table ([`Protocol`]); this crate knows none of them.

mod address;
mod bind;
mod error;
mod open;
mod options;
mod protocol;
mod service;

pub use address::Listen;
pub(crate) use bind::shown;
pub use bind::{Bound, OpenError};
pub use error::ListenError;
pub use open::{Exchanged, Listeners, Opened};
pub use options::ListenOption;
pub use protocol::{Cleartext, Listening, Protocol, Service};

#[cfg(test)]
pub(crate) mod tests;
