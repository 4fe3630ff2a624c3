//! What makes running other people's commands bearable: who may connect, what is no command,
//! and an end to everything that a command starts.

use std::{
    ffi::OsString,
    io,
    os::unix::ffi::OsStringExt,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use sockeye::{Addr, Conn};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt},
    process::{Child, Command},
    time::timeout,
};

/// The largest output, in bytes; a command that writes more is stopped there.
pub(crate) const MOST_OUTPUT: usize = 4 * 1024 * 1024;

/// The same address, so that only this user can connect to it.
pub(crate) fn keep_private(addr: &Addr) -> Result<Addr, String> {
    let mut private = addr.clone();
    let is_file = addr.endpoint.unix_name().is_some_and(|name| name.as_path().is_some());
    let mode = *private.options.mode.get_or_insert(0o600);
    if is_file && mode & 0o077 == 0 {
        return Ok(private);
    }
    Err(format!(
        "{addr}: others could connect, and run commands as you; take a Unix socket of mode 0600 \
         (unix://PATH), or say --i-know"
    ))
}

/// Whether this begins as a request of HTTP does, rather than as a command.
pub(crate) fn looks_like_http(command: &[u8]) -> bool {
    let line = command.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut words = line.trim_ascii().split(|&byte| byte == b' ');
    let is_method = words.next().is_some_and(|word| {
        word.len() >= 3 && word.iter().all(|&byte| byte.is_ascii_uppercase() || byte == b'-')
    });
    is_method && words.any(|word| word.starts_with(b"/") || word.starts_with(b"HTTP/"))
}

/// Returns once the peer has closed. What it sends meanwhile stays unread.
pub(crate) async fn closed(conn: &mut Conn) -> io::Result<()> {
    if conn.fill_buf().await?.is_empty() { Ok(()) } else { std::future::pending().await }
}

/// Runs a command by the shell and gives what it wrote to standard output.
///
/// It and all that it started are killed at the end of its output, when its time is over, when
/// it writes too much, and when the future is dropped.
pub(crate) async fn run(command: Vec<u8>, time: Duration) -> io::Result<Vec<u8>> {
    let mut group = Group::start(command)?;
    let mut output = Vec::new();
    let stdout = group.shell.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut stdout = stdout.take(MOST_OUTPUT as u64);
    let note = match timeout(time, stdout.read_to_end(&mut output)).await {
        Err(_elapsed) => format!("\n[stopped: it ran for {} s]\n", time.as_secs()),
        Ok(Ok(MOST_OUTPUT)) => format!("\n[stopped: it wrote {MOST_OUTPUT} bytes]\n"),
        Ok(read) => read.map(|_| String::new())?,
    };
    output.extend_from_slice(note.as_bytes());
    group.end().await?;
    Ok(output)
}

/// A shell and all that it started.
struct Group {
    shell: Child,
}

impl Group {
    fn start(command: Vec<u8>) -> io::Result<Self> {
        let shell = Command::new("sh")
            .arg("-c")
            .arg(OsString::from_vec(command))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        Ok(Self { shell })
    }

    fn kill(&self) {
        // No number if the shell was waited for: then it may be another's by now.
        let pid = self.shell.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        if let Some(pid) = pid {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }

    async fn end(mut self) -> io::Result<ExitStatus> {
        self.kill();
        self.shell.wait().await
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
