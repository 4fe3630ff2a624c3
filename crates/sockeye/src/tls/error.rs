//! What can go wrong with TLS, grouped by who is at fault.

use std::{fmt, io, path::PathBuf};

use rustls::{AlertDescription, CertificateError};
use thiserror::Error;

/// An error of TLS: in its configuration, in a handshake, or on an established stream.
///
/// `Debug` prints what `Display` does.
#[derive(Error)]
#[non_exhaustive]
pub enum TlsError {
    // The configuration.
    /// A file cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A PEM section does not decode.
    #[error("{origin}, line {line}: the section {label} {cause}")]
    MalformedPem {
        /// The file.
        origin: PemOrigin,
        /// The line of the section's `BEGIN`, from 1.
        line: usize,
        /// What the section says that it is, such as `CERTIFICATE`.
        label: String,
        /// What is wrong with it.
        cause: String,
    },
    /// There is no certificate where one is needed.
    #[error("{origin} holds no certificate (section CERTIFICATE); {found}")]
    NoCertificate {
        /// The file.
        origin: PemOrigin,
        /// What it holds instead.
        found: String,
    },
    /// There is no private key where one is needed.
    #[error("{origin} holds no private key (section PRIVATE KEY); {found}")]
    NoPrivateKey {
        /// The file.
        origin: PemOrigin,
        /// What it holds instead.
        found: String,
    },
    /// The private key is protected by a passphrase.
    #[error(
        "{origin}, line {line}: the private key is encrypted (section {label}); \
         decrypt it with `openssl pkey -in FILE -out NEW` and protect the file by its mode"
    )]
    EncryptedKey {
        /// The file.
        origin: PemOrigin,
        /// The line of the section's `BEGIN`, from 1.
        line: usize,
        /// The section's label.
        label: String,
    },
    /// A certificate is not one that TLS can use.
    #[error("{origin}: certificate {number} cannot be used: {cause}")]
    BadCertificate {
        /// The file.
        origin: PemOrigin,
        /// Which of the certificates of the file, from 1.
        number: usize,
        /// The cause.
        cause: rustls::Error,
    },
    /// A private key is of a kind that TLS cannot use.
    #[error("{origin}: the private key cannot be used (RSA, ECDSA or Ed25519 is needed): {cause}")]
    BadPrivateKey {
        /// The file.
        origin: PemOrigin,
        /// The cause.
        cause: rustls::Error,
    },
    /// The private key belongs to another certificate.
    #[error("the private key of {key} does not belong to the first certificate of {chain}{hint}")]
    KeyMismatch {
        /// The file with the certificates.
        chain: PemOrigin,
        /// The file with the key.
        key: PemOrigin,
        /// What may have happened, or nothing.
        hint: &'static str,
    },
    /// There is nothing to trust, so that no peer could ever be accepted.
    #[error("no trusted root certificate: {0}")]
    NoRoots(String),
    /// A protocol name for ALPN is empty or longer than 255 bytes (RFC 7301 §3.1).
    #[error("{0:?} cannot be an ALPN protocol name: it needs 1 to 255 bytes")]
    BadAlpn(String),
    /// A fingerprint is not 32 bytes in hexadecimal.
    #[error("{0:?} is no SHA-256 fingerprint: 64 hexadecimal digits are needed, colons allowed")]
    BadFingerprint(String),
    /// The name to verify the server by is neither a host name nor an IP address.
    #[error("{0:?} is neither a host name nor an IP address, so no certificate can be for it")]
    BadServerName(String),
    /// The stream keeps records apart (seqpacket), which TLS cannot run over.
    #[error("TLS needs a byte stream: it does not run over {0}")]
    NotAByteStream(&'static str),
    /// The TLS library refuses the configuration.
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),

    // The peer.
    /// The peer speaks plain HTTP to a port that speaks TLS.
    #[error("a plain HTTP request on a TLS port")]
    PlainHttp,
    /// What the peer sends is not TLS.
    #[error("the peer does not speak TLS{}", quoted(.0))]
    NotTls(Vec<u8>),
    /// The peer breaks the rules of TLS, or shares no version or cipher suite with this side.
    #[error("TLS handshake failed: {0}")]
    Protocol(rustls::Error),
    /// The peer ended the connection with an alert (RFC 8446 §6).
    #[error("the peer refuses with the TLS alert {description}{}", hint(description))]
    Alert {
        /// The alert's name, such as `UnknownCA`.
        description: String,
    },
    /// The peer closed the connection before the handshake was done.
    #[error("the peer closed the connection during the TLS handshake")]
    Closed,
    /// The client offers application protocols, none of which this server speaks.
    #[error(
        "no application protocol in common: the client offers {offered}, this server speaks {spoken}"
    )]
    NoCommonProtocol {
        /// What the client offers.
        offered: String,
        /// What the server speaks.
        spoken: String,
    },
    /// The client sent no certificate, and the server requires one.
    #[error("the client sent no certificate, and this server requires one")]
    NoClientCertificate,
    /// The peer's certificate is not acceptable.
    #[error("the certificate of {peer} is not accepted: {cause}")]
    PeerCertificate {
        /// Whose certificate: the server's name, or "the client".
        peer: String,
        /// Why not.
        cause: String,
    },
    /// The peer's certificate is not the pinned one.
    #[error("the certificate of {peer} has the fingerprint {found}, which is not pinned")]
    NotPinned {
        /// The server's name.
        peer: String,
        /// The fingerprint of the certificate that it showed.
        found: super::Fingerprint,
    },
    /// The stream ended without close_notify: by the peer's fault, or cut by somebody between.
    #[error("the TLS stream was cut off: it ended without close_notify, data may be missing")]
    Truncated,

    // The system.
    /// The transport failed.
    #[error("TLS transport: {0}")]
    Io(#[from] io::Error),
}

