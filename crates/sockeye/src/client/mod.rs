//! Connecting to any stream address of the grammar: every address that a name stands for,
//! within a time limit, from a source address if need be.
//!
//! [`connect`] is enough for most; [`Connect`] has the settings; [`connect_code`] gives the
//! system's error number alone. [`connect_datagram`] is for the transports without connections.
//!
//! Names with several addresses are tried as Happy Eyeballs version 2 does (RFC 8305): the two
//! families in turn, another attempt every 250 ms or as soon as one fails, and the first
//! connection made wins; the others are closed.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! use std::time::Duration;
//! use sockeye::client::Connect;
//!
//! let mut stream = Connect::new("tcp://localhost:9999")?
//!     .timeout(Duration::from_secs(5))
//!     .source(std::net::Ipv4Addr::LOCALHOST)
//!     .connect()
//!     .await?;
//! # Ok(())
//! # }
//! ```

mod attempt;
mod builder;
mod datagram;
mod error;
mod eyeballs;
mod layers;

pub use builder::{Connect, Source};
pub use datagram::{connect_datagram, connect_datagram_from};
pub use error::{Attempt, ConnectError};

use crate::{
    Stream,
    addr::{Addr, AddrError},
};

/// Connects to `addr` with the default settings of [`Connect`].
///
/// # Errors
/// [`ConnectError`], with every address tried and its own error.
///
/// # Cancel safety
/// A connection under way is closed.
pub async fn connect<A>(addr: A) -> Result<Stream, ConnectError>
where
    A: TryInto<Addr>,
    A::Error: Into<AddrError>,
{
    Connect::new(addr)?.connect().await
}

/// Connects, closes again, and gives the system's error number: 0 if it worked, as Python's
/// `connect_ex` does.
///
/// Where no error number of the system is the cause: ETIMEDOUT for the time limit,
/// EHOSTUNREACH for a name without addresses, EPROTO for what failed above the transport and
/// EINVAL for an address that nobody can connect to.
///
/// # Cancel safety
/// A connection under way is closed.
pub async fn connect_code(addr: &Addr) -> i32 {
    match connect(addr).await {
        Ok(_) => 0,
        Err(error) => error.code(),
    }
}
