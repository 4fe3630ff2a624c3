//! FTP for a sockeye node (RFC 959 and what came after it).
//!
//! [`Ftp`] serves every control connection of a listener: it logs in, and lists, sends, stores and changes files
//! through a [`Session`](sockeye_node::Session) alone, by verbs that are one table. A transfer is a future beside the
//! control connection, which goes on being read while it runs.
//!
//! This crate sees no file but through the session, and starts no task of its own.

mod commands;
mod config;
mod control;
mod data;
mod ftp;
mod seldom;
mod transfer;
mod verbs;
pub mod wire;

pub use config::{Config, Limits, OPTIONS, Security, cleartext, starts_tls};
pub use ftp::Ftp;
