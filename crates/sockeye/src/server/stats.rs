//! Counters of a server, readable at any time.
//!
//! They lie in memory that forked children share, so that a connection counts the same under
//! every model.

use std::{
    io,
    ops::AddAssign,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use super::info::ConnId;
use crate::sys::shared::Shared;

/// Declares the counters once: their index, the snapshot and its documentation.
macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $counter:ident => $name:ident),+ $(,)?) => {
        /// Which counter.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Counter { $($counter),+ }

        /// A snapshot of a server's counters.
        ///
        /// All count since the server was bound, except [`active`](Self::active) and
        /// [`packets_active`](Self::packets_active). Each is read on its own, so that a snapshot
        /// taken under load may be off by what happened meanwhile.
        ///
        /// Every connection that was [`accepted`](Self::accepted) counts once more, by how it
        /// ended: `completed`, `refused_…`, `errors_…`, `panics` or `cut`. So does every one of the
        /// [`packets`](Self::packets): `packets_completed`, `packets_refused`, `packets_failed`,
        /// `packets_panicked`, `packets_crashed`, `packets_cut`, `packets_oversized` or
        /// `packets_shed`.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats { $($(#[doc = $doc])+ pub $name: u64),+ }

        impl Stats {
            /// Every counter with its name, in a fixed order: for exporters.
            #[must_use]
            pub fn named(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name)),+]
            }
        }

        /// The counters of several servers, counter by counter.
        impl AddAssign for Stats {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)+
            }
        }

        const COUNTERS: usize = [$(Counter::$counter),+].len();

        impl Counters {
            /// All of them as they are counted here: see `ServerContext::stats`.
            pub(super) fn snapshot(&self) -> Stats {
                Stats { $($name: self.get(Counter::$counter)),+ }
            }
        }
    };
}

counters! {
    /// Connections accepted, refused ones included.
    Accepted => accepted,
    /// Datagrams received.
    Packets => packets,
    /// Datagrams that were received and have not ended: they are being handled, or wait for their
    /// turn.
    PacketsActive => packets_active,
    /// Datagrams whose handler returned without error.
    PacketsCompleted => packets_completed,
    /// Datagrams refused by the handler's `verify`.
    PacketsRefused => packets_refused,
    /// Datagrams whose handler returned an error.
    PacketsFailed => packets_failed,
    /// Datagrams whose handler panicked.
    PacketsPanicked => packets_panicked,
    /// Datagrams whose process ended before their handler did: killed, or crashed.
    PacketsCrashed => packets_crashed,
    /// Datagrams whose handler was ended by the drain deadline or a second signal.
    PacketsCut => packets_cut,
    /// Datagrams longer than the limit, dropped unhandled.
    PacketsOversized => packets_oversized,
    /// Datagrams dropped as too many were being handled, or as no thread or process could be
    /// started for them.
    PacketsShed => packets_shed,
    /// Answers to datagrams that were lost on their way out.
    RepliesLost => replies_lost,
    /// Connections being handled now.
    Active => active,
    /// Connections whose handler returned without error.
    Completed => completed,
    /// Connections refused as their address had too many open.
    RefusedPerIp => refused_per_ip,
    /// Connections refused by the handler's `verify`.
    RefusedByVerify => refused_by_verify,
    /// Connections closed unserved as descriptors had run out for long.
    RefusedNoDescriptors => refused_no_descriptors,
    /// Connections closed unserved as no thread or process could be started for them.
    RefusedNoWorker => refused_no_worker,
    /// Connections whose PROXY header or TLS handshake failed.
    ErrorsHandshake => errors_handshake,
    /// Connections whose handler failed since the peer went away.
    ErrorsPeerGone => errors_peer_gone,
    /// Connections cut as the peer sent nothing or read nothing for too long.
    ErrorsDeadline => errors_deadline,
    /// Connections whose handler failed in any other way.
    ErrorsHandler => errors_handler,
    /// Connections whose process ended before their handler did: killed, or crashed.
    ErrorsCrash => errors_crash,
    /// Connections whose handler panicked.
    Panics => panics,
    /// Times that a handler's `on_error` panicked, which ends nothing: the connection or datagram
    /// counts as what failed before.
    PanicsReporting => panics_reporting,
    /// Child processes that ended without finishing their work, a prefork worker also between two
    /// pieces of it: killed, or crashed.
    Crashes => crashes,
    /// Prefork workers started again after their predecessor died.
    WorkersRestarted => workers_restarted,
    /// Zygotes started again after their predecessor died.
    ZygotesRestarted => zygotes_restarted,
    /// Times that accepting paused as descriptors, memory, threads or processes had run out.
    AcceptBackoffs => accept_backoffs,
    /// Connections ended by the drain deadline or a second signal.
    Cut => cut,
    /// Bytes read from peers: of connections (after TLS) and in datagrams.
    BytesRead => bytes_read,
    /// Bytes written to peers: on connections (before TLS) and in answers to datagrams.
    BytesWritten => bytes_written,
}

/// The cells: the counters, and what follows them.
const CELLS: usize = COUNTERS + 2;
/// The last connection id given out.
const LAST_ID: usize = COUNTERS;
/// How often the server was told to reload.
const RELOADS: usize = COUNTERS + 1;

/// The live counters of one server, the source of its connection ids, and its reloads.
#[derive(Debug)]
pub(crate) struct Counters(Shared<AtomicU64>);

impl Counters {
    pub(crate) fn new() -> io::Result<Self> {
        Shared::zeroed(CELLS).map(Self)
    }

    pub(crate) fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize].load(Relaxed)
    }

    pub(crate) fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    pub(crate) fn add(&self, counter: Counter, n: u64) {
        self.0[counter as usize].fetch_add(n, Relaxed);
    }

    pub(crate) fn subtract(&self, counter: Counter, n: u64) {
        self.0[counter as usize].fetch_sub(n, Relaxed);
    }

    /// The next connection id, unique in this server, its children included.
    pub(crate) fn next_id(&self) -> ConnId {
        ConnId(self.0[LAST_ID].fetch_add(1, Relaxed) + 1)
    }

    pub(crate) fn next_reload(&self) {
        self.0[RELOADS].fetch_add(1, Relaxed);
    }

    pub(crate) fn reloads(&self) -> u64 {
        self.0[RELOADS].load(Relaxed)
    }
}
