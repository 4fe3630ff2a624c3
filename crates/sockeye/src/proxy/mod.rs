//! The PROXY protocol, versions 1 and 2: who is at the other end of a load balancer.
//!
//! A proxy that forwards a connection is its peer's address to the server behind it; the PROXY
//! protocol has it say, before anything else, for whom it connects. This module reads and
//! writes that [`Header`], all of the specification of `HAProxy` (`proxy-protocol.txt`). It never
//! decides whom to believe: a header is worth what its sender is trusted, and a server reads
//! one only on a `proxy+` address and only from a peer in the address's `trust` list. Nor does
//! it ever guess whether a header is there; the specification forbids that.
//!
//! [`wire`] holds the formats without any I/O; [`read_header`] and [`write_header`] are the
//! way from and to a stream, and a datagram is given to [`wire::parse`] as it is.
//!
//! ```
//! use sockeye::{SocketName, proxy::{MAX_V2, wire}};
//!
//! let bytes = b"PROXY TCP4 203.0.113.7 192.0.2.1 50000 443\r\nGET / HTTP/1.1\r\n";
//! let wire::Parsed::Done { header, consumed } = wire::parse(bytes, MAX_V2)? else {
//!     return Err("the header is not whole yet".into());
//! };
//! assert_eq!(header.source(), Some(SocketName::Inet("203.0.113.7:50000".parse()?)));
//! assert_eq!(&bytes[consumed..], b"GET / HTTP/1.1\r\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod header;
mod stream;
mod tls;
mod unix_address;
pub mod wire;

pub use error::HeaderError;
pub use header::{Header, Origin, Protocol, Tlv, Tlvs, Version};
pub use stream::{Peek, read_header, read_header_limited, write_header};
pub use tls::Ssl;

/// The longest header of version 1, its CRLF included, in bytes (specification §2.1).
pub const MAX_V1: usize = 107;

/// The most bytes that may follow the 16 fixed ones of a version 2 header, unless set
/// otherwise: 4 KiB, room for addresses, names and a client's certificate. The format itself
/// allows 65,535.
pub const MAX_V2: usize = 4096;

/// The longest unique id in bytes (specification §2.2.5).
pub const MAX_UNIQUE_ID: usize = 128;
