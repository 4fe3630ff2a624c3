//! Hosts and ports: literal addresses with their scopes, and names.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
    str::FromStr,
};

use super::{
    error::{AddrError, AddrErrorKind, Fault, quoted},
    part::Part,
    percent::Encoded,
};

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// The host.
    pub host: Host,
    /// The port; 0 lets the system choose when listening.
    pub port: u16,
}

/// A host: a literal address or a name to resolve.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A literal address.
    Ip(IpAddr),
    /// A literal link-local IPv6 address with its scope (interface name or index).
    Scoped(Ipv6Addr, String),
    /// A name; `localhost` stands for all its addresses.
    Name(String),
}

const EMPTY_HOST: &str = "write 127.0.0.1, [::] or localhost";

/// Follows an address on `localhost`.
const EVERYWHERE: &str = "or [::] in place of localhost for every address of the machine";

impl Host {
    /// Whether this is `localhost`, which is never looked up (RFC 6761 §6.3).
    #[must_use]
    pub fn is_localhost(&self) -> bool {
        matches!(self, Self::Name(name)
            if name.strip_suffix('.').unwrap_or(name).eq_ignore_ascii_case("localhost"))
    }

    /// Whether only this machine can reach the host: a loopback address or `localhost`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Ip(ip) => ip.to_canonical().is_loopback(),
            Self::Scoped(..) => false,
            Self::Name(_) => self.is_localhost(),
        }
    }

    /// The literal address, if it is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Scoped(ip, _) => Some(IpAddr::V6(*ip)),
            Self::Name(_) => None,
        }
    }

    /// Whether this is a literal IPv4 address.
    pub(super) fn is_ipv4(&self) -> bool {
        matches!(self, Self::Ip(IpAddr::V4(_)))
    }

    /// A host as it stands in an address: IPv6 in brackets.
    pub(super) fn parse(part: Part<'_>) -> Result<Self, Fault> {
        refuse_user(part)?;
        if part.text.is_empty() {
            return Err(part.fault(AddrErrorKind::Host, "the host is empty", EMPTY_HOST));
        }
        let (host, rest) = split_host(part)?;
        if !rest.text.is_empty() {
            let message = "this transport has neither port nor path";
            return Err(rest.fault(AddrErrorKind::Surplus, message, "").rewriting(rest, ""));
        }
        Self::parse_split(host)
    }

    /// A host without what follows it; brackets tell an IPv6 address.
    fn parse_split(part: Part<'_>) -> Result<Self, Fault> {
        match part.text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            Some(inside) => parse_ipv6(part, inside),
            None => parse_name_or_ipv4(part),
        }
    }
}

impl HostPort {
    /// `HOST:PORT` as it stands in an address.
    pub(super) fn parse(part: Part<'_>) -> Result<Self, Fault> {
        refuse_user(part)?;
        let (host, rest) = split_host(part)?;
        if host.text.is_empty() {
            let fault = |remedy| host.fault(AddrErrorKind::Host, "the host is empty", remedy);
            return Err(match rest.text.starts_with(':') {
                true => fault(EVERYWHERE).rewriting(host, "localhost"),
                false => fault(EMPTY_HOST),
            });
        }
        let Some(port) = rest.text.strip_prefix(':').map(|_| rest.skip(1)) else {
            return Err(missing_port(host, rest));
        };
        let host = Host::parse_split(host)?;
        let (port, path) = port.split_at(port.text.find('/').unwrap_or(port.text.len()));
        let port = parse_port(port)?;
        if !path.text.is_empty() {
            let fault = path.fault(AddrErrorKind::Surplus, "a path after the port", "");
            return Err(fault.rewriting(path, ""));
        }
        Ok(Self { host, port })
    }
}

/// Cuts before the port's colon, the path's slash, or nowhere. Brackets keep their colons.
fn split_host(part: Part<'_>) -> Result<(Part<'_>, Part<'_>), Fault> {
    if part.text.starts_with('[') {
        let Some(end) = part.text.find(']') else {
            let remedy = "close it, as [::1]";
            return Err(part.fault(AddrErrorKind::Host, "the bracket is not closed", remedy));
        };
        return Ok(part.split_at(end + 1));
    }
    let end = part.text.find('/').unwrap_or(part.text.len());
    let (authority, _) = part.split_at(end);
    match authority.text.matches(':').count() {
        0 => Ok(part.split_at(end)),
        1 => Ok(part.split_at(authority.text.find(':').unwrap_or(end))),
        _ => {
            let (host, port) = authority.text.rsplit_once(':').unwrap_or((authority.text, ""));
            let plain = |text: &str| {
                text.split('%').next().is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok())
            };
            let message = "a host with colons must stand in brackets";
            let fault = |remedy: &str| authority.fault(AddrErrorKind::Host, message, remedy);
            // Two digits or more at the end are a port rather than the end of the address.
            let is_port = port.len() > 1 && port.parse::<u16>().is_ok();
            Err(if plain(authority.text) && plain(host) && is_port {
                fault(&format!("or [{}] and a port", authority.text))
                    .rewriting(authority, format!("[{host}]:{port}"))
            } else if plain(authority.text) {
                fault(&format!("write [{}], then the port if there is one", authority.text))
            } else if plain(host) {
                let port = if port.is_empty() { "PORT" } else { port };
                fault("").rewriting(authority, format!("[{host}]:{port}"))
            } else {
                fault("write HOST:PORT, an IPv6 host in brackets as [::1]:PORT")
            })
        }
    }
}

