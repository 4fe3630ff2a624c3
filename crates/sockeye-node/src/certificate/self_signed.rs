//! A certificate that signs itself, for who has none of an authority.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use sockeye::tls::Fingerprint;

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
