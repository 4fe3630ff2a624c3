//! What an archive is to have, and where.

use std::fmt::Write as _;

use sockeye_node::{FilePath, Kind, LeftOut, Meta, Tree, Version, readable};
use tokio::sync::OwnedSemaphorePermit;

use super::shrink;
use crate::wire::{
    condition::{ETag, Validators},
    zip::{Directory, Entry, put_name},
};

/// Things that are left out and told by name.
const MOST_TOLD: usize = 1000;

/// What each entry takes, here and in the body, beside its place in the tree.
const PER_ENTRY: usize = size_of::<u64>() + size_of::<Option<u32>>();

/// An archive of a folder, before anything of it is sent.
///
/// Its entries are the folder itself, all that is in it, and, if something was left out, a note that says what.
#[derive(Debug)]
pub(super) struct Plan {
    folder: FilePath,
    /// What all names begin with.
    top: Vec<u8>,
    tree: Tree,
    note: Option<Note>,
    /// Where each entry begins.
    offsets: Vec<u64>,
    directory: Directory,
    modified: i64,
    /// Of all that it is.
    hash: [u8; 16],
    /// The memory that all this takes.
    _room: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Note {
    name: Vec<u8>,
    text: String,
}

/// Where an entry's bytes come from.
#[derive(Debug)]
pub(super) enum Source<'a> {
    /// It has none: it is a folder, or an empty file.
    Nowhere,
    /// They are here.
    Note(&'a [u8]),
    /// This file, as long as it is this version.
    File(FilePath, Version),
}

impl Plan {
    /// Lays out the archive of a `folder` with all that was found in it; `root` is what a folder without a name is
    /// called.
    pub(super) fn new(
        folder: FilePath,
        root: &[u8],
        tree: Tree,
        mut room: OwnedSemaphorePermit,
    ) -> Self {
        let mut top = Vec::new();
        put_name(&mut top, folder.file_name().unwrap_or(root));
        let modified = tree.entries().map(|(_, meta)| meta.modified.seconds).max();
        let note = Note::of(&tree);
        let told = note.as_ref().map_or(0, |note| note.name.len() + note.text.len());
        shrink(&mut room, tree.memory() + (tree.len() + 2) * PER_ENTRY + told);
        let mut plan = Self {
            offsets: Vec::with_capacity(tree.len() + 2),
            directory: Directory::default(),
            modified: modified.unwrap_or(0),
            hash: [0; 16],
            _room: room,
            folder,
            top,
            tree,
            note,
        };
        plan.lay_out();
        plan
    }

    fn lay_out(&mut self) {
        let mut hash = blake3::Hasher::new();
        // Another layout of the same files is another archive.
        hash.update(b"sockeye archive 1\n");
        let mut name = Vec::new();
        for at in 0..self.len() {
            let entry = self.entry(at, &mut name);
            hash.update(&(entry.name.len() as u64).to_le_bytes()).update(entry.name);
            hash.update(&entry.size.to_le_bytes());
            self.offsets.push(self.directory.add(&entry));
            if let Some((_, meta)) = self.found(at) {
                let Meta { modified, device, inode, .. } = meta;
                hash.update(&modified.seconds.to_le_bytes()).update(&modified.nanos.to_le_bytes());
                hash.update(&device.to_le_bytes()).update(&inode.to_le_bytes());
            }
        }
        if let Some(note) = &self.note {
            hash.update(note.text.as_bytes());
        }
        self.hash = hash.finalize().as_bytes().as_chunks::<16>().0[0];
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        1 + self.tree.len() + usize::from(self.note.is_some())
    }

    /// What was found in the folder that became this entry.
    fn found(&self, at: usize) -> Option<(&[u8], &Meta)> {
        self.tree.entry(at.checked_sub(1)?)
    }

    /// An entry, whose name is put together in `name`.
    pub(super) fn entry<'n>(&self, at: usize, name: &'n mut Vec<u8>) -> Entry<'n> {
        name.clear();
        name.extend_from_slice(&self.top);
        let (size, modified) = match (at, self.found(at), &self.note) {
            (0, ..) => {
                name.push(b'/');
                (0, self.modified)
            }
            (_, Some((path, meta)), _) => {
                for part in path.split(|&b| b == b'/') {
                    name.push(b'/');
                    put_name(name, part);
                }
                if meta.kind == Kind::Folder {
                    name.push(b'/');
                }
                (meta.size, meta.modified.seconds)
            }
            (_, None, note) => {
                let note = note.as_ref();
                name.push(b'/');
                name.extend_from_slice(note.map_or(b"", |note| &note.name));
                (note.map_or(0, |note| note.text.len() as u64), self.modified)
            }
        };
        Entry { name, size, modified }
    }

    /// Where an entry's bytes come from.
    pub(super) fn source(&self, at: usize) -> Source<'_> {
        match (at, self.found(at), &self.note) {
            (0, ..) => Source::Nowhere,
            (_, Some((path, meta)), _) if meta.kind == Kind::File && meta.size > 0 => {
                let mut whole = self.folder.as_bytes().to_vec();
                if !whole.is_empty() {
                    whole.push(b'/');
                }
                whole.extend_from_slice(path);
                // What was found has a path that can be asked for.
                let whole = FilePath::parse(&whole).unwrap_or_else(|_| FilePath::root());
                Source::File(whole, meta.version())
            }
            (_, Some(_), _) => Source::Nowhere,
            (_, None, note) => Source::Note(note.as_ref().map_or(b"", |it| it.text.as_bytes())),
        }
    }

    /// Where an entry begins.
    pub(super) fn offset(&self, at: usize) -> u64 {
        self.offsets.get(at).copied().unwrap_or(self.directory.offset)
    }

    /// The entry that the byte at `offset` belongs to, which lies before the directory.
    pub(super) fn entry_at(&self, offset: u64) -> usize {
        self.offsets.partition_point(|begin| *begin <= offset).saturating_sub(1)
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// What tells it from any other archive.
    pub(super) fn hash(&self) -> u128 {
        u128::from_be_bytes(self.hash)
    }

    pub(super) fn validators(&self) -> Validators {
        let size = self.directory.archive_length();
        Validators { etag: ETag::of_hash(self.hash), modified: self.modified, size }
    }

    /// What it is called when it is saved.
    pub(super) fn file_name(&self) -> Vec<u8> {
        [&self.top, &b".zip"[..]].concat()
    }
}

impl Note {
    /// Says what was left out of `tree`, if anything was.
    fn of(tree: &Tree) -> Option<Self> {
        let total = tree.left_out().count();
        if total == 0 {
            return None;
        }
        let mut text = String::from("These are in the folder, and not in this archive:\n\n");
        for (path, why) in tree.left_out().take(MOST_TOLD) {
            let why = match why {
                LeftOut::Link => "a symbolic link",
                LeftOut::Special => "neither a file nor a folder",
                LeftOut::Denied => "not permitted",
                _ => "not to be reached",
            };
            let _ = writeln!(text, "{} ({why})", readable(path));
        }
        if let Some(more @ 1..) = total.checked_sub(MOST_TOLD) {
            let _ = writeln!(text, "and {more} more");
        }
        let taken = |name: &str| tree.entries().any(|(path, _)| path == name.as_bytes());
        let mut name = "LEFT OUT.txt".to_owned();
        for number in 2..=total {
            if !taken(&name) {
                break;
            }
            name = format!("LEFT OUT ({number}).txt");
        }
        Some(Self { name: name.into_bytes(), text })
    }
}
