//! The control connection: one loop that reads commands, has them carried out, and looks after the transfer beside.
//!
//! Replies are gathered and go out in one write once all that has come was answered. While a transfer runs, what may be
//! asked then is answered at once and the rest waits, in a queue that is bounded. A digest of a large file is computed likewise.

mod dialog;
mod reader;
mod turned_away;

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use sockeye::{Conn, DrainSignal};
use tokio::{io::AsyncWriteExt as _, time::Instant};

pub(crate) use self::dialog::{Answer, Dialog, NEEDS_ARGUMENT, Phase, Protection, Then};
use self::reader::Reader;
use crate::{
    config::Security,
    ftp::Shared,
    transfer::{Lingering, Step, Transfer},
    verbs::{During, Row},
    wire::{
        command::{Command, CommandError},
        line::Line,
        reply::Reply,
    },
};

/// Bytes received at once.
const PIECE: usize = 4096;

/// Replies are sent once there are so many bytes of them, whatever else is to be answered.
const FLUSH_AT: usize = 8 * 1024;

/// Space for replies that is kept between two.
const KEPT: usize = 256;

/// Time between two looks at a control connection that may be ending.
const LOOK: Duration = Duration::from_millis(1);

/// A control connection.
pub(crate) struct Control<'a> {
    conn: &'a mut Conn,
    reader: Reader,
    dialog: Dialog,
    drain: DrainSignal,
}

/// What a control connection waited for.
enum Event {
    Received(io::Result<Bytes>),
    Transfer(Step),
    /// Something was done about the data connection that is prepared.
    Prepared,
    /// What a client sent of a file that was refused has come to its end.
    Left,
    /// The session was ended from outside.
    Ended,
    Drain,
}

impl<'a> Control<'a> {
    /// Serves a connection to its end.
    pub(crate) async fn serve(conn: &'a mut Conn, shared: &Arc<Shared>) -> io::Result<()> {
        let dialog = Dialog::new(conn, Arc::clone(shared));
        let drain = conn.drain_signal();
        let mut control = Self { conn, reader: Reader::default(), dialog, drain };
        if shared.config.security == Security::Implicit {
            control.start_tls().await?;
            control.dialog.protect();
        }
        control.dialog.greet();
        let served = control.converse().await;
        // Whatever ended it: what came of an upload is kept, to be resumed.
        if let Some(transfer) = control.dialog.transfer.take() {
            transfer.abort().await;
        }
        served
    }

