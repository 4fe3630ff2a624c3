//! Binding of datagram sockets: one address, all addresses of a name, one port for all.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use rustix::{
    io::Errno,
    net::{
        AddressFamily, Protocol, RawProtocol, SocketAddrUnix, SocketFlags, SocketType, ipproto,
        sockopt,
    },
};

use super::{DatagramKind, DatagramSocket};
use crate::{
    addr::{Addr, Endpoint, Host, SocketOptions, UnixName},
    socket::{BindError, BindFault, SocketName, options, unix_file::bind_unix},
    sys::int_option,
};

/// How often another port is tried when the one that the system chose for the first address is
/// taken on a later one.
const SHARED_PORT_TRIES: u32 = 32;

const PING_DENIED: &str = "ICMP is not allowed to this program: allow ping sockets to all \
    groups (`sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"`), give the program the right \
    (`setcap cap_net_raw+ep PROGRAM`), or run it as root";

const RAW_DENIED: &str = "raw sockets need CAP_NET_RAW: give the program the right \
    (`setcap cap_net_raw+ep PROGRAM`), or run it as root";

/// raw(7): which types of ICMP a raw socket does not want, one bit each.
const ICMP_FILTER: int_option::IntOption = (255, 1);
const ICMP_ECHO_REPLY: libc::c_int = 0;

pub(super) fn bind(addr: &Addr) -> io::Result<Vec<DatagramSocket>> {
    match &addr.endpoint {
        Endpoint::Udp(_) => inet(addr, DatagramKind::Udp),
        Endpoint::Icmp(_) => inet(addr, DatagramKind::Icmp),
        Endpoint::Ip { protocol, .. } => inet(addr, DatagramKind::Ip { protocol: *protocol }),
        Endpoint::Unixgram(name) => Ok(vec![unix(addr, name)?]),
        Endpoint::Inherited(name) => {
            let passed = crate::systemd::take(name).map_err(|error| {
                let fault = BindFault::NotInherited(error.to_string());
                BindError::new(&addr.endpoint, fault)
            })?;
            let adopt = |fd: OwnedFd| {
                options::adopt(&fd, &addr.options)?;
                DatagramSocket::adopt(fd)
            };
            passed.into_iter().map(adopt).collect()
        }
        _ => Err(not_datagrams(addr)),
    }
}

fn inet(addr: &Addr, kind: DatagramKind) -> io::Result<Vec<DatagramSocket>> {
    let names = addr.resolve().map_err(|error| BindError::lookup(addr, error))?;
    let mut tries = if addr.port() == Some(0) { SHARED_PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        match together(&names, kind, &addr.options) {
            Err(error) if tries > 0 && matches!(error.fault(), BindFault::InUse(_)) => {}
            bound => return Ok(bound?),
        }
    }
}

/// Binds all of `names`; those with port 0 take the port that the first one got.
fn together(
    names: &[SocketAddr],
    kind: DatagramKind,
    options: &SocketOptions,
) -> Result<Vec<DatagramSocket>, BindError> {
    let mut bound: Vec<DatagramSocket> = Vec::with_capacity(names.len());
    for name in names {
        let mut name = *name;
        if let Some(SocketName::Inet(first)) = bound.first().map(DatagramSocket::local_name)
            && kind == DatagramKind::Udp
        {
            name.set_port(first.port());
        }
        let socket = inet_one(name, kind, options, false);
        bound.push(socket.map_err(|error| refused(kind, name, error))?);
    }
    Ok(bound)
}

fn inet_one(
    name: SocketAddr,
    kind: DatagramKind,
    options: &SocketOptions,
    reuse_port: bool,
) -> io::Result<DatagramSocket> {
    let (fd, kind) = open(name.ip(), kind)?;
    options::before_bind(&fd, options)?;
    if reuse_port {
        sockopt::set_socket_reuseport(&fd, true)?;
    }
    rustix::net::bind(&fd, &name)?;
    options::after_bind(&fd, options)?;
    let socket = DatagramSocket::bound(fd, kind, options.clone())?;
    if !options.multicast_join.is_empty() {
        socket.hear_own_groups_alone()?;
    }
    Ok(socket)
}

/// Opens a socket of `kind`; `Icmp` becomes `Ping` where raw sockets are not allowed, and
/// `Ping` becomes `Icmp` where ping sockets are not.
fn open(ip: IpAddr, kind: DatagramKind) -> io::Result<(OwnedFd, DatagramKind)> {
    let family = if ip.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let icmp = if ip.is_ipv4() { ipproto::ICMP } else { ipproto::ICMPV6 };
    let socket = |kind| {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (socket_type, protocol) = match kind {
            DatagramKind::Udp | DatagramKind::Unix => (SocketType::DGRAM, None),
            DatagramKind::Ping => (SocketType::DGRAM, Some(icmp)),
            DatagramKind::Icmp => (SocketType::RAW, Some(icmp)),
            DatagramKind::Ip { protocol } => {
                let protocol = RawProtocol::new(u32::from(protocol));
                (SocketType::RAW, protocol.map(Protocol::from_raw))
            }
        };
        rustix::net::socket_with(family, socket_type, flags, protocol).map(|fd| (fd, kind))
    };
    let denied = |errno: &Errno| matches!(*errno, Errno::ACCESS | Errno::PERM);
    let opened = match (kind, socket(kind)) {
        (DatagramKind::Icmp, Err(errno)) if denied(&errno) => socket(DatagramKind::Ping),
        (DatagramKind::Ping, Err(_)) => socket(DatagramKind::Icmp),
        (_, opened) => opened,
    };
    opened.map_err(|errno| match kind {
        DatagramKind::Icmp | DatagramKind::Ping if denied(&errno) => {
            io::Error::new(io::ErrorKind::PermissionDenied, PING_DENIED)
        }
        DatagramKind::Ip { .. } if denied(&errno) => {
            io::Error::new(io::ErrorKind::PermissionDenied, RAW_DENIED)
        }
        _ => errno.into(),
    })
}

/// An unbound socket for sending to `target`; for `icmp://` a ping socket, or a raw one where
/// that is not allowed.
pub(super) fn open_client(addr: &Addr, target: IpAddr) -> io::Result<DatagramSocket> {
    let kind = match addr.endpoint {
        Endpoint::Udp(_) => DatagramKind::Udp,
        Endpoint::Icmp(_) => DatagramKind::Ping,
        Endpoint::Ip { protocol, .. } => DatagramKind::Ip { protocol },
        _ => return Err(not_datagrams(addr)),
    };
    let (fd, kind) = open(target, kind)?;
    options::before_connect(&fd, &addr.options)?;
    if kind == DatagramKind::Icmp && target.is_ipv4() {
        // Replies only: a raw socket is woken by everyone's ICMP.
        int_option::set(fd.as_fd(), ICMP_FILTER, !(1 << ICMP_ECHO_REPLY))?;
    }
    DatagramSocket::new(fd, kind, addr.options.clone(), None)
}

