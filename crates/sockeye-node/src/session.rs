//! The one gate: every operation on files goes through a session.
//!
//! Reading stands here; changing in `change.rs`, uploads in `upload.rs`. Each operation asks who may do it where
//! (`seat.rs`), does it on the home, and is recorded (`act.rs`).

use std::sync::Arc;

use sockeye_accounts::{Account, Rights};
use sockeye_journal::Operation;
use sockeye_store::{FilePath, Home, Meta, Opened};

use crate::{
    Error, FileBody, Folder, Listing, OpenFile, Origin, Range, Result,
    act::{Act, Contents},
    lacking::{Lacking, lacking},
    list::named,
    namespace::Reached,
    roots::Root,
    seat::{Holder, Place, Seat, Way},
};

/// What somebody who has logged in, or a guest, may do; cheap to clone.
///
/// A concrete type with one way in for each operation, so that a protocol has nothing to check itself.
#[derive(Clone, Debug)]
pub struct Session {
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Everybody, in one folder that is only read: nobody is asked, and nothing recorded.
    Guest(Home),
    /// In a node.
    Seat(Arc<Seat>),
}

/// What a path led to.
#[derive(Debug)]
pub enum Resource {
    /// A regular file, open for reading.
    File(OpenFile),
    /// A folder, open for listing.
    Folder(Folder),
}

impl Session {
    /// A session that may read everything in `home` and change nothing.
    #[must_use]
    pub fn guest(home: Home) -> Self {
        Self { kind: Kind::Guest(home) }
    }

    pub(crate) fn seated(seat: Arc<Seat>) -> Self {
        Self { kind: Kind::Seat(seat) }
    }

    /// The account whose session it is, as it is now; none for a guest, an anonymous visitor, and whoever came by a
    /// share's link.
    ///
    /// # Errors
    /// [`Error::Ended`] once the account was locked or removed.
    pub fn account(&self) -> Result<Option<Arc<Account>>> {
        match &self.kind {
            Kind::Guest(_) => Ok(None),
            Kind::Seat(seat) => Ok(seat.account()?.filter(|_| seat.visit().is_none())),
        }
    }

