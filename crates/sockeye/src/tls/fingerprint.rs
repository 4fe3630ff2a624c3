//! The SHA-256 fingerprint of a certificate.

use std::{fmt, str::FromStr};

use rustls::crypto::{aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256, hash::Hash};

use super::{TlsError, pem::Pem};

/// The SHA-256 digest of a certificate's DER form, by which people compare certificates.
///
/// It prints as 64 lower-case hexadecimal digits, and is read in either case, with or without
/// colons, as `openssl x509 -fingerprint -sha256` writes it.
///
/// ```
/// use sockeye::tls::Fingerprint;
///
/// let printed = Fingerprint::of(b"abc").to_string();
/// assert_eq!(printed, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
/// assert_eq!(printed.to_uppercase().parse::<Fingerprint>()?, Fingerprint::of(b"abc"));
/// # Ok::<(), sockeye::tls::TlsError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Computes the fingerprint of a certificate in DER form.
    #[must_use]
    pub fn of(certificate_der: &[u8]) -> Self {
        let mut digest = [0; 32];
        digest.copy_from_slice(SHA256.hash(certificate_der).as_ref());
        Self(digest)
    }

    /// Computes the fingerprint of the first certificate in PEM text.
    ///
    /// # Errors
    /// If the text holds no certificate, or a malformed section.
    pub fn of_pem(pem: &[u8]) -> Result<Self, TlsError> {
        Ok(Self::of(&Pem::value(pem).certificates()?[0]))
    }

    /// The digest itself.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// SHA-256 as the TLS library brings it along anyway; that the suite has it is settled when compiling.
static SHA256: &dyn Hash = match TLS13_AES_128_GCM_SHA256.tls13() {
    Some(suite) => suite.common.hash_provider,
    None => panic!("a TLS 1.3 suite"),
};

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = TlsError;

    fn from_str(text: &str) -> Result<Self, TlsError> {
        let bad = || TlsError::BadFingerprint(text.to_owned());
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
        let mut digest = [0; 32];
        if digits.len() != 2 * digest.len() {
            return Err(bad());
        }
        for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex(pair[0])
                .zip(hex(pair[1]))
                .map(|(high, low)| high << 4 | low)
                .ok_or_else(bad)?;
        }
        Ok(Self(digest))
    }
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_fingerprint_is_refused() {
        for text in ["", "ba78", &"g".repeat(64), &"é".repeat(32), &"0".repeat(66)] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_way_openssl_writes_it_reads_back(digest: [u8; 32]) {
            let colons: Vec<_> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
            let read: Fingerprint = colons.join(":").parse().unwrap();
            prop_assert_eq!(read.as_bytes(), &digest);
            prop_assert_eq!(read.to_string().parse::<Fingerprint>().unwrap(), read);
        }
    }
}
