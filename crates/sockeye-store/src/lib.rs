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
//! A home that is [kept](Home::keep) can be changed as well. An [`Upload`] is written aside and put in its place
//! at once, when it is whole; what is removed or replaced goes to a trash. What all of that takes is counted
//! exactly, and never passes the [`Quota`]. A crash at any moment leaves whole files, and uploads that can be resumed.
//! [`Marks`] keep what clients say of files (properties, locks), and follow them.
//!
//! ```
//! use sockeye_store::{FilePath, Home, Keeping, UploadOptions};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let home = Home::keep(&dir.path().join("alice"), Keeping::default())?;
//! let path = FilePath::parse(b"notes.txt")?;
//! let mut upload = home.upload(&path, UploadOptions::default()).await?;
//! upload.write(b"one line\n").await?;
//! let committed = upload.commit().await?;
//! assert_eq!(committed.meta.size, 9);
//! assert_eq!(home.space().await?.files.bytes, 9);
//! # Ok(())
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     tokio::runtime::Builder::new_current_thread().build()?.block_on(example())
//! # }
//! ```
//!
//! This crate knows nothing of accounts, permissions or protocols.

mod aside;
mod change;
mod check;
mod copy;
mod digest;
mod digests;
mod error;
mod file;
mod gather;
mod growing;
mod home;
mod id;
mod install;
mod keep;
mod list;
mod lookup;
mod marks;
mod meta;
mod partials;
mod path;
mod place;
mod recount;
mod rename;
mod room;
mod sort;
mod space;
mod sqlite;
mod trash;
mod tree;
mod upload;
mod usage;

pub use change::{Expired, Recursive};
pub use check::CheckReport;
pub use copy::Copied;
pub use digest::{Algorithm, Digest};
pub use digests::Digests;
pub use error::{Error, Result};
pub use file::File;
pub use gather::{LeftOut, Tree, Wanted, Wish};
pub use home::{Folder, Home, Opened};
pub use id::{BadId, PartialId, TrashId};
pub use keep::{Durability, Keeping};
pub use list::{Entry, Listing};
pub use marks::{
    BadToken, Claim, Lock, LockDepth, LockRequest, LockScope, LockToken, MAX_HOME_PROPERTIES,
    MAX_HOME_PROPERTY_BYTES, MAX_LOCK_OWNER, MAX_LOCK_TIMEOUT, MAX_LOCKS, MAX_PROPERTIES,
    MAX_PROPERTY, MAX_PROPERTY_BYTES, MAX_PROPERTY_NAME, Marks, Property, PropertyChange,
    PropertyName,
};
pub use meta::{Kind, Meta, Timestamp, Version};
pub use partials::{Noted, Partial, Progress};
pub use path::{FilePath, MAX_NAME, MAX_PATH, Name, NameError, PathBuilder, readable};
pub use rename::Overwrite;
pub use room::{Aside, GaveWay, Lack, PARTIAL_RESTS, Principal};
pub use sockeye::pool::{Pool, PoolLimits};
pub use sort::{Order, SortKey};
pub use space::{Amount, Quota, Shortage, Space};
pub use trash::{Purge, TrashEntry};
pub use upload::{Committed, Condition, Start, Upload, UploadOptions};
pub use usage::Contents;
