//! Data connections: prepared by a command, opened by the next transfer.
//!
//! Whoever opens a passive one has to come from the address of the control connection, and no active one leads anywhere
//! else (RFC 2577): so nobody's data goes to somebody else, and nobody is attacked through this server.

pub(crate) mod active;
mod passive;
mod ports;
mod sessions;
mod tls;

use std::{io, net::SocketAddr, time::Duration};

use sockeye::Stream;

pub(crate) use self::{
    passive::Passive,
    ports::Ports,
    sessions::{Client, Neighbour, TlsSessions},
    tls::DataTls,
};
use crate::wire::reply::Reply;

/// The data connection of the next transfer.
#[derive(Debug, Default)]
pub(crate) enum Prepared {
    /// None was asked for.
    #[default]
    None,
    /// The client connects.
    Passive(Passive),
    /// The server connects, from its own address to the client's.
    Active {
        /// This end's address, with any port.
        from: SocketAddr,
        /// The client's.
        to: SocketAddr,
    },
    /// There was one, and nobody came in time.
    Expired,
}

/// Why there is no data connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// No command prepared one.
    #[error("No data connection was asked for: EPSV, PASV, EPRT or PORT first")]
    None,
    /// The client did not connect.
    #[error("Nobody connected for data within {} s", .0.as_secs())]
    NobodyCame(Duration),
    /// The client did not answer.
    #[error("The data connection to {to} failed: {cause}")]
    Failed { to: SocketAddr, cause: io::Error },
    /// The client did not do its side of the TLS handshake.
    #[error("TLS on the data connection failed: {0}")]
    Handshake(String),
    /// It may be somebody else.
    #[error(
        "The data connection did not resume the TLS session of the control connection; \
         let the client reuse it, or have the server's ftp.data-tls be \"prefer\""
    )]
    NotResumed,
    /// The system's.
    #[error("The data connection failed: {0}")]
    System(#[from] io::Error),
}

impl OpenError {
    /// The reply that it makes.
    pub(crate) fn reply(&self) -> Reply {
        let code = if let Self::NotResumed = self { 522 } else { 425 };
        Reply::new(code, format!("{self}."))
    }
}

impl Prepared {
    /// Whether somebody may still connect.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self, Self::Passive(passive) if passive.is_waiting())
    }

    /// Waits for the client to connect, so that its port can be lent to others; a port that nobody connects to for `limit` is
    /// given back. Cancellation safe.
    pub(crate) async fn wait(&mut self, limit: Duration) {
        let Self::Passive(passive) = self else { return std::future::pending().await };
        let deadline = passive.since() + limit;
        let came = tokio::time::timeout_at(deadline, passive.settle()).await;
        if !matches!(came, Ok(Ok(()))) {
            *self = Self::Expired;
        }
    }

    /// Opens it, in at most `limit`.
    pub(crate) async fn open(self, limit: Duration) -> Result<Stream, OpenError> {
        match self {
            Self::None => Err(OpenError::None),
            Self::Expired => Err(OpenError::NobodyCame(limit)),
            Self::Passive(passive) => match tokio::time::timeout(limit, passive.open()).await {
                Ok(opened) => Ok(opened?),
                Err(_) => Err(OpenError::NobodyCame(limit)),
            },
            Self::Active { from, to } => active::connect(from, to, limit).await,
        }
    }
}
