//! The `tus` load: files sent in pieces, by tus 1.0.0, one piece after the other on each connection.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
};

use crate::{
    report::Report,
    web::{PIECE, answer_with, finish_head, run, unexpected},
};

/// Files sent in pieces.
#[derive(Debug, clap::Args)]
pub(crate) struct Tus {
    /// The server, as IP:PORT.
    #[arg(long)]
    addr: SocketAddr,
    /// How many connections at a time.
    #[arg(long, default_value_t = 1)]
    connections: u64,
    /// How many files.
    #[arg(long, default_value_t = 1)]
    count: u64,
    /// Bytes of each.
    #[arg(long, default_value_t = 1 << 30)]
    size: u64,
    /// Bytes of each piece.
    #[arg(long, default_value_t = 8 << 20)]
    piece: u64,
    /// What the files' names begin with; a number follows.
    #[arg(long, default_value = "tus-")]
    name: String,
    /// A header field sent with each request.
    #[arg(long)]
    header: Vec<String>,
    /// Not used: the number of files says how long it takes.
    #[arg(long, hide = true, default_value_t = 0.0)]
    seconds: f64,
}

impl Tus {
    /// Runs the load.
    ///
    /// # Errors
    /// If the server cannot be reached, stalls, or answers anything but what the protocol has.
    pub(crate) fn run(&self) -> io::Result<Report> {
        let content = vec![b'x'; PIECE];
        run(self.addr, self.connections, self.count, |line, index| {
            let name = data_encoding::BASE64.encode(format!("{}{index}", self.name).as_bytes());
            let make =
                format!("Upload-Length: {}\r\nUpload-Metadata: filename {name}\r\n", self.size);
            line.get_mut().write_all(self.head("POST", "/-/tus/", &make, 0).as_bytes())?;
            let mut location = None;
            let (status, _) = answer_with(line, |name, value| {
                if name.eq_ignore_ascii_case("location") {
                    location = Some(value.to_owned());
                }
            })?;
            let (201, Some(location)) = (status, location) else { return Err(unexpected(status)) };
            let mut offset = 0;
            while offset < self.size {
                let length = self.piece.min(self.size - offset);
                let more = format!(
                    "Upload-Offset: {offset}\r\nContent-Type: application/offset+octet-stream\r\n"
                );
                let mut request = self.head("PATCH", &location, &more, length).into_bytes();
                let mut left = length;
                while left > 0 {
                    let some = left.min(content.len() as u64);
                    request.extend_from_slice(&content[..usize::try_from(some).unwrap_or(0)]);
                    line.get_mut().write_all(&request)?;
                    request.clear();
                    left -= some;
                }
                match answer_with(line, |_, _| {})? {
                    (204, _) => offset += length,
                    (status, _) => return Err(unexpected(status)),
                }
            }
            Ok(self.size)
        })
    }

    fn head(&self, method: &str, target: &str, more: &str, length: u64) -> String {
        let mut head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nTus-Resumable: 1.0.0\r\n{more}\
             Content-Length: {length}\r\n",
            self.addr
        );
        finish_head(&mut head, &self.header);
        head
    }
}
