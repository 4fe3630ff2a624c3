//! Passwords: the hash that is kept, and the bounded work of making and checking it.
//!
//! Argon2id (RFC 9106). What is kept says with which parameters it was made, so that they can change; or it is another
//! program's, until its owner logs in.

mod crypt;
mod hasher;
mod memory;

use std::{fmt, str::FromStr};

use data_encoding::BASE64_NOPAD;

use self::crypt::Crypt;
pub use self::crypt::{MAX_BCRYPT_COST, MAX_ROUNDS};
pub(crate) use self::hasher::Hasher;

/// Bytes of a new salt (RFC 9106 §3.1 recommends 16).
const SALT: usize = 16;

/// Bytes of a hash.
const OUTPUT: usize = 32;

/// Most memory that a hash may ask for, in KiB: more is refused, whoever wrote it into the database.
pub const MAX_MEMORY: u32 = 256 * 1024;

/// Most passes over the memory.
pub const MAX_PASSES: u32 = 64;

/// Most that a hash from elsewhere may have written in all its passes together, in KiB: four times what other programs
/// ask for, and below a second.
pub const MAX_BROUGHT_WORK: u32 = 1024 * 1024;

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

/// What is kept of a password: its Argon2id hash with salt and cost, or what another program kept of it.
///
/// Printed and parsed as a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`, or as `crypt(3)` prints its own: `$y$`,
/// `$6$`, `$5$`, `$2b$`. `Debug` shows the kind and the cost alone.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Kept);

#[derive(Clone, PartialEq, Eq)]
enum Kept {
    Own(Argon2id),
    Brought(Crypt),
}

/// A hash of our own kind.
#[derive(Clone, PartialEq, Eq)]
struct Argon2id {
    cost: HashCost,
    salt: Box<[u8]>,
    output: [u8; OUTPUT],
}

/// The text is no hash that a password can be checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordHashError {
    /// It is of no form that is known here, or not in full.
    #[error(
        "a password's hash is of none of the forms $argon2id$v=19$…, $y$…, $6$…, $5$… and $2b$…"
    )]
    Form,
    /// It is of a kind that is not taken, weak ones above all.
    #[error("this hash is {0}, which is not taken: give the account a new password")]
    NotTaken(&'static str),
    /// Checking it costs more than anybody who asks may have computed.
    #[error("this hash costs more to check than is taken, {0}: give the account a new password")]
    TooDear(&'static str),
}

impl PasswordHash {
    /// Reads a hash that was made elsewhere, which anybody may have written.
    ///
    /// # Errors
    /// As [`FromStr`], and [`PasswordHashError::TooDear`] for Argon2id beyond [`MAX_BROUGHT_WORK`]. Of one that we kept
    /// ourselves the parameters are bounded, each for itself.
    pub fn from_elsewhere(text: &str) -> Result<Self, PasswordHashError> {
        let hash: Self = text.parse()?;
        let work = hash.cost().map(|cost| cost.memory.saturating_mul(cost.passes));
        if work.is_some_and(|work| work > MAX_BROUGHT_WORK) {
            return Err(PasswordHashError::TooDear(
                "at most 1 GiB for argon2id, memory times passes",
            ));
        }
        Ok(hash)
    }

    /// With which cost it was made, if it is of our own kind.
    #[must_use]
    pub fn cost(&self) -> Option<HashCost> {
        match &self.0 {
            Kept::Own(own) => Some(own.cost),
            Kept::Brought(_) => None,
        }
    }
}

impl FromStr for PasswordHash {
    type Err = PasswordHashError;

    fn from_str(text: &str) -> Result<Self, PasswordHashError> {
        match text.strip_prefix("$argon2id$v=19$") {
            Some(rest) => {
                let own = Argon2id::parse(rest).ok_or(PasswordHashError::Form)?;
                Ok(Self(Kept::Own(own)))
            }
            None => Crypt::parse(text).map(|brought| Self(Kept::Brought(brought))),
        }
    }
}

impl Argon2id {
    /// What follows the version.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('$');
        let (costs, salt, output) = (parts.next()?, parts.next()?, parts.next()?);
        let decode = |text: &str| BASE64_NOPAD.decode(text.as_bytes()).ok();
        let (salt, output) = (decode(salt)?, decode(output)?);
        let is_fitting = (8..=64).contains(&salt.len()) && parts.next().is_none();
        let cost = parse_cost(costs).filter(|_| is_fitting)?;
        Some(Self { cost, salt: salt.into(), output: output.try_into().ok()? })
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
        let Argon2id { cost, salt, output } = match &self.0 {
            Kept::Own(own) => own,
            Kept::Brought(brought) => return f.write_str(brought.as_str()),
        };
        let HashCost { memory, passes, lanes } = cost;
        let (salt, output) = (BASE64_NOPAD.encode(salt), BASE64_NOPAD.encode(output));
        write!(f, "$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${output}")
    }
}

impl fmt::Debug for Argon2id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cost.fmt(f)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kept::Own(own) => write!(f, "PasswordHash({own:?})"),
            Kept::Brought(brought) => write!(f, "PasswordHash({}…)", brought.start()),
        }
    }
}

/// For what has to cross the control socket: the hash is written out.
pub(crate) mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::PasswordHash;

    pub(crate) fn serialize<S: Serializer>(hash: &PasswordHash, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hash.to_string())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<PasswordHash, D::Error> {
        PasswordHash::from_elsewhere(&String::deserialize(from)?).map_err(D::Error::custom)
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
        assert_eq!(hash.cost(), HashCost::new(65536, 3, 4).ok());
        assert_eq!(hash.to_string(), FOREIGN);
    }

    #[test]
    fn neither_salt_nor_hash_is_shown() {
        let shown = format!("{:?}", FOREIGN.parse::<PasswordHash>().unwrap());
        assert!(!shown.contains("c2Fsd") && !shown.contains("4T/Q"), "{shown}");
        let brought = "$5$saltstring$vc6YOOogU4kWVvwga8e9zTFgKcy4tb5LaPxIiPJzqEC";
        let brought: PasswordHash = brought.parse().unwrap();
        assert_eq!(format!("{brought:?}"), "PasswordHash($5$…)");
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
            assert!(text.parse::<PasswordHash>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_hash_from_elsewhere_is_bounded_in_all_that_it_costs_together() {
        for (costs, is_taken) in
            [("m=262144,t=4", true), ("m=262144,t=5", false), ("m=65536,t=64", false)]
        {
            let text = FOREIGN.replace("m=65536,t=3", costs);
            let read = PasswordHash::from_elsewhere(&text);
            assert_eq!(read.is_ok(), is_taken, "{costs}");
            if let Err(error) = read {
                assert!(error.to_string().contains("at most 1 GiB"), "{error}");
            }
            text.parse::<PasswordHash>().unwrap();
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "(\\$argon2id\\$v=19\\$m=8,t=1,p=1\\$)?[$a-z0-9=,]{0,80}") {
            let _ = text.parse::<PasswordHash>();
        }
    }
}
