//! What the header fields of resumable uploads say (tus 1.0.0, <https://tus.io/protocols/resumable-upload>).

use data_encoding::BASE64;
use sockeye_node::{FilePath, PathBuilder, Timestamp};

use super::{
    date::moment,
    head::{Fields, Once},
};

/// The one version that is spoken.
pub const VERSION: &str = "1.0.0";

/// What is spoken beyond its core.
pub const EXTENSIONS: &str =
    "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination";

/// The media type of the pieces.
pub const MEDIA_TYPE: &[u8] = b"application/offset+octet-stream";

/// The longest Upload-Metadata, in bytes.
pub const LONGEST_METADATA: usize = 4096;

/// Why fields cannot be understood: 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// A number is missing, comes twice, or is none.
    #[error("{0} must be there once, as digits alone")]
    Number(&'static str),
    /// Both Upload-Length and Upload-Defer-Length, or neither.
    #[error("an upload has either Upload-Length or Upload-Defer-Length: 1")]
    Length,
    /// Upload-Metadata is not pairs of keys and values in Base64.
    #[error(
        "Upload-Metadata is a list of different keys, each with a value in Base64, in at most 4096 bytes"
    )]
    Metadata,
    /// A value of Upload-Metadata is not what its key has.
    #[error("the value of {0} in Upload-Metadata is not what it has to be")]
    Value(&'static str),
    /// Nothing says what the file is called.
    #[error("Upload-Metadata must say where the file goes: by `path`, by `filename`, or by both")]
    Nameless,
    /// Upload-Checksum is not an algorithm and a value in Base64.
    #[error(
        "Upload-Checksum is an algorithm and its value in Base64; known are sha1, sha256 and crc32"
    )]
    Checksum,
}

/// Whether the client speaks the version that is spoken here.
#[must_use]
pub fn is_spoken(fields: &Fields<'_>) -> bool {
    fields.get("tus-resumable") == Once::One(VERSION.as_bytes())
}

/// The number that a field has, if it is there.
///
/// # Errors
/// If it is there several times, or is no number.
pub fn number(fields: &Fields<'_>, name: &'static str) -> Result<Option<u64>, FieldError> {
    let text = match fields.get(name) {
        Once::Missing => return Ok(None),
        Once::One(text) => text,
        Once::Several => return Err(FieldError::Number(name)),
    };
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let text = str::from_utf8(text).ok().filter(|_| digits);
    text.and_then(|text| text.parse().ok()).map(Some).ok_or(FieldError::Number(name))
}

/// How long a new upload will be; `None` if that is told later.
///
/// # Errors
/// If neither is said, or both.
pub fn length(fields: &Fields<'_>) -> Result<Option<u64>, FieldError> {
    let later = match fields.get("upload-defer-length") {
        Once::Missing => false,
        Once::One(b"1") => true,
        _ => return Err(FieldError::Length),
    };
    match (number(fields, "upload-length")?, later) {
        (Some(length), false) => Ok(Some(length)),
        (None, true) => Ok(None),
        _ => Err(FieldError::Length),
    }
}

/// What Upload-Metadata says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Where it goes.
    pub path: FilePath,
    /// When it was last changed.
    pub modified: Option<Timestamp>,
    /// Whether it may replace one that is there.
    pub overwrite: bool,
    /// The field as it came, which is told again to who asks.
    pub text: String,
}

/// Reads Upload-Metadata: `filename`, `path`, `mtime` and `overwrite`; other keys are kept and mean nothing.
///
/// `path` is where the file goes, from the root; if it ends with a slash, the folder that `filename` goes into. `mtime` is in seconds since the epoch, with up to nine decimals; `overwrite` is `true` or
/// `false`, which it is by default.
///
/// # Errors
/// As [`FieldError`] has it.
pub fn metadata(fields: &Fields<'_>) -> Result<Metadata, FieldError> {
    let text = match fields.get("upload-metadata") {
        Once::One(text) if text.len() <= LONGEST_METADATA => text,
        Once::Missing => return Err(FieldError::Nameless),
        _ => return Err(FieldError::Metadata),
    };
    let text = str::from_utf8(text).map_err(|_| FieldError::Metadata)?;
    let pairs = pairs(text).ok_or(FieldError::Metadata)?;
    let value = |key: &str| pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| &**value);
    let modified = value("mtime").map(|text| moment(text).ok_or(FieldError::Value("mtime")));
    let overwrite = match value("overwrite") {
        None | Some(b"false") => false,
        Some(b"true") => true,
        Some(_) => return Err(FieldError::Value("overwrite")),
    };
    Ok(Metadata {
        path: target(value("path"), value("filename"))?,
        modified: modified.transpose()?,
        overwrite,
        text: text.to_owned(),
    })
}

