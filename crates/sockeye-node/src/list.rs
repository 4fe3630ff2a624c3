//! Folders and their listings, as a session gives them out.

use std::collections::BTreeMap;

use sockeye_journal::Outcome;
use sockeye_store::{Entry, Kind, Meta, Name, Order, Timestamp};

use crate::{
    Result,
    act::{Act, Contents},
    namespace::RESERVED,
};

/// A folder opened by a session.
#[derive(Debug)]
pub struct Folder {
    inner: Inner,
    meta: Meta,
    /// What the namespace adds to it.
    added: Vec<Entry>,
    /// Whether names that the namespace has are left out of what the disk has.
    is_root: bool,
    act: Option<Act>,
}

#[derive(Debug)]
enum Inner {
    /// On a disk.
    Stored(sockeye_store::Folder),
    /// In the namespace alone.
    Named,
}

impl Folder {
    /// A folder on a disk.
    pub(crate) fn stored(folder: sockeye_store::Folder, act: Option<Act>) -> Self {
        let meta = *folder.meta();
        Self { inner: Inner::Stored(folder), meta, added: Vec::new(), is_root: false, act }
    }

    /// The root of a home: the namespace adds folders of these names and times, and shows no others of its own.
    pub(crate) fn root(
        folder: sockeye_store::Folder,
        names: impl IntoIterator<Item = (&'static str, Timestamp)>,
        act: Option<Act>,
    ) -> Self {
        let added = names.into_iter().filter_map(|(name, modified)| entry(name, modified));
        Self { added: added.collect(), is_root: true, ..Self::stored(folder, act) }
    }

    /// A folder of this time that only the namespace has, with folders of these names and times in it.
    pub(crate) fn named<N: AsRef<[u8]>>(
        modified: Timestamp,
        names: impl IntoIterator<Item = (N, Timestamp)>,
        act: Option<Act>,
    ) -> Self {
        let added = names.into_iter().filter_map(|(name, modified)| entry(name, modified));
        let (meta, added) = (named(modified), added.collect());
        Self { inner: Inner::Named, meta, added, is_root: false, act }
    }

    /// The folder's age and identity when it was opened.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Begins to list it.
    #[must_use]
    pub fn list(mut self) -> Listing {
        if let Some(act) = self.act.take() {
            act.end(Outcome::Ok, Contents::NONE);
        }
        let inner = match self.inner {
            Inner::Stored(folder) => Some(folder.list()),
            Inner::Named => None,
        };
        Listing { added: self.added, inner, is_root: self.is_root, growing: BTreeMap::new() }
    }
}

/// The entries of a folder, in the folder's own order, in memory that does not grow with it.
#[derive(Debug)]
pub struct Listing {
    /// What comes first.
    added: Vec<Entry>,
    inner: Option<sockeye_store::Listing>,
    is_root: bool,
    /// Uploads under way whose names have not come.
    growing: BTreeMap<Name, Meta>,
}

/// The beginning of a listing: all of it, sorted, or as much as the limit let in.
#[derive(Debug)]
pub enum Gathered {
    /// The whole folder, sorted.
    All(Vec<Entry>),
    /// More than the limit: the first entries in the folder's own order, and the rest to come.
    Some(Vec<Entry>, Listing),
}

impl Listing {
    /// The same, and at its end these [uploads under way](crate::Session::growing_in), as far as the folder has no file of
    /// their name. To be asked for before the folder is opened, or a file that is put in its place meanwhile is missed.
    #[must_use]
    pub fn showing(self, growing: BTreeMap<Name, Meta>) -> Self {
        Self { growing, ..self }
    }

    /// The next entries, up to about a thousand; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Busy`](crate::Error::Busy); [`Error::Io`](crate::Error::Io). After an error the listing is
    /// at its end.
    ///
    /// Cancellation: the listing is then at its end.
    pub async fn next(&mut self) -> Result<Option<Vec<Entry>>> {
        if !self.added.is_empty() {
            return Ok(Some(std::mem::take(&mut self.added)));
        }
        let Some(inner) = &mut self.inner else { return Ok(None) };
        let Some(mut entries) = inner.next().await? else { return Ok(self.last()) };
        if !self.growing.is_empty() {
            for entry in &entries {
                self.growing.remove(&entry.name);
            }
        }
        if self.is_root {
            entries.retain(|entry| !is_reserved(&entry.name));
        }
        Ok(Some(entries))
    }

    /// What the folder itself does not have.
    fn last(&mut self) -> Option<Vec<Entry>> {
        let growing = std::mem::take(&mut self.growing);
        let entries = growing.into_iter().map(|(name, meta)| Entry::new(name, &meta)).collect();
        Some(entries).filter(|entries: &Vec<_>| !entries.is_empty())
    }

    /// The whole folder, sorted, if it has at most `limit` entries; otherwise what was read, and the
    /// listing to go on from. Memory stays bounded by `limit` either way.
    ///
    /// # Errors
    /// As [`Listing::next`].
    ///
    /// Cancellation: the listing is lost with the future.
    pub async fn gather(mut self, limit: usize, order: Order) -> Result<Gathered> {
        let mut entries = Vec::new();
        while let Some(piece) = self.next().await? {
            entries.extend(piece);
            if entries.len() > limit {
                return Ok(Gathered::Some(entries, self));
            }
        }
        order.sort(&mut entries);
        Ok(Gathered::All(entries))
    }
}

/// What is known of a folder that only the namespace has.
pub(crate) const fn named(modified: Timestamp) -> Meta {
    // It is only read.
    Meta { kind: Kind::Folder, size: 0, modified, mode: 0o555, device: 0, inode: 0 }
}

fn entry(name: impl AsRef<[u8]>, modified: Timestamp) -> Option<Entry> {
    Some(Entry::new(Name::parse(name.as_ref()).ok()?, &named(modified)))
}

fn is_reserved(name: &Name) -> bool {
    RESERVED.iter().any(|reserved| reserved.as_bytes() == name.as_bytes())
}
