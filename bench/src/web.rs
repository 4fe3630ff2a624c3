//! The `put` and `get` loads: files sent and fetched over HTTP/1.1, on so many connections.
//!
//! A thread and a connection each, blocking: the load is on a processor of its own, and what is measured
//! is how fast the server takes or gives whole files.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    latency::Latencies,
    report::{Report, precise},
};

/// How long a server may be silent.
const STALL: Duration = Duration::from_secs(60);

/// Bytes written or read at once.
pub(crate) const PIECE: usize = 256 * 1024;

/// Longest line of an answer's head.
const LINE: u64 = 16 * 1024;

/// Files sent by PUT, each under a name of its own.
#[derive(Debug, clap::Args)]
pub(crate) struct Put {
    /// The server, as IP:PORT.
    #[arg(long)]
    addr: SocketAddr,
    /// How many connections at a time.
    #[arg(long, default_value_t = 8)]
    connections: u64,
    /// How many files.
    #[arg(long, default_value_t = 10_000)]
    count: u64,
    /// Bytes of each.
    #[arg(long, default_value_t = 4096)]
    size: u64,
    /// What the files' paths begin with; a number follows.
    #[arg(long, default_value = "/put-")]
    path: String,
    /// A header field sent with each request.
    #[arg(long)]
    header: Vec<String>,
    /// Not used: the number of files says how long it takes.
    #[arg(long, hide = true, default_value_t = 0.0)]
    seconds: f64,
}

/// One file fetched again and again by GET.
#[derive(Debug, clap::Args)]
pub(crate) struct Get {
    /// The server, as IP:PORT.
    #[arg(long)]
    addr: SocketAddr,
    /// How many connections at a time.
    #[arg(long, default_value_t = 1)]
    connections: u64,
    /// How often the file is fetched, all told.
    #[arg(long, default_value_t = 3)]
    count: u64,
    /// The file.
    #[arg(long)]
    path: String,
    /// A header field sent with each request.
    #[arg(long)]
    header: Vec<String>,
    /// Not used: the number of fetches says how long it takes.
    #[arg(long, hide = true, default_value_t = 0.0)]
    seconds: f64,
}

impl Put {
    /// Runs the load.
    ///
    /// # Errors
    /// If the server cannot be reached, stalls, or answers anything but 201 or 204.
    pub(crate) fn run(&self) -> io::Result<Report> {
        let content = vec![b'x'; usize::try_from(self.size).unwrap_or(PIECE).min(PIECE)];
        run(self.addr, self.connections, self.count, |line, index| {
            let Self { addr, path, size, .. } = self;
            let mut head =
                format!("PUT {path}{index} HTTP/1.1\r\nHost: {addr}\r\nContent-Length: {size}\r\n");
            finish_head(&mut head, &self.header);
            let mut request = head.into_bytes();
            let mut left = self.size;
            // What is small goes in one piece with its head, as clients send it.
            loop {
                let length = left.min(content.len() as u64);
                request.extend_from_slice(&content[..usize::try_from(length).unwrap_or(0)]);
                line.get_mut().write_all(&request)?;
                request.clear();
                left -= length;
                if left == 0 {
                    break;
                }
            }
            match answer(line)? {
                (201 | 204, _) => Ok(self.size),
                (status, _) => Err(unexpected(status)),
            }
        })
    }
}

impl Get {
    /// Runs the load.
    ///
    /// # Errors
    /// If the server cannot be reached, stalls, or answers anything but 200.
    pub(crate) fn run(&self) -> io::Result<Report> {
        let mut head = format!("GET {} HTTP/1.1\r\nHost: {}\r\n", self.path, self.addr);
        finish_head(&mut head, &self.header);
        run(self.addr, self.connections, self.count, |line, _| {
            line.get_mut().write_all(head.as_bytes())?;
            match answer(line)? {
                (200, bytes) => Ok(bytes),
                (status, _) => Err(unexpected(status)),
            }
        })
    }
}

pub(crate) fn finish_head(head: &mut String, fields: &[String]) {
    for field in fields {
        head.push_str(field);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
}

pub(crate) fn unexpected(status: u16) -> io::Error {
    io::Error::other(format!("the server answered {status}"))
}

/// Does `count` exchanges on so many connections; each says how many bytes it moved.
pub(crate) fn run(
    addr: SocketAddr,
    connections: u64,
    count: u64,
    exchange: impl Fn(&mut BufReader<TcpStream>, u64) -> io::Result<u64> + Sync,
) -> io::Result<Report> {
    let connect = || {
        let socket = TcpStream::connect(addr)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(STALL))?;
        socket.set_write_timeout(Some(STALL))?;
        Ok(BufReader::with_capacity(PIECE, socket))
    };
    in_parallel(connections, count, connect, exchange)
}

