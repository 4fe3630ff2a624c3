//! TLS on any stream transport, both sides, by rustls.
//!
//! A [`TlsServer`] turns a plain stream into an encrypted one with its `accept`, a [`TlsClient`]
//! with its `connect`; the result is a stream like any other, which also tells what was
//! [agreed on](TlsInfo). Versions and cipher suites are those that rustls has by default; there
//! is no way to weaken them.
//!
//! ```
//! use std::time::Duration;
//!
//! use sockeye::tls::{Roots, TlsClient, TlsServer};
//! use tokio::{io::AsyncReadExt, io::AsyncWriteExt, time::timeout};
//!
//! # use sockeye::tls::Identity;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let (cert_file, key_file) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
//! # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
//! # std::fs::write(&cert_file, made.cert.pem())?;
//! # std::fs::write(&key_file, made.signing_key.serialize_pem())?;
//! # let (plain, other_end) = sockeye::socket::socketpair(sockeye::socket::StreamKind::Unix)?;
//! // The server: made once, shared by all connections, reloaded when the files change.
//! let server = TlsServer::from_pem_files(&cert_file, &key_file)?;
//! server.reload()?;
//!
//! // The client: `localhost` has to be what the certificate is for.
//! let client = TlsClient::builder().roots(Roots::from_pem_file(&cert_file)).build()?;
//!
//! let handshakes = async {
//!     tokio::join!(server.accept(plain), client.connect(other_end, "localhost"))
//! };
//! let (accepted, connected) = timeout(Duration::from_secs(10), handshakes).await?;
//! let (mut accepted, mut connected) = (accepted?, connected?);
//!
//! connected.write_all(b"hello").await?;
//! connected.shutdown().await?; // sends close_notify, then half-closes
//! let mut received = String::new();
//! accepted.read_to_string(&mut received).await?;
//! assert_eq!(received, "hello");
//! println!("{:?}", accepted.tls()); // version, cipher suite, server name, ...
//! # Ok(())
//! # }
//! ```
//!
//! # Ends and flushes
//! Shutting down sends close_notify before it half-closes the transport. A stream that ends
//! without one was cut off: the read fails with `UnexpectedEof`, and [`is_truncation`] tells it from
//! every other error. A write may leave bytes in the session when the transport is full; the next
//! read, write, flush or shutdown pushes them on. Who goes on to wait for anything else flushes
//! first.
//!
//! # Limits
//! A peer can make a connection keep one handshake message (64 KiB) or one record (16 KiB) in
//! each direction, and unsent bytes of 64 KiB; more is refused, or waits.
//!
//! This module never sets a deadline (whoever calls for a handshake wraps it in one), never
//! installs anything process-wide, and never makes certificates.

mod client;
mod error;
mod fingerprint;
mod hello;
mod identity;
mod info;
mod pem;
mod pooled;
mod resolver;
mod roots;
mod server;
mod socket;
mod tickets;
mod validity;
mod verify;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

use crate::Stream;

pub use client::{TlsClient, TlsClientBuilder};
pub use error::{PemOrigin, TlsError, is_truncation};
pub use fingerprint::Fingerprint;
pub use identity::Identity;
pub use info::{TlsInfo, TlsVersion};
pub use pooled::{ResumedWith, SessionPool};
pub use roots::Roots;
pub use server::{ClientAuth, TlsServer, TlsServerBuilder};
pub(crate) use socket::TlsSocket;
pub use validity::Validity;

/// The cryptography, handed to each configuration by name: a process-wide default would be a
/// global that other code of the process may have claimed.
///
/// It is safe to use after a fork: AWS-LC keeps a random generator in each thread, on a page that
/// the kernel wipes in the child (`MADV_WIPEONFORK`, Linux 4.14), and seeds it anew from the
/// system when it finds it wiped. Parent and children hence never repeat each other's bytes, and
/// nothing here keeps randomness of its own.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Refuses a stream that keeps records apart: TLS cuts its own records anywhere.
pub(crate) fn check_transport(stream: &Stream) -> Result<(), TlsError> {
    let kind = stream.kind();
    if kind.keeps_records() { Err(TlsError::NotAByteStream(kind.scheme())) } else { Ok(()) }
}

/// Refuses what cannot be a protocol name (RFC 7301 §3.1).
fn check_alpn(protocols: &[Vec<u8>]) -> Result<(), TlsError> {
    match protocols.iter().find(|name| name.is_empty() || name.len() > 255) {
        Some(bad) => Err(TlsError::BadAlpn(bad.escape_ascii().to_string())),
        None => Ok(()),
    }
}

/// Protocol names for a message; a client chooses what stands in them, and how many.
fn alpn_names<'a>(names: impl Iterator<Item = &'a [u8]>) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<_> = names.take(SHOWN).map(|name| name.escape_ascii().to_string()).collect();
    shown.join(", ")
}
