//! A watch over one child, until it has ended.

use std::{
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::{OwnedSemaphorePermit, oneshot},
};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::{dispatcher::Task, message::Receipt};
use crate::{
    server::{Admission, ConnId, Counter, InHand, Job, PacketJob, ServerContext, Taken},
    sys::{
        process::{Tick, had_number, kill, open_process},
        registration::watch,
    },
};

/// How long a child has to end once its life line is cut.
const CHILD_GRACE: Duration = Duration::from_millis(500);

/// How often a child is looked for while there is no descriptor to watch it by, or to tell it from
/// others.
const WITHOUT_DESCRIPTOR: Duration = Duration::from_millis(20);

/// A child that runs.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) server: Arc<ServerContext>,
    pub(super) cell: Taken,
}

impl Watched {
    /// Holds the work's place in the server until the child has ended.
    pub(super) async fn until_ended(self, receipt: Receipt, task: Task) {
        let place = Place::of(task);
        if let Some(mut child) = self.process(receipt).await {
            tokio::select! {
                biased;
                () = child.ended() => {}
                () = self.server.shutdown.cut_now() => {
                    if tokio::time::timeout(CHILD_GRACE, child.ended()).await.is_err() {
                        child.kill().await;
                    }
                }
            }
        }
        self.settle(&place);
        // Before the permit, as there are as many cells as permits.
        drop(self);
        place.leave();
    }

    /// The child, to be watched; `None` once it has ended.
    async fn process(&self, receipt: Receipt) -> Option<Child> {
        let Receipt { pid, mut process, .. } = receipt;
        let mut unsure = if process.is_none() { Some(Tick::now()) } else { None };
        loop {
            if let Some(process) = process.take() {
                match watch(process, Interest::READABLE) {
                    Ok(process) => return Some(Child { process, pid, unsure }),
                    Err(_) => unsure = unsure.or_else(|| Some(Tick::now())),
                }
            }
            if self.cell.cell().is_finished() {
                return None;
            }
            match open_process(pid) {
                Ok(Some(found)) => process = Some(found),
                Ok(None) => return None,
                Err(error) => {
                    tracing::debug!(%error, pid, "no descriptor for a child yet");
                    tokio::time::sleep(WITHOUT_DESCRIPTOR).await;
                }
            }
        }
    }

    /// Counts what the child could not count itself.
    fn settle(&self, place: &Place) {
        let server = &self.server;
        let cell = self.cell.cell();
        let finished = cell.is_finished();
        let id = place.connection();
        let packets = match place {
            Place::Packet { .. } => 1,
            _ => cell.packets(),
        };
        // A worker's connection is known from its cell alone.
        let open = if id.is_none() { cell.connection() } else { None };
        let lost = open.is_some() && !cell.is_cut();
        if !finished && !server.shutdown.is_cut() {
            let conn = id.or(open.map(|open| open.id));
            server.counters.count(Counter::Crashes);
            server.counters.add(Counter::ErrorsCrash, u64::from(conn.is_some()));
            server.counters.add(Counter::PacketsCrashed, packets);
            tracing::warn!(?conn, packets, "a child ended before its work");
        } else if !finished && packets > 0 {
            server.counters.add(Counter::PacketsCut, packets);
            tracing::warn!(packets, "datagrams were cut: their handler had not ended");
        } else if cell.is_cut() || lost || (!finished && id.is_some()) {
            if !cell.is_cut() {
                server.counters.count(Counter::Cut);
            }
            match (id, open) {
                (Some(id), _) => server.registry.note_cut(id),
                (None, Some(open)) => server.registry.note_unlisted_cut(open),
                (None, None) => {}
            }
        }
    }
}

/// A child, or, where only its number was known, whoever had that when it was looked for.
///
/// The system buries the children and gives their numbers to others. A stranger has the number only
/// because the child has ended, so the end of either tells of the child's; but only the child is
/// killed.
#[derive(Debug)]
struct Child {
    process: AsyncFd<OwnedFd>,
    pid: i32,
    /// When the number was the child's, while it is not known whether this is the child.
    unsure: Option<Tick>,
}

impl Child {
    /// Returns once the child has ended. Cancellation safe.
    async fn ended(&mut self) {
        while let Some(moment) = self.unsure {
            match had_number(self.pid, moment) {
                Ok(true) => self.unsure = None,
                Ok(false) => return,
                Err(error) => {
                    tracing::debug!(%error, pid = self.pid, "cannot tell a child from others yet");
                    let ended = self.process.readable();
                    if tokio::time::timeout(WITHOUT_DESCRIPTOR, ended).await.is_ok() {
                        return;
                    }
                }
            }
        }
        let _ = self.process.readable().await;
    }

    /// Kills the child and awaits its end; leaves it alone if it may be somebody else.
    async fn kill(&self) {
        if self.unsure.is_some() {
            let pid = self.pid;
            return tracing::warn!(pid, "not killed, as it may be another process than the child");
        }
        kill(self.process.as_fd());
        let _ = self.process.readable().await;
    }
}

/// What a running child holds of the server's limits.
enum Place {
    Connection {
        id: ConnId,
        _admission: Admission,
    },
    Packet {
        _in_hand: Option<InHand>,
        _permit: Option<OwnedSemaphorePermit>,
        _token: TaskTrackerToken,
    },
    Worker {
        ended: oneshot::Sender<()>,
    },
}

impl Place {
    /// Closes the server's copy of the connection: from now on it is the child's alone.
    fn of(task: Task) -> Self {
        match task {
            Task::Connection(job) => {
                let Job { accepted, info, admission, route: _, source: _ } = job;
                drop(accepted);
                Self::Connection { id: info.id(), _admission: admission }
            }
            Task::Packet(PacketJob { packet, in_hand, permit, token }) => {
                drop(packet);
                Self::Packet { _in_hand: in_hand, _permit: permit, _token: token }
            }
            Task::Worker { ended } => Self::Worker { ended },
        }
    }

    const fn connection(&self) -> Option<ConnId> {
        match self {
            Self::Connection { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// Gives the place back, and tells whoever waits for a worker's end.
    fn leave(self) {
        if let Self::Worker { ended } = self {
            let _ = ended.send(());
        }
    }
}
