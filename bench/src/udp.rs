//! The `udp` load: clients with a socket each and one 64-byte packet on its way at a time.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, recv, send,
        socket_with,
    },
};

use crate::{
    echo::{MESSAGE, PAYLOAD},
    latency::Latencies,
    report::Report,
};

/// A packet without an answer for that long is lost, and sent again.
const LOST: Duration = Duration::from_millis(200);

/// Round trips a second of datagrams.
#[derive(Debug, clap::Args)]
pub(crate) struct Udp {
    /// The server, as IP:PORT.
    #[arg(long)]
    addr: SocketAddr,
    /// How many clients, each with one packet on its way.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// Seconds that count, after half a second that does not.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

struct Client {
    socket: OwnedFd,
    sent: Instant,
}

impl Udp {
    /// Runs the load; lost packets are reported as errors.
    ///
    /// # Errors
    /// If nobody listens there, or an answer is not what was sent.
    pub(crate) fn run(&self) -> io::Result<Report> {
        let mut clients = self.open()?;
        let begin = Instant::now() + Duration::from_millis(500);
        let end = begin + Duration::from_secs_f64(self.seconds);
        let mut latencies = Latencies::new();
        let (mut count, mut lost) = (0_u64, 0_u64);
        for client in &clients {
            client.send()?;
        }
        let mut now = Instant::now();
        // Asking each socket in turn: an epoll's bookkeeping would be done on the server's processor,
        // as everything is that a packet's arrival sets off.
        while now < end {
            for client in &mut clients {
                if client.receive()? {
                    now = Instant::now();
                    if now > begin {
                        latencies.record(now.duration_since(client.sent));
                        count += 1;
                    }
                } else if now.duration_since(client.sent) > LOST {
                    lost += 1;
                } else {
                    continue;
                }
                client.sent = now;
                client.send()?;
            }
            now = Instant::now();
        }
        Ok(Report::of_load(count, now.duration_since(begin), &latencies, lost))
    }

    fn open(&self) -> io::Result<Vec<Client>> {
        let mut clients = Vec::with_capacity(self.clients);
        for _ in 0..self.clients {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None)?;
            bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
            connect(&socket, &self.addr)?;
            clients.push(Client { socket, sent: Instant::now() });
        }
        Ok(clients)
    }
}

impl Client {
    fn send(&self) -> io::Result<()> {
        match send(&self.socket, &PAYLOAD, SendFlags::NOSIGNAL) {
            Ok(_) | Err(Errno::AGAIN) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn receive(&self) -> io::Result<bool> {
        let mut buffer = [0; MESSAGE + 1];
        match recv(&self.socket, &mut buffer, RecvFlags::empty()) {
            Ok((MESSAGE, _)) if buffer[..MESSAGE] == PAYLOAD => Ok(true),
            Ok(_) => Err(io::Error::other("the answer is not what was sent")),
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
