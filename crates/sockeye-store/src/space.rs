//! How much a home holds, counted exactly, and how much it may hold.
//!
//! Everything that is about to take room is reserved first; what was reserved becomes files, a kept partial or
//! trash, or is given back. The sum never passes the quota, however many writers there are. Nothing here
//! looks at the disk.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sockeye::quantity::{format_count, format_rough_size, format_rough_size_up};

use crate::Contents;

/// Bytes and entries: files, folders and links are an entry each, and only files have bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Bytes, as files say that they are long; holes count.
    pub bytes: u64,
    /// Files, folders and links.
    pub entries: u64,
}

/// How much a home may hold, all told; `None` is without limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Most bytes.
    pub bytes: Option<u64>,
    /// Most entries.
    pub entries: Option<u64>,
}

/// What a home holds. The quota bounds the sum, which is `bytes` and `entries`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// Bytes, all told.
    pub bytes: u64,
    /// Entries, all told.
    pub entries: u64,
    /// What clients see.
    pub files: Amount,
    /// Uploads that were begun and left.
    pub partials: Amount,
    /// What uploads under way have written or announced.
    pub reserved: Amount,
    /// What was removed or replaced and is still kept.
    pub trash: Amount,
    /// The limit.
    pub quota: Quota,
}

impl Space {
    /// Bytes that can still be written if the trash is given up; `None` where there is no limit. Uploads that were cut and
    /// may give way as well ([`Home::check_room`](crate::Home::check_room)) are not looked for.
    #[must_use]
    pub fn available_bytes(&self) -> Option<u64> {
        let kept = self.bytes.saturating_sub(self.trash.bytes);
        self.quota.bytes.map(|most| most.saturating_sub(kept))
    }

    /// Why there is no room for so much more, if that is so with the trash given up.
    pub(crate) fn shortage(&self, needed: Amount) -> Option<Shortage> {
        let Self { quota, partials: cut, .. } = *self;
        let used = Amount { bytes: self.bytes, entries: self.entries }.minus(self.trash);
        let short = Shortage { quota, used, cut, needed };
        (!short.is_met_for(needed)).then_some(short)
    }
}

impl Amount {
    /// One entry of so many bytes.
    #[must_use]
    pub const fn entry(bytes: u64) -> Self {
        Self { bytes, entries: 1 }
    }

    /// No more than a number of bytes.
    pub(crate) const fn bytes(bytes: u64) -> Self {
        Self { bytes, entries: 0 }
    }

    /// Nothing at all.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }

    pub(crate) fn add(&mut self, more: Self) {
        self.bytes = self.bytes.saturating_add(more.bytes);
        self.entries = self.entries.saturating_add(more.entries);
    }

    pub(crate) fn take(&mut self, less: Self) {
        self.bytes = self.bytes.saturating_sub(less.bytes);
        self.entries = self.entries.saturating_sub(less.entries);
    }

    /// No more of it than `most`.
    fn within(self, most: Self) -> Self {
        Self { bytes: self.bytes.min(most.bytes), entries: self.entries.min(most.entries) }
    }

    pub(crate) fn plus(mut self, more: Self) -> Self {
        self.add(more);
        self
    }

    pub(crate) fn minus(mut self, less: Self) -> Self {
        self.take(less);
        self
    }
}

/// `12 bytes`, `3 entries` or both.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.bytes, self.entries) {
            (bytes, 0) => write!(f, "{}", count_bytes(bytes)),
            (0, entries) => write!(f, "{}", count_entries(entries)),
            (bytes, entries) => {
                write!(f, "{} and {}", count_bytes(bytes), count_entries(entries))
            }
        }
    }
}

fn count_bytes(bytes: u64) -> impl fmt::Display {
    format_count(bytes, "byte", "bytes")
}

fn count_entries(entries: u64) -> impl fmt::Display {
    format_count(entries, "entry", "entries")
}

/// What room is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Files,
    Partials,
    Reserved,
    Trash,
}

/// Why a quota has no room for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The limit.
    pub quota: Quota,
    /// What is held beside what needs room now, without what would be given up for it.
    pub used: Amount,
    /// What of that lies in uploads that were cut.
    pub cut: Amount,
    /// What is needed, or was so far of what has no known size.
    pub needed: Amount,
}

impl Shortage {
    /// How much too much it is.
    #[must_use]
    pub fn lacking(&self) -> Amount {
        self.quota.beyond(self.used.plus(self.needed))
    }

    /// The same, where this trash stays.
    pub(crate) fn keeping(self, trash: Amount) -> Self {
        Self { used: self.used.plus(trash), ..self }
    }

    /// The same, where so much of uploads that were cut is given up as well.
    pub(crate) fn without(self, cut: Amount) -> Self {
        Self { used: self.used.minus(cut), cut: self.cut.minus(cut), ..self }
    }

