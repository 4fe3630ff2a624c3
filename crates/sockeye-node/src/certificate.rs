//! The certificate of a node's TLS listeners: read from files, and made where none was given.
//!
//! One that is made signs itself, so that people know it again by its fingerprint alone, as they know an SSH
//! server's key. That is why it is kept, and valid for long.

use std::{
    collections::BTreeSet,
    fmt, fs, io,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use serde::{Deserialize, Serialize};
use sockeye::tls::{Fingerprint, Identity, TlsError, TlsServer, Validity};
use sockeye_accounts::Timestamp;

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
    used: Mutex<Used>,
}

/// What handshakes use.
#[derive(Debug, Default)]
struct Used {
    /// For each list of names within TLS.
    servers: Vec<(&'static [&'static str], TlsServer)>,
    /// Which certificate it is; none before there is a server.
    fingerprint: Option<Fingerprint>,
}

/// What people know a certificate by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presented {
    /// The file that it is read from.
    pub file: PathBuf,
    /// The SHA-256 digest of its DER form, in hexadecimal.
    pub fingerprint: String,
    /// The first moment at which it is valid.
    #[serde(serialize_with = "sockeye_accounts::write_to_the_second")]
    pub from: Timestamp,
    /// The last one.
    #[serde(serialize_with = "sockeye_accounts::write_to_the_second")]
    pub until: Timestamp,
}

/// In one line: the file, the fingerprint, and the last day.
impl fmt::Display for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, fingerprint, until, .. } = self;
        // RFC 3339: the date is what stands before the T.
        let until = until.to_string();
        let day = until.split('T').next().unwrap_or_default();
        write!(f, "{}, SHA-256 {fingerprint}, valid until {day}", file.display())
    }
}

impl Certificates {
    /// The certificate chain and the key in these PEM files, which are read when they are needed.
    #[must_use]
    pub fn new(chain: PathBuf, key: PathBuf) -> Self {
        Self { chain, key, used: Mutex::default() }
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
        let mut used = self.used();
        if let Some((_, server)) = used.servers.iter().find(|(of, _)| *of == alpn) {
            return Ok(server.clone());
        }
        let server = self.read(alpn)?;
        used.fingerprint = self.fingerprint().ok();
        used.servers.push((alpn, server.clone()));
        Ok(server)
    }

    /// Looks whether the files are right: whether they can be read, and the key belongs to the certificate; and tells
    /// what people know it by. One that has expired is a warning.
    ///
    /// # Errors
    /// As [`Certificates::server`].
    pub fn check(&self) -> Result<Presented, TlsError> {
        self.read(&[])?;
        self.presented()
    }

    /// Reads the files again for every protocol; handshakes from now on use what they hold. Tells which certificate that
    /// is, and whether it is another one than before; nothing if there is no server that shows it.
    ///
    /// # Errors
    /// If the files are wrong; everything then stays as it was.
    pub fn reload(&self) -> Result<Option<(Presented, bool)>, TlsError> {
        let mut used = self.used();
        if used.servers.is_empty() {
            return Ok(None);
        }
        used.servers.iter().try_for_each(|(_, server)| server.reload())?;
        let (before, now) = (used.fingerprint, self.fingerprint().ok());
        used.fingerprint = now;
        Ok(Some((self.presented()?, now != before)))
    }

    /// The fingerprint of the certificate as the file is now.
    ///
    /// # Errors
    /// If it cannot be read or is none.
    pub fn fingerprint(&self) -> io::Result<Fingerprint> {
        Fingerprint::of_pem(&fs::read(&self.chain)?).map_err(io::Error::other)
    }

    fn read(&self, alpn: &[&str]) -> Result<TlsServer, TlsError> {
        let identity = Identity::from_pem_files(&self.chain, &self.key);
        TlsServer::builder(identity).alpn(alpn.iter().copied()).build()
    }

    fn presented(&self) -> Result<Presented, TlsError> {
        let pem = fs::read(&self.chain)
            .map_err(|source| TlsError::Read { file: self.chain.clone(), source })?;
        let Validity { from, until } = Validity::of_pem(&pem)?;
        // A certificate may be valid longer than any calendar goes.
        let moment = |time: SystemTime| Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
        Ok(Presented {
            file: self.chain.clone(),
            fingerprint: Fingerprint::of_pem(&pem)?.to_string(),
            from: moment(from),
            until: moment(until),
        })
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
