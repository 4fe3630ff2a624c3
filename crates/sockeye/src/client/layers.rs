//! What lies over the transport: the PROXY header and then TLS, as in `proxy+tls+tcp://`.

use super::ConnectError;
use crate::{
    Stream,
    addr::Addr,
    proxy::{Header, Protocol, write_header},
};
#[cfg(feature = "tls")]
use crate::{addr::Host, tls::TlsClient};

/// What the layers are made with.
#[derive(Clone, Debug, Default)]
pub(super) struct Layers {
    /// The header to send; without one, that of the connection itself.
    pub(super) header: Option<Header>,
    /// The client's side of TLS; without one, one that trusts the system's roots.
    #[cfg(feature = "tls")]
    pub(super) tls: Option<TlsClient>,
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
            return self.secure(addr, stream).await;
        }
        Ok(stream)
    }

    /// The TLS handshake, which verifies the server by the host of the address.
    #[cfg(feature = "tls")]
    async fn secure(&self, addr: &Addr, stream: Stream) -> Result<Stream, ConnectError> {
        // What is reached without a host, by a path or a descriptor, is on this machine.
        let host = addr.host().map_or_else(|| "localhost".to_owned(), Host::to_string);
        let secured = async {
            match &self.tls {
                Some(tls) => tls.connect(stream, &host).await,
                None => TlsClient::builder().build()?.connect(stream, &host).await,
            }
        };
        secured.await.map_err(|error| ConnectError::Handshake {
            address: addr.to_string(),
            source: error.into(),
        })
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_async, reason = "the same call with TLS and without")]
    async fn secure(&self, addr: &Addr, _stream: Stream) -> Result<Stream, ConnectError> {
        Err(ConnectError::Layer {
            address: addr.to_string(),
            reason: "this program was built without TLS (feature `tls` of sockeye)".to_owned(),
        })
    }

    async fn send_header(&self, stream: &mut Stream) -> std::io::Result<()> {
        if let Some(header) = &self.header {
            return write_header(stream, header).await;
        }
        let (local, peer) = (stream.local_name()?, stream.peer_name()?);
        write_header(stream, &Header::relayed(Protocol::Stream, &local, &peer)).await
    }
}
