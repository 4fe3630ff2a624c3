//! The socket options that an address may carry.

/// Socket options; `None` leaves the system's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketOptions {
    /// Queue length of a listener.
    pub backlog: Option<u32>,
}
