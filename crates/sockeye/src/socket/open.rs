//! Opening a socket of any family and type, also of those that have no place in the address
//! grammar, with an error that says what this kernel lacks.

use std::{fmt, io, os::fd::OwnedFd};

use rustix::net::{AddressFamily, Protocol, RawProtocol, SocketFlags};

/// An address family (socket(2), "domain").
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Family(pub u16);

/// A type of socket (socket(2), "type").
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SocketType(pub u32);

/// The families of address_families(7) that Linux knows by a number of its own: the name, the
/// number, and the module that brings it where it is not always there.
macro_rules! families {
    ($($(#[$doc:meta])* $name:ident = $number:expr, $module:expr;)+) => {
        impl Family {
            $($(#[$doc])* pub const $name: Self = Self($number);)+

            const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)+
                    _ => None,
                }
            }

            const fn module(self) -> Option<&'static str> {
                match self.0 {
                    $($number => $module,)+
                    _ => None,
                }
            }
        }
    };
}

families! {
    /// Sockets on this machine (unix(7)).
    UNIX = 1, None;
    /// IPv4 (ip(7)).
    INET = 2, None;
    /// Amateur radio AX.25.
    AX25 = 3, Some("ax25");
    /// IPv6 (ipv6(7)).
    INET6 = 10, Some("ipv6");
    /// The kernel's own messages (netlink(7)).
    NETLINK = 16, None;
    /// Raw frames of a link (packet(7)).
    PACKET = 17, Some("af_packet");
    /// Reliable datagram sockets of clusters.
    RDS = 21, Some("rds");
    /// Controller area network, the bus in vehicles.
    CAN = 29, Some("can");
    /// Messages within a cluster (tipc).
    TIPC = 30, Some("tipc");
    /// Bluetooth.
    BLUETOOTH = 31, Some("bluetooth");
    /// The kernel's cryptography.
    ALG = 38, Some("af_alg");
    /// Between a virtual machine and its host (vsock(7)).
    VSOCK = 40, Some("vsock");
    /// Frames straight to a program (AF_XDP).
    XDP = 44, None;
}

impl SocketType {
    /// A connection that carries bytes.
    pub const STREAM: Self = Self(1);
    /// Packets, none of them sure to arrive.
    pub const DGRAM: Self = Self(2);
    /// The packets of the network layer itself; privileged.
    pub const RAW: Self = Self(3);
    /// Packets that arrive, in any order.
    pub const RDM: Self = Self(4);
    /// A connection that carries records.
    pub const SEQPACKET: Self = Self(5);
    /// Congestion-controlled datagrams (RFC 4340); removed from Linux in 6.16.
    pub const DCCP: Self = Self(6);

    const NAMES: [&'static str; 6] = ["STREAM", "DGRAM", "RAW", "RDM", "SEQPACKET", "DCCP"];

    fn name(self) -> Option<&'static str> {
        let index = usize::try_from(self.0).ok()?.checked_sub(1)?;
        Self::NAMES.get(index).copied()
    }
}

/// A socket that could not be opened.
///
/// `Debug` prints what `Display` does.
#[derive(thiserror::Error)]
#[error("cannot open a {socket_type} socket of family {family}: {fault}")]
pub struct OpenError {
    family: Family,
    socket_type: SocketType,
    fault: Fault,
}

#[derive(Debug)]
enum Fault {
    NoFamily(Family),
    NoType(SocketType),
    NoProtocol(u32),
    NoDevice,
    Denied,
    Os(io::Error),
}

/// Opens a socket, non-blocking and close-on-exec.
///
/// `protocol` 0 is the family's usual one. What comes out is a bare descriptor: take a
/// stream's with [`Stream::adopt`](super::Stream::adopt), a datagram socket's with
/// [`DatagramSocket::adopt`](super::DatagramSocket::adopt).
///
/// # Errors
/// An [`OpenError`] that tells a family, type or protocol that this kernel lacks
/// (EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT) from a privilege that is missing.
pub fn open(family: Family, socket_type: SocketType, protocol: u32) -> Result<OwnedFd, OpenError> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let raw_protocol = RawProtocol::new(protocol).map(Protocol::from_raw);
    rustix::net::socket_with(
        AddressFamily::from_raw(family.0),
        rustix::net::SocketType::from_raw(socket_type.0),
        flags,
        raw_protocol,
    )
    .map_err(|error| {
        let fault = match error.raw_os_error() {
            libc::EAFNOSUPPORT => Fault::NoFamily(family),
            // Families that were there before ESOCKTNOSUPPORT say EPROTONOSUPPORT or EPROTOTYPE.
            libc::ESOCKTNOSUPPORT | libc::EPROTOTYPE => Fault::NoType(socket_type),
            libc::EPROTONOSUPPORT if protocol == 0 => Fault::NoType(socket_type),
            libc::EPROTONOSUPPORT => Fault::NoProtocol(protocol),
            libc::ENODEV => Fault::NoDevice,
            libc::EPERM | libc::EACCES => Fault::Denied,
            _ => Fault::Os(error.into()),
        };
        OpenError { family, socket_type, fault }
    })
}

impl OpenError {
    /// Whether this kernel has no such socket, as opposed to refusing it now.
    #[must_use]
    pub const fn is_lacking(&self) -> bool {
        !matches!(self.fault, Fault::Denied | Fault::Os(_))
    }
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        let kind = match &error.fault {
            Fault::Denied => io::ErrorKind::PermissionDenied,
            Fault::Os(source) => source.kind(),
            _ => io::ErrorKind::Unsupported,
        };
        Self::new(kind, error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFamily(family) => {
                f.write_str("this kernel lacks the family")?;
                match family.module() {
                    Some(module) => write!(f, ": `modprobe {module}` loads it if it was built"),
                    None => Ok(()),
                }
            }
            Self::NoType(SocketType::RDM) => f.write_str(
                "this kernel lacks the type in this family: Linux offers RDM with TIPC alone; \
                 for messages that surely arrive use SEQPACKET of family UNIX, or frames over \
                 STREAM",
            ),
            Self::NoType(_) => f.write_str("this kernel lacks the type in this family"),
            Self::NoProtocol(protocol) => write!(
                f,
                "this kernel lacks protocol {protocol} for this family and type, or its module \
                 is not loaded"
            ),
            Self::NoDevice => f.write_str("this machine has no device that carries it"),
            Self::Denied => f.write_str(
                "permission denied: such sockets are for programs with CAP_NET_RAW (`setcap \
                 cap_net_raw+ep PROGRAM`, or run as root)",
            ),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Family({self})")
    }
}

impl fmt::Display for SocketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "type-{}", self.0),
        }
    }
}

impl fmt::Debug for SocketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SocketType({self})")
    }
}
