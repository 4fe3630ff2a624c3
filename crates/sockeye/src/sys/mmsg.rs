//! Messages in batches: recvmmsg, sendmmsg and the single-message calls beside them.
//!
//! Only the system calls and the headers they need live here. Names and control messages
//! are plain bytes; they are read and written by safe code in `socket::datagram::wire`.

#![expect(unsafe_code, reason = "no safe crate wraps recvmmsg and sendmmsg")]

use std::{
    fmt, io,
    mem::{self, MaybeUninit},
    os::fd::{AsRawFd, BorrowedFd},
    ptr,
};

/// Room for a socket name: the size of `sockaddr_storage`.
const NAME_BYTES: usize = 128;

/// The same as the headers state it.
const NAME_LENGTH: libc::socklen_t = 128;

/// Room for the control messages of one datagram: packet information and hop limit of
/// either family (at most 40 + 24 bytes), with room for the other family's as well.
const CONTROL_BYTES: usize = 128;

/// How many messages one sendmmsg call takes: the headers are built on the stack.
pub(crate) const SEND_CHUNK: usize = 64;

const RECV_FLAGS: libc::c_int = libc::MSG_DONTWAIT | libc::MSG_TRUNC | libc::MSG_CMSG_CLOEXEC;
const SEND_FLAGS: libc::c_int = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;

/// The bytes of a socket name, aligned as the kernel's structures are.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Name([u8; NAME_BYTES]);

/// The bytes of a block of control messages, aligned as the kernel's structures are.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL_BYTES]);

/// Headers and buffers for recvmmsg, set up once and reused.
///
/// The headers point into the other four vectors. None of those is ever resized or
/// handed out mutably, so the pointers hold for the life of the value, moves included.
pub(crate) struct RecvSlots {
    headers: Vec<libc::mmsghdr>,
    _iovecs: Vec<libc::iovec>,
    names: Vec<Name>,
    controls: Vec<Control>,
    payload: Vec<u8>,
    slot_bytes: usize,
    /// How many slots the last call filled: those that the next one has to mend.
    filled: usize,
    /// Whether the headers offer room for control messages now.
    control: bool,
}

// SAFETY: the raw pointers in the headers lead only into vectors that the value itself owns.
unsafe impl Send for RecvSlots {}
// SAFETY: nothing is written through a shared reference; `receive` takes `&mut self`.
unsafe impl Sync for RecvSlots {}

impl fmt::Debug for RecvSlots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvSlots")
            .field("slots", &self.headers.len())
            .field("slot_bytes", &self.slot_bytes)
            .field("filled", &self.filled)
            .finish_non_exhaustive()
    }
}

