//! Passive data connections (RFC 959 §3.3): the client connects to a port that was told to it.

use std::{io, net::IpAddr};

use sockeye::Stream;
use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};

use super::ports::Lease;

/// A port that the client is to connect to, or has.
#[derive(Debug)]
pub(crate) struct Passive {
    state: State,
    /// Who may connect.
    client: IpAddr,
    since: Instant,
}

#[derive(Debug)]
enum State {
    /// The port is given back after the listener is closed.
    Listening {
        listener: TcpListener,
        _lease: Lease,
    },
    Connected(TcpStream),
}

impl Passive {
    pub(super) fn new(listener: TcpListener, lease: Lease, client: IpAddr) -> Self {
        Self { state: State::Listening { listener, _lease: lease }, client, since: Instant::now() }
    }

    /// The port.
    ///
    /// # Errors
    /// What the system refuses.
    pub(crate) fn port(&self) -> io::Result<u16> {
        match &self.state {
            State::Listening { listener, .. } => Ok(listener.local_addr()?.port()),
            State::Connected(stream) => Ok(stream.local_addr()?.port()),
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Listening { .. })
    }

    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Waits until the client has connected, and closes the port then. Others are turned away. Cancellation safe.
    pub(super) async fn settle(&mut self) -> io::Result<()> {
        if let State::Listening { listener, .. } = &self.state {
            let stream = accept(listener, self.client).await?;
            self.state = State::Connected(stream);
        }
        Ok(())
    }

    /// The connection, once the client has made it.
    pub(super) async fn open(mut self) -> io::Result<Stream> {
        self.settle().await?;
        match self.state {
            State::Connected(stream) => Ok(stream.into()),
            State::Listening { .. } => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

async fn accept(listener: &TcpListener, client: IpAddr) -> io::Result<TcpStream> {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) if peer.ip().to_canonical() == client => return Ok(stream),
            Ok((_, peer)) => {
                tracing::warn!(%peer, %client, "a stranger came to a data connection and was turned away");
            }
            // The one that came has gone again.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => return Err(error),
        }
    }
}
