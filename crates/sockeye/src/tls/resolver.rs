//! Choosing the certificate by the server name that the client asks for (SNI, RFC 6066 §3).

use std::{collections::HashMap, sync::Arc};

use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use webpki::EndEntityCert;

/// Certificates by the DNS names that they are for; the first is the default.
#[derive(Debug)]
pub(super) struct CertificatesByName {
    default: Arc<CertifiedKey>,
    /// By whole name, in lower case.
    exact: HashMap<String, Arc<CertifiedKey>>,
    /// By what follows the `*.` of a wildcard name, in lower case.
    wildcard: HashMap<String, Arc<CertifiedKey>>,
}

impl CertificatesByName {
    /// Indexes the certificates. Where two are for one name, the earlier one is chosen.
    pub(super) fn new(default: Arc<CertifiedKey>, others: Vec<Arc<CertifiedKey>>) -> Self {
        let (mut exact, mut wildcard) = (HashMap::new(), HashMap::new());
        for key in std::iter::once(&default).chain(&others) {
            let leaf = key.end_entity_cert().ok().and_then(|it| EndEntityCert::try_from(it).ok());
            let Some(leaf) = leaf else { continue };
            for name in leaf.valid_dns_names() {
                let name = name.to_ascii_lowercase();
                match name.strip_prefix("*.") {
                    Some(parent) => wildcard.entry(parent.to_owned()),
                    None => exact.entry(name),
                }
                .or_insert_with(|| Arc::clone(key));
            }
        }
        Self { default, exact, wildcard }
    }

    /// The certificate for a name: an exact one before a wildcard, which stands for exactly one
    /// label (RFC 9525 §6.3), before the default.
    fn find(&self, name: Option<&str>) -> &Arc<CertifiedKey> {
        let Some(name) = name else { return &self.default };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let by_wildcard = || self.wildcard.get(name.split_once('.')?.1);
        self.exact.get(&name).or_else(by_wildcard).unwrap_or(&self.default)
    }
}

impl ResolvesServerCert for CertificatesByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(self.find(hello.server_name())))
    }
}