/// A Unix socket for sending that replies can reach.
pub(super) fn open_unix_client(
    addr: &Addr,
    source: Option<&UnixName>,
) -> io::Result<DatagramSocket> {
    let fd = unix_socket()?;
    options::before_connect(&fd, &addr.options)?;
    let file = match source {
        Some(source) => bind_unix(fd.as_fd(), "unixgram", source, None)?,
        None => {
            // The kernel then chooses an abstract name (unix(7), "Autobind feature").
            rustix::net::bind(&fd, &SocketAddrUnix::new_unnamed())?;
            None
        }
    };
    DatagramSocket::new(fd, DatagramKind::Unix, addr.options.clone(), file.map(Arc::new))
}

fn unix_socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?)
}

fn not_datagrams(addr: &Addr) -> io::Error {
    let message = format!(
        "{addr} has connections: datagrams go by udp://, unixgram://, icmp://, ip:// or fd://"
    );
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

fn unix(addr: &Addr, name: &UnixName) -> io::Result<DatagramSocket> {
    let place = SocketName::Unix(name.clone());
    let fd = unix_socket().map_err(|error| BindError::from_os("unixgram", &place, error))?;
    options::before_bind(&fd, &addr.options)?;
    let file = bind_unix(fd.as_fd(), "unixgram", name, addr.options.mode)?;
    DatagramSocket::new(fd, DatagramKind::Unix, addr.options.clone(), file.map(Arc::new))
}

pub(super) fn sibling(socket: &DatagramSocket) -> io::Result<DatagramSocket> {
    let unsupported = |reason: &str| {
        let message = format!("{reason}; share the socket with try_clone instead");
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    };
    let SocketName::Inet(name) = *socket.local_name() else {
        return unsupported("a Unix socket cannot have a second queue: SO_REUSEPORT is for IP");
    };
    if socket.kind != DatagramKind::Udp {
        return unsupported("every raw socket of an address gets all that is sent to it");
    }
    if !socket.options.multicast_join.is_empty() || socket.options.broadcast == Some(true) {
        return unsupported("every socket of a port gets all multicasts and broadcasts");
    }
    sockopt::set_socket_reuseport(&socket.fd, true)?;
    inet_one(name, socket.kind, &socket.options, true)
        .map_err(|error| refused(socket.kind, name, error).into())
}

fn refused(kind: DatagramKind, name: SocketAddr, error: io::Error) -> BindError {
    if kind == DatagramKind::Udp {
        return BindError::from_os(kind.scheme(), &SocketName::Inet(name), error);
    }
    // The others have no port to name.
    BindError::new(
        format_args!("{}://{}", kind.scheme(), Host::Ip(name.ip())),
        BindFault::Os(error),
    )
}
