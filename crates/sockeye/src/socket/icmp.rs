//! ICMP echo, what ping(8) does: the messages as bytes, and a client that asks and waits.

mod echo;
mod ping;

pub use echo::{ECHO_HEADER, Echo, EchoError, EchoKind, IcmpVersion, MAX_ECHO_PAYLOAD};
pub use ping::{Ping, PingReply};
