//! Sizes, and whole numbers within bounds.

use std::{fmt, str::FromStr};

use sockeye::quantity::{QuantityError, format_size, parse_size};

use super::{Raw, Value, quoted};

/// A size in bytes, or bytes a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        format_size(self.0).fmt(f)
    }
}

/// Reads a size as people write one: as [`parse_size`] does, and a unit of one letter as the binary one, which is what it
/// says in `ls -h`, `du` and systemd. `5G` and `5GiB` are the same, and `5GB` is the power of ten.
impl FromStr for Bytes {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_letter = matches!(unit, "k" | "K" | "m" | "M" | "g" | "G" | "t" | "T" | "p" | "P");
        if is_letter { parse_size(&format!("{text}iB")) } else { parse_size(text) }.map(Self)
    }
}

/// A whole number within bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Within<const LEAST: u32, const MOST: u32>(u32);

impl<const LEAST: u32, const MOST: u32> Within<LEAST, MOST> {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The number that is nearest to this one.
    pub(super) fn nearest(count: usize) -> Self {
        Self(u32::try_from(count).unwrap_or(u32::MAX).clamp(LEAST, MOST))
    }

    /// The number, as a count of things in memory.
    #[must_use]
    pub const fn count(self) -> usize {
        self.0 as usize
    }
}

impl Value for Bytes {
    fn expected() -> String {
        "a size, as \"64KiB\" or \"10GiB\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().or(raw.digits()).ok_or_else(|| Self::unlike(raw))?;
        text.parse().map_err(|error: QuantityError| error.to_string())
    }

    fn print(&self) -> String {
        quoted(&self.to_string())
    }
}

impl<const LEAST: u32, const MOST: u32> Value for Within<LEAST, MOST> {
    fn expected() -> String {
        format!("a whole number from {LEAST} to {MOST}")
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let digits = raw.digits().ok_or_else(|| Self::unlike(raw))?;
        let number = digits.parse().ok().filter(|number| (LEAST..=MOST).contains(number));
        number.map(Self).ok_or_else(|| Self::unlike(raw))
    }

    fn print(&self) -> String {
        self.0.to_string()
    }
}
