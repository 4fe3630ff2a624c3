//! Both directions at once: standard input to the other side, the other side to standard output.
//!
//! The end of input closes our direction alone, and what the other side still says is awaited. When the
//! other side has ended, what is piped in already is still sent; a keyboard is not waited for.

use std::{
    io::{self, IsTerminal as _},
    pin::pin,
    time::Duration,
};

use sockeye::{Stream, quantity::format_duration, socket::Datagram};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::watch,
};

use super::{
    encoding::{Encoding, Reader, Writer},
    lines::{CrLf, LONGEST, Lines},
    peer::{FromPeer, ToPeer},
    plan::Plan,
    silence::Silence,
};
use crate::failure::{Failure, Fault};

/// Most bytes of a stream that are taken at once.
const CHUNK: usize = 64 * 1024;

/// How long datagrams are awaited after the end of input, unless --timeout says otherwise.
const ANSWERS: Duration = Duration::from_secs(1);

/// How long a pipe may be silent, once the other side has ended, until we end as well.
const LAST_INPUT: Duration = Duration::from_millis(500);

/// How a conversation goes.
#[derive(Debug)]
pub(super) struct Conversation<'a> {
    plan: &'a Plan,
    /// Whether a line is a packet.
    packets: bool,
    silence: Silence,
}

/// Why nothing more is received.
enum End {
    /// The other side has ended.
    Peer,
    /// Nobody reads our output any more.
    Output,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(plan: &'a Plan, packets: bool) -> Self {
        Self { plan, packets, silence: Silence::new() }
    }

    /// Talks until both sides have ended.
    pub(super) async fn over_stream(self, stream: Stream) -> Result<(), Failure> {
        let (from_peer, to_peer) = tokio::io::split(stream);
        let (end, ended) = watch::channel(false);
        let mut sending = pin!(self.send(ToPeer::Stream(to_peer), ended));
        let mut receiving = pin!(self.receive(FromPeer::Stream(from_peer)));
        let talking = async {
            tokio::select! {
                received = &mut receiving => {
                    end.send_replace(true);
                    match received? {
                        End::Peer => sending.await,
                        End::Output => Ok(()),
                    }
                }
                // What the other side said before it broke off is worth more than how it did.
                sent = &mut sending => receiving.await.map(drop).and(sent),
            }
        };
        tokio::select! {
            outcome = talking => outcome,
            () = self.silence.lasts(self.plan.timeout) => Err(self.too_long()),
        }
    }

    /// Sends until the input ends, and then waits a while for answers.
    pub(super) async fn over_datagrams(self, socket: &Datagram) -> Result<(), Failure> {
        let (_never, ended) = watch::channel(false);
        let mut sending = pin!(self.send(ToPeer::Datagrams(socket), ended));
        let mut receiving = pin!(self.receive(FromPeer::Datagrams(socket)));
        tokio::select! {
            received = &mut receiving => return received.map(drop),
            sent = &mut sending => sent?,
        }
        self.silence.broken();
        tokio::select! {
            received = receiving => received.map(drop),
            () = self.silence.lasts(Some(self.plan.timeout.unwrap_or(ANSWERS))) => Ok(()),
        }
    }

    /// From standard input to the other side; ends early once the other side has `ended` and the input
    /// is silent.
    async fn send(
        &self,
        mut to_peer: ToPeer<'_>,
        mut ended: watch::Receiver<bool>,
    ) -> Result<(), Failure> {
        let mut input = tokio::io::stdin();
        let patience = if io::stdin().is_terminal() { Duration::ZERO } else { LAST_INPUT };
        let mut outgoing = Outgoing::new(self.plan, self.packets);
        let mut buffer = vec![0; CHUNK];
        loop {
            let silent = async {
                // The other end of the channel lives as long as this does.
                let _ = ended.wait_for(|ended| *ended).await;
                tokio::time::sleep(patience).await;
            };
            let read = tokio::select! {
                read = input.read(&mut buffer) => read.map_err(|e| Failure::from(e).about("standard input"))?,
                () = silent => return Ok(()),
            };
            self.silence.broken();
            for piece in outgoing.pieces(&buffer[..read])? {
                to_peer.send(&piece).await.map_err(|error| self.lost(&error))?;
                self.silence.broken();
            }
            if read == 0 {
                return to_peer.finish().await.map_err(|error| self.lost(&error));
            }
        }
    }

    /// From the other side to standard output.
    async fn receive(&self, mut from_peer: FromPeer<'_>) -> Result<End, Failure> {
        let mut output = tokio::io::stdout();
        let mut incoming = Incoming::new(self.plan.encoding, self.packets);
        let mut buffer = vec![0; if self.packets { LONGEST } else { CHUNK }];
        loop {
            let received = from_peer.recv(&mut buffer).await.map_err(|error| self.lost(&error))?;
            self.silence.broken();
            let text = incoming.text(received.map(|n| &buffer[..n]));
            let written = async {
                output.write_all(&text).await?;
                output.flush().await
            };
            match written.await {
                Ok(()) => self.silence.broken(),
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(End::Output),
                Err(error) => return Err(Failure::from(error).about("standard output")),
            }
            if received.is_none() {
                tracing::info!("the other side has ended");
                return Ok(End::Peer);
            }
        }
    }

