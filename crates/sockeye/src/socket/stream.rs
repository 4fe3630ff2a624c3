//! A connected stream over any transport.

/// The transport of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// TCP over IPv4 or IPv6.
    Tcp,
    /// Unix stream.
    Unix,
    /// Unix seqpacket: connected, and every read is one record.
    Seqpacket,
}

/// A connected stream, registered with the current runtime.
#[derive(Debug)]
pub struct Stream {
    _private: (),
}
