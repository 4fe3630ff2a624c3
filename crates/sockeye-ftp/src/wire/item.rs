//! What is told of a file in a listing, in whichever form.

use sockeye_node::{Rights, Timestamp};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// The folder that is listed.
    CurrentFolder,
    /// The folder above it.
    ParentFolder,
    /// A folder.
    Folder,
    /// A file.
    File,
    /// A symbolic link that is shown as one.
    Link,
}

impl ItemKind {
    /// Whether it is a folder of any kind.
    #[must_use]
    pub const fn is_folder(self) -> bool {
        matches!(self, Self::CurrentFolder | Self::ParentFolder | Self::Folder)
    }
}

/// A file or folder with what a listing tells of it.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// Its name, or its path where one is wanted.
    pub name: &'a [u8],
    /// What it is.
    pub kind: ItemKind,
    /// Bytes of a file.
    pub size: u64,
    /// When its content last changed.
    pub modified: Timestamp,
    /// Device and inode: the same for all names of one file. `None` for what is on no disk.
    pub unique: Option<(u64, u64)>,
    /// Permissions as Unix has them; only the lowest nine bits are told.
    pub mode: u32,
    /// Whom it is said to belong to.
    pub owner: &'a str,
    /// The group that it is said to belong to.
    pub group: &'a str,
    /// What this client may do with it.
    pub rights: Rights,
}

/// Appends a name as a line can hold it: CR, LF and NUL, which would end the line, become `?` each.
///
/// No form of listing has an escape for them (RFC 3659 §7.2), and to leave such a file out would let a copy of
/// the folder look whole.
pub(super) fn write_name(out: &mut Vec<u8>, name: &[u8]) {
    let start = out.len();
    out.extend_from_slice(name);
    for byte in &mut out[start..] {
        if matches!(*byte, b'\r' | b'\n' | 0) {
            *byte = b'?';
        }
    }
}

/// Appends a word, such as an owner's name: what would end it becomes `?`, and it is never empty.
pub(super) fn write_word(out: &mut Vec<u8>, word: &str) {
    if word.is_empty() {
        out.push(b'?');
    }
    out.extend(word.bytes().map(|b| if b <= b' ' || b == b';' || b == 0x7f { b'?' } else { b }));
}