/// The keys and their values, decoded.
fn pairs(text: &str) -> Option<Vec<(&str, Vec<u8>)>> {
    let mut pairs: Vec<(&str, Vec<u8>)> = Vec::new();
    for pair in text.split(',') {
        // The field may be a list of one line or of several, joined with a comma and a space.
        let (key, value) = pair.trim_matches(' ').split_once(' ').unwrap_or((pair.trim(), ""));
        let value = BASE64.decode(value.as_bytes()).ok()?;
        let fits = !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic());
        if !fits || pairs.iter().any(|(other, _)| *other == key) {
            return None;
        }
        pairs.push((key, value));
    }
    Some(pairs)
}

/// Where the file goes.
fn target(path: Option<&[u8]>, filename: Option<&[u8]>) -> Result<FilePath, FieldError> {
    let (above, name) = match (path, filename) {
        (None, None) => return Err(FieldError::Nameless),
        (None, Some(name)) => (&b""[..], name),
        (Some(path), Some(name)) if path.is_empty() || path.ends_with(b"/") => (path, name),
        // With a whole path, a name says nothing more.
        (Some(path), _) => {
            let at = path.iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1);
            path.split_at(at)
        }
    };
    if name.is_empty() {
        return Err(FieldError::Nameless);
    }
    let mut whole = PathBuilder::with_capacity(above.len() + name.len());
    for part in above.split(|&b| b == b'/').filter(|part| !part.is_empty()) {
        whole.push(part).map_err(|_| FieldError::Value("path"))?;
    }
    whole.push(name).map_err(|_| FieldError::Value("filename"))?;
    Ok(whole.finish())
}

/// An algorithm of Upload-Checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// The CRC-32 of Ethernet and ZIP, as four bytes, the highest first.
    Crc32,
}

/// Their names and how many bytes each gives.
pub const ALGORITHMS: [(&str, Algorithm, usize); 3] = [
    ("sha1", Algorithm::Sha1, 20),
    ("sha256", Algorithm::Sha256, 32),
    ("crc32", Algorithm::Crc32, 4),
];

/// What a piece must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// How it is computed.
    pub algorithm: Algorithm,
    /// What comes out.
    pub value: Vec<u8>,
}

