//! The text of a share's link: its id, and a keyed hash of that.
//!
//! 43 letters, digits, `-` and `_` (RFC 4648 base 64 for URLs, no padding) of 32 bytes: the id (16) and the first 16
//! bytes of its keyed BLAKE3 hash. The key is not where the shares are, so that whoever has a copy of those can make
//! no link, and a server that has both can show a link again. A guess is refused by the hash alone (1 of 2¹²⁸ is
//! right): nothing is looked up for it.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::{PasswordHash, Secret, ShareId, random};

/// Bytes of an id, and of its hash.
const HALF: usize = 16;

/// Letters of a link.
const LETTERS: usize = 43;

/// How long a [pass](LinkKey::pass) is good for, in milliseconds.
const PASS_TIME: i64 = 12 * 60 * 60 * 1000;

/// The key that links are made with. `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LinkKey([u8; 32]);

impl LinkKey {
    /// A new key. Links made with another one are no longer links.
    #[must_use]
    pub fn generate() -> Self {
        Self(random::bytes())
    }

    /// The key that these bytes are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's bytes. Never log them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The text of a share's link.
    #[must_use]
    pub fn link(&self, id: ShareId) -> Secret {
        let mut bytes = Zeroizing::new([0; 2 * HALF]);
        bytes[..HALF].copy_from_slice(&id.to_bytes());
        bytes[HALF..].copy_from_slice(&self.seal(id)[..HALF]);
        Secret::new(BASE64URL_NOPAD.encode(&*bytes))
    }

    /// The share that a text is the link of; none if it was not made with this key. Takes the same time
    /// wherever it is wrong.
    #[must_use]
    pub fn share(&self, link: &str) -> Option<ShareId> {
        if link.len() != LETTERS {
            return None;
        }
        let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(link.as_bytes()).ok()?);
        let (id, seal) = bytes.split_first_chunk::<HALF>()?;
        let id = ShareId::from_bytes(*id);
        is_same(seal, &self.seal(id)[..HALF]).then_some(id)
    }

    /// What a browser keeps in place of a share's password, once that was right: good for twelve hours, for
    /// this share, until the password changes.
    pub(crate) fn pass(&self, id: ShareId, password: &PasswordHash, now: Timestamp) -> Secret {
        let until = now.as_millisecond().saturating_add(PASS_TIME);
        let seal = BASE64URL_NOPAD.encode(&self.pass_seal(id, password, until)[..HALF]);
        Secret::new(format!("{until}.{seal}"))
    }

    /// Whether this is such a pass, and its time is not over.
    pub(crate) fn is_pass(
        &self,
        pass: &str,
        id: ShareId,
        password: &PasswordHash,
        now: Timestamp,
    ) -> bool {
        let Some((until, seal)) = pass.split_once('.') else { return false };
        let Ok(until) = until.parse::<i64>() else { return false };
        let expected = BASE64URL_NOPAD.encode(&self.pass_seal(id, password, until)[..HALF]);
        is_same(seal.as_bytes(), expected.as_bytes()) && now.as_millisecond() < until
    }

    fn seal(&self, id: ShareId) -> [u8; 32] {
        let key = blake3::derive_key("sockeye 2026-11-21 share link", &self.0);
        *blake3::keyed_hash(&key, &id.to_bytes()).as_bytes()
    }

    fn pass_seal(&self, id: ShareId, password: &PasswordHash, until: i64) -> [u8; 32] {
        let key = blake3::derive_key("sockeye 2026-11-21 share pass", &self.0);
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(&id.to_bytes()).update(&until.to_le_bytes());
        *hasher.update(password.to_string().as_bytes()).finalize().as_bytes()
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

/// In a time that does not tell how far they are the same.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: LinkKey = LinkKey::from_bytes([7; 32]);

    #[test]
    fn a_link_leads_to_its_share_and_with_another_key_nowhere() {
        let id = ShareId::generate();
        let link = KEY.link(id);
        assert_eq!(KEY.share(link.expose()), Some(id));
        assert_eq!(KEY.link(id), link, "it can be shown again");
        assert_eq!(LinkKey::from_bytes([8; 32]).share(link.expose()), None);
    }

    #[test]
    fn a_link_with_one_letter_changed_is_none() {
        let link = KEY.link(ShareId::generate());
        let link = link.expose();
        assert_eq!(link.len(), LETTERS);
        for at in 0..link.len() {
            let other = if &link[at..=at] == "A" { "B" } else { "A" };
            let changed = format!("{}{other}{}", &link[..at], &link[at + 1..]);
            assert_eq!(KEY.share(&changed), None, "letter {at}");
        }
    }

    #[test]
    fn a_pass_is_good_for_its_share_its_password_and_its_time() {
        let hash = |letter: &str| {
            let (salt, output) = (letter.repeat(21), letter.repeat(42));
            let text = format!("$argon2id$v=19$m=64,t=1,p=1${salt}A${output}A");
            text.parse::<PasswordHash>().unwrap()
        };
        let (id, now) = (ShareId::generate(), Timestamp::UNIX_EPOCH);
        let (password, other) = (hash("a"), hash("b"));
        let pass = KEY.pass(id, &password, now);
        let is = |id, password, now| KEY.is_pass(pass.expose(), id, password, now);
        assert!(is(id, &password, now));
        assert!(!is(ShareId::generate(), &password, now));
        assert!(!is(id, &other, now));
        assert!(!is(id, &password, Timestamp::from_millisecond(PASS_TIME).unwrap()));
        let longer = pass.expose().replacen('.', "0.", 1);
        assert!(!KEY.is_pass(&longer, id, &password, now), "its time is sealed");
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[A-Za-z0-9_.-]{0,50}|.*") {
            prop_assert_eq!(KEY.share(&text), None);
            let hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$4T/QYdPTZ7Mmz7cVgXMC2kXXWBEQQhbG3hF9Y2l8cXQ";
            let hash: PasswordHash = hash.parse().unwrap();
            prop_assert!(!KEY.is_pass(&text, ShareId::from_bytes([1; 16]), &hash, Timestamp::UNIX_EPOCH));
        }
    }
}
