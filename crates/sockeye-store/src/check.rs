//! Comparing what a home is said to hold with what it holds, and mending it.

use std::sync::Arc;

use crate::{
    Contents, Home, Result,
    keep::{Keep, locked},
    recount,
    space::Part,
};

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// What the home was said to hold; `None` if it was not closed, so that nothing is said.
    pub recorded: Option<Contents>,
    /// What it holds. Uploads under way are not in it.
    pub counted: Contents,
    /// Files among the partials that belong to no upload that could be resumed.
    pub orphaned_partials: u64,
    /// Names in the trash that a crash left: of files that are still in their place, and notes without what they are for.
    pub leftovers: u64,
    /// Digests that are kept of versions that files no longer have. They are never believed, come up wherever files give way
    /// to others, and give way themselves when there are too many: nothing is wrong with the home.
    pub stale_digests: u64,
    /// Whether what was found was mended.
    pub repaired: bool,
}

impl CheckReport {
    /// Whether there was nothing to mend.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.recorded == Some(self.counted) && !self.has_refuse()
    }

    /// Whether nothing is recorded, as after a crash, and there is nothing else to mend: [`Home::space`] does that.
    #[must_use]
    pub fn only_lacks_a_count(&self) -> bool {
        self.recorded.is_none() && !self.has_refuse()
    }

    /// Whether something was found that is of no use any more.
    fn has_refuse(&self) -> bool {
        self.orphaned_partials + self.leftovers > 0
    }
}

impl Home {
    /// Counts everything and compares it with what the home is said to hold. With `repair`, what is found is
    /// mended: orphans and leftovers are removed, stale digests forgotten, and the count is believed.
    ///
    /// Changes wait until it is done; reading goes on.
    ///
    /// # Errors
    /// [`Error::ReadOnly`](crate::Error::ReadOnly); [`Error::Busy`](crate::Error::Busy); [`Error::Io`](crate::Error::Io).
    ///
    /// Cancellation: it is carried on.
    pub async fn check(&self, repair: bool) -> Result<CheckReport> {
        let keep = Arc::clone(self.kept()?);
        self.pool().run(move || keep.examine(repair)).await?
    }
}

impl Keep {
    fn examine(&self, repair: bool) -> Result<CheckReport> {
        let mut report = CheckReport { repaired: repair, ..CheckReport::default() };
        // Not counted: it would be mended by its first change, so it is told before.
        let said = self.known_space();
        let mut recorded = Contents::default();
        {
            let open = locked(&self.open);
            let found = recount::partials(self, &open, repair)?;
            report.orphaned_partials = found.orphans;
            report.counted.partials = found.kept;
            recorded.partials = self.ledger.space().partials;
            if repair {
                self.ledger.set(Part::Partials, found.kept);
            }
        }
        let bin = locked(&self.bin);
        let names = locked(&self.names);
        (report.counted.trash, report.leftovers) = recount::trash(self, repair)?;
        report.counted.files = recount::files(self)?;
        let space = self.ledger.space();
        (recorded.files, recorded.trash) = (space.files, space.trash);
        if repair {
            self.ledger.set(Part::Files, report.counted.files);
            self.ledger.set(Part::Trash, report.counted.trash);
        }
        drop((bin, names));
        report.stale_digests = self.stale_digests(repair)?;
        report.recorded = said.map(|_| recorded);
        if repair {
            // What was counted is written when the home is closed.
            self.ready()?;
        }
        Ok(report)
    }
}
