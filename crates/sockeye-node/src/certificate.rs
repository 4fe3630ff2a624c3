//! The certificate of a node's TLS listeners: read from files, and made where none was given.
//!
//! One that is made signs itself, so that people know it again by its fingerprint alone, as they know an SSH
//! server's key. That is why it is kept, and valid for long.

use std::{
    collections::BTreeSet,
    fs, io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use sockeye::tls::{Fingerprint, Identity, TlsError, TlsServer};

use crate::data::{DataError, make_folder, write_private};

/// How far a client's clock may be behind ours.
const CLOCKS_DIFFER: Duration = Duration::from_secs(24 * 3600);

/// A certificate that signed itself, and its key, both PEM.
#[derive(Clone)]
pub struct SelfSigned {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
    /// What people know it by.
    pub fingerprint: Fingerprint,
}

/// Without the key.
impl std::fmt::Debug for SelfSigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SelfSigned").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// A certificate that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a certificate: {0}")]
pub struct CertificateError(#[from] rcgen::Error);

impl SelfSigned {
    /// Makes one for these names and addresses, and for `localhost`; `title` tells people what it is.
    ///
    /// # Errors
    /// If a name cannot stand in a certificate, or no key can be made.
    pub fn make(
        title: &str,
        names: impl IntoIterator<Item = String>,
        valid: Duration,
    ) -> Result<Self, CertificateError> {
        let mut all: BTreeSet<_> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
        all.extend(names);
        let mut params = CertificateParams::new(all.into_iter().collect::<Vec<_>>())?;
        params.distinguished_name.push(DnType::CommonName, title);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let now = SystemTime::now();
        params.not_before = (now - CLOCKS_DIFFER).into();
        params.not_after = (now + valid).into();
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            fingerprint: Fingerprint::of(certificate.der()),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

/// A node's certificate: its files, and what was made of them for each protocol.
#[derive(Debug)]
pub struct Certificates {
    chain: PathBuf,
    key: PathBuf,
    /// For each list of names within TLS.
    servers: Mutex<Vec<(&'static [&'static str], TlsServer)>>,
}

impl Certificates {
    /// The certificate chain and the key in these PEM files, which are read when they are needed.
    #[must_use]
    pub fn new(chain: PathBuf, key: PathBuf) -> Self {
        Self { chain, key, servers: Mutex::default() }
    }

    /// Whether the certificate is there.
    #[must_use]
    pub fn exist(&self) -> bool {
        self.chain.exists()
    }

    /// Writes a certificate and its key, for their owner alone.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write(&self, made: &SelfSigned) -> Result<(), DataError> {
        for (path, text) in [(&self.key, &made.key), (&self.chain, &made.certificate)] {
            let above = path.parent().map_or(Ok(false), make_folder);
            let written = above.and_then(|_| write_private(path, text.as_bytes()));
            written.map_err(|error| DataError::io("write", path, error))?;
        }
        Ok(())
    }

    /// The server's side of TLS for a protocol that has these names within it (ALPN).
    ///
    /// # Errors
    /// If the files cannot be read or are wrong.
    pub fn server(&self, alpn: &'static [&'static str]) -> Result<TlsServer, TlsError> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, server)) = servers.iter().find(|(of, _)| *of == alpn) {
            return Ok(server.clone());
        }
        let identity = Identity::from_pem_files(&self.chain, &self.key);
        let server = TlsServer::builder(identity).alpn(alpn.iter().copied()).build()?;
        servers.push((alpn, server.clone()));
        Ok(server)
    }

    /// Reads the files again for every protocol; handshakes from now on use what they hold.
    ///
    /// # Errors
    /// If the files are wrong; everything then stays as it was.
    pub fn reload(&self) -> Result<(), TlsError> {
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        servers.iter().try_for_each(|(_, server)| server.reload())
    }

    /// The fingerprint of the certificate as the file is now.
    ///
    /// # Errors
    /// If it cannot be read or is none.
    pub fn fingerprint(&self) -> io::Result<Fingerprint> {
        Fingerprint::of_pem(&fs::read(&self.chain)?).map_err(io::Error::other)
    }
}
