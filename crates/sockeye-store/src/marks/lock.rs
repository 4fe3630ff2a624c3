//! Write locks (RFC 4918 §6, §7): which there are in a home, and whom they keep from what.
//!
//! All locks of a home are in memory, and nothing here touches the disk or waits. Whether a change is allowed is
//! asked under the lock on the home's names, so that nothing comes between the answer and the change.

use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    time::{Duration, SystemTime},
};

use super::spot::beneath;
use crate::{Error, FilePath, Result};

/// Most locks that one home has at a time.
pub const MAX_LOCKS: usize = 10_000;

/// Longest that a lock is given for, unless it is refreshed.
pub const MAX_LOCK_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Longest note of whoever holds a lock, in bytes.
pub const MAX_LOCK_OWNER: usize = 8 * 1024;

/// What a lock is called: a random UUID, shown as `urn:uuid:…`. It is no secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LockToken(u128);

impl LockToken {
    /// A token that nobody else has.
    pub(super) fn random() -> Result<Self> {
        let mut random = [0; 16];
        let filled = rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())?;
        if filled < random.len() {
            return Err(Error::Busy);
        }
        // Version 4, variant 1 (RFC 9562 §5.4).
        random[6] = random[6] & 0x0f | 0x40;
        random[8] = random[8] & 0x3f | 0x80;
        Ok(Self(u128::from_be_bytes(random)))
    }

    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    pub(super) fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for LockToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        let (a, b, c, d, e) =
            (&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]);
        write!(f, "urn:uuid:{a}-{b}-{c}-{d}-{e}")
    }
}

impl fmt::Debug for LockToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LockToken({self})")
    }
}

/// Some text is no lock token of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a lock token of this server")]
pub struct BadToken;

/// Upper and lower case digits alike (RFC 9562 §4).
impl FromStr for LockToken {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        const DASHES: [usize; 4] = [8, 13, 18, 23];
        let uuid =
            text.strip_prefix("urn:uuid:").filter(|uuid| uuid.len() == 36).ok_or(BadToken)?;
        let mut token = 0;
        for (at, byte) in uuid.bytes().enumerate() {
            match (DASHES.contains(&at), char::from(byte).to_digit(16)) {
                (true, _) if byte == b'-' => {}
                (false, Some(digit)) => token = token << 4 | u128::from(digit),
                _ => return Err(BadToken),
            }
        }
        Ok(Self(token))
    }
}

/// Whether others may hold a lock on the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockScope {
    /// Nobody.
    Exclusive,
    /// Others who ask for a shared one.
    Shared,
}

/// How far down a lock on a folder reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockDepth {
    /// The folder itself: which names it has, and its properties.
    Zero,
    /// Everything in it.
    Infinity,
}

/// A lock that is asked for.
#[derive(Clone, Debug)]
pub struct LockRequest {
    /// Whether others may hold one.
    pub scope: LockScope,
    /// How far down it reaches.
    pub depth: LockDepth,
    /// Whose it is: only whoever has this name can use it.
    pub holder: Box<str>,
    /// What they say of themselves to others, which means nothing here.
    pub owner: Box<str>,
    /// How long it holds unless it is refreshed; at most [`MAX_LOCK_TIMEOUT`].
    pub timeout: Duration,
}

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// What it is called.
    pub token: LockToken,
    /// Where it was taken.
    pub path: FilePath,
    /// Whether others may hold one.
    pub scope: LockScope,
    /// How far down it reaches.
    pub depth: LockDepth,
    /// Whose it is.
    pub holder: Box<str>,
    /// What they say of themselves.
    pub owner: Box<str>,
    /// How long it was given for.
    pub timeout: Duration,
    /// When it ends by itself.
    pub expires: SystemTime,
}

impl Lock {
    /// That it keeps a change off.
    fn in_the_way(&self) -> Error {
        Error::Locked { root: self.path.clone() }
    }

    /// How long it still holds.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.expires.duration_since(SystemTime::now()).unwrap_or_default()
    }
}

/// Who wants to change something, and the tokens of locks that they submit (RFC 4918 §10.4).
#[derive(Clone, Debug, Default)]
pub struct Claim {
    /// Who it is, as [`LockRequest::holder`] has it.
    pub holder: Box<str>,
    /// The tokens.
    pub tokens: Vec<LockToken>,
}

impl Claim {
    fn opens(&self, lock: &Lock) -> bool {
        self.holder == lock.holder && self.tokens.contains(&lock.token)
    }
}

/// What a change does to a path, which decides the locks that keep it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    /// What is there gets another content or other properties.
    Content,
    /// What is there gives way with all that is in it.
    Tree,
    /// A name comes into its folder or goes from it, with all that is in it.
    Name,
}

