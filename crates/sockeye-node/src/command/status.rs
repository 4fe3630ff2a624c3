//! How a running node is: what listens, who is there, whether it can write, and how much room there is.

use std::{path::PathBuf, process};

use serde::{Deserialize, Serialize};

use crate::{
    Listen, Node,
    listeners::{Opened, shown},
    node::Phase,
};

/// How a running node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its process.
    pub pid: u32,
    /// Its program's version.
    pub version: String,
    /// Its data folder.
    pub data: PathBuf,
    /// Where it is on its way: `starting`, `ready` or `draining`.
    pub phase: String,
    /// Why nothing can be changed at present, if that is so.
    pub read_only: Option<String>,
    /// Seconds since it was started.
    pub seconds: u64,
    /// Its open listeners.
    pub listeners: Vec<ListenerStatus>,
    /// Those that are configured, and that the last reload could not open.
    pub not_open: Vec<NotOpen>,
    /// Connections that are open, on all of them.
    pub connections: u64,
    /// Sessions that there are now: over a protocol that asks who it is with each request, as many as whose connections are
    /// open.
    pub sessions: u64,
    /// Accounts that have one.
    pub signed_in: u64,
    /// Homes that are open.
    pub homes: u64,
    /// Its journal.
    pub journal: JournalStatus,
    /// The filesystem of its data folder; none if that cannot be told.
    pub space: Option<SpaceStatus>,
}

/// How a listener is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerStatus {
    /// As it is configured.
    pub listen: String,
    /// The addresses that it has.
    pub addresses: Vec<String>,
    /// Connections that are open.
    pub connections: u64,
    /// Connections that were accepted since it was opened, refused ones included.
    pub accepted: u64,
}

/// A listener that could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotOpen {
    /// As it is configured.
    pub listen: String,
    /// What stood in the way.
    pub why: String,
}

/// How the journal is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalStatus {
    /// The number of the last line that is written.
    pub lines: u64,
    /// Lines that wait to be written.
    pub waiting: u64,
    /// The last checkpoint, as `sockeye log head` prints it; none before the first one.
    pub head: Option<String>,
}

/// How much room a filesystem has, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceStatus {
    /// All of it.
    pub total: u64,
    /// What the node can still write.
    pub free: u64,
}

impl Node {
    /// How it is, with these listeners open and those not. Asks the filesystem, and waits for nothing else.
    pub(crate) fn status(&self, opened: Vec<Opened>, refused: Vec<(Listen, String)>) -> Status {
        let servers = self.servers();
        let listener = |Opened { listen, addrs, .. }| {
            let server = servers
                .iter()
                .find(|(of, server)| *of == listen && shown(of, server.addrs()) == addrs);
            let stats = server.map(|(_, server)| server.stats());
            ListenerStatus {
                listen: listen.to_string(),
                addresses: addrs.iter().map(ToString::to_string).collect(),
                connections: stats.as_ref().map_or(0, |stats| stats.active),
                accepted: stats.as_ref().map_or(0, |stats| stats.accepted),
            }
        };
        let listeners: Vec<_> = opened.into_iter().map(listener).collect();
        let phase = match self.phase() {
            Phase::Starting => "starting",
            Phase::Ready => "ready",
            Phase::Draining => "draining",
        };
        let (gate, journal) = (self.gate(), self.journal());
        let (sessions, signed_in) = gate.count_present();
        Status {
            pid: process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            data: self.folder().path().to_owned(),
            phase: phase.to_owned(),
            read_only: gate.read_only(),
            seconds: self.since().elapsed().as_secs(),
            connections: listeners.iter().map(|listener| listener.connections).sum(),
            listeners,
            not_open: refused
                .into_iter()
                .map(|(listen, why)| NotOpen { listen: listen.to_string(), why })
                .collect(),
            sessions: sessions as u64,
            signed_in: signed_in as u64,
            homes: gate.homes().count() as u64,
            journal: JournalStatus {
                lines: journal.written(),
                waiting: journal.waiting(),
                head: journal.head().map(|head| head.to_string()),
            },
            space: self.space(),
        }
    }

    fn space(&self) -> Option<SpaceStatus> {
        let filesystem = rustix::fs::statvfs(self.folder().path()).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(filesystem.f_frsize);
        Some(SpaceStatus { total: bytes(filesystem.f_blocks), free: bytes(filesystem.f_bavail) })
    }
}
