//! Uploads through the gate: begun with a right and a reservation, recorded with what became of them.

use std::{collections::BTreeMap, sync::Arc};

use sockeye_accounts::Rights;
use sockeye_journal::Operation;
use sockeye_store::{
    Committed, Condition, FilePath, Meta, Name, Partial, PartialId, Start, UploadOptions,
};

use crate::{
    Error, Result, Session,
    act::{Act, Contents},
    change::Needed,
    pace::Pace,
    seat::Way,
    session::Kind,
    share::Dropping,
};

/// A file being sent, which appears under its name, whole, when it is committed.
///
/// Dropped, it is kept as a partial that can be resumed over any protocol, if enough of it came.
#[derive(Debug)]
pub struct Upload {
    inner: sockeye_store::Upload,
    act: Act,
    /// Its part of what a drop box takes.
    dropping: Option<Dropping>,
}

impl Session {
    /// Begins to write a file. Where its length is known, its room is reserved at once. In a drop box it replaces
    /// nothing: where its name is taken, [`Committed::number`] says which it got.
    ///
    /// # Errors
    /// [`Error::OverQuota`]; [`Error::BoxFull`]; [`Error::Exists`] and [`Error::Changed`] where the condition does not hold;
    /// [`Error::NoParent`]; [`Error::BadName`]; [`Error::WrongKind`] where a folder has that name; what holds
    /// for every change, see [`Session::mkdir`].
    ///
    /// Cancellation: nothing was begun.
    pub async fn upload(&self, path: &FilePath, mut options: UploadOptions) -> Result<Upload> {
        let seat = self.changing()?;
        let path = seat.reached(path)?;
        if seat.visit().is_some() {
            options.condition = Condition::Beside;
            // Written on is what is there already, and nobody goes on with what was broken off.
            options.start = Start::Empty;
            options.fleeting = true;
            // It is made with the file.
            options.awaits_folder = true;
        }
        let operation = match options.start {
            Start::Empty => Operation::Write,
            _ => Operation::Append,
        };
        let act = Act::begin(seat, operation, &path);
        let begun = async {
            let place = seat.place_to_write(&path).await?;
            let dropping = seat.begin_drop(&path, options.length).await?;
            Ok((place.home.upload(&place.path, options).await?, dropping))
        };
        Self::begun(act, begun.await)
    }

