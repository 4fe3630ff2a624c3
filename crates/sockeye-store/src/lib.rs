//! The files of a home: safe names, a jail by construction, bounded listings.
//!
//! A [`Home`] is a directory handle, and a [`FilePath`] is the only way to name something in it.
//! Every lookup ends in `openat2` with `RESOLVE_BENEATH`: the kernel itself refuses a path that leaves the
//! folder, symbolic links and races included. A symbolic link works if what it leads to is inside, also
//! if it is absolute.
//!
//! What the kernel has in memory is answered inline (`RESOLVE_CACHED`, `RWF_NOWAIT`); only what
//! would wait for a disk goes to a bounded [`Pool`] of threads.
//!
//! This crate knows nothing of accounts, permissions or protocols.

mod error;
mod file;
mod home;
mod list;
mod lookup;
mod meta;
mod path;
mod sort;

pub use error::{Error, Result};
pub use file::File;
pub use home::{Folder, Home, Opened};
pub use list::{Entry, Listing};
pub use meta::{Kind, Meta, Timestamp};
pub use path::{FilePath, MAX_NAME, MAX_PATH, Name, NameError, PathBuilder, readable};
pub use sockeye::pool::{Pool, PoolLimits};
pub use sort::{Gathered, Order, SortKey};
