//! Binding of datagram sockets: one address, all addresses of a name, one port for all.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use rustix::net::{
    AddressFamily, Protocol, RawProtocol, SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType,
    ipproto, sockopt,
};

use super::{DatagramKind, DatagramSocket};
use crate::{
    addr::{Addr, Endpoint, Host, HostPort, SocketOptions, UnixName},
    socket::SocketName,
};

/// How often another port is tried when the one that the system chose for the first address is
/// taken on a later one.
const SHARED_PORT_TRIES: u32 = 32;

/// The file of a bound socket.
#[derive(Debug)]
pub(super) struct UnixPath {}

pub(super) fn bind(addr: &Addr) -> io::Result<Vec<DatagramSocket>> {
    match &addr.endpoint {
        Endpoint::Udp(HostPort { host, port }) => {
            inet(host, *port, DatagramKind::Udp, &addr.options)
        }
        Endpoint::Icmp(host) => inet(host, 0, DatagramKind::Icmp, &addr.options),
        Endpoint::Ip { host, protocol } => {
            inet(host, 0, DatagramKind::Ip { protocol: *protocol }, &addr.options)
        }
        Endpoint::Unixgram(name) => Ok(vec![unix(name, &addr.options)?]),
        Endpoint::Inherited(name) => inherited(name),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "this transport has connections: datagrams go by udp://, unixgram://, icmp://, ip:// \
             or fd://",
        )),
    }
}

fn inherited(name: &str) -> io::Result<Vec<DatagramSocket>> {
    let text = format!("fd://{name}: no service manager passed a socket of this name");
    Err(io::Error::new(io::ErrorKind::NotFound, text))
}

fn inet(
    host: &Host,
    port: u16,
    kind: DatagramKind,
    options: &SocketOptions,
) -> io::Result<Vec<DatagramSocket>> {
    let names = resolve(host, port)?;
    let optional = matches!(host, Host::Name(name) if name == "localhost");
    let mut tries = if port == 0 { SHARED_PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        match together(&names, optional, kind, options) {
            Err(error) if tries > 0 && error.kind() == io::ErrorKind::AddrInUse => {}
            bound => return bound,
        }
    }
}

/// Binds all of `names`; those with port 0 take the port that the first one got.
///
/// Where `optional`, a family that this machine has not is left out: `localhost` has both
/// addresses in every hosts file.
fn together(
    names: &[SocketAddr],
    optional: bool,
    kind: DatagramKind,
    options: &SocketOptions,
) -> io::Result<Vec<DatagramSocket>> {
    let mut bound: Vec<DatagramSocket> = Vec::with_capacity(names.len());
    let mut missing = None;
    let mut port = None;
    for name in names {
        let mut name = *name;
        name.set_port(port.unwrap_or(name.port()));
        match inet_one(name, kind, options, false) {
            Ok(socket) => {
                if let (SocketName::Inet(local), DatagramKind::Udp) = (socket.local_name(), kind) {
                    port = Some(local.port());
                }
                bound.push(socket);
            }
            Err(error) if optional && lacks_family(&error) => missing = Some((name, error)),
            Err(error) => return Err(naming(&format_args!("{name}"), error)),
        }
    }
    match missing {
        Some((name, error)) if bound.is_empty() => Err(naming(&name, error)),
        _ => Ok(bound),
    }
}

fn lacks_family(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT))
}

fn inet_one(
    name: SocketAddr,
    kind: DatagramKind,
    options: &SocketOptions,
    reuse_port: bool,
) -> io::Result<DatagramSocket> {
    let (fd, kind) = open(name.ip(), kind)?;
    if name.is_ipv6() {
        sockopt::set_ipv6_v6only(&fd, true)?;
    }
    if reuse_port {
        sockopt::set_socket_reuseport(&fd, true)?;
    }
    rustix::net::bind(&fd, &name)?;
    DatagramSocket::finish(fd, kind, options.clone(), None)
}

