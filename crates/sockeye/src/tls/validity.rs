//! From when until when a certificate is valid.
//!
//! The dates come from the verifier itself, asked about the first and the last of all moments: so nothing else reads
//! certificates here, and what is told is what clients go by.

use std::time::{Duration, SystemTime};

use rustls::{
    CertificateError, RootCertStore, client::verify_server_cert_signed_by_trust_anchor,
    server::ParsedCertificate,
};
use rustls_pki_types::UnixTime;

use super::{TlsError, pem::Pem, provider};

/// From when until when a certificate is valid, to the second (RFC 5280 §4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first moment; 1970 if it is before that.
    pub from: SystemTime,
    /// The last one.
    pub until: SystemTime,
}

impl Validity {
    /// That of the first certificate in PEM text.
    ///
    /// # Errors
    /// If the text holds no certificate, or a malformed one.
    pub fn of_pem(pem: &[u8]) -> Result<Self, TlsError> {
        let pem = Pem::value(pem);
        let bad =
            |cause| TlsError::BadCertificate { origin: pem.origin().clone(), number: 1, cause };
        let leaf = &pem.certificates()?[0];
        Self::of(&ParsedCertificate::try_from(leaf).map_err(bad)?).map_err(bad)
    }

    /// That of a certificate.
    pub(super) fn of(certificate: &ParsedCertificate<'_>) -> Result<Self, rustls::Error> {
        let at = |time: UnixTime| SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_secs());
        let from = match fault(certificate, Duration::ZERO) {
            Some(CertificateError::NotValidYetContext { not_before, .. }) => at(not_before),
            _ => SystemTime::UNIX_EPOCH,
        };
        match fault(certificate, Duration::from_secs(u64::MAX)) {
            Some(CertificateError::ExpiredContext { not_after, .. }) => {
                Ok(Self { from, until: at(not_after) })
            }
            // Its dates contradict each other.
            Some(other) => Err(other.into()),
            None => Err(CertificateError::BadEncoding.into()),
        }
    }
}

/// What is wrong with a certificate at a moment: the dates are looked at first, so that no root is needed.
fn fault(certificate: &ParsedCertificate<'_>, at: Duration) -> Option<CertificateError> {
    let verdict = verify_server_cert_signed_by_trust_anchor(
        certificate,
        &RootCertStore::empty(),
        &[],
        UnixTime::since_unix_epoch(at),
        provider().signature_verification_algorithms.all,
    );
    match verdict {
        Err(rustls::Error::InvalidCertificate(fault)) => Some(fault),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn the_dates_are_those_that_the_certificate_was_made_with() {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let (from, until) = (date_time_ymd(2020, 2, 29), date_time_ymd(2999, 12, 31));
        (params.not_before, params.not_after) = (from, until);
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let validity = Validity::of_pem(made.pem().as_bytes()).unwrap();
        assert_eq!(validity, Validity { from: from.into(), until: until.into() });
        assert!(Validity::of_pem(b"no certificate").is_err());
    }
}
