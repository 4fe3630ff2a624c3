//! The order of a listing.

use std::cmp::Ordering;

use crate::{Entry, Kind};

/// What a listing is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortKey {
    /// By name, upper and lower case alike.
    #[default]
    Name,
    /// By size.
    Size,
    /// By the time of the last change.
    Modified,
}

/// The order of a listing; folders always stand before files, and equals by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub key: SortKey,
    /// Largest, newest or last first.
    pub descending: bool,
}

impl Order {
    /// Sorts `entries` in place.
    pub fn sort(self, entries: &mut [Entry]) {
        entries.sort_unstable_by(|a, b| self.compare(a, b));
    }

    fn compare(self, a: &Entry, b: &Entry) -> Ordering {
        let folders_first = (b.kind == Kind::Folder).cmp(&(a.kind == Kind::Folder));
        let by_key = match self.key {
            SortKey::Name => Ordering::Equal,
            SortKey::Size => a.size.cmp(&b.size),
            SortKey::Modified => a.modified.cmp(&b.modified),
        };
        let by_key = by_key.then_with(|| compare_names(a, b));
        folders_first.then(if self.descending { by_key.reverse() } else { by_key })
    }
}

/// ASCII letters alike in either case, then by bytes, so that the order is total.
fn compare_names(a: &Entry, b: &Entry) -> Ordering {
    let (left, right) = (a.name.as_bytes(), b.name.as_bytes());
    let alike =
        left.iter().map(u8::to_ascii_lowercase).cmp(right.iter().map(u8::to_ascii_lowercase));
    alike.then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Name, Timestamp};

    fn entry(name: &str, kind: Kind, size: u64, seconds: i64) -> Entry {
        let name = Name::parse(name.as_bytes()).unwrap();
        let modified = Timestamp { seconds, nanos: 0 };
        Entry { name, kind, size, modified, device: 0, inode: 0 }
    }

    fn sorted(key: SortKey, descending: bool) -> String {
        let mut entries = [
            entry("b", Kind::File, 1, 3),
            entry("A", Kind::File, 2, 2),
            entry("a", Kind::File, 2, 1),
            entry("z", Kind::Folder, 0, 9),
        ];
        Order { key, descending }.sort(&mut entries);
        entries.iter().map(|e| e.name.to_string()).collect()
    }

    #[test]
    fn folders_come_first_and_equals_go_by_name() {
        assert_eq!(sorted(SortKey::Name, false), "zAab");
        assert_eq!(sorted(SortKey::Name, true), "zbaA");
        assert_eq!(sorted(SortKey::Size, false), "zbAa");
        assert_eq!(sorted(SortKey::Modified, true), "zbAa");
    }
}
