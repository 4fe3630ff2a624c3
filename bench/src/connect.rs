//! The `connect` load: a new connection for each message, so many at a time.
//!
//! Each is closed in order: the load half-closes after the answer, the server sees the end and closes,
//! the load sees that and closes. No reset, and the waiting (TIME_WAIT) is on the load's side,
//! spread over many source addresses.

use std::{
    io,
    net::SocketAddr,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown},
};

use crate::{
    echo::{MESSAGE, PAYLOAD},
    latency::Latencies,
    report::Report,
    sources::Sources,
};

/// How long one exchange may take.
const STALL: Duration = Duration::from_secs(5);

/// Exchanges a second, each over a connection of its own.
#[derive(Debug, clap::Args)]
pub(crate) struct Connect {
    /// The server, as IP:PORT.
    #[arg(long)]
    addr: SocketAddr,
    /// How many connections at a time.
    #[arg(long, default_value_t = 16)]
    at_a_time: usize,
    /// Seconds that count, after half a second that does not.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

/// One connection's way from its start to its end.
struct Exchange {
    socket: OwnedFd,
    began: Instant,
    stage: Stage,
}

enum Stage {
    /// Not connected yet, or the message does not go out yet.
    Connecting,
    /// Bytes of the answer that are still to come.
    Answering(usize),
    /// Half-closed; the server's end is to come.
    Closing,
}

enum Step {
    Wait,
    Done,
}

/// What happened so far.
struct Tally {
    begin: Instant,
    end: Instant,
    last: Instant,
    count: u64,
    latencies: Latencies,
}

impl Connect {
    /// Runs the load.
    ///
    /// # Errors
    /// If the server cannot be reached, resets, stalls or answers something else.
    pub(crate) fn run(&self) -> io::Result<Report> {
        let mut sources = Sources::new();
        let mut tally = Tally::new(self.seconds);
        let mut exchanges = Vec::with_capacity(self.at_a_time);
        for _ in 0..self.at_a_time {
            exchanges.push(Some(Exchange::begin(&mut sources, self.addr)?));
        }
        // Asking each socket in turn costs less than an epoll, which every new socket has to be told to.
        while exchanges.iter().any(Option::is_some) {
            for slot in &mut exchanges {
                let Some(exchange) = slot else { continue };
                if matches!(exchange.step()?, Step::Wait) {
                    continue;
                }
                tally.count(exchange);
                // The old socket is closed before the next one is made.
                *slot = None;
                if tally.last < tally.end {
                    *slot = Some(Exchange::begin(&mut sources, self.addr)?);
                }
            }
            if tally.last.elapsed() > STALL {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the server stalls"));
            }
        }
        let took = tally.end.duration_since(tally.begin);
        Ok(Report::of_load(tally.count, took, &tally.latencies, 0))
    }
}

impl Tally {
    fn new(seconds: f64) -> Self {
        let last = Instant::now();
        let begin = last + Duration::from_millis(500);
        let end = begin + Duration::from_secs_f64(seconds);
        Self { begin, end, last, count: 0, latencies: Latencies::new() }
    }

    fn count(&mut self, exchange: &Exchange) {
        self.last = Instant::now();
        if self.last > self.begin && self.last <= self.end {
            self.latencies.record(self.last.duration_since(exchange.began));
            self.count += 1;
        }
    }
}

impl Exchange {
    fn begin(sources: &mut Sources, server: SocketAddr) -> io::Result<Self> {
        let began = Instant::now();
        let socket = sources.connect(server)?;
        let mut exchange = Self { socket, began, stage: Stage::Connecting };
        // On loopback the connection is there already, as a rule, and the message on its way.
        exchange.step()?;
        Ok(exchange)
    }

    /// Goes as far as it goes without waiting.
    fn step(&mut self) -> io::Result<Step> {
        loop {
            match self.stage {
                Stage::Connecting => match send(&self.socket, &PAYLOAD, SendFlags::NOSIGNAL) {
                    Ok(MESSAGE) => self.stage = Stage::Answering(MESSAGE),
                    Ok(_) => return Err(io::Error::other("64 bytes do not fit the buffer")),
                    Err(Errno::AGAIN | Errno::NOTCONN) => return Ok(Step::Wait),
                    Err(error) => return Err(error.into()),
                },
                Stage::Answering(awaited) => {
                    let Some(length) = self.receive(awaited)? else { return Ok(Step::Wait) };
                    self.stage = Stage::Answering(awaited - length);
                    if length == awaited {
                        shutdown(&self.socket, Shutdown::Write)?;
                        self.stage = Stage::Closing;
                    } else if length == 0 {
                        return Err(io::Error::new(
                            io::ErrorKind::UnexpectedEof,
                            "the server closed before it had answered",
                        ));
                    }
                }
                Stage::Closing => {
                    return match self.receive(MESSAGE)? {
                        None => Ok(Step::Wait),
                        Some(0) => Ok(Step::Done),
                        Some(_) => Err(io::Error::other("the answer is longer than the message")),
                    };
                }
            }
        }
    }

    fn receive(&self, awaited: usize) -> io::Result<Option<usize>> {
        let mut buffer = [0; MESSAGE];
        match recv(&self.socket, &mut buffer[..awaited], RecvFlags::empty()) {
            Ok((length, _)) if buffer[..length] == PAYLOAD[..length] => Ok(Some(length)),
            Ok(_) => Err(io::Error::other("the answer is not what was sent")),
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
