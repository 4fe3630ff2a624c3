//! Test certificates: authorities, and the leaf certificates that they sign.
//!
//! Everything is made anew in memory, with ECDSA P-256 keys; nothing here is fit for anything but
//! tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// A certificate authority.
///
/// ```
/// use sockeye_testkit::certificates::Authority;
///
/// let authority = Authority::new("test authority");
/// let leaf = authority.server(&["localhost", "*.example.test", "127.0.0.1"]);
/// assert!(leaf.certificate_pem.starts_with("-----BEGIN CERTIFICATE-----"));
/// ```
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A leaf certificate with its private key.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// The certificate, DER.
    pub certificate_der: Vec<u8>,
    /// The private key, PEM (PKCS #8).
    pub key_pem: String,
}

impl Authority {
    /// Makes a self-signed authority.
    ///
    /// # Panics
    /// If the certificate cannot be made, as everything here does.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut params = params(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, new_key()).expect("an authority");
        Self { issuer }
    }

    /// The authority's own certificate, PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Signs a server's certificate for DNS names, wildcards and IP addresses.
    #[must_use]
    pub fn server(&self, names: &[&str]) -> Leaf {
        let mut params = params(names.first().unwrap_or(&"nameless"), names);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params)
    }

    /// Signs a client's certificate; `name` is its common name.
    #[must_use]
    pub fn client(&self, name: &str) -> Leaf {
        let mut params = params(name, &[]);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    /// Signs a server's certificate that was valid in the year 2001 only.
    #[must_use]
    pub fn expired_server(&self, names: &[&str]) -> Leaf {
        let mut params = params("expired", names);
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Leaf {
        let key = new_key();
        let certificate = params.signed_by(&key, &self.issuer).expect("a signed certificate");
        Leaf::new(&certificate, &key)
    }
}

impl Leaf {
    /// Makes a server's certificate that no authority signed.
    ///
    /// # Panics
    /// If the certificate cannot be made.
    #[must_use]
    pub fn self_signed(names: &[&str]) -> Self {
        let key = new_key();
        let certificate =
            params("self-signed", names).self_signed(&key).expect("a self-signed certificate");
        Self::new(&certificate, &key)
    }

    /// Writes `STEM.pem` and `STEM.key` into a folder, replacing them, and gives their paths.
    ///
    /// # Panics
    /// If the files cannot be written.
    #[must_use]
    pub fn write(&self, folder: &Path, stem: &str) -> (PathBuf, PathBuf) {
        let chain = folder.join(format!("{stem}.pem"));
        let key = folder.join(format!("{stem}.key"));
        fs::write(&chain, &self.certificate_pem).expect("the certificate's file");
        fs::write(&key, &self.key_pem).expect("the key's file");
        (chain, key)
    }

    fn new(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self {
            certificate_pem: certificate.pem(),
            certificate_der: certificate.der().to_vec(),
            key_pem: key.serialize_pem(),
        }
    }
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("a key pair")
}

fn params(name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names that a certificate may have");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
