//! A record: who did what, over what, and what came of it.
//!
//! Records are borrowed and written straight into the batch that is open; nothing is allocated for
//! them.

use std::{
    io::Write as _,
    net::IpAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    chain::TAIL,
    operation::Operation,
    outcome::Outcome,
    wire::{
        MAX_DETAIL, MAX_NAME,
        moment::{Clock, LAST},
        path, put,
    },
};

/// One operation, as it is recorded.
///
/// ```
/// use sockeye_journal::{Operation, Outcome, Record};
///
/// let record = Record {
///     account: Some("alice"),
///     path: Some(b"/notes.txt"),
///     bytes: Some(1024),
///     ..Record::new(Operation::Read, Outcome::Ok, "http")
/// };
/// ```
///
/// Texts beyond the limits of [`wire`](crate::wire) are cut off. What must stay secret (passwords, tokens) must
/// not be put in.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// When it was done: of what took long, when it ended. The order of the log is that of its sequence numbers; clocks can
    /// go back.
    pub at: SystemTime,
    /// What was done.
    pub operation: Operation,
    /// What came of it.
    pub outcome: Outcome,
    /// Over which protocol.
    pub protocol: &'a str,
    /// Whether that was under TLS; nothing of what did not come over a connection.
    pub tls: Option<bool>,
    /// By whom; of a refused login the name that was given.
    pub account: Option<&'a str>,
    /// From where.
    pub from: Option<Peer<'a>>,
    /// On what.
    pub path: Option<&'a [u8]>,
    /// Where it went to, of a rename or copy.
    pub to: Option<&'a [u8]>,
    /// How many bytes of contents went by.
    pub bytes: Option<u64>,
    /// The BLAKE3 digest of the contents.
    pub digest: Option<&'a [u8; 32]>,
    /// How long it took.
    pub took: Option<Duration>,
    /// What else there is to say.
    pub detail: Option<&'a str>,
}

/// Where somebody comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer<'a> {
    /// Over the network; an IPv4 address in IPv6 clothes is shown as what it is.
    Ip(IpAddr),
    /// Over a Unix socket: its path, or who called.
    Unix(&'a str),
}

impl<'a> Record<'a> {
    /// A record of what is done now, with nothing else known.
    #[must_use]
    pub fn new(operation: Operation, outcome: Outcome, protocol: &'a str) -> Self {
        Self {
            at: SystemTime::now(),
            operation,
            outcome,
            protocol,
            tls: None,
            account: None,
            from: None,
            path: None,
            to: None,
            bytes: None,
            digest: None,
            took: None,
            detail: None,
        }
    }

    /// Appends the line, its hash still open.
    pub(crate) fn put(&self, out: &mut Vec<u8>, seq: u64, clock: &mut Clock) {
        begin(out, seq, micros(self.at), clock, self.operation.name(), self.outcome);
        out.extend_from_slice(b",\"protocol\":\"");
        put::text(out, self.protocol, MAX_NAME);
        out.push(b'"');
        match self.tls {
            Some(true) => out.extend_from_slice(b",\"tls\":true"),
            Some(false) => out.extend_from_slice(b",\"tls\":false"),
            None => {}
        }
        if let Some(account) = self.account {
            out.extend_from_slice(b",\"user\":\"");
            put::text(out, account, MAX_NAME);
            out.push(b'"');
        }
        if let Some(from) = self.from {
            out.extend_from_slice(b",\"from\":\"");
            from.put(out);
            out.push(b'"');
        }
        for (name, value) in [(&b",\"path\":\""[..], self.path), (b",\"to\":\"", self.to)] {
            if let Some(value) = value {
                out.extend_from_slice(name);
                path::put(out, value);
                out.push(b'"');
            }
        }
        if let Some(bytes) = self.bytes {
            out.extend_from_slice(b",\"bytes\":");
            put::number(out, bytes);
        }
        if let Some(digest) = self.digest {
            out.extend_from_slice(b",\"blake3\":\"");
            put::hex(out, digest);
            out.push(b'"');
        }
        if let Some(took) = self.took {
            out.extend_from_slice(b",\"took_us\":");
            put::number(out, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
        if let Some(detail) = self.detail {
            out.extend_from_slice(b",\"detail\":\"");
            put::text(out, detail, MAX_DETAIL);
            out.push(b'"');
        }
        out.extend_from_slice(TAIL);
    }
}

/// Appends what every line begins with.
pub(crate) fn begin(
    out: &mut Vec<u8>,
    seq: u64,
    micros: u64,
    clock: &mut Clock,
    name: &str,
    outcome: Outcome,
) {
    out.extend_from_slice(b"{\"seq\":");
    put::number(out, seq);
    out.extend_from_slice(b",\"at\":\"");
    out.extend_from_slice(clock.format(micros));
    out.extend_from_slice(b"\",\"op\":\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\",\"outcome\":\"");
    out.extend_from_slice(outcome.name().as_bytes());
    out.push(b'"');
}

/// Microseconds since 1970, within what the log can write: a clock set to before counts as 1970.
pub(crate) fn micros(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX).min(LAST)
}

impl Peer<'_> {
    fn put(self, out: &mut Vec<u8>) {
        match self {
            Self::Ip(address) => match address.to_canonical() {
                IpAddr::V4(address) => {
                    for (index, part) in address.octets().into_iter().enumerate() {
                        if index > 0 {
                            out.push(b'.');
                        }
                        put::number(out, part.into());
                    }
                }
                // A vector takes all that is written to it.
                IpAddr::V6(address) => drop(write!(out, "{address}")),
            },
            Self::Unix(name) => put::text(out, name, MAX_NAME),
        }
    }
}
