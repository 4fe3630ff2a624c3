//! What the server and its zygotes say to each other: one record, one message.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::PathBuf,
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use super::Link;
use crate::{
    SocketName,
    addr::UnixName,
    server::ConnId,
    socket::{DatagramPeer, StreamKind},
};

/// Longest order: a datagram of 65,535 bytes with its addresses.
pub(crate) const MAX_ORDER: usize = 66 * 1024;

/// The cell of a child, and the number of its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) index: u32,
    pub(crate) round: u32,
}

/// What a zygote is told to fork.
#[derive(Debug)]
pub(crate) enum Order {
    /// Another zygote, on the socket that comes along.
    Zygote,
    /// A child for the connection that comes along.
    Connection { slot: Slot, source: u16, id: ConnId, kind: StreamKind, peer: SocketName },
    /// A child for a datagram.
    Packet { slot: Slot, source: u16, peer: DatagramPeer, data: Vec<u8> },
    /// A prefork worker.
    Worker { slot: Slot },
}

/// A zygote's answer to an order: the error of fork(2), or the child.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) errno: i32,
    pub(crate) pid: i32,
    /// A descriptor for the child. None if it has ended already, or if the zygote or the server
    /// has no descriptor left: what does not fit is lost on the way.
    pub(crate) process: Option<OwnedFd>,
}

/// Sends one record, with a descriptor.
pub(crate) fn send(
    socket: impl AsFd,
    order: &Order,
    descriptor: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(64);
    order.encode(&mut bytes);
    send_record(socket, &bytes, descriptor)
}

/// Sends the answer to an order.
pub(crate) fn answer(socket: impl AsFd, receipt: &Receipt) -> io::Result<()> {
    let process = receipt.process.as_ref().map(AsFd::as_fd);
    let numbers = [receipt.errno.to_ne_bytes(), receipt.pid.to_ne_bytes()];
    send_record(socket, numbers.as_flattened(), process)
}

pub(crate) fn send_record(
    socket: impl AsFd,
    bytes: &[u8],
    descriptor: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let descriptors: Vec<_> = descriptor.into_iter().collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
    }
    sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives one record into `bytes`: its length, and the descriptor that came along.
fn receive(socket: impl AsFd, bytes: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(bytes)];
    let received = rustix::io::retry_on_intr(|| {
        recvmsg(&socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)
    })?;
    if received.flags.contains(ReturnFlags::TRUNC) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let descriptor = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    Ok((received.bytes, descriptor))
}

/// Receives an order; `None` when the server has closed its end.
pub(crate) fn receive_order(
    socket: impl AsFd,
    space: &mut [u8],
) -> io::Result<Option<(Order, Option<OwnedFd>)>> {
    let (len, descriptor) = receive(socket, space)?;
    if len == 0 {
        return Ok(None);
    }
    let order = Order::decode(&space[..len]).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Some((order, descriptor)))
}

/// Receives a receipt; `None` when the zygote is gone.
pub(crate) fn receive_receipt(socket: &Link) -> io::Result<Option<Receipt>> {
    let mut numbers = [[0; size_of::<i32>()]; 2];
    let (len, process) = receive(socket, numbers.as_flattened_mut())?;
    let [errno, pid] = numbers.map(i32::from_ne_bytes);
    Ok((len == size_of_val(&numbers)).then_some(Receipt { errno, pid, process }))
}

impl Order {
    /// The cell of the child that is ordered.
    pub(crate) const fn slot(&self) -> Option<Slot> {
        match self {
            Self::Connection { slot, .. } | Self::Packet { slot, .. } | Self::Worker { slot } => {
                Some(*slot)
            }
            Self::Zygote => None,
        }
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Zygote => out.push(0),
            Self::Connection { slot, source, id, kind, peer } => {
                out.push(1);
                encode_slot(*slot, out);
                out.extend(source.to_ne_bytes());
                out.extend(id.get().to_ne_bytes());
                out.push(match kind {
                    StreamKind::Tcp => 0,
                    StreamKind::Unix => 1,
                    StreamKind::Seqpacket => 2,
                });
                encode_name(peer, out);
            }
            Self::Packet { slot, source, peer, data } => {
                out.push(2);
                encode_slot(*slot, out);
                out.extend(source.to_ne_bytes());
                encode_peer(peer, out);
                out.extend_from_slice(data);
            }
            Self::Worker { slot } => {
                out.push(3);
                encode_slot(*slot, out);
            }
        }
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = Reader(bytes);
        Some(match rest.byte()? {
            0 => Self::Zygote,
            1 => Self::Connection {
                slot: rest.slot()?,
                source: u16::from_ne_bytes(rest.array()?),
                id: ConnId(u64::from_ne_bytes(rest.array()?)),
                kind: match rest.byte()? {
                    0 => StreamKind::Tcp,
                    1 => StreamKind::Unix,
                    _ => StreamKind::Seqpacket,
                },
                peer: rest.name()?,
            },
            2 => Self::Packet {
                slot: rest.slot()?,
                source: u16::from_ne_bytes(rest.array()?),
                peer: rest.peer()?,
                data: rest.0.to_vec(),
            },
            3 => Self::Worker { slot: rest.slot()? },
            _ => return None,
        })
    }
}

