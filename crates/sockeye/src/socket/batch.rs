//! Batches of datagrams, so that one system call moves many.
//!
//! A [`RecvBatch`] is allocated once and refilled; a [`SendBatch`] is filled, sent and
//! cleared. Neither allocates per datagram once it is warm, and neither does I/O itself.

use std::{fmt, io, net::IpAddr, ops::Range};

use super::{
    SocketName,
    datagram::{
        DatagramPeer,
        peer::{Destination, PeerName},
        wire::{EncodedPeer, Notes, decode_control, decode_name},
    },
};
use crate::{
    addr::UnixName,
    sys::mmsg::{Message, RecvSlots},
};

/// The longest datagram there is, in bytes: the 16-bit length of IP and UDP.
pub const MAX_DATAGRAM_BYTES: usize = 65_535;

/// The most datagrams one batch holds: the kernel's own limit (`UIO_MAXIOV`).
pub const MAX_BATCH_SLOTS: usize = 1024;

/// Room for a number of datagrams, filled by one system call.
#[derive(Debug)]
pub struct RecvBatch {
    slots: RecvSlots,
    truncated: u64,
}

impl RecvBatch {
    /// Allocates `slots` slots of `slot_bytes` bytes.
    ///
    /// Both are clamped: 1 to [`MAX_BATCH_SLOTS`] and 1 to [`MAX_DATAGRAM_BYTES`]. Memory
    /// that no datagram has reached yet is not resident.
    #[must_use]
    pub fn new(slots: usize, slot_bytes: usize) -> Self {
        let slots = slots.clamp(1, MAX_BATCH_SLOTS);
        let slot_bytes = slot_bytes.clamp(1, MAX_DATAGRAM_BYTES);
        Self { slots: RecvSlots::new(slots, slot_bytes), truncated: 0 }
    }

    /// How many datagrams one call can bring.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots.slots()
    }

    /// How many bytes of a datagram are kept.
    #[must_use]
    pub fn slot_bytes(&self) -> usize {
        self.slots.slot_bytes()
    }

    /// How many datagrams the last call brought.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.filled()
    }

    /// Whether the last call brought nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many datagrams were longer than a slot since the batch was made.
    #[must_use]
    pub fn truncated_total(&self) -> u64 {
        self.truncated
    }

    /// The datagram at `index`, in the order of arrival.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Option<Received<'_>> {
        (index < self.len()).then(|| Received { message: self.slots.message(index) })
    }

    /// The datagrams that the last call brought, in the order of arrival.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Received<'_>> + '_ {
        (0..self.len()).map(|index| Received { message: self.slots.message(index) })
    }

    /// Refills the batch by `receive`.
    pub(super) fn fill(
        &mut self,
        receive: impl FnOnce(&mut RecvSlots) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let count = receive(&mut self.slots)?;
        let truncated = self.iter().filter(Received::truncated).count();
        self.truncated += truncated as u64;
        Ok(count)
    }
}

/// One datagram of a [`RecvBatch`].
#[derive(Clone, Copy)]
pub struct Received<'a> {
    message: Message<'a>,
}

impl<'a> Received<'a> {
    /// The bytes that were kept: all of them, unless [`truncated`](Self::truncated) says otherwise.
    #[must_use]
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        self.message.payload
    }

    /// Whether the datagram was longer than the slot and its end is lost.
    #[must_use]
    #[inline]
    pub fn truncated(&self) -> bool {
        self.message.truncated
    }

    /// The datagram's length as it was sent, in bytes (an ICMP socket does not tell it of
    /// a truncated one).
    #[must_use]
    pub fn datagram_len(&self) -> usize {
        self.message.length
    }

    /// The sender's name.
    #[must_use]
    pub fn name(&self) -> SocketName {
        self.peer_name().map_or(SocketName::Unix(UnixName::Unnamed), |name| {
            DatagramPeer { name, destination: None }.name()
        })
    }

    /// The sender together with the local address asked, for a reply.
    ///
    /// Allocates nothing for internet peers, and once for a Unix peer.
    #[must_use]
    #[inline]
    pub fn peer(&self) -> DatagramPeer {
        let name = self.peer_name().unwrap_or_else(|| PeerName::Unix([].into()));
        DatagramPeer { name, destination: self.notes().destination }
    }

    /// The address that the datagram was sent to; `None` where it is the socket's own.
    #[must_use]
    pub fn destination(&self) -> Option<IpAddr> {
        self.notes().destination.map(Destination::address)
    }

    /// The TTL or hop limit that was left, if the socket was told to ask for it.
    #[must_use]
    pub fn hop_limit(&self) -> Option<u8> {
        self.notes().hop_limit
    }

    fn peer_name(&self) -> Option<PeerName> {
        decode_name(self.message.name)
    }

    fn notes(&self) -> Notes {
        decode_control(self.message.control)
    }
}

