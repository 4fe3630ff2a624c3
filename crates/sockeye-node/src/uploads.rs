//! Uploads that were begun and are not yet files: found by their key, gone on with over any protocol, given up.

use std::{fmt, str::FromStr, time::SystemTime};

use sockeye_accounts::Rights;
use sockeye_journal::Operation;
use sockeye_store::{FilePath, Noted, Partial, PartialId};

use crate::{
    Error, Result, Session, Upload,
    act::{Act, Contents},
    change::Needed,
    namespace::TreeName,
    seat::Seat,
};

/// What an upload is found by: the tree of the namespace that it lies in, and its id there.
///
/// As text it is `home/ID`, `public/ID` or `shared/NAME/ID`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UploadKey {
    tree: TreeName,
    id: PartialId,
}

/// Some text names no upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an upload is named home/ID, public/ID or shared/NAME/ID")]
pub struct BadKey;

impl fmt::Display for UploadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tree, self.id)
    }
}

impl FromStr for UploadKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let (tree, id) = text.rsplit_once('/').ok_or(BadKey)?;
        let tree = tree.parse().map_err(|()| BadKey)?;
        Ok(Self { tree, id: id.parse().map_err(|_| BadKey)? })
    }
}

impl UploadKey {
    /// Its id within its tree.
    #[must_use]
    pub fn id(&self) -> PartialId {
        self.id
    }
}

/// What is known of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What it is found by.
    pub key: UploadKey,
    /// Where the file will be.
    pub path: FilePath,
    /// How long it will be, if that was announced.
    pub length: Option<u64>,
    /// Bytes that are there.
    pub offset: u64,
    /// When the last of them came.
    pub modified: SystemTime,
    /// When it is given up, if nobody goes on with it.
    pub expires: SystemTime,
    /// What whoever sends it has to say of it: one line.
    pub note: Option<Box<str>>,
    /// Whether somebody is at it now.
    pub in_use: bool,
}

/// What became of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// It can be gone on with, or somebody is at it.
    Pending(Pending),
    /// It was put in its place, a file of so many bytes. That is remembered for a while.
    Committed(u64),
    /// It was there, and was given up.
    Expired,
}

impl Pending {
    /// What is known of one in this tree, if whoever has this seat may write the file that it becomes.
    fn seen_by(seat: &Seat, tree: TreeName, partial: Partial) -> Option<Self> {
        let Partial { id, path, length, offset, modified, expires, note, in_use, .. } = partial;
        let path = tree.within(&path)?;
        let may = seat.rights_at(&path).contains(Rights::WRITE);
        let (key, path) = (UploadKey { tree, id }, path.into_path());
        may.then_some(Self { key, path, length, offset, modified, expires, note, in_use })
    }
}

impl Session {
    /// What an upload of the file `path` can be found by.
    ///
    /// # Errors
    /// [`Error::Denied`] if nothing can be put there; [`Error::ReadOnly`] for a guest.
    pub fn upload_key(&self, path: &FilePath, id: PartialId) -> Result<UploadKey> {
        let (tree, _) = TreeName::of(&*self.changing()?.reached(path)?).ok_or(Error::Denied)?;
        Ok(UploadKey { tree, id })
    }

