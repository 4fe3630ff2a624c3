//! A certificate chain with its private key, checked when it is loaded.

use std::{path::PathBuf, sync::Arc, time::SystemTime};

use rustls::{client::verify_server_name, server::ParsedCertificate, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use super::{PemOrigin, TlsError, Validity, pem::Pem, provider};

/// Who a server or a client is: a certificate chain, leaf first, and the leaf's private key.
///
/// One made from files is read again when the server reloads; one made from values stays as it
/// is. The private key never appears in a message or in the `Debug` form.
#[derive(Clone, Debug)]
pub struct Identity(Source);

#[derive(Clone, Debug)]
enum Source {
    Files { chain: PathBuf, key: PathBuf },
    Value(Arc<CertifiedKey>),
}

impl Identity {
    /// Names PEM files: one with the certificates, leaf first, and one with the private key
    /// (PKCS #8, PKCS #1 or SEC 1, not encrypted). Both may be the same file.
    ///
    /// The files are read when the server or client is built, and on every reload.
    pub fn from_pem_files(chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self(Source::Files { chain: chain.into(), key: key.into() })
    }

    /// Takes PEM text: the certificates, leaf first, and the private key.
    ///
    /// # Errors
    /// If one of them is missing or malformed, or if the key belongs to another certificate.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let key = load(&Pem::value(chain), &Pem::value(key))?;
        Ok(Self(Source::Value(key)))
    }

    /// Takes DER: the certificates, leaf first, and the private key.
    ///
    /// # Errors
    /// If there is no certificate, if one is malformed, or if the key belongs to another one.
    pub fn from_der(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, TlsError> {
        let key = assemble(chain, key, &PemOrigin::Value, &PemOrigin::Value)?;
        Ok(Self(Source::Value(key)))
    }

    /// The same as it is now: its files are read, and not again.
    ///
    /// # Errors
    /// If one of them cannot be read, is missing something or malformed, or if the key belongs to another certificate.
    pub fn loaded(&self) -> Result<Self, TlsError> {
        Ok(Self(Source::Value(self.load()?)))
    }

    /// Whether the certificate, the first one of the chain, is for this DNS name or IP address (RFC 6125 §6.4).
    ///
    /// # Errors
    /// [`TlsError::BadServerName`] if it is neither; as [`Identity::loaded`].
    pub fn is_for(&self, name: &str) -> Result<bool, TlsError> {
        let asked =
            ServerName::try_from(name).map_err(|_| TlsError::BadServerName(name.to_owned()))?;
        let key = self.load()?;
        // There is one, and it was parsed before.
        let leaf = key.cert.first().and_then(|leaf| ParsedCertificate::try_from(leaf).ok());
        Ok(leaf.is_some_and(|leaf| verify_server_name(&leaf, &asked).is_ok()))
    }

    /// The chain and key as they are now: files are read.
    pub(super) fn load(&self) -> Result<Arc<CertifiedKey>, TlsError> {
        match &self.0 {
            Source::Files { chain, key } => load(&Pem::read(chain)?, &Pem::read(key)?),
            Source::Value(key) => Ok(Arc::clone(key)),
        }
    }
}

fn load(chain: &Pem, key: &Pem) -> Result<Arc<CertifiedKey>, TlsError> {
    assemble(chain.certificates()?, key.private_key()?, chain.origin(), key.origin())
}

fn assemble(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    chain_origin: &PemOrigin,
    key_origin: &PemOrigin,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let parsed = parse_all(&chain, chain_origin)?;
    let Some(leaf) = parsed.first() else {
        let found = "the list is empty".to_owned();
        return Err(TlsError::NoCertificate { origin: chain_origin.clone(), found });
    };
    let key = provider()
        .key_provider
        .load_private_key(key)
        .map_err(|cause| TlsError::BadPrivateKey { origin: key_origin.clone(), cause })?;
    if let Some(public) = key.public_key()
        && public != leaf.subject_public_key_info()
    {
        let elsewhere = parsed[1..].iter().any(|it| public == it.subject_public_key_info());
        let hint = match elsewhere {
            true => ", but to a later one: the server's own certificate has to come first",
            false => "",
        };
        let (chain, key) = (chain_origin.clone(), key_origin.clone());
        return Err(TlsError::KeyMismatch { chain, key, hint });
    }
    warn_of_dates(leaf, chain_origin);
    drop(parsed);
    Ok(Arc::new(CertifiedKey::new(chain, key)))
}

fn parse_all<'a>(
    chain: &'a [CertificateDer<'static>],
    origin: &PemOrigin,
) -> Result<Vec<ParsedCertificate<'a>>, TlsError> {
    let parse = |(index, der)| {
        ParsedCertificate::try_from(der).map_err(|cause| TlsError::BadCertificate {
            origin: origin.clone(),
            number: index + 1,
            cause,
        })
    };
    chain.iter().enumerate().map(parse).collect()
}

/// Says so if the certificate is not valid now. It is loaded all the same: the clock may be the
/// one that is wrong, and a server that refuses to start helps nobody to renew.
fn warn_of_dates(leaf: &ParsedCertificate<'_>, origin: &PemOrigin) {
    let Ok(Validity { from, until }) = Validity::of(leaf) else { return };
    let now = SystemTime::now();
    if let Ok(ago) = now.duration_since(until) {
        let ago = span(ago.as_secs());
        tracing::warn!(parent: None, certificate = %origin, "the TLS certificate expired {ago} ago");
    } else if let Ok(ahead) = from.duration_since(now) {
        let ahead = span(ahead.as_secs());
        tracing::warn!(
            parent: None,
            certificate = %origin,
            "the TLS certificate becomes valid only in {ahead}: is the clock right?"
        );
    }
}

/// Seconds in the largest fitting unit, for people.
fn span(seconds: u64) -> String {
    match seconds {
        0..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
