//! The only unsafe code: system calls that no safe crate wraps.
//!
//! Every function here is safe to call; what it needs for that is checked or stated.

pub(crate) mod bereaved;
mod caught;
pub(crate) mod clock;
pub(crate) mod inherited;
pub(crate) mod int_option;
pub(crate) mod mmsg;
pub(crate) mod peer_credentials;
pub(crate) mod process;
pub(crate) mod registration;
pub(crate) mod served;
pub(crate) mod shared;
pub(crate) mod signals;
mod timer;
