//! A client that sends echo requests and waits for the replies.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use tokio::time::timeout;

use super::{ECHO_HEADER, Echo, EchoKind, IcmpVersion, MAX_ECHO_PAYLOAD};
use crate::{
    addr::{Addr, Endpoint},
    socket::{
        SocketName,
        datagram::{Arrival, Datagram, DatagramKind, DatagramSocket},
        raw::Ipv4Packet,
    },
};

/// The longest IPv4 header in bytes: it comes before each message on a raw socket.
const LONGEST_IPV4_HEADER: usize = 60;

/// Asks one host for echoes.
///
/// Uses the unprivileged ping socket (`net.ipv4.ping_group_range`) and, where that is not
/// allowed, a raw socket, which needs CAP_NET_RAW. A raw socket sees the replies to all
/// programs: only those whose identifier, sequence number and payload are this client's count.
#[derive(Debug)]
pub struct Ping {
    socket: Datagram,
    target: IpAddr,
    version: IcmpVersion,
    id: u16,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

/// An echo reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PingReply {
    /// Who answered.
    pub from: IpAddr,
    /// The sequence number that was asked with.
    pub sequence: u16,
    /// The length of the ICMP message in bytes, header included, as ping(8) counts.
    pub bytes: usize,
    /// The time between sending the request and seeing the reply.
    pub rtt: Duration,
    /// The time to live, or hop limit, that the reply had left.
    pub ttl: Option<u8>,
}

impl Ping {
    /// Opens a socket for the host of an `icmp://` address: the first of its addresses that
    /// there is a route to. No packet is sent. Cancellation safe.
    ///
    /// # Errors
    /// `PermissionDenied`, saying what to do, if neither kind of socket is allowed; if the
    /// name is not found or there is no route; `InvalidInput` if the address is not `icmp://`.
    pub async fn connect(addr: &Addr) -> io::Result<Self> {
        if !matches!(addr.endpoint, Endpoint::Icmp(_)) {
            let message = format!("{addr} cannot be pinged: write icmp://HOST");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let mut last = None;
        for target in addr.resolve_async().await? {
            match Self::open(target, addr) {
                Ok(ping) => return Ok(ping),
                Err(error) => {
                    let message = format!("cannot ping {}: {error}", target.ip());
                    last = Some(io::Error::new(error.kind(), message));
                }
            }
        }
        Err(last.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
    }

    fn open(target: SocketAddr, addr: &Addr) -> io::Result<Self> {
        let mut socket = DatagramSocket::open(addr, target.ip())?;
        socket.connect(&SocketName::Inet(target))?;
        let id = match (socket.kind(), socket.local_name()) {
            // The kernel chose it, and writes it into each request.
            (DatagramKind::Ping, SocketName::Inet(local)) => local.port(),
            _ => random_id()?,
        };
        let version = match target {
            SocketAddr::V4(_) => IcmpVersion::V4,
            SocketAddr::V6(_) => IcmpVersion::V6(None),
        };
        Ok(Self {
            socket: Datagram::new(socket)?,
            target: target.ip(),
            version,
            id,
            request: Vec::new(),
            buffer: Vec::new(),
        })
    }

    /// The address that is asked.
    #[must_use]
    pub fn target(&self) -> IpAddr {
        self.target
    }

    /// Which kind of socket was allowed: [`DatagramKind::Ping`] or [`DatagramKind::Icmp`].
    #[must_use]
    pub fn kind(&self) -> DatagramKind {
        self.socket.socket().kind()
    }

    /// The socket, for its options.
    #[must_use]
    pub fn socket(&self) -> &Datagram {
        &self.socket
    }

    /// Sends one request and waits for its reply.
    ///
    /// A reply that comes after the limit is dropped unless its sequence number and payload
    /// are asked with again. Cancellation safe in the same sense.
    ///
    /// # Errors
    /// `TimedOut` if no reply came within `limit`; `InvalidInput` if the payload is longer than
    /// [`MAX_ECHO_PAYLOAD`]; `HostUnreachable` and the like if a router said so.
    pub async fn echo(
        &mut self,
        sequence: u16,
        payload: &[u8],
        limit: Duration,
    ) -> io::Result<PingReply> {
        if payload.len() > MAX_ECHO_PAYLOAD {
            let message = format!("an echo carries at most {MAX_ECHO_PAYLOAD} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let request = Echo { kind: EchoKind::Request, id: self.id, sequence, payload };
        self.request.clear();
        request.write(self.version, &mut self.request);
        // No reply is longer: what does not fit is not one.
        self.buffer.resize(LONGEST_IPV4_HEADER + self.request.len(), 0);
        let exchange = async {
            let sent = Instant::now();
            self.socket.send(&self.request).await?;
            loop {
                let arrival = self.socket.recv_from(&mut self.buffer).await?;
                let rtt = sent.elapsed();
                if self.is_reply(&arrival, request) {
                    let from = arrival.peer.inet().map_or(self.target, |from| from.ip());
                    let bytes = ECHO_HEADER + payload.len();
                    return Ok(PingReply { from, sequence, bytes, rtt, ttl: arrival.hop_limit });
                }
            }
        };
        timeout(limit, exchange).await.unwrap_or_else(|_| {
            let message = format!("no echo reply from {} within {limit:?}", self.target);
            Err(io::Error::new(io::ErrorKind::TimedOut, message))
        })
    }

    fn is_reply(&self, arrival: &Arrival, request: Echo<'_>) -> bool {
        let bytes = &self.buffer[..arrival.len];
        let message = match (self.kind(), self.version) {
            (DatagramKind::Icmp, IcmpVersion::V4) => match Ipv4Packet::parse(bytes) {
                Ok(packet) => packet.payload(),
                Err(_) => return false,
            },
            _ => bytes,
        };
        !arrival.truncated && Echo::parse(self.version, message) == Ok(request.reply())
    }
}

/// An identifier that other programs hardly have chosen, fresh in a forked child too.
fn random_id() -> io::Result<u16> {
    let mut bytes = [0; 2];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(u16::from_ne_bytes(bytes))
}
