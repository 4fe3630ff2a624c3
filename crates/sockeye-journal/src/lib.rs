//! An operation log: who did what, when, from where, on what, and what came of it.
//!
//! - [`Journal`] appends. Lines go into memory and one thread writes them in groups; who changes
//!   something [waits](Journal::wait) until its record is on the disk, who reads does not.
//! - [`Reader`] looks for lines ([`Query`]), follows and exports them, and needs no running server.
//! - [`verify()`] says whether the log is whole; its documentation tells what that means, and what not.
//! - Each line is a JSON object (the format stands in [`wire`]) whose hash covers all lines before. A
//!   signature over the whole is added each second in which something is written.
//!
//! When the disk is full, nothing is dropped: what was appended is kept and tried again, the
//! [`State`] says so, and once the bound of memory is reached appending fails.
//!
//! ```
//! use sockeye_journal::{Journal, Operation, Outcome, Record, Settings};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let journal = Journal::open(folder, Settings::default())?;
//! let ticket = journal.append(&Record {
//!     account: Some("alice"),
//!     path: Some(b"/notes.txt"),
//!     ..Record::new(Operation::Write, Outcome::Ok, "http")
//! })?;
//! journal.wait(ticket).await?;
//! journal.close()?;
//! # Ok(())
//! # }
//! ```

mod batch;
mod chain;
mod error;
mod head;
mod journal;
mod key;
mod operation;
mod outcome;
mod read;
mod record;
mod replace;
mod segments;
mod settings;
mod snapshot;
mod summary;
pub mod verify;
pub mod wire;
mod writer;
mod written;

pub use chain::Hash;
pub use error::{Error, Result, Stalled};
pub use head::{HEAD_FILE, Head};
pub use journal::{Journal, State, Ticket};
pub use key::{KEY_FILE, PublicKey};
pub use operation::{Event, Kind, Kinds, Operation, Own};
pub use outcome::Outcome;
pub use read::{Broken, Follow, Format, Found, MOST_LAST, Position, Query, Reader, Scanned};
pub use record::{Peer, Record};
pub use segments::Segment;
pub use settings::Settings;
pub use snapshot::snapshot;
pub use verify::{Fault, FaultKind, MOST_FAULTS, Verdict, verify};
