//! The address that clients outside are told to connect to (`ftp.address`): what a configured name leads to, which only
//! the network can tell.
//!
//! Nothing is kept: that of a line at home changes.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use crate::config::{Config, Fault};

/// How long the name is looked up when a configuration is checked.
const LIMIT: Duration = Duration::from_secs(5);

/// The key that has it.
const KEY: &str = "ftp.address";

/// Why a name leads to no address that can be told; the text goes on after the name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoAddress {
    /// Nobody knows it.
    #[error("does not resolve: {0}")]
    Unresolved(#[source] io::Error),
    /// Nobody answered.
    #[error("does not resolve: no answer came within {} s", .0.as_secs())]
    NoAnswer(Duration),
    /// PASV can tell no other (RFC 959 §4.1.2).
    #[error("has no IPv4 address, and PASV can tell no other")]
    NotIpv4,
}

/// The IPv4 address of `name`, or the one that it is, asked for anew; within `limit`.
///
/// # Errors
/// [`NoAddress`].
///
/// Cancellation: safe.
pub async fn external_address(name: &str, limit: Duration) -> Result<Ipv4Addr, NoAddress> {
    let looked_up = tokio::time::timeout(limit, tokio::net::lookup_host((name, 0))).await;
    let found = looked_up.map_err(|_| NoAddress::NoAnswer(limit))?;
    let mut found = found.map_err(NoAddress::Unresolved)?;
    let first = found.find_map(|address| match address.ip() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    });
    first.ok_or(NoAddress::NotIpv4)
}

impl Config {
    /// What is odd about the address that clients are told to connect to: that it leads nowhere at present.
    ///
    /// Cancellation: safe.
    pub async fn unreachable(&self) -> Option<Fault> {
        let name = self.settings.ftp_address.as_ref()?.to_string();
        let error = external_address(&name, LIMIT).await.err()?;
        let message = format!("{name} {error}; who uses PASV is told 425 until it does");
        Some(Fault { place: self.place(KEY), key: Some(KEY.to_owned()), message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_external_address_is_one_of_ipv4_or_a_name_that_has_one() {
        let limit = Duration::from_secs(30);
        for (name, expected) in
            [("192.0.2.7", Ipv4Addr::new(192, 0, 2, 7)), ("localhost", Ipv4Addr::LOCALHOST)]
        {
            assert_eq!(external_address(name, limit).await.unwrap(), expected, "{name}");
        }
        let error = external_address("::1", limit).await.unwrap_err();
        assert_eq!(error.to_string(), "has no IPv4 address, and PASV can tell no other");
        let error = external_address("no name", limit).await.unwrap_err();
        assert!(error.to_string().starts_with("does not resolve: "), "{error}");
    }
}
