//! What the settings mean to the floors below: how accounts, journal and homes are kept.

use std::time::Duration;

use sockeye_accounts::{HashCost, HashCostError, Quota};
use sockeye_store::{Durability as Stored, Keeping, Pool};

use super::{Durability, Settings, Within};
use crate::RESERVED;

/// How long is for ever: longer than any disk.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

impl Settings {
    /// What hashing a password costs.
    pub(super) fn hash_cost(&self) -> Result<HashCost, HashCostError> {
        let kib = u32::try_from(self.login_memory.0 / 1024).unwrap_or(u32::MAX);
        HashCost::new(kib, self.login_passes.get(), 1)
    }

    /// How logins are bounded.
    #[must_use]
    pub fn accounts(&self) -> sockeye_accounts::Settings {
        let mut settings = sockeye_accounts::Settings::default();
        // It was checked when it was read.
        settings.cost = self.hash_cost().unwrap_or_default();
        settings.hashes = self.login_at_once.count();
        settings.hashes_waiting = self.login_waiting.count();
        settings.cache.entries = self.login_remembered.count();
        settings.cache.keep = self.login_remember;
        settings
    }

    /// How the journal is kept.
    #[must_use]
    pub fn journal(&self) -> sockeye_journal::Settings {
        sockeye_journal::Settings {
            segment_size: self.journal_segment.0,
            segment_age: self.journal_segment_age,
            keep_size: self.journal_keep_size.map(|size| size.0),
            keep_age: self.journal_keep,
            sync: self.journal_sync && self.durability == Durability::Sync,
            batch: usize::try_from(self.journal_batch.0).unwrap_or(usize::MAX),
            interval: self.journal_interval,
            longest_append: self.journal_block,
            longest_wait: self.journal_wait,
            off: self.journal_off.iter().copied().collect(),
        }
    }

    /// How homes are kept, but for the quota of each.
    #[must_use]
    pub fn keeping(&self, pool: Pool) -> Keeping {
        let mut keeping = Keeping::default();
        keeping.durability = match self.durability {
            Durability::Sync => Stored::Sync,
            Durability::Rename => Stored::Rename,
        };
        keeping.trash_for = self.trash_keep.unwrap_or(FOR_EVER);
        keeping.partials_for = self.partials_keep;
        keeping.reserved = &RESERVED;
        keeping.pool = pool;
        keeping
    }

    /// The quota of a new account, where none is asked for.
    #[must_use]
    pub fn quota(&self) -> Quota {
        Quota {
            bytes: self.quota_bytes.map(|bytes| bytes.0),
            entries: self.quota_entries.map(|entries| u64::from(Within::get(entries))),
        }
    }
}
