//! What an upload is to become, and the file beside a partial that says so.
//!
//! Nothing here touches the disk: bytes in, a plan out.

use crate::{Digest, FilePath, Timestamp, Version, upload::Condition};

/// No such file is longer: the longest path, the longest note and some lines.
pub(crate) const LONGEST: usize = crate::MAX_PATH + LONGEST_NOTE + 1024;

/// The longest [note](crate::Upload::annotate), in bytes.
pub(crate) const LONGEST_NOTE: usize = 4096;

/// The longest name of who sends something, in bytes; of a longer one it is not known who did.
const LONGEST_SENDER: usize = 128;

/// The first line; a later form gets another.
const TITLE: &[u8] = b"sockeye partial 1\n";

/// Where the bytes of an upload go, and what must hold when they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) path: FilePath,
    pub(crate) length: Option<u64>,
    pub(crate) digest: Option<Digest>,
    pub(crate) condition: Condition,
    pub(crate) modified: Option<Timestamp>,
    pub(crate) mode: Option<u32>,
    /// Who sends it, if that is known: one word.
    pub(crate) sender: Option<Box<str>>,
    /// What whoever sends it has to say of it: one line.
    pub(crate) note: Option<Box<str>>,
    /// What comes after so many bytes does not count yet.
    pub(crate) sure: Option<u64>,
}

/// The name of who sends something, as a plan can keep it.
pub(crate) fn sender(name: Option<&str>) -> Option<Box<str>> {
    let is_word = |name: &&str| {
        (1..=LONGEST_SENDER).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic())
    };
    name.filter(is_word).map(Box::from)
}

impl Plan {
    /// The file's bytes: a title, a digest of the rest, a line for each thing known, and the path to
    /// the end, as it may contain anything.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut rest = String::new();
        if let Some(length) = self.length {
            rest += &format!("length {length}\n");
        }
        if let Some(digest) = self.digest {
            rest += &format!("digest {digest}\n");
        }
        match self.condition {
            Condition::Any => {}
            Condition::Absent => rest += "absent\n",
            Condition::Present => rest += "present\n",
            Condition::Beside => rest += "beside\n",
            Condition::Is(Version { device, inode, size, modified }) => {
                let Timestamp { seconds, nanos } = modified;
                rest += &format!("version {device} {inode} {size} {seconds} {nanos}\n");
            }
        }
        if let Some(Timestamp { seconds, nanos }) = self.modified {
            rest += &format!("modified {seconds} {nanos}\n");
        }
        if let Some(mode) = self.mode {
            rest += &format!("mode {mode}\n");
        }
        if let Some(sure) = self.sure {
            rest += &format!("sure {sure}\n");
        }
        if let Some(sender) = &self.sender {
            rest += &format!("by {sender}\n");
        }
        if let Some(note) = &self.note {
            rest += &format!("note {note}\n");
        }
        rest += "path ";
        let rest = [rest.as_bytes(), self.path.as_bytes()].concat();
        let check = format!("check {}\n", blake3::hash(&rest).to_hex());
        [TITLE, check.as_bytes(), &rest].concat()
    }

    /// Reads what [`Plan::to_bytes`] wrote; `None` if it is not whole.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(TITLE)?.strip_prefix(b"check ")?;
        let (check, mut rest) = (rest.get(..64)?, rest.get(64..)?.strip_prefix(b"\n")?);
        if blake3::hash(rest).to_hex().as_bytes() != check {
            return None;
        }
        let mut plan = Self {
            path: FilePath::root(),
            length: None,
            digest: None,
            condition: Condition::Any,
            modified: None,
            mode: None,
            sender: None,
            note: None,
            sure: None,
        };
        loop {
            if let Some(path) = rest.strip_prefix(b"path ") {
                plan.path = FilePath::parse(path).ok()?;
                return Some(plan);
            }
            let end = rest.iter().position(|&b| b == b'\n')?;
            plan.line(str::from_utf8(&rest[..end]).ok()?)?;
            rest = &rest[end + 1..];
        }
    }

    fn line(&mut self, line: &str) -> Option<()> {
        if let Some(note) = line.strip_prefix("note ") {
            self.note = Some(note.into());
            return Some(());
        }
        let mut words = line.split(' ');
        let word = words.next()?;
        let values: Vec<_> = words.collect();
        match (word, &values[..]) {
            ("length", [length]) => self.length = Some(length.parse().ok()?),
            ("digest", [digest]) => self.digest = Some(Digest::parse(digest)?),
            ("absent", []) => self.condition = Condition::Absent,
            ("present", []) => self.condition = Condition::Present,
            ("beside", []) => self.condition = Condition::Beside,
            ("version", [device, inode, size, seconds, nanos]) => {
                self.condition = Condition::Is(Version {
                    device: device.parse().ok()?,
                    inode: inode.parse().ok()?,
                    size: size.parse().ok()?,
                    modified: timestamp(seconds, nanos)?,
                });
            }
            ("modified", [seconds, nanos]) => self.modified = Some(timestamp(seconds, nanos)?),
            ("by", [sender]) => self.sender = Some((*sender).into()),
            ("sure", [sure]) => self.sure = Some(sure.parse().ok()?),
            ("mode", [mode]) => self.mode = Some(mode.parse().ok()?),
            _ => return None,
        }
        Some(())
    }
}

