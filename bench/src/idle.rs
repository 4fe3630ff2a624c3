//! The `idle` load: connections that have been served once and then say nothing, and what each of
//! them costs the server in resident memory.

use std::{
    io,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    echo::{MESSAGE, PAYLOAD},
    report::{Report, precise},
    resident::resident_kib,
    sources::Sources,
};

/// Resident memory of a server per idle connection.
#[derive(Debug, clap::Args)]
pub(crate) struct Idle {
    /// The server, as IP:PORT.
    #[arg(long)]
    addr: SocketAddr,
    /// The server's process.
    #[arg(long)]
    pid: u32,
    /// How many connections.
    #[arg(long, default_value_t = 10_000)]
    connections: u32,
}

impl Idle {
    /// Opens the connections, one echo each, and compares the server's memory before and after.
    ///
    /// # Errors
    /// If descriptors do not suffice, or the server does not answer.
    pub(crate) fn run(&self) -> io::Result<Report> {
        raise_descriptor_limit(self.connections)?;
        let mut sources = Sources::new();
        // What the server makes once, for its first connections, is not theirs.
        let mut streams = Vec::with_capacity(self.connections as usize + 64);
        for _ in 0..64 {
            streams.push(self.open(&mut sources)?);
        }
        let before = resident_kib(self.pid)?;
        for _ in 0..self.connections {
            streams.push(self.open(&mut sources)?);
        }
        let after = resident_kib(self.pid)?;
        // The last one must still be served.
        streams.last_mut().map_or(Ok(()), echo)?;
        let each = (precise(after) - precise(before)) / f64::from(self.connections);
        Ok(Report::default()
            .with("kib_each", each)
            .with("kib_before", precise(before))
            .with("kib_after", precise(after))
            .with("connections", f64::from(self.connections)))
    }

    fn open(&self, sources: &mut Sources) -> io::Result<TcpStream> {
        let mut stream = TcpStream::from(sources.connect(self.addr)?);
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        echo(&mut stream)?;
        Ok(stream)
    }
}

fn echo(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(&PAYLOAD)?;
    stream.read_exact(&mut [0; MESSAGE])
}

fn raise_descriptor_limit(connections: u32) -> io::Result<()> {
    let wanted = u64::from(connections) + 128;
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|hard| hard < wanted) {
        return Err(io::Error::other(format!(
            "{connections} connections need {wanted} descriptors; the hard limit is {:?} (`ulimit -Hn`)",
            limit.maximum
        )));
    }
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?)
}