    /// Whether a file may be written at `path`, for a protocol that has more to ask before it begins: refused, and recorded,
    /// as [`Session::upload`] would be for want of a right.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`]; [`Error::ReadOnly`] for a guest; [`Error::Ended`]; [`Error::Busy`];
    /// [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn check_upload(&self, path: &FilePath) -> Result<()> {
        let seat = self.changing()?;
        let path = seat.reached(path)?;
        let act = Act::begin(seat, Operation::Write, &path);
        match seat.place_to_write(&path).await {
            Ok(_) => {
                act.forget();
                Ok(())
            }
            Err(error) => Err(Self::not_begun(act, error)),
        }
    }

    /// Goes on with an upload of a file that was broken off, over whichever protocol.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InUse`] if somebody else is at it; what holds for every change, see
    /// [`Session::mkdir`].
    ///
    /// Cancellation: nothing was begun.
    pub async fn resume(&self, path: &FilePath, partial: PartialId) -> Result<Upload> {
        let seat = self.changing()?;
        let path = seat.reached(path)?;
        let act = Act::begin(seat, Operation::Write, &path);
        let begun = async {
            let place = seat.place_to_change(&path, Needed::Here(Rights::WRITE)).await?;
            let upload = place.home.resume(partial).await?;
            if *upload.path() == place.path { Ok((upload, None)) } else { Err(Error::NotFound) }
        };
        Self::begun(act, begun.await)
    }

    /// The latest upload of the file `path` that was broken off and can be resumed, if there is one.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Denied`]; [`Error::ReadOnly`] for a guest; [`Error::Ended`];
    /// [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn partial_for(&self, path: &FilePath) -> Result<Option<Partial>> {
        let seat = self.changing()?;
        if seat.visit().is_some() {
            return Err(Error::Denied);
        }
        let place = seat.place(&seat.reached(path)?, Rights::WRITE).await?;
        Ok(place.home.partial_for(&place.path).await?)
    }

    /// The upload of `path` that somebody is at now, whoever and over whichever protocol, as the file that it would be if
    /// it ended now, for who may know of that file. Whether there is a file of that name already is not asked: who wants
    /// to know both asks this first, so as not to miss the file when it is put in its place in between.
    ///
    /// # Errors
    /// As [`Session::stat`].
    ///
    /// Cancellation: safe.
    pub async fn growing(&self, path: &FilePath) -> Result<Option<Meta>> {
        let Kind::Seat(seat) = &self.kind else { return Ok(None) };
        Ok(match seat.way_seen(path).await? {
            Way::Place(place) => place.home.growing(&place.path),
            Way::SharedFolders => None,
        })
    }

    /// As [`Session::growing`], of all uploads to files right in `folder`, for who may list it; to be shown in its
    /// [listing](crate::Listing::showing).
    ///
    /// # Errors
    /// As [`Session::list`].
    ///
    /// Cancellation: safe.
    pub async fn growing_in(&self, folder: &FilePath) -> Result<BTreeMap<Name, Meta>> {
        let Kind::Seat(seat) = &self.kind else { return Ok(BTreeMap::new()) };
        match seat.way_seen(folder).await? {
            Way::Place(place) if place.rights.contains(Rights::LIST) => {
                Ok(place.home.growing_in(&place.path))
            }
            Way::Place(_) => Err(Error::Denied),
            Way::SharedFolders => Ok(BTreeMap::new()),
        }
    }

    fn begun(
        mut act: Act,
        begun: Result<(sockeye_store::Upload, Option<Dropping>)>,
    ) -> Result<Upload> {
        match begun {
            Ok((inner, dropping)) => {
                act.show();
                act.reached(inner.offset());
                Ok(Upload { inner, act, dropping })
            }
            Err(error) => Err(Self::not_begun(act, error)),
        }
    }

    /// Records that it was refused, and gives the error as the session is told of it.
    fn not_begun(act: Act, error: Error) -> Error {
        let error = act.outward(error);
        act.end(error.outcome(), Contents::NONE);
        error
    }
}

impl Upload {
    /// What it is resumed by.
    #[must_use]
    pub fn id(&self) -> PartialId {
        self.inner.id()
    }