fn timestamp(seconds: &str, nanos: &str) -> Option<Timestamp> {
    Some(Timestamp { seconds: seconds.parse().ok()?, nanos: nanos.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plans() -> impl Strategy<Value = Plan> {
        let at = || (any::<i64>(), 0..1_000_000_000_u32);
        let at = move || at().prop_map(|(seconds, nanos)| Timestamp { seconds, nanos });
        let version = (any::<u64>(), any::<u64>(), any::<u64>(), at())
            .prop_map(|(device, inode, size, modified)| Version { device, inode, size, modified });
        let condition = prop_oneof![
            Just(Condition::Any),
            Just(Condition::Absent),
            Just(Condition::Present),
            Just(Condition::Beside),
            version.prop_map(Condition::Is),
        ];
        let path = proptest::collection::vec(any::<u8>(), 1..40)
            .prop_filter_map("no path", |bytes| FilePath::parse(&bytes).ok());
        let digest = proptest::option::of(any::<[u8; 32]>().prop_map(Digest::Sha256));
        let length = proptest::option::of(any::<u64>());
        let mode = proptest::option::of(0..0o777_u32);
        let sender = proptest::option::of("[!-~]{1,40}".prop_map(String::into_boxed_str));
        let note = proptest::option::of("[ -~]{0,40}".prop_map(String::into_boxed_str));
        let sure = proptest::option::of(any::<u64>());
        let modified = proptest::option::of(at());
        (path, length, digest, condition, modified, mode, sender, note, sure).prop_map(
            |(path, length, digest, condition, modified, mode, sender, note, sure)| Plan {
                path,
                length,
                digest,
                condition,
                modified,
                mode,
                sender,
                note,
                sure,
            },
        )
    }

    proptest! {
        #[test]
        fn a_plan_is_read_as_it_was_written_and_never_in_part(plan in plans(), cut in any::<prop::sample::Index>()) {
            let bytes = plan.to_bytes();
            prop_assert!(bytes.len() <= LONGEST);
            prop_assert_eq!(Plan::parse(&bytes), Some(plan));
            prop_assert_eq!(Plan::parse(&bytes[..cut.index(bytes.len())]), None);
        }

        #[test]
        fn any_bytes_are_a_plan_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let check = blake3::hash(&bytes).to_hex();
            let text = [TITLE, b"check ", check.as_bytes(), b"\n", &bytes].concat();
            if let Some(plan) = Plan::parse(&text) {
                prop_assert_eq!(Plan::parse(&plan.to_bytes()), Some(plan));
            }
        }
    }
}