    /// Whether there is room for so `much` more, which is all or the last of what is needed. What is asked for alone is refused:
    /// where a quota was lowered below what is held, of bytes, what needs an entry alone still gets it, and the other way.
    pub(crate) fn is_met_for(&self, much: Amount) -> bool {
        self.lacking().within(much).is_nothing()
    }

    /// Whether room is there for so `much` more once all is given up that the trash and uploads that were cut hold: else
    /// nothing is.
    pub(crate) fn may_end(&self, much: Amount) -> bool {
        self.without(self.cut).is_met_for(much)
    }
}

/// `quota 2MiB, used 614KiB, this needs at least 2.8MiB`. What is used and needed is rounded up, and so never seems to fit.
impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { quota, used, cut, needed } = self;
        let lacking = self.lacking();
        let by_entries = lacking.entries > 0 && (lacking.bytes == 0 || needed.bytes == 0);
        match (quota.bytes, quota.entries) {
            (Some(most), _) if !by_entries => {
                let [used, needed] = [used.bytes, needed.bytes].map(format_rough_size_up);
                let most = format_rough_size(most);
                write!(f, "quota {most}, used {used}, this needs at least {needed}")?;
            }
            (_, most) => {
                let most = format_count(most.unwrap_or_default(), "file", "files and folders");
                let (used, needed) = (used.entries, needed.entries);
                write!(f, "quota {most}, used {used}, this needs at least {needed}")?;
            }
        }
        if cut.is_nothing() {
            return Ok(());
        }
        let size = format_rough_size(cut.bytes);
        write!(f, "; {size} of what is used lies in uploads that were cut")
    }
}

/// The books of one home.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Space>);

impl Ledger {
    pub(crate) fn new(quota: Quota) -> Self {
        Self(Mutex::new(Space { quota, ..Space::default() }))
    }

    fn books(&self) -> MutexGuard<'_, Space> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn space(&self) -> Space {
        *self.books()
    }

    pub(crate) fn set_quota(&self, quota: Quota) {
        self.books().quota = quota;
    }

    /// Takes over what was counted or read; reservations stay.
    pub(crate) fn set_all(&self, contents: &Contents) {
        let mut books = self.books();
        (books.files, books.partials, books.trash) =
            (contents.files, contents.partials, contents.trash);
        books.sum();
    }

    /// Takes over what was counted of one part.
    pub(crate) fn set(&self, part: Part, amount: Amount) {
        let mut books = self.books();
        *books.part(part) = amount;
        books.sum();
    }

    pub(crate) fn add(&self, part: Part, amount: Amount) {
        let mut books = self.books();
        books.part(part).add(amount);
        books.sum();
    }

    pub(crate) fn take(&self, part: Part, amount: Amount) {
        let mut books = self.books();
        books.part(part).take(amount);
        books.sum();
    }

    pub(crate) fn shift(&self, from: Part, to: Part, amount: Amount) {
        let mut books = self.books();
        books.part(from).take(amount);
        books.part(to).add(amount);
    }

    fn reserve(&self, amount: Amount) -> Result<(), Shortage> {
        let mut books = self.books();
        let used = Amount { bytes: books.bytes, entries: books.entries };
        let Space { quota, trash, partials: cut, .. } = *books;
        let short = Shortage { quota, used, cut, needed: amount };
        if short.is_met_for(amount) {
            books.reserved.add(amount);
            books.sum();
            return Ok(());
        }
        Err(Shortage { used: used.minus(trash), ..short })
    }
}

impl Space {
    fn part(&mut self, part: Part) -> &mut Amount {
        match part {
            Part::Files => &mut self.files,
            Part::Partials => &mut self.partials,
            Part::Reserved => &mut self.reserved,
            Part::Trash => &mut self.trash,
        }
    }

    fn sum(&mut self) {
        let all = self.files.plus(self.partials).plus(self.reserved).plus(self.trash);
        (self.bytes, self.entries) = (all.bytes, all.entries);
    }
}

impl Quota {
    /// What of `used` is too much.
    fn beyond(self, used: Amount) -> Amount {
        let over = |used: u64, most: Option<u64>| most.map_or(0, |most| used.saturating_sub(most));
        Amount { bytes: over(used.bytes, self.bytes), entries: over(used.entries, self.entries) }
    }
}

/// Room that is held; what is left of it goes back when this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    ledger: Arc<Ledger>,
    held: Amount,
}

impl Reservation {
    pub(crate) fn empty(ledger: &Arc<Ledger>) -> Self {
        Self { ledger: Arc::clone(ledger), held: Amount::default() }
    }

    pub(crate) fn held(&self) -> Amount {
        self.held
    }

    pub(crate) fn grow(&mut self, amount: Amount) -> Result<(), Shortage> {
        // What is held for the same thing is part of what it needs.
        let of_all = |short: Shortage| Shortage {
            used: short.used.minus(self.held),
            needed: short.needed.plus(self.held),
            ..short
        };
        self.ledger.reserve(amount).map_err(of_all)?;
        self.held.add(amount);
        Ok(())
    }

