#![doc = include_str!("framing.md")]

mod acknowledged;
mod delimited;
mod error;
mod fixed;
mod length_prefixed;
mod pause;
pub mod wire;

pub use acknowledged::{
    ACKNOWLEDGEMENT, MAX_ACKNOWLEDGEMENT, recv_acknowledged, recv_size, send_acknowledged,
    send_size,
};
pub use delimited::{Delimited, Delimiter, EmptyDelimiter};
pub use error::FrameError;
pub use fixed::Fixed;
pub use length_prefixed::LengthPrefixed;
pub use pause::{HEADER_PAUSE, MAX_HEADER, read_until_pause};
pub use wire::LengthField;

/// The largest delimited frame unless set otherwise, in bytes: 8 KiB.
pub const MAX_LINE: usize = 8 * 1024;

/// The largest length-prefixed frame unless set otherwise, in bytes: 1 MiB.
pub const MAX_FRAME: usize = 1024 * 1024;
