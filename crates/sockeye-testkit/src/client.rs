//! A blocking client that speaks lines, as the test server's scripts do.
//!
//! Every read and write is bounded.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream},
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use crate::program::PATIENCE;

/// How long a connection attempt waits that may be turned away without an answer.
const KNOCK: Duration = Duration::from_secs(1);

/// A client over TCP.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects to a port of 127.0.0.1.
    ///
    /// # Panics
    /// If nobody listens.
    #[track_caller]
    #[must_use]
    pub fn connect(port: u16) -> Self {
        Self::connect_within(port, PATIENCE).expect("a connection")
    }

    /// Connects to a port of 127.0.0.1.
    ///
    /// # Errors
    /// If nobody listens.
    pub fn try_connect(port: u16) -> io::Result<Self> {
        Self::connect_within(port, KNOCK)
    }

    /// Connects to an address, which may be of IPv6.
    ///
    /// # Panics
    /// If nobody listens.
    #[track_caller]
    #[must_use]
    pub fn connect_to(peer: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&peer, PATIENCE);
        stream.and_then(Self::new).expect("a connection")
    }

    fn connect_within(port: u16, time: Duration) -> io::Result<Self> {
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self::new(TcpStream::connect_timeout(&peer, time)?)
    }

    /// Connects to a port of 127.0.0.1 from another loopback address.
    ///
    /// # Panics
    /// If nobody listens.
    #[track_caller]
    #[must_use]
    pub fn connect_from(source: Ipv4Addr, port: u16) -> Self {
        let connect = async {
            let socket = tokio::net::TcpSocket::new_v4()?;
            socket.bind((source, 0).into())?;
            socket.connect((Ipv4Addr::LOCALHOST, port).into()).await?.into_std()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let stream = runtime.expect("a runtime").block_on(connect).expect("a connection");
        stream.set_nonblocking(false).expect("a blocking socket");
        Self::new(stream).expect("a connection")
    }

    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// The address of this end.
    ///
    /// # Panics
    /// If the socket has none.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.stream.get_ref().local_addr().expect("an address")
    }

    /// Sends a line.
    ///
    /// # Panics
    /// If the server has gone.
    #[track_caller]
    pub fn send(&mut self, line: &str) {
        self.try_send(line).expect("a server that reads");
    }

    /// Sends a line.
    ///
    /// # Errors
    /// If the server has gone.
    pub fn try_send(&mut self, line: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(format!("{line}\n").as_bytes())
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// If the server has gone.
    #[track_caller]
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.try_send_bytes(bytes).expect("a server that reads");
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// If the server has gone.
    pub fn try_send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Receives a line; `None` if the server has ended the connection, cleanly or not.
    ///
    /// # Panics
    /// If nothing comes in time.
    #[track_caller]
    pub fn line(&mut self) -> Option<String> {
        self.try_line().ok()
    }

    fn try_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(_) if line.ends_with('\n') => Ok(line.trim_end().to_owned()),
            Ok(_) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, line)),
            Err(error) if is_timeout(&error) => panic!("no line in time"),
            Err(error) => Err(error),
        }
    }

    /// Sends a line and receives one.
    ///
    /// # Panics
    /// If no answer comes.
    #[track_caller]
    pub fn ask(&mut self, line: &str) -> String {
        self.send(line);
        self.try_line().expect("an answer")
    }

    /// The server's counter of this name, asked of the server itself.
    ///
    /// # Panics
    /// If there is no such counter.
    #[track_caller]
    pub fn counter(&mut self, name: &str) -> u64 {
        let stats: serde_json::Value =
            serde_json::from_str(&self.ask("stats")).expect("the counters");
        stats[name].as_u64().expect("a counter")
    }

    /// Receives so many bytes.
    ///
    /// # Panics
    /// If the server ends the connection before.
    #[track_caller]
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).expect("so many bytes");
        bytes
    }

    /// Reads up to the end: whether the server ended the connection cleanly.
    ///
    /// # Panics
    /// If it does not end in time.
    #[track_caller]
    pub fn ends_cleanly(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) if is_timeout(&error) => panic!("the connection does not end"),
            Err(_) => false,
        }
    }

    /// Half-closes: the server reads the end of the stream, its answers still arrive.
    ///
    /// # Panics
    /// If the connection is gone.
    #[track_caller]
    pub fn half_close(&mut self) {
        self.stream.get_ref().shutdown(Shutdown::Write).expect("a connection");
    }

    /// Closes with a reset instead of an end.
    ///
    /// # Panics
    /// If the system refuses.
    pub fn reset(self) {
        let stream = self.stream.into_inner();
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).expect("linger");
    }

    /// Sends `bye` and waits for the end of the connection.
    ///
    /// # Panics
    /// If it does not end.
    #[track_caller]
    pub fn bye(mut self) {
        self.send("bye");
        assert!(self.ends_cleanly(), "the connection was reset");
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.get_ref().as_fd()
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
