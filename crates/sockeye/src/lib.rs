//! A socket-server framework: a handler is written once and is served over any
//! transport, under any concurrency model.

pub mod addr;
pub mod client;
pub mod framing;
pub mod proxy;
pub mod quantity;
pub mod socket;
mod sys;
pub mod systemd;
#[cfg(feature = "tls")]
pub mod tls;

pub use addr::Addr;
pub use socket::{Listener, SocketName, Stream};
