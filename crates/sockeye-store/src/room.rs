//! Making room, where a quota or a disk has none left: what lies aside gives way, the least wanted first.
//!
//! First go pieces of the very file that needs the room, which it replaces when it is whole; then the trash, the oldest
//! first; then uploads that were cut and that nobody went on with for a while, the one first that has lain longest.
//! What clients see never goes, nor what somebody writes or wrote a moment ago; and nothing goes where it would not help.

use std::{
    collections::VecDeque,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    Amount, FilePath, Home, PartialId, Result, TrashId,
    keep::Keep,
    partials::Partial,
    space::{Reservation, Shortage},
};

/// How long nobody must have written to an upload that was cut before it gives way to others: whoever was cut has this
/// long to come back, and whoever uploads in pieces to begin the next one.
pub const PARTIAL_RESTS: Duration = Duration::from_secs(10 * 60);

/// Things that one change makes way for itself by and that are told one by one; of more, the sum is told.
const MOST_TOLD: u64 = 100;

/// Somebody for whom a home is changed: a name for the uploads that they leave, and an ear for what gave way to them.
pub trait Principal: fmt::Debug + Send + Sync {
    /// Under which name uploads are kept: one short word. None for who leaves none.
    fn name(&self) -> Option<&str>;

    /// Something was destroyed to make room for what they write. Called wherever that is; it must not block.
    fn gave_way(&self, what: &GaveWay);
}

/// What was destroyed to make room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GaveWay {
    /// What it was.
    pub what: Aside,
    /// How much.
    pub amount: Amount,
    /// What there was too little of.
    pub lack: Lack,
}

/// Something that lay aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aside {
    /// Something in the trash, and where it had been.
    Trash(TrashId, FilePath),
    /// An upload that was cut, and where the file would have been.
    Upload(PartialId, FilePath),
    /// So many more things, of either kind: a change tells of a hundred one by one.
    More(u64),
}

/// What there was too little of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Room within the quota.
    Quota,
    /// Room on the disk.
    Disk,
}

/// What gave way to one change, told as it goes; the sum of what is too much to be told, at the end.
#[derive(Debug)]
pub(crate) struct Tally {
    principal: Option<Arc<dyn Principal>>,
    told: u64,
    more: u64,
    amount: Amount,
    lack: Lack,
}

impl Tally {
    /// Of a change that is made for somebody.
    pub(crate) fn for_principal(principal: Option<&Arc<dyn Principal>>) -> Self {
        let principal = principal.map(Arc::clone);
        Self { principal, told: 0, more: 0, amount: Amount::default(), lack: Lack::Quota }
    }

    pub(crate) fn add(&mut self, gone: GaveWay) {
        if self.told == MOST_TOLD {
            self.more += 1;
            self.amount.add(gone.amount);
            self.lack = gone.lack;
            return;
        }
        self.told += 1;
        if let Some(principal) = &self.principal {
            principal.gave_way(&gone);
        }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if let Some(principal) = self.principal.as_ref().filter(|_| self.more > 0) {
            let Self { more, amount, lack, .. } = *self;
            principal.gave_way(&GaveWay { what: Aside::More(more), amount, lack });
        }
    }
}

/// A file on its way to its place, where pieces of it may lie from before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heir<'a> {
    pub(crate) path: &'a FilePath,
    /// Who sends it.
    pub(crate) sender: Option<&'a str>,
    /// Pieces that were begun before it are meant.
    pub(crate) id: PartialId,
}

impl Heir<'_> {
    /// Whether this is an older piece of the same file by the same sender, found by its path alone.
    ///
    /// One with a note has an address of its own, where its sender was promised to find it again; whoever goes on there is told
    /// at its end whether it may still replace what is there. So no other upload ends it but for want of room.
    pub(crate) fn replaces(&self, partial: &Partial) -> bool {
        let is_older = partial.note.is_none() && partial.id < self.id;
        is_older && partial.path == *self.path && partial.is_by(self.sender)
    }
}

/// Uploads that were cut and may give way.
#[derive(Debug, Default)]
struct Yielding {
    /// Those that are replaced anyway.
    replaced: VecDeque<Partial>,
    /// Those that have rested, that first which has longest.
    rested: VecDeque<Partial>,
}

