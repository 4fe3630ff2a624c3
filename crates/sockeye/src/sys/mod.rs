//! The only unsafe code: system calls that no safe crate wraps.

pub(crate) mod inherited;
pub(crate) mod int_option;
pub(crate) mod mmsg;
pub(crate) mod peer_credentials;
pub(crate) mod registration;