fn encode_slot(slot: Slot, out: &mut Vec<u8>) {
    out.extend(slot.index.to_ne_bytes());
    out.extend(slot.round.to_ne_bytes());
}

fn encode_name(name: &SocketName, out: &mut Vec<u8>) {
    match name {
        SocketName::Inet(SocketAddr::V4(addr)) => {
            out.push(b'4');
            out.extend(addr.ip().octets());
            out.extend(addr.port().to_ne_bytes());
        }
        SocketName::Inet(SocketAddr::V6(addr)) => {
            out.push(b'6');
            out.extend(addr.ip().octets());
            out.extend(addr.port().to_ne_bytes());
            out.extend(addr.flowinfo().to_ne_bytes());
            out.extend(addr.scope_id().to_ne_bytes());
        }
        SocketName::Unix(UnixName::Path(path)) => {
            encode_bytes(b'p', path.as_os_str().as_bytes(), out);
        }
        SocketName::Unix(UnixName::Abstract(name)) => encode_bytes(b'a', name, out),
        SocketName::Unix(UnixName::Unnamed) => out.push(b'u'),
    }
}

/// Unix names are at most 108 bytes long.
fn encode_bytes(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    let len = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    out.extend([tag, len]);
    out.extend_from_slice(&bytes[..usize::from(len)]);
}

fn encode_peer(peer: &DatagramPeer, out: &mut Vec<u8>) {
    encode_name(&peer.name(), out);
    match peer.arrival() {
        None => out.push(0),
        Some((to, reply_from, interface)) => {
            out.push(1);
            encode_name(&SocketName::Inet((to, 0).into()), out);
            encode_name(&SocketName::Inet((reply_from, 0).into()), out);
            out.extend(interface.to_ne_bytes());
        }
    }
}

/// What is left to decode.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let len = usize::from(self.byte()?);
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head.to_vec())
    }

    fn slot(&mut self) -> Option<Slot> {
        let (index, round) = (self.array()?, self.array()?);
        Some(Slot { index: u32::from_ne_bytes(index), round: u32::from_ne_bytes(round) })
    }

    fn name(&mut self) -> Option<SocketName> {
        Some(match self.byte()? {
            b'4' => {
                let ip = self.array::<4>()?.into();
                SocketName::Inet(SocketAddrV4::new(ip, u16::from_ne_bytes(self.array()?)).into())
            }
            b'6' => {
                let ip = self.array::<16>()?.into();
                let port = u16::from_ne_bytes(self.array()?);
                let flow = u32::from_ne_bytes(self.array()?);
                let scope = u32::from_ne_bytes(self.array()?);
                SocketName::Inet(SocketAddrV6::new(ip, port, flow, scope).into())
            }
            b'p' => {
                let path = std::ffi::OsString::from_vec(self.bytes()?);
                SocketName::Unix(UnixName::Path(PathBuf::from(path)))
            }
            b'a' => SocketName::Unix(UnixName::Abstract(self.bytes()?)),
            b'u' => SocketName::Unix(UnixName::Unnamed),
            _ => return None,
        })
    }

    fn ip(&mut self) -> Option<IpAddr> {
        self.name()?.ip()
    }

    fn peer(&mut self) -> Option<DatagramPeer> {
        let peer = DatagramPeer::new(&self.name()?);
        Some(match self.byte()? {
            0 => peer,
            _ => peer.arrived((self.ip()?, self.ip()?, u32::from_ne_bytes(self.array()?))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<SocketName> {
        vec![
            SocketName::Inet("127.0.0.1:80".parse().unwrap()),
            SocketName::Inet("[fe80::1%7]:65535".parse().unwrap()),
            SocketName::Unix(UnixName::Path("/run/a b.sock".into())),
            SocketName::Unix(UnixName::Abstract(b"x\0y".to_vec())),
            SocketName::Unix(UnixName::Unnamed),
        ]
    }

    #[test]
    fn an_order_arrives_as_it_was_given() {
        for peer in names() {
            let order = Order::Connection {
                slot: Slot { index: 7, round: 1 << 29 },
                source: 2,
                id: ConnId(1 << 40),
                kind: StreamKind::Seqpacket,
                peer: peer.clone(),
            };
            let mut bytes = Vec::new();
            order.encode(&mut bytes);
            assert_eq!(format!("{:?}", Order::decode(&bytes).unwrap()), format!("{order:?}"));
            let peer = DatagramPeer::new(&peer);
            let peer =
                peer.arrived(("127.0.0.2".parse().unwrap(), "127.0.0.3".parse().unwrap(), 1));
            let order = Order::Packet {
                slot: Slot { index: 1, round: 0 },
                source: 0,
                peer,
                data: vec![0, 1, 2],
            };
            bytes.clear();
            order.encode(&mut bytes);
            assert_eq!(format!("{:?}", Order::decode(&bytes).unwrap()), format!("{order:?}"));
        }
    }

    #[test]
    fn a_cut_order_is_refused() {
        let order = Order::Connection {
            slot: Slot { index: 7, round: 1 << 29 },
            source: 2,
            id: ConnId(9),
            kind: StreamKind::Tcp,
            peer: names().remove(0),
        };
        let mut bytes = Vec::new();
        order.encode(&mut bytes);
        for len in 0..bytes.len() {
            assert!(Order::decode(&bytes[..len]).is_none(), "{len}");
        }
    }
}
