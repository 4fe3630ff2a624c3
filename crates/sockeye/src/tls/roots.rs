//! The root certificates that a peer's certificate is verified against.

use std::{path::PathBuf, sync::Arc};

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;

use super::{PemOrigin, TlsError, pem::Pem};

/// A set of trusted root certificates.
///
/// One made from a file is read again when a server that checks client certificates by it reloads.
#[derive(Clone, Debug)]
pub struct Roots(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    File(PathBuf),
    Value(Arc<RootCertStore>),
}

impl Roots {
    /// The system's store (`/etc/ssl/certs` and its like; `SSL_CERT_FILE` and `SSL_CERT_DIR`
    /// override it). Certificates of the store that TLS cannot use are left out.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// Names a PEM file with one or more certificates, read when the server or client is built.
    pub fn from_pem_file(file: impl Into<PathBuf>) -> Self {
        Self(Source::File(file.into()))
    }

    /// Takes PEM text with one or more certificates.
    ///
    /// # Errors
    /// If there is none, or if one is malformed.
    pub fn from_pem(pem: &[u8]) -> Result<Self, TlsError> {
        let store = from_pem(&Pem::value(pem))?;
        Ok(Self(Source::Value(Arc::new(store))))
    }

    /// Takes certificates in DER form.
    ///
    /// # Errors
    /// If there is none, or if one is malformed.
    pub fn from_der(certificates: Vec<CertificateDer<'static>>) -> Result<Self, TlsError> {
        let store = collect(certificates, &PemOrigin::Value)?;
        Ok(Self(Source::Value(Arc::new(store))))
    }

    /// The set as it is now: files are read.
    pub(super) fn load(&self) -> Result<Arc<RootCertStore>, TlsError> {
        match &self.0 {
            Source::System => system().map(Arc::new),
            Source::File(file) => from_pem(&Pem::read(file)?).map(Arc::new),
            Source::Value(store) => Ok(Arc::clone(store)),
        }
    }
}

fn from_pem(pem: &Pem) -> Result<RootCertStore, TlsError> {
    collect(pem.certificates()?, pem.origin())
}

fn collect(
    certificates: Vec<CertificateDer<'static>>,
    origin: &PemOrigin,
) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    for (index, certificate) in certificates.into_iter().enumerate() {
        store.add(certificate).map_err(|cause| TlsError::BadCertificate {
            origin: origin.clone(),
            number: index + 1,
            cause,
        })?;
    }
    if store.is_empty() {
        return Err(TlsError::NoRoots(format!("{origin} holds none")));
    }
    Ok(store)
}

fn system() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    let (_, ignored) = store.add_parsable_certificates(found.certs);
    if ignored > 0 {
        tracing::debug!(ignored, "root certificates of the system's store that TLS cannot use");
    }
    if store.is_empty() {
        let cause = match found.errors.first() {
            Some(error) => format!("{}: {error}", PemOrigin::System),
            None => {
                "the system's store is empty; install ca-certificates, or name a CA file".to_owned()
            }
        };
        return Err(TlsError::NoRoots(cause));
    }
    Ok(store)
}
