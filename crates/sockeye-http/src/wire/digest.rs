//! Content-Digest and Repr-Digest (RFC 9530), as far as SHA-256 goes: other algorithms are passed over,
//! as §2 permits.

use data_encoding::BASE64;

/// 32 bytes in base64.
const MAX_BASE64: usize = 44;

/// A digest field that cannot be understood, or two that contradict one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a digest is `sha-256=:BASE64:`, of 32 bytes; Content-Digest and Repr-Digest agree in a PUT"
)]
pub struct DigestError;

/// The SHA-256 that the fields announce for the whole content of a PUT, where both mean the same bytes.
///
/// # Errors
/// If one of them announces a SHA-256 that is none, or they differ.
pub fn announced(
    content_digest: Option<&[u8]>,
    repr_digest: Option<&[u8]>,
) -> Result<Option<[u8; 32]>, DigestError> {
    let [content, repr] = [content_digest, repr_digest].map(|field| field.map(sha_256).transpose());
    match (content?.flatten(), repr?.flatten()) {
        (Some(content), Some(repr)) if content != repr => Err(DigestError),
        (content, repr) => Ok(content.or(repr)),
    }
}

/// Whether Want-Repr-Digest (§4) has SHA-256 among what is wanted: each algorithm has a weight, of which 0 is none.
#[must_use]
pub fn wants_sha_256(field: &[u8]) -> bool {
    let members = field.split(|&b| b == b',').map(<[u8]>::trim_ascii);
    let mut weights = members.filter_map(|member| member.strip_prefix(b"sha-256="));
    let weight = weights.next_back().and_then(|weight| str::from_utf8(weight).ok());
    weight.and_then(|weight| weight.parse::<u8>().ok()).is_some_and(|it| (1..=10).contains(&it))
}

/// The value of Repr-Digest for this SHA-256.
#[must_use]
pub fn repr_digest(sha_256: &[u8; 32]) -> String {
    format!("sha-256=:{}:", BASE64.encode(sha_256))
}

/// The member `sha-256` of a dictionary whose values are byte sequences (RFC 8941 §3.2, §3.3.5); the last
/// of several counts.
fn sha_256(field: &[u8]) -> Result<Option<[u8; 32]>, DigestError> {
    let mut found = None;
    // Neither a key nor base64 between colons has a comma.
    for member in field.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
        let Some(value) = member.strip_prefix(b"sha-256=") else { continue };
        let value = value.split(|&b| b == b';').next().unwrap_or_default().trim_ascii_end();
        let base64 = value.strip_prefix(b":").and_then(|v| v.strip_suffix(b":"));
        let bytes = base64.filter(|b| b.len() <= MAX_BASE64).and_then(|b| BASE64.decode(b).ok());
        found = Some(bytes.and_then(|b| b.try_into().ok()).ok_or(DigestError)?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EMPTY: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";

    #[test]
    fn a_sha_256_is_found_among_others() {
        let found = |field: &str| announced(Some(field.as_bytes()), None);
        let empty = found(EMPTY).unwrap().unwrap();
        assert_eq!((empty[0], empty[31]), (0xe3, 0x55));
        for field in
            [format!("sha-512=:AA==:, {EMPTY}"), format!("{EMPTY};p=1"), format!("x=?1,{EMPTY}")]
        {
            assert_eq!(found(&field), Ok(Some(empty)), "{field}");
        }
        for field in ["", "sha-512=:AA==:", "md5=:x:", "SHA-256=:AA==:"] {
            assert_eq!(found(field), Ok(None), "{field}");
        }
        for field in [
            "sha-256=",
            "sha-256=:AA==:",
            "sha-256=47DEQ",
            "sha-256=:*:",
            &EMPTY[..EMPTY.len() - 1],
        ] {
            assert_eq!(found(field), Err(DigestError), "{field}");
        }
    }

    #[test]
    fn both_fields_agree() {
        let other = format!("sha-256=:{}:", BASE64.encode(&[1; 32]));
        let both = |a: &str, b: &str| announced(Some(a.as_bytes()), Some(b.as_bytes()));
        assert!(both(EMPTY, EMPTY).unwrap().is_some());
        assert_eq!(both(EMPTY, &other), Err(DigestError));
        assert!(announced(None, Some(other.as_bytes())).unwrap().is_some());
        assert_eq!(announced(None, None), Ok(None));
    }

    #[test]
    fn what_is_wanted_is_told_by_its_weight() {
        for (field, wanted) in [
            ("sha-256=10", true),
            ("sha-512=3, sha-256=1", true),
            ("sha-256=0", false),
            ("sha-256=11", false),
            ("sha-256", false),
            ("sha-512=10", false),
            ("sha-256=5,sha-256=0", false),
            ("", false),
        ] {
            assert_eq!(wants_sha_256(field.as_bytes()), wanted, "{field}");
        }
        let empty = announced(Some(repr_digest(&[7; 32]).as_bytes()), None);
        assert_eq!(empty, Ok(Some([7; 32])));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = wants_sha_256(&[&b"sha-256="[..], &bytes].concat());
            let _ = announced(Some(&[&b"sha-256="[..], &bytes].concat()), Some(&bytes));
        }
    }
}
