//! A scripted client: sends lines, reads replies, opens data connections. Every wait is bounded.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Shutdown, TcpStream},
    time::Duration,
};

use sockeye::Limits;
use sockeye_ftp::{Config, Ftp};
use sockeye_testkit::{
    client::Client,
    node::{TempNode, password},
    running::Running,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A node that is served over FTP.
pub(crate) struct Served {
    pub(crate) node: TempNode,
    pub(crate) server: Running,
}

impl Served {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(set: impl FnOnce(&mut Config)) -> Self {
        let node = TempNode::new();
        let server = serve(&node, set);
        Self { node, server }
    }

    /// A client that has heard the greeting.
    #[track_caller]
    pub(crate) fn client(&self) -> FtpClient {
        FtpClient::connect(self.server.port())
    }

    /// A client that is logged in.
    #[track_caller]
    pub(crate) fn logged_in(&self, name: &str) -> FtpClient {
        let mut client = self.client();
        client.log_in(name);
        client
    }
}

pub(crate) fn serve(node: &TempNode, set: impl FnOnce(&mut Config)) -> Running {
    serve_at(node, "tcp://127.0.0.1:0", Limits::default(), set)
}

pub(crate) fn serve_at(
    node: &TempNode,
    address: &str,
    limits: Limits,
    set: impl FnOnce(&mut Config),
) -> Running {
    let mut config = Config::default();
    set(&mut config);
    node.serve_at(address, limits, Ftp::new(node.gate(), config))
}

/// A client.
pub(crate) struct FtpClient {
    pub(crate) inner: Client,
}

impl FtpClient {
    #[track_caller]
    pub(crate) fn connect(port: u16) -> Self {
        Self::greeted(Client::connect(port))
    }

    /// One that waits for the greeting.
    #[track_caller]
    pub(crate) fn greeted(inner: Client) -> Self {
        let mut client = Self { inner };
        assert_eq!(client.code(), 220);
        client
    }

    #[track_caller]
    pub(crate) fn log_in(&mut self, name: &str) {
        self.expect(331, &format!("USER {name}"));
        self.expect(230, &format!("PASS {}", password(name)));
    }

    #[track_caller]
    pub(crate) fn send(&mut self, line: &str) {
        self.inner.send_bytes(format!("{line}\r\n").as_bytes());
    }

    /// The lines of the next reply; none at the end of the connection.
    #[track_caller]
    pub(crate) fn try_reply(&mut self) -> Option<Vec<String>> {
        let first = self.inner.line()?;
        let mut lines = vec![first.clone()];
        if first.as_bytes().get(3) == Some(&b'-') {
            let end = format!("{} ", &first[..3]);
            while !lines.last().is_some_and(|line| line.starts_with(&end)) {
                lines.push(self.inner.line().expect("a whole reply"));
            }
        }
        Some(lines)
    }

    #[track_caller]
    pub(crate) fn reply(&mut self) -> Vec<String> {
        self.try_reply().expect("a reply")
    }

    #[track_caller]
    pub(crate) fn code(&mut self) -> u16 {
        let reply = self.reply();
        reply[0][..3].parse().unwrap_or_else(|_| panic!("no code: {reply:?}"))
    }

    /// The code of the next reply, of one line, that need not be text.
    #[track_caller]
    pub(crate) fn code_of_bytes(&mut self) -> u16 {
        let mut line = self.inner.bytes(3);
        let code = String::from_utf8_lossy(&line).parse().expect("a code");
        while line.last() != Some(&b'\n') {
            line.extend(self.inner.bytes(1));
        }
        code
    }

    #[track_caller]
    pub(crate) fn ask(&mut self, line: &str) -> Vec<String> {
        self.send(line);
        self.reply()
    }

    /// Asks, and wants a reply of this code; gives its text.
    #[track_caller]
    pub(crate) fn expect(&mut self, code: u16, line: &str) -> String {
        self.send(line);
        self.expect_code(code, line)
    }

    #[track_caller]
    pub(crate) fn expect_code(&mut self, code: u16, after: &str) -> String {
        let reply = self.reply();
        assert!(reply[0].starts_with(&code.to_string()), "{after}: {reply:?}");
        reply.join("\n")
    }

    /// Opens a data connection by EPSV.
    #[track_caller]
    pub(crate) fn passive(&mut self) -> TcpStream {
        let port = self.epsv();
        data_to(Ipv4Addr::LOCALHOST, port)
    }

    /// The port that EPSV tells.
    #[track_caller]
    pub(crate) fn epsv(&mut self) -> u16 {
        let reply = self.expect(229, "EPSV");
        let port = reply.split('|').nth(3).and_then(|port| port.parse().ok());
        port.unwrap_or_else(|| panic!("no port: {reply}"))
    }

    /// What a command sends over a passive data connection.
    #[track_caller]
    pub(crate) fn fetch(&mut self, line: &str) -> Vec<u8> {
        let mut data = self.passive();
        self.expect(150, line);
        let content = read(&mut data);
        self.expect_code(226, line);
        content
    }

    #[track_caller]
    pub(crate) fn fetch_text(&mut self, line: &str) -> String {
        String::from_utf8(self.fetch(line)).expect("text")
    }

    /// Sends this over a passive data connection; the code that ends it.
    #[track_caller]
    pub(crate) fn store(&mut self, line: &str, content: &[u8]) -> u16 {
        let mut data = self.passive();
        self.expect(150, line);
        data.write_all(content).expect("a server that reads");
        drop(data);
        self.code()
    }

    #[track_caller]
    pub(crate) fn binary(&mut self) {
        self.expect(200, "TYPE I");
    }
}

#[track_caller]
pub(crate) fn data_to(address: impl Into<IpAddr>, port: u16) -> TcpStream {
    let data = TcpStream::connect((address.into(), port)).expect("a data connection");
    data.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    data.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    data
}

/// Reads to the end.
#[track_caller]
pub(crate) fn read(data: &mut TcpStream) -> Vec<u8> {
    let mut content = Vec::new();
    data.read_to_end(&mut content).expect("data to its end");
    content
}

/// Whether the other side has closed it, cleanly or not.
#[track_caller]
pub(crate) fn is_closed(data: &mut TcpStream) -> bool {
    data.shutdown(Shutdown::Write).ok();
    match data.read(&mut [0]) {
        Ok(n) => n == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// Bytes of which none is like those beside it.
pub(crate) fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 31 + at / 251) % 256).expect("a byte")).collect()
}
