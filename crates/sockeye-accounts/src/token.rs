//! Access tokens: a secret for a program, with a scope and an end.
//!
//! The text of a token is `sockeye_` and 84 letters and digits (RFC 4648 base 32 in lower case, no
//! padding) of 52 bytes: the id (16), the secret (32 random bytes), and a checksum, the first 4 bytes of
//! the BLAKE3 hash of the 48 before. A scanner for leaked secrets finds it by
//! `sockeye_[a-z2-7]{84}` and knows a real one by the checksum. Only the secret's BLAKE3 hash is kept: of
//! 256 random bits there is nothing to guess, so that no slow hash is needed.

use std::fmt;

use data_encoding::{BASE32_NOPAD, BASE32_NOPAD_NOCASE};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{AccountId, Prefix, Protocols, Rights, Secret, TokenId, random};

/// Most tokens that an account can have.
pub const MAX_TOKENS: usize = 256;

/// Longest label of a token and longest comment of a key, in bytes of UTF-8.
pub const MAX_LABEL: usize = 64;

/// What every token's text begins with.
pub const TOKEN_START: &str = "sockeye_";

const ID: usize = 16;
const SECRET: usize = 32;
const CHECKSUM: usize = 4;
const LETTERS: usize = 84;

/// What is known of an access token; never its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What it is found by.
    pub id: TokenId,
    /// Whose it is.
    pub account: AccountId,
    /// What its owner calls it.
    pub label: String,
    /// Where it is good for anything.
    pub prefix: Prefix,
    /// What its bearer may do there, as far as the account may.
    pub rights: Rights,
    /// Over which protocols.
    pub protocols: Protocols,
    /// Until when.
    #[serde(serialize_with = "crate::write_to_the_second")]
    pub expires: Option<Timestamp>,
    /// When it was last used, to about a minute.
    #[serde(serialize_with = "crate::write_to_the_second")]
    pub last_used: Option<Timestamp>,
    /// When it was made.
    #[serde(serialize_with = "crate::write_to_the_second")]
    pub created: Timestamp,
}

impl Token {
    /// Which of an account's rights at `path` the token lets through.
    #[must_use]
    pub fn mask_at(&self, path: impl AsRef<[u8]>) -> Rights {
        if self.prefix.covers(path) { self.rights } else { Rights::NONE }
    }

    /// Whether the token's time is over at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }
}

/// Whether `label` can be a token's label or a key's comment: short, and one line.
pub(crate) fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.len()) && !label.contains(char::is_control)
}

/// The BLAKE3 hash of a token's secret: what is kept of it. Compared in constant time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(blake3::Hash);

impl TokenHash {
    /// The hash that these bytes are.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(blake3::Hash::from_bytes(bytes))
    }

    /// The hash's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// The two halves of a token's text.
#[derive(Debug)]
pub(crate) struct TokenText {
    pub(crate) id: TokenId,
    pub(crate) hash: TokenHash,
}

impl TokenText {
    /// Makes the text of a new token with this id; the secret is in it and nowhere else.
    pub(crate) fn generate(id: TokenId) -> (Secret, TokenHash) {
        let secret = Zeroizing::new(random::bytes::<SECRET>());
        let mut bytes = Zeroizing::new([0; ID + SECRET + CHECKSUM]);
        bytes[..ID].copy_from_slice(&id.to_bytes());
        bytes[ID..ID + SECRET].copy_from_slice(&*secret);
        let checksum = checksum(&bytes[..ID + SECRET]);
        bytes[ID + SECRET..].copy_from_slice(&checksum);
        let mut letters = Zeroizing::new([0; LETTERS]);
        BASE32_NOPAD.encode_mut(&*bytes, &mut *letters);
        let mut text = String::with_capacity(TOKEN_START.len() + LETTERS);
        text.push_str(TOKEN_START);
        text.extend(letters.iter().map(|byte| char::from(byte.to_ascii_lowercase())));
        (Secret::new(text), TokenHash(blake3::hash(&*secret)))
    }

    /// Reads a token's text; `None` if it is no token or its checksum is wrong.
    pub(crate) fn parse(text: &Secret) -> Option<Self> {
        let letters = text.expose().strip_prefix(TOKEN_START)?.as_bytes();
        if letters.len() != LETTERS {
            return None;
        }
        let mut bytes = Zeroizing::new([0; BYTES]);
        BASE32_NOPAD_NOCASE.decode_mut(letters, &mut *bytes).ok()?;
        let (told, sum) = bytes.split_at(ID + SECRET);
        if sum != checksum(told) {
            return None;
        }
        let (id, secret) = told.split_first_chunk::<ID>()?;
        Some(Self { id: TokenId::from_bytes(*id), hash: TokenHash(blake3::hash(secret)) })
    }
}

const BYTES: usize = ID + SECRET + CHECKSUM;

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let [a, b, c, d, ..] = *blake3::hash(bytes).as_bytes();
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_new_token_is_read_back() {
        let id = TokenId::generate();
        let (text, hash) = TokenText::generate(id);
        let read = TokenText::parse(&text).unwrap();
        assert_eq!((read.id, read.hash), (id, hash));
        let letters = text.expose().strip_prefix("sockeye_").unwrap();
        let is_base32 = |b: u8| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b);
        assert!(letters.len() == 84 && letters.bytes().all(is_base32), "{letters}");
    }

    #[test]
    fn a_token_with_one_letter_changed_is_none() {
        let (text, _) = TokenText::generate(TokenId::generate());
        let text = text.expose();
        for at in TOKEN_START.len()..text.len() {
            let other = if &text[at..=at] == "a" { "b" } else { "a" };
            let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert!(TokenText::parse(&Secret::new(changed)).is_none(), "letter {at}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "(sockeye_)?[a-z2-7é]{0,90}") {
            prop_assert!(TokenText::parse(&Secret::new(text)).is_none());
        }
    }
}
