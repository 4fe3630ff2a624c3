//! The zygote: a small process, forked first, that forks a child for each connection.
//!
//! Forking copies the page tables of the whole process, so forking from a server that has grown
//! is slow; forking from one that never grows stays fast. The zygote is forked while the process
//! has one thread and never starts another, so its children may run any code. It is told what to
//! fork over a seqpacket socket, the connection's descriptor travelling with the message.
//!
//! Two zygotes are kept. The second waits; when the first dies it takes over and forks a new
//! second, so that the grown server itself never has to fork.
//!
//! A child ends when its work does, or when the server's end of a pipe closes; a signal tells one
//! that looks at no pipe. Children are
//! never waited for by number: the zygote ignores SIGCHLD, so the system buries its children and
//! nobody else's, and the server watches each through a pid descriptor.

mod child;
mod dispatcher;
mod message;
mod others;
mod process;
mod shortage;
mod watch;

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
};

pub(crate) use dispatcher::{Dispatcher, Task, Work};
use message::Order;
use rustix::{
    net::{AddressFamily, SocketFlags, SocketType, socketpair},
    pipe::{PipeFlags, pipe_with},
    process::{WaitId, WaitIdOptions, waitid},
};
use tokio::runtime;

use crate::{
    Model,
    model::{Sources, for_one_connection},
    server::ServerContext,
    sys::{
        process::{Forked, HeldSignals},
        served::Served,
    },
};

/// What the server holds of its zygotes and children.
#[derive(Debug)]
pub(crate) struct Zygotes {
    /// The sockets to the first zygote and to the one that waits.
    pub(crate) first: Link,
    pub(crate) second: Link,
    /// The first one's process, a child of this one.
    pub(crate) process: ZygoteProcess,
    pub(crate) lines: ServerLines,
}

/// The server's ends of the pipes that all its children share.
#[derive(Debug)]
pub(crate) struct ServerLines {
    /// Written to, to tell the children that the drain has begun.
    pub(crate) drain: Served<OwnedFd>,
    /// Written to, or closed by the server's end, to end the children.
    pub(crate) life: Served<OwnedFd>,
    /// Readable when a child asks the server to drain.
    pub(crate) asked: Served<OwnedFd>,
}

/// The children's ends.
#[derive(Debug)]
pub(crate) struct ChildLines {
    pub(crate) drain: Arc<OwnedFd>,
    pub(crate) life: Arc<OwnedFd>,
}

/// All that a zygote needs to know of the server.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) server: Arc<ServerContext>,
    pub(crate) sources: Sources,
    pub(crate) lines: ChildLines,
    /// Makes the children's runtimes: set up once, as that looks at the environment.
    pub(crate) runtime: Mutex<runtime::Builder>,
}

impl Zygotes {
    /// Forks the two zygotes.
    ///
    /// # Errors
    /// If the process has more than one thread, or is inside a runtime, or the system refuses.
    pub(crate) fn start(server: &Arc<ServerContext>, sources: &Sources) -> io::Result<Self> {
        if runtime::Handle::try_current().is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "cannot fork inside an async runtime: the children could have none of their own; \
                 start the server before, or outside of it",
            ));
        }
        let pipe = || pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK);
        let (child_drain, drain) = pipe()?;
        let (child_life, life) = pipe()?;
        let (asked, ask) = pipe()?;
        let [drain, life, asked] = [drain, life, asked].map(Served::new);
        let lines = ServerLines { drain, life, asked };
        let plan = Plan {
            server: Arc::clone(server),
            sources: sources.clone(),
            lines: ChildLines { drain: Arc::new(child_drain), life: Arc::new(child_life) },
            runtime: Mutex::new(for_one_connection()),
        };
        let (first, zygotes_end) = channel()?;
        // What is buffered would be written by both sides.
        let _ = io::Write::flush(&mut io::stdout());
        let server_process = std::process::id();
        // What is sent to the whole group must not find a zygote that does not know what to do yet.
        let held = HeldSignals::all();
        let process = match crate::sys::process::fork()? {
            Forked::Child => {
                others::close_all_but(&plan.sources, matches!(server.model, Model::Prefork(_)));
                // From here on, whoever asks for the drain asks the server.
                let _ = server.ask_drain.set(ask);
                // Nothing may unwind into the caller's stack: that is the server's, not ours.
                let serve = AssertUnwindSafe(|| {
                    child::rehearse(&plan);
                    process::settle(&plan, held);
                    process::serve(&plan, zygotes_end, server_process)
                });
                let _ = std::panic::catch_unwind(serve);
                crate::sys::process::exit_now(1)
            }
            Forked::Parent { process, .. } => ZygoteProcess(process),
        };
        drop(held);
        drop(zygotes_end);
        let (second, zygotes_end) = channel()?;
        message::send(&first, &Order::Zygote, Some(zygotes_end.as_fd()))?;
        Ok(Self { first, second, process, lines })
    }
}

/// The zygote that the server itself forked, which it must bury.
#[derive(Debug)]
pub(crate) struct ZygoteProcess(Option<OwnedFd>);

impl ZygoteProcess {
    /// Ends the process, if it has not ended, and buries it.
    pub(crate) fn bury(&mut self) {
        if let Some(process) = self.0.take() {
            crate::sys::process::kill(process.as_fd());
            let ended = waitid(WaitId::PidFd(process.as_fd()), WaitIdOptions::EXITED);
            if let Err(error) = ended {
                tracing::debug!(%error, "the zygote was buried by someone else");
            }
        }
    }
}

impl Drop for ZygoteProcess {
    fn drop(&mut self) {
        self.bury();
    }
}

/// The server's socket to a zygote. Dropping it ends the zygote, also while a process that a handler
/// forked by itself has a copy.
#[derive(Debug)]
pub(crate) struct Link(Served<OwnedFd>);

impl Drop for Link {
    fn drop(&mut self) {
        // One that is dead already is not connected.
        let _ = rustix::net::shutdown(&*self.0, rustix::net::Shutdown::Both);
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Link {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// A socket pair between the server and a zygote.
pub(crate) fn channel() -> io::Result<(Link, OwnedFd)> {
    let (ours, theirs) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok((Link(Served::new(ours)), theirs))
}