fn refuse_user(part: Part<'_>) -> Result<(), Fault> {
    match part.split_once("@") {
        Some((user, host)) => {
            let fault = user.fault(AddrErrorKind::Surplus, "an address has no user", "");
            Err(fault.rewriting(part, host.text))
        }
        None => Ok(()),
    }
}

fn missing_port(host: Part<'_>, rest: Part<'_>) -> Fault {
    if !host.text.is_empty() && host.text.bytes().all(|b| b.is_ascii_digit()) {
        let fault = host.fault(AddrErrorKind::Host, "a port without a host", EVERYWHERE);
        return fault.rewriting(host, format!("localhost:{}", host.text));
    }
    let fault = if rest.text.is_empty() || rest.text.starts_with('/') {
        // A host of that name is rarer than a socket.
        let socket = host.text.ends_with(".sock");
        let remedy = if socket { format!("or unix://{}", host.text) } else { String::new() };
        host.fault_after(AddrErrorKind::Port, "the port is missing", remedy)
    } else {
        rest.fault(AddrErrorKind::Port, "no colon before the port", "")
    };
    match rest.text.bytes().all(|b| b.is_ascii_digit()) && !rest.text.is_empty() {
        true => fault.rewriting(rest, format!(":{}", rest.text)),
        false => fault.rewriting(rest, ":PORT"),
    }
}

fn parse_port(part: Part<'_>) -> Result<u16, Fault> {
    const RANGE: &str = "write a port from 0 to 65535";
    let text = part.text;
    if text.is_empty() {
        let fault = part.fault(AddrErrorKind::Port, "the port is missing", "");
        return Err(fault.rewriting(part, "PORT"));
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        let message = format!("the port {} is not a number", quoted(text));
        return Err(part.fault(AddrErrorKind::Port, message, RANGE));
    }
    text.parse().map_err(|_| {
        let message = format!("the port {} is out of range", quoted(text));
        part.fault(AddrErrorKind::Port, message, RANGE)
    })
}

fn parse_ipv6(part: Part<'_>, inside: &str) -> Result<Host, Fault> {
    let wrong = |message: &str, remedy: &str| Err(part.fault(AddrErrorKind::Host, message, remedy));
    let (ip, scope) = match inside.split_once('%') {
        Some((ip, scope)) => (ip, Some(scope)),
        None => (inside, None),
    };
    let Ok(ip) = ip.parse::<Ipv6Addr>() else {
        if inside.parse::<Ipv4Addr>().is_ok() {
            let fault = part.fault(AddrErrorKind::Host, "brackets are for IPv6", "");
            return Err(fault.rewriting(part, inside));
        }
        let message = format!("{} is not an IPv6 address", quoted(inside));
        return wrong(&message, "write it as [::1] or [2001:db8::1]");
    };
    let Some(scope) = scope else { return Ok(Host::Ip(IpAddr::V6(ip))) };
    // RFC 6874 wrote the sign itself as %25; no interface is called 25x.
    let scope = match scope.strip_prefix("25") {
        Some(name) if name.starts_with(|c: char| c.is_ascii_alphabetic()) => name,
        _ => scope,
    };
    if !takes_scope(ip) {
        let message = "only a link-local address (fe80::/10, ff02::/16) has a scope";
        let fault = part.fault(AddrErrorKind::Host, message, "");
        return Err(fault.rewriting(part, format!("[{ip}]")));
    }
    if !is_interface(scope) {
        return wrong("the scope is no interface name or index", "write it as [fe80::1%eth0]");
    }
    Ok(Host::Scoped(ip, scope.to_owned()))
}

/// Whether the kernel looks at the scope of this address at all.
fn takes_scope(ip: Ipv6Addr) -> bool {
    ip.is_unicast_link_local() || matches!(ip.segments()[0] & 0xff0f, 0xff01 | 0xff02)
}

