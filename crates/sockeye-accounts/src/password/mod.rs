//! Passwords: the hash that is kept, and the bounded work of making and checking it.
//!
//! Argon2id (RFC 9106). What is kept says with which parameters it was made, so that they can change.

mod hasher;
mod memory;

use std::{fmt, str::FromStr};

use data_encoding::BASE64_NOPAD;

pub(crate) use self::hasher::Hasher;

/// Bytes of a new salt (RFC 9106 §3.1 recommends 16).
const SALT: usize = 16;

/// Bytes of a hash.
const OUTPUT: usize = 32;

/// Most memory that a hash may ask for, in KiB: more is refused, whoever wrote it into the database.
pub const MAX_MEMORY: u32 = 256 * 1024;

/// Most passes over the memory.
pub const MAX_PASSES: u32 = 64;

/// Most lanes.
pub const MAX_LANES: u32 = 16;

/// What a hash costs to make.
///
/// The default is what OWASP's password storage cheat sheet names first for Argon2id: 19 MiB, two
/// passes, one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    memory: u32,
    passes: u32,
    lanes: u32,
}

/// The costs are out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a password's hash takes 8 KiB for each lane to 256 MiB of memory, 1 to 64 passes and 1 to 16 lanes"
)]
pub struct HashCostError;

impl Default for HashCost {
    fn default() -> Self {
        Self { memory: 19 * 1024, passes: 2, lanes: 1 }
    }
}

impl HashCost {
    /// A cost of `memory` KiB, `passes` over it, and `lanes`.
    ///
    /// # Errors
    /// If one is out of range: [`MAX_MEMORY`], [`MAX_PASSES`], [`MAX_LANES`], and 8 KiB for each lane at
    /// least.
    pub const fn new(memory: u32, passes: u32, lanes: u32) -> Result<Self, HashCostError> {
        let known = passes >= 1 && passes <= MAX_PASSES && lanes >= 1 && lanes <= MAX_LANES;
        if known && memory >= 8 * lanes && memory <= MAX_MEMORY {
            Ok(Self { memory, passes, lanes })
        } else {
            Err(HashCostError)
        }
    }

    /// The memory that one hash takes, in KiB.
    #[must_use]
    pub const fn memory(self) -> u32 {
        self.memory
    }

    /// How often it goes over the memory.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// How many lanes there are; they are computed one after the other.
    #[must_use]
    pub const fn lanes(self) -> u32 {
        self.lanes
    }
}

/// What is kept of a password: its Argon2id hash with salt and cost.
///
/// Printed and parsed as a PHC string: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`. `Debug` shows the
/// cost alone.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    cost: HashCost,
    salt: Box<[u8]>,
    output: [u8; OUTPUT],
}

/// The text is no Argon2id hash as this crate makes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password's hash is not of the form $argon2id$v=19$m=…,t=…,p=…$SALT$HASH")]
pub struct PasswordHashError;

impl PasswordHash {
    /// With which cost it was made.
    #[must_use]
    pub fn cost(&self) -> HashCost {
        self.cost
    }
}

impl FromStr for PasswordHash {
    type Err = PasswordHashError;

    fn from_str(text: &str) -> Result<Self, PasswordHashError> {
        let mut parts = text.strip_prefix("$argon2id$v=19$").ok_or(PasswordHashError)?.split('$');
        let mut next = || parts.next().ok_or(PasswordHashError);
        let (costs, salt, output) = (next()?, next()?, next()?);
        let decode =
            |text: &str| BASE64_NOPAD.decode(text.as_bytes()).map_err(|_| PasswordHashError);
        let (salt, output) = (decode(salt)?, decode(output)?);
        let output = output.try_into().map_err(|_| PasswordHashError)?;
        let is_fitting = (8..=64).contains(&salt.len()) && parts.next().is_none();
        let cost = parse_cost(costs).filter(|_| is_fitting).ok_or(PasswordHashError)?;
        Ok(Self { cost, salt: salt.into(), output })
    }
}

/// `m=…,t=…,p=…`.
fn parse_cost(text: &str) -> Option<HashCost> {
    let mut parts = text.split(',');
    let mut number = |name: &str| parts.next()?.strip_prefix(name)?.parse::<u32>().ok();
    let (memory, passes, lanes) = (number("m=")?, number("t=")?, number("p=")?);
    let cost = HashCost::new(memory, passes, lanes).ok()?;
    parts.next().is_none().then_some(cost)
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HashCost { memory, passes, lanes } = self.cost;
        let (salt, output) = (BASE64_NOPAD.encode(&self.salt), BASE64_NOPAD.encode(&self.output));
        write!(f, "$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${output}")
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordHash({:?})", self.cost)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of the form that other programs write, too; of no particular password.
    const FOREIGN: &str = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0c2FsdA$\
                           4T/QYdPTZ7Mmz7cVgXMC2kXXWBEQQhbG3hF9Y2l8cXQ";

    #[test]
    fn a_hash_is_read_back_as_it_was_written() {
        let hash: PasswordHash = FOREIGN.parse().unwrap();
        assert_eq!(hash.cost(), HashCost::new(65536, 3, 4).unwrap());
        assert_eq!(hash.to_string(), FOREIGN);
    }

    #[test]
    fn neither_salt_nor_hash_is_shown() {
        let shown = format!("{:?}", FOREIGN.parse::<PasswordHash>().unwrap());
        assert!(!shown.contains("c2Fsd") && !shown.contains("4T/Q"), "{shown}");
    }

    #[test]
    fn a_hash_that_asks_for_too_much_is_refused() {
        for (from, to) in [
            ("m=65536", "m=4294967295"),
            ("t=3", "t=65"),
            ("p=4", "p=0"),
            ("m=65536", "m=31"),
            ("v=19", "v=16"),
            ("argon2id", "argon2d"),
            ("c2FsdHNhbHRzYWx0c2FsdA", "c2Fs"),
            ("4T/QYdPT", ""),
            ("t=3,", ""),
        ] {
            let text = FOREIGN.replace(from, to);
            assert_eq!(text.parse::<PasswordHash>(), Err(PasswordHashError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "(\\$argon2id\\$v=19\\$m=8,t=1,p=1\\$)?[$a-z0-9=,]{0,80}") {
            let _ = text.parse::<PasswordHash>();
        }
    }
}
