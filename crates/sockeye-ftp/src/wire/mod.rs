//! FTP's syntax: bytes in, values out. No I/O, no clock, no runtime.
//!
//! What comes on the control connection goes through [`telnet`], [`line`](mod@line) and [`command`], in this order;
//! an argument is understood by the file of its subject. What goes out is a [`reply::Reply`].

pub mod ascii;
pub mod change;
pub mod charset;
pub mod command;
mod digits;
pub mod facts;
pub mod host;
pub mod item;
pub mod line;
pub mod ls;
pub mod parameter;
pub mod path;
pub mod pattern;
pub mod protection;
pub mod reply;
pub mod stretch;
pub mod telnet;
pub mod time;
