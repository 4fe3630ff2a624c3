//! Changing what is there: each operation needs its rights, is done on the home, and waits for its record.

use std::sync::Arc;

use sockeye_accounts::Rights;
use sockeye_journal::Operation;
use sockeye_store::{
    Algorithm, Condition, Copied, Digest, FilePath, Meta, Overwrite, Recursive, Space, Timestamp,
    Version,
};

use crate::{
    Error, Result, Session,
    act::{Act, Contents},
    namespace::Reached,
    seat::{Place, Seat},
    session::Kind,
};

impl Session {
    /// Makes a folder.
    ///
    /// # Errors
    /// [`Error::Exists`]; [`Error::NoParent`]; [`Error::BadName`]; [`Error::OverQuota`]; what holds for every
    /// change: [`Error::Denied`], [`Error::ReadOnly`], [`Error::Ended`], [`Error::NoSpace`], [`Error::Busy`],
    /// [`Error::Io`].
    ///
    /// Cancellation: it is done and recorded, or not at all.
    pub async fn mkdir(&self, path: &FilePath) -> Result<()> {
        let needed = Needed::Here(Rights::WRITE);
        let made = |at: Place| async move { Ok(at.home.mkdir(&at.path).await?) };
        self.change_at(Operation::MakeFolder, path, needed, made).await
    }

    /// Removes a file, a link or a folder, to the trash.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotEmpty`] for a folder with something in it that is not removed
    /// recursively; [`Error::IntoItself`] for a root; what holds for every change, see [`Session::mkdir`].
    ///
    /// Cancellation: it is done and recorded, or not at all.
    pub async fn remove(&self, path: &FilePath, recursive: Recursive) -> Result<()> {
        self.remove_if(path, recursive, Condition::Any).await
    }

    /// As [`Session::remove`], of what meets `condition` at the moment when it is removed.
    ///
    /// # Errors
    /// As [`Session::remove`], and [`Error::Changed`] if the condition is not met.
    ///
    /// Cancellation: it is done and recorded, or not at all.
    pub async fn remove_if(
        &self,
        path: &FilePath,
        recursive: Recursive,
        condition: Condition,
    ) -> Result<()> {
        let removed = move |at: Place| async move {
            Ok(at.home.remove_if(&at.path, recursive, condition).await?)
        };
        let needed = Needed::Beneath(Rights::DELETE);
        self.change_at(Operation::Remove, path, needed, removed).await
    }

    /// Moves a file or a folder, also from one tree of the namespace to another; what it replaces goes to the
    /// trash, for which the right to remove it is needed.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Exists`] where nothing may be replaced; [`Error::NoParent`];
    /// [`Error::IntoItself`]; [`Error::BadName`]; [`Error::OverQuota`] of the other tree; what holds for every
    /// change, see [`Session::mkdir`].
    ///
    /// Cancellation: it is done and recorded, or not at all; between filesystems the copy may be left over.
    pub async fn rename(
        &self,
        from: &FilePath,
        to: &FilePath,
        overwrite: Overwrite,
    ) -> Result<bool> {
        let ends = Ends { operation: Operation::Rename, from, to, overwrite };
        let moved = |from: Place, to: Place, overwrite| async move {
            Ok(from.home.rename_to(&from.path, &to.home, &to.path, overwrite).await?)
        };
        self.change_between(ends, Rights::READ | Rights::DELETE, moved, |_| Contents::NONE).await
    }

    /// Copies a file or a folder with all that is in it, also from one tree to another; what it replaces goes
    /// to the trash, for which the right to remove it is needed.
    ///
    /// # Errors
    /// As [`Session::rename`].
    ///
    /// Cancellation: a part may have been copied.
    pub async fn copy(
        &self,
        from: &FilePath,
        to: &FilePath,
        overwrite: Overwrite,
    ) -> Result<Copied> {
        let ends = Ends { operation: Operation::Copy, from, to, overwrite };
        let copied = |from: Place, to: Place, overwrite| async move {
            Ok(from.home.copy(&from.path, &to.home, &to.path, overwrite).await?)
        };
        let tally = |done: &Copied| Contents::bytes(done.amount.bytes);
        self.change_between(ends, Rights::READ, copied, tally).await
    }