    fn lost(&self, error: &io::Error) -> Failure {
        let failure = Failure::new(Fault::Network, format!("{}: {error}", self.plan.addr));
        match error.kind() {
            io::ErrorKind::BrokenPipe => failure.hint("the other side has closed the connection"),
            io::ErrorKind::ConnectionRefused => failure.hint("nothing listens there"),
            _ => failure,
        }
    }

    fn too_long(&self) -> Failure {
        let limit = format_duration(self.plan.timeout.unwrap_or_default());
        Failure::new(Fault::Network, format!("{}: nothing passed for {limit}", self.plan.addr))
    }
}

/// What standard input becomes on its way out.
struct Outgoing {
    cut: Option<Lines>,
    crlf: Option<CrLf>,
    encoding: Option<Encoding>,
    /// The encoding's state, where the whole is one text.
    writer: Option<Writer>,
    told: bool,
}

impl Outgoing {
    fn new(plan: &Plan, packets: bool) -> Self {
        Self {
            cut: packets.then(Lines::default),
            crlf: plan.crlf.then(CrLf::default),
            encoding: plan.encoding,
            writer: plan.encoding.filter(|_| !packets).map(Encoding::writer),
            told: false,
        }
    }

    /// The pieces to send for what was read; nothing read is the end.
    fn pieces(&mut self, read: &[u8]) -> Result<Vec<Vec<u8>>, Failure> {
        let Some(lines) = &mut self.cut else {
            let piece = self.stretch(read);
            return Ok(if piece.is_empty() { Vec::new() } else { vec![piece] });
        };
        let mut cut = lines.cut(read)?;
        if read.is_empty() {
            cut.extend(std::mem::take(lines).last());
        }
        Ok(cut.into_iter().map(|line| self.packet(line)).collect())
    }

    /// The next stretch of a stream.
    fn stretch(&mut self, read: &[u8]) -> Vec<u8> {
        let bytes = match &mut self.crlf {
            Some(crlf) => crlf.add(read),
            None => read.to_vec(),
        };
        let Some(writer) = &mut self.writer else { return bytes };
        let encoded = writer.write(&bytes, read.is_empty());
        let lossy = writer.lossy();
        self.tell_if(lossy);
        encoded
    }

    /// A packet, which is a text by itself.
    fn packet(&mut self, mut line: Vec<u8>) -> Vec<u8> {
        if self.crlf.is_some() {
            line.push(b'\n');
            line = CrLf::default().add(&line);
        }
        let Some(encoding) = self.encoding else { return line };
        let mut writer = encoding.writer();
        let encoded = writer.write(&line, true);
        self.tell_if(writer.lossy());
        encoded
    }

    fn tell_if(&mut self, lossy: bool) {
        if lossy && !std::mem::replace(&mut self.told, true) {
            tracing::warn!(
                "what the other side's encoding lacks, or is no UTF-8, is not sent as it is"
            );
        }
    }
}

/// What comes from the other side becomes on its way to standard output.
struct Incoming {
    packets: bool,
    encoding: Option<Encoding>,
    /// The encoding's state, where the whole is one text.
    reader: Option<Reader>,
    told: bool,
}

impl Incoming {
    fn new(encoding: Option<Encoding>, packets: bool) -> Self {
        let reader = encoding.filter(|_| !packets).map(Encoding::reader);
        Self { packets, encoding, reader, told: false }
    }

    /// What to print for what was received; `None` is the end.
    fn text(&mut self, received: Option<&[u8]>) -> Vec<u8> {
        match (self.packets, received) {
            (true, None) => Vec::new(),
            (true, Some(packet)) => self.line(packet),
            (false, received) => {
                let last = received.is_none();
                let bytes = received.unwrap_or_default();
                let Some(reader) = &mut self.reader else { return bytes.to_vec() };
                let text = reader.read(bytes, last);
                let damaged = reader.damaged();
                self.tell_if(damaged);
                text.into_bytes()
            }
        }
    }

    /// A packet as a line.
    fn line(&mut self, packet: &[u8]) -> Vec<u8> {
        let mut line = match self.encoding {
            None => packet.to_vec(),
            Some(encoding) => {
                let mut reader = encoding.reader();
                let text = reader.read(packet, true);
                self.tell_if(reader.damaged());
                text.into_bytes()
            }
        };
        if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        line
    }

    fn tell_if(&mut self, damaged: bool) {
        if damaged && !std::mem::replace(&mut self.told, true) {
            tracing::warn!(
                "what came is not all text in that encoding; U+FFFD stands for the rest"
            );
        }
    }
}
