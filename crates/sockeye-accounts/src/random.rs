//! Randomness, always the system's own: a generator that a fork copies would repeat itself.

use std::time::{SystemTime, UNIX_EPOCH};

/// Fills an array with random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // The system's randomness fails only before the machine has gathered any, or where the call is
    // forbidden; nothing that needs a secret may go on then.
    #[expect(clippy::expect_used, reason = "without randomness there are no secrets")]
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// A ULID of this moment. A clock before 1970 counts as 1970.
pub(crate) fn ulid() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let random: [u8; 16] = bytes();
    ulid::Ulid::from_parts(millis, u128::from_be_bytes(random)).into()
}
