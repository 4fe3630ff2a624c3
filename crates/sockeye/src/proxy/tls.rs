//! What a proxy says of the TLS session between the client and itself.

use super::Tlv;

/// The TLS session between client and proxy (`PP2_TYPE_SSL`, specification §2.2.6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ssl {
    /// The client connected over TLS (`PP2_CLIENT_SSL`).
    pub encrypted: bool,
    /// The client gave a certificate on this connection (`PP2_CLIENT_CERT_CONN`).
    pub certificate_on_connection: bool,
    /// The client gave a certificate at least once in this session (`PP2_CLIENT_CERT_SESS`).
    pub certificate_in_session: bool,
    /// 0 if the client's certificate was verified, otherwise an error code of the proxy's. See
    /// [`client_verified`](Self::client_verified).
    pub verify: u32,
    /// The TLS version, such as `TLSv1.3`.
    pub version: Option<String>,
    /// The Common Name of the client's certificate.
    pub common_name: Option<String>,
    /// The cipher, such as `TLS_AES_256_GCM_SHA384`.
    pub cipher: Option<String>,
    /// How the proxy's certificate is signed, such as `RSA-SHA256`.
    pub signature_algorithm: Option<String>,
    /// The key of the proxy's certificate, such as `RSA2048`.
    pub key_algorithm: Option<String>,
    /// The group of the key exchange, such as `X25519`.
    pub group: Option<String>,
    /// How the handshake was signed, such as `rsa_pss_rsae_sha256`.
    pub signature_scheme: Option<String>,
    /// The client's certificate, DER.
    pub client_certificate: Option<Vec<u8>>,
    /// Fields of other types, in order.
    pub other: Vec<Tlv>,
}

impl Ssl {
    /// Whether the client gave a certificate that the proxy verified.
    #[must_use]
    pub fn client_verified(&self) -> bool {
        self.verify == 0 && (self.certificate_on_connection || self.certificate_in_session)
    }
}
