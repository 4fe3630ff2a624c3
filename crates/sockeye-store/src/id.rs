//! The names of what a home keeps aside: ULIDs, which sort by the time they were given.

use std::{
    fmt,
    str::FromStr,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ulid::Ulid;

/// Bits of a ULID that are not time.
const TAIL: u32 = 80;

/// Some text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id has 26 letters and digits, such as 01JD7YV3W8Z6T1Q2R4S5K9X0AB")]
pub struct BadId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Ulid);

        impl $name {
            pub(crate) fn new(id: Ulid) -> Self {
                Self(id)
            }

            /// When it was given, by the clock of then; precise to the millisecond.
            #[must_use]
            pub fn created(self) -> SystemTime {
                UNIX_EPOCH + Duration::from_millis(self.0.timestamp_ms())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0.array_to_str(&mut [0; ulid::ULID_LEN]))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        /// Only the one way of writing an id is taken, as it names a file.
        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let id = Ulid::from_string(text).map_err(|_| BadId)?;
                let same = id.array_to_str(&mut [0; ulid::ULID_LEN]) == text;
                same.then_some(Self(id)).ok_or(BadId)
            }
        }
    };
}

id! {
    /// Names an upload that was begun, until it is committed or aborted.
    PartialId
}

id! {
    /// Names something in the trash.
    TrashId
}

/// Gives ids, each greater than the one before, also if the clock is set back.
#[derive(Debug)]
pub(crate) struct Ids {
    last: Mutex<u128>,
    /// What ids given within the same millisecond by another start of the home differ by.
    salt: u128,
}

impl Ids {
    pub(crate) fn new() -> Self {
        let mut random = [0; 10];
        // Before the system has randomness nobody uploads; the time alone tells ids apart then.
        let _ = rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::NONBLOCK);
        let salt = random.iter().fold(0, |salt: u128, byte| salt << 8 | u128::from(*byte));
        Self { last: Mutex::new(0), salt }
    }

    pub(crate) fn next(&self) -> Ulid {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = (now.as_millis() << TAIL | self.salt).max(*last + 1);
        Ulid(*last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_given_in_order_and_read_back() {
        let ids = Ids::new();
        let given: Vec<_> = (0..1000).map(|_| PartialId::new(ids.next())).collect();
        assert!(given.is_sorted_by(|a, b| a < b));
        for id in given {
            assert_eq!(id.to_string().parse(), Ok(id));
            assert!(id.created().elapsed().unwrap() < Duration::from_secs(600));
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in
            ["", "x", "../etc/passwd", "01jd7yv3w8z6t1q2r4s5k9x0ab", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ"]
        {
            assert_eq!(text.parse::<TrashId>(), Err(BadId), "{text}");
        }
    }
}
