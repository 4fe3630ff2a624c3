//! TLS by rustls, both sides.