    /// How many bytes the file has so far; the next ones go there.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.inner.offset()
    }

    /// How long the file is to be, if that was announced.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.inner.length()
    }

    /// The limits on bandwidth that its bytes go through.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.act.seat().pace().clone()
    }

    /// Writes the next bytes, as fast as limits on bandwidth allow.
    ///
    /// # Errors
    /// [`Error::OverQuota`]; [`Error::BoxFull`]; [`Error::WrongLength`] if more comes than was announced; [`Error::NoSpace`]: the upload is
    /// gone, or only its end if it has a note or was kept before; [`Error::Ended`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: how much was written is not known; resume it by its id.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.write_all(bytes).await;
        if let Err(error) = &written {
            self.act.failing_with(error);
        }
        written.map_err(|error| self.act.outward(error))
    }

    async fn write_all(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let seat = self.act.seat();
            let admitted = seat.pace().pass(bytes.len() as u64).await;
            if seat.is_ended() {
                return Err(Error::Ended);
            }
            // No more than there is.
            let (now, later) = bytes.split_at(usize::try_from(admitted).unwrap_or(bytes.len()));
            if let Some(dropping) = &mut self.dropping {
                dropping.grow(self.inner.offset().saturating_add(now.len() as u64))?;
            }
            self.inner.write(now).await?;
            self.act.reached(self.inner.offset());
            bytes = later;
        }
        Ok(())
    }

    /// Has this kept with the upload until it is a file: one line of text.
    ///
    /// # Errors
    /// [`Error::BadName`] if it is more than one line or longer than 4 KiB; [`Error::NoSpace`]; [`Error::Busy`];
    /// [`Error::Io`].
    ///
    /// Cancellation: as of [`Upload::write`].
    pub async fn annotate(&mut self, note: &str) -> Result<()> {
        Ok(self.inner.annotate(note).await?)
    }

    /// Announces how long the file is to be, and reserves room for it.
    ///
    /// # Errors
    /// [`Error::WrongLength`] if another length was announced, or more came already; [`Error::OverQuota`];
    /// [`Error::NoSpace`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: as of [`Upload::write`].
    pub async fn announce(&mut self, length: u64) -> Result<()> {
        Ok(self.inner.announce(length).await?)
    }

    /// Lets what is written from now on not count, whatever happens to the upload or the server, until
    /// [`Upload::count`]; [`Upload::forget`] takes it back.
    ///
    /// # Errors
    /// [`Error::NoSpace`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: as of [`Upload::write`].
    pub async fn hold(&mut self) -> Result<()> {
        Ok(self.inner.hold().await?)
    }

    /// Lets what was written since [`Upload::hold`] count.
    ///
    /// # Errors
    /// As [`Upload::hold`].
    ///
    /// Cancellation: as of [`Upload::write`].
    pub async fn count(&mut self) -> Result<()> {
        Ok(self.inner.count().await?)
    }

    /// Forgets what was written since [`Upload::hold`].
    ///
    /// # Errors
    /// As [`Upload::hold`].
    ///
    /// Cancellation: as of [`Upload::write`].
    pub async fn forget(&mut self) -> Result<()> {
        Ok(self.inner.forget().await?)
    }

    /// Puts the file in its place: readers see the old one or the new one, never a part. What it replaces goes
    /// to the trash.
    ///
    /// # Errors
    /// [`Error::WrongLength`]; [`Error::WrongDigest`]; [`Error::Exists`] and [`Error::Changed`] where the
    /// condition does not hold any more; [`Error::BoxFull`]; what holds for every change, see [`Session::mkdir`].
    ///
    /// Cancellation: it is done and recorded, or not at all.
    pub async fn commit(self) -> Result<Committed> {
        let Self { inner, act, mut dropping } = self;
        let seat = Arc::clone(act.seat());
        let done = async move {
            seat.gate().check_writable()?;
            if seat.is_ended() {
                return Err(Error::Ended);
            }
            let bytes = inner.offset();
            let folders = dropping.as_mut().map(Dropping::take_folders).unwrap_or_default();
            // Counted both as on its way and as there, it would keep out another one that there is room for.
            drop(dropping);
            seat.count_drop(bytes).await?;
            let way = seat.make_way(folders).await;
            let made = matches!(way, Ok(true));
            let done = match way {
                Ok(_) => inner.commit().await.map_err(Error::from),
                Err(error) => Err(error),
            };
            // Folders that were made stay, and so they count.
            if done.is_err() && !made {
                seat.uncount_drop(bytes).await;
            }
            done
        };
        let contents = |done: &Committed| Contents {
            bytes: Some(done.meta.size),
            digest: Some(*done.digest.as_bytes()),
            number: Some(done.number).filter(|number| *number > 1),
        };
        act.carry_out(done, contents).await
    }

    /// Gives it up: what was written is deleted.
    ///
    /// # Errors
    /// [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: it is deleted, or expires.
    pub async fn abort(self) -> Result<()> {
        let Self { inner, act, dropping: _ } = self;
        let contents = Contents::bytes(inner.offset());
        let result = inner.abort().await;
        act.give_up(contents);
        Ok(result?)
    }

    /// Keeps what was written, as one piece of what is still to come: of that the log tells once it is whole.
    ///
    /// # Errors
    /// [`Error::OverQuota`] if as many uploads are kept as may be; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: it is kept as when dropped.
    pub async fn pause(self) -> Result<PartialId> {
        let Self { inner, mut act, dropping: _ } = self;
        match inner.keep().await {
            Ok(id) => {
                act.forget();
                Ok(id)
            }
            Err(error) => {
                let error = Error::from(error);
                act.failing_with(&error);
                Err(error)
            }
        }
    }

    /// Keeps what was written, to be resumed, and says so in the log. What a visitor sends is never kept.
    ///
    /// # Errors
    /// [`Error::WrongKind`] if it cannot be gone on with; [`Error::OverQuota`] if as many are kept as may be;
    /// [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: it is kept as when dropped.
    pub async fn keep(self) -> Result<PartialId> {
        let Self { inner, act, dropping: _ } = self;
        let contents = Contents::bytes(inner.offset());
        let result = inner.keep().await;
        act.give_up(contents);
        Ok(result?)
    }
}
