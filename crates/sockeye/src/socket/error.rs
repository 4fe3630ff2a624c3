//! Why a socket could not be bound: the place, the cause and the way out.

use std::{fmt, io, path::PathBuf};

use super::{SocketName, holder};
use crate::addr::{Addr, UnixName};

/// A listening address that could not be had.
///
/// Functions of this crate return it inside an [`io::Error`]; `error.get_ref()` and
/// `downcast_ref::<BindError>()` bring it back.
///
/// `Debug` prints what `Display` does.
#[derive(thiserror::Error)]
pub struct BindError {
    place: String,
    fault: BindFault,
    /// Whether it is this process that has what is in use.
    ours: bool,
}

/// What stood in the way of [`BindError`].
#[derive(Debug)]
#[non_exhaustive]
pub enum BindFault {
    /// The caller: this transport has no listening streams.
    NotAStream,
    /// The caller: the path of a Unix socket is longer than [`UnixName::MAX_LEN`]; its length.
    PathTooLong(usize),
    /// The caller: the folder of a Unix socket does not exist.
    NoFolder(PathBuf, io::Error),
    /// The caller: what stands at the path is not a socket, and is left alone.
    ForeignFile,
    /// The caller: the host does not resolve to addresses.
    Lookup(io::Error),
    /// The caller: no service manager passed a descriptor that fits; the reason.
    NotInherited(String),
    /// The system: the address is taken.
    InUse(io::Error),
    /// The system: a running server has the Unix socket.
    LiveSocket,
    /// The system: the port is for privileged programs; the first that is not.
    PrivilegedPort(u32, io::Error),
    /// The system: no permission.
    Denied(io::Error),
    /// The system: the address belongs to no interface of this machine.
    NotLocal(io::Error),
    /// The system: its kernel lacks the address family.
    NoFamily(io::Error),
    /// Anything else that it refused.
    Os(io::Error),
}

impl BindError {
    pub(crate) fn new(place: impl fmt::Display, fault: BindFault) -> Self {
        Self { place: place.to_string(), fault, ours: false }
    }

    /// What the host of `addr` resolves to is not known.
    pub(crate) fn lookup(addr: &Addr, error: io::Error) -> Self {
        Self::new(addr, BindFault::Lookup(error))
    }

    /// A running server has the Unix socket `name`.
    pub(crate) fn live(scheme: &str, name: &SocketName) -> Self {
        let ours = holder::is_ours(scheme, name);
        Self { ours, ..Self::new(format_args!("{scheme}://{name}"), BindFault::LiveSocket) }
    }

    /// Sorts what the system said about `name` of the transport `scheme`.
    pub(crate) fn from_os(scheme: &str, name: &SocketName, error: impl Into<io::Error>) -> Self {
        let fault = BindFault::from_os(name, error.into());
        let ours = matches!(fault, BindFault::InUse(_)) && holder::is_ours(scheme, name);
        Self { place: format!("{scheme}://{name}"), fault, ours }
    }

    /// What stood in the way.
    #[must_use]
    pub const fn fault(&self) -> &BindFault {
        &self.fault
    }

    /// Whether it is this program itself that has the address which is in use.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        self.ours
    }

    /// The system's error number, where it was the system that refused.
    #[must_use]
    pub fn raw_os_error(&self) -> Option<i32> {
        self.fault.os_error().and_then(io::Error::raw_os_error)
    }
}

impl BindFault {
    fn from_os(name: &SocketName, error: io::Error) -> Self {
        match (error.raw_os_error(), name) {
            (Some(libc::EADDRINUSE), _) => Self::InUse(error),
            (Some(libc::EACCES), SocketName::Inet(_)) => {
                Self::PrivilegedPort(first_unprivileged_port(), error)
            }
            (Some(libc::EACCES | libc::EPERM | libc::EROFS), _) => Self::Denied(error),
            (Some(libc::EADDRNOTAVAIL), SocketName::Inet(_)) => Self::NotLocal(error),
            (Some(libc::EAFNOSUPPORT), _) => Self::NoFamily(error),
            (Some(libc::ENOENT | libc::ENOTDIR), SocketName::Unix(_)) => match missing(name) {
                Some(folder) => Self::NoFolder(folder, error),
                // As in /proc, where nobody can make anything.
                None => Self::Denied(error),
            },
            _ => Self::Os(error),
        }
    }

    const fn os_error(&self) -> Option<&io::Error> {
        match self {
            Self::InUse(error)
            | Self::PrivilegedPort(_, error)
            | Self::NoFolder(_, error)
            | Self::Lookup(error)
            | Self::Denied(error)
            | Self::NotLocal(error)
            | Self::NoFamily(error)
            | Self::Os(error) => Some(error),
            _ => None,
        }
    }

