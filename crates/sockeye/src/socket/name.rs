//! The name of a socket, as getsockname, getpeername and accept give it.
//!
//! Names here are what the kernel knows; host names belong to [`crate::addr`].

use std::{
    ffi::OsString,
    fmt, io,
    net::{IpAddr, SocketAddr},
    os::{fd::AsFd, unix::ffi::OsStringExt},
    path::{Path, PathBuf},
};

use rustix::{
    io::Errno,
    net::{AddressFamily, SocketAddrAny, SocketAddrUnix},
};

use crate::addr::UnixName;

/// The address of one end of a socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SocketName {
    /// IPv4 or IPv6 address with port.
    Inet(SocketAddr),
    /// Unix socket name.
    Unix(UnixName),
}

impl SocketName {
    /// The IP address; `None` for a Unix socket.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Inet(addr) => Some(addr.ip()),
            Self::Unix(_) => None,
        }
    }

    /// The port; `None` for a Unix socket.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        match self {
            Self::Inet(addr) => Some(addr.port()),
            Self::Unix(_) => None,
        }
    }

    /// The IP address and port; `None` for a Unix socket.
    #[must_use]
    pub const fn as_inet(&self) -> Option<SocketAddr> {
        match self {
            Self::Inet(addr) => Some(*addr),
            Self::Unix(_) => None,
        }
    }

    /// The same address, with an IPv4 address that an IPv6 socket gives as `::ffff:a.b.c.d`
    /// written as IPv4.
    #[must_use]
    pub fn canonical(self) -> Self {
        match self {
            Self::Inet(SocketAddr::V6(addr)) if addr.ip().to_ipv4_mapped().is_some() => {
                Self::Inet((addr.ip().to_canonical(), addr.port()).into())
            }
            other => other,
        }
    }

    /// The path in the filesystem; `None` for IP, abstract and unnamed sockets.
    #[must_use]
    pub fn as_path(&self) -> Option<&Path> {
        match self {
            Self::Unix(UnixName::Path(path)) => Some(path),
            _ => None,
        }
    }

    /// The name that the socket itself is bound to (getsockname).
    ///
    /// # Errors
    /// If the descriptor is not a socket, or of a family without such names.
    pub fn local_of(socket: impl AsFd) -> io::Result<Self> {
        Self::try_from(rustix::net::getsockname(socket)?)
    }

    /// The name of the peer (getpeername).
    ///
    /// # Errors
    /// `NotConnected` once the peer has reset the connection; otherwise as [`Self::local_of`].
    pub fn peer_of(socket: impl AsFd) -> io::Result<Self> {
        match rustix::net::getpeername(socket)? {
            Some(name) => Self::try_from(name),
            None => Ok(Self::Unix(UnixName::Unnamed)),
        }
    }

    /// The sockaddr for the system calls.
    pub(crate) fn to_raw(&self) -> io::Result<SocketAddrAny> {
        match self {
            Self::Inet(addr) => Ok(SocketAddrAny::from(*addr)),
            Self::Unix(name) => unix_to_raw(name).map(SocketAddrAny::from),
        }
    }
}

fn unix_to_raw(name: &UnixName) -> io::Result<SocketAddrUnix> {
    Ok(match name {
        UnixName::Path(path) if path.as_os_str().len() > UnixName::MAX_LEN => {
            return Err(Errno::NAMETOOLONG.into());
        }
        UnixName::Path(path) => SocketAddrUnix::new(path.as_path())?,
        UnixName::Abstract(name) => SocketAddrUnix::new_abstract_name(name)?,
        UnixName::Unnamed => SocketAddrUnix::new_unnamed(),
    })
}

impl TryFrom<SocketAddrAny> for SocketName {
    type Error = io::Error;

    /// Takes a raw sockaddr. An IPv4 address in IPv6 form, as a socket of both families gives
    /// for IPv4 peers, becomes IPv4.
    ///
    /// # Errors
    /// `Unsupported` for families other than IPv4, IPv6 and Unix.
    fn try_from(raw: SocketAddrAny) -> io::Result<Self> {
        match raw.address_family() {
            AddressFamily::INET | AddressFamily::INET6 => {
                Ok(Self::Inet(plain(SocketAddr::try_from(raw)?)))
            }
            AddressFamily::UNIX => Ok(Self::Unix(unix_from_raw(&SocketAddrUnix::try_from(raw)?))),
            other => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!("a socket of address family {} is neither IP nor Unix", other.as_raw()),
            )),
        }
    }
}

fn plain(addr: SocketAddr) -> SocketAddr {
    match addr.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, addr.port()),
        IpAddr::V6(_) => addr,
    }
}

fn unix_from_raw(raw: &SocketAddrUnix) -> UnixName {
    if let Some(path) = raw.path_bytes() {
        // A path that fills the sockaddr may come with its final NUL (unix(7), "BUGS").
        let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
        UnixName::Path(PathBuf::from(OsString::from_vec(path[..end].to_vec())))
    } else if let Some(name) = raw.abstract_name().filter(|name| !name.is_empty()) {
        UnixName::Abstract(name.to_vec())
    } else {
        UnixName::Unnamed
    }
}

impl From<SocketAddr> for SocketName {
    fn from(addr: SocketAddr) -> Self {
        Self::Inet(addr)
    }
}

/// As in an address; what anyone may have chosen is encoded, so that no log line is forged by it.
impl fmt::Display for SocketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(addr) => addr.fmt(f),
            Self::Unix(UnixName::Unnamed) => f.write_str("(unnamed)"),
            Self::Unix(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_survives_the_kernels_form() {
        let names = [
            SocketName::Inet("127.0.0.1:80".parse().unwrap()),
            SocketName::Inet("[fe80::1%3]:80".parse().unwrap()),
            SocketName::Unix(UnixName::Path("/run/x.sock".into())),
            SocketName::Unix(UnixName::Path(
                format!("/{}", "x".repeat(UnixName::MAX_LEN - 1)).into(),
            )),
            SocketName::Unix(UnixName::Abstract(b"a\0b\xff".to_vec())),
            SocketName::Unix(UnixName::Unnamed),
        ];
        for name in names {
            assert_eq!(SocketName::try_from(name.to_raw().unwrap()).unwrap(), name);
        }
    }

    #[test]
    fn names_print_on_one_line_whatever_they_hold() {
        let name = SocketName::Unix(UnixName::Abstract(b"a\n\xff\xe4\xbd\xa0".to_vec()));
        assert_eq!(name.to_string(), "@a%0A%FF\u{4f60}");
        assert_eq!(SocketName::Inet("[::1]:80".parse().unwrap()).to_string(), "[::1]:80");
    }

    #[test]
    fn a_path_longer_than_the_kernel_takes_is_refused() {
        let path = format!("/{}", "x".repeat(UnixName::MAX_LEN));
        assert!(SocketName::Unix(UnixName::Path(path.into())).to_raw().is_err());
    }
}