    /// A file's digest: what is known of it, or else what reading it gives. Not recorded.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::WrongKind`]; [`Error::Denied`]; [`Error::Ended`]; [`Error::Busy`];
    /// [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn digest(&self, path: &FilePath, algorithm: Algorithm) -> Result<Digest> {
        match &self.kind {
            Kind::Guest(home) => Ok(home.digest(path, algorithm).await?),
            Kind::Seat(seat) => {
                let place = seat.place(&seat.reached(path)?, Rights::READ).await?;
                Ok(place.home.digest(&place.path, algorithm).await?)
            }
        }
    }

    /// The digest of a file that is still the one it was when it was opened: what is known of it, or what reading it
    /// gives unless it is larger than `most` bytes; none then. Not recorded.
    ///
    /// # Errors
    /// As [`Session::digest`]; [`Error::Changed`] if it is another file by now.
    ///
    /// Cancellation: safe.
    pub async fn digest_of(
        &self,
        path: &FilePath,
        version: Version,
        algorithm: Algorithm,
        most: u64,
    ) -> Result<Option<Digest>> {
        let digest = match &self.kind {
            Kind::Guest(home) => home.digest_of(path, version, algorithm, most).await,
            Kind::Seat(seat) => {
                let place = seat.place(&seat.reached(path)?, Rights::READ).await?;
                place.home.digest_of(&place.path, version, algorithm, most).await
            }
        };
        Ok(digest?)
    }

    /// Sets when a file or folder was last changed.
    ///
    /// # Errors
    /// [`Error::NotFound`]; what holds for every change, see [`Session::mkdir`].
    ///
    /// Cancellation: it is done and recorded, or not at all.
    pub async fn set_modified(&self, path: &FilePath, modified: Timestamp) -> Result<Meta> {
        let needed = Needed::Here(Rights::WRITE);
        let set = move |at: Place| async move { Ok(at.home.set_times(&at.path, modified).await?) };
        self.change_at(Operation::Set, path, needed, set).await
    }

    /// Sets a file's or folder's permission bits, as far as clients may.
    ///
    /// # Errors
    /// As [`Session::set_modified`].
    ///
    /// Cancellation: it is done and recorded, or not at all.
    pub async fn set_mode(&self, path: &FilePath, mode: u32) -> Result<Meta> {
        let needed = Needed::Here(Rights::WRITE);
        let set = move |at: Place| async move { Ok(at.home.set_mode(&at.path, mode).await?) };
        self.change_at(Operation::Set, path, needed, set).await
    }

    /// Whether so many bytes more could be written to `to`, once all is given up that would be for them; where the path is
    /// not known yet, to whichever file in the tree of the folder `near` leaves most. Where nothing is told of it, there is.
    ///
    /// # Errors
    /// [`Error::OverQuota`].
    ///
    /// Cancellation: safe.
    pub async fn check_room(
        &self,
        near: &FilePath,
        to: Option<&FilePath>,
        bytes: u64,
    ) -> Result<()> {
        let Kind::Seat(seat) = &self.kind else { return Ok(()) };
        if seat.visit().is_some() {
            return Ok(());
        }
        let looked = async {
            let needed = if to.is_some() { Rights::WRITE } else { Rights::LIST };
            let place = seat.place(&seat.reached(to.unwrap_or(near))?, needed).await?;
            let place = place.changed_for(seat);
            Ok(place.home.check_room(to.map(|_| &place.path), bytes).await?)
        };
        match looked.await {
            Err(error @ Error::OverQuota(_)) => Err(error),
            _ => Ok(()),
        }
    }

    /// How much the tree that `path` lies in holds and may hold.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`] for a guest, for whoever came by a share's link, and for the list of
    /// shared folders; [`Error::Ended`].
    ///
    /// Cancellation: safe.
    pub async fn space(&self, path: &FilePath) -> Result<Space> {
        let Kind::Seat(seat) = &self.kind else { return Err(Error::Denied) };
        if seat.visit().is_some() {
            return Err(Error::Denied);
        }
        let place = seat.place(&seat.reached(path)?, Rights::LIST).await?;
        Ok(place.home.space().await?)
    }

    /// Carries out a change of what is at one path, for who may, and waits for its record.
    pub(crate) async fn change_at<T, F>(
        &self,
        operation: Operation,
        path: &FilePath,
        needed: Needed,
        change: impl FnOnce(Place) -> F + Send + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send,
    {
        let seat = Arc::clone(self.changing()?);
        let path = seat.reached(path)?.into_owned();
        let act = Act::begin(&seat, operation, &path);
        let done = async move { change(seat.place_to_change(&path, needed).await?).await };
        act.carry_out(done, |_| Contents::NONE).await
    }

    /// Carries out what leads from one path to another, for who has these rights at the first and may write the other.
    async fn change_between<T, F>(
        &self,
        ends: Ends<'_>,
        needed: Rights,
        change: impl FnOnce(Place, Place, Overwrite) -> F + Send + 'static,
        tally: fn(&T) -> Contents,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send,
    {
        let seat = Arc::clone(self.changing()?);
        let Ends { operation, from, to, overwrite } = ends;
        let (from, to) = (seat.reached(from)?.into_owned(), seat.reached(to)?.into_owned());
        let act = Act::begin(&seat, operation, &from).leading_to(&to);
        let done = async move {
            seat.check_changes()?;
            let from = seat.source(&from, needed).await?.changed_for(&seat);
            let (to, overwrite) = seat.target(&to, overwrite).await?;
            change(from, to, overwrite).await
        };
        act.carry_out(done, tally).await
    }

    /// Whose changes they are; nobody's where nothing is ever changed.
    pub(crate) fn changing(&self) -> Result<&Arc<Seat>> {
        match &self.kind {
            Kind::Guest(_) => Err(Error::ReadOnly { why: "this folder is only read".to_owned() }),
            Kind::Seat(seat) => Ok(seat),
        }
    }
}

/// The rights that a change needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Needed {
    /// At its path.
    Here(Rights),
    /// There, and at all that lies beneath it.
    Beneath(Rights),
}

