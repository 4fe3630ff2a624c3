//! The certificate of a shared folder's TLS listeners: given as files, or made for this run and kept in
//! memory alone; and what a node's own one is for.

use std::{fs, net::IpAddr, path::PathBuf, time::Duration};

use sockeye::{
    Addr,
    addr::Host,
    tls::{Fingerprint, Identity, TlsServer},
};
use sockeye_node::{
    certificate::{CertificateError, SelfSigned},
    config::Settings,
};

use super::{protocols::HTTP_ALPN, urls};
use crate::failure::{Failure, Fault};

/// How long a certificate made for one run is valid; it also ends with the run.
const VALID: Duration = Duration::from_secs(397 * 24 * 3600);

/// Most addresses of the machine that a node's own certificate is for: one with more has them for others.
const MOST_ADDRESSES: usize = 32;

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

/// What a node's own certificate is for: what the configuration says that it is reached by from outside, this machine's
/// name, and its addresses at this moment, whatever it listens on now. It is kept when listeners change, and so is what
/// people know it by.
pub(crate) fn of_node(settings: &Settings) -> Vec<String> {
    let site = settings.http_url.as_ref().map(|url| url.host().to_owned());
    let ftp = settings.ftp_address.as_ref().map(|host| match host {
        Host::Name(name) => name.clone(),
        Host::Ip(ip) => ip.to_string(),
        Host::Scoped(ip, _) => ip.to_string(),
    });
    let configured = [site, ftp].into_iter().flatten().chain(settings.http_hosts.iter().cloned());
    let configured = configured.filter(|name| name.is_ascii());
    let addresses = urls::of_this_machine().into_iter().map(|ip| ip.to_string());
    configured.chain(host_name()).chain(addresses.take(MOST_ADDRESSES)).collect()
}

/// What the listeners are reached by, beside `localhost` and the loopback addresses.
fn names(addrs: &[Addr]) -> Vec<String> {
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
