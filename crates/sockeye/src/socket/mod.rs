//! Sockets: listeners, streams and datagrams over every family the framework knows.

mod batch;
mod datagram;
mod listener;
mod name;
mod stream;

pub use batch::{
    BatchFull, MAX_BATCH_SLOTS, MAX_DATAGRAM_BYTES, Received, RecvBatch, SendBatch, SendReport,
};
pub use datagram::{Arrival, Datagram, DatagramKind, DatagramPeer, DatagramSocket, is_transient};
pub use listener::{Accepted, Listener};
pub use name::SocketName;
pub use stream::{Stream, StreamKind};
