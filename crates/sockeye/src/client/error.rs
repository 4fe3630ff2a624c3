//! Why no connection was made.

use std::{fmt, io, time::Duration};

use crate::{
    addr::{Addr, AddrError},
    quantity::format_duration,
    socket::{BindError, SocketName},
};

/// One try to reach one address.
#[derive(Debug)]
pub struct Attempt {
    /// The address tried.
    pub to: SocketName,
    /// What the system said.
    pub error: io::Error,
}

/// No connection.
///
/// `Debug` prints what `Display` does.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The caller: a text that is no address.
    #[error(transparent)]
    Address(#[from] AddrError),
    /// The caller: an address of a transport that has no connections.
    #[error("cannot connect to {address}: this transport has no connections; use a DatagramSocket")]
    NotAStream {
        /// The address.
        address: String,
    },
    /// The caller: a source address that fits none of the addresses.
    #[error("cannot connect to {address} from {source_address}: {reason}")]
    Source {
        /// The address.
        address: String,
        /// The source address asked for.
        source_address: String,
        /// What does not fit.
        reason: &'static str,
    },
    /// The caller: a layer that lacks what it needs.
    #[error("cannot connect to {address}: {reason}")]
    Layer {
        /// The address.
        address: String,
        /// What is missing.
        reason: String,
    },
    /// The name has no addresses, or the service manager passed no such descriptor.
    #[error("cannot connect to {address}: {source}")]
    Lookup {
        /// The address.
        address: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The system or the peer: no address could be reached.
    #[error("cannot connect to {address}: {}", Attempts(attempts))]
    Failed {
        /// The address.
        address: String,
        /// Every try, in the order in which they failed.
        attempts: Vec<Attempt>,
    },
    /// The time for all was over.
    #[error(
        "cannot connect to {address}: no answer within {}{}",
        format_duration(*limit),
        AfterAttempts(attempts)
    )]
    TimedOut {
        /// The address.
        address: String,
        /// The limit.
        limit: Duration,
        /// The tries that failed before.
        attempts: Vec<Attempt>,
    },
    /// The peer: connected, but a layer above the transport failed (PROXY header, TLS).
    #[error("connected to {address}, but {source}")]
    Handshake {
        /// The address.
        address: String,
        /// What went wrong.
        source: io::Error,
    },
}

impl ConnectError {
    /// The tries that failed, in the order in which they did.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        match self {
            Self::Failed { attempts, .. } | Self::TimedOut { attempts, .. } => attempts,
            _ => &[],
        }
    }

    /// The system's error number of the last try, or of the step that failed.
    #[must_use]
    pub fn raw_os_error(&self) -> Option<i32> {
        let error = self.io_error()?;
        // The name of a Unix source is bound with explanations of its own.
        let bind = error.get_ref().and_then(|inner| inner.downcast_ref::<BindError>());
        error.raw_os_error().or_else(|| bind?.raw_os_error())
    }

    /// As [`connect_code`](super::connect_code) says.
    pub(super) fn code(&self) -> i32 {
        self.raw_os_error().unwrap_or(match self {
            Self::TimedOut { .. } => libc::ETIMEDOUT,
            Self::Failed { .. } if self.kind() == io::ErrorKind::TimedOut => libc::ETIMEDOUT,
            Self::Lookup { .. } => libc::EHOSTUNREACH,
            Self::Failed { .. } | Self::Handshake { .. } => libc::EPROTO,
            _ => libc::EINVAL,
        })
    }

    /// The kind of I/O error that it is.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::TimedOut { .. } => io::ErrorKind::TimedOut,
            _ => self.io_error().map_or(io::ErrorKind::InvalidInput, io::Error::kind),
        }
    }

    fn io_error(&self) -> Option<&io::Error> {
        match self {
            Self::Lookup { source, .. } | Self::Handshake { source, .. } => Some(source),
            Self::Failed { attempts, .. } => attempts.last().map(|attempt| &attempt.error),
            _ => None,
        }
    }

    pub(super) fn not_a_stream(addr: &Addr) -> Self {
        Self::NotAStream { address: addr.to_string() }
    }

    pub(super) fn lookup(addr: &Addr, source: impl Into<io::Error>) -> Self {
        Self::Lookup { address: addr.to_string(), source: source.into() }
    }
}

impl From<ConnectError> for io::Error {
    fn from(error: ConnectError) -> Self {
        Self::new(error.kind(), error)
    }
}

/// The tries, those that failed alike together; what the system says of each with the way out.
struct Attempts<'a>(&'a [Attempt]);

impl fmt::Display for Attempts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alike = |a: &Attempt, b: &Attempt| a.error.to_string() == b.error.to_string();
        for (index, group) in self.0.chunk_by(alike).enumerate() {
            f.write_str(if index == 0 { "" } else { "; " })?;
            let Some((Attempt { to, error }, others)) = group.split_last() else { continue };
            others.iter().try_for_each(|other| write!(f, "{}, ", other.to))?;
            write!(f, "{to}: {error}{}", remedy(error))?;
        }
        Ok(())
    }
}

struct AfterAttempts<'a>(&'a [Attempt]);

impl fmt::Display for AfterAttempts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "; before that {}", Attempts(self.0)) }
    }
}

fn remedy(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::ECONNREFUSED) => " (nothing listens there: is the server running?)",
        Some(libc::ENOENT) => " (no such socket: is the server running?)",
        Some(libc::EACCES) => " (connecting needs write permission on the socket's file)",
        Some(libc::ENETUNREACH | libc::EHOSTUNREACH) => " (no route there: is the network up?)",
        Some(libc::EADDRNOTAVAIL) => " (no such source address, or all its ports are in use)",
        Some(libc::ENAMETOOLONG) => " (a Unix socket's path has at most 107 bytes)",
        Some(libc::EADDRINUSE) => " (the source address is in use)",
        Some(libc::EPROTOTYPE) => {
            " (a socket of another type: unix://, seqpacket:// and unixgram:// do not mix)"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_that_failed_alike_are_told_together() {
        let attempt = |to: &str, code| Attempt {
            to: SocketName::Inet(to.parse().unwrap()),
            error: io::Error::from_raw_os_error(code),
        };
        let refused = [attempt("127.0.0.1:9", 111), attempt("[::1]:9", 111)];
        let told = Attempts(&refused).to_string();
        assert!(told.starts_with("127.0.0.1:9, [::1]:9: Connection refused"), "{told}");
        assert_eq!(told.matches("refused").count(), 1, "{told}");
        let told = Attempts(&[attempt("127.0.0.1:9", 111), attempt("[::1]:9", 101)]).to_string();
        assert!(told.contains("server running?); [::1]:9: Network is unreachable"), "{told}");
    }
}