/// Where PEM text came from, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PemOrigin {
    /// A file.
    File(PathBuf),
    /// A value that the program passed.
    Value,
    /// The system's store of root certificates.
    System,
}

impl fmt::Display for PemOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Value => f.write_str("the PEM text given"),
            Self::System => f.write_str("the system's root certificates"),
        }
    }
}

/// Whether an error of a read says that a TLS stream ended without close_notify.
///
/// A protocol that marks its own ends (HTTP with a length, FTP's replies) may treat that as an
/// end of stream; one whose end is the end of the stream must treat it as truncation.
///
/// ```
/// use std::io;
/// assert!(sockeye::tls::is_truncation(&sockeye::tls::TlsError::Truncated.into()));
/// assert!(!sockeye::tls::is_truncation(&io::ErrorKind::UnexpectedEof.into()));
/// ```
#[must_use]
pub fn is_truncation(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    matches!(inner, Some(TlsError::Truncated))
}

impl TlsError {
    /// The error of a handshake or a read, as tokio-rustls hands it out, in our own words.
    ///
    /// `peer` is whose certificate a complaint about a certificate is about.
    pub(super) fn from_stream(error: io::Error, peer: &str) -> Self {
        match error.downcast::<rustls::Error>() {
            Ok(error) => Self::from_rustls(error, peer),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Self::Closed,
            Err(error) => Self::Io(error),
        }
    }

