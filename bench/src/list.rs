//! The `list` load: one large folder's listing, how soon it begins, how long it takes, and what it costs the
//! server in resident memory.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use crate::{
    report::{Report, precise},
    resident::{forget_peak, peak_kib},
};

/// How long a server may be silent.
const STALL: Duration = Duration::from_secs(60);

/// Bytes read at once.
const PIECE: usize = 256 * 1024;

/// Longest line of an answer's head, or of a chunk's.
const LINE: u64 = 16 * 1024;

/// A folder listed over HTTP/1.1.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// The server, as IP:PORT.
    #[arg(long)]
    addr: SocketAddr,
    /// The server's process.
    #[arg(long)]
    pid: u32,
    /// The folder.
    #[arg(long)]
    path: String,
    /// How many entries it has: so many lines the listing must have at least.
    #[arg(long)]
    entries: u64,
    /// A header field sent with each request.
    #[arg(long)]
    header: Vec<String>,
}

/// What came of one request.
struct Listing {
    first_byte: Duration,
    total: Duration,
    bytes: u64,
    lines: u64,
}

impl List {
    /// Lists the root first, which has the server sign the account in and make what it makes once, and then the
    /// folder, on the same connection.
    ///
    /// # Errors
    /// If the server cannot be reached, stalls, answers anything but 200, or leaves entries out.
    pub(crate) fn run(&self) -> io::Result<Report> {
        let socket = TcpStream::connect(self.addr)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(STALL))?;
        socket.set_write_timeout(Some(STALL))?;
        let mut line = BufReader::with_capacity(PIECE, socket);
        self.ask(&mut line, "/")?;
        forget_peak(self.pid)?;
        let before = peak_kib(self.pid)?;
        let listing = self.ask(&mut line, &self.path)?;
        let most = peak_kib(self.pid)?;
        if listing.lines < self.entries {
            let Listing { lines, .. } = listing;
            return Err(io::Error::other(format!("{lines} lines for {} entries", self.entries)));
        }
        Ok(Report::default()
            .with("first_byte_ms", listing.first_byte.as_secs_f64() * 1e3)
            .with("total_s", listing.total.as_secs_f64())
            .with("memory_mib", precise(most.saturating_sub(before)) / 1024.0)
            .with("at_rest_mib", precise(before) / 1024.0)
            .with("megabytes", precise(listing.bytes) / 1e6)
            .with("per_second", precise(listing.lines) / listing.total.as_secs_f64()))
    }

    fn ask(&self, line: &mut BufReader<TcpStream>, path: &str) -> io::Result<Listing> {
        let mut head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n", self.addr);
        for field in &self.header {
            head.push_str(field);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        let begun = Instant::now();
        line.get_mut().write_all(head.as_bytes())?;
        let mut left = content(line)?;
        let (mut first_byte, mut bytes, mut lines) = (None, 0, 0);
        while left.next(line)? {
            let here = line.fill_buf()?;
            if here.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            first_byte.get_or_insert_with(|| begun.elapsed());
            let taken = usize::try_from(left.bytes).unwrap_or(here.len()).min(here.len());
            lines += lines_in(&here[..taken]);
            line.consume(taken);
            left.bytes -= taken as u64;
            bytes += taken as u64;
        }
        let total = begun.elapsed();
        Ok(Listing { first_byte: first_byte.unwrap_or(total), total, bytes, lines })
    }
}

/// How many lines end here.
fn lines_in(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// What is still to come of an answer's content.
struct Left {
    /// Of this chunk, or of all.
    bytes: u64,
    /// Whether there are chunks, and how many there were.
    chunks: Option<u64>,
}

impl Left {
    /// Whether more is to come; reads the head of the next chunk if one is due.
    fn next(&mut self, line: &mut BufReader<impl io::Read>) -> io::Result<bool> {
        let Some(chunks) = self.chunks.filter(|_| self.bytes == 0) else {
            return Ok(self.bytes > 0);
        };
        if chunks > 0 {
            // What ends the chunk before.
            text(line)?;
        }
        self.bytes = u64::from_str_radix(&text(line)?, 16).map_err(io::Error::other)?;
        self.chunks = Some(chunks + 1);
        if self.bytes == 0 {
            // No trailers are asked for: the empty line behind the last chunk.
            text(line)?;
        }
        Ok(self.bytes > 0)
    }
}

/// Reads an answer's head, up to its content.
fn content(line: &mut BufReader<impl io::Read>) -> io::Result<Left> {
    let status = text(line)?;
    if status.split(' ').nth(1) != Some("200") {
        return Err(io::Error::other(format!("the server answered {status}")));
    }
    let mut left = Left { bytes: 0, chunks: None };
    loop {
        let field = text(line)?;
        match field.split_once(':') {
            None if field.is_empty() => return Ok(left),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                left.bytes = value.trim().parse().map_err(io::Error::other)?;
            }
            Some((name, _)) if name.eq_ignore_ascii_case("transfer-encoding") => {
                left.chunks = Some(0);
            }
            _ => {}
        }
    }
}

/// A line, without its end.
fn text(line: &mut BufReader<impl io::Read>) -> io::Result<String> {
    let mut text = String::new();
    line.by_ref().take(LINE).read_line(&mut text)?;
    match text.strip_suffix("\r\n") {
        Some(text) => Ok(text.to_owned()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: &[u8]) -> io::Result<Vec<u8>> {
        let mut line = BufReader::with_capacity(7, answer);
        let mut left = content(&mut line)?;
        let mut all = Vec::new();
        while left.next(&mut line)? {
            let mut piece = vec![0; usize::try_from(left.bytes).unwrap()];
            line.read_exact(&mut piece)?;
            all.extend(piece);
            left.bytes = 0;
        }
        assert!(line.fill_buf()?.is_empty(), "something was left");
        Ok(all)
    }

    #[test]
    fn content_comes_whole_with_a_length_and_in_chunks() {
        let fixed = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na\nb\n";
        let chunks =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n3\r\n\nb\n\r\n0\r\n\r\n";
        assert_eq!(read(fixed).unwrap(), b"a\nb\n");
        assert_eq!(read(chunks).unwrap(), b"a\nb\n");
        assert!(read(b"HTTP/1.1 404 Not Found\r\n\r\n").is_err());
        assert!(read(&chunks[..chunks.len() - 2]).is_err());
    }
}
