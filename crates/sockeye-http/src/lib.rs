//! HTTP for a sockeye node, or for one folder that is only read.
//!
//! [`Http`] answers GET, HEAD and OPTIONS over HTTP/1.0, HTTP/1.1 and HTTP/2: index files, listings (HTML or
//! JSON), folders as archives, single and multiple ranges, conditional requests with strong validators; and of a node
//! PUT, DELETE and WebDAV (RFC 4918), uploads in pieces (tus 1.0.0), links for those without an account, the API and the
//! page that uses it, to those who sign in by Basic or Bearer, or on the page for it. [`admin::Admin`] tells whether the
//! node is well.
//!
//! HTTP/1 is read and written here: head and small body go out in one call, large bodies by sendfile, and
//! what comes goes to the file with no copy in between. HTTP/2 is hyper's. Both ask the same
//! [`wire::plan`] and send the same replies.
//!
//! This crate sees files only through a [`Session`](sockeye_node::Session). It starts no task of its own; a few
//! threads compress texts.

pub mod admin;
mod answer;
mod api;
mod archive;
mod assets;
mod change;
mod coded;
mod compress;
mod config;
mod content;
mod dav;
mod http;
mod lane;
mod list;
mod node_wide;
mod own;
mod page;
mod payload;
mod refused;
mod reply;
mod requests;
mod serve;
mod share;
mod sign_in;
mod site;
mod tus;
pub mod wire;

pub use config::{AccessLog, Config, Limits};
pub use http::Http;
pub use requests::Requests;
pub use site::Site;
