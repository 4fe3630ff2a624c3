//! What lies over the transport: the PROXY header and then TLS, as in `proxy+tls+tcp://`.

use super::ConnectError;
use crate::{
    Stream,
    addr::Addr,
    proxy::{Header, Protocol, write_header},
};

/// What the layers are made with.
#[derive(Clone, Debug, Default)]
pub(super) struct Layers {
    /// The header to send; without one, that of the connection itself.
    pub(super) header: Option<Header>,
}

impl Layers {
    /// Adds the layers that the address asks for.
    pub(super) async fn add(
        &self,
        addr: &Addr,
        mut stream: Stream,
    ) -> Result<Stream, ConnectError> {
        if addr.proxy {
            let sent = self.send_header(&mut stream).await;
            sent.map_err(|source| ConnectError::Handshake { address: addr.to_string(), source })?;
        }
        if addr.tls {
            return Err(ConnectError::Layer {
                address: addr.to_string(),
                reason: "a client cannot speak TLS yet".to_owned(),
            });
        }
        Ok(stream)
    }

    async fn send_header(&self, stream: &mut Stream) -> std::io::Result<()> {
        if let Some(header) = &self.header {
            return write_header(stream, header).await;
        }
        let (local, peer) = (stream.local_name()?, stream.peer_name()?);
        write_header(stream, &Header::relayed(Protocol::Stream, &local, &peer)).await
    }
}