/// Reads Upload-Checksum, if it is there.
///
/// # Errors
/// [`FieldError::Checksum`].
pub fn checksum(fields: &Fields<'_>) -> Result<Option<Checksum>, FieldError> {
    let text = match fields.get("upload-checksum") {
        Once::Missing => return Ok(None),
        Once::One(text) => text,
        Once::Several => return Err(FieldError::Checksum),
    };
    let read = || {
        let (name, value) = str::from_utf8(text).ok()?.split_once(' ')?;
        let (_, algorithm, length) = ALGORITHMS.iter().find(|(known, ..)| *known == name)?;
        let value = BASE64.decode(value.as_bytes()).ok()?;
        (value.len() == *length).then_some(Checksum { algorithm: *algorithm, value })
    };
    read().map(Some).ok_or(FieldError::Checksum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::head::{Parsed, parse};

    fn with<T>(lines: &[(&str, &str)], work: impl FnOnce(&Fields<'_>) -> T) -> T {
        let lines: String =
            lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let text = format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
        let Parsed::Head(head, _) = parse(text.as_bytes()) else { panic!("{text}") };
        work(&head.fields)
    }

    #[test]
    fn a_length_is_said_or_put_off() {
        for (lines, expected) in [
            (&[("Upload-Length", "0")][..], Ok(Some(0))),
            (&[("upload-length", "18446744073709551615")], Ok(Some(u64::MAX))),
            (&[("Upload-Defer-Length", "1")], Ok(None)),
            (&[("Upload-Defer-Length", "0")], Err(FieldError::Length)),
            (&[("Upload-Defer-Length", "1"), ("Upload-Length", "5")], Err(FieldError::Length)),
            (&[], Err(FieldError::Length)),
            (&[("Upload-Length", "-1")], Err(FieldError::Number("upload-length"))),
            (&[("Upload-Length", "+1")], Err(FieldError::Number("upload-length"))),
            (&[("Upload-Length", "1.0")], Err(FieldError::Number("upload-length"))),
            (&[("Upload-Length", "")], Err(FieldError::Number("upload-length"))),
            (
                &[("Upload-Length", "18446744073709551616")],
                Err(FieldError::Number("upload-length")),
            ),
            (
                &[("Upload-Length", "5"), ("Upload-Length", "5")],
                Err(FieldError::Number("upload-length")),
            ),
        ] {
            assert_eq!(with(lines, length), expected, "{lines:?}");
        }
    }

    fn path_of(pairs: &[(&str, &str)]) -> Result<String, FieldError> {
        let text: Vec<_> = pairs
            .iter()
            .map(|(key, value)| format!("{key} {}", BASE64.encode(value.as_bytes())))
            .collect();
        with(&[("Upload-Metadata", &text.join(","))], metadata).map(|it| it.path.to_string())
    }

    #[test]
    fn metadata_says_where_a_file_goes() {
        for (pairs, expected) in [
            (&[("filename", "a.txt")][..], Ok("/a.txt")),
            (&[("filename", "é b")], Ok("/é b")),
            (&[("path", "/x/y.txt")], Ok("/x/y.txt")),
            (&[("path", "x//y.txt")], Ok("/x/y.txt")),
            (&[("path", "/x/"), ("filename", "a")], Ok("/x/a")),
            (&[("path", "/"), ("filename", "a")], Ok("/a")),
            (&[("path", ""), ("filename", "a")], Ok("/a")),
            (&[("path", "/x/y"), ("filename", "a")], Ok("/x/y")),
            (&[("path", "/x/")], Err(FieldError::Nameless)),
            (&[("filename", "")], Err(FieldError::Nameless)),
            (&[("type", "text/plain")], Err(FieldError::Nameless)),
            (&[("filename", "../a")], Err(FieldError::Value("filename"))),
            (&[("filename", "a/b")], Err(FieldError::Value("filename"))),
            (&[("filename", "..")], Err(FieldError::Value("filename"))),
            (&[("path", "/../x")], Err(FieldError::Value("path"))),
            (&[("path", "/x/.."), ("filename", "a")], Err(FieldError::Value("filename"))),
            (&[("path", "/x\0/a")], Err(FieldError::Value("path"))),
            (&[("filename", "a"), ("filename", "a")], Err(FieldError::Metadata)),
            (&[("filename", "a"), ("overwrite", "yes")], Err(FieldError::Value("overwrite"))),
            (&[("filename", "a"), ("mtime", "noon")], Err(FieldError::Value("mtime"))),
        ] {
            assert_eq!(path_of(pairs), expected.map(str::to_owned), "{pairs:?}");
        }
        for text in [
            "filename YQ",
            "filename YQ=",
            "filename Y Q==",
            "filename YQ==,",
            ",",
            "filename  YQ==",
            "é YQ==",
        ] {
            assert_eq!(
                with(&[("Upload-Metadata", text)], metadata),
                Err(FieldError::Metadata),
                "{text}"
            );
        }
        let whole = with(
            &[("Upload-Metadata", "filename YQ==,is_private,overwrite dHJ1ZQ==,mtime MTUuMjU=")],
            metadata,
        );
        let whole = whole.unwrap();
        assert!(whole.overwrite);
        assert_eq!(whole.modified, Some(Timestamp { seconds: 15, nanos: 250_000_000 }));
        assert!(whole.text.starts_with("filename YQ==,is_private,"));
    }

    #[test]
    fn a_checksum_has_a_known_algorithm_and_its_length() {
        for (text, expected) in [
            ("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", Some(Algorithm::Sha1)),
            ("crc32 AAAAAA==", Some(Algorithm::Crc32)),
            ("crc32 AAAA", None),
            ("sha256 AAAA", None),
            ("md5 AAAAAAAAAAAAAAAAAAAAAA==", None),
            ("sha1", None),
            ("SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", None),
        ] {
            let read = with(&[("Upload-Checksum", text)], checksum);
            assert_eq!(read.ok().flatten().map(|it| it.algorithm), expected, "{text}");
        }
        assert_eq!(with(&[], checksum), Ok(None));
    }

    proptest! {
        #[test]
        fn any_metadata_is_read_or_refused(text in "[ -~]{0,60}") {
            let _ = with(&[("Upload-Metadata", &text)], metadata);
        }

        #[test]
        fn no_metadata_leads_out(path in "[./a\\\\]{0,12}", name in "[./a]{0,4}") {
            if let Ok(found) = path_of(&[("path", &path), ("filename", &name)]) {
                prop_assert!(found.split('/').all(|part| part != ".." && part != "."));
            }
        }
    }
}
