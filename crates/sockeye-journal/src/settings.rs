//! How a log is kept: its limits, each with a default.

use std::time::Duration;

use crate::operation::Kinds;

/// How a log is written and kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How large a segment grows, in bytes, before the next one begins; 64 MiB by default, at least
    /// [`Settings::LEAST_SEGMENT`]. It may be exceeded by one batch.
    pub segment_size: u64,
    /// How old a segment grows before the next one begins, as soon as something is written; a day by
    /// default, at least [`Settings::LEAST_AGE`].
    pub segment_age: Duration,
    /// How much is kept in all, in bytes; the oldest sealed segments go first. 16 GiB by default,
    /// `None` for everything.
    pub keep_size: Option<u64>,
    /// How long a sealed segment is kept after its last line; `None`, the default, for ever.
    pub keep_age: Option<Duration>,
    /// Whether each batch reaches the disk before whoever waits is told (fdatasync(2)); true by
    /// default. Without it a crash of the system, not of the server, may lose the last seconds.
    pub sync: bool,
    /// How many bytes of lines wait in memory while others are being written; 4 MiB by default, at
    /// least [`Settings::LEAST_BATCH`]. The last quarter is for mutations alone.
    pub batch: usize,
    /// How long a line that nobody waits for may stay in memory; 200 ms by default.
    pub interval: Duration,
    /// How long [`append`](crate::Journal::append) blocks at most when the batch is full; 250 ms by
    /// default.
    pub longest_append: Duration,
    /// How long [`wait`](crate::Journal::wait) waits at most, and closing tries; 5 s by default.
    pub longest_wait: Duration,
    /// Kinds of operations that are not recorded; none by default.
    pub off: Kinds,
}

impl Settings {
    /// The smallest segments there are, in bytes.
    pub const LEAST_SEGMENT: u64 = 4096;

    /// The least age at which a segment ends: longer than it takes to sign one in which nothing
    /// happens.
    pub const LEAST_AGE: Duration = Duration::from_secs(10);

    /// The smallest batches there are, in bytes.
    pub const LEAST_BATCH: usize = 64 * 1024;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            segment_size: 64 << 20,
            segment_age: Duration::from_secs(86_400),
            keep_size: Some(16 << 30),
            keep_age: None,
            sync: true,
            batch: 4 << 20,
            interval: Duration::from_millis(200),
            longest_append: Duration::from_millis(250),
            longest_wait: Duration::from_secs(5),
            off: Kinds::default(),
        }
    }
}
