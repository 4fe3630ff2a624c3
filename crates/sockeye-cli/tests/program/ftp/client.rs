//! A scripted client, for many at once: sends lines, reads replies, opens data connections. Every wait is bounded.
//!
//! An error is a connection that was lost; another reply than was expected ends the test.

use std::{
    future::Future,
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use super::super::running::within;

/// Bytes that are sent at once.
pub(crate) const PIECE: usize = 64 * 1024;

pub(crate) struct Client {
    control: BufReader<TcpStream>,
}

impl Client {
    /// Connects to a port of this machine, and is greeted.
    pub(crate) async fn connect(port: u16) -> io::Result<Self> {
        let mut client = Self { control: BufReader::new(connect(port).await?) };
        let greeting = client.reply().await?;
        assert!(greeting.starts_with("220"), "{greeting}");
        Ok(client)
    }

    /// Connects, and logs in.
    pub(crate) async fn log_in(port: u16, name: &str, password: &str) -> io::Result<Self> {
        let mut client = Self::connect(port).await?;
        client.expect(331, &format!("USER {name}")).await?;
        client.expect(230, &format!("PASS {password}")).await?;
        client.expect(200, "TYPE I").await?;
        Ok(client)
    }

    /// All lines of the next reply.
    pub(crate) async fn reply(&mut self) -> io::Result<String> {
        let mut reply = String::new();
        loop {
            let from = reply.len();
            if within(self.control.read_line(&mut reply)).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            // `226 ` ends what `226-` begins (RFC 959 §4.2).
            let (code, line) = (reply.get(..3).unwrap_or_default(), &reply[from..]);
            if line.starts_with(code) && line.as_bytes().get(3) == Some(&b' ') {
                reply.truncate(reply.trim_end().len());
                return Ok(reply);
            }
        }
    }

    async fn send(&mut self, line: &str) -> io::Result<()> {
        within(self.control.write_all(format!("{line}\r\n").as_bytes())).await
    }

    pub(crate) async fn ask(&mut self, line: &str) -> io::Result<String> {
        self.send(line).await?;
        self.reply().await
    }

    /// Asks, and wants a reply of this code; gives its text.
    pub(crate) async fn expect(&mut self, code: u16, line: &str) -> io::Result<String> {
        let reply = self.ask(line).await?;
        Ok(text_of(code, line, &reply))
    }

    /// Begins a transfer over a passive data connection.
    pub(crate) async fn begin(&mut self, line: &str) -> io::Result<TcpStream> {
        let told = self.expect(229, "EPSV").await?;
        let port = told.split('|').nth(3).and_then(|port| port.parse().ok());
        let data = connect(port.unwrap_or_else(|| panic!("no port: {told}"))).await?;
        self.expect(150, line).await?;
        Ok(data)
    }

    /// Waits for the reply that ends a transfer, which has to be a good one.
    pub(crate) async fn done(&mut self, line: &str) -> io::Result<()> {
        let reply = self.reply().await?;
        text_of(226, line, &reply);
        Ok(())
    }

    /// Stores this by STOR or APPE, telling of each piece that was sent.
    pub(crate) async fn store(
        &mut self,
        line: &str,
        content: &[u8],
        mut sent: impl FnMut(),
    ) -> io::Result<()> {
        let mut data = self.begin(line).await?;
        for piece in content.chunks(PIECE) {
            within(data.write_all(piece)).await?;
            sent();
        }
        within(data.shutdown()).await?;
        self.done(line).await
    }

    /// What RETR, MLSD or NLST sends.
    pub(crate) async fn fetch(&mut self, line: &str) -> io::Result<Vec<u8>> {
        let (mut data, mut content) = (self.begin(line).await?, Vec::new());
        within(data.read_to_end(&mut content)).await?;
        self.done(line).await?;
        Ok(content)
    }

    /// How long a file is, or as much of it as came before it was cut; none where nothing is.
    pub(crate) async fn size(&mut self, path: &str) -> io::Result<Option<usize>> {
        let reply = self.ask(&format!("SIZE {path}")).await?;
        match reply.strip_prefix("213 ") {
            Some(size) => Ok(Some(size.parse().unwrap())),
            None => {
                text_of(550, path, &reply);
                Ok(None)
            }
        }
    }

    /// Waits until so many bytes of the transfer under way have come, as STAT tells.
    pub(crate) async fn came(&mut self, bytes: usize) -> io::Result<()> {
        within(async {
            loop {
                let told = self.expect(211, "STAT").await?;
                let moved = told.split(": ").find_map(|part| part.split_once(" bytes in"));
                if moved.is_some_and(|(moved, _)| moved.parse().is_ok_and(|n: usize| n >= bytes)) {
                    return Ok(());
                }
            }
        })
        .await
    }

    /// Ends the control connection in the middle of things, and waits until the server has ended it as well.
    pub(crate) async fn hang_up(mut self) {
        let _ = self.control.get_mut().shutdown().await;
        let mut rest = Vec::new();
        // Cleanly or not.
        let _ = within(self.control.read_to_end(&mut rest)).await;
    }

    pub(crate) async fn quit(mut self) -> io::Result<()> {
        self.expect(221, "QUIT").await.map(drop)
    }
}

fn text_of(code: u16, line: &str, reply: &str) -> String {
    let text = reply.strip_prefix(&code.to_string());
    text.unwrap_or_else(|| panic!("{line}: {reply}")).to_owned()
}

fn connect(port: u16) -> impl Future<Output = io::Result<TcpStream>> {
    within(TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))))
}

/// Bytes that follow from a stamp.
pub(crate) fn content(stamp: u64, length: usize) -> Vec<u8> {
    let mut content = Vec::with_capacity(length + 8);
    let mut state = Random::new(stamp);
    while content.len() < length {
        content.extend_from_slice(&state.next().to_le_bytes());
    }
    content.truncate(length);
    content
}

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 16) % bound
    }
}
