//! Datagram sockets: UDP, Unix datagram, ICMP and raw IP, bound to no runtime.
//!
//! A [`DatagramSocket`] never waits: its calls answer `WouldBlock`. [`Datagram`] is the
//! same socket registered with a tokio runtime. Streams are in [`Stream`](super::Stream).

mod bind;
mod multicast;
pub(super) mod peer;
mod registered;
pub(super) mod wire;

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    sync::Arc,
};

pub use peer::{DatagramPeer, is_transient};
pub use registered::Datagram;
use rustix::net::{AddressFamily, SocketType, sockopt};

use self::{
    peer::PeerName,
    wire::{EncodedPeer, decode_control, decode_name},
};
use super::{
    SocketName,
    batch::{RecvBatch, SendBatch},
    unix_file::UnixSocketFile,
};
use crate::{
    addr::{Addr, Endpoint, Host, HostPort, SocketOptions, UnixName},
    sys::{
        int_option,
        mmsg::{self, Message, RecvOne, SEND_CHUNK},
    },
};

/// What a datagram socket carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DatagramKind {
    /// UDP over IPv4 or IPv6.
    Udp,
    /// Unix datagrams.
    Unix,
    /// ICMP echo by an unprivileged ping socket, which sees only the replies to its own requests.
    Ping,
    /// ICMP by a raw socket, which sees all ICMP that reaches the address.
    Icmp,
    /// Raw IP of one protocol.
    Ip {
        /// The IP protocol number.
        protocol: u8,
    },
}

impl DatagramKind {
    /// The name of the transport in the address grammar.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Unix => "unixgram",
            Self::Ping | Self::Icmp => "icmp",
            Self::Ip { .. } => "ip",
        }
    }
}

/// A datagram socket: non-blocking, close-on-exec, bound to no runtime.
///
/// A socket bound to a wildcard address asks the kernel for each packet's destination, and
/// a reply to its [`DatagramPeer`] leaves from that address; other sockets do not pay for it.
pub struct DatagramSocket {
    /// The path to remove when the last clone is dropped; before `fd`, as it must go while
    /// the socket is still open.
    path: Option<Arc<UnixSocketFile>>,
    fd: OwnedFd,
    kind: DatagramKind,
    local: SocketName,
    options: SocketOptions,
    /// Whether control messages are asked for.
    notes: bool,
}

/// One datagram received into a caller's buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Arrival {
    /// How many bytes of the buffer were filled.
    pub len: usize,
    /// The datagram's length as it was sent, in bytes.
    pub datagram_len: usize,
    /// Whether the datagram was longer than the buffer and its end is lost.
    pub truncated: bool,
    /// The sender, and the local address that it sent to.
    pub peer: DatagramPeer,
    /// The TTL or hop limit that was left, if the socket asks for it (ICMP and raw ones do).
    pub hop_limit: Option<u8>,
}

impl DatagramSocket {
    /// Binds every address that `addr` resolves to; with port 0 all share one port.
    ///
    /// Takes `udp://`, `unixgram://`, `icmp://`, `ip://` and `fd://`. A stale Unix socket is
    /// replaced, one in use is refused, another kind of file is never touched; the process
    /// that bound a path removes it when the last clone is dropped. `icmp://` is bound
    /// as a raw socket where that is allowed, to see requests, and as a ping socket otherwise.
    /// Resolving a host name blocks.
    ///
    /// # Errors
    /// Whatever the system refuses, naming the address; `InvalidInput` for a stream's address.
    pub fn bind(addr: &Addr) -> io::Result<Vec<Self>> {
        bind::bind(addr)
    }

    /// Adopts a datagram socket made elsewhere and makes it non-blocking and close-on-exec.
    ///
    /// # Errors
    /// `InvalidInput` if the descriptor is not a datagram or raw socket of IPv4, IPv6 or Unix.
    pub fn adopt(fd: OwnedFd) -> io::Result<Self> {
        let kind = kind_of(&fd)?;
        rustix::io::ioctl_fionbio(&fd, true)?;
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
        Self::bound(fd, kind, SocketOptions::default())
    }

