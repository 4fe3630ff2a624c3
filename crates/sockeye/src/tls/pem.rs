//! PEM text (RFC 7468): finding the sections, so that an error can name the one at fault.
//!
//! Decoding is left to `rustls-pki-types`; this module never looks inside a certificate or key.

use std::{fs, path::Path};

use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};

use super::{PemOrigin, TlsError};

/// PEM text together with where it came from.
#[derive(Debug)]
pub(super) struct Pem {
    origin: PemOrigin,
    text: Vec<u8>,
}

/// One section, from its `BEGIN` line to its `END` line.
struct Section<'a> {
    label: String,
    line: usize,
    text: &'a [u8],
}

impl Pem {
    /// Reads a file.
    pub(super) fn read(file: &Path) -> Result<Self, TlsError> {
        let text =
            fs::read(file).map_err(|source| TlsError::Read { file: file.to_owned(), source })?;
        Ok(Self { origin: PemOrigin::File(file.to_owned()), text })
    }

    /// Takes text that the program has.
    pub(super) fn value(text: &[u8]) -> Self {
        Self { origin: PemOrigin::Value, text: text.to_vec() }
    }

    pub(super) fn origin(&self) -> &PemOrigin {
        &self.origin
    }

    /// All certificates in the order of the text; at least one.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let sections = self.sections()?;
        let certificates = sections
            .iter()
            .filter(|section| section.label == "CERTIFICATE")
            .map(|section| self.decode(section))
            .collect::<Result<Vec<_>, _>>()?;
        if certificates.is_empty() {
            let found = describe(&sections);
            return Err(TlsError::NoCertificate { origin: self.origin.clone(), found });
        }
        Ok(certificates)
    }

    /// The first private key.
    pub(super) fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        let sections = self.sections()?;
        let Some(section) = sections.iter().find(|section| section.label.ends_with("PRIVATE KEY"))
        else {
            let found = describe(&sections);
            return Err(TlsError::NoPrivateKey { origin: self.origin.clone(), found });
        };
        // PKCS #8 has a label of its own for encrypted keys; the older forms have a header line.
        if section.label == "ENCRYPTED PRIVATE KEY" || contains(section.text, b"4,ENCRYPTED") {
            return Err(TlsError::EncryptedKey {
                origin: self.origin.clone(),
                line: section.line,
                label: section.label.clone(),
            });
        }
        self.decode(section)
    }

    fn decode<T: PemObject>(&self, section: &Section<'_>) -> Result<T, TlsError> {
        T::from_pem_slice(section.text).map_err(|error| {
            self.malformed(
                section,
                match error {
                    pem::Error::Base64Decode(_) => "is not valid base64".to_owned(),
                    pem::Error::NoItemsFound => "is of a kind that TLS does not use".to_owned(),
                    other => format!("cannot be decoded: {other}"),
                },
            )
        })
    }

    fn malformed(&self, section: &Section<'_>, cause: String) -> TlsError {
        TlsError::MalformedPem {
            origin: self.origin.clone(),
            line: section.line,
            label: section.label.clone(),
            cause,
        }
    }

    fn sections(&self) -> Result<Vec<Section<'_>>, TlsError> {
        let mut sections = Vec::new();
        let mut open: Option<(Section<'_>, usize)> = None;
        let mut start = 0;
        for (index, line) in self.text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let end = start + line.len();
            if let Some(label) = marker(line, "-----BEGIN ") {
                if let Some((unfinished, _)) = open {
                    return Err(self.malformed(&unfinished, "has no END line".to_owned()));
                }
                open = Some((Section { label, line: index + 1, text: &[] }, start));
            } else if let Some(label) = marker(line, "-----END ")
                && let Some((mut section, from)) = open.take_if(|(open, _)| open.label == label)
            {
                section.text = &self.text[from..end];
                sections.push(section);
            }
            start = end;
        }
        match open {
            Some((unfinished, _)) => Err(self.malformed(&unfinished, "has no END line".to_owned())),
            None => Ok(sections),
        }
    }
}

/// The label of a `BEGIN` or `END` line.
fn marker(line: &[u8], prefix: &str) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?.trim_end();
    Some(line.strip_prefix(prefix)?.strip_suffix("-----")?.to_owned())
}

/// What a text holds, for the message that says what it does not hold.
fn describe(sections: &[Section<'_>]) -> String {
    if sections.is_empty() {
        return "it has no PEM section at all (a DER file is converted by \
                `openssl x509 -inform der` or `openssl pkey -inform der`)"
            .to_owned();
    }
    let labels: Vec<_> = sections.iter().map(|section| section.label.as_str()).collect();
    format!("it has {}", labels.join(", "))
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cause(text: &str, of: fn(&Pem) -> Option<TlsError>) -> String {
        of(&Pem::value(text.as_bytes())).unwrap().to_string()
    }

    fn of_certificates(pem: &Pem) -> Option<TlsError> {
        pem.certificates().err()
    }

    fn of_key(pem: &Pem) -> Option<TlsError> {
        pem.private_key().err()
    }

    #[test]
    fn certificates_are_found_between_other_text() {
        let text = "Subject: CN=a\n-----BEGIN CERTIFICATE-----\r\nAQID\r\n-----END \
                    CERTIFICATE-----\r\n-----BEGIN X-----\nAQ==\n-----END X-----\n-----BEGIN \
                    CERTIFICATE-----\nBAUG\n-----END CERTIFICATE-----";
        let found = Pem::value(text.as_bytes()).certificates().unwrap();
        assert_eq!(found, [CertificateDer::from(vec![1, 2, 3]), vec![4, 5, 6].into()]);
    }

    #[test]
    fn an_error_names_the_line_the_section_and_the_cause() {
        assert_eq!(
            cause(
                "\n-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
                of_certificates
            ),
            "the PEM text given, line 2: the section CERTIFICATE is not valid base64"
        );
        assert_eq!(
            cause("-----BEGIN CERTIFICATE-----\nAQID\n", of_certificates),
            "the PEM text given, line 1: the section CERTIFICATE has no END line"
        );
        assert_eq!(
            cause("-----BEGIN DSA PRIVATE KEY-----\nAQ==\n-----END DSA PRIVATE KEY-----", of_key),
            "the PEM text given, line 1: the section DSA PRIVATE KEY is of a kind that TLS does \
             not use"
        );
    }

    #[test]
    fn a_missing_section_is_told_with_what_is_there_instead() {
        assert_eq!(
            cause("-----BEGIN PRIVATE KEY-----\nAQ==\n-----END PRIVATE KEY-----", of_certificates),
            "the PEM text given holds no certificate (section CERTIFICATE); it has PRIVATE KEY"
        );
        assert!(cause("", of_key).contains("no PEM section at all"));
    }

    #[test]
    fn an_encrypted_key_is_told_from_a_broken_one() {
        let new = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAQ==\n-----END ENCRYPTED PRIVATE \
                   KEY-----";
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: \
                   AES-128-CBC,00\n\nAQ==\n-----END RSA PRIVATE KEY-----";
        for text in [new, old] {
            assert!(cause(text, of_key).contains("the private key is encrypted"));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_without_a_panic(
            text in "(-----(BEGIN|END) (CERTIFICATE|PRIVATE KEY)-----\n|[A-Za-z=]{0,8}\n|\\PC{0,4}){0,12}"
        ) {
            let pem = Pem::value(text.as_bytes());
            let _ = pem.certificates();
            let _ = pem.private_key();
        }
    }
}
