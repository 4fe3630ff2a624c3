//! Telling the service manager how the service is.

use std::{
    ffi::OsStr,
    fmt::Write as _,
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    process,
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

use super::{text_variable, variable};

/// How long a notification may wait for a manager that does not read: servers send them from the
/// thread that they accept on.
pub const NOTIFY_TIMEOUT: Duration = Duration::from_millis(50);

/// The most bytes of a status text that are sent; the rest is cut off. systemd drops messages
/// above 4096 bytes.
pub const MAX_STATUS: usize = 1024;

/// Why the service manager cannot be told.
///
/// `Debug` prints what `Display` does.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum NotifyError {
    /// `NOTIFY_SOCKET` is not the name of a socket that can be reached.
    #[error("NOTIFY_SOCKET is {value:?}: an absolute path or an abstract name (@…) was expected")]
    BadSocket {
        /// Its value.
        value: String,
    },
    /// A variable of the watchdog is no number.
    #[error("{variable} is {value:?}: a whole number above 0 was expected")]
    BadNumber {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The message could not be sent.
    #[error("the service manager at NOTIFY_SOCKET={socket:?} was not reached: {source}")]
    Send {
        /// The socket's name.
        socket: String,
        /// What the system said.
        source: io::Error,
    },
}

/// What a service tells its manager (`sd_notify(3)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State<'a> {
    /// `READY=1`: started, or reloaded.
    Ready,
    /// `RELOADING=1` with `MONOTONIC_USEC`: the configuration is being read again, since this
    /// time on the monotonic clock; see [`reloading`](Self::reloading). End it with `Ready`.
    Reloading {
        /// Since when, on `CLOCK_MONOTONIC`.
        since: Duration,
    },
    /// `STOPPING=1`: the service is shutting down.
    Stopping,
    /// `STATUS=`: one line for people. Control characters become spaces, so that no text can
    /// add a message of its own, and what is above [`MAX_STATUS`] is cut off.
    Status(&'a str),
    /// `WATCHDOG=1`: alive; due within every [`watchdog_interval`].
    Watchdog,
    /// `MAINPID=`: the process that the manager shall watch.
    MainPid(u32),
    /// `ERRNO=`: the system's error number of a failure.
    Errno(i32),
    /// `EXTEND_TIMEOUT_USEC=`: starting or stopping needs this long from now.
    ExtendTimeout(Duration),
}

impl State<'_> {
    /// A reload that begins now.
    #[must_use]
    pub fn reloading() -> Self {
        let now = clock_gettime(ClockId::Monotonic);
        Self::Reloading { since: now.try_into().unwrap_or_default() }
    }

    fn write(self, out: &mut String) {
        let written = match self {
            Self::Ready => write!(out, "READY=1"),
            Self::Reloading { since } => {
                write!(out, "RELOADING=1\nMONOTONIC_USEC={}", since.as_micros())
            }
            Self::Stopping => write!(out, "STOPPING=1"),
            Self::Status(text) => {
                let fits = |(at, char): &(usize, char)| at + char.len_utf8() <= MAX_STATUS;
                let text = text.char_indices().take_while(fits);
                let plain = text.map(|(_, char)| if char.is_control() { ' ' } else { char });
                write!(out, "STATUS={}", plain.collect::<String>())
            }
            Self::Watchdog => write!(out, "WATCHDOG=1"),
            Self::MainPid(pid) => write!(out, "MAINPID={pid}"),
            Self::Errno(errno) => write!(out, "ERRNO={errno}"),
            Self::ExtendTimeout(more) => {
                write!(out, "EXTEND_TIMEOUT_USEC={}", more.as_micros())
            }
        };
        // Writing into a String does not fail.
        let _ = written;
        out.push('\n');
    }
}

/// The way to the service manager, or to nobody where there is none.
#[derive(Debug, Default)]
pub struct Notifier {
    target: Option<Target>,
}

#[derive(Debug)]
struct Target {
    socket: UnixDatagram,
    address: SocketAddr,
    name: String,
}

impl Notifier {
    /// Tells nobody.
    #[must_use]
    pub const fn silent() -> Self {
        Self { target: None }
    }

    /// Tells the manager that `NOTIFY_SOCKET` in the environment names; nobody if it is not set,
    /// as when the program was started by hand.
    ///
    /// # Errors
    /// As [`to`](Self::to).
    pub fn from_env() -> Result<Self, NotifyError> {
        variable("NOTIFY_SOCKET").map_or(Ok(Self::silent()), |name| Self::to(&name))
    }

    /// Tells the manager at the Unix datagram socket `name`: an absolute path, or `@` and an
    /// abstract name.
    ///
    /// # Errors
    /// [`NotifyError::BadSocket`]; [`NotifyError::Send`] if no socket can be opened.
    pub fn to(name: &OsStr) -> Result<Self, NotifyError> {
        let text = name.to_string_lossy().into_owned();
        let address = match name.as_bytes() {
            [b'@', abstract_name @ ..] if !abstract_name.is_empty() => {
                SocketAddr::from_abstract_name(abstract_name)
            }
            [b'/', ..] => SocketAddr::from_pathname(name),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        };
        let Ok(address) = address else { return Err(NotifyError::BadSocket { value: text }) };
        let open = || {
            let socket = UnixDatagram::unbound()?;
            socket.set_write_timeout(Some(NOTIFY_TIMEOUT))?;
            Ok(socket)
        };
        let socket = open().map_err(|source| NotifyError::Send { socket: text.clone(), source })?;
        Ok(Self { target: Some(Target { socket, address, name: text }) })
    }

