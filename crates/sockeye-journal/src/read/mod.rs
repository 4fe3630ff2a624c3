//! Reading a log: no running server is needed, and nothing that stands in it is trusted.

pub(crate) mod lines;