impl fmt::Debug for Received<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("peer", &self.peer())
            .field("length", &self.payload().len())
            .field("truncated", &self.truncated())
            .finish()
    }
}

/// Datagrams to send in one go, each with its own destination.
///
/// The payloads are copied into one buffer that is kept when the batch is cleared.
#[derive(Debug)]
pub struct SendBatch {
    entries: Vec<Entry>,
    count: usize,
    payload: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Entry {
    range: Range<usize>,
    peer: EncodedPeer,
}

/// A [`SendBatch`] has no slot left: send it and clear it first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the batch of {slots} datagrams is full: send and clear it first")]
pub struct BatchFull {
    /// How many datagrams the batch holds.
    pub slots: usize,
}

impl SendBatch {
    /// Allocates room for `slots` destinations (clamped to 1 to [`MAX_BATCH_SLOTS`]).
    #[must_use]
    pub fn new(slots: usize) -> Self {
        let slots = slots.clamp(1, MAX_BATCH_SLOTS);
        let entry = Entry { range: 0..0, peer: EncodedPeer::EMPTY };
        Self { entries: vec![entry; slots], count: 0, payload: Vec::new() }
    }

    /// Adds a datagram for `peer`.
    ///
    /// # Errors
    /// [`BatchFull`] if no slot is left; the batch is unchanged.
    #[inline]
    pub fn push(&mut self, payload: &[u8], peer: &DatagramPeer) -> Result<(), BatchFull> {
        self.next(payload)?.set(&peer.name, peer.destination);
        Ok(())
    }

    /// Adds a datagram for the peer that the socket is connected to.
    ///
    /// # Errors
    /// [`BatchFull`] if no slot is left; the batch is unchanged.
    pub fn push_connected(&mut self, payload: &[u8]) -> Result<(), BatchFull> {
        self.next(payload)?.clear();
        Ok(())
    }

    fn next(&mut self, payload: &[u8]) -> Result<&mut EncodedPeer, BatchFull> {
        let slots = self.entries.len();
        let entry = self.entries.get_mut(self.count).ok_or(BatchFull { slots })?;
        let start = self.payload.len();
        self.payload.extend_from_slice(payload);
        entry.range = start..self.payload.len();
        self.count += 1;
        Ok(&mut entry.peer)
    }

    /// How many datagrams are in the batch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether the batch is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether every slot is taken.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.count == self.entries.len()
    }

    /// How many bytes of payload `count` datagrams from index `from` on have.
    pub(crate) fn payload_bytes(&self, from: usize, count: usize) -> usize {
        self.entries[..self.count]
            .iter()
            .skip(from)
            .take(count)
            .map(|entry| entry.range.len())
            .sum()
    }

    /// Forgets all datagrams and keeps the memory.
    pub fn clear(&mut self) {
        self.count = 0;
        self.payload.clear();
    }

    /// The messages from index `from` on.
    pub(super) fn messages(&self, from: usize) -> impl Iterator<Item = Message<'_>> {
        self.entries[..self.count].iter().skip(from).map(|entry| {
            Message::outgoing(
                &self.payload[entry.range.clone()],
                entry.peer.name(),
                entry.peer.control(),
            )
        })
    }
}

/// What became of a [`SendBatch`].
#[derive(Debug, Default)]
#[must_use]
pub struct SendReport {
    /// How many datagrams the system took.
    pub sent: usize,
    /// Those that it refused: index in the batch, and why. The rest went all the same.
    pub failed: Vec<(usize, io::Error)>,
}
