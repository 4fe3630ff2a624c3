//! TLS on data connections: who resumes the control connection's session is who has it (RFC 4217 §10.2).

use std::time::Duration;

use sockeye::{Stream, tls::TlsServer};

use super::{OpenError, sessions::Resumed};

/// How a data connection is encrypted.
#[derive(Clone, Debug)]
pub(crate) struct DataTls {
    /// With the sessions of the control connection, and of others.
    pub(crate) server: TlsServer,
    /// Whether such a session has to be resumed.
    pub(crate) resumed: bool,
    /// Whether the client takes what came when it closes a connection on which it has only sent.
    pub(crate) takes_tickets: bool,
    /// Whose it was then, if it may be another's.
    pub(crate) others: Option<Resumed>,
}

impl DataTls {
    /// The same, for a connection on which the client `reads`, or only sends.
    pub(crate) fn for_next(self, reads: bool) -> Self {
        Self { server: self.server.for_next_connection(reads || self.takes_tickets), ..self }
    }

    /// Does the server's side of the handshake, in at most `limit`.
    pub(crate) async fn accept(self, stream: Stream, limit: Duration) -> Result<Stream, OpenError> {
        let accepted = tokio::time::timeout(limit, self.accept_in_time(stream)).await;
        accepted.map_err(|_| OpenError::Handshake("it took too long".to_owned()))?
    }

    async fn accept_in_time(self, stream: Stream) -> Result<Stream, OpenError> {
        let Self { server, resumed: required, others, .. } = self;
        let accepted = server.accept(stream).await;
        let stream = accepted.map_err(|error| OpenError::Handshake(error.to_string()))?;
        if !required {
            return Ok(stream);
        }
        let same = match others {
            _ if !stream.tls().is_some_and(|tls| tls.resumed) => false,
            Some(others) => others.is_same().await,
            None => true,
        };
        if same { Ok(stream) } else { Err(OpenError::NotResumed) }
    }
}
