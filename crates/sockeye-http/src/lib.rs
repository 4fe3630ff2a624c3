//! HTTP for a sockeye node: one folder's files, read-only.
//!
//! [`Http`] answers GET, HEAD and OPTIONS over HTTP/1.0, HTTP/1.1 and HTTP/2: index files, listings (HTML or
//! JSON), single and multiple ranges, conditional requests with strong validators.
//!
//! A connection has two lanes. The fast lane reads plain HTTP/1 GET and HEAD requests itself and
//! writes head and small body in one call, large bodies by sendfile. Whatever it does not treat goes, with
//! the bytes already read and for the rest of the connection, to the full lane, which is hyper. Both ask
//! the same [`wire::plan`] and send the same replies.
//!
//! This crate sees files only through a [`Session`](sockeye_node::Session), and starts no task.

mod answer;
mod config;
mod http;
mod lane;
mod page;
mod payload;
pub mod wire;

pub use config::{AccessLog, Config, Limits};
pub use http::Http;
