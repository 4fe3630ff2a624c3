//! Catching signals, and giving them the dispositions back that they had before.
//!
//! A registry such as signal-hook's never gives one back: the program would go on without any way
//! to end it by Ctrl-C. Whoever handled a signal before is called as well, while it is caught.

#![expect(unsafe_code, reason = "signal dispositions have no safe form")]

use std::{
    ffi::{c_int, c_void},
    io, mem, ptr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicPtr, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

/// One more than the highest signal.
const SIGNALS: usize = 65;

/// How many want each signal.
static WANTED: Mutex<[usize; SIGNALS]> = Mutex::new([0; SIGNALS]);
/// What each signal did before it was caught; null if it is not caught.
static BEFORE: [AtomicPtr<libc::sigaction>; SIGNALS] =
    [const { AtomicPtr::new(ptr::null_mut()) }; SIGNALS];
/// How many threads are in the handler now.
static HANDLING: AtomicUsize = AtomicUsize::new(0);

/// A signal that is caught for as long as this lives.
#[derive(Debug)]
pub(super) struct Caught {
    signal: usize,
}

impl Caught {
    /// Catches a signal.
    ///
    /// # Errors
    /// What sigaction(2) refuses.
    pub(super) fn new(signal: c_int) -> io::Result<Self> {
        let at = usize::try_from(signal).ok().filter(|&at| at < SIGNALS);
        let at = at.ok_or(io::ErrorKind::InvalidInput)?;
        let mut wanted = wanted();
        let current = disposition(signal)?;
        // Another's handler that stands where ours did calls ours, as it was there before.
        let called = is_ours(&current) || (!BEFORE[at].load(SeqCst).is_null() && calls(&current));
        if !called {
            forget(at, Some(Box::new(current)));
            let mut ours = empty();
            ours.sa_sigaction = handle as Handler as usize;
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
            set_disposition(signal, &ours).inspect_err(|_| forget(at, None))?;
        }
        wanted[at] += 1;
        Ok(Self { signal: at })
    }
}

impl Drop for Caught {
    fn drop(&mut self) {
        let Ok(signal) = c_int::try_from(self.signal) else { return };
        let mut wanted = wanted();
        wanted[self.signal] -= 1;
        // Who has taken the signal over meanwhile keeps it.
        if wanted[self.signal] > 0 || !disposition(signal).is_ok_and(|now| is_ours(&now)) {
            return;
        }
        // SAFETY: while a signal is wanted, what it did before is there; it is freed only below and
        // in `Caught::new`, both of which hold the lock.
        let before = unsafe { BEFORE[self.signal].load(SeqCst).as_ref() };
        if before.is_some_and(|before| set_disposition(signal, before).is_ok()) {
            forget(self.signal, None);
        }
    }
}

/// Waits until no thread is in the handler any more that was there at the call.
pub(super) fn wait_for_handlers() {
    while HANDLING.load(SeqCst) > 0 {
        thread::yield_now();
    }
}

/// Gives a signal its default, and sends it: the process ends as if it had never been caught, at
/// the latest when the handler returns. Async-signal-safe.
pub(super) fn end_by(signal: c_int) {
    // SAFETY: both calls are async-signal-safe and take any signal.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

fn wanted() -> MutexGuard<'static, [usize; SIGNALS]> {
    WANTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts another disposition in the place of the one that a signal had before.
fn forget(at: usize, instead: Option<Box<libc::sigaction>>) {
    let instead = instead.map_or(ptr::null_mut(), Box::into_raw);
    let before = BEFORE[at].swap(instead, SeqCst);
    wait_for_handlers();
    if !before.is_null() {
        // SAFETY: it came from a box, nobody can find it any more, and nobody looks at it now.
        drop(unsafe { Box::from_raw(before) });
    }
}

type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// The handler of every caught signal.
extern "C" fn handle(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the address is that of this thread's own variable. Whoever was interrupted may be
    // about to read it.
    let errno = unsafe { *libc::__errno_location() };
    HANDLING.fetch_add(1, SeqCst);
    // SAFETY: `info` is what the system gave.
    if !unsafe { super::signals::receive(signal, info) } {
        call_before(signal, info, context);
    }
    HANDLING.fetch_sub(1, SeqCst);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// Calls whoever handled the signal before.
fn call_before(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let before = usize::try_from(signal).ok().and_then(|at| BEFORE.get(at));
    // SAFETY: what stands there is freed only after every handler that may have seen it has ended.
    let before = before.and_then(|before| unsafe { before.load(SeqCst).as_ref() });
    let Some(before) = before.filter(|before| calls(before)) else { return };
    // SAFETY: a disposition that is neither the default nor to ignore is the address of a handler,
    // whose arguments its flags tell.
    unsafe {
        if before.sa_flags & libc::SA_SIGINFO != 0 {
            mem::transmute::<usize, Handler>(before.sa_sigaction)(signal, info, context);
        } else {
            mem::transmute::<usize, extern "C" fn(c_int)>(before.sa_sigaction)(signal);
        }
    }
}

fn is_ours(action: &libc::sigaction) -> bool {
    action.sa_sigaction == handle as Handler as usize
}

/// Whether a disposition calls a handler.
fn calls(action: &libc::sigaction) -> bool {
    ![libc::SIG_DFL, libc::SIG_IGN].contains(&action.sa_sigaction)
}

fn empty() -> libc::sigaction {
    // SAFETY: all-zero is a valid sigaction: the default, with an empty mask.
    unsafe { mem::zeroed() }
}

fn disposition(signal: c_int) -> io::Result<libc::sigaction> {
    let mut current = empty();
    // SAFETY: nothing is set, and the pointer is to a local.
    let read = unsafe { libc::sigaction(signal, ptr::null(), &raw mut current) };
    if read == 0 { Ok(current) } else { Err(io::Error::last_os_error()) }
}

fn set_disposition(signal: c_int, action: &libc::sigaction) -> io::Result<()> {
    // SAFETY: the action is either what the system gave, or `handle`, which does only what is
    // async-signal-safe.
    let set = unsafe { libc::sigaction(signal, action, ptr::null_mut()) };
    if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
