//! Catching signals, and giving them the dispositions back that they had before.
//!
//! A registry such as signal-hook's never gives one back: the program would go on without any way
//! to end it by Ctrl-C. Whoever handled a signal before is called as well, while it is caught.
//!
//! Whether a handler that somebody has put over ours calls ours cannot be seen. So ours is put over
//! it again, as another function, and takes note of a signal once however often it is called.

#![expect(unsafe_code, reason = "signal dispositions have no safe form")]

use std::{
    cell::Cell,
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
/// What each signal did before each of [`HANDLERS`] was put in its place; null if that was not.
static BEFORE: [[AtomicPtr<libc::sigaction>; LEVELS]; SIGNALS] =
    [const { [const { AtomicPtr::new(ptr::null_mut()) }; LEVELS] }; SIGNALS];
/// Our handlers. Each has what it was put over, and calls that: the first what was there before any
/// of us, the second who had put himself over the first, and so on.
static HANDLERS: [Handler; LEVELS] = [
    handle::<0>,
    handle::<1>,
    handle::<2>,
    handle::<3>,
    handle::<4>,
    handle::<5>,
    handle::<6>,
    handle::<7>,
];
/// How many times we put ourselves over others for one signal; a bit each in [`RUNNING`].
const LEVELS: usize = 8;
thread_local! {
    // Without a destructor and with a constant to begin with, it is there from the start.
    /// Which of our handlers run in this thread now, for each signal.
    static RUNNING: [Cell<u8>; SIGNALS] = const { [const { Cell::new(0) }; SIGNALS] };
}
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
    /// What sigaction(2) refuses; if others have put handlers over ours more than [`LEVELS`] times.
    pub(super) fn new(signal: c_int) -> io::Result<Self> {
        let at = usize::try_from(signal).ok().filter(|&at| at < SIGNALS);
        let at = at.ok_or(io::ErrorKind::InvalidInput)?;
        let mut wanted = wanted();
        let current = disposition(signal)?;
        if level_of(&current).is_none() {
            put_over(signal, at, current)?;
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
        if wanted[self.signal] > 0 {
            return;
        }
        // Who has taken the signal over meanwhile keeps it.
        let Some(level) = disposition(signal).ok().as_ref().and_then(level_of) else { return };
        // SAFETY: it is freed only below, under the lock, which this thread holds.
        let before = unsafe { BEFORE[self.signal][level].load(SeqCst).as_ref() };
        if before.is_some_and(|before| set_disposition(signal, before).is_ok()) {
            BEFORE[self.signal][level..].iter().for_each(forget);
        }
    }
}

/// Puts one of our handlers over `current`: the one that stood over the same before, so that whoever
/// comes and goes uses up no more of them, or the next. The caller has the lock.
fn put_over(signal: c_int, at: usize, current: libc::sigaction) -> io::Result<()> {
    let free = |(_, before): &(usize, &AtomicPtr<libc::sigaction>)| {
        // SAFETY: it is freed only under the lock.
        let before = unsafe { before.load(SeqCst).as_ref() };
        before.is_none_or(|before| is_same(before, &current))
    };
    let Some((level, before)) = BEFORE[at].iter().enumerate().find(free) else {
        let message = format!("handlers stand over each other {LEVELS} times for signal {signal}");
        return Err(io::Error::other(message));
    };
    let mut ours = empty();
    ours.sa_sigaction = HANDLERS[level] as usize;
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
    let new = before.load(SeqCst).is_null();
    if new {
        before.store(Box::into_raw(Box::new(current)), SeqCst);
    }
    set_disposition(signal, &ours).inspect_err(|_| {
        if new {
            forget(before);
        }
    })
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

/// Frees a disposition that was put over. The caller has the lock.
fn forget(before: &AtomicPtr<libc::sigaction>) {
    let before = before.swap(ptr::null_mut(), SeqCst);
    if !before.is_null() {
        wait_for_handlers();
        // SAFETY: it came from a box, nobody can find it any more, and nobody looks at it now.
        drop(unsafe { Box::from_raw(before) });
    }
}

type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// The handler of every caught signal.
extern "C" fn handle<const LEVEL: usize>(
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    // SAFETY: the address is that of this thread's own variable. Whoever was interrupted may be
    // about to read it.
    let errno = unsafe { *libc::__errno_location() };
    HANDLING.fetch_add(1, SeqCst);
    if let Ok(at) = usize::try_from(signal) {
        let _ = RUNNING.try_with(|running| {
            if let (Some(running), Some(before)) = (running.get(at), BEFORE.get(at)) {
                handle_once(running, LEVEL, &before[LEVEL], (signal, info, context));
            }
        });
    }
    HANDLING.fetch_sub(1, SeqCst);
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// What a signal handler is called with.
type Arguments = (c_int, *mut libc::siginfo_t, *mut c_void);

/// Takes note of a signal, unless another of ours does so already and this one was called by whom it
/// was put over; then calls whoever handled it before, unless that is where the call comes from.
fn handle_once(
    running: &Cell<u8>,
    level: usize,
    before: &AtomicPtr<libc::sigaction>,
    arguments: Arguments,
) {
    let (already, this) = (running.get(), 1 << level);
    running.set(already | this);
    let (signal, info, _) = arguments;
    // SAFETY: `info` is what the system gave us, or gave to whoever calls us with it.
    let our_timer = already == 0 && unsafe { super::signals::receive(signal, info) };
    if !our_timer && already & this == 0 {
        call(before, arguments);
    }
    running.set(already);
}

/// Calls whoever handled the signal before.
fn call(before: &AtomicPtr<libc::sigaction>, (signal, info, context): Arguments) {
    // SAFETY: what stands there is freed only after every handler that may have seen it has ended.
    let before = unsafe { before.load(SeqCst).as_ref() };
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

/// Which of [`HANDLERS`] a disposition calls, if any.
fn level_of(action: &libc::sigaction) -> Option<usize> {
    HANDLERS.iter().position(|&ours| action.sa_sigaction == ours as usize)
}

/// Whether two dispositions call the same in the same way.
fn is_same(one: &libc::sigaction, other: &libc::sigaction) -> bool {
    one.sa_sigaction == other.sa_sigaction && one.sa_flags == other.sa_flags
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};
    use tokio::signal::unix::{SignalKind, signal};

    use super::{super::signals::SignalArrivals, *};

    // A signal for each test, as signals are the whole process's.
    const ALONE: &[c_int] = &[libc::SIGALRM];
    const CHAINED: &[c_int] = &[libc::SIGVTALRM];
    const CHANGING: &[c_int] = &[libc::SIGURG];

    static ALONE_CALLED: AtomicUsize = AtomicUsize::new(0);
    static FIRST_CALLED: AtomicUsize = AtomicUsize::new(0);

    extern "C" fn alone(_signal: c_int) {
        ALONE_CALLED.fetch_add(1, SeqCst);
    }

    extern "C" fn first(_signal: c_int) {
        FIRST_CALLED.fetch_add(1, SeqCst);
    }

    /// Has a signal call `handler`, and nobody else.
    fn take_over(signal: c_int, handler: extern "C" fn(c_int)) {
        let mut action = empty();
        action.sa_sigaction = handler as usize;
        set_disposition(signal, &action).unwrap();
    }

    async fn count(arrivals: &SignalArrivals) -> u64 {
        tokio::time::timeout(Duration::from_secs(20), arrivals.next()).await.unwrap()
    }

    #[tokio::test]
    async fn a_handler_that_calls_nobody_keeps_no_signal_from_who_begins_to_watch_later() {
        let early = SignalArrivals::of(ALONE).unwrap();
        take_over(libc::SIGALRM, alone);
        for round in 1..=2 * LEVELS {
            let late = SignalArrivals::of(ALONE).unwrap();
            kill_process(getpid(), Signal::ALARM).unwrap();
            assert_eq!((count(&late).await, count(&early).await), (1, 1));
            wait_for_handlers();
            assert_eq!(ALONE_CALLED.load(SeqCst), round);
            drop(late);
            take_over(libc::SIGALRM, alone);
        }
        drop(early);
        assert_eq!(
            disposition(libc::SIGALRM).unwrap().sa_sigaction,
            alone as extern "C" fn(c_int) as usize
        );
    }

    #[tokio::test]
    async fn each_handler_of_a_chain_is_called_once_for_a_signal() {
        take_over(libc::SIGVTALRM, first);
        let early = SignalArrivals::of(CHAINED).unwrap();
        // Theirs calls ours.
        let mut theirs = signal(SignalKind::from_raw(libc::SIGVTALRM)).unwrap();
        let late = SignalArrivals::of(CHAINED).unwrap();
        for round in 1..=3 {
            kill_process(getpid(), Signal::VTALARM).unwrap();
            assert_eq!((count(&early).await, count(&late).await), (1, 1));
            wait_for_handlers();
            assert_eq!(FIRST_CALLED.load(SeqCst), round);
            tokio::time::timeout(Duration::from_secs(20), theirs.recv()).await.unwrap();
        }
    }

    #[test]
    fn handlers_beyond_the_most_are_refused_and_leave_the_signal_alone() {
        let caught = (0..LEVELS + 1).map(|level| {
            // Different flags are as good as another handler.
            let mut action = empty();
            action.sa_sigaction = first as extern "C" fn(c_int) as usize;
            action.sa_flags = if level & 1 == 0 { 0 } else { libc::SA_RESTART }
                | if level & 2 == 0 { 0 } else { libc::SA_NODEFER }
                | if level & 4 == 0 { 0 } else { libc::SA_ONSTACK }
                | if level & 8 == 0 { 0 } else { libc::SA_NOCLDSTOP };
            set_disposition(CHANGING[0], &action).unwrap();
            Caught::new(CHANGING[0])
        });
        let mut caught: Vec<_> = caught.collect();
        assert!(caught.pop().unwrap().is_err());
        assert!(caught.iter().all(Result::is_ok));
        assert_eq!(
            disposition(CHANGING[0]).unwrap().sa_sigaction,
            first as extern "C" fn(c_int) as usize
        );
    }
}