    /// Takes over room that `part` has now.
    pub(crate) fn take_over(&mut self, part: Part, amount: Amount) {
        self.ledger.shift(part, Part::Reserved, amount);
        self.held.add(amount);
    }

    /// Makes `amount` of what is held part of `part`; it is counted there even if it was not held.
    pub(crate) fn settle(&mut self, part: Part, amount: Amount) {
        let mut books = self.ledger.books();
        let held = Amount {
            bytes: amount.bytes.min(self.held.bytes),
            entries: amount.entries.min(self.held.entries),
        };
        self.held.take(held);
        books.reserved.take(held);
        books.part(part).add(amount);
        books.sum();
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.held.is_nothing() {
            self.ledger.take(Part::Reserved, self.held);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(bytes: u64, entries: u64) -> Arc<Ledger> {
        Arc::new(Ledger::new(Quota { bytes: Some(bytes), entries: Some(entries) }))
    }

    #[test]
    fn the_last_byte_can_be_reserved_and_no_more() {
        let ledger = ledger(100, 10);
        let mut first = Reservation::empty(&ledger);
        first.grow(Amount::entry(99)).unwrap();
        let mut second = Reservation::empty(&ledger);
        let short = second.grow(Amount::entry(2)).unwrap_err();
        assert_eq!(short.lacking(), Amount::bytes(1));
        second.grow(Amount::entry(1)).unwrap();
        assert_eq!(ledger.space().bytes, 100);
        drop(second);
        first.settle(Part::Files, Amount::entry(50));
        assert_eq!((ledger.space().bytes, ledger.space().entries), (99, 1));
        drop(first);
        assert_eq!((ledger.space().bytes, ledger.space().entries), (50, 1));
    }

    #[test]
    fn a_shortage_says_whether_the_trash_could_make_room() {
        let ledger = ledger(100, 10);
        ledger.add(Part::Trash, Amount::entry(40));
        ledger.add(Part::Files, Amount::entry(50));
        let mut reservation = Reservation::empty(&ledger);
        let [few, many] = [50, 51].map(Amount::bytes);
        assert!(reservation.grow(few).unwrap_err().may_end(few));
        let short = reservation.grow(many).unwrap_err();
        assert!(short.lacking().bytes == 1 && !short.may_end(many));
        ledger.shift(Part::Files, Part::Partials, Amount::entry(1));
        let short = reservation.grow(many).unwrap_err();
        assert!(short.may_end(many) && short.without(short.cut).lacking().is_nothing());
    }

    #[test]
    fn a_shortage_tells_of_the_whole_of_what_needs_room() {
        let ledger = ledger(2 << 20, 3);
        ledger.add(Part::Trash, Amount::entry(1 << 20));
        ledger.add(Part::Files, Amount::entry(600 << 10));
        let mut upload = Reservation::empty(&ledger);
        upload.grow(Amount::entry(100 << 10)).unwrap();
        let short = upload.grow(Amount::bytes(2 << 20)).unwrap_err();
        assert_eq!(short.to_string(), "quota 2MiB, used 600KiB, this needs at least 2.1MiB");
        let short = Reservation::empty(&ledger).grow(Amount { bytes: 0, entries: 9 }).unwrap_err();
        let told = "quota 3 files and folders, used 2, this needs at least 9";
        assert_eq!(short.to_string(), told);
    }

    #[test]
    fn what_is_told_of_a_shortage_never_seems_to_fit() {
        let ledger = ledger(10 << 20, 10);
        let used = (58 << 20) / 10 + 7;
        ledger.add(Part::Files, Amount::entry(used - (2 << 20)));
        ledger.add(Part::Partials, Amount::entry(2 << 20));
        let needed = Amount::entry((10 << 20) + 1 - used);
        let short = Reservation::empty(&ledger).grow(needed).unwrap_err();
        let told = "quota 10MiB, used 5.9MiB, this needs at least 4.2MiB; \
                    2MiB of what is used lies in uploads that were cut";
        assert_eq!(short.to_string(), told);
    }

    #[test]
    fn what_takes_no_bytes_is_not_refused_for_bytes() {
        let ledger = ledger(10, 10);
        ledger.add(Part::Files, Amount::entry(50));
        assert!(Reservation::empty(&ledger).grow(Amount::entry(0)).is_ok());
        assert!(Reservation::empty(&ledger).grow(Amount::bytes(1)).is_err());
    }

    #[test]
    fn writers_that_race_never_pass_the_quota() {
        let ledger = ledger(1000, u64::MAX);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for size in 1..500 {
                        let mut held = Reservation::empty(&ledger);
                        if held.grow(Amount::entry(size)).is_ok() {
                            assert!(ledger.space().bytes <= 1000);
                        }
                    }
                });
            }
        });
        assert_eq!(ledger.space().reserved, Amount::default());
    }
}
