//! FTP and FTPS for a sockeye node (RFC 959, 1123 §4, 2228, 2389, 2428, 2577, 2640, 3659, 4217, 7151).
//!
//! So far [`wire`], the syntax: what a client sends on the control connection becomes commands, addresses, paths and
//! times, and what it is told becomes bytes. The control connection, data connections and transfers are
//! being built on it.
//!
//! This crate sees files only through a [`Session`](sockeye_node::Session), and starts no task of its own.

pub mod wire;
