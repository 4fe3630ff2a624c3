//! The head: how far the log has come, in one line of text that is worth keeping elsewhere.

use std::{fmt, fs, io, path::Path, str::FromStr};

use crate::{
    Error, Result,
    chain::Hash,
    key::{PublicKey, SigningKey},
    replace::replace,
    wire::put,
};

/// The file in the log's folder that holds the newest head, signed.
pub const HEAD_FILE: &str = "head";

/// Longest head's file, in bytes; more is none.
const MAX_HEAD: usize = 512;

/// How far a log has come: its text is `SEQ:HASH:KEY`.
///
/// A head that is kept where the log's keeper cannot change it proves later that the log up to that
/// line is the same, and that nothing was cut off before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of the last line.
    pub seq: u64,
    /// The hash of that line, which covers all before.
    pub hash: Hash,
    /// What the log's signatures verify with.
    pub key: PublicKey,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.seq, self.hash, self.key)
    }
}

impl FromStr for Head {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let none = || Error::NoHead(text.to_owned());
        let mut parts = text.trim().splitn(3, ':');
        let mut part = || parts.next().ok_or_else(none);
        let (seq, hash, key) = (part()?, part()?, part()?);
        Ok(Self {
            seq: seq.parse().map_err(|_| none())?,
            hash: hash.parse().map_err(|_| none())?,
            key: key.parse().map_err(|_| none())?,
        })
    }
}

/// What stands in the folder for the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Signed by the key that it names.
    Good(Head),
    /// Not there.
    Missing,
    /// Something else, or not signed by that key.
    Bad,
}

impl Head {
    /// The newest head that the log's folder has. It is as trustworthy as the folder.
    ///
    /// # Errors
    /// If there is no log, no checkpoint was written yet, or the file is damaged or cannot be read.
    pub fn of_folder(folder: &Path) -> Result<Self> {
        match Kept::read(folder)? {
            Kept::Good(head) => Ok(head),
            Kept::Missing => Err(Error::NoLog(folder.to_owned())),
            Kept::Bad => {
                let path = folder.join(HEAD_FILE);
                Err(Error::Damaged { path, why: "it is not signed by the log's key".to_owned() })
            }
        }
    }

    /// What is signed: another text than a checkpoint's, so that a head cannot be made from a log
    /// that was cut off at an earlier checkpoint.
    fn message(&self) -> Vec<u8> {
        format!("sockeye journal head 1\0{self}").into_bytes()
    }

    /// Writes the head of the folder, whole or not at all, after a crash of the system as well if it is
    /// synced.
    pub(crate) fn keep(&self, folder: &Path, key: &SigningKey, sync: bool) -> io::Result<()> {
        let mut text = format!("{self}\n").into_bytes();
        put::hex(&mut text, &key.sign(&self.message()));
        text.push(b'\n');
        replace(&folder.join(HEAD_FILE), &text, 0o666, sync)
    }
}

impl Kept {
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(HEAD_FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Missing),
            Err(error) => return Err(Error::at(path)(error)),
        };
        Ok(Self::parse(&text).map_or(Self::Bad, Self::Good))
    }

    fn parse(text: &[u8]) -> Option<Head> {
        let text = str::from_utf8(text).ok().filter(|text| text.len() <= MAX_HEAD)?;
        let mut lines = text.lines();
        let head: Head = lines.next()?.parse().ok()?;
        head.key.verifies(&head.message(), lines.next()?).then_some(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_kept_signed_and_an_altered_one_is_bad() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Kept::read(folder.path()).unwrap(), Kept::Missing);
        let key = SigningKey::of_folder(folder.path(), true).unwrap();
        let head = Head { seq: 42, hash: Hash::of(b"a line"), key: key.public() };
        head.keep(folder.path(), &key, true).unwrap();
        assert_eq!(Kept::read(folder.path()).unwrap(), Kept::Good(head));
        assert_eq!(head.to_string().parse::<Head>().unwrap(), head);

        let path = folder.path().join(HEAD_FILE);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen("42:", "41:", 1)).unwrap();
        assert_eq!(Kept::read(folder.path()).unwrap(), Kept::Bad);
        fs::write(&path, "x".repeat(10_000)).unwrap();
        assert_eq!(Kept::read(folder.path()).unwrap(), Kept::Bad);
    }

    #[test]
    fn a_text_that_is_no_head_is_refused() {
        for text in ["", "1", "1:2", "1:2:3", "x:y:z"] {
            assert!(matches!(text.parse::<Head>(), Err(Error::NoHead(_))), "{text}");
        }
    }
}
