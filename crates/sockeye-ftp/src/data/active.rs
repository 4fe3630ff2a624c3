//! Active data connections (RFC 959 §3.3): the server connects to the client.

use std::{io, net::SocketAddr, time::Duration};

use sockeye::Stream;
use tokio::net::TcpSocket;

use super::OpenError;

/// Connects to the client, from the address that its control connection has led to.
///
/// The port is any: port 20 would take a privilege that a server should not have.
pub(super) async fn connect(
    from: SocketAddr,
    to: SocketAddr,
    limit: Duration,
) -> Result<Stream, OpenError> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind(from)?;
    let failed = |cause| OpenError::Failed { to, cause };
    match tokio::time::timeout(limit, socket.connect(to)).await {
        Ok(connected) => Ok(connected.map_err(failed)?.into()),
        Err(_) => Err(failed(io::ErrorKind::TimedOut.into())),
    }
}