    /// Whether the session was ended: its account locked or removed, or the public tree closed.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        match &self.kind {
            Kind::Guest(_) => false,
            Kind::Seat(seat) => seat.is_ended(),
        }
    }

    /// Resolves when the session is ended, for protocols with long connections; a guest's never is.
    ///
    /// Cancellation: safe.
    pub async fn ended(&self) {
        match &self.kind {
            Kind::Seat(seat) => match seat.holder() {
                Holder::Account { login, .. } => tokio::select! {
                    () = login.ended() => {}
                    () = seat.cut_off() => {}
                },
                Holder::Anonymous => seat.cut_off().await,
            },
            Kind::Guest(_) => std::future::pending().await,
        }
    }

    /// Where its holder comes from; nowhere for a guest.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        match &self.kind {
            Kind::Guest(_) => None,
            Kind::Seat(seat) => Some(seat.origin()),
        }
    }

    /// What may be done at `path`.
    ///
    /// # Errors
    /// [`Error::Ended`].
    pub fn rights_at(&self, path: &FilePath) -> Result<Rights> {
        match &self.kind {
            Kind::Guest(_) => Ok(Rights::READ | Rights::LIST),
            Kind::Seat(seat) => {
                seat.account()?;
                Ok(seat.rights_at(&seat.reached(path)?))
            }
        }
    }

    /// Which right was missing for an operation that was denied, on `path` and, where it leads to another, to that; none if
    /// it was denied for another reason.
    #[must_use]
    pub fn lacking(
        &self,
        operation: Operation,
        path: &FilePath,
        to: Option<&FilePath>,
    ) -> Option<Lacking> {
        let Kind::Seat(seat) = &self.kind else { return None };
        // What its owner may do is nobody's business who came by a link.
        if seat.visit().is_some() {
            return None;
        }
        let path = seat.reached(path).ok()?.absolute();
        let to = to.and_then(|to| Some(seat.reached(to).ok()?.absolute()));
        lacking(seat, operation, &path, to.as_deref())
    }

    /// Opens what `path` names, for a protocol that must know what it is before it chooses what to send.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`]; [`Error::Special`]; [`Error::Ended`]; [`Error::Busy`];
    /// [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn open(&self, path: &FilePath) -> Result<Resource> {
        self.open_as(path, Absence::Recorded).await
    }

    /// As [`Session::open`], for what may well not be there, such as a folder's index: that it is not there is
    /// not recorded.
    ///
    /// # Errors
    /// As [`Session::open`], but for [`Error::NotFound`].
    ///
    /// Cancellation: safe.
    pub async fn find(&self, path: &FilePath) -> Result<Option<Resource>> {
        match self.open_as(path, Absence::Expected).await {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn open_as(&self, path: &FilePath, absence: Absence) -> Result<Resource> {
        let seat = match &self.kind {
            Kind::Guest(home) => {
                return Ok(match home.open_path(path).await? {
                    Opened::File(file) => Resource::File(OpenFile::new(file, None)),
                    Opened::Folder(folder) => Resource::Folder(Folder::stored(folder, None)),
                });
            }
            Kind::Seat(seat) => seat,
        };
        let path = seat.reached(path)?;
        let mut act = Some(Act::begin(seat, Operation::Read, &path));
        let opened = match seat.hides(&path) {
            true => Err(Error::NotFound),
            false => open_seated(seat, &path, &mut act).await,
        };
        if let (Err(error), Some(act)) = (&opened, act) {
            match (error, absence) {
                (Error::NotFound, Absence::Expected) => act.forget(),
                (error, _) => act.end(error.outcome(), Contents::NONE),
            }
        }
        opened
    }

    /// Reads a file, or the stretch `range` of it.
    ///
    /// # Errors
    /// As [`Session::open`], and [`Error::WrongKind`] for a folder, [`Error::BadRange`] if the range
    /// begins after the end of the file.
    ///
    /// Cancellation: safe.
    pub async fn read(&self, path: &FilePath, range: Option<Range>) -> Result<FileBody> {
        match self.open(path).await? {
            Resource::File(file) => {
                let whole = Range { offset: 0, length: file.meta().size };
                file.body(range.unwrap_or(whole))
            }
            Resource::Folder(_) => Err(Error::WrongKind { expected: "a file, found a folder" }),
        }
    }

    /// What `path` names: its kind, size and age. Not recorded.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`]; [`Error::Ended`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn stat(&self, path: &FilePath) -> Result<Meta> {
        let seat = match &self.kind {
            Kind::Guest(home) => return Ok(home.stat(path).await?),
            Kind::Seat(seat) => seat,
        };
        match seat.way_seen(path).await? {
            Way::SharedFolders => Ok(named(seat.modified(Root::SharedFolders).await?)),
            Way::Place(Place { home, path, .. }) => Ok(home.stat(&path).await?),
        }
    }

    /// Begins to list a folder.
    ///
    /// # Errors
    /// As [`Session::open`], and [`Error::WrongKind`] for a file.
    ///
    /// Cancellation: safe.
    pub async fn list(&self, path: &FilePath) -> Result<Listing> {
        match self.open(path).await? {
            Resource::Folder(folder) => Ok(folder.list()),
            Resource::File(_) => Err(Error::WrongKind { expected: "a folder, found a file" }),
        }
    }
}

/// Whether it is worth a record that nothing has that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absence {
    Recorded,
    Expected,
}

/// Opens what `path` names; what was found takes the record with it.
async fn open_seated(seat: &Seat, path: &Reached<'_>, act: &mut Option<Act>) -> Result<Resource> {
    let Place { home, path: within, rights, .. } = match seat.way(path).await? {
        Way::Place(place) => place,
        Way::SharedFolders => {
            let folders = seat.shared_folders_dated().await?;
            let modified = seat.modified(Root::SharedFolders).await?;
            let act = act.take().map(|act| act.turning_into(Operation::List));
            return Ok(Resource::Folder(Folder::named(modified, folders, act)));
        }
    };
    match home.open_path(&within).await? {
        Opened::File(file) if rights.contains(Rights::READ) => {
            Ok(Resource::File(OpenFile::new(file, act.take())))
        }
        Opened::Folder(folder) if rights.contains(Rights::LIST) => {
            let act = act.take().map(|act| act.turning_into(Operation::List));
            Ok(Resource::Folder(match path.is_root() {
                true => Folder::root(folder, seat.names_at_root_dated().await?, act),
                false => Folder::stored(folder, act),
            }))
        }
        _ => Err(Error::Denied),
    }
}
