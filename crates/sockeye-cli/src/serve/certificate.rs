//! The certificate of a shared folder's TLS listeners: given as files, or made for this run and kept in
//! memory alone.

use std::{fs, net::IpAddr, path::PathBuf, time::Duration};

use sockeye::{
    Addr,
    tls::{Fingerprint, Identity, TlsServer},
};
use sockeye_node::certificate::{CertificateError, SelfSigned};

use super::{protocols::HTTP_ALPN, urls};
use crate::failure::{Failure, Fault};

/// How long a certificate made for one run is valid; it also ends with the run.
const VALID: Duration = Duration::from_secs(397 * 24 * 3600);

/// Where the certificate comes from.
#[derive(Clone, Debug)]
pub(super) enum Certificate {
    /// Made now.
    SelfSigned,
    /// Read from PEM files, again at each reload.
    Files {
        /// The chain, the server's own certificate first.
        chain: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

impl Certificate {
    /// Makes the server's side of TLS for listeners at `addrs`, and the fingerprint by which people
    /// know it again.
    pub(super) fn load(&self, addrs: &[Addr]) -> Result<(TlsServer, Fingerprint), Failure> {
        let server =
            |identity| TlsServer::builder(identity).alpn(HTTP_ALPN.iter().copied()).build();
        match self {
            Self::SelfSigned => {
                let (identity, fingerprint) = self_signed(addrs)?;
                Ok((server(identity)?, fingerprint))
            }
            Self::Files { chain, key } => {
                // What is wrong with the files is said best by who needs all of them.
                let server = server(Identity::from_pem_files(chain, key))?;
                let unread = |error| Failure::from(error).about(chain.display());
                let fingerprint = Fingerprint::of_pem(&fs::read(chain).map_err(unread)?)?;
                Ok((server, fingerprint))
            }
        }
    }
}

/// A certificate for this machine's names as far as the listeners can be reached by them.
fn self_signed(addrs: &[Addr]) -> Result<(Identity, Fingerprint), Failure> {
    let made = SelfSigned::make("sockeye, self-signed for this run", names(addrs), VALID)?;
    let identity = Identity::from_pem(made.certificate.as_bytes(), made.key.as_bytes())?;
    Ok((identity, made.fingerprint))
}

/// What the listeners are reached by, beside `localhost` and the loopback addresses.
pub(super) fn names(addrs: &[Addr]) -> Vec<String> {
    let reached = addrs.iter().flat_map(urls::reached_by);
    let own = if addrs.iter().any(|addr| !addr.is_local()) { host_name() } else { None };
    reached.map(|ip: IpAddr| ip.to_string()).chain(own).collect()
}

impl From<CertificateError> for Failure {
    fn from(error: CertificateError) -> Self {
        Self::new(Fault::Failed, error)
    }
}

/// The machine's own name, if a certificate may have it.
fn host_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim().to_ascii_lowercase();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    (!name.is_empty() && name.bytes().all(fits)).then_some(name)
}
