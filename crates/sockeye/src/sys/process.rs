//! Processes: forking, their signals, their end.

#![expect(unsafe_code, reason = "fork, signal dispositions and _exit have no safe form")]

use std::{
    fs, io,
    os::fd::{BorrowedFd, OwnedFd},
};

use rustix::{
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
    time::{ClockId, clock_gettime},
};

/// How many threads this process has now.
pub(crate) fn thread_count() -> io::Result<usize> {
    Ok(fs::read_dir("/proc/self/task")?.count())
}

/// Which side of a fork the caller is on.
#[derive(Debug)]
pub(crate) enum Forked {
    /// The new process.
    Child,
    /// The old process.
    Parent {
        /// The new process.
        pid: i32,
        /// A descriptor for it; none if it has ended and was buried already, or descriptors have
        /// run out.
        process: Option<OwnedFd>,
    },
}

/// Forks this process, which must have one thread.
///
/// # Errors
/// `InvalidInput` if there is more than one thread (another thread's locks would stay locked
/// for ever in the child), and whatever fork(2) refuses.
pub(crate) fn fork() -> io::Result<Forked> {
    let threads = thread_count()?;
    if threads != 1 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "cannot fork: this process has {threads} threads, and a fork copies only one of them; \
                 start the server before any other thread or runtime"
            ),
        ));
    }
    fork_single_threaded()
}

/// Forks without counting threads: for the zygote, which never starts one.
pub(crate) fn fork_single_threaded() -> io::Result<Forked> {
    // SAFETY: the process has one thread (checked by `fork`, true of the zygote by construction),
    // so no lock is held by a thread that the child lacks, and the child may run any code.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent { pid, process: open_process(pid).ok().flatten() }),
    }
}

/// A descriptor for a process; `None` if there is no such process any more.
pub(crate) fn open_process(pid: i32) -> io::Result<Option<OwnedFd>> {
    let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(process) => Ok(Some(process)),
        Err(rustix::io::Errno::SRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A moment as the system notes when a process began: in its ticks since boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(u64);

impl Tick {
    /// The tick that it is now.
    pub(crate) fn now() -> Self {
        let now = clock_gettime(ClockId::Boottime);
        let per_second = rustix::param::clock_ticks_per_second();
        let part = now.tv_nsec.unsigned_abs() * per_second / 1_000_000_000;
        Self(now.tv_sec.unsigned_abs() * per_second + part)
    }

    /// When a process began; `None` if there is no such process any more.
    fn of_begin(pid: i32) -> io::Result<Option<Self>> {
        let status = match fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(status) => status,
            // Without /proc nothing is known.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return fs::metadata("/proc/self/stat").map(|_| None);
            }
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return Ok(None),
            Err(error) => return Err(error),
        };
        // The second field, the program's name, may hold anything; this is the 22nd
        // (proc_pid_stat(5)).
        let fields = status.rsplit_once(')').map(|(_, fields)| fields);
        let began = fields.and_then(|fields| fields.split_ascii_whitespace().nth(19)?.parse().ok());
        began.map(|tick| Some(Self(tick))).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

/// Whether the process that has a number now had it at some moment already; `false` too if there is
/// no such process any more.
///
/// # Errors
/// If that cannot be told: there is no descriptor left to look, or no /proc.
pub(crate) fn had_number(pid: i32, moment: Tick) -> io::Result<bool> {
    Ok(Tick::of_begin(pid)?.is_some_and(|began| began <= moment))
}

/// Ends this process at once: no destructor, no buffer, no caller runs again.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: _exit(2) has no precondition and does not return.
    unsafe { libc::_exit(code) }
}

/// Kills the process behind a pid descriptor; one that has ended already is no error.
pub(crate) fn kill(pidfd: BorrowedFd<'_>) {
    match pidfd_send_signal(pidfd, Signal::KILL) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(error) => tracing::warn!(%error, "cannot kill a child"),
    }
}

/// What a process does when a signal arrives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Disposition {
    /// The system's default.
    Default,
    /// Ignored, also by programs it executes.
    Ignore,
    /// Nothing happens, and programs it executes get the default.
    Absorb,
}

extern "C" fn absorb(_signal: libc::c_int) {}

/// Sets what `signal` does; a signal that cannot be set is left alone.
pub(crate) fn set_signal(signal: i32, disposition: Disposition) {
    let handler = match disposition {
        Disposition::Default => libc::SIG_DFL,
        Disposition::Ignore => libc::SIG_IGN,
        Disposition::Absorb => absorb as extern "C" fn(libc::c_int) as usize,
    };
    // `absorb` may run at any time as it does nothing.
    let _ = set_action(signal, handler);
}

/// Has `signal` call `handler`, which may do only what signal-safety(7) lists.
///
/// # Errors
/// If the signal cannot be caught.
pub(super) fn set_handler(signal: i32, handler: extern "C" fn(libc::c_int)) -> io::Result<()> {
    set_action(signal, handler as usize)
}

fn set_action(signal: i32, handler: libc::sighandler_t) -> io::Result<()> {
    // SAFETY: the structure is fully initialised (all-zero is a valid sigaction with an empty
    // mask), and both callers give a disposition or a handler that may run at any time.
    let set = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(signal, &raw const action, std::ptr::null_mut())
    };
    if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Gives every signal its default again; SIGPIPE stays ignored, as Rust programs have it.
pub(crate) fn reset_signals() {
    for signal in 1..32 {
        if ![libc::SIGKILL, libc::SIGSTOP, libc::SIGPIPE].contains(&signal) {
            set_signal(signal, Disposition::Default);
        }
    }
}

/// Signals that are held back from this thread, and from what it forks, until this is dropped; what
/// has come meanwhile comes then.
pub(crate) struct HeldSignals {
    before: libc::sigset_t,
}

impl HeldSignals {
    /// Holds all signals back that can be.
    pub(crate) fn all() -> Self {
        // SAFETY: all-zero is a valid set; both calls only write to the local sets.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
            Self { before }
        }
    }

    /// Holds none back any more, whatever was held back before.
    pub(crate) fn release_all(mut self) {
        // SAFETY: the call only writes to this set.
        unsafe { libc::sigemptyset(&raw mut self.before) };
    }
}

impl Drop for HeldSignals {
    fn drop(&mut self) {
        // SAFETY: the set was filled in by the system, or emptied; no old one is asked for.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, std::ptr::null_mut());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, id};

    use super::*;

    fn own() -> i32 {
        i32::try_from(id()).unwrap()
    }

    #[test]
    fn a_process_is_known_by_its_number_as_of_any_moment_of_its_life() {
        let began = Tick::of_begin(own()).unwrap().unwrap();
        assert!(began <= Tick::now());
        for moment in [began, Tick::now()] {
            assert!(had_number(own(), moment).unwrap(), "{moment:?}");
        }
    }

    #[test]
    fn who_bears_a_number_later_is_not_taken_for_who_bore_it_before() {
        let Tick(began) = Tick::of_begin(own()).unwrap().unwrap();
        assert!(!had_number(own(), Tick(began - 1)).unwrap());
    }

    #[test]
    fn a_number_that_nobody_bears_is_of_a_process_that_has_ended() {
        let mut child = Command::new("true").spawn().unwrap();
        let (pid, moment) = (i32::try_from(child.id()).unwrap(), Tick::now());
        child.wait().unwrap();
        assert!(!had_number(pid, moment).unwrap());
    }
}