/// The locks of a home, by where they were taken.
#[derive(Debug, Default)]
pub(super) struct LockTable {
    by_path: BTreeMap<Box<[u8]>, Vec<Lock>>,
    count: usize,
}

impl LockTable {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn add(&mut self, lock: Lock) {
        self.by_path.entry(lock.path.as_bytes().into()).or_default().push(lock);
        self.count += 1;
    }

    /// Those that hold at `path`, by themselves or from above.
    pub(super) fn covering(&self, path: &FilePath, now: SystemTime) -> Vec<&Lock> {
        let bytes = path.as_bytes();
        let slashes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|it| it.0);
        let above = (!path.is_root()).then_some(0).into_iter().chain(slashes);
        let inherited = above
            .filter_map(|end| self.by_path.get(&bytes[..end]))
            .flatten()
            .filter(|lock| lock.depth == LockDepth::Infinity);
        let own = self.by_path.get(bytes).into_iter().flatten();
        inherited.chain(own).filter(|lock| lock.expires > now).collect()
    }

    /// Those taken beneath `path`, by where.
    fn below(&self, path: &FilePath) -> impl Iterator<Item = &Vec<Lock>> {
        let range = beneath(path.as_bytes());
        self.by_path.range::<[u8], _>((range.start_bound(), range.end_bound())).map(|it| it.1)
    }

    /// Refuses a change that a lock keeps off, unless `claim` opens it.
    pub(super) fn admit(&self, claim: Option<&Claim>, path: &FilePath, what: Touch) -> Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        let now = SystemTime::now();
        // Of several shared locks on the same, one that is submitted is enough.
        let opened = |locks: &[&Lock]| {
            let any = |claim: &Claim| locks.iter().any(|lock| claim.opens(lock));
            match locks.first() {
                Some(lock) if !claim.is_some_and(any) => Err(lock.in_the_way()),
                _ => Ok(()),
            }
        };
        opened(&self.covering(path, now))?;
        if what == Touch::Content {
            return Ok(());
        }
        for locks in self.below(path) {
            opened(&locks.iter().filter(|lock| lock.expires > now).collect::<Vec<_>>())?;
        }
        match path.parent() {
            Some(folder) if what == Touch::Name => opened(&self.covering(&folder, now)),
            _ => Ok(()),
        }
    }

    /// Refuses a lock that cannot be beside those that there are.
    pub(super) fn admit_lock(&self, path: &FilePath, wanted: &LockRequest) -> Result<()> {
        let now = SystemTime::now();
        let bars = |lock: &Lock| {
            lock.expires > now
                && (wanted.scope == LockScope::Exclusive || lock.scope == LockScope::Exclusive)
        };
        let here = self.covering(path, now).into_iter().find(|lock| bars(lock));
        let is_deep = wanted.depth == LockDepth::Infinity;
        let below = || self.below(path).flatten().find(|lock| is_deep && bars(lock));
        here.or_else(below).map_or(Ok(()), |lock| Err(lock.in_the_way()))
    }

    /// The lock of this name, if it holds at `path`.
    pub(super) fn find(&self, path: &FilePath, token: LockToken) -> Option<&Lock> {
        self.covering(path, SystemTime::now()).into_iter().find(|lock| lock.token == token)
    }

    /// Lets a lock hold until then.
    pub(super) fn prolong(&mut self, token: LockToken, timeout: Duration, expires: SystemTime) {
        let mut locks = self.by_path.values_mut().flatten();
        if let Some(lock) = locks.find(|lock| lock.token == token) {
            (lock.timeout, lock.expires) = (timeout, expires);
        }
    }

    /// Takes out those that are meant, and says which those were.
    pub(super) fn take(&mut self, is_meant: impl Fn(&Lock) -> bool) -> Vec<LockToken> {
        let mut taken = Vec::new();
        self.by_path.retain(|_, locks| {
            locks.retain(|lock| {
                let meant = is_meant(lock);
                taken.extend(meant.then_some(lock.token));
                !meant
            });
            !locks.is_empty()
        });
        self.count -= taken.len();
        taken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_is_read_as_it_is_written_and_nothing_else_is_one() {
        let token = LockToken::random().unwrap();
        let text = token.to_string();
        assert_eq!(text.parse(), Ok(token));
        assert_eq!(text.to_ascii_uppercase().replace("URN:UUID:", "urn:uuid:").parse(), Ok(token));
        assert_eq!(LockToken::from_bytes(token.to_bytes()), token);
        for bad in ["", "urn:uuid:", "opaquelocktoken:x", &text[..44], &text.replace('-', "0")] {
            assert_eq!(bad.parse::<LockToken>(), Err(BadToken), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reading_a_token_never_panics(text in "(urn:uuid:)?[-0-9a-f\u{e4}]{30,40}") {
            let _ = text.parse::<LockToken>();
        }
    }
}