/// Whether this can be the name of a network interface (or its index): at most 15 bytes,
/// and none that has a meaning in an address.
pub(super) fn is_interface(name: &str) -> bool {
    const LONGEST: usize = 15;
    (1..=LONGEST).contains(&name.len())
        && !matches!(name, "." | "..")
        && name.bytes().all(|b| b.is_ascii_graphic() && !b"/%?#&[]:,=".contains(&b))
}

fn parse_name_or_ipv4(part: Part<'_>) -> Result<Host, Fault> {
    const LONGEST_NAME: usize = 253;
    const LONGEST_LABEL: usize = 63;
    let text = part.text;
    let wrong = |message: &str, remedy: &str| {
        let message = format!("{} {message}", quoted(text));
        Err(part.fault(AddrErrorKind::Host, message, remedy))
    };
    if let Ok(ip) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Ip(IpAddr::V4(ip)));
    }
    if text == "*" {
        return wrong("is not a host", "write [::] for every address, 0.0.0.0 for every IPv4 one");
    }
    if !text.is_ascii() {
        return wrong("is not ASCII", "write an international name in its xn-- form");
    }
    if let Some(c) = text.chars().find(|c| !c.is_ascii_alphanumeric() && !"-._".contains(*c)) {
        let c = quoted(&c.to_string());
        return wrong(&format!("is not a host: {c} has no place in it"), EMPTY_HOST);
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.len() > LONGEST_NAME || name.split('.').any(|label| label.len() > LONGEST_LABEL) {
        return wrong("is too long", "a name has at most 253 characters, 63 between two dots");
    }
    if name.split('.').any(str::is_empty) {
        return wrong("is not a host: nothing between two dots", EMPTY_HOST);
    }
    // The last label of a name is never a number: this is a misspelled address, which
    // the resolver would take for something else (127.1, 0x7f000001).
    let last = name.rsplit('.').next().unwrap_or(name);
    let hex = last.strip_prefix("0x").or(last.strip_prefix("0X"));
    if last.bytes().all(|b| b.is_ascii_digit())
        || hex.is_some_and(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        return wrong("is not an IPv4 address", "write four numbers from 0 to 255, as 127.0.0.1");
    }
    Ok(Host::Name(text.to_owned()))
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(ip)) => write!(f, "{ip}"),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Scoped(ip, scope) => write!(f, "[{ip}%{}]", Encoded(scope.as_bytes())),
            Self::Name(name) => write!(f, "{}", Encoded(name.as_bytes())),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl FromStr for Host {
    type Err = AddrError;

    /// Reads a host as it stands in an address: `example.org`, `127.0.0.1`, `[::1]`,
    /// `[fe80::1%eth0]`.
    fn from_str(text: &str) -> Result<Self, AddrError> {
        Self::parse(Part::whole(text)).map_err(|fault| fault.in_input(text))
    }
}

impl FromStr for HostPort {
    type Err = AddrError;

    /// Reads `HOST:PORT` as it stands in an address.
    fn from_str(text: &str) -> Result<Self, AddrError> {
        Self::parse(Part::whole(text)).map_err(|fault| fault.in_input(text))
    }
}

impl From<IpAddr> for Host {
    fn from(ip: IpAddr) -> Self {
        Self::Ip(ip)
    }
}

impl From<Ipv4Addr> for Host {
    fn from(ip: Ipv4Addr) -> Self {
        Self::Ip(IpAddr::V4(ip))
    }
}

impl From<Ipv6Addr> for Host {
    fn from(ip: Ipv6Addr) -> Self {
        Self::Ip(IpAddr::V6(ip))
    }
}

impl From<SocketAddrV6> for Host {
    /// Keeps the scope of a link-local address; of others the kernel ignores it.
    fn from(addr: SocketAddrV6) -> Self {
        let ip = *addr.ip();
        match addr.scope_id() {
            scope if scope != 0 && takes_scope(ip) => Self::Scoped(ip, scope.to_string()),
            _ => Self::Ip(IpAddr::V6(ip)),
        }
    }
}

impl From<SocketAddr> for HostPort {
    fn from(addr: SocketAddr) -> Self {
        let host = match addr {
            SocketAddr::V4(v4) => Host::Ip(IpAddr::V4(*v4.ip())),
            SocketAddr::V6(v6) => Host::from(v6),
        };
        Self { host, port: addr.port() }
    }
}

impl<H: Into<IpAddr>> From<(H, u16)> for HostPort {
    fn from((ip, port): (H, u16)) -> Self {
        Self { host: Host::Ip(ip.into()), port }
    }
}