    /// What became of an upload, for who may write the file that it becomes.
    ///
    /// # Errors
    /// [`Error::NotFound`], also where this session may know nothing of it; [`Error::ReadOnly`] for a guest;
    /// [`Error::Ended`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn upload_progress(&self, key: &UploadKey) -> Result<Progress> {
        let seat = self.changing()?;
        let home = seat.home_of(&key.tree).await?;
        match home.progress(key.id).await {
            Ok(sockeye_store::Progress::Partial(partial)) => {
                let pending = Pending::seen_by(seat, key.tree.clone(), partial);
                let pending = pending.ok_or(Error::NotFound)?;
                let expired = pending.expires <= SystemTime::now() && !pending.in_use;
                Ok(if expired { Progress::Expired } else { Progress::Pending(pending) })
            }
            Ok(sockeye_store::Progress::Committed(length)) => Ok(Progress::Committed(length)),
            Err(sockeye_store::Error::NotFound) => {
                // Of one that old nothing would be left.
                let last = key.id.created().checked_add(home.partials_for()?);
                let expired = last.is_some_and(|last| last <= SystemTime::now());
                if expired { Ok(Progress::Expired) } else { Err(Error::NotFound) }
            }
            Ok(_) => Err(Error::NotFound),
            Err(error) => Err(error.into()),
        }
    }

    /// The uploads to the tree that `root` is the root of (the home, `/shared/NAME`, `/public`) that this session can go on
    /// with, the oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what is no root of a tree that this session may know of; [`Error::ReadOnly`] for a guest;
    /// [`Error::Ended`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn uploads_in(&self, root: &FilePath) -> Result<Vec<Pending>> {
        let seat = self.changing()?;
        let tree = TreeName::rooted_at(root).ok_or(Error::NotFound)?;
        let found = seat.home_of(&tree).await?.partials().await?.into_iter();
        Ok(found.filter_map(|partial| Pending::seen_by(seat, tree.clone(), partial)).collect())
    }

    /// Goes on with an upload, over whichever protocol it was begun.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InUse`] if somebody is at it; [`Error::OverQuota`] if there is no room for the
    /// rest; what holds for every change, see [`Session::mkdir`].
    ///
    /// Cancellation: nothing was begun.
    pub async fn resume_upload(&self, key: &UploadKey) -> Result<Upload> {
        match self.upload_progress(key).await? {
            Progress::Pending(pending) => self.resume(&pending.path, key.id).await,
            Progress::Committed(_) | Progress::Expired => Err(Error::NotFound),
        }
    }

    /// Gives an upload up: what came of it is deleted.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InUse`] if somebody is at it; what holds for every change, see
    /// [`Session::mkdir`].
    ///
    /// Cancellation: it is done and recorded, or not at all.
    pub async fn drop_upload(&self, key: &UploadKey) -> Result<()> {
        let Progress::Pending(pending) = self.upload_progress(key).await? else {
            return Err(Error::NotFound);
        };
        let (seat, id) = (self.changing()?, key.id);
        let path = seat.reached(&pending.path)?;
        let act = Act::begin(seat, Operation::Write, &path).saying(format!("upload {id}"));
        let dropping = async {
            let place = seat.place_to_change(&path, Needed::Here(Rights::WRITE)).await?;
            Ok(place.home.drop_partial(id).await?)
        };
        let dropped = dropping.await;
        match &dropped {
            // It is the write that did not come to its end.
            Ok(()) => act.give_up(Contents::bytes(pending.offset)),
            Err(error) => act.end(Error::outcome(error), Contents::NONE),
        }
        dropped
    }

    /// Gives up the uploads of the file `path` that the same account left and that nobody is at, with or without those that
    /// have a note, as one in pieces over HTTP has; says how many there were.
    ///
    /// # Errors
    /// What holds for every change, see [`Session::mkdir`].
    ///
    /// Cancellation: each is deleted, and may not be recorded.
    pub async fn drop_uploads_of(&self, path: &FilePath, noted: Noted) -> Result<u64> {
        let seat = self.changing()?;
        let path = seat.reached(path)?;
        let place = seat.place_to_change(&path, Needed::Here(Rights::WRITE)).await?;
        let dropped = place.home.drop_partials_for(&place.path, noted).await?;
        for Partial { id, offset, .. } in &dropped {
            let act = Act::begin(seat, Operation::Write, &path).saying(format!("upload {id}"));
            act.give_up(Contents::bytes(*offset));
        }
        Ok(dropped.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let id = "01JD7YV3W8Z6T1Q2R4S5K9X0AB";
        for tree in ["home", "public", "shared/team"] {
            let text = format!("{tree}/{id}");
            let key: UploadKey = text.parse().unwrap();
            assert_eq!((key.to_string(), key.id().to_string()), (text, id.to_owned()));
        }
        let long = format!("shared/a/b/{id}");
        let lower = format!("home/{}", id.to_lowercase());
        let up = format!("shared/../{id}");
        for text in ["", id, "home", "home/", "home/x", "other/01", &long, &lower, &up] {
            assert_eq!(text.parse::<UploadKey>(), Err(BadKey), "{text}");
        }
    }
}
