//! HTTP's syntax: bytes in, values out. No I/O, no clock, no runtime.
//!
//! Everything a request's head says is decided here, by [`plan()`](plan::plan) before a file is looked
//! for and by [`select`](condition::select) once its size and age are known, so that both lanes of a
//! connection answer alike.

pub mod accept;
pub mod authorization;
pub mod chunked;
pub mod coding;
pub mod condition;
pub mod cookie;
pub mod date;
pub mod digest;
pub mod disposition;
pub mod escape;
pub mod form;
pub mod forwarded;
pub mod framing;
pub mod head;
pub mod host;
pub mod if_header;
pub mod log;
pub mod look;
pub mod media;
pub mod method;
pub mod multistatus;
pub mod natural;
pub mod origin;
pub mod parts;
pub mod plan;
pub mod query;
pub mod range;
pub mod reply;
pub mod target;
pub mod tus;
pub mod webdav;
pub mod xml;
pub mod zip;