impl Yielding {
    fn amount(&self) -> Amount {
        let all = self.replaced.iter().chain(&self.rested);
        all.fold(Amount::default(), |sum, partial| sum.plus(Amount::entry(partial.bytes)))
    }
}

impl Keep {
    /// Makes `room` hold so much more, for which what lies aside gives way if need be. May block for long.
    ///
    /// # Errors
    /// [`Error::OverQuota`](crate::Error::OverQuota), and nothing went, where nothing could make room enough.
    pub(crate) fn make_room(
        &self,
        room: &mut Reservation,
        more: Amount,
        heir: Option<Heir<'_>>,
        tally: &mut Tally,
    ) -> Result<()> {
        let mut yielding = None;
        loop {
            let Err(short) = room.grow(more) else { return Ok(()) };
            if !short.may_end(more) {
                return Err(short.into());
            }
            let yielding = match &mut yielding {
                Some(known) => known,
                none => none.insert(self.yielding(short, heir)?),
            };
            let short = short.without(yielding.amount());
            if !short.is_met_for(more) {
                return Err(short.into());
            }
            if let Some(replaced) = yielding.replaced.pop_front() {
                self.give_way(&replaced, tally)?;
            } else if self.purge_oldest(Lack::Quota, tally)? {
            } else if let Some(rested) = yielding.rested.pop_front() {
                self.give_way(&rested, tally)?;
            } else {
                // Either all went just now, and is no longer counted on, or it is said to be there and is not.
                let trash = self.ledger.space().trash;
                if !trash.is_nothing() {
                    return Err(short.keeping(trash).into());
                }
            }
        }
    }

    /// The uploads that may give way; nothing is looked at where there are none.
    fn yielding(&self, short: Shortage, heir: Option<Heir<'_>>) -> Result<Yielding> {
        let mut found = Yielding::default();
        if short.cut.is_nothing() {
            return Ok(found);
        }
        let now = SystemTime::now();
        for partial in self.partials()?.into_iter().filter(|partial| !partial.in_use) {
            let rests = now.duration_since(partial.modified).unwrap_or_default();
            if heir.is_some_and(|heir| heir.replaces(&partial)) {
                found.replaced.push_back(partial);
            } else if rests >= PARTIAL_RESTS {
                found.rested.push_back(partial);
            }
        }
        found.rested.make_contiguous().sort_by_key(|partial| partial.modified);
        Ok(found)
    }

    fn give_way(&self, partial: &Partial, tally: &mut Tally) -> Result<()> {
        if let Some(amount) = self.drop_unless_open(partial.id)? {
            let what = Aside::Upload(partial.id, partial.path.clone());
            tally.add(GaveWay { what, amount, lack: Lack::Quota });
        }
        Ok(())
    }
}

impl Home {
    /// The same home, changed for this somebody.
    #[must_use]
    pub fn changed_for(mut self, principal: Arc<dyn Principal>) -> Self {
        self.principal = Some(principal);
        self
    }

    /// The name under which uploads are kept.
    pub(crate) fn sender(&self) -> Option<&str> {
        self.principal.as_ref()?.name()
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally::for_principal(self.principal.as_ref())
    }

    /// Whether so many bytes more could be written to `path`, with all given up that would be for them; where the path is not
    /// known, to the best one. Nothing is reserved.
    ///
    /// # Errors
    /// [`Error::OverQuota`](crate::Error::OverQuota); [`Error::ReadOnly`](crate::Error::ReadOnly); [`Error::Busy`](crate::Error::Busy); [`Error::Io`](crate::Error::Io).
    ///
    /// Cancellation: safe.
    pub async fn check_room(&self, path: Option<&FilePath>, bytes: u64) -> Result<()> {
        let more = Amount::bytes(bytes);
        let Some(short) = self.space().await?.shortage(more) else { return Ok(()) };
        if !short.may_end(more) {
            return Err(short.into());
        }
        // All that was cut may be pieces of it.
        let Some(path) = path else { return Ok(()) };
        let (path, sender) = (path.clone(), self.sender().map(Box::<str>::from));
        self.slow(move |keep| {
            let id = PartialId::new(keep.ids.next());
            let heir = Heir { path: &path, sender: sender.as_deref(), id };
            let short = short.without(keep.yielding(short, Some(heir))?.amount());
            if short.is_met_for(more) { Ok(()) } else { Err(short.into()) }
        })
        .await
    }
}