    /// Goes on in TLS. What came behind AUTH in plain text may be somebody else's, and is thrown away.
    async fn start_tls(&mut self) -> io::Result<()> {
        let Some(tls) = &self.dialog.shared.config.tls else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "there is no certificate"));
        };
        let own = tls.for_connection()?;
        // Before it has a session that it could offer elsewhere.
        let from = self.dialog.origin.peer.ip();
        let all = &self.dialog.shared.tls_sessions;
        let neighbour = from.map(|from| all.enter(from, &own));
        let ahead = self.reader.forget();
        // On the heap: every connection would carry its size.
        let discarded = Box::pin(self.conn.start_tls(&own)).await? + ahead;
        if discarded > 0 {
            tracing::warn!(peer = ?self.conn.peer(), discarded, "bytes between AUTH and TLS were thrown away");
        }
        self.dialog.secured(own, neighbour);
        Ok(())
    }

    async fn converse(&mut self) -> io::Result<()> {
        loop {
            self.answer().await?;
            self.flush().await?;
            match self.dialog.then {
                Then::GoOn => {}
                Then::StartTls => {
                    self.start_tls().await?;
                    continue;
                }
                // Its result is still to be told (RFC 959 §4.1.1).
                Then::Close if self.dialog.transfer.is_some() => {}
                Then::Close => return Ok(()),
                Then::TurnAway => {
                    self.conn.leave_rest();
                    return Ok(());
                }
            }
            match self.wait().await {
                Event::Received(Ok(bytes)) if bytes.is_empty() => return Ok(()),
                Event::Received(Ok(bytes)) => self.reader.take(&bytes, &mut self.dialog.out),
                Event::Received(Err(error)) if error.kind() == io::ErrorKind::TimedOut => {
                    self.close(Reply::new(421, "Nothing was asked for too long; connect again."));
                }
                Event::Received(Err(error)) => return Err(error),
                Event::Transfer(Step::Opened) => {
                    let reply = self.dialog.transfer.as_mut().map(Transfer::begun);
                    reply.into_iter().for_each(|reply| self.dialog.say(&reply));
                }
                Event::Transfer(Step::Ended) => {
                    if self.is_gone().await {
                        return Ok(());
                    }
                    self.dialog.transfer.iter().for_each(Transfer::confirm);
                }
                Event::Transfer(Step::Done(end)) => {
                    if let Some(transfer) = self.dialog.transfer.take() {
                        let (verb, path) = transfer.of();
                        turned_away::record_transfer(&self.dialog, verb, path, &end.reply);
                    }
                    self.conn.set_read_idle(Some(self.dialog.shared.config.limits.idle));
                    self.dialog.say(&end.reply);
                    // One at a time: who is refused again has read why.
                    self.dialog.lingering = end.rest.or(self.dialog.lingering.take());
                }
                Event::Prepared => {}
                Event::Left => self.dialog.lingering = None,
                Event::Ended => {
                    self.cut_transfer().await;
                    self.close(Reply::new(421, "The session was ended; log in again."));
                }
                Event::Drain => self.close(Reply::new(421, "The server is closing.")),
            }
        }
    }

    /// Waits for the next thing to happen. Cancellation safe.
    async fn wait(&mut self) -> Event {
        let Self { conn, reader, dialog, drain } = self;
        let has_room = reader.waiting() < dialog.shared.config.limits.queue;
        let reads = has_room && dialog.then == Then::GoOn;
        let Dialog { transfer, lingering, data, phase, shared, .. } = dialog;
        let (runs, prepared) = (transfer.is_some(), data.is_waiting());
        let lingers = lingering.is_some();
        let session = phase.session();
        tokio::select! {
            received = conn.recv(PIECE), if reads => Event::Received(received),
            step = step_of(transfer), if runs => Event::Transfer(step),
            () = data.wait(shared.config.limits.connect), if prepared => Event::Prepared,
            () = left(lingering), if lingers => Event::Left,
            () = ended(session), if session.is_some() => Event::Ended,
            // What runs is finished first.
            () = drain.wait(), if !runs => Event::Drain,
        }
    }

    /// Answers what has come, as far as it need not wait.
    async fn answer(&mut self) -> io::Result<()> {
        while self.dialog.then == Then::GoOn {
            if self.dialog.out.len() >= FLUSH_AT {
                self.flush().await?;
            }
            if self.dialog.transfer.is_none()
                && let Some(line) = self.reader.put_off_first()
            {
                self.carry_out(&line).await;
                continue;
            }
            if self.reader.waiting() >= self.dialog.shared.config.limits.queue {
                return Ok(());
            }
            let Some(line) = self.reader.next() else { return Ok(()) };
            let Line::Whole(line) = line else {
                self.dialog.mistake(&Reply::new(500, "The line is too long; it was not read."));
                continue;
            };
            let line = Box::<[u8]>::from(line);
            if self.waits(&line) {
                self.reader.put_off(&line);
                continue;
            }
            self.carry_out(&line).await;
        }
        Ok(())
    }

    /// Whether a line has to wait until the transfer has ended.
    fn waits(&self, line: &[u8]) -> bool {
        let Some(transfer) = &self.dialog.transfer else { return false };
        let Ok(row) = Command::parse(line).map(|command| Row::of(command.verb)) else {
            return true;
        };
        // Who has logged out meanwhile can do nothing that the transfer would mind.
        let is_out = self.dialog.phase.session().is_none();
        match row.during {
            During::Runs => false,
            During::RunsOnceBegun => !transfer.is_told() || self.reader.waiting() > 0,
            During::Waits => !is_out || !transfer.is_told() || self.reader.waiting() > 0,
        }
    }

    /// Carries out what a line asks for.
    async fn carry_out(&mut self, line: &[u8]) {
        let ran = self.dialog.transfer.is_some();
        match Command::parse(line) {
            Ok(command) => self.dialog.carry_out(command).await,
            Err(CommandError::Http) => {
                self.close(Reply::new(421, CommandError::Http.to_string()));
            }
            Err(error) => self.dialog.mistake(&Reply::new(500, error.to_string())),
        }
        let runs = self.dialog.transfer.is_some();
        if runs != ran {
            let limits = &self.dialog.shared.config.limits;
            let idle = limits.idle;
            self.conn.set_read_idle((!runs).then_some(idle));
            if runs && let Err(error) = self.conn.stream().set_keepalive(limits.keepalive) {
                tracing::debug!(%error, "a control connection is not kept alive");
            }
        }
    }

    async fn cut_transfer(&mut self) {
        if let Some(transfer) = self.dialog.transfer.take() {
            let reply = transfer.abort().await;
            self.dialog.say(&reply);
        }
    }

    /// Whether the client of an upload that has ended is gone. The system ends the connections of one that is killed in
    /// any order, though at once: of a file that may lack something it is worth a moment to hear of this one. Who has said
    /// good-bye may go.
    async fn is_gone(&self) -> bool {
        if self.dialog.then == Then::Close {
            return false;
        }
        let is_over = || self.reader.waiting() == 0 && self.conn.stream().is_over();
        let is_worth_it = self.dialog.transfer.as_ref().is_some_and(Transfer::is_worth_a_moment);
        let until = Instant::now() + self.dialog.shared.config.limits.parting;
        while is_worth_it && !is_over() && Instant::now() < until {
            tokio::time::sleep(LOOK).await;
        }
        is_over()
    }

    fn close(&mut self, reply: Reply) {
        self.dialog.say(&reply);
        self.dialog.then = Then::TurnAway;
        self.reader.forget();
    }

    /// Sends the replies that there are, in one call.
    async fn flush(&mut self) -> io::Result<()> {
        let out = &mut self.dialog.out;
        if !out.is_empty() {
            self.conn.write_all(out).await?;
            self.conn.flush().await?;
            out.clear();
            out.shrink_to(KEPT);
        }
        Ok(())
    }
}

async fn step_of(transfer: &mut Option<Transfer>) -> Step {
    match transfer {
        Some(transfer) => transfer.step().await,
        None => std::future::pending().await,
    }
}

async fn left(lingering: &mut Option<Lingering>) {
    match lingering {
        Some(lingering) => lingering.over().await,
        None => std::future::pending().await,
    }
}

async fn ended(session: Option<&sockeye_node::Session>) {
    match session {
        Some(session) => session.ended().await,
        None => std::future::pending().await,
    }
}
