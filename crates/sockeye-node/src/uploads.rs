//! Uploads that were begun and are not yet files: found by their key, gone on with over any protocol, given up.

use std::{fmt, str::FromStr, sync::Arc, time::SystemTime};

use sockeye_accounts::{Rights, SharedName};
use sockeye_journal::Operation;
use sockeye_store::{FilePath, Partial, PartialId, PathBuilder};

use crate::{
    Error, Result, Session, Upload,
    act::{Act, Contents},
    namespace::{Zone, absolute},
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

/// A tree of the namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TreeName {
    /// The session's own; the public one for who has none.
    Own,
    Public,
    Shared(SharedName),
}

/// Some text names no upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an upload is named home/ID, public/ID or shared/NAME/ID")]
pub struct BadKey;

impl fmt::Display for UploadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tree {
            TreeName::Own => write!(f, "home/{}", self.id),
            TreeName::Public => write!(f, "public/{}", self.id),
            TreeName::Shared(name) => write!(f, "shared/{}/{}", name.as_str(), self.id),
        }
    }
}

impl FromStr for UploadKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let (tree, id) = text.rsplit_once('/').ok_or(BadKey)?;
        let tree = match tree.split_once('/') {
            None if tree == "home" => TreeName::Own,
            None if tree == "public" => TreeName::Public,
            Some(("shared", name)) => TreeName::Shared(name.parse().map_err(|_| BadKey)?),
            _ => return Err(BadKey),
        };
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

impl TreeName {
    /// The tree that `path` lies in.
    pub(crate) fn of(path: &FilePath) -> Option<Self> {
        match Zone::of(path) {
            Zone::Own(_) => Some(Self::Own),
            Zone::Public(_) => Some(Self::Public),
            Zone::Shared(name, _) => Some(Self::Shared(str::from_utf8(&name).ok()?.parse().ok()?)),
            Zone::SharedFolders | Zone::Site => None,
        }
    }

    /// Its root.
    fn root(&self) -> FilePath {
        self.within(&FilePath::root())
    }

    /// The path in the namespace of `path` in this tree.
    pub(crate) fn within(&self, path: &FilePath) -> FilePath {
        let mut whole = PathBuilder::with_capacity(path.as_bytes().len() + 64);
        let above: &[&[u8]] = match self {
            Self::Own => &[],
            Self::Public => &[b"public"],
            Self::Shared(name) => &[b"shared", name.as_str().as_bytes()],
        };
        for name in above.iter().copied().chain(path.segments()) {
            // A path too long to be asked for is not reached either.
            if whole.push(name).is_err() {
                break;
            }
        }
        whole.finish()
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
    fn new(tree: TreeName, partial: Partial) -> Self {
        let Partial { id, path, length, offset, modified, expires, note, in_use } = partial;
        let path = tree.within(&path);
        let key = UploadKey { tree, id };
        Self { key, path, length, offset, modified, expires, note, in_use }
    }
}

impl Session {
    /// What an upload of the file `path` can be found by.
    ///
    /// # Errors
    /// [`Error::Denied`] if nothing can be put there.
    pub fn upload_key(&self, path: &FilePath, id: PartialId) -> Result<UploadKey> {
        Ok(UploadKey { tree: TreeName::of(path).ok_or(Error::Denied)?, id })
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
        let home = seat.home_of(&key.tree.root()).await?;
        match home.progress(key.id).await {
            Ok(sockeye_store::Progress::Partial(partial)) => {
                let pending = Pending::new(key.tree.clone(), partial);
                if !seat.rights_at(absolute(&pending.path)).contains(Rights::WRITE) {
                    return Err(Error::NotFound);
                }
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

    /// The uploads that this session can go on with: in its own tree, in the shared folders that it may write in, and in
    /// the public tree; each tree's oldest first.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] for a guest; [`Error::Ended`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn uploads(&self) -> Result<Vec<Pending>> {
        let seat = self.changing()?;
        let mut trees = vec![TreeName::Own, TreeName::Public];
        trees.extend(seat.shared_folders().await?.into_iter().map(|it| TreeName::Shared(it.name)));
        let mut found = Vec::new();
        for tree in trees {
            match pending_in(seat, &tree).await {
                Err(Error::NotFound) => {}
                pending => found.extend(pending?),
            }
        }
        Ok(found)
    }

    /// As [`Session::uploads`], in the tree that `root` is the root of.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what is no root of a tree that this session may know of; as [`Session::uploads`].
    ///
    /// Cancellation: safe.
    pub async fn uploads_in(&self, root: &FilePath) -> Result<Vec<Pending>> {
        let tree = TreeName::of(root).filter(|tree| tree.root() == *root);
        pending_in(self.changing()?, &tree.ok_or(Error::NotFound)?).await
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
        let (seat, id) = (Arc::clone(self.changing()?), key.id);
        let act = Act::begin(&seat, Operation::Write, &pending.path).saying(format!("upload {id}"));
        let dropping = async {
            let place = seat.place_to_change(&pending.path, Rights::WRITE).await?;
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
}

/// The uploads to a tree that can be gone on with.
async fn pending_in(seat: &Seat, tree: &TreeName) -> Result<Vec<Pending>> {
    let found = seat.home_of(&tree.root()).await?.partials().await?;
    let pending = found.into_iter().map(|partial| Pending::new(tree.clone(), partial));
    let may = |it: &Pending| seat.rights_at(absolute(&it.path)).contains(Rights::WRITE);
    Ok(pending.filter(may).collect())
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

    #[test]
    fn a_tree_knows_its_paths() {
        for (path, tree, within) in [
            ("a/b", "home", "a/b"),
            ("public/a", "public", "a"),
            ("shared/team/a/b", "shared/team", "a/b"),
        ] {
            let path = FilePath::parse(path.as_bytes()).unwrap();
            let name = TreeName::of(&path).unwrap();
            let key: UploadKey = format!("{tree}/01JD7YV3W8Z6T1Q2R4S5K9X0AB").parse().unwrap();
            assert_eq!(key.tree, name);
            assert_eq!(name.within(&FilePath::parse(within.as_bytes()).unwrap()), path);
        }
        assert_eq!(TreeName::of(&FilePath::parse(b"shared").unwrap()), None);
    }
}
