//! What a server allows: every queue, wait and count has its bound here.

use std::{net::IpAddr, time::Duration};

/// The limits of a server. Every field has a default; `None` or the largest value lifts one.
///
/// ```
/// use std::time::Duration;
/// use sockeye::Limits;
///
/// let limits = Limits {
///     max_per_ip: Some(20),
///     read_idle: Some(Duration::from_secs(60)),
///     ..Limits::default()
/// };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most connections at once; more wait in the backlog. Default 100,000. A model's own number
    /// holds as well.
    pub max_connections: usize,
    /// Most connections at once from one address (IPv6: one /64); more are closed at once.
    /// Default: none. Unix peers are not counted.
    pub max_per_ip: Option<usize>,
    /// How long a read may wait for the peer's next byte. Default 5 minutes.
    ///
    /// Bytes alone, received or sent, end a wait: one that was given up and begun again, by `select!` or
    /// under a timeout, goes on counting, with whatever the handler did in between.
    pub read_idle: Option<Duration>,
    /// How long a line that [`Conn::read_line`](crate::Conn::read_line) reads may take from its
    /// first byte to its end: a peer that sends a byte now and then is never idle. Default 1
    /// minute.
    pub line_time: Option<Duration>,
    /// How long a write may wait for the peer to read. Default 30 seconds.
    pub write_stall: Option<Duration>,
    /// How long the PROXY header and the TLS handshake may take together. Default 10 seconds.
    pub handshake: Duration,
    /// How long a drain waits for connections to finish before it cuts them. Default 10 seconds.
    pub drain: Duration,
    /// Longest line that [`Conn::read_line`](crate::Conn::read_line) takes, in bytes, its end
    /// included. Default 64 KiB.
    pub max_line: usize,
    /// Longest datagram taken, in bytes; longer ones are dropped and counted. Default 65,535.
    pub max_packet: usize,
    /// Most datagrams being handled at once; more are dropped and counted. Default 4,096.
    pub max_packets_in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 100_000,
            max_per_ip: None,
            read_idle: Some(Duration::from_secs(300)),
            line_time: Some(Duration::from_secs(60)),
            write_stall: Some(Duration::from_secs(30)),
            handshake: Duration::from_secs(10),
            drain: Duration::from_secs(10),
            max_line: 64 * 1024,
            max_packet: 65_535,
            max_packets_in_flight: 4_096,
        }
    }
}

/// Those who count as one in a limit per address: an IPv4 address, or an IPv6 /64, within which anybody can have as
/// many addresses as they like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site(IpAddr);

impl Site {
    /// The site of an address; an IPv4 address in IPv6 clothes counts as what it is.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self(ip.into()),
            IpAddr::V6(ip) => {
                let network = ip.to_bits() & !u128::from(u64::MAX);
                Self(IpAddr::V6(network.into()))
            }
        }
    }

    /// The address, or the first one of the network.
    #[must_use]
    pub const fn ip(self) -> IpAddr {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_site_is_an_ipv4_address_or_an_ipv6_64() {
        let site = |text: &str| Site::of(text.parse().unwrap());
        assert_eq!(site("127.0.0.1"), site("::ffff:127.0.0.1"));
        assert_ne!(site("127.0.0.1"), site("127.0.0.2"));
        assert_eq!(site("2001:db8:1:2:aaaa::1"), site("2001:db8:1:2:bbbb::9"));
        assert_ne!(site("2001:db8:1:2::1"), site("2001:db8:1:3::1"));
    }
}
