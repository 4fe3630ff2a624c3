//! Why a connection failed.

use std::{any::Any, io};

use thiserror::Error;

/// Why a connection, or the handling of a datagram, failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Failure {
    /// The peer: its PROXY header or TLS handshake was wrong or too slow, before the handler was called or
    /// when it [started TLS](crate::Conn::start_tls).
    #[error("the handshake failed: {0}")]
    Handshake(#[source] io::Error),
    /// The peer went away in the middle: reset, closed while being written to, or timed out by
    /// the system. This is normal life: `errors_peer_gone` in [`Stats`](super::Stats), "left by the client" in the text
    /// of a [`Report`](super::Report).
    #[error("the peer went away: {0}")]
    PeerGone(#[source] io::Error),
    /// The peer sent nothing, or read nothing, for longer than the limits allow.
    #[error("{0}")]
    Deadline(#[source] io::Error),
    /// The handler returned an error of its own.
    #[error("{0}")]
    Handler(#[source] io::Error),
    /// The handler panicked. The server and all other connections go on.
    #[error("the handler panicked: {0}")]
    Panic(String),
}

/// The error inside a `TimedOut` that one of the server's deadlines caused.
#[derive(Debug, Error)]
#[error("the peer {what} for {} ms", limit.as_millis())]
pub(crate) struct DeadlineError {
    pub(crate) what: &'static str,
    pub(crate) limit: std::time::Duration,
}

/// The error inside one that starting TLS failed with, as the handler has it: of a handshake's own kind.
#[cfg(feature = "tls")]
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct HandshakeError(#[source] io::Error);

#[cfg(feature = "tls")]
impl HandshakeError {
    pub(crate) fn within(error: io::Error) -> io::Error {
        io::Error::new(error.kind(), Self(error))
    }

    fn is_in(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

/// A handshake that took longer than [`Limits::handshake`](super::Limits::handshake).
pub(crate) fn handshake_too_slow(limit: std::time::Duration) -> io::Error {
    let message = format!("the handshake took longer than {} ms", limit.as_millis());
    io::Error::new(io::ErrorKind::TimedOut, message)
}

impl Failure {
    /// Sorts an error that a handler returned by who is at fault.
    pub(crate) fn from_handler(error: io::Error) -> Self {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut,
        };
        #[cfg(feature = "tls")]
        if HandshakeError::is_in(&error) {
            return Self::Handshake(error);
        }
        match error.kind() {
            TimedOut if error.get_ref().is_some_and(|inner| inner.is::<DeadlineError>()) => {
                Self::Deadline(error)
            }
            BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | TimedOut => {
                Self::PeerGone(error)
            }
            _ => Self::Handler(error),
        }
    }

    /// Whether the peer is there to read what the handler may have written before it failed.
    pub(crate) const fn leaves_a_peer(&self) -> bool {
        matches!(self, Self::Handler(_) | Self::Deadline(_) | Self::Handshake(_))
    }

    pub(crate) fn from_panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "(no message)".to_owned());
        Self::Panic(text)
    }

    /// Whether this is the everyday end of a connection whose peer vanished or fell silent,
    /// rather than something to look into.
    #[must_use]
    pub const fn is_routine(&self) -> bool {
        matches!(self, Self::PeerGone(_) | Self::Deadline(_) | Self::Handshake(_))
    }
}
