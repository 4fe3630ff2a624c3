//! FTP over real sockets: scripted clients, and the programs that people use.

#![expect(clippy::panic, reason = "a test fails by panicking")]

mod active;
mod changes;
mod charset;
mod client;
mod control;
mod cut;
mod digests;
mod downgrade;
mod growing;
mod ipv6;
mod limits;
mod listing;
mod names;
mod passive;
mod peers;
mod pyftpdlib;
mod quota;
mod races;
mod refusing;
mod rights;
mod tls;
mod transfers;
mod turned_away;
