//! A process that ends soon after the server it was forked for has died, whatever it is doing.
//!
//! Every child watches the server's life line, a pipe that the server alone can write to, but one
//! in blocking code looks at nothing. So the system signals it when its parent dies, which is the
//! zygote (PR_SET_PDEATHSIG(2const)); the handler asks the life line whether the server is dead,
//! too. If it is not, as children outlive their zygote, the line itself is to signal from then on.

#![expect(unsafe_code, reason = "prctl, fcntl and what a signal handler may do have no safe form")]

use std::{
    ffi::{CString, c_char, c_int},
    io, mem,
    os::fd::{AsRawFd, BorrowedFd, RawFd},
    ptr,
    sync::atomic::{
        AtomicI32, AtomicPtr,
        Ordering::{AcqRel, Acquire, Release},
    },
};

use super::process::{exit_now, set_handler};

/// The signal: by default it is ignored, so that programs which take a child's place are safe.
const SIGNAL: c_int = libc::SIGURG;

/// How long a child has to end by itself.
const GRACE: libc::timespec = libc::timespec { tv_sec: 1, tv_nsec: 0 };

/// The life line of this process, and its name in /proc, for the handler.
static LINE: AtomicI32 = AtomicI32::new(-1);
static NAME: AtomicPtr<c_char> = AtomicPtr::new(ptr::null_mut());

/// The process that the line itself signals; a fork inherits the number and is another.
static SIGNALLED: AtomicI32 = AtomicI32::new(0);

/// Sets up what this process and those forked from it do when their parent dies.
///
/// `line` must stay open in all of them.
///
/// # Errors
/// If the signal cannot be caught.
pub(crate) fn set_life_line(line: BorrowedFd<'_>) -> io::Result<()> {
    let number = line.as_raw_fd();
    let name = CString::new(format!("/proc/self/fd/{number}"))?;
    // Never freed: the handler may run at any time. A process has one line in its life.
    NAME.store(name.into_raw(), Release);
    LINE.store(number, Release);
    set_handler(SIGNAL, on_signal)
}

/// Ends this process soon after the server has died, now or later; `parent` is who forked it.
pub(crate) fn end_with_server(parent: u32) {
    // SAFETY: PR_SET_PDEATHSIG takes a signal number and touches no memory.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, SIGNAL) };
    // It may have died before the call.
    // SAFETY: getppid(2) has no precondition.
    if u32::try_from(unsafe { libc::getppid() }) != Ok(parent) {
        look();
    }
}

extern "C" fn on_signal(_signal: c_int) {
    // SAFETY: errno is this thread's; whoever was interrupted may be about to read it.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let before = unsafe { *errno };
    look();
    // SAFETY: as above.
    unsafe { *errno = before };
}

/// Ends the process soon if the server is dead; has the line signal it otherwise. Only system
/// calls that a signal handler may make.
fn look() {
    let line = LINE.load(Acquire);
    if has_ended(line) {
        return end_soon();
    }
    // SAFETY: getpid(2) has no precondition.
    let process = unsafe { libc::getpid() };
    if SIGNALLED.swap(process, AcqRel) != process {
        be_signalled(process);
        // It may have died meanwhile.
        if has_ended(line) {
            end_soon();
        }
    }
}

/// Kills this process in a while: those who look at the line have time to end in good order.
fn end_soon() {
    // SAFETY: all-zero is a valid sigevent; the kernel only reads it, and writes the timer's
    // number. It takes SIGKILL as it takes any signal.
    let timer = unsafe {
        let mut event: libc::sigevent = mem::zeroed();
        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = libc::SIGKILL;
        let mut timer: c_int = 0;
        let (clock, event) = (libc::CLOCK_MONOTONIC, &raw mut event);
        let made = libc::syscall(libc::SYS_timer_create, clock, event, &raw mut timer);
        (made == 0).then_some(timer)
    };
    let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let once = libc::itimerspec { it_interval: never, it_value: GRACE };
    let set = timer.map(|timer| {
        let old = ptr::null_mut::<libc::itimerspec>();
        // SAFETY: the timer was made above; the kernel only reads the time, and writes no old one.
        unsafe { libc::syscall(libc::SYS_timer_settime, timer, 0, &raw const once, old) }
    });
    if set != Some(0) {
        exit_now(0);
    }
}

/// Whether no process has the line's other end.
fn has_ended(line: RawFd) -> bool {
    let mut asked = libc::pollfd { fd: line, events: 0, revents: 0 };
    // SAFETY: one entry, which lives as long as the call, that returns at once.
    let answered = unsafe { libc::poll(&raw mut asked, 1, 0) };
    answered == 1 && asked.revents & libc::POLLHUP != 0
}

/// Has the line signal `process` at its end. That takes an open file of its own, as an open file
/// signals one process. It stays open until the process ends.
fn be_signalled(process: c_int) {
    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_CLOEXEC;
    // SAFETY: the name is a C string that is never freed, and open(2) may be called here.
    let own = unsafe { libc::open(NAME.load(Acquire), flags) };
    if own >= 0 {
        // SAFETY: these take numbers, and act on the descriptor opened above.
        unsafe {
            libc::fcntl(own, libc::F_SETOWN, process);
            libc::fcntl(own, F_SETSIG, SIGNAL);
            libc::fcntl(own, libc::F_SETFL, libc::O_NONBLOCK | libc::O_ASYNC);
        }
    }
}

/// Which signal an open file sends (fcntl(2)); the crate libc has no name for it.
const F_SETSIG: c_int = 10;
