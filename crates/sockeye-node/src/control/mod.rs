//! Running a node and being told what to do: signals, and the control socket.
//!
//! The socket `control.sock` in the data folder takes one JSON line, a [`Command`], and answers with one.

mod client;
mod place;
mod serving;
mod socket;

use serde::{Deserialize, Serialize};

pub use client::{ControlError, ask, is_attended};
pub use serving::{Serving, ServingError, Setup};

use crate::command::{Answer, Command, Refusal};

/// Longest line that asks, in bytes.
pub const MAX_REQUEST: usize = 1024 * 1024;

/// Longest line that answers, in bytes.
pub const MAX_LINE: usize = 16 * 1024 * 1024;

/// This program's version, which both sides tell.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The line that asks.
#[derive(Debug, Serialize, Deserialize)]
struct Request<C = Command> {
    version: String,
    command: C,
}

/// The line that answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Reply {
    Done(Answer),
    Refused(Refusal),
}
