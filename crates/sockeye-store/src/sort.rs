//! The order of a listing.

use std::cmp::Ordering;

use crate::{Entry, Kind};

/// What a listing is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortKey {
    /// By name, upper and lower case alike, and numbers within by their value.
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

/// As people read names; those that are alike so, by bytes, so that the order is total.
fn compare_names(a: &Entry, b: &Entry) -> Ordering {
    let (left, right) = (a.name.as_bytes(), b.name.as_bytes());
    natural(left, right).then_with(|| left.cmp(right))
}

/// ASCII letters alike in either case, and runs of digits by their value: `page 9` before `Page 10`.
fn natural(mut left: &[u8], mut right: &[u8]) -> Ordering {
    loop {
        let ([l, left_rest @ ..], [r, right_rest @ ..]) = (left, right) else {
            return left.len().cmp(&right.len());
        };
        let order = if l.is_ascii_digit() && r.is_ascii_digit() {
            number(&mut left).cmp(&number(&mut right))
        } else {
            (left, right) = (left_rest, right_rest);
            l.to_ascii_lowercase().cmp(&r.to_ascii_lowercase())
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Takes the digits at the beginning: how many there are, and which, without zeros in front, so that of two
/// numbers of any length the larger one is greater.
fn number<'a>(text: &mut &'a [u8]) -> (usize, &'a [u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    *text = rest;
    let zeros = number.iter().take_while(|&&byte| byte == b'0').count();
    (digits - zeros, &number[zeros..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Name, Timestamp};

    fn entry(name: &str, kind: Kind, size: u64, seconds: i64) -> Entry {
        let name = Name::parse(name.as_bytes()).unwrap();
        let modified = Timestamp { seconds, nanos: 0 };
        Entry { name, kind, size, modified, mode: 0o644, device: 0, inode: 0, linked: false }
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

    #[test]
    fn numbers_in_names_are_sorted_by_their_value() {
        let ordered = [
            "01",
            "1",
            "2 b",
            "2b",
            "10",
            "a",
            "page 9.txt",
            "Page 10.txt",
            "page 010b",
            "page 11",
            "v1.9.0",
            "v1.10",
            "v18446744073709551616",
            "v18446744073709551617",
        ];
        let mut entries = ordered.map(|name| entry(name, Kind::File, 0, 0));
        entries.reverse();
        Order::default().sort(&mut entries);
        assert_eq!(entries.map(|entry| entry.name.to_string()), ordered);
    }

    proptest::proptest! {
        #[test]
        fn the_order_of_names_is_total(mut names: [String; 3]) {
            names.sort_by(|a, b| natural(a.as_bytes(), b.as_bytes()));
            let [a, b, c] = names.each_ref().map(String::as_bytes);
            proptest::prop_assert!(natural(a, b).is_le() && natural(b, c).is_le() && natural(a, c).is_le());
            proptest::prop_assert_eq!(natural(a, c), natural(c, a).reverse());
        }
    }
}