impl RecvSlots {
    /// Sets up `slots` slots of `slot_bytes` bytes each.
    pub(crate) fn new(slots: usize, slot_bytes: usize) -> Self {
        let mut names = vec![Name([0; NAME_BYTES]); slots];
        let mut controls = vec![Control([0; CONTROL_BYTES]); slots];
        let mut payload = vec![0_u8; slots * slot_bytes];
        let mut iovecs: Vec<libc::iovec> = payload
            .chunks_exact_mut(slot_bytes)
            .map(|slot| libc::iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: slot_bytes })
            .collect();
        let headers = (0..slots)
            .map(|index| {
                let mut header = empty_header();
                header.msg_hdr.msg_name = ptr::from_mut(&mut names[index]).cast();
                header.msg_hdr.msg_namelen = NAME_LENGTH;
                header.msg_hdr.msg_iov = ptr::from_mut(&mut iovecs[index]);
                header.msg_hdr.msg_iovlen = 1;
                header.msg_hdr.msg_control = ptr::from_mut(&mut controls[index]).cast();
                header
            })
            .collect();
        Self {
            headers,
            _iovecs: iovecs,
            names,
            controls,
            payload,
            slot_bytes,
            filled: 0,
            control: false,
        }
    }

    /// How many slots there are.
    pub(crate) fn slots(&self) -> usize {
        self.headers.len()
    }

    /// How many bytes a slot holds.
    pub(crate) fn slot_bytes(&self) -> usize {
        self.slot_bytes
    }

    /// How many slots the last call filled.
    pub(crate) fn filled(&self) -> usize {
        self.filled
    }

    /// Receives what is queued, at most one datagram a slot, and never blocks.
    ///
    /// Without `control` no control message is taken: descriptors that a Unix peer
    /// passes along are closed by the kernel.
    pub(crate) fn receive(&mut self, fd: BorrowedFd<'_>, control: bool) -> io::Result<usize> {
        self.mend(control);
        let slots = libc::c_uint::try_from(self.headers.len()).unwrap_or(libc::c_uint::MAX);
        // SAFETY: `headers` holds `slots` headers whose name, iovec and control pointers lead
        // into vectors owned by `self`, of the lengths that the headers state; `self` is
        // borrowed mutably for the call. A null timeout is allowed.
        let count = unsafe {
            libc::recvmmsg(
                fd.as_raw_fd(),
                self.headers.as_mut_ptr(),
                slots,
                RECV_FLAGS as _,
                ptr::null_mut(),
            )
        };
        self.filled = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        Ok(self.filled)
    }

    /// Restores the fields that the last call overwrote.
    fn mend(&mut self, control: bool) {
        let touched = if control == self.control { self.filled } else { self.headers.len() };
        self.control = control;
        self.filled = 0;
        let room = if control { CONTROL_BYTES } else { 0 };
        for header in &mut self.headers[..touched] {
            header.msg_hdr.msg_namelen = NAME_LENGTH;
            header.msg_hdr.msg_controllen = room as _;
            header.msg_hdr.msg_flags = 0;
        }
    }

    /// The datagram in slot `index`, which must be below [`filled`](Self::filled).
    #[inline]
    pub(crate) fn message(&self, index: usize) -> Message<'_> {
        let header = &self.headers[index];
        let length = header.msg_len as usize;
        let start = index * self.slot_bytes;
        Message {
            payload: &self.payload[start..start + length.min(self.slot_bytes)],
            name: &self.names[index].0[..(header.msg_hdr.msg_namelen as usize).min(NAME_BYTES)],
            control: &self.controls[index].0[..self.control_length(header)],
            length,
            truncated: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
        }
    }

    fn control_length(&self, header: &libc::mmsghdr) -> usize {
        if self.control { controllen(&header.msg_hdr).min(CONTROL_BYTES) } else { 0 }
    }
}

/// One message as bytes: what was received, or what is to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) payload: &'a [u8],
    /// The peer's `sockaddr`; empty where the socket is connected or the peer has no name.
    pub(crate) name: &'a [u8],
    pub(crate) control: &'a [u8],
    /// The datagram's length on the wire, where the kernel tells it.
    pub(crate) length: usize,
    pub(crate) truncated: bool,
}

impl<'a> Message<'a> {
    /// A message to send.
    pub(crate) fn outgoing(payload: &'a [u8], name: &'a [u8], control: &'a [u8]) -> Self {
        Self { payload, name, control, length: payload.len(), truncated: false }
    }
}

/// The name and control bytes of a datagram received alone, beside the caller's buffer.
pub(crate) struct RecvOne {
    name: Name,
    control: Control,
}

