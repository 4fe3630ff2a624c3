#![doc = include_str!("grammar.md")]
//!
//! This module parses, prints and resolves; it opens no socket for traffic.

mod build;
mod cidr;
mod datagram;
mod error;
mod field;
mod host;
mod nearest;
mod options;
mod parse;
mod part;
mod percent;
mod resolve;
mod table;
mod transport;
mod unix;

use std::{fmt, str::FromStr};

pub use cidr::Cidr;
pub use datagram::DatagramAddr;
pub use error::{AddrError, AddrErrorKind};
pub use host::{Host, HostPort};
pub use nearest::nearest;
pub use options::{Linger, MulticastGroup, SocketOptions};
pub use parse::MAX_LEN;
pub(crate) use resolve::interface_index;
pub use table::{OptionSpec, Side};
pub use transport::Transport;
pub use unix::UnixName;

/// An address of the grammar `[tls+][proxy+]TRANSPORT://WHERE[?option=value&…]`.
///
/// Parsed from text, or made by a constructor and the `with_` methods:
///
/// ```
/// use sockeye::Addr;
///
/// let addr: Addr = "tls+tcp://[::]:8443?backlog=128".parse()?;
/// assert_eq!(addr.port(), Some(8443));
/// assert_eq!(addr, Addr::tcp("[::]:8443".parse::<std::net::SocketAddr>().unwrap())
///     .with_tls().with_option("backlog", "128")?);
/// assert_eq!(addr.to_string(), "tls+tcp://[::]:8443?backlog=128");
/// # Ok::<(), sockeye::addr::AddrError>(())
/// ```
///
/// The fields are public, so a value can be built that the grammar does not have (TLS over
/// UDP); [`Addr::check`] tells. `Display` never prints a control character.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Addr {
    /// Whether TLS lies over the transport (`tls+`).
    pub tls: bool,
    /// Whether a PROXY header comes before everything else (`proxy+`).
    pub proxy: bool,
    /// The transport and its end point.
    pub endpoint: Endpoint,
    /// The socket options of the query.
    pub options: SocketOptions,
}

/// A transport together with the place it names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `tcp://HOST:PORT`
    Tcp(HostPort),
    /// `udp://HOST:PORT`
    Udp(HostPort),
    /// `unix://PATH`, a stream
    Unix(UnixName),
    /// `unixgram://PATH`
    Unixgram(UnixName),
    /// `seqpacket://PATH`
    Seqpacket(UnixName),
    /// `fd://NAME`, a descriptor inherited from the service manager
    Inherited(String),
    /// `icmp://HOST`
    Icmp(Host),
    /// `ip://HOST?proto=N`
    Ip {
        /// The host.
        host: Host,
        /// The IP protocol number, 1–255.
        protocol: u8,
    },
}

impl Endpoint {
    /// The transport.
    #[must_use]
    pub fn transport(&self) -> Transport {
        match self {
            Self::Tcp(_) => Transport::Tcp,
            Self::Udp(_) => Transport::Udp,
            Self::Unix(_) => Transport::Unix,
            Self::Unixgram(_) => Transport::Unixgram,
            Self::Seqpacket(_) => Transport::Seqpacket,
            Self::Inherited(_) => Transport::Inherited,
            Self::Icmp(_) => Transport::Icmp,
            Self::Ip { .. } => Transport::Ip,
        }
    }

    /// The host, where the transport has one.
    #[must_use]
    pub fn host(&self) -> Option<&Host> {
        match self {
            Self::Tcp(at) | Self::Udp(at) => Some(&at.host),
            Self::Icmp(host) | Self::Ip { host, .. } => Some(host),
            Self::Unix(_) | Self::Unixgram(_) | Self::Seqpacket(_) | Self::Inherited(_) => None,
        }
    }

    /// The port, where the transport has one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(at) | Self::Udp(at) => Some(at.port),
            _ => None,
        }
    }

    /// The name of a Unix socket, if it is one.
    #[must_use]
    pub fn unix_name(&self) -> Option<&UnixName> {
        match self {
            Self::Unix(name) | Self::Unixgram(name) | Self::Seqpacket(name) => Some(name),
            _ => None,
        }
    }
}

/// `TRANSPORT://WHERE`, without the query.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.transport())?;
        match self {
            Self::Tcp(at) | Self::Udp(at) => write!(f, "{at}"),
            Self::Unix(name) | Self::Unixgram(name) | Self::Seqpacket(name) => write!(f, "{name}"),
            Self::Inherited(name) => write!(f, "{}", percent::Encoded(name.as_bytes())),
            Self::Icmp(host) | Self::Ip { host, .. } => write!(f, "{host}"),
        }
    }
}

/// The canonical form: it parses back to an equal address.
impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layer = |on: bool, name| if on { name } else { "" };
        write!(f, "{}{}{}", layer(self.tls, "tls+"), layer(self.proxy, "proxy+"), self.endpoint)?;
        let mut separator = '?';
        if let Endpoint::Ip { protocol, .. } = self.endpoint {
            write!(f, "?proto={protocol}")?;
            separator = '&';
        }
        for spec in OptionSpec::all() {
            for value in spec.field.print(&self.options) {
                let value: String = value.chars().map(error::printable).collect();
                write!(f, "{separator}{}={value}", spec.name)?;
                separator = '&';
            }
        }
        Ok(())
    }
}

impl FromStr for Addr {
    type Err = AddrError;

    fn from_str(text: &str) -> Result<Self, AddrError> {
        parse::parse(text).map_err(|fault| fault.in_input(text))
    }
}
