//! The certificate of a node's TLS listeners: read from files, and made where none was given.
//!
//! One that is made signs itself, so that people know it again by its fingerprint alone, as they know an SSH
//! server's key. That is why it is kept, and valid for long.

mod files;
mod self_signed;

use std::{
    fmt,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use sockeye::tls::{TlsError, TlsServer};
use sockeye_accounts::Timestamp;

pub use files::{CertificateFiles, Loaded, Unusable};
pub use self_signed::{CertificateError, SelfSigned};

/// A node's certificate: its files, and what was made of them for each protocol.
#[derive(Debug)]
pub struct Certificates(Mutex<Used>);

/// What handshakes use.
#[derive(Debug)]
struct Used {
    files: CertificateFiles,
    /// What was read from them; nothing before it is needed.
    loaded: Option<Loaded>,
    /// For each list of names within TLS.
    servers: Vec<(&'static [&'static str], TlsServer)>,
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
    /// Of these files: what was `loaded` of them, or else what is read when it is needed.
    #[must_use]
    pub fn new(files: CertificateFiles, loaded: Option<Loaded>) -> Self {
        Self(Mutex::new(Used { files, loaded, servers: Vec::new() }))
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
        let loaded = match used.loaded.take() {
            Some(loaded) => loaded,
            None => used.files.load()?,
        };
        let identity = used.loaded.insert(loaded).identity.clone();
        let server = TlsServer::builder(identity).alpn(alpn.iter().copied()).build()?;
        used.servers.push((alpn, server.clone()));
        Ok(server)
    }

    /// Has every listener show the certificate of these files, which may be others than before, from the next handshake
    /// on: what was `loaded` of them, or nothing if no listener needs one now. Connections go on as they are. Tells which
    /// certificate it is, and whether it is another one than before; nothing if no listener showed one so far.
    ///
    /// # Errors
    /// If TLS cannot be set up with it.
    pub fn take_up(
        &self,
        files: CertificateFiles,
        loaded: Option<Loaded>,
    ) -> Result<Option<(Presented, bool)>, TlsError> {
        let mut used = self.used();
        let Some(new) = loaded else {
            // Who needs one later is to have that of these files.
            *used = Used { files, loaded: None, servers: Vec::new() };
            return Ok(None);
        };
        // Before anything is noted as taken up: what cannot be shown is refused by the first of them, and is news again
        // at the next reload.
        let shown = |(_, server): &(_, TlsServer)| server.replace_identity(new.identity.clone());
        used.servers.iter().try_for_each(shown)?;
        used.files = files;
        let presented = new.presented.clone();
        let before = used.loaded.as_ref().map(|before| before.fingerprint);
        let renewed = before != Some(new.fingerprint);
        used.loaded = Some(new);
        Ok((!used.servers.is_empty()).then_some((presented, renewed)))
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