impl RecvOne {
    /// Receives one datagram into `buffer` without blocking and calls `read` on it.
    pub(crate) fn receive<T>(
        fd: BorrowedFd<'_>,
        buffer: &mut [u8],
        control: bool,
        peek: bool,
        read: impl FnOnce(Message<'_>) -> T,
    ) -> io::Result<T> {
        let mut room = Self { name: Name([0; NAME_BYTES]), control: Control([0; CONTROL_BYTES]) };
        let mut iovec = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        let mut header = empty_header().msg_hdr;
        header.msg_name = ptr::from_mut(&mut room.name).cast();
        header.msg_namelen = NAME_LENGTH;
        header.msg_iov = &raw mut iovec;
        header.msg_iovlen = 1;
        header.msg_control = ptr::from_mut(&mut room.control).cast();
        header.msg_controllen = if control { CONTROL_BYTES } else { 0 } as _;
        let flags = if peek { RECV_FLAGS | libc::MSG_PEEK } else { RECV_FLAGS };
        // SAFETY: the header points to live locals and to `buffer`, of the lengths it states.
        let length = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut header, flags) };
        let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
        let control_length = if control { controllen(&header).min(CONTROL_BYTES) } else { 0 };
        Ok(read(Message {
            payload: &buffer[..length.min(buffer.len())],
            name: &room.name.0[..(header.msg_namelen as usize).min(NAME_BYTES)],
            control: &room.control.0[..control_length],
            length,
            truncated: header.msg_flags & libc::MSG_TRUNC != 0,
        }))
    }
}

/// Sends one message without blocking.
pub(crate) fn send_one(fd: BorrowedFd<'_>, message: Message<'_>) -> io::Result<usize> {
    let mut iovec = outgoing_iovec(&message);
    let header = outgoing_header(&message, &raw mut iovec);
    // SAFETY: the header points to the message's slices and to a live local; sendmsg only reads.
    let sent = unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const header.msg_hdr, SEND_FLAGS) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Sends up to [`SEND_CHUNK`] messages in one call without blocking; answers how many went.
///
/// The error is the first message's: those before a failing one are counted, not lost.
pub(crate) fn send_many<'a>(
    fd: BorrowedFd<'_>,
    messages: impl Iterator<Item = Message<'a>>,
) -> io::Result<usize> {
    let mut iovecs = [const { MaybeUninit::<libc::iovec>::uninit() }; SEND_CHUNK];
    let mut headers = [const { MaybeUninit::<libc::mmsghdr>::uninit() }; SEND_CHUNK];
    let mut count: libc::c_uint = 0;
    for ((message, iovec), header) in messages.zip(&mut iovecs).zip(&mut headers) {
        let iovec = ptr::from_mut(iovec.write(outgoing_iovec(&message)));
        header.write(outgoing_header(&message, iovec));
        count += 1;
    }
    if count == 0 {
        return Ok(0);
    }
    // SAFETY: the first `count` headers are initialised and point to the messages' slices, which
    // live for 'a, and to iovecs in this frame; sendmmsg writes only the headers' `msg_len`.
    let sent = unsafe {
        libc::sendmmsg(fd.as_raw_fd(), headers.as_mut_ptr().cast(), count, SEND_FLAGS as _)
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

fn empty_header() -> libc::mmsghdr {
    // SAFETY: mmsghdr is plain data, for which all zeros is a valid value (no name, no
    // buffers). A literal will not do: some C libraries add private padding fields.
    unsafe { mem::zeroed() }
}

fn socket_length(length: usize) -> libc::socklen_t {
    libc::socklen_t::try_from(length).unwrap_or(libc::socklen_t::MAX)
}

#[expect(clippy::unnecessary_cast, reason = "some C libraries declare it as a 32-bit number")]
fn controllen(header: &libc::msghdr) -> usize {
    header.msg_controllen as usize
}

fn outgoing_iovec(message: &Message<'_>) -> libc::iovec {
    libc::iovec {
        iov_base: message.payload.as_ptr().cast_mut().cast(),
        iov_len: message.payload.len(),
    }
}

fn outgoing_header(message: &Message<'_>, iovec: *mut libc::iovec) -> libc::mmsghdr {
    let mut header = empty_header();
    let inner = &mut header.msg_hdr;
    inner.msg_iov = iovec;
    inner.msg_iovlen = 1;
    if !message.name.is_empty() {
        inner.msg_name = message.name.as_ptr().cast_mut().cast();
        inner.msg_namelen = socket_length(message.name.len());
    }
    if !message.control.is_empty() {
        inner.msg_control = message.control.as_ptr().cast_mut().cast();
        inner.msg_controllen = message.control.len() as _;
    }
    header
}
