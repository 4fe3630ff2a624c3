//! What the verbs do: a file a subject. None of it touches the control connection.

pub(crate) mod active;
pub(crate) mod changes;
pub(crate) mod digests;
pub(crate) mod facts;
pub(crate) mod folders;
mod growing;
pub(crate) mod help;
pub(crate) mod login;
pub(crate) mod parameters;
pub(crate) mod passive;
pub(crate) mod refused;
pub(crate) mod running;
pub(crate) mod site;
pub(crate) mod times;
pub(crate) mod tls;
pub(crate) mod transfers;
