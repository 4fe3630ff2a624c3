//! The settings of a connection to be made.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::fd::BorrowedFd,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Attempt, ConnectError, attempt, eyeballs, layers::Layers};
use crate::{
    Stream,
    addr::{Addr, AddrError, Endpoint, UnixName},
    proxy::Header,
    quantity,
    socket::{SocketName, StreamKind},
    systemd,
};

#[cfg(feature = "tls")]
use crate::tls::TlsClient;

/// Where a connection comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An IP address; the system chooses the port.
    Ip(IpAddr),
    /// An IP address and port.
    Inet(SocketAddr),
    /// A name for a Unix socket. A path's file is there only while connecting; the peer sees
    /// the name throughout.
    Unix(UnixName),
}

/// A connection to be made.
///
/// Options of the address that are for listeners alone (`backlog`, `mode`) are passed over, so
/// that the address of a [`Listener`](crate::Listener) can be connected to as it is.
#[derive(Clone, Debug)]
#[must_use = "nothing happens until connect is called"]
pub struct Connect {
    addr: Addr,
    timeout: Duration,
    try_timeout: Option<Duration>,
    attempt_delay: Duration,
    source: Option<Source>,
    layers: Layers,
}

impl Connect {
    /// The time limit for the whole unless another is set.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

    /// The time between two attempts unless another is set (RFC 8305 §8).
    pub const DEFAULT_ATTEMPT_DELAY: Duration = Duration::from_millis(250);

    /// Begins with the default settings.
    ///
    /// # Errors
    /// If `addr` is a text that is no address.
    pub fn new<A>(addr: A) -> Result<Self, ConnectError>
    where
        A: TryInto<Addr>,
        A::Error: Into<AddrError>,
    {
        Ok(Self {
            addr: addr.try_into().map_err(|error| ConnectError::Address(error.into()))?,
            timeout: Self::DEFAULT_TIMEOUT,
            try_timeout: None,
            attempt_delay: Self::DEFAULT_ATTEMPT_DELAY,
            source: None,
            layers: Layers::default(),
        })
    }

    /// Limits the time for all of it: looking up the name, every attempt, and the layers above.
    pub const fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Limits the time of each attempt; without it an attempt goes on as long as the kernel
    /// keeps trying (about two minutes) and others run beside it.
    pub const fn try_timeout(mut self, limit: Duration) -> Self {
        self.try_timeout = Some(limit);
        self
    }

    /// Sets the time after which the next address is tried beside those under way; RFC 8305 §8
    /// wants 100 ms at least and 2 s at most.
    pub const fn attempt_delay(mut self, delay: Duration) -> Self {
        self.attempt_delay = delay;
        self
    }

    /// Sets where the connection comes from: an IP address, with or without a port, or a path.
    /// Addresses of the other family are not tried.
    pub fn source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets the PROXY header that is sent first to a `proxy+` address: for whom the connection is.
    /// Without it the header tells the connection's own addresses.
    pub fn proxy_header(mut self, header: Header) -> Self {
        self.layers.header = Some(header);
        self
    }

