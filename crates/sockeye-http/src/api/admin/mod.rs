//! What administrators see and change of the whole node. Every change is a command, recorded with who gave it.

pub(super) mod accounts;
pub(super) mod log;
pub(super) mod node;
pub(super) mod shared;
pub(super) mod shares;
pub(super) mod sign_ins;
