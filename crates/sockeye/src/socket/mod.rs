//! Sockets: listeners, streams and datagrams over every family the framework knows.

mod batch;
pub(crate) mod bind;
mod credentials;
mod datagram;
mod descriptors;
mod error;
mod holder;
pub mod icmp;
mod kind;
mod listener;
mod name;
mod newcomers;
mod open;
pub mod options;
mod pair;
pub mod raw;
mod readiness;
mod receive;
mod send_file;
mod seqpacket;
mod stream;
pub(crate) mod unix_file;
mod urgent;

pub use batch::{
    BatchFull, MAX_BATCH_SLOTS, MAX_DATAGRAM_BYTES, Received, RecvBatch, SendBatch, SendReport,
};
pub use credentials::PeerCredentials;
pub use datagram::{Arrival, Datagram, DatagramKind, DatagramPeer, DatagramSocket, is_transient};
pub use descriptors::MAX_DESCRIPTORS;
pub use error::{BindError, BindFault};
pub use kind::StreamKind;
pub use listener::{Accepted, Listener};
pub use name::SocketName;
pub use open::{Family, OpenError, SocketType, open};
pub use pair::socketpair;
pub(crate) use readiness::has_input;
pub use receive::RecvFlags;
pub use stream::Stream;