    /// Two connected Unix datagram sockets without names (socketpair).
    ///
    /// # Errors
    /// If the system has no descriptor left.
    pub fn pair() -> io::Result<(Self, Self)> {
        use rustix::net::{SocketFlags, socketpair};
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (a, b) = socketpair(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
        let new = |fd| Self::new(fd, DatagramKind::Unix, SocketOptions::default(), None);
        Ok((new(a)?, new(b)?))
    }

    /// An unbound socket of the address's kind for sending to `target`, one of its hosts.
    pub(crate) fn open(addr: &Addr, target: IpAddr) -> io::Result<Self> {
        bind::open_client(addr, target)
    }

    /// A Unix socket for sending that replies can reach, by the name `source` or one that the
    /// kernel chooses.
    pub(crate) fn open_unix(addr: &Addr, source: Option<&UnixName>) -> io::Result<Self> {
        bind::open_unix_client(addr, source)
    }

    /// A socket bound to where datagrams come to, perhaps to several addresses.
    fn bound(fd: OwnedFd, kind: DatagramKind, options: SocketOptions) -> io::Result<Self> {
        let mut socket = Self::new(fd, kind, options, None)?;
        if let SocketName::Inet(local) = socket.local
            && local.ip().is_unspecified()
            && kind != DatagramKind::Ping
        {
            socket.ask_for_destination(local.is_ipv6())?;
        }
        Ok(socket)
    }

    fn new(
        fd: OwnedFd,
        kind: DatagramKind,
        options: SocketOptions,
        path: Option<Arc<UnixSocketFile>>,
    ) -> io::Result<Self> {
        let local = SocketName::local_of(&fd)?;
        let mut socket = Self { path, fd, kind, local, options, notes: false };
        if let SocketName::Inet(local) = socket.local
            && kind != DatagramKind::Udp
        {
            socket.ask_for_hop_limit(local.is_ipv6())?;
        }
        Ok(socket)
    }

    fn ask_for_destination(&mut self, v6: bool) -> io::Result<()> {
        let fd = self.fd.as_fd();
        if v6 {
            int_option::set(fd, (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO), 1)?;
            // For IPv4 that reaches a socket of both families; one for IPv6 alone may refuse.
            let _ = int_option::set(fd, (libc::IPPROTO_IP, libc::IP_PKTINFO), 1);
        } else {
            int_option::set(fd, (libc::IPPROTO_IP, libc::IP_PKTINFO), 1)?;
        }
        self.notes = true;
        Ok(())
    }

    fn ask_for_hop_limit(&mut self, v6: bool) -> io::Result<()> {
        let option = if v6 {
            (libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT)
        } else {
            (libc::IPPROTO_IP, libc::IP_RECVTTL)
        };
        int_option::set(self.fd.as_fd(), option, 1)?;
        self.notes = true;
        Ok(())
    }

    /// What the socket carries.
    #[must_use]
    pub fn kind(&self) -> DatagramKind {
        self.kind
    }

    /// The name that the socket is bound to, with its real port.
    #[must_use]
    pub fn local_name(&self) -> &SocketName {
        &self.local
    }

    /// The name that the socket is connected to (getpeername).
    ///
    /// # Errors
    /// `NotConnected` if it is not connected.
    pub fn peer_name(&self) -> io::Result<SocketName> {
        SocketName::peer_of(&self.fd)
    }

    /// The address as others would write it, with the real port and the options it was bound with.
    #[must_use]
    pub fn addr(&self) -> Addr {
        let endpoint = match &self.local {
            SocketName::Unix(name) => Endpoint::Unixgram(name.clone()),
            &SocketName::Inet(local) => match self.kind {
                DatagramKind::Ping | DatagramKind::Icmp => Endpoint::Icmp(host(local)),
                DatagramKind::Ip { protocol } => Endpoint::Ip { host: host(local), protocol },
                DatagramKind::Udp | DatagramKind::Unix => {
                    Endpoint::Udp(HostPort { host: host(local), port: local.port() })
                }
            },
        };
        Addr { tls: false, proxy: false, endpoint, options: self.options.clone() }
    }

    /// Another descriptor of the same socket: both draw from one queue.
    ///
    /// # Errors
    /// If the system has no descriptor left.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            fd: self.fd.try_clone()?,
            path: self.path.clone(),
            kind: self.kind,
            local: self.local.clone(),
            options: self.options.clone(),
            notes: self.notes,
        })
    }

    /// Another socket on the same address with a queue of its own (SO_REUSEPORT): the
    /// kernel spreads the peers over both.
    ///
    /// Packets queued on one of them are lost when that one is closed.
    ///
    /// # Errors
    /// `Unsupported` for Unix sockets, which have no such thing, and for what is not spread but
    /// handed to every socket: raw IP, multicast groups, broadcasts. Use
    /// [`try_clone`](Self::try_clone) there. Else what the system refuses.
    pub fn reuse_port_sibling(&self) -> io::Result<Self> {
        bind::sibling(self)
    }

    /// Connects the socket: it then sends to `peer` and receives from `peer` alone.
    ///
    /// # Errors
    /// If there is no route, or no such Unix socket.
    pub fn connect(&mut self, peer: &SocketName) -> io::Result<()> {
        rustix::net::connect(&self.fd, &peer.to_raw()?)?;
        self.local = SocketName::local_of(&self.fd)?;
        Ok(())
    }

    /// Whether the system tells when there is room again after a send answered `WouldBlock`.
    ///
    /// A Unix socket that is not connected is writable all the time, also while the queue of
    /// the peer that it sends to is full; waiting for it to become so would be a busy loop.
    #[must_use]
    pub fn announces_room(&self) -> bool {
        self.kind != DatagramKind::Unix
    }

    /// Lets nothing further into the queue; what is in it stays. For a drain: under load the
    /// queue would never be empty otherwise. An inherited socket is not ours to close.
    pub(crate) fn turn_away(&self) {
        if matches!(self.addr().endpoint, crate::addr::Endpoint::Inherited(_)) {
            return;
        }
        if let Err(error) = super::newcomers::drop_all(self) {
            tracing::debug!(%error, "datagrams are still queued");
        }
    }

    /// Takes the error that is waiting on the socket (SO_ERROR), usually of an earlier send.
    ///
    /// # Errors
    /// If the system refuses, which it does not for an open socket.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(sockopt::socket_error(&self.fd)?.err().map(Into::into))
    }

    /// Refills `batch` with what is queued, at most one datagram a slot (recvmmsg).
    ///
    /// # Errors
    /// `WouldBlock` if nothing is queued; see [`is_transient`] for the others.
    pub fn try_recv_batch(&self, batch: &mut RecvBatch) -> io::Result<usize> {
        batch.fill(|slots| slots.receive(self.fd.as_fd(), self.notes))
    }

    /// Sends `batch` from index `from` on (sendmmsg) and answers how many went.
    ///
    /// Fewer than all means that the next one failed: call again from there to learn why.
    ///
    /// # Errors
    /// That of the datagram at `from`; `WouldBlock` if there is no room for it now.
    pub fn try_send_batch(&self, batch: &SendBatch, from: usize) -> io::Result<usize> {
        let mut sent = 0;
        while from + sent < batch.len() {
            let chunk = (batch.len() - from - sent).min(SEND_CHUNK);
            let messages = batch.messages(from + sent).take(SEND_CHUNK);
            match mmsg::send_many(self.fd.as_fd(), messages) {
                Ok(count) => {
                    sent += count;
                    if count < chunk {
                        break;
                    }
                }
                Err(_) if sent > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(sent)
    }

    /// Receives one datagram. A longer one than `buffer` is marked as truncated.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is queued; see [`is_transient`] for the others.
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<Arrival> {
        RecvOne::receive(self.fd.as_fd(), buffer, self.notes, false, arrival)
    }

    /// As [`try_recv_from`](Self::try_recv_from), leaving the datagram in the queue (MSG_PEEK).
    ///
    /// # Errors
    /// As [`try_recv_from`](Self::try_recv_from).
    pub fn try_peek_from(&self, buffer: &mut [u8]) -> io::Result<Arrival> {
        RecvOne::receive(self.fd.as_fd(), buffer, self.notes, true, arrival)
    }

    /// Sends one datagram to `peer`, from the address that the peer had asked.
    ///
    /// # Errors
    /// `WouldBlock` if there is no room now; see [`is_transient`] for the others.
    pub fn try_send_to(&self, payload: &[u8], peer: &DatagramPeer) -> io::Result<usize> {
        let mut to = EncodedPeer::EMPTY;
        to.set(&peer.name, peer.destination);
        mmsg::send_one(self.fd.as_fd(), Message::outgoing(payload, to.name(), to.control()))
    }

    /// Sends one datagram to the peer that the socket is connected to.
    ///
    /// # Errors
    /// As [`try_send_to`](Self::try_send_to); `NotConnected` if it is not connected.
    pub fn try_send(&self, payload: &[u8]) -> io::Result<usize> {
        mmsg::send_one(self.fd.as_fd(), Message::outgoing(payload, &[], &[]))
    }
}

fn arrival(message: Message<'_>) -> Arrival {
    let name = decode_name(message.name).unwrap_or_else(|| PeerName::Unix([].into()));
    let notes = decode_control(message.control);
    Arrival {
        len: message.payload.len(),
        datagram_len: message.length,
        truncated: message.truncated,
        peer: DatagramPeer { name, destination: notes.destination },
        hop_limit: notes.hop_limit,
    }
}

fn host(local: SocketAddr) -> Host {
    match local {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => {
            Host::Scoped(*v6.ip(), v6.scope_id().to_string())
        }
        _ => Host::Ip(local.ip()),
    }
}

fn kind_of(fd: &OwnedFd) -> io::Result<DatagramKind> {
    let family = sockopt::socket_domain(fd)?;
    let protocol = sockopt::socket_protocol(fd)?.map_or(0, |protocol| protocol.as_raw().get());
    let protocol = u8::try_from(protocol).unwrap_or_default();
    let icmp = [libc::IPPROTO_ICMP, libc::IPPROTO_ICMPV6].contains(&i32::from(protocol));
    let inet = [AddressFamily::INET, AddressFamily::INET6].contains(&family);
    match sockopt::socket_type(fd)? {
        SocketType::DGRAM if family == AddressFamily::UNIX => Ok(DatagramKind::Unix),
        SocketType::DGRAM if inet && icmp => Ok(DatagramKind::Ping),
        SocketType::DGRAM if inet => Ok(DatagramKind::Udp),
        SocketType::RAW if inet && icmp => Ok(DatagramKind::Icmp),
        SocketType::RAW if inet => Ok(DatagramKind::Ip { protocol }),
        other => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "the descriptor is a socket of family {} and type {}, not a datagram socket of \
                 IPv4, IPv6 or Unix",
                family.as_raw(),
                other.as_raw()
            ),
        )),
    }
}

impl AsFd for DatagramSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for DatagramSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl fmt::Debug for DatagramSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatagramSocket")
            .field("fd", &self.fd.as_raw_fd())
            .field("kind", &self.kind)
            .field("local", &self.local)
            .finish_non_exhaustive()
    }
}