/// What leads from one path to another.
struct Ends<'a> {
    operation: Operation,
    from: &'a FilePath,
    to: &'a FilePath,
    overwrite: Overwrite,
}

impl Seat {
    /// Refuses changes while there can be none, and of whoever came by a share's link: nothing that is there is theirs.
    fn check_changes(&self) -> Result<()> {
        self.gate().check_writable()?;
        if self.visit().is_some() { Err(Error::Denied) } else { Ok(()) }
    }

    /// The place of something that is to be changed.
    pub(crate) async fn place_to_change(
        self: &Arc<Self>,
        path: &Reached<'_>,
        needed: Needed,
    ) -> Result<Place> {
        self.check_changes()?;
        let place = match needed {
            Needed::Here(rights) => self.place(path, rights).await,
            Needed::Beneath(rights) => self.tree(path, rights).await,
        };
        Ok(place?.changed_for(self))
    }

    /// The place that something is moved or copied to, and whether what is there may give way: who may not remove that
    /// does not replace it either, and what appears there meanwhile stays.
    async fn target(
        self: &Arc<Self>,
        to: &Reached<'_>,
        overwrite: Overwrite,
    ) -> Result<(Place, Overwrite)> {
        let place = self.tree(to, Rights::WRITE).await?.changed_for(self);
        if overwrite == Overwrite::No || self.tree(to, Rights::DELETE).await.is_ok() {
            return Ok((place, overwrite));
        }
        match place.home.stat(&place.path).await {
            Ok(_) => Err(Error::Denied),
            Err(_) => Ok((place, Overwrite::No)),
        }
    }

    /// The place of a file that is to be written: in a drop box, only of a new one.
    pub(crate) async fn place_to_write(self: &Arc<Self>, path: &Reached<'_>) -> Result<Place> {
        match self.visit() {
            Some(visit) if visit.takes(path) => {
                self.gate().check_writable()?;
                Ok(self.place(path, Rights::WRITE).await?.changed_for(self))
            }
            _ => self.place_to_change(path, Needed::Here(Rights::WRITE)).await,
        }
    }
}
