//! What can come of an operation, as a table.

use std::{fmt, str::FromStr};

use crate::Error;

/// What came of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Outcome {
    /// It was done.
    Ok,
    /// It is not permitted.
    Denied,
    /// What it is about is not there.
    NotFound,
    /// It does not go with what is there: a condition, or a name in use.
    Conflict,
    /// The disk is full.
    NoSpace,
    /// The account's or the folder's quota does not reach.
    OverQuota,
    /// The other side went away in the middle.
    Cut,
    /// Too much was going on.
    Busy,
    /// The system failed.
    Failed,
}

/// Every outcome, in the order of the enum.
const OUTCOMES: [(Outcome, &str); 9] = [
    (Outcome::Ok, "ok"),
    (Outcome::Denied, "denied"),
    (Outcome::NotFound, "not-found"),
    (Outcome::Conflict, "conflict"),
    (Outcome::NoSpace, "no-space"),
    (Outcome::OverQuota, "over-quota"),
    (Outcome::Cut, "cut"),
    (Outcome::Busy, "busy"),
    (Outcome::Failed, "failed"),
];

impl Outcome {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        OUTCOMES.iter().map(|(outcome, _)| *outcome)
    }

    /// As the log writes it: `not-found`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        OUTCOMES[self as usize].1
    }

    /// The outcome of a name that the log writes.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|outcome| outcome.name() == name)
    }

    /// A bit of its own, for sets of outcomes.
    pub(crate) const fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Outcome {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::from_name(name).ok_or_else(|| Error::NoName {
            what: "outcome",
            name: name.to_owned(),
            known: Self::all().map(Self::name).collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_its_enum_and_names_lead_back() {
        for (index, (outcome, name)) in OUTCOMES.iter().enumerate() {
            assert_eq!(*outcome as usize, index, "{name}");
            assert_eq!(name.parse::<Outcome>().unwrap(), *outcome);
        }
        assert!("bad".parse::<Outcome>().unwrap_err().to_string().contains("over-quota"));
    }
}