    /// Whether somebody is told.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        self.target.is_some()
    }

    /// Tells the manager all of `states` in one message.
    ///
    /// A datagram: no runtime is needed, and it waits only for a manager whose queue is full,
    /// for at most [`NOTIFY_TIMEOUT`].
    ///
    /// # Errors
    /// [`NotifyError::Send`]. A service had better log that and go on.
    pub fn notify(&self, states: &[State<'_>]) -> Result<(), NotifyError> {
        let Some(target) = &self.target else { return Ok(()) };
        let mut message = String::new();
        for state in states {
            state.write(&mut message);
        }
        let sent = target.socket.send_to_addr(message.as_bytes(), &target.address);
        sent.map(drop).map_err(|source| NotifyError::Send { socket: target.name.clone(), source })
    }
}

/// How often the manager wants [`State::Watchdog`], from `WATCHDOG_USEC` and `WATCHDOG_PID` in
/// the environment; `None` if it does not watch this process.
///
/// # Errors
/// [`NotifyError::BadNumber`].
pub fn watchdog_from_env() -> Result<Option<Duration>, NotifyError> {
    let (interval, pid) = (text_variable("WATCHDOG_USEC"), text_variable("WATCHDOG_PID"));
    watchdog_interval(interval.as_deref(), pid.as_deref(), process::id())
}

/// How often the manager wants [`State::Watchdog`], from the values of `WATCHDOG_USEC` and
/// `WATCHDOG_PID` (`sd_watchdog_enabled(3)`); send it twice as often.
///
/// # Errors
/// [`NotifyError::BadNumber`].
pub fn watchdog_interval(
    watchdog_usec: Option<&str>,
    watchdog_pid: Option<&str>,
    own_pid: u32,
) -> Result<Option<Duration>, NotifyError> {
    let number = |variable, value: &str| {
        let number = value.parse::<u64>().ok().filter(|number| *number > 0);
        number.ok_or_else(|| NotifyError::BadNumber { variable, value: value.to_owned() })
    };
    let Some(usec) = watchdog_usec else { return Ok(None) };
    let interval = Duration::from_micros(number("WATCHDOG_USEC", usec)?);
    let watched = match watchdog_pid {
        Some(pid) => number("WATCHDOG_PID", pid)? == u64::from(own_pid),
        None => true,
    };
    Ok(watched.then_some(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(state: State<'_>) -> String {
        let mut out = String::new();
        state.write(&mut out);
        out
    }

    #[test]
    fn states_are_spelt_as_the_manager_expects() {
        let minute = Duration::from_secs(60);
        assert_eq!(message(State::Ready), "READY=1\n");
        assert_eq!(
            message(State::Reloading { since: minute }),
            "RELOADING=1\nMONOTONIC_USEC=60000000\n"
        );
        assert_eq!(message(State::Stopping), "STOPPING=1\n");
        assert_eq!(message(State::Watchdog), "WATCHDOG=1\n");
        assert_eq!(message(State::MainPid(42)), "MAINPID=42\n");
        assert_eq!(message(State::Errno(13)), "ERRNO=13\n");
        assert_eq!(message(State::ExtendTimeout(minute)), "EXTEND_TIMEOUT_USEC=60000000\n");
    }

    #[test]
    fn a_status_stays_one_short_line() {
        assert_eq!(message(State::Status("a\nREADY=1\r\0b")), "STATUS=a READY=1  b\n");
        let long = "é".repeat(MAX_STATUS);
        assert_eq!(message(State::Status(&long)).len(), "STATUS=\n".len() + MAX_STATUS);
    }

    #[test]
    fn a_reload_begins_at_the_monotonic_time() {
        let State::Reloading { since: first } = State::reloading() else { panic!("not reloading") };
        let State::Reloading { since: later } = State::reloading() else { panic!("not reloading") };
        assert!(first > Duration::ZERO && later >= first);
    }

    #[test]
    fn the_watchdog_watches_the_process_it_names() {
        let interval = |usec, pid| watchdog_interval(usec, pid, 7);
        let second = Some(Duration::from_secs(1));
        assert_eq!(interval(None, None).unwrap(), None);
        assert_eq!(interval(Some("1000000"), None).unwrap(), second);
        assert_eq!(interval(Some("1000000"), Some("7")).unwrap(), second);
        assert_eq!(interval(Some("1000000"), Some("8")).unwrap(), None);
        let error = interval(Some("0"), None).unwrap_err().to_string();
        assert!(error.contains("WATCHDOG_USEC is \"0\""), "{error}");
        let error = interval(Some("1"), Some("me")).unwrap_err().to_string();
        assert!(error.contains("WATCHDOG_PID is \"me\""), "{error}");
    }

    #[test]
    fn a_socket_that_is_no_name_is_refused() {
        for name in ["", "@", "relative", "vsock:2:1234"] {
            let error = Notifier::to(OsStr::new(name)).unwrap_err().to_string();
            assert!(error.contains("NOTIFY_SOCKET"), "{name}: {error}");
        }
    }
}
