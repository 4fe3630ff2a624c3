//! The text of the log: from values to lines, and from lines to values. No I/O and no clock.
//!
//! # The format
//!
//! A segment is a file of lines, each one JSON object without spaces between its parts:
//!
//! ```json
//! {"seq":7,"at":"2026-11-21T16:28:49.123456Z","op":"read","outcome":"ok","protocol":"http","user":"alice","from":"192.0.2.1","path":"/notes.txt","bytes":1024,"took_us":87,"hash":"5f0e…"}
//! ```
//!
//! - `seq` counts the lines of the whole log from 1, without gaps; `at` is UTC, in microseconds.
//! - `path` and `to` are text if the name is valid UTF-8. A byte that is not is written `\xHH`, and a
//!   backslash in a name `\\`, so that [`path::unescape`] gives the name back.
//! - `blake3` is the digest of the contents, `took_us` how long it took in microseconds.
//! - `hash` is always last: BLAKE3 over the hash of the line before (32 bytes; zeros before the first
//!   line) and the line up to the comma in front of `"hash"`.
//!
//! The journal writes some lines itself: `segment` is the first of each file and repeats the hash of the
//! last line before it (`previous`) and names the digest of that segment's summary (`summary`);
//! `checkpoint` is signed (`key`, `signature`); `repair`, `retention` and `gap` say what was cut off,
//! removed for its age, or could not be recorded.

pub mod line;
pub mod moment;
pub mod path;
pub(crate) mod put;

/// Longest line of a log, in bytes with its line end; a longer one is broken.
pub const MAX_LINE: usize = 64 * 1024;

/// Longest name of an account, a protocol or a Unix peer in a record, in bytes; more is cut off.
pub const MAX_NAME: usize = 255;

/// Longest path in a record, in bytes (Linux's `PATH_MAX`); more is cut off.
pub const MAX_PATH: usize = 4096;

/// Longest detail in a record, in bytes; more is cut off.
pub const MAX_DETAIL: usize = 1024;

/// The version of the format, as the first line of each segment has it.
pub const FORMAT: u64 = 1;