    /// Sets the client's side of TLS for a `tls+` address: whom to trust, who to be. Without it
    /// the system's root certificates are read for each connection.
    ///
    /// The server's certificate has to be for the host of the address, a name or an IP address; a
    /// Unix socket's for `localhost`. [`TlsClientBuilder::server_name`] sets another name.
    ///
    /// [`TlsClientBuilder::server_name`]: crate::tls::TlsClientBuilder::server_name
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: TlsClient) -> Self {
        self.layers.tls = Some(tls);
        self
    }

    /// The address to connect to.
    #[must_use]
    pub const fn addr(&self) -> &Addr {
        &self.addr
    }

    /// Connects.
    ///
    /// # Errors
    /// [`ConnectError`], with every address tried and its own error.
    ///
    /// # Cancel safety
    /// A connection under way is closed.
    pub async fn connect(&self) -> Result<Stream, ConnectError> {
        let mut failed = Vec::new();
        let connecting = async {
            let stream = self.reach(&mut failed).await?;
            self.layers.add(&self.addr, stream).await
        };
        match tokio::time::timeout(self.timeout, connecting).await {
            Ok(Err(ConnectError::Failed { address, .. })) => {
                Err(ConnectError::Failed { address, attempts: attempts(failed) })
            }
            Ok(outcome) => outcome,
            Err(_elapsed) => Err(ConnectError::TimedOut {
                address: self.addr.to_string(),
                limit: self.timeout,
                attempts: attempts(failed),
            }),
        }
    }

    /// Makes the transport's connection; what failed on the way stands in `failed`, also if
    /// the time runs out.
    async fn reach(
        &self,
        failed: &mut Vec<(SocketName, io::Error)>,
    ) -> Result<Stream, ConnectError> {
        let made = match &self.addr.endpoint {
            Endpoint::Tcp(_) => {
                let names = self.targets().await?;
                eyeballs::race(names, self.attempt_delay, |name| self.try_one(name), failed).await
            }
            Endpoint::Unix(_) | Endpoint::Seqpacket(_) => {
                self.unix_source()?;
                let name = self.addr.unix_name().cloned().unwrap_or(UnixName::Unnamed);
                let names = [SocketName::Unix(name)];
                eyeballs::race(names, self.attempt_delay, |name| self.try_one(name), failed).await
            }
            Endpoint::Inherited(name) => return self.inherited(name),
            _ => return Err(ConnectError::not_a_stream(&self.addr)),
        };
        made.ok_or_else(|| ConnectError::Failed {
            address: self.addr.to_string(),
            attempts: Vec::new(),
        })
    }

    /// One attempt, within its time limit.
    async fn try_one(&self, to: SocketName) -> io::Result<Stream> {
        tracing::debug!("trying {to}");
        let tried = self.attempt(&to).await;
        tried.inspect_err(|error| tracing::debug!("{to}: {error}"))
    }

    async fn attempt(&self, to: &SocketName) -> io::Result<Stream> {
        let connecting = async {
            match to {
                SocketName::Inet(to) => {
                    attempt::tcp(*to, self.inet_source(), &self.addr.options).await
                }
                SocketName::Unix(to) => {
                    let kind = match self.addr.endpoint {
                        Endpoint::Seqpacket(_) => StreamKind::Seqpacket,
                        _ => StreamKind::Unix,
                    };
                    let source = self.unix_source().ok().flatten();
                    attempt::unix(to, kind, source, &self.addr.options).await
                }
            }
        };
        let Some(limit) = self.try_timeout else { return connecting.await };
        tokio::time::timeout(limit, connecting).await.unwrap_or_else(|_elapsed| {
            let message = format!("no answer within {}", quantity::format_duration(limit));
            Err(io::Error::new(io::ErrorKind::TimedOut, message))
        })
    }

    /// The addresses to try, in order; only those of the source's family.
    async fn targets(&self) -> Result<Vec<SocketName>, ConnectError> {
        if let Some(source @ Source::Unix(_)) = &self.source {
            return Err(self.misfit(source, "a Unix name is no source for TCP"));
        }
        let found = self.addr.resolve_async().await;
        let mut names = found.map_err(|error| ConnectError::lookup(&self.addr, error))?;
        if let Some((source, wanted)) = self.source.as_ref().zip(self.inet_source()) {
            names.retain(|name| name.is_ipv4() == wanted.is_ipv4());
            if names.is_empty() {
                return Err(self.misfit(source, "the host has no address of the same family"));
            }
        }
        Ok(eyeballs::interleave(names).into_iter().map(SocketName::Inet).collect())
    }

    fn inet_source(&self) -> Option<SocketAddr> {
        match self.source {
            Some(Source::Ip(ip)) => Some(SocketAddr::new(ip, 0)),
            Some(Source::Inet(addr)) => Some(addr),
            _ => None,
        }
    }

    fn unix_source(&self) -> Result<Option<&UnixName>, ConnectError> {
        match &self.source {
            Some(Source::Unix(name)) => Ok(Some(name)),
            Some(source) => {
                Err(self.misfit(source, "an IP address is no source for a Unix socket"))
            }
            None => Ok(None),
        }
    }

    fn misfit(&self, source: &Source, reason: &'static str) -> ConnectError {
        ConnectError::Source {
            address: self.addr.to_string(),
            source_address: source.to_string(),
            reason,
        }
    }

    /// The connection that the service manager passed (`Accept=yes` in a systemd socket unit).
    fn inherited(&self, name: &str) -> Result<Stream, ConnectError> {
        let lookup = |error: io::Error| ConnectError::lookup(&self.addr, error);
        let is_stream =
            |fd: BorrowedFd<'_>| StreamKind::of(fd).is_ok() && SocketName::peer_of(fd).is_ok();
        let passed = systemd::take_matching(name, is_stream);
        let mut passed = passed.map_err(|error| lookup(io::Error::other(error)))?.into_iter();
        match (passed.next(), passed.next()) {
            (Some(fd), None) => Stream::adopt(fd).map_err(lookup),
            _ => Err(lookup(io::Error::new(
                io::ErrorKind::InvalidInput,
                "more than one connection has that name",
            ))),
        }
    }
}

fn attempts(failed: Vec<(SocketName, io::Error)>) -> Vec<Attempt> {
    failed.into_iter().map(|(to, error)| Attempt { to, error }).collect()
}

impl From<IpAddr> for Source {
    fn from(ip: IpAddr) -> Self {
        Self::Ip(ip)
    }
}

impl From<Ipv4Addr> for Source {
    fn from(ip: Ipv4Addr) -> Self {
        Self::Ip(ip.into())
    }
}

impl From<Ipv6Addr> for Source {
    fn from(ip: Ipv6Addr) -> Self {
        Self::Ip(ip.into())
    }
}

impl From<SocketAddr> for Source {
    fn from(addr: SocketAddr) -> Self {
        Self::Inet(addr)
    }
}

impl From<UnixName> for Source {
    fn from(name: UnixName) -> Self {
        Self::Unix(name)
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Self::Unix(path.into())
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self::Unix(path.into())
    }
}

/// As it is typed.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Inet(addr) => addr.fmt(f),
            Self::Unix(name) => name.fmt(f),
        }
    }
}
