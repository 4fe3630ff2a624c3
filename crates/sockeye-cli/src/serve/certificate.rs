//! The certificate of TLS listeners: given as files, or made for this run and kept in memory alone.

use std::{
    collections::BTreeSet,
    fs,
    net::IpAddr,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use sockeye::{
    Addr,
    tls::{Fingerprint, Identity, TlsServer},
};

use super::urls;
use crate::failure::{Failure, Fault};

/// The application protocols of HTTP over TLS, the preferred one first (RFC 9113 §3.2).
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// How long a certificate made here is valid; it also ends with the run.
const VALID: Duration = Duration::from_secs(397 * 24 * 3600);

/// How far a client's clock may be behind ours.
const CLOCKS_DIFFER: Duration = Duration::from_secs(24 * 3600);

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
        let server = |identity| TlsServer::builder(identity).alpn(ALPN).build();
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
    let failed = |error: rcgen::Error| {
        Failure::new(Fault::Failed, format!("cannot make a certificate: {error}"))
    };
    let mut params = CertificateParams::new(names(addrs)).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, "sockeye, self-signed for this run");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let now = SystemTime::now();
    params.not_before = (now - CLOCKS_DIFFER).into();
    params.not_after = (now + VALID).into();
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    let (pem, key) = (certificate.pem(), key.serialize_pem());
    let identity = Identity::from_pem(pem.as_bytes(), key.as_bytes())?;
    Ok((identity, Fingerprint::of(certificate.der())))
}

/// `localhost`, the loopback addresses, and what else the listeners are reached by.
fn names(addrs: &[Addr]) -> Vec<String> {
    let mut names: BTreeSet<_> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    let reached = addrs.iter().flat_map(urls::reached_by);
    names.extend(reached.map(|ip: IpAddr| ip.to_string()));
    if addrs.iter().any(|addr| !addr.is_local()) {
        names.extend(host_name());
    }
    names.into_iter().collect()
}

/// The machine's own name, if a certificate may have it.
fn host_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim().to_ascii_lowercase();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    (!name.is_empty() && name.bytes().all(fits)).then_some(name)
}
