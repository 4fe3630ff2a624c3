//! The program as its users meet it: run, signalled, piped into, and read.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions that tests share are tests too"
)]

mod accounts;
mod administering;
mod api;
mod clients;
mod completing;
mod configuring;
mod dav;
mod dialling;
mod dist;
mod errors;
mod first_minute;
mod flood;
mod ftp;
mod health;
mod help;
mod keeping;
mod log;
mod node;
mod packets;
mod pieces;
mod running;
mod service;
mod serving;
mod sharing;
mod signals;
mod text;
mod tls;
