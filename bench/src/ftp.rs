//! The `ftp` loads: files got and put, logins, listings, and sessions that do nothing, over plain FTP.
//!
//! A thread and a control connection each, blocking. What is over TLS is left to clients that exist: curl, lftp.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use crate::{
    report::{Report, precise},
    resident::resident_kib,
    web::{PIECE, in_parallel},
};

/// How long a server may be silent.
const STALL: Duration = Duration::from_secs(60);

/// Longest line of a reply.
const LINE: u64 = 16 * 1024;

/// Something done over FTP.
#[derive(Debug, clap::Args)]
pub(crate) struct Ftp {
    #[command(subcommand)]
    what: What,
}

/// The server, and who asks.
#[derive(Debug, clap::Args)]
struct Who {
    /// The server, as IP:PORT.
    #[arg(long)]
    addr: SocketAddr,
    /// The account.
    #[arg(long, default_value = "bench")]
    user: String,
    /// Its password.
    #[arg(long)]
    password: String,
    /// Not used: the number of things done says how long it takes.
    #[arg(long, hide = true, default_value_t = 0.0)]
    seconds: f64,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// One file fetched again and again (RETR).
    Get {
        #[command(flatten)]
        who: Who,
        /// The file.
        #[arg(long)]
        path: String,
        /// How often.
        #[arg(long, default_value_t = 3)]
        count: u64,
    },
    /// Files sent, each under a name of its own (STOR).
    Put {
        #[command(flatten)]
        who: Who,
        /// How many.
        #[arg(long, default_value_t = 1)]
        count: u64,
        /// Bytes of each.
        #[arg(long, default_value_t = 1 << 30)]
        size: u64,
        /// Where to; made if it is not there.
        #[arg(long)]
        folder: String,
    },
    /// Whole sessions: a login, a list of names (NLST), the end.
    Login {
        #[command(flatten)]
        who: Who,
        /// How many at a time.
        #[arg(long, default_value_t = 8)]
        connections: u64,
        /// How many.
        #[arg(long, default_value_t = 1000)]
        count: u64,
    },
    /// A folder's listing.
    List {
        #[command(flatten)]
        who: Who,
        /// By which command.
        #[arg(long, default_value = "MLSD")]
        verb: String,
        /// The folder.
        #[arg(long)]
        path: String,
        /// Entries that it has: so many lines the listing must have at least.
        #[arg(long)]
        entries: u64,
        /// How often.
        #[arg(long, default_value_t = 3)]
        count: u64,
    },
    /// Sessions that have logged in and do nothing: what each costs the server in resident memory.
    Idle {
        #[command(flatten)]
        who: Who,
        /// The server's process.
        #[arg(long)]
        pid: u32,
        /// How many.
        #[arg(long, default_value_t = 2000)]
        connections: u32,
    },
}

impl Ftp {
    /// Runs the load.
    ///
    /// # Errors
    /// If the server cannot be reached, stalls, or answers anything but what the protocol has for success.
    pub(crate) fn run(&self) -> io::Result<Report> {
        match &self.what {
            What::Get { who, path, count } => {
                in_parallel(1, *count, || Session::login(who), |session, _| session.get(path))
            }
            What::Put { who, count, size, folder } => {
                let content = vec![b'x'; PIECE];
                in_parallel(
                    1,
                    *count,
                    || Session::into(who, folder),
                    |session, index| session.put(&format!("put-{index}"), *size, &content),
                )
            }
            What::Login { who, connections, count } => in_parallel(
                *connections,
                *count,
                || Ok(()),
                |(), _| {
                    let mut session = Session::login(who)?;
                    let (_, bytes) = session.list("NLST")?;
                    session.ask("QUIT", &[221])?;
                    Ok(bytes)
                },
            ),
            What::List { who, verb, path, entries, count } => in_parallel(
                1,
                *count,
                || Session::login(who),
                |session, _| {
                    let (lines, bytes) = session.list(&format!("{verb} {path}"))?;
                    match lines < *entries {
                        true => {
                            Err(io::Error::other(format!("{lines} lines for {entries} entries")))
                        }
                        false => Ok(bytes),
                    }
                },
            ),
            What::Idle { who, pid, connections } => idle(who, *pid, *connections),
        }
    }
}

/// A control connection that is logged in.
struct Session {
    line: BufReader<TcpStream>,
    addr: SocketAddr,
}

impl Session {
    fn login(who: &Who) -> io::Result<Self> {
        let mut session = Self { line: BufReader::new(connect(who.addr)?), addr: who.addr };
        session.reply(&[220])?;
        // Some let anybody in without a password.
        if session.ask(&format!("USER {}", who.user), &[230, 331])?.starts_with("331") {
            session.ask(&format!("PASS {}", who.password), &[230])?;
        }
        session.ask("TYPE I", &[200])?;
        Ok(session)
    }

