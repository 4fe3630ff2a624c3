//! Folders and their listings, as a session gives them out.

use sockeye_store::{Entry, Meta, Order};

use crate::Result;

/// A folder opened by a session.
#[derive(Debug)]
pub struct Folder(sockeye_store::Folder);

impl Folder {
    pub(crate) fn new(folder: sockeye_store::Folder) -> Self {
        Self(folder)
    }

    /// The folder's age and identity when it was opened.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        self.0.meta()
    }

    /// Begins to list it.
    #[must_use]
    pub fn list(self) -> Listing {
        Listing(self.0.list())
    }
}

/// The entries of a folder, in the folder's own order, in memory that does not grow with it.
#[derive(Debug)]
pub struct Listing(sockeye_store::Listing);

/// The beginning of a listing: all of it, sorted, or as much as the limit let in.
#[derive(Debug)]
pub enum Gathered {
    /// The whole folder, sorted.
    All(Vec<Entry>),
    /// More than the limit: the first entries in the folder's own order, and the rest to come.
    Some(Vec<Entry>, Listing),
}

impl Listing {
    /// The next entries, up to about a thousand; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Busy`](crate::Error::Busy); [`Error::Io`](crate::Error::Io). After an error the listing is
    /// at its end.
    ///
    /// Cancellation: the listing is then at its end.
    pub async fn next(&mut self) -> Result<Option<Vec<Entry>>> {
        Ok(self.0.next().await?)
    }

    /// The whole folder, sorted, if it has at most `limit` entries; otherwise what was read, and the
    /// listing to go on from.
    ///
    /// # Errors
    /// As [`Listing::next`].
    ///
    /// Cancellation: the listing is lost with the future.
    pub async fn gather(self, limit: usize, order: Order) -> Result<Gathered> {
        use sockeye_store::Gathered as Store;
        Ok(match self.0.gather(limit, order).await? {
            Store::All(entries) => Gathered::All(entries),
            Store::Some(first, rest) => Gathered::Some(first, Self(rest)),
        })
    }
}
