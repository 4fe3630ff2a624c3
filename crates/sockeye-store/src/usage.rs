//! The file `usage`: what a home held when it was last closed.
//!
//! It is there only while the home is as it says: the first change removes it, closing writes it again. So a
//! home without it, or with one that does not read, has to be counted. Nothing here counts.

use std::{ffi::CStr, os::fd::OwnedFd};

use rustix::{fs::AtFlags, io::Errno};

use crate::{Amount, aside};

/// Its name in the home's own folder, and that of one being written.
const NAME: &CStr = c"usage";
const DRAFT: &CStr = c"usage.new";

/// No such file is longer.
const LONGEST: usize = 1024;

/// The first line; a later form gets another.
const TITLE: &str = "sockeye usage 1";

/// What a home holds, apart from uploads under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// What clients see.
    pub files: Amount,
    /// Uploads that were begun and left.
    pub partials: Amount,
    /// What was removed or replaced.
    pub trash: Amount,
}

/// What the file says; `None` if it is not there or not whole.
pub(crate) fn read(home: &OwnedFd) -> Option<Contents> {
    let text = aside::read(home, NAME, LONGEST).ok()??;
    Contents::parse(str::from_utf8(&text).ok()?)
}

/// Says that nothing is known.
pub(crate) fn remove(home: &OwnedFd) -> Result<(), Errno> {
    match rustix::fs::unlinkat(home, NAME, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        done => done,
    }
}

/// Writes the file. It is not synced: torn by a power failure it does not read, and the home is counted.
pub(crate) fn write(home: &OwnedFd, usage: &Contents) -> Result<(), Errno> {
    aside::replace(home, DRAFT, NAME, usage.text().as_bytes())
}

impl Contents {
    fn body(&self) -> String {
        let mut body = format!("{TITLE}\n");
        for (name, amount) in
            [("files", self.files), ("partials", self.partials), ("trash", self.trash)]
        {
            body += &format!("{name} {} {}\n", amount.bytes, amount.entries);
        }
        body
    }

    fn text(&self) -> String {
        let body = self.body();
        let check = blake3::hash(body.as_bytes());
        format!("{body}check {}\n", check.to_hex())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let title = lines.next()?;
        let mut amount = |name: &str| {
            let (bytes, entries) =
                lines.next()?.strip_prefix(name)?.strip_prefix(' ')?.split_once(' ')?;
            Some(Amount { bytes: bytes.parse().ok()?, entries: entries.parse().ok()? })
        };
        let usage = Self {
            files: amount("files")?,
            partials: amount("partials")?,
            trash: amount("trash")?,
        };
        (title == TITLE && usage.text() == text).then_some(usage)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SOME: Contents = Contents {
        files: Amount { bytes: 12, entries: 3 },
        partials: Amount { bytes: 0, entries: 1 },
        trash: Amount { bytes: u64::MAX, entries: 0 },
    };

    #[test]
    fn what_is_written_is_read_until_it_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let home = OwnedFd::from(std::fs::File::open(dir.path()).unwrap());
        assert_eq!(read(&home), None);
        write(&home, &SOME).unwrap();
        assert_eq!(read(&home), Some(SOME));
        remove(&home).unwrap();
        remove(&home).unwrap();
        assert_eq!(read(&home), None);
    }

    proptest! {
        #[test]
        fn a_file_cut_short_or_changed_is_not_believed(at in 0_usize..80, byte in 0_u8..128) {
            let text = SOME.text();
            let at = at.min(text.len() - 1);
            prop_assert_eq!(Contents::parse(&text[..at]), None);
            let mut changed = text.clone().into_bytes();
            changed[at] = byte;
            let changed = String::from_utf8(changed).unwrap();
            prop_assert_eq!(Contents::parse(&changed), (changed == text).then_some(SOME));
        }
    }
}
