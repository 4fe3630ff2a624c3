//! A sockeye node: sessions, the one gate to the files of a home.
//!
//! A protocol never sees a home; it has a [`Session`], and every read and every listing goes through
//! it. That is where the permission is checked, the quota reserved and the journal written, so that no
//! protocol can forget one. For now there is one kind of session: [`Session::guest`], which may read
//! everything in one folder and change nothing.

pub mod certificate;
pub mod command;
pub mod config;
pub mod control;
mod counters;
pub mod data;
mod error;
mod list;
pub mod listeners;
mod node;
mod read;
mod session;

pub use error::{Error, Result};
pub use list::{Folder, Gathered, Listing};
pub use listeners::{Listen, ListenError, Protocol, Service};
pub use node::{Node, NodeError, Phase};
pub use read::{Body, FileBody, OpenFile, Range};
pub use session::{Resource, Session};
pub use sockeye_store::{
    Entry, FilePath, Home, Kind, Meta, Name, NameError, Order, PathBuilder, Pool, PoolLimits,
    SortKey, Timestamp, readable,
};