    /// Logs in and goes to a folder, which is made if it is not there.
    fn into(who: &Who, folder: &str) -> io::Result<Self> {
        let mut session = Self::login(who)?;
        if session.ask(&format!("CWD {folder}"), &[250]).is_err() {
            session.ask(&format!("MKD {folder}"), &[257])?;
            session.ask(&format!("CWD {folder}"), &[250])?;
        }
        Ok(session)
    }

    /// Sends a command, of which the reply is one of these.
    fn ask(&mut self, command: &str, codes: &[u16]) -> io::Result<String> {
        self.line.get_mut().write_all(format!("{command}\r\n").as_bytes())?;
        self.reply(codes)
    }

    /// Reads a reply to its end, and gives its last line (RFC 959 §4.2).
    fn reply(&mut self, codes: &[u16]) -> io::Result<String> {
        loop {
            let mut line = String::new();
            self.line.by_ref().take(LINE).read_line(&mut line)?;
            if line.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let is_last =
                line.as_bytes().get(3) == Some(&b' ') && line.as_bytes()[0].is_ascii_digit();
            if is_last {
                return match codes.iter().any(|code| line.starts_with(&code.to_string())) {
                    true => Ok(line),
                    false => Err(io::Error::other(format!(
                        "{} in place of one of {codes:?}",
                        line.trim_end()
                    ))),
                };
            }
        }
    }

    /// Opens a data connection (RFC 2428 §3) and begins what goes over it.
    fn begin(&mut self, command: &str) -> io::Result<TcpStream> {
        let reply = self.ask("EPSV", &[229])?;
        let port = reply.rsplit('|').nth(1).and_then(|port| port.parse().ok());
        let port = port.ok_or_else(|| io::Error::other(format!("no port in {reply}")))?;
        let data = connect(SocketAddr::new(self.addr.ip(), port))?;
        self.ask(command, &[125, 150])?;
        Ok(data)
    }

    fn get(&mut self, path: &str) -> io::Result<u64> {
        let mut data = self.begin(&format!("RETR {path}"))?;
        let (mut buffer, mut bytes) = (vec![0; PIECE], 0);
        loop {
            match data.read(&mut buffer)? {
                0 => break,
                n => bytes += n as u64,
            }
        }
        self.reply(&[226])?;
        Ok(bytes)
    }

    fn put(&mut self, name: &str, size: u64, content: &[u8]) -> io::Result<u64> {
        let mut data = self.begin(&format!("STOR {name}"))?;
        let mut left = size;
        while left > 0 {
            let some = usize::try_from(left).unwrap_or(content.len()).min(content.len());
            data.write_all(&content[..some])?;
            left -= some as u64;
        }
        data.shutdown(Shutdown::Write)?;
        self.reply(&[226])?;
        Ok(size)
    }

    /// The lines and the bytes of a listing.
    fn list(&mut self, command: &str) -> io::Result<(u64, u64)> {
        let mut data = self.begin(command)?;
        let (mut buffer, mut lines, mut bytes) = (vec![0; PIECE], 0, 0);
        loop {
            match data.read(&mut buffer)? {
                0 => break,
                n => {
                    lines += buffer[..n].iter().filter(|&&byte| byte == b'\n').count() as u64;
                    bytes += n as u64;
                }
            }
        }
        self.reply(&[226])?;
        Ok((lines, bytes))
    }
}

fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(addr)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(STALL))?;
    stream.set_write_timeout(Some(STALL))?;
    Ok(stream)
}

fn idle(who: &Who, pid: u32, connections: u32) -> io::Result<Report> {
    // What the server makes once, for its first sessions, is not theirs.
    let mut sessions = Vec::with_capacity(connections as usize + 64);
    for _ in 0..64 {
        sessions.push(Session::login(who)?);
    }
    let before = resident_kib(pid)?;
    for _ in 0..connections {
        sessions.push(Session::login(who)?);
    }
    let after = resident_kib(pid)?;
    // The last one must still be served.
    sessions.last_mut().map_or(Ok(String::new()), |session| session.ask("NOOP", &[200]))?;
    let each = (precise(after) - precise(before)) / f64::from(connections);
    Ok(Report::default().with("kib_each", each).with("connections", f64::from(connections)))
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    #[test]
    fn a_reply_of_several_lines_is_read_to_its_last() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        thread::scope(|scope| {
            scope.spawn(move || {
                let (mut socket, _) = listener.accept().unwrap();
                socket.write_all(b"220-Welcome\r\n here\r\n220 Ready\r\n550 no\r\n").unwrap();
            });
            let mut session = Session { line: BufReader::new(connect(addr).unwrap()), addr };
            assert_eq!(session.reply(&[220]).unwrap(), "220 Ready\r\n");
            assert_eq!(
                session.reply(&[226]).unwrap_err().to_string(),
                "550 no in place of one of [226]"
            );
        });
    }
}
