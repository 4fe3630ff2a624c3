//! What counts as one download by a share's link.
//!
//! A download is counted when it begins to be sent, before its first byte, and kept in the accounts at once: of many
//! at the same time, no more than there may be are sent. It is
//!
//! - a file from its first byte to its last, each time it is asked for;
//! - or an archive of a folder, likewise, in which no file is counted by itself;
//! - or any other stretch of a file or an archive, unless it belongs to a download of the same one (of the same version) that
//!   was counted for the same address (an IPv6 /64) in the last 24 hours. To one download belong stretches of twice
//!   its size in all, and 64 KiB: a broken download is resumed, a player looks around, and nobody fetches a
//!   file in pieces again and again for one.
//!
//! A player that asks for the first bytes and then for the whole is one download: the first whole belongs to what
//! the stretch was counted for. Nothing that only tells of a file (HEAD, a page) counts. What is remembered of
//! addresses is lost at a restart; then a resumed download counts anew.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sockeye::Site;
use sockeye_accounts::ShareId;
use sockeye_store::Version;
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

use crate::{Error, Origin, Range, Result, gate::accounts_failed, seat::Seat};

/// How long stretches belong to a download that was counted.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What a download allows beyond twice its file's size.
const SLACK: u64 = 64 * 1024;

/// Most downloads that are remembered; beyond, those that end first are forgotten.
const MOST: usize = 16 * 1024;

/// The downloads that were counted a short while ago.
#[derive(Debug, Default)]
pub(crate) struct Downloads(Mutex<HashMap<Key, Ticket>>);

/// Who downloads by which share.
type Visitor = (ShareId, Option<Site>);

/// Who downloads what.
type Key = (Visitor, Thing);

/// What is downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Thing {
    File(Version),
    /// What is made of many files, by a hash of what it is.
    Archive(u128),
}

#[derive(Clone, Debug)]
struct Ticket {
    until: Instant,
    /// What it still allows; locked while a download is being counted, so that two stretches of one are not two.
    rest: Arc<AsyncMutex<Rest>>,
}

/// What a download still allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rest {
    /// Bytes.
    bytes: u64,
    /// Whether the whole file was begun.
    begun: bool,
}

impl Rest {
    /// Takes a stretch from it; whether that belonged to it.
    fn take(&mut self, range: Range, size: u64) -> bool {
        let whole = is_whole(range, size);
        if self.bytes < range.length || self.bytes == 0 || whole && self.begun {
            return false;
        }
        self.bytes -= range.length;
        self.begun |= whole;
        true
    }

    /// What is left of a new download that begins with a stretch.
    fn after(range: Range, size: u64) -> Self {
        let allowed = size.saturating_mul(2).saturating_add(SLACK);
        Self { bytes: allowed - range.length.min(size), begun: is_whole(range, size) }
    }
}

fn is_whole(range: Range, size: u64) -> bool {
    range.offset == 0 && range.length >= size
}

impl Downloads {
    /// Whether something was counted for somebody there by this share, which they may still be at.
    pub(super) fn is_known(&self, share: ShareId, origin: &Origin) -> bool {
        let (visitor, now) = ((share, origin.site()), Instant::now());
        self.table().iter().any(|((who, _), ticket)| *who == visitor && now < ticket.until)
    }

    fn ticket(&self, key: Key) -> Ticket {
        let now = Instant::now();
        let mut table = self.table();
        if let Some(ticket) = table.get(&key).filter(|ticket| now < ticket.until) {
            return ticket.clone();
        }
        if table.len() >= MOST {
            table.retain(|_, ticket| now < ticket.until);
        }
        if table.len() >= MOST {
            // A quarter at once, so that this is seldom.
            let mut ends: Vec<_> = table.values().map(|ticket| ticket.until).collect();
            let (_, end, _) = ends.select_nth_unstable(MOST / 4);
            let end = *end;
            table.retain(|_, ticket| ticket.until > end);
        }
        let ticket = Ticket { until: now + KEPT, rest: Arc::default() };
        table.insert(key, ticket.clone());
        ticket
    }

    fn forget(&self, key: &Key) {
        self.table().remove(key);
    }

    fn table(&self) -> MutexGuard<'_, HashMap<Key, Ticket>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Counts what is about to be sent of something of this size, if somebody came by a link to it.
    ///
    /// # Errors
    /// [`Error::Exhausted`] if there were as many downloads as there may be; [`Error::Io`].
    pub(crate) async fn count_download(&self, what: Thing, size: u64, range: Range) -> Result<()> {
        let Some(visit) = self.visit().filter(|visit| !visit.is_counted()) else { return Ok(()) };
        let share = visit.share();
        let visitor = (share.id, self.origin().site());
        let (key, downloads) = ((visitor, what), self.gate().downloads());
        let ticket = downloads.ticket(key);
        let mut rest = ticket.rest.lock().await;
        if rest.take(range, size) {
            return Ok(());
        }
        match self.gate().accounts().count_download(share.id).await.map_err(accounts_failed) {
            Ok(true) => {
                *rest = Rest::after(range, size);
                Ok(())
            }
            Ok(false) => {
                if rest.bytes == 0 {
                    downloads.forget(&key);
                }
                Err(Error::Exhausted)
            }
            // Nobody waits for a number that bounds nothing.
            Err(error) if share.downloads.is_none() => {
                tracing::warn!(share = %share.id, %error, "a download is not counted");
                *rest = Rest::after(range, size);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 1_000_000;
    const WHOLE: Range = Range { offset: 0, length: SIZE };

    fn range(offset: u64, length: u64) -> Range {
        Range { offset, length }
    }

    #[test]
    fn a_download_is_resumed_and_looked_around_in_but_not_begun_twice() {
        let mut rest = Rest::after(WHOLE, SIZE);
        assert!(rest.take(range(500_000, 500_000), SIZE), "resumed");
        assert!(rest.take(range(0, 2), SIZE), "looked at");
        assert!(!rest.take(WHOLE, SIZE), "begun again");
    }

    #[test]
    fn a_look_at_the_first_bytes_and_the_whole_are_one_download() {
        let mut rest = Rest::after(range(0, 2), SIZE);
        assert!(rest.take(WHOLE, SIZE));
        assert!(!rest.take(WHOLE, SIZE));
    }

    #[test]
    fn no_more_than_twice_the_file_belongs_to_one_download() {
        let mut rest = Rest::after(range(1, SIZE - 1), SIZE);
        let mut fetched = 0;
        while rest.take(range(1, SIZE - 1), SIZE) {
            fetched += SIZE - 1;
        }
        assert!(fetched <= SIZE + SLACK + 1, "{fetched}");
        assert!(!Rest::default().take(range(0, 0), SIZE), "nothing belongs to no download");
    }

    #[test]
    fn an_empty_file_is_counted_each_time() {
        let mut rest = Rest::after(range(0, 0), 0);
        assert!(!rest.take(range(0, 0), 0));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let downloads = Downloads::default();
        let file = sockeye_store::Meta {
            kind: sockeye_store::Kind::File,
            size: 1,
            modified: sockeye_store::Timestamp { seconds: 0, nanos: 0 },
            mode: 0o644,
            device: 1,
            inode: 1,
        };
        let file = Thing::File(file.version());
        let share = ShareId::generate();
        for n in 0..u32::try_from(MOST).unwrap() + 10 {
            let site = Site::of(std::net::Ipv4Addr::from(n).into());
            downloads.ticket(((share, Some(site)), file));
            assert!(downloads.table().len() <= MOST);
        }
    }
}
