//! The `echo` load: kept connections, each with one 64-byte message on its way at a time.
//!
//! One thread polls an edge-triggered epoll without ever sleeping: per message one `recv` and one
//! `send`, so that it keeps ahead of any server that also has to wait for its events.

use std::{
    io,
    net::SocketAddr,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{
    fs::{OFlags, fcntl_setfl},
    io::Errno,
    net::{
        RecvFlags, SendFlags, Shutdown, recv, send, shutdown,
        sockopt::{Timeout, set_socket_timeout},
    },
};

use crate::{latency::Latencies, poll::Poll, report::Report, sources::Sources};

/// Bytes of a message.
pub(crate) const MESSAGE: usize = 64;

/// What is sent: recognisable, so that an answer that is not the echo is seen.
pub(crate) const PAYLOAD: [u8; MESSAGE] = [b'e'; MESSAGE];

/// How long a whole run may go without an answer.
const STALL: Duration = Duration::from_secs(5);

/// Round trips a second over kept connections.
#[derive(Debug, clap::Args)]
pub(crate) struct Echo {
    /// The server, as IP:PORT.
    #[arg(long)]
    addr: SocketAddr,
    /// How many connections.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds that count, after half a second that does not.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

struct Client {
    socket: OwnedFd,
    sent: Instant,
    /// Bytes of the answer that are still to come.
    awaited: usize,
}

impl Echo {
    /// Runs the load.
    ///
    /// # Errors
    /// If the server cannot be reached, closes, stalls or answers something else.
    pub(crate) fn run(&self) -> io::Result<Report> {
        let mut poll = Poll::new(self.connections)?;
        let mut clients = self.connect(&poll)?;
        let begin = Instant::now() + Duration::from_millis(500);
        let end = begin + Duration::from_secs_f64(self.seconds);
        let mut latencies = Latencies::new();
        let mut count = 0_u64;
        for client in &mut clients {
            client.send()?;
        }
        let mut slots = Vec::new();
        let mut last = Instant::now();
        while last < end {
            poll.news(&mut slots)?;
            if slots.is_empty() {
                let now = Instant::now();
                if now.duration_since(last) > STALL {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "the server stalls"));
                }
                if now > end {
                    break;
                }
            }
            for &slot in &slots {
                let client = &mut clients[slot];
                if !client.receive()? {
                    continue;
                }
                last = Instant::now();
                if last > begin {
                    latencies.record(last.duration_since(client.sent));
                    count += 1;
                }
                client.send()?;
            }
        }
        let took = Instant::now().duration_since(begin);
        for client in clients {
            client.close()?;
        }
        Ok(Report::of_load(count, took, &latencies, 0))
    }

    fn connect(&self, poll: &Poll) -> io::Result<Vec<Client>> {
        let mut sources = Sources::new();
        let mut clients = Vec::with_capacity(self.connections);
        for slot in 0..self.connections {
            let socket = sources.connect(self.addr)?;
            blocking(&socket, true)?;
            // The server is a thread or a process away: it says that it is there by an echo.
            send(&socket, &PAYLOAD, SendFlags::NOSIGNAL)?;
            let mut client = Client { socket, sent: Instant::now(), awaited: MESSAGE };
            while !client.receive()? {}
            blocking(&client.socket, false)?;
            poll.add(slot, &client.socket, false)?;
            clients.push(client);
        }
        Ok(clients)
    }
}

impl Client {
    fn send(&mut self) -> io::Result<()> {
        self.sent = Instant::now();
        self.awaited = MESSAGE;
        let sent = send(&self.socket, &PAYLOAD, SendFlags::NOSIGNAL)?;
        if sent == MESSAGE {
            Ok(())
        } else {
            Err(io::Error::other("64 bytes do not fit the buffer"))
        }
    }

    /// Whether the answer is whole.
    fn receive(&mut self) -> io::Result<bool> {
        let mut buffer = [0; MESSAGE];
        match recv(&self.socket, &mut buffer[..self.awaited], RecvFlags::empty()) {
            Ok((0, _)) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed")),
            Ok((length, _)) if buffer[..length] == PAYLOAD[..length] => {
                self.awaited -= length;
                Ok(self.awaited == 0)
            }
            Ok(_) => Err(io::Error::other("the answer is not what was sent")),
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the last answer and closes in order, so that the server sees an end and no reset.
    fn close(mut self) -> io::Result<()> {
        blocking(&self.socket, true)?;
        let limit = Some(STALL);
        set_socket_timeout(&self.socket, Timeout::Recv, limit)?;
        while self.awaited > 0 {
            self.receive()?;
        }
        shutdown(&self.socket, Shutdown::Write)?;
        recv(&self.socket, &mut [0; MESSAGE], RecvFlags::empty())?;
        Ok(())
    }
}

fn blocking(socket: &OwnedFd, blocking: bool) -> io::Result<()> {
    let flag = if blocking { OFlags::empty() } else { OFlags::NONBLOCK };
    Ok(fcntl_setfl(socket, flag)?)
}
