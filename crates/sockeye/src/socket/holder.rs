//! Whether an address that is taken is taken by this very process. It never guesses: what
//! cannot be seen is not ours.

use std::{fs, net::SocketAddr, os::fd::OwnedFd};

use rustix::{
    net::{SocketType, sockopt},
    process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open},
};

use super::SocketName;

/// Whether a socket of this process keeps others from binding `name` with the transport `scheme`.
pub(super) fn is_ours(scheme: &str, name: &SocketName) -> bool {
    own_sockets().any(|socket| {
        SocketName::local_of(&socket).is_ok_and(|own| excludes(&own, name))
            && holds(scheme, &socket).unwrap_or(false)
    })
}

/// Whether no socket can be bound to `wanted` beside one that is bound to `own`.
fn excludes(own: &SocketName, wanted: &SocketName) -> bool {
    match (own, wanted) {
        (SocketName::Inet(own), SocketName::Inet(wanted)) => {
            let everywhere = |addr: &SocketAddr| addr.ip().is_unspecified();
            own.port() == wanted.port()
                && (own.ip() == wanted.ip() || everywhere(own) || everywhere(wanted))
        }
        (own, wanted) => own == wanted,
    }
}

/// Whether the socket is one that `scheme` binds: accepted connections have the name of their
/// listener.
fn holds(scheme: &str, socket: &OwnedFd) -> rustix::io::Result<bool> {
    let socket_type = sockopt::socket_type(socket)?;
    Ok(match scheme {
        "udp" => socket_type == SocketType::DGRAM,
        "tcp" => socket_type == SocketType::STREAM && sockopt::socket_acceptconn(socket)?,
        // A path or abstract name belongs to one Unix socket, of whatever type.
        _ => socket_type == SocketType::DGRAM || sockopt::socket_acceptconn(socket)?,
    })
}

/// Copies of this process's descriptors that are sockets, one at a time.
fn own_sockets() -> impl Iterator<Item = OwnedFd> {
    let this = pidfd_open(getpid(), PidfdFlags::empty()).ok();
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    entries.filter_map(move |entry| {
        let target = fs::read_link(entry.path()).ok()?;
        target.to_str()?.strip_prefix("socket:")?;
        let number = entry.file_name().to_str()?.parse().ok()?;
        pidfd_getfd(this.as_ref()?, number, PidfdGetfdFlags::empty()).ok()
    })
}

#[cfg(test)]
mod tests {
    use std::{
        net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket},
        os::{
            linux::net::SocketAddrExt,
            unix::net::{SocketAddr as UnixAddr, UnixListener, UnixStream},
        },
    };

    use super::*;
    use crate::addr::UnixName;

    /// One test, as each look has copies of what the others hold.
    #[test]
    fn what_this_process_has_is_ours() {
        what_this_process_listens_on_is_ours_and_what_it_is_connected_from_is_not();
        streams_and_datagrams_have_ports_of_their_own();
        a_unix_socket_is_ours_as_long_as_it_listens();
    }

    fn what_this_process_listens_on_is_ours_and_what_it_is_connected_from_is_not() {
        for place in ["127.0.0.1:0", "[::1]:0", "[::]:0"] {
            let Ok(listener) = TcpListener::bind(place) else { continue };
            let at = listener.local_addr().unwrap();
            assert!(is_ours("tcp", &at.into()), "{at}");
            let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, at.port()));
            assert!(is_ours("tcp", &everywhere.into()), "{at}");
            let client = TcpStream::connect(at).unwrap();
            assert!(!is_ours("tcp", &client.local_addr().unwrap().into()), "{at}");
        }
    }

    fn streams_and_datagrams_have_ports_of_their_own() {
        let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
        let at = datagrams.local_addr().unwrap();
        assert!(is_ours("udp", &at.into()));
        drop(datagrams);
        assert!(!is_ours("udp", &at.into()));
    }

    fn a_unix_socket_is_ours_as_long_as_it_listens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b");
        let name = SocketName::Unix(UnixName::Path(path.clone()));
        let listener = UnixListener::bind(&path).unwrap();
        assert!(is_ours("unix", &name));
        let _client = UnixStream::connect(&path).unwrap();
        let _accepted = listener.accept().unwrap();
        drop(listener);
        assert!(!is_ours("unix", &name), "the connection has the name too");

        let abstract_name = format!("sockeye-holder-{}", std::process::id());
        let addr = UnixAddr::from_abstract_name(&abstract_name).unwrap();
        let _listener = UnixListener::bind_addr(&addr).unwrap();
        let name = SocketName::Unix(UnixName::Abstract(abstract_name.into_bytes()));
        assert!(is_ours("unix", &name));
    }
}
