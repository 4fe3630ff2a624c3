//! What is remembered of uploads that somebody has left: digests as far as they were, and which were committed.
//!
//! All of it is for speed and for clients that missed an answer; nothing is lost with it that matters.

use std::collections::VecDeque;

use super::tracker::Tracker;
use crate::id::PartialId;

/// Uploads of which the digests are remembered, in one home: some 2 KiB each.
const MOST_LEFT: usize = 128;

/// Uploads that are remembered to have been committed, in one home.
const MOST_DONE: usize = 1024;

/// What is remembered, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Left {
    trackers: VecDeque<(PartialId, Tracker)>,
    done: VecDeque<(PartialId, u64)>,
}

impl Left {
    /// Remembers the digests of what is there of an upload.
    pub(crate) fn put(&mut self, id: PartialId, tracker: Tracker) {
        self.trackers.retain(|(other, _)| *other != id);
        if self.trackers.len() == MOST_LEFT {
            self.trackers.pop_front();
        }
        self.trackers.push_back((id, tracker));
    }

    /// Gives the digests back, and forgets them.
    pub(crate) fn take(&mut self, id: PartialId) -> Option<Tracker> {
        let at = self.trackers.iter().position(|(other, _)| *other == id)?;
        self.trackers.remove(at).map(|(_, tracker)| tracker)
    }

    /// Remembers that an upload became a file of so many bytes.
    pub(crate) fn done(&mut self, id: PartialId, length: u64) {
        if self.done.len() == MOST_DONE {
            self.done.pop_front();
        }
        self.done.push_back((id, length));
    }

    /// How long the file is that an upload became, if that is remembered.
    pub(crate) fn is_done(&self, id: PartialId) -> Option<u64> {
        self.done.iter().rev().find(|(other, _)| *other == id).map(|(_, length)| *length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Ids;

    #[test]
    fn no_more_is_remembered_than_may_be() {
        let (ids, mut left) = (Ids::new(), Left::default());
        let given: Vec<_> = (0..MOST_DONE + 1).map(|_| PartialId::new(ids.next())).collect();
        for id in &given {
            left.put(*id, Tracker::new(None));
            left.done(*id, 7);
        }
        let [first, .., last] = given[..] else { unreachable!() };
        assert_eq!((left.trackers.len(), left.done.len()), (MOST_LEFT, MOST_DONE));
        assert!(left.take(first).is_none() && left.is_done(first).is_none());
        assert!(left.take(last).is_some() && left.take(last).is_none());
        assert_eq!(left.is_done(last), Some(7));
    }
}