/// Does `count` exchanges by so many threads, each of which has connected before the clock starts; each exchange says how many
/// bytes it moved.
pub(crate) fn in_parallel<C: Send>(
    connections: u64,
    count: u64,
    connect: impl Fn() -> io::Result<C>,
    exchange: impl Fn(&mut C, u64) -> io::Result<u64> + Sync,
) -> io::Result<Report> {
    let next = AtomicU64::new(0);
    let connection = |mut line: C| {
        let (mut done, mut moved) = (Vec::new(), 0);
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok::<_, io::Error>((done, moved));
            }
            let begun = Instant::now();
            moved += exchange(&mut line, index)?;
            done.push(begun.elapsed());
        }
    };
    let lines = (0..connections.max(1)).map(|_| connect()).collect::<io::Result<Vec<_>>>()?;
    let begun = Instant::now();
    let results: Vec<_> = thread::scope(|scope| {
        let connection = &connection;
        let threads: Vec<_> =
            lines.into_iter().map(|line| scope.spawn(move || connection(line))).collect();
        threads
            .into_iter()
            .map(|it| it.join().unwrap_or_else(|_| Err(io::Error::other("a panic"))))
            .collect()
    });
    let took = begun.elapsed();
    let (mut latencies, mut bytes) = (Latencies::new(), 0);
    for result in results {
        let (done, moved) = result?;
        done.into_iter().for_each(|each| latencies.record(each));
        bytes += moved;
    }
    let rate = precise(bytes) / took.as_secs_f64() / 1e6;
    Ok(Report::of_load(count, took, &latencies, 0).with("megabytes_per_second", rate))
}

/// Reads an answer to its end: its status and the bytes of its content.
fn answer(line: &mut BufReader<TcpStream>) -> io::Result<(u16, u64)> {
    answer_with(line, |_, _| {})
}

/// As [`answer`]; `look` is given each header field.
pub(crate) fn answer_with(
    line: &mut BufReader<TcpStream>,
    mut look: impl FnMut(&str, &str),
) -> io::Result<(u16, u64)> {
    let (mut status, mut length) = (None, 0);
    loop {
        let mut text = String::new();
        line.by_ref().take(LINE).read_line(&mut text)?;
        match (text.trim_end(), status) {
            ("", None) => return Err(io::ErrorKind::UnexpectedEof.into()),
            ("", Some(_)) => break,
            (first, None) => status = first.split(' ').nth(1).and_then(|code| code.parse().ok()),
            (field, Some(_)) => {
                if let Some((name, value)) = field.split_once(':') {
                    look(name, value.trim());
                    if name.eq_ignore_ascii_case("content-length") {
                        length = value.trim().parse().map_err(io::Error::other)?;
                    }
                }
            }
        }
    }
    let status = status.ok_or(io::ErrorKind::InvalidData)?;
    let mut left = if status == 204 { 0 } else { length };
    while left > 0 {
        let there = line.fill_buf()?.len();
        if there == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let taken = usize::try_from(left).unwrap_or(there).min(there);
        line.consume(taken);
        left -= taken as u64;
    }
    Ok((status, length))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn files_are_sent_whole_and_answers_read_to_their_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        thread::scope(|scope| {
            let server = scope.spawn(move || {
                let (socket, _) = listener.accept().unwrap();
                let mut line = BufReader::new(socket);
                let mut paths = Vec::new();
                for answer in [
                    &b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"[..],
                    b"HTTP/1.1 204 No\r\n\r\n",
                ] {
                    let mut head = Vec::new();
                    while head.last().is_none_or(|field| field != "\r\n") {
                        let mut text = String::new();
                        line.read_line(&mut text).unwrap();
                        head.push(text);
                    }
                    assert!(head.contains(&"X: y\r\n".to_owned()), "{head:?}");
                    line.read_exact(&mut vec![0; 1000]).unwrap();
                    line.get_mut().write_all(answer).unwrap();
                    paths.push(head[0].clone());
                }
                paths
            });
            let put = Put {
                addr,
                connections: 1,
                count: 2,
                size: 1000,
                path: "/a".to_owned(),
                header: vec!["X: y".to_owned()],
                seconds: 0.0,
            };
            let report = put.run().unwrap().to_string();
            assert!(report.contains("\"count\":2.000"), "{report}");
            assert_eq!(server.join().unwrap(), ["PUT /a0 HTTP/1.1\r\n", "PUT /a1 HTTP/1.1\r\n"]);
        });
    }
}
