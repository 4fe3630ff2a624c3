//! Content codings (RFC 9110 §8.4): which one an answer takes, by Accept-Encoding.

use super::accept::elements;

/// A way to make a content smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// Brotli (RFC 7932).
    Brotli,
    /// Zstandard (RFC 8878), with a window that every browser takes (RFC 9659).
    Zstd,
    /// Gzip (RFC 1952).
    Gzip,
}

/// The codings: what each is called, and how a file that has it ends. Of equals, the first is taken.
const CODINGS: [(Coding, &str, &str); 3] =
    [(Coding::Brotli, "br", ".br"), (Coding::Zstd, "zstd", ".zst"), (Coding::Gzip, "gzip", ".gz")];

impl Coding {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Brotli, Self::Zstd, Self::Gzip];

    /// Its name in Content-Encoding.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// How the name of a file goes on that has it.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        CODINGS.iter().find(|row| row.0 == self).unwrap_or(&CODINGS[0])
    }
}

/// The codings that Accept-Encoding (RFC 9110 §12.5.3) lets an answer have, the most preferred first. None if it is
/// not there: then nobody asked for any.
#[must_use]
pub fn accepted(accept_encoding: Option<&[u8]>) -> Vec<Coding> {
    let Some(list) = accept_encoding.and_then(|list| str::from_utf8(list).ok()) else {
        return Vec::new();
    };
    let weight = |names: [&str; 2]| {
        let named = |name: &str| names.iter().any(|it| it.eq_ignore_ascii_case(name));
        let of = elements(list).find(|(name, _)| named(name));
        of.or_else(|| elements(list).find(|(name, _)| *name == "*")).map_or(0, |(_, weight)| weight)
    };
    // What has no name here is as good as what is sent unchanged.
    let identity = elements(list).find(|(name, _)| name.eq_ignore_ascii_case("identity"));
    let least = identity.map_or(0, |(_, weight)| weight);
    let mut found: Vec<_> = CODINGS
        .iter()
        // The old name of gzip is as good (§8.4.1.3).
        .map(|(coding, name, _)| {
            (*coding, weight([name, if *name == "gzip" { "x-gzip" } else { name }]))
        })
        .filter(|(_, weight)| *weight > 0 && *weight >= least)
        .collect();
    found.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    found.into_iter().map(|(coding, _)| coding).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_coding_is_the_one_preferred_among_those_there_are() {
        use Coding::{Brotli, Gzip, Zstd};
        for (accept, expected) in [
            ("gzip, deflate, br, zstd", &[Brotli, Zstd, Gzip][..]),
            ("gzip", &[Gzip]),
            ("x-gzip;q=0.5", &[Gzip]),
            ("gzip;q=1.0, br;q=0.5", &[Gzip, Brotli]),
            ("GZIP, *;q=0", &[Gzip]),
            ("*", &[Brotli, Zstd, Gzip]),
            ("*;q=0.1, br;q=0", &[Zstd, Gzip]),
            ("gzip;q=0", &[]),
            ("identity, gzip;q=0.5", &[]),
            ("identity;q=0, gzip;q=0.5", &[Gzip]),
            ("deflate", &[]),
            ("gzip;q=nonsense", &[]),
            ("", &[]),
        ] {
            assert_eq!(accepted(Some(accept.as_bytes())), expected, "{accept}");
        }
        assert!(accepted(None).is_empty());
    }

    #[test]
    fn every_coding_has_a_row() {
        for coding in Coding::ALL {
            assert_eq!(coding.row().0, coding);
        }
    }

    proptest! {
        #[test]
        fn any_list_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert!(accepted(Some(&bytes)).len() <= 3);
        }
    }
}