    fn kind(&self) -> io::ErrorKind {
        match self {
            Self::NotAStream | Self::PathTooLong(_) => io::ErrorKind::InvalidInput,
            Self::NotInherited(_) => io::ErrorKind::NotFound,
            Self::ForeignFile => io::ErrorKind::AlreadyExists,
            Self::LiveSocket => io::ErrorKind::AddrInUse,
            _ => self.os_error().map_or(io::ErrorKind::Other, io::Error::kind),
        }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {}: ", self.place)?;
        if self.ours {
            return f.write_str("this program itself listens there already: leave one of them out");
        }
        self.fault.fmt(f)
    }
}

impl fmt::Display for BindFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAStream => f.write_str(
                "this transport has no connections: listen on tcp://, unix://, seqpacket:// or \
                 fd://",
            ),
            Self::PathTooLong(length) => write!(
                f,
                "the path has {length} bytes, and a Unix socket takes {}: use a \
                 shorter path, a relative one, or an abstract name (unix://@NAME)",
                UnixName::MAX_LEN
            ),
            Self::NoFolder(folder, _) => {
                write!(
                    f,
                    "there is no folder {}: create it first",
                    UnixName::from(folder.as_path())
                )
            }
            Self::ForeignFile => f.write_str(
                "a file that is not a socket stands there, and is left alone: move it away or \
                 choose another path",
            ),
            Self::Lookup(error) => error.fmt(f),
            Self::NotInherited(reason) => f.write_str(reason),
            Self::InUse(_) => f.write_str(
                "the address is in use: stop the program that has it (`ss -lnp` names it), or \
                 choose another; port 0 lets the system choose",
            ),
            Self::LiveSocket => f.write_str(
                "the socket is in use by a running server: stop it, or choose another path",
            ),
            Self::PrivilegedPort(first, _) => write!(
                f,
                "permission denied: use a port of {first} or above, or give the program \
                 CAP_NET_BIND_SERVICE, or let the service manager open the socket (fd://)"
            ),
            Self::Denied(error) => {
                write!(f, "{error}: the program may not create a socket there")
            }
            Self::NotLocal(_) => f.write_str(
                "no interface of this machine has the address (`ip address` lists them); a \
                 link-local IPv6 address needs its scope, as in [fe80::1%eth0]",
            ),
            Self::NoFamily(_) => {
                f.write_str("this kernel lacks the address family (is IPv6 turned off?)")
            }
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl From<BindError> for io::Error {
    fn from(error: BindError) -> Self {
        Self::new(error.fault.kind(), error)
    }
}

/// The folder of a socket, if it does not exist.
fn missing(name: &SocketName) -> Option<PathBuf> {
    let folder = name.as_path()?.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    (!folder.is_dir()).then(|| folder.to_owned())
}

/// The kernel's own limit, 1024 unless it was changed (ip-sysctl: ip_unprivileged_port_start).
fn first_unprivileged_port() -> u32 {
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(scheme: &str, name: &SocketName, code: i32) -> String {
        let error = BindError::from_os(scheme, name, io::Error::from_raw_os_error(code));
        assert_eq!(error.raw_os_error(), Some(code));
        error.to_string()
    }

    #[test]
    fn a_privileged_port_is_explained() {
        let text = said("tcp", &SocketName::Inet("127.0.0.1:80".parse().unwrap()), libc::EACCES);
        assert!(
            text.starts_with("cannot listen on tcp://127.0.0.1:80: permission denied"),
            "{text}"
        );
        assert!(text.contains("CAP_NET_BIND_SERVICE") && text.contains("fd://"), "{text}");
    }

    #[test]
    fn a_folder_without_permission_is_explained() {
        let name = SocketName::Unix(UnixName::Path("/run/x.sock".into()));
        let text = said("unix", &name, libc::EACCES);
        assert!(text.starts_with("cannot listen on unix:///run/x.sock: "), "{text}");
        assert!(text.contains("may not create a socket there"), "{text}");
    }

    #[test]
    fn a_folder_is_missing_only_if_it_does_not_exist() {
        let at = |path: &str| SocketName::Unix(UnixName::Path(path.into()));
        let text = said("unix", &at("/no/such/x.sock"), libc::ENOENT);
        assert!(text.ends_with("there is no folder /no/such: create it first"), "{text}");
        let text = said("unix", &at("/proc/x.sock"), libc::ENOENT);
        assert!(text.contains("may not create a socket there"), "{text}");
    }

    #[test]
    fn what_is_not_known_is_passed_on() {
        let name = SocketName::Inet("127.0.0.1:80".parse().unwrap());
        assert!(said("tcp", &name, libc::ENOBUFS).contains("os error 105"));
    }
}