    /// An error of the TLS library in our own words.
    pub(super) fn from_rustls(error: rustls::Error, peer: &str) -> Self {
        use rustls::{Error, InvalidMessage};
        match error {
            Error::AlertReceived(alert) => Self::Alert { description: alert_name(alert) },
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::NotTls(Vec::new()),
            Error::NoCertificatesPresented => Self::NoClientCertificate,
            Error::InvalidCertificate(CertificateError::Other(other)) => {
                match other.0.downcast_ref::<super::verify::NotPinned>() {
                    Some(pin) => Self::NotPinned { peer: peer.to_owned(), found: pin.found },
                    None => {
                        Self::PeerCertificate { peer: peer.to_owned(), cause: other.to_string() }
                    }
                }
            }
            Error::InvalidCertificate(cause) => {
                Self::PeerCertificate { peer: peer.to_owned(), cause: certificate_fault(&cause) }
            }
            other => Self::Protocol(other),
        }
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        use io::ErrorKind;
        let kind = match &error {
            TlsError::Io(source) | TlsError::Read { source, .. } => source.kind(),
            TlsError::Truncated | TlsError::Closed => ErrorKind::UnexpectedEof,
            TlsError::Alert { .. } => ErrorKind::ConnectionAborted,
            TlsError::PlainHttp
            | TlsError::NotTls(_)
            | TlsError::Protocol(_)
            | TlsError::NoCommonProtocol { .. }
            | TlsError::NoClientCertificate
            | TlsError::PeerCertificate { .. }
            | TlsError::NotPinned { .. } => ErrorKind::InvalidData,
            _ => ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}

/// The alert's name without the library's trimmings.
fn alert_name(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::Unknown(number) => format!("number {number}"),
        known => format!("{known:?}"),
    }
}

/// What an alert commonly means for whoever receives it.
fn hint(description: &str) -> &'static str {
    match description {
        "UnknownCA" => ": it does not trust the authority that signed our certificate",
        "CertificateRequired" => ": it requires a client certificate",
        "CertificateExpired" => ": our certificate has expired",
        "BadCertificate" | "CertificateUnknown" => ": it does not accept our certificate",
        "NoApplicationProtocol" => ": it speaks none of the application protocols offered",
        "UnrecognisedName" => ": it does not know the server name asked for",
        "ProtocolVersion" => ": no TLS version in common (1.2 and 1.3 are spoken here)",
        "HandshakeFailure" => ": no cipher suite in common, or a client certificate is missing",
        _ => "",
    }
}

/// What is wrong with a peer's certificate.
fn certificate_fault(cause: &CertificateError) -> String {
    match cause {
        CertificateError::UnknownIssuer => {
            "no trusted authority signed it (self-signed, or a private authority whose root \
             certificate has to be given)"
                .to_owned()
        }
        CertificateError::BadEncoding => "it is not a well-formed X.509 certificate".to_owned(),
        other => other.to_string(),
    }
}

/// The first bytes of something, readable in a message, or nothing if there are none.
fn quoted(bytes: &[u8]) -> String {
    const SHOWN: usize = 16;
    if bytes.is_empty() {
        return String::new();
    }
    let shown = &bytes[..bytes.len().min(SHOWN)];
    format!(": it begins with \"{}\"", shown.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_is_quoted_short_and_escaped() {
        let error = TlsError::NotTls(b"\x00SSH-2.0-OpenSSH_9.2p1 Debian".to_vec());
        assert_eq!(
            error.to_string(),
            r#"the peer does not speak TLS: it begins with "\x00SSH-2.0-OpenSSH""#
        );
        assert_eq!(TlsError::NotTls(Vec::new()).to_string(), "the peer does not speak TLS");
    }

    #[test]
    fn an_alert_says_what_it_commonly_means() {
        let error = TlsError::from_rustls(
            rustls::Error::AlertReceived(AlertDescription::UnknownCA),
            "the server",
        );
        assert_eq!(
            error.to_string(),
            "the peer refuses with the TLS alert UnknownCA: it does not trust the authority that \
             signed our certificate"
        );
    }

    #[test]
    fn only_a_missing_close_notify_is_a_truncation() {
        assert!(is_truncation(&TlsError::Truncated.into()));
        assert!(!is_truncation(&TlsError::Closed.into()));
        assert_eq!(io::Error::from(TlsError::Truncated).kind(), io::ErrorKind::UnexpectedEof);
    }
}
