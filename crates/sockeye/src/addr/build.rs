//! Making and changing addresses in code.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use super::{
    Addr, AddrError, AddrErrorKind, Endpoint, Host, HostPort, OptionSpec, Side, SocketOptions,
    Transport, UnixName, parse, part::Part,
};

impl Addr {
    /// `tcp://` at this address: a [`SocketAddr`], `(IpAddr, u16)` or [`HostPort`].
    #[must_use]
    pub fn tcp(at: impl Into<HostPort>) -> Self {
        Endpoint::Tcp(at.into()).into()
    }

    /// `udp://` at this address: a [`SocketAddr`], `(IpAddr, u16)` or [`HostPort`].
    #[must_use]
    pub fn udp(at: impl Into<HostPort>) -> Self {
        Endpoint::Udp(at.into()).into()
    }

    /// `unix://`, a stream, at this path.
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Endpoint::Unix(UnixName::Path(path.into())).into()
    }

    /// `unixgram://` at this path.
    #[must_use]
    pub fn unixgram(path: impl Into<PathBuf>) -> Self {
        Endpoint::Unixgram(UnixName::Path(path.into())).into()
    }

    /// `seqpacket://` at this path.
    #[must_use]
    pub fn seqpacket(path: impl Into<PathBuf>) -> Self {
        Endpoint::Seqpacket(UnixName::Path(path.into())).into()
    }

    /// `icmp://` at this host.
    #[must_use]
    pub fn icmp(host: impl Into<Host>) -> Self {
        Endpoint::Icmp(host.into()).into()
    }

    /// `ip://` at this host, packets of this protocol (1–255).
    #[must_use]
    pub fn ip(host: impl Into<Host>, protocol: u8) -> Self {
        Endpoint::Ip { host: host.into(), protocol }.into()
    }

    /// Under TLS: `tls+`.
    #[must_use]
    pub fn with_tls(self) -> Self {
        Self { tls: true, ..self }
    }

    /// After a PROXY header: `proxy+`.
    #[must_use]
    pub fn with_proxy(self) -> Self {
        Self { proxy: true, ..self }
    }

    /// At this port; a transport without ports stays as it is.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        if let Endpoint::Tcp(at) | Endpoint::Udp(at) = &mut self.endpoint {
            at.port = port;
        }
        self
    }

    /// At this host; a transport without hosts stays as it is.
    #[must_use]
    pub fn with_host(mut self, new: impl Into<Host>) -> Self {
        match &mut self.endpoint {
            Endpoint::Tcp(HostPort { host, .. })
            | Endpoint::Udp(HostPort { host, .. })
            | Endpoint::Icmp(host)
            | Endpoint::Ip { host, .. } => *host = new.into(),
            _ => {}
        }
        self
    }

    /// At this address and port, as a bound socket reports them; layers and options stay.
    #[must_use]
    pub fn with_socket_addr(self, addr: SocketAddr) -> Self {
        let at = HostPort::from(addr);
        self.with_host(at.host).with_port(at.port)
    }

    /// With these options in place of its own.
    #[must_use]
    pub fn with_options(self, options: SocketOptions) -> Self {
        Self { options, ..self }
    }

    /// With one option, by the name and notation of the grammar, in place of an earlier
    /// value; what may be repeated is added.
    ///
    /// # Errors
    /// If there is no such option for this address, or the value is not of its notation;
    /// the error's input is `name=value`.
    pub fn with_option(mut self, name: &str, value: &str) -> Result<Self, AddrError> {
        let text = format!("{name}={value}");
        parse::set_option(&mut self, Part::whole(&text)).map_err(|fault| fault.in_input(&text))?;
        Ok(self)
    }

    /// Whether the address is one of the grammar: what its fields say could be written.
    ///
    /// # Errors
    /// What is wrong with it as text.
    pub fn check(&self) -> Result<(), AddrError> {
        let text = self.to_string();
        if text.parse::<Self>()? == *self {
            return Ok(());
        }
        let (message, remedy) = ("its fields hold what cannot be written", "parse it from text");
        Err(Part::whole(&text).fault(AddrErrorKind::Surplus, message, remedy).in_input(&text))
    }

    /// Whether this side has all the options that the address carries.
    ///
    /// # Errors
    /// An option that is for listeners alone, on an address to connect to.
    pub fn check_side(&self, side: Side) -> Result<(), AddrError> {
        let misplaced = |spec: &&OptionSpec| {
            side == Side::Connect && spec.listen_only && spec.field.is_set(&self.options)
        };
        let Some(spec) = OptionSpec::all().iter().find(misplaced) else { return Ok(()) };
        let text = self.to_string();
        let whole = Part::whole(&text);
        let name = [format!("?{}=", spec.name), format!("&{}=", spec.name)]
            .iter()
            .find_map(|name| text.find(name))
            .map_or(whole, |at| whole.split_at(at + 1 + spec.name.len()).0.skip(at + 1));
        let message = format!("{} is for listeners", spec.name);
        let remedy = "leave it out of an address to connect to";
        Err(name.fault(AddrErrorKind::OptionPlace, message, remedy).in_input(&text))
    }

    /// The transport.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.endpoint.transport()
    }

    /// The host, where the transport has one.
    #[must_use]
    pub fn host(&self) -> Option<&Host> {
        self.endpoint.host()
    }

    /// The port, where the transport has one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.endpoint.port()
    }

    /// The name of a Unix socket, if it is one.
    #[must_use]
    pub fn unix_name(&self) -> Option<&UnixName> {
        self.endpoint.unix_name()
    }

    /// Whether a listener here accepts connections; `false` of `fd://`, where it is not known
    /// yet. See [`Transport::is_stream`].
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.transport().is_stream()
    }

    /// Whether a socket here exchanges packets; `false` of `fd://`, where it is not known yet.
    /// See [`Transport::is_datagram`].
    #[must_use]
    pub fn is_datagram(&self) -> bool {
        self.transport().is_datagram()
    }

    /// Whether only this machine can reach the address: loopback, `localhost`, a Unix
    /// socket. Of `fd://` this is not known: `false`.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.unix_name().is_some() || self.host().is_some_and(Host::is_loopback)
    }
}

/// Without layers and options.
impl From<Endpoint> for Addr {
    fn from(endpoint: Endpoint) -> Self {
        Self { tls: false, proxy: false, endpoint, options: SocketOptions::default() }
    }
}

/// `tcp://` at this address.
impl From<SocketAddr> for Addr {
    fn from(addr: SocketAddr) -> Self {
        Self::tcp(addr)
    }
}

/// `tcp://` at this address and port.
impl From<(IpAddr, u16)> for Addr {
    fn from(at: (IpAddr, u16)) -> Self {
        Self::tcp(at)
    }
}

/// So that what takes `impl TryInto<Addr>` takes `&Addr` too.
impl From<&Self> for Addr {
    fn from(addr: &Self) -> Self {
        addr.clone()
    }
}

impl TryFrom<&str> for Addr {
    type Error = AddrError;

    fn try_from(text: &str) -> Result<Self, AddrError> {
        text.parse()
    }
}

impl TryFrom<String> for Addr {
    type Error = AddrError;

    fn try_from(text: String) -> Result<Self, AddrError> {
        text.parse()
    }
}

impl TryFrom<&String> for Addr {
    type Error = AddrError;

    fn try_from(text: &String) -> Result<Self, AddrError> {
        text.parse()
    }
}
