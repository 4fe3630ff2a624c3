//! The files of a node's certificate: which they are, whether they are right, and the way out where they are not.

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use sockeye::{
    addr::Transport,
    tls::{Fingerprint, Identity, PemOrigin, TlsError, Validity},
};
use sockeye_accounts::Timestamp;

use super::{CertificateError, Presented, SelfSigned};
use crate::{
    Listen, Protocol,
    config::{Config, Place, Settings},
    data::{DataError, DataFolder, make_folder, write_private},
};

/// How long a node's own certificate is valid: people know it by its fingerprint.
const VALID: Duration = Duration::from_secs(3650 * 24 * 3600);

/// Names that a warning has at most.
const MOST_NAMED: usize = 5;

/// What one that is made calls itself.
const TITLE: &str = "sockeye, self-signed";

/// The PEM files of a certificate: the chain, the server's own first, and the private key; they may be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain.
    pub chain: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// A certificate that was read with its key, and that they belong together.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub(super) identity: Identity,
    /// What people know it by.
    pub presented: Presented,
    /// The same, for programs.
    pub fingerprint: Fingerprint,
}

/// Why listeners cannot have the certificate that the configuration names.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// A file is missing, or holds something else.
    #[error("{key} ({place}): {source}")]
    Files {
        /// The setting that names the file.
        key: &'static str,
        /// Where it is set.
        place: Place,
        /// What is wrong.
        source: Box<TlsError>,
    },
    /// None could be made.
    #[error(transparent)]
    NotMade(#[from] CertificateError),
    /// The one that was made could not be written.
    #[error(transparent)]
    NotWritten(#[from] DataError),
}

impl CertificateFiles {
    /// Those that these settings name.
    #[must_use]
    pub fn of(folder: &DataFolder, settings: &Settings) -> Self {
        let [chain, key] = [&settings.tls_cert, &settings.tls_key].map(|path| folder.resolve(path));
        Self { chain, key }
    }

    /// Those of a configuration, read and compared, if one of its listeners shows a certificate. One that the first start
    /// makes need not be there.
    ///
    /// # Errors
    /// [`Unusable::Files`]; one that has expired is a warning.
    pub fn check(
        folder: &DataFolder,
        config: &Config,
        protocols: &[Protocol],
    ) -> Result<Option<Loaded>, Unusable> {
        let files = Self::of(folder, &config.settings);
        if !is_needed(&config.settings, protocols) || files.are_to_be_made(config) {
            return Ok(None);
        }
        files.load().map(Some).map_err(|source| files.unusable(config, source))
    }

    /// As [`CertificateFiles::check`], and makes one for `names` if none was ever made or named.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn prepare(
        folder: &DataFolder,
        config: &Config,
        protocols: &[Protocol],
        names: impl FnOnce(&Settings) -> Vec<String>,
    ) -> Result<Option<Loaded>, Unusable> {
        let files = Self::of(folder, &config.settings);
        if is_needed(&config.settings, protocols) && files.are_to_be_made(config) {
            files.write(&SelfSigned::make(TITLE, names(&config.settings), VALID)?)?;
        }
        Self::check(folder, config, protocols)
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

    /// Those that do not lie in `folder`, each once.
    pub(crate) fn outside(&self, folder: &Path) -> Vec<PathBuf> {
        let mut outside = vec![self.chain.clone(), self.key.clone()];
        outside.retain(|file| file.parent() != Some(folder));
        outside.dedup();
        outside
    }

    /// Whether these are the default's, and no certificate is there.
    fn are_to_be_made(&self, config: &Config) -> bool {
        config.place("tls.cert") == Place::Default && !self.chain.exists()
    }

    pub(super) fn load(&self) -> Result<Loaded, TlsError> {
        let identity = Identity::from_pem_files(&self.chain, &self.key).loaded()?;
        let pem = fs::read(&self.chain)
            .map_err(|source| TlsError::Read { file: self.chain.clone(), source })?;
        let Validity { from, until } = Validity::of_pem(&pem)?;
        let fingerprint = Fingerprint::of_pem(&pem)?;
        // A certificate may be valid longer than any calendar goes.
        let moment = |time: SystemTime| Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
        let presented = Presented {
            file: self.chain.clone(),
            fingerprint: fingerprint.to_string(),
            from: moment(from),
            until: moment(until),
        };
        Ok(Loaded { identity, presented, fingerprint })
    }

    /// What is wrong, with the setting that names the file.
    fn unusable(&self, config: &Config, source: TlsError) -> Unusable {
        let is_of_key = match &source {
            TlsError::Read { file, .. } => self.is_of_key(file),
            TlsError::KeyMismatch { .. } => true,
            TlsError::NoPrivateKey { origin, .. }
            | TlsError::EncryptedKey { origin, .. }
            | TlsError::BadPrivateKey { origin, .. } => {
                matches!(origin, PemOrigin::File(file) if self.is_of_key(file))
            }
            _ => false,
        };
        let key = if is_of_key { "tls.key" } else { "tls.cert" };
        Unusable::Files { key, place: config.place(key), source: Box::new(source) }
    }

    fn is_of_key(&self, file: &Path) -> bool {
        *file == *self.key && self.key != self.chain
    }
}

impl Loaded {
    /// What is to be said of one that was made here and is shown to other machines, where it is for none of the `names` by
    /// which they reach this one, or not for one that is configured: their programs take it for somebody else's.
    #[must_use]
    pub fn strangeness(
        &self,
        config: &Config,
        protocols: &[Protocol],
        names: impl FnOnce(&Settings) -> Vec<String>,
    ) -> Option<String> {
        let settings = &config.settings;
        let is_shown = |listen: &Listen| {
            let known = listen.addr.transport() != Transport::Inherited;
            known && !listen.addr.is_local() && needs_certificate(listen, protocols)
        };
        let is_made_here = config.place("tls.cert") == Place::Default;
        if !is_made_here || !settings.listen.iter().any(is_shown) {
            return None;
        }
        let is_for = |name: &String| self.identity.is_for(name).unwrap_or(false);
        let is_loopback = |name: &String| name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        let url = settings.http_url.as_ref().map(|url| url.host().to_owned());
        let ftp = settings.ftp_address.as_ref().map(ToString::to_string);
        let mut missing: Vec<_> = url.into_iter().chain(ftp).filter(|it| !is_for(it)).collect();
        if missing.is_empty() {
            missing = names(settings);
            missing.retain(|name| !is_loopback(name) && name != "localhost");
            if missing.iter().any(is_for) {
                return None;
            }
        }
        missing.dedup();
        missing.truncate(MOST_NAMED);
        if missing.is_empty() {
            return None;
        }
        let file = self.presented.file.display();
        Some(format!(
            "the certificate {file} was made here, and is not for {}: clients on other machines take it for somebody \
             else's; set tls.cert and tls.key to one that is, or remove these two files: the next start makes \
             another, for all names and addresses that this machine has then, by another fingerprint",
            missing.join(", ")
        ))
    }
}

impl Unusable {
    /// The way out, if it is known.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        let Self::Files { place, source, .. } = self else { return None };
        match &**source {
            TlsError::Read { source, .. } if source.kind() != io::ErrorKind::NotFound => None,
            TlsError::Read { .. } | TlsError::KeyMismatch { .. } if *place == Place::Default => {
                Some(
                    "put back what was there; where neither file is, the next start makes a certificate of its own",
                )
            }
            TlsError::Read { .. } => Some(
                "set tls.cert and tls.key to PEM files that are there; where neither is set, the node makes a certificate of its own",
            ),
            TlsError::KeyMismatch { .. } => {
                Some("set tls.cert and tls.key to two files that were made together")
            }
            _ => None,
        }
    }
}

/// Whether a listener shows a certificate.
fn is_needed(settings: &Settings, protocols: &[Protocol]) -> bool {
    settings.listen.iter().any(|listen| needs_certificate(listen, protocols))
}

fn needs_certificate(listen: &Listen, protocols: &[Protocol]) -> bool {
    listen.check(protocols).is_ok_and(|protocol| protocol.needs_certificate(listen))
}
