//! The service: one control connection from its first byte to its last.

use std::{io, sync::Arc};

use bytes::Bytes;
use sockeye::{Conn, Handler};
use sockeye_node::Gate;

use crate::{
    Config, Security,
    control::Control,
    data::{Ports, TlsSessions},
    seldom::Seldom,
};

/// Serves a node over FTP; one value serves any number of connections.
///
/// Deadlines are those of [`Limits`](crate::Limits), in place of the server's own for reads and writes.
#[derive(Debug)]
pub struct Ftp(Arc<Shared>);

/// What all connections of a listener share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) gate: Arc<Gate>,
    pub(crate) config: Config,
    pub(crate) ports: Arc<Ports>,
    pub(crate) tls_sessions: Arc<TlsSessions>,
    pub(crate) warned: Warned,
}

/// What a client could have warned of at will.
#[derive(Debug, Default)]
pub(crate) struct Warned {
    /// All ports are lent.
    pub(crate) ports: Seldom,
    /// The external address leads nowhere.
    pub(crate) address: Seldom,
}

impl Ftp {
    /// Serves the node that `gate` leads to, as `config` says.
    #[must_use]
    pub fn new(gate: Arc<Gate>, config: Config) -> Self {
        let ports = Ports::new(config.passive_ports.clone());
        Self(Arc::new(Shared {
            gate,
            config,
            ports,
            tls_sessions: Arc::default(),
            warned: Warned::default(),
        }))
    }
}

impl Handler for Ftp {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let limits = &self.0.config.limits;
        conn.set_read_idle(Some(limits.idle));
        conn.set_write_stall(Some(limits.write_stall));
        // The last byte of an interrupt is urgent, and belongs where it was sent (RFC 959 §4.1.3, RFC 854).
        if !conn.stream().is_tls() {
            conn.stream_mut().set_urgent_inline(true)?;
        }
        Control::serve(conn, &self.0).await
    }

    fn refusal(&self) -> Bytes {
        if self.0.config.security == Security::Implicit {
            // Nothing but TLS would be understood.
            return Bytes::new();
        }
        Bytes::from_static(
            b"421 There are too many connections from your address. Close one, or try again later.\r\n",
        )
    }
}