/// Opens a socket of `kind`; `Icmp` becomes `Ping` where raw sockets are not allowed.
fn open(ip: IpAddr, kind: DatagramKind) -> io::Result<(OwnedFd, DatagramKind)> {
    let family = if ip.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let icmp = if ip.is_ipv4() { ipproto::ICMP } else { ipproto::ICMPV6 };
    let socket = |socket_type, protocol| -> io::Result<OwnedFd> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        Ok(rustix::net::socket_with(family, socket_type, flags, protocol)?)
    };
    match kind {
        DatagramKind::Udp | DatagramKind::Unix => Ok((socket(SocketType::DGRAM, None)?, kind)),
        DatagramKind::Ping => Ok((socket(SocketType::DGRAM, Some(icmp))?, kind)),
        DatagramKind::Icmp => match socket(SocketType::RAW, Some(icmp)) {
            Ok(fd) => Ok((fd, kind)),
            Err(_) => Ok((socket(SocketType::DGRAM, Some(icmp))?, DatagramKind::Ping)),
        },
        DatagramKind::Ip { protocol } => {
            let protocol = RawProtocol::new(u32::from(protocol)).map(Protocol::from_raw);
            Ok((socket(SocketType::RAW, protocol)?, kind))
        }
    }
}

fn unix(name: &UnixName, options: &SocketOptions) -> io::Result<DatagramSocket> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let fd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
    rustix::net::bind(fd.as_fd(), &raw(&SocketName::Unix(name.clone()))?)?;
    DatagramSocket::finish(fd, DatagramKind::Unix, options.clone(), Some(Arc::new(UnixPath {})))
}

pub(super) fn sibling(socket: &DatagramSocket) -> io::Result<DatagramSocket> {
    let SocketName::Inet(name) = *socket.local_name() else {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a Unix socket cannot have a second queue: SO_REUSEPORT is for IP; share the socket \
             with try_clone instead",
        ));
    };
    sockopt::set_socket_reuseport(&socket.fd, true)?;
    inet_one(name, socket.kind, &socket.options, true).map_err(|error| naming(&name, error))
}

fn naming(place: &dyn fmt::Display, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot bind {place}: {error}"))
}

fn resolve(host: &Host, port: u16) -> io::Result<Vec<SocketAddr>> {
    let mut names: Vec<SocketAddr> = match host {
        Host::Ip(ip) => vec![SocketAddr::new(*ip, port)],
        Host::Scoped(ip, scope) => format!("[{ip}%{scope}]:{port}").to_socket_addrs()?.collect(),
        Host::Name(name) => (name.as_str(), port).to_socket_addrs()?.collect(),
    };
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(*name));
    Ok(names)
}

pub(super) fn name(raw: SocketAddrAny) -> io::Result<SocketName> {
    if raw.address_family() == AddressFamily::UNIX {
        let raw = SocketAddrUnix::try_from(raw)?;
        use std::os::unix::ffi::OsStrExt;
        return Ok(SocketName::Unix(if let Some(path) = raw.path() {
            UnixName::Path(std::ffi::OsStr::from_bytes(path.to_bytes()).into())
        } else if let Some(name) = raw.abstract_name() {
            UnixName::Abstract(name.to_vec())
        } else {
            UnixName::Unnamed
        }));
    }
    Ok(SocketName::Inet(SocketAddr::try_from(raw)?))
}

pub(super) fn raw(name: &SocketName) -> io::Result<SocketAddrAny> {
    Ok(match name {
        SocketName::Inet(address) => SocketAddrAny::from(*address),
        SocketName::Unix(UnixName::Path(path)) => SocketAddrUnix::new(path.as_path())?.into(),
        SocketName::Unix(UnixName::Abstract(name)) => {
            SocketAddrUnix::new_abstract_name(name)?.into()
        }
        SocketName::Unix(UnixName::Unnamed) => SocketAddrUnix::new_unnamed().into(),
    })
}
