//! The client's side: whom to trust, who to be, and the handshake.

use std::{fmt, net::Ipv6Addr, sync::Arc};

use rustls::{ClientConfig, client::WebPkiServerVerifier, sign::SingleCertAndKey};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use crate::Stream;

use super::{
    Fingerprint, Identity, Roots, TlsError, check_alpn, provider, socket::TlsSocket,
    verify::LeafVerifier,
};

/// The client's side of TLS: whom it trusts, and who it is.
///
/// Cheap to clone; the clones share the sessions that can be resumed. It speaks TLS 1.2 and 1.3
/// with the cipher suites that rustls has by default, and sends no early data (0-RTT).
#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    server_name: Option<Arc<str>>,
}

/// Makes a [`TlsClient`]; from [`TlsClient::builder`].
#[derive(Clone, Debug)]
pub struct TlsClientBuilder {
    trust: Trust,
    identity: Option<Identity>,
    alpn: Vec<Vec<u8>>,
    server_name: Option<Arc<str>>,
    sni: bool,
}

/// How a server's certificate is judged.
#[derive(Clone, Debug)]
enum Trust {
    Roots(Roots),
    Pinned(Vec<Fingerprint>),
    Any,
}

impl TlsClientBuilder {
    /// Sets the root certificates that servers are verified against; by default the system's.
    #[must_use]
    pub fn roots(mut self, roots: Roots) -> Self {
        self.trust = Trust::Roots(roots);
        self
    }

    /// Accepts exactly the certificates with these fingerprints, whoever signed them, whatever
    /// names they are for, and however old they are: for self-signed certificates whose
    /// fingerprint was told beforehand.
    #[must_use]
    pub fn pinned(mut self, fingerprints: impl IntoIterator<Item = Fingerprint>) -> Self {
        self.trust = Trust::Pinned(fingerprints.into_iter().collect());
        self
    }

    /// Accepts every certificate. **The server may then be anybody**, who can read and change all
    /// that is sent; for trying things out only.
    #[must_use]
    pub fn dangerous_accept_any_certificate(mut self) -> Self {
        self.trust = Trust::Any;
        self
    }

    /// Sets the certificate that is shown to a server that asks for one.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Sets the application protocols offered, the preferred one first (ALPN, RFC 7301).
    #[must_use]
    pub fn alpn<T: Into<Vec<u8>>>(mut self, protocols: impl IntoIterator<Item = T>) -> Self {
        self.alpn = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the name that servers are asked for (SNI) and verified by, whatever the address says.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Leaves out SNI, so that the server shows its default certificate, and nobody between learns
    /// the name. The certificate is verified all the same.
    #[must_use]
    pub fn without_sni(mut self) -> Self {
        self.sni = false;
        self
    }

    /// Reads the files and makes the client's side.
    ///
    /// # Errors
    /// If a file cannot be read or holds something else, if there is no root to trust, if a key
    /// does not belong to its certificate, or if a protocol name is not one.
    pub fn build(self) -> Result<TlsClient, TlsError> {
        check_alpn(&self.alpn)?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?;
        let leaf_only = |pins| LeafVerifier { pins, provider: provider() };
        let builder = match self.trust {
            Trust::Roots(roots) => {
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(roots.load()?, provider())
                        .build()
                        .map_err(|error| TlsError::NoRoots(error.to_string()))?;
                builder.with_webpki_verifier(verifier)
            }
            Trust::Pinned(pins) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(leaf_only(Some(pins)))),
            Trust::Any => {
                builder.dangerous().with_custom_certificate_verifier(Arc::new(leaf_only(None)))
            }
        };
        let mut config = match self.identity {
            Some(identity) => {
                let key = SingleCertAndKey::from(identity.load()?);
                builder.with_client_cert_resolver(Arc::new(key))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.alpn;
        config.enable_sni = self.sni;
        Ok(TlsClient { config: Arc::new(config), server_name: self.server_name })
    }
}

impl TlsClient {
    /// Starts from a client that trusts the system's roots and has no certificate of its own.
    #[must_use]
    pub const fn builder() -> TlsClientBuilder {
        TlsClientBuilder {
            trust: Trust::Roots(Roots::system()),
            identity: None,
            alpn: Vec::new(),
            server_name: None,
            sni: true,
        }
    }

    /// Does the client's side of the handshake on a stream; the stream that comes back carries the
    /// plain text.
    ///
    /// `server_name` is a host name or an IP address, as it stands in an address; the server's
    /// certificate has to be for it. A host name is sent along (SNI), an IP address never is.
    ///
    /// There is no deadline: wrap it in [`tokio::time::timeout`]. Not cancel-safe: a handshake
    /// that is dropped half-way ends the connection.
    ///
    /// # Errors
    /// If the server does not speak TLS, or is not who it should be, or refuses this client.
    /// (Under TLS 1.3 a server's refusal of the client's certificate shows only when reading.)
    pub async fn connect(&self, stream: Stream, server_name: &str) -> Result<Stream, TlsError> {
        super::check_transport(&stream)?;
        // Boxed, as it holds a whole connection, which would swell every future around it.
        Ok(Stream::from_tls(Box::pin(self.handshake(stream, server_name)).await?))
    }

    /// Does the handshake on any transport.
    pub(super) async fn handshake<IO>(
        &self,
        io: IO,
        server_name: &str,
    ) -> Result<TlsSocket<IO>, TlsError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let wanted = self.server_name.as_deref().unwrap_or(server_name);
        let name = parse_name(wanted)?;
        let asked = match &name {
            ServerName::DnsName(name) if self.config.enable_sni => Some(name.as_ref().to_owned()),
            _ => None,
        };
        let connect = TlsConnector::from(Arc::clone(&self.config)).connect(name, io);
        match connect.await {
            Ok(stream) => Ok(TlsSocket::new(stream, asked)),
            Err(error) => Err(TlsError::from_stream(error, wanted)),
        }
    }
}

/// A host as it stands in an address: a name, an IPv4 address, or an IPv6 address, which may be in
/// brackets and may have a scope, which no certificate knows of.
fn parse_name(text: &str) -> Result<ServerName<'static>, TlsError> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let unscoped = inner.split_once('%').map_or(inner, |(address, _)| address);
    if let Ok(address) = unscoped.parse::<Ipv6Addr>() {
        return Ok(ServerName::from(std::net::IpAddr::V6(address)));
    }
    let bad = |_| TlsError::BadServerName(text.to_owned());
    // The dot that ends an absolute name stands in no certificate (RFC 6066 §3).
    let relative = text.strip_suffix('.').unwrap_or(text);
    ServerName::try_from(relative.to_ascii_lowercase()).map_err(bad)
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_name_is_a_host_as_in_an_address() {
        for (text, parsed) in [
            ("Example.COM", "example.com"),
            ("example.com.", "example.com"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "::1"),
            ("fe80::1%eth0", "fe80::1"),
        ] {
            assert_eq!(parse_name(text).unwrap().to_str(), parsed);
        }
        for text in ["", "a b", "[", "-"] {
            assert!(parse_name(text).is_err(), "{text}");
        }
    }
}
