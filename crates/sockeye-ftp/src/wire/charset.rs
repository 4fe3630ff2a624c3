//! Charsets of names (RFC 2640): UTF-8, or another for clients that know nothing else.
//!
//! On the disk names are UTF-8, if they are text at all. With UTF-8 nothing is converted. With another charset, what a client
//! sends is decoded and what it is sent is encoded, character by character; a byte or character for which there is no
//! other goes through as it is. A name that a client has sent is always shown to it as the same bytes again.

use std::{borrow::Cow, str::FromStr};

use encoding_rs::{DecoderResult, EncoderResult, Encoding, GB18030, GBK, UTF_8};

/// The charset of a control connection and its listings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charset(&'static Encoding);

impl Default for Charset {
    fn default() -> Self {
        Self::UTF_8
    }
}

/// Not a charset that names can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no charset for names: it is one of the WHATWG's that hold ASCII, such as utf-8, gbk, big5 or windows-1252"
)]
pub struct UnknownCharset(String);

/// A name that cannot be told in the connection's charset and come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name is not in this server's charset, {0}")]
pub struct NotInCharset(&'static str);

/// A name of an encoding (<https://encoding.spec.whatwg.org/#names-and-labels>) in which ASCII is ASCII.
impl FromStr for Charset {
    type Err = UnknownCharset;

    fn from_str(label: &str) -> Result<Self, UnknownCharset> {
        match Encoding::for_label_no_replacement(label.as_bytes()) {
            // The larger of the two has every character, and the same bytes for those that both have.
            Some(encoding) if encoding == GBK => Ok(Self(GB18030)),
            Some(encoding) if encoding.is_ascii_compatible() => Ok(Self(encoding)),
            _ => Err(UnknownCharset(label.to_owned())),
        }
    }
}

impl Charset {
    /// UTF-8, in which every byte is what it is on the disk.
    pub const UTF_8: Self = Self(UTF_8);

    /// Its name, as the WHATWG writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// A path as it stands on the disk, from what the client sent.
    ///
    /// # Errors
    /// If the client would not be shown the bytes that it sent, as only happens with what is no text.
    pub fn decode(self, path: &[u8]) -> Result<Cow<'_, [u8]>, NotInCharset> {
        if self == Self::UTF_8 || path.is_ascii() {
            return Ok(Cow::Borrowed(path));
        }
        let mut decoded = Vec::with_capacity(path.len() * 2);
        // In no charset with ASCII does a slash belong to another character.
        for (index, name) in path.split(|&b| b == b'/').enumerate() {
            if index > 0 {
                decoded.push(b'/');
            }
            decoded.extend(self.decode_name(name)?);
        }
        Ok(Cow::Owned(decoded))
    }

    fn decode_name(self, name: &[u8]) -> Result<Vec<u8>, NotInCharset> {
        let decoded = self.decode_any(name);
        // Two forms of one character, of which only the other would be sent: then the bytes are the name.
        [decoded, name.to_vec()]
            .into_iter()
            .find(|candidate| *self.encode(candidate) == *name)
            .ok_or(NotInCharset(self.name()))
    }

    fn decode_any(self, bytes: &[u8]) -> Vec<u8> {
        let mut decoder = self.0.new_decoder_without_bom_handling();
        let (mut at, mut decoded) = (0, Vec::with_capacity(bytes.len() * 2));
        let most = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
        let mut text = String::with_capacity(most.unwrap_or(bytes.len() * 4));
        loop {
            let (result, read) =
                decoder.decode_to_string_without_replacement(&bytes[at..], &mut text, true);
            at += read;
            decoded.extend(text.bytes());
            text.clear();
            match result {
                DecoderResult::InputEmpty => return decoded,
                DecoderResult::OutputFull => text.reserve(bytes.len().max(16) * 4),
                DecoderResult::Malformed(length, beyond) => {
                    let end = at.saturating_sub(usize::from(beyond));
                    let start = end.saturating_sub(usize::from(length));
                    decoded.extend_from_slice(&bytes[start..end]);
                }
            }
        }
    }

    /// Text or a name, or both, as the client is sent it.
    ///
    /// Pieces can be encoded one by one or together, as long as no character is cut.
    #[must_use]
    pub fn encode(self, text: &[u8]) -> Cow<'_, [u8]> {
        if self == Self::UTF_8 || text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let mut encoded = Vec::with_capacity(text.len());
        for chunk in text.utf8_chunks() {
            self.encode_text(chunk.valid(), &mut encoded);
            encoded.extend_from_slice(chunk.invalid());
        }
        Cow::Owned(encoded)
    }

    fn encode_text(self, mut text: &str, encoded: &mut Vec<u8>) {
        let mut encoder = self.0.new_encoder();
        while !text.is_empty() {
            let most = encoder.max_buffer_length_from_utf8_without_replacement(text.len());
            encoded.reserve(most.unwrap_or(text.len() * 4));
            let (result, read) =
                encoder.encode_from_utf8_to_vec_without_replacement(text, encoded, true);
            text = &text[read..];
            if let EncoderResult::Unmappable(character) = result {
                encoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn charset(label: &str) -> Charset {
        label.parse().unwrap()
    }

    const LABELS: [&str; 8] =
        ["gbk", "big5", "shift_jis", "euc-jp", "euc-kr", "windows-1252", "koi8-r", "utf-8"];

    #[test]
    fn names_are_converted_both_ways() {
        for (label, name, sent) in [
            ("gbk", "报告.txt", &b"\xb1\xa8\xb8\xe6.txt"[..]),
            ("GB2312", "你/好", b"\xc4\xe3/\xba\xc3"),
            ("gbk", "😀", b"\x94\x39\xfc\x36"),
            ("big5", "報告", b"\xb3\xf8\xa7\x69"),
            ("latin1", "é€", b"\xe9\x80"),
            ("utf8", "报告", "报告".as_bytes()),
        ] {
            let charset = charset(label);
            assert_eq!(charset.encode(name.as_bytes()), sent, "{label} {name}");
            assert_eq!(charset.decode(sent).unwrap(), name.as_bytes(), "{label} {name}");
        }
    }

    #[test]
    fn what_is_in_no_charset_goes_through() {
        let gbk = charset("gbk");
        // A lone first byte; the form of the euro sign that is not sent.
        for name in [&b"a\xff.txt"[..], b"\xb1\xa8\xff", b"\x80", b"\xc4"] {
            let stored = gbk.decode(name).unwrap().into_owned();
            assert_eq!(gbk.encode(&stored), name);
        }
        assert_eq!(gbk.decode(b"\xb1\xa8\xff").unwrap(), ["报".as_bytes(), b"\xff"].concat());
        // The beginning of four bytes that are none: only the first of them is no text.
        let stored = gbk.decode(b"\xb1\xa8\x81\x30x").unwrap();
        assert_eq!(stored, ["报".as_bytes(), b"\x810x"].concat());
        // A name of the disk that is no text, and one that this charset does not have.
        assert_eq!(gbk.encode(b"a\xffb"), &b"a\xffb"[..]);
        assert_eq!(charset("latin1").encode("é文".as_bytes()), [b"\xe9", "文".as_bytes()].concat());
        let refused = gbk.decode(b"\x80\xc3\xa9").unwrap_err().to_string();
        assert_eq!(refused, "the name is not in this server's charset, gb18030");
    }

    #[test]
    fn only_charsets_that_hold_ascii_are_taken() {
        for label in ["utf-16le", "iso-2022-jp", "hz-gb-2312", "ebcdic", ""] {
            assert_eq!(label.parse::<Charset>(), Err(UnknownCharset(label.to_owned())));
        }
        assert_eq!(Charset::default().name(), "UTF-8");
    }

    proptest! {
        #[test]
        fn a_client_is_shown_what_it_sent(
            label in proptest::sample::select(&LABELS[..]),
            sent in proptest::collection::vec(prop_oneof![0x80u8.., any::<u8>()], 0..40),
        ) {
            let charset = charset(label);
            if let Ok(stored) = charset.decode(&sent) {
                prop_assert_eq!(charset.encode(&stored), &sent[..]);
                // No byte that separates or ends was made or lost on the way.
                for special in [b'/', 0, b'\r', b'\n'] {
                    let count = |bytes: &[u8]| bytes.iter().filter(|&&b| b == special).count();
                    prop_assert_eq!(count(&stored), count(&sent));
                }
            }
        }

        #[test]
        fn every_text_comes_back_from_gbk(name in "[^/\u{e000}-\u{f8ff}]{0,20}") {
            let gbk = charset("gbk");
            let sent = gbk.encode(name.as_bytes()).into_owned();
            prop_assert_eq!(gbk.decode(&sent).unwrap(), name.as_bytes());
        }

        #[test]
        fn text_can_be_encoded_in_pieces(
            label in proptest::sample::select(&LABELS[..]),
            a in ".{0,10}",
            b in ".{0,10}",
        ) {
            let charset = charset(label);
            let whole = charset.encode([&*a, &*b].concat().as_bytes()).into_owned();
            let pieces = [charset.encode(a.as_bytes()), charset.encode(b.as_bytes())].concat();
            prop_assert_eq!(whole, pieces);
        }

        #[test]
        fn utf_8_changes_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(Charset::UTF_8.decode(&bytes).unwrap(), &bytes[..]);
            prop_assert_eq!(Charset::UTF_8.encode(&bytes), &bytes[..]);
        }
    }
}
