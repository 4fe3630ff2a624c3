//! A transfer: a future beside the control connection, from opening the data connection to the one reply that ends it.
//!
//! What it owns goes with it. It is broken off by [`Transfer::abort`], after which what came of an upload is kept to be
//! resumed if that is worth it.

mod linger;
mod list;
mod ownership;
mod receive;
mod send;
mod walk;

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use sockeye::Stream;
use sockeye_node::{Error, FilePath};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

pub(crate) use self::{
    linger::Lingering,
    list::{Form, List, Teller, Told, What, item},
    ownership::Ownership,
    receive::Receive,
    send::Send as SendFile,
    walk::Walk,
};
use crate::{
    commands::refused,
    config::Limits,
    data::{DataTls, OpenError, Prepared},
    wire::{command::Verb, path::absolute, reply::Reply},
};

/// How long a transfer that is broken off may take to end; keeping what came of an upload may wait for a disk.
const LAST_WORDS: Duration = Duration::from_secs(10);

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What only its owner reaches: never locked, it lets those who merely look at the owner be on any thread.
struct Own<T>(Mutex<T>);

impl<T> Own<T> {
    fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    fn get(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transfer under way; or what takes as long without a data connection.
pub(crate) struct Transfer {
    verb: Verb,
    path: FilePath,
    stage: Stage,
    flow: Flow,
    since: Instant,
    /// How many bytes are to come, if that was said.
    announced: u64,
    /// Whether the client was told that it has begun.
    told: bool,
}

enum Stage {
    Opening { opening: Own<Boxed<Result<Stream, OpenError>>>, work: Own<Box<Work>> },
    Running(Own<Boxed<End>>),
    Over,
}

/// What is done over a data connection.
pub(crate) enum Work {
    Send(SendFile),
    Receive(Receive),
    List(List),
}

/// What a transfer shares with the control connection.
#[derive(Clone, Debug, Default)]
struct Flow {
    stop: CancellationToken,
    progress: Arc<Progress>,
    tls: Option<DataTls>,
    connect: Duration,
    stall: Duration,
    linger: Duration,
    linger_bytes: u64,
}

/// How far a transfer has come.
#[derive(Debug, Default)]
struct Progress {
    /// Bytes that went over the data connection.
    moved: AtomicU64,
    /// Told when an upload has ended, as far as its data connection says.
    ended: Notify,
    /// Told when it is to be put in its place.
    confirmed: Notify,
}

/// What has become of a transfer.
pub(crate) enum Step {
    /// The data connection is open: the client is to be told so.
    Opened,
    /// All of an upload came, if its client is still there: [`Transfer::confirm`] has it put in its place.
    Ended,
    /// It is over.
    Done(End),
}

/// How a transfer ended.
pub(crate) struct End {
    /// What is told of it.
    pub(crate) reply: Reply,
    /// Its data connection, if the client may still be sending: to be left once the reply is told.
    pub(crate) rest: Option<Lingering>,
}

impl From<Reply> for End {
    fn from(reply: Reply) -> Self {
        Self { reply, rest: None }
    }
}

/// Why a transfer ended early.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("broken off as asked")]
    Stopped,
    #[error("nothing moved for {} s", .0.as_secs())]
    Stalled(Duration),
    #[error("the data connection broke: {0}")]
    Broken(io::Error),
    #[error(
        "TLS on the data connection ended without close_notify, so that data may be missing; let the client send it, \
         or have the server's ftp.close-notify be \"tolerate\""
    )]
    Truncated,
    #[error("there are more folders below that than are told at once; list them one by one")]
    TooManyFolders,
    #[error(transparent)]
    Session(#[from] Error),
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl Failure {
    fn reply(&self, path: &FilePath) -> Reply {
        match self {
            Self::Session(error) => refused::refused(path, error),
            Self::Open(error) => error.reply(),
            failure => Reply::new(426, format!("The transfer did not come to its end: {failure}.")),
        }
    }
}

impl Transfer {
    /// Begins one over the data connection that was prepared.
    pub(crate) fn begin(
        verb: Verb,
        path: FilePath,
        data: Prepared,
        tls: Option<DataTls>,
        work: Work,
        limits: &Limits,
    ) -> Self {
        let connect = limits.connect;
        let opening: Boxed<_> = Box::pin(data.open(connect));
        let Limits { stall, linger, linger_bytes, .. } = *limits;
        let flow = Flow { tls, connect, stall, linger, linger_bytes, ..Flow::default() };
        let stage = Stage::Opening { opening: Own::new(opening), work: Own::new(Box::new(work)) };
        Self { verb, path, stage, flow, since: Instant::now(), announced: 0, told: false }
    }

    /// The same, of which so many bytes are to come.
    pub(crate) fn announced(self, bytes: u64) -> Self {
        Self { announced: bytes, ..self }
    }

    /// Begins what takes as long as a transfer and has no data connection: the computing of a digest, say.
    pub(crate) fn compute(
        verb: Verb,
        path: FilePath,
        work: impl Future<Output = Reply> + Send + 'static,
    ) -> Self {
        let flow = Flow::default();
        let stop = flow.stop.clone();
        let stopped = Reply::new(426, "This did not come to its end: broken off as asked.");
        let running: Boxed<_> = Box::pin(async move {
            tokio::select! {
                () = stop.cancelled() => stopped.into(),
                reply = work => reply.into(),
            }
        });
        let stage = Stage::Running(Own::new(running));
        Self { verb, path, stage, flow, since: Instant::now(), announced: 0, told: false }
    }

    /// What was asked for, and of which path.
    pub(crate) fn of(&self) -> (Verb, &FilePath) {
        (self.verb, &self.path)
    }

    /// Whether the client was told that it has begun, and so does not wait for this to send more.
    pub(crate) fn is_told(&self) -> bool {
        self.told
    }

    /// Waits for what becomes of it next. Cancellation safe.
    pub(crate) async fn step(&mut self) -> Step {
        match &mut self.stage {
            Stage::Opening { opening, .. } => {
                let opened = opening.get().as_mut().await;
                let Stage::Opening { work, .. } = std::mem::replace(&mut self.stage, Stage::Over)
                else {
                    return Step::Done(Reply::new(451, "There is no transfer.").into());
                };
                match opened {
                    Ok(stream) => {
                        let (path, flow) = (self.path.clone(), self.flow.clone());
                        let running: Boxed<_> = Box::pin(work.into_inner().run(stream, path, flow));
                        self.stage = Stage::Running(Own::new(running));
                        Step::Opened
                    }
                    Err(error) => Step::Done(error.reply().into()),
                }
            }
            Stage::Running(running) => tokio::select! {
                end = running.get().as_mut() => {
                    self.stage = Stage::Over;
                    Step::Done(end)
                }
                () = self.flow.progress.ended.notified() => Step::Ended,
            },
            Stage::Over => std::future::pending().await,
        }
    }

    /// What is told once the data connection is open (RFC 959 §4.2).
    pub(crate) fn begun(&mut self) -> Reply {
        self.told = true;
        let name = absolute(&self.path);
        // Where the server chose the name, this form tells it (RFC 1123 §4.1.2.9).
        let before: &[u8] =
            if self.verb == Verb::Stou { b"FILE: " } else { b"The data connection is open for " };
        let after: &[u8] = if self.verb == Verb::Stou { b"" } else { b"." };
        Reply::new(150, [before, &name, after].concat())
    }

    /// Whether an upload that seems to have come to its end is worth a moment's look at whether its client is still there:
    /// so much came that it would be kept if it were not all, or less than was said.
    pub(crate) fn is_worth_a_moment(&self) -> bool {
        let came = self.flow.total();
        came >= receive::WORTH_KEEPING || came < self.announced
    }

    /// The client is still there: what came is all of it.
    pub(crate) fn confirm(&self) {
        self.flow.progress.confirmed.notify_one();
    }

    /// What STAT tells of it.
    pub(crate) fn status(&self) -> Vec<u8> {
        let took = self.since.elapsed().as_secs();
        let text = match self.told {
            true => format!(": {} bytes in {took} s", self.flow.total()),
            false => format!(": for {took} s"),
        };
        [self.verb.name().as_bytes(), b" ", &absolute(&self.path), text.as_bytes()].concat()
    }

    /// Breaks it off, and gives its reply: that of the transfer itself, if it came to its end all the same.
    pub(crate) async fn abort(self) -> Reply {
        self.flow.stop.cancel();
        let running = match self.stage {
            Stage::Running(running) => running.into_inner(),
            Stage::Opening { .. } | Stage::Over => return Failure::Stopped.reply(&self.path),
        };
        let ended = tokio::time::timeout(LAST_WORDS, running).await;
        ended.map_or_else(|_| Failure::Stopped.reply(&self.path), |end| end.reply)
    }
}

impl Work {
    /// Does it, once the connection is encrypted if it is to be: clients begin that when they were told that it is open.
    async fn run(self, stream: Stream, path: FilePath, flow: Flow) -> End {
        let done = async {
            // Who only sends reads no ticket, and would reset the connection by closing it.
            let reads = !matches!(self, Self::Receive(_));
            let stream = flow.secure(stream, reads).await?;
            match self {
                Self::Send(work) => work.run(stream, &flow).await.map(End::from),
                Self::Receive(work) => work.run(stream, &path, &flow).await,
                Self::List(work) => work.run(stream, &flow).await.map(End::from),
            }
        };
        done.await.unwrap_or_else(|failure: Failure| failure.reply(&path).into())
    }
}

impl Flow {
    /// A call on the data connection, which must not stand still, and ends when the transfer is to.
    async fn call<T>(&self, call: impl Future<Output = io::Result<T>>) -> Result<T, Failure> {
        tokio::select! {
            () = self.stop.cancelled() => Err(Failure::Stopped),
            done = tokio::time::timeout(self.stall, call) => match done {
                Ok(done) => done.map_err(Failure::Broken),
                Err(_) => Err(Failure::Stalled(self.stall)),
            },
        }
    }

    /// An upload has ended. How, a plain data connection cannot say: that of a client which is killed ends like that of one
    /// which has sent all. So the control connection is asked whether the client is still there.
    async fn confirm(&self) -> Result<(), Failure> {
        self.progress.ended.notify_one();
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Failure::Stopped),
            () = self.progress.confirmed.notified() => Ok(()),
        }
    }

    async fn secure(&self, stream: Stream, reads: bool) -> Result<Stream, Failure> {
        let Some(tls) = self.tls.clone() else { return Ok(stream) };
        let tls = tls.for_next(reads);
        tokio::select! {
            () = self.stop.cancelled() => Err(Failure::Stopped),
            done = Box::pin(tls.accept(stream, self.connect)) => Ok(done?),
        }
    }

    /// A call on the session, which ends when the transfer is to; only what may be given up.
    async fn ask<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
        tokio::select! {
            () = self.stop.cancelled() => Err(Failure::Stopped),
            done = call => Ok(done?),
        }
    }

    fn moved(&self, bytes: u64) {
        self.progress.moved.fetch_add(bytes, Relaxed);
    }

    fn total(&self) -> u64 {
        self.progress.moved.load(Relaxed)
    }
}
