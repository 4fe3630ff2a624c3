//! The folders that only the namespace has, `/shared` and the roots of its trees in listings: when each was changed
//! last. No home is opened to tell.

use std::{fs, path::PathBuf, time::SystemTime};

use sockeye_accounts::Shared;
use sockeye_store::{Home, Timestamp};

use crate::{
    Result,
    homes::{Homes, Owner},
    seat::Seat,
};

/// What is the root of a tree of the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// That of a home.
    Of(Owner),
    /// The list of shared folders.
    SharedFolders,
}

impl Homes {
    /// When these roots were changed last; none of those that nobody has been in.
    ///
    /// Cancellation: safe.
    async fn modified(&self, roots: Vec<Root>) -> Vec<Option<Timestamp>> {
        let none = vec![None; roots.len()];
        let place = |root| match root {
            Root::Of(owner) => (self.folder(owner), true),
            Root::SharedFolders => (self.shared_folders(), false),
        };
        let places: Vec<_> = roots.into_iter().map(place).collect();
        let look = |(folder, is_home): (PathBuf, bool)| match is_home {
            true => Home::modified(&folder),
            false => Some(fs::metadata(folder).ok()?.modified().ok()?.into()),
        };
        let looking = self.pool().run(move || places.into_iter().map(look).collect());
        // Who has too much to do tells no time.
        looking.await.unwrap_or(none)
    }
}

impl Seat {
    /// When this root was changed last: since when the account is there, as long as nobody has been in it.
    ///
    /// # Errors
    /// [`Error::Ended`](crate::Error::Ended).
    pub(crate) async fn modified(&self, root: Root) -> Result<Timestamp> {
        Ok(self
            .modified_all(vec![root])
            .await?
            .pop()
            .unwrap_or_else(|| SystemTime::UNIX_EPOCH.into()))
    }

    /// The folders that the namespace adds to the root's listing, with their times.
    ///
    /// # Errors
    /// [`Error::Ended`](crate::Error::Ended).
    pub(crate) async fn names_at_root_dated(&self) -> Result<Vec<(&'static str, Timestamp)>> {
        let names = self.names_at_root()?;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let root = |name: &&str| match *name {
            "public" => Root::Of(Owner::Public),
            _ => Root::SharedFolders,
        };
        let times = self.modified_all(names.iter().map(root).collect()).await?;
        Ok(names.into_iter().zip(times).collect())
    }

    /// The shared folders by their names, each with the time of its last change: that at which it was made, as long as
    /// nobody has been in it.
    ///
    /// # Errors
    /// As [`Seat::shared_folders`].
    pub(crate) async fn shared_folders_dated(&self) -> Result<Vec<(String, Timestamp)>> {
        let folders = self.shared_folders().await?;
        let roots = folders.iter().map(|shared| Root::Of(Owner::Shared(shared.id))).collect();
        let times = self.gate().homes().modified(roots).await;
        let dated = |(shared, time): (Shared, Option<Timestamp>)| {
            let made = || SystemTime::from(shared.created).into();
            (shared.name.to_string(), time.unwrap_or_else(made))
        };
        Ok(folders.into_iter().zip(times).map(dated).collect())
    }

    async fn modified_all(&self, roots: Vec<Root>) -> Result<Vec<Timestamp>> {
        let times = self.gate().homes().modified(roots).await;
        let account = self.account()?;
        let since = account.map_or(SystemTime::UNIX_EPOCH, |account| account.created.into());
        Ok(times.into_iter().map(|time| time.unwrap_or_else(|| since.into())).collect())
    }
}
