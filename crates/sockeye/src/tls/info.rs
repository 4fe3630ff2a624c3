//! What a handshake agreed on.

use std::fmt;

use rustls::{HandshakeKind, ProtocolVersion};
use rustls_pki_types::CertificateDer;
use tokio_rustls::TlsStream;

use super::Fingerprint;

/// What the handshake of a TLS stream agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsInfo {
    /// The protocol version.
    pub version: TlsVersion,
    /// The cipher suite by its IANA name, such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher_suite: &'static str,
    /// The application protocol (ALPN, RFC 7301), if one was agreed on.
    pub alpn: Option<Vec<u8>>,
    /// The name that the client asked for (SNI, RFC 6066 §3), in lower case.
    pub server_name: Option<String>,
    /// The peer's certificates, leaf first; none for a client that showed none.
    pub peer_certificates: Vec<CertificateDer<'static>>,
    /// Whether an earlier session was resumed, so that no certificate was sent or verified anew.
    pub resumed: bool,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
    }
}

impl TlsInfo {
    /// The SHA-256 fingerprint of the peer's own certificate, which prints as hexadecimal.
    #[must_use]
    pub fn peer_fingerprint(&self) -> Option<Fingerprint> {
        self.peer_certificates.first().map(|leaf| Fingerprint::of(leaf))
    }

    /// Reads it off a stream whose handshake is done; `asked` is the name that a client sent.
    pub(super) fn of<IO>(stream: &TlsStream<IO>, asked: Option<&str>) -> Self {
        let (_, state) = stream.get_ref();
        let server_name = match stream {
            TlsStream::Server(server) => server.get_ref().1.server_name(),
            TlsStream::Client(_) => asked,
        };
        Self {
            // Only these two are compiled in.
            version: match state.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => TlsVersion::Tls12,
                _ => TlsVersion::Tls13,
            },
            cipher_suite: state
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                .unwrap_or("unknown"),
            alpn: state.alpn_protocol().map(<[u8]>::to_vec),
            server_name: server_name.map(str::to_owned),
            peer_certificates: state.peer_certificates().unwrap_or_default().to_vec(),
            resumed: state.handshake_kind() == Some(HandshakeKind::Resumed),
        }
    }
}
