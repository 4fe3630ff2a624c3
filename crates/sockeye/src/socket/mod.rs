//! Sockets: listeners, streams and datagrams over every family the framework knows.

mod listener;
mod name;
mod stream;

pub use listener::{Accepted, Listener};
pub use name::SocketName;
pub use stream::{Stream, StreamKind};
