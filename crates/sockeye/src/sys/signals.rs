//! Signals, awaited, with a way out for operators whose server does not even take note of them.
//!
//! tokio's own would make every runtime carry a part of it, which thread- and
//! process-per-connection servers would pay for at each connection.

#![expect(unsafe_code, reason = "what runs in a signal handler must be promised to be safe there")]

use std::{
    ffi::c_int,
    io,
    os::fd::OwnedFd,
    ptr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use rustix::event::{EventfdFlags, eventfd};
use tokio::io::{Interest, unix::AsyncFd};

use super::{
    caught::{Caught, end_by, wait_for_handlers},
    clock::Clock,
    registration::watch,
    timer::{Timer, mark_of},
};

/// Most that may watch signals in a process at once: two for each server that obeys them.
const MOST_WATCHING: usize = 128;

/// How long a repeated signal may wait until it is taken note of, before it ends the process.
const PATIENCE: Duration = Duration::from_millis(200);

/// A signal that comes again so soon was meant once: whoever sends one to a process and then to its
/// whole group, as timeout(1) does, sends it twice. Nobody strikes a key so fast.
const ECHO: Duration = Duration::from_millis(20);

/// Those who watch signals now.
static WATCHING: [AtomicPtr<Noted>; MOST_WATCHING] =
    [const { AtomicPtr::new(ptr::null_mut()) }; MOST_WATCHING];

/// The mark of the last timer made.
static LAST_MARK: AtomicUsize = AtomicUsize::new(0);

/// The arrivals of some signals, watched by the current runtime.
///
/// The signals are caught for as long as this lives; with the last that watches one, the signal
/// has the disposition again that it had before.
#[derive(Debug)]
pub(crate) struct SignalArrivals {
    event: AsyncFd<Arc<OwnedFd>>,
    // In this order: what comes until the signals are as before is still noted.
    _caught: Vec<Caught>,
    place: Place,
}

/// What a signal handler knows of one who watches.
#[derive(Debug)]
struct Noted {
    signals: &'static [c_int],
    event: Arc<OwnedFd>,
    insistence: Option<Insistence>,
}

/// What becomes of a signal that comes again.
#[derive(Debug)]
struct Insistence {
    mark: usize,
    timer: Timer,
    /// The signal that came last; none has come if it is 0.
    last: AtomicI32,
    /// When it came, in nanoseconds.
    last_at: AtomicU64,
    /// Whether an arrival waits until it is taken note of.
    waiting: AtomicBool,
    /// Whether the timer runs for it.
    timed: AtomicBool,
    /// Whether the next arrival ends the process.
    final_word: AtomicBool,
}

/// A place among those who watch.
#[derive(Debug)]
struct Place {
    at: &'static AtomicPtr<Noted>,
    noted: Arc<Noted>,
}

impl SignalArrivals {
    /// Begins to take note of `signals`.
    ///
    /// # Errors
    /// If a signal cannot be handled, the system has no descriptor left, or too many watch.
    pub(crate) fn of(signals: &'static [c_int]) -> io::Result<Self> {
        Self::new(signals, None)
    }

    /// Begins to take note of `signals`, which end the process if one comes again and nobody takes
    /// note of that at once, as the runtime's thread is blocked.
    ///
    /// # Errors
    /// As [`of`](Self::of), and if the system has no timer left.
    pub(crate) fn insistent(signals: &'static [c_int]) -> io::Result<Self> {
        let signal = *signals.first().ok_or(io::ErrorKind::InvalidInput)?;
        let mark = LAST_MARK.fetch_add(1, SeqCst) + 1;
        let insistence = Insistence {
            mark,
            timer: Timer::new(signal, mark)?,
            last: AtomicI32::new(0),
            last_at: AtomicU64::new(0),
            waiting: AtomicBool::new(false),
            timed: AtomicBool::new(false),
            final_word: AtomicBool::new(false),
        };
        Self::new(signals, Some(insistence))
    }

    fn new(signals: &'static [c_int], insistence: Option<Insistence>) -> io::Result<Self> {
        let event = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let watched = watch(Arc::clone(&event), Interest::READABLE)?;
        let place = Place::take(Arc::new(Noted { signals, event, insistence }))?;
        let caught = signals.iter().map(|&signal| Caught::new(signal));
        Ok(Self { event: watched, _caught: caught.collect::<io::Result<_>>()?, place })
    }

    /// Waits for a signal: how many have arrived meanwhile. Cancellation safe.
    pub(crate) async fn next(&self) -> u64 {
        let mut count = [0; 8];
        loop {
            let Ok(mut ready) = self.event.readable().await else {
                return std::future::pending().await;
            };
            match ready.try_io(|event| Ok(rustix::io::read(event.get_ref(), &mut count)?)) {
                Ok(_) => break,
                Err(_would_block) => {}
            }
        }
        if let Some(insistence) = &self.place.noted.insistence {
            insistence.waiting.store(false, SeqCst);
            insistence.timed.store(false, SeqCst);
        }
        u64::from_ne_bytes(count)
    }

    /// From now on the next signal ends the process: all that was to be done for one is done.
    pub(crate) fn end_by_next(&self) {
        if let Some(insistence) = &self.place.noted.insistence {
            insistence.final_word.store(true, SeqCst);
        }
    }
}

impl Place {
    fn take(noted: Arc<Noted>) -> io::Result<Self> {
        let pointer = Arc::as_ptr(&noted).cast_mut();
        let free = |at: &&'static AtomicPtr<Noted>| {
            at.compare_exchange(ptr::null_mut(), pointer, SeqCst, SeqCst).is_ok()
        };
        match WATCHING.iter().find(free) {
            Some(at) => Ok(Self { at, noted }),
            None => Err(io::Error::other("too many servers of this process obey signals")),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.at.store(ptr::null_mut(), SeqCst);
        // One that has seen this may be about to use it.
        wait_for_handlers();
    }
}

impl Noted {
    /// Notes an arrival, in a signal handler.
    fn arrived(&self, signal: c_int) {
        if !self.signals.contains(&signal) {
            return;
        }
        if let Some(insistence) = &self.insistence {
            if insistence.is_echo(signal) {
                return;
            }
            insistence.arrived(signal);
        }
        let _ = rustix::io::write(&*self.event, &1_u64.to_ne_bytes());
    }
}

impl Insistence {
    fn is_echo(&self, signal: c_int) -> bool {
        let now = Clock::Exact.read();
        let since = Duration::from_nanos(now.saturating_sub(self.last_at.load(SeqCst)));
        let echo = self.last.load(SeqCst) == signal && since < ECHO;
        if !echo {
            self.last_at.store(now, SeqCst);
        }
        echo
    }

    fn arrived(&self, signal: c_int) {
        if self.final_word.load(SeqCst) {
            end_by(signal);
        }
        let again = self.last.swap(signal, SeqCst) != 0;
        self.waiting.store(true, SeqCst);
        if again && !self.timed.swap(true, SeqCst) {
            self.timer.set(PATIENCE);
        }
    }

    fn timed_out(&self) {
        if self.waiting.load(SeqCst) {
            end_by(self.last.load(SeqCst));
        }
    }
}

/// Takes note of a signal, in a signal handler; whether it was one of our own timers'.
///
/// # Safety
/// `info` must be what the system gave the handler, and [`wait_for_handlers`] must wait for it.
pub(super) unsafe fn receive(signal: c_int, info: *const libc::siginfo_t) -> bool {
    // SAFETY: by the contract above.
    let mark = unsafe { mark_of(info) };
    let mut our_timer = false;
    for place in &WATCHING {
        // SAFETY: whoever takes it out of its place waits for this handler before it is freed.
        let Some(noted) = (unsafe { place.load(SeqCst).as_ref() }) else { continue };
        match (mark, &noted.insistence) {
            (None, _) => noted.arrived(signal),
            (Some(mark), Some(insistence)) if insistence.mark == mark => {
                our_timer = true;
                insistence.timed_out();
            }
            (Some(_), _) => {}
        }
    }
    our_timer
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};
    use tokio::signal::unix::{SignalKind, signal};

    use super::*;

    // A signal for each test, as signals are the whole process's.
    const TAKEN: &[c_int] = &[libc::SIGUSR1];
    const SHARED: &[c_int] = &[libc::SIGUSR2];
    const TAKEN_OVER: &[c_int] = &[libc::SIGWINCH];

    /// Whether the process has a handler for a signal, as the system sees it.
    fn is_caught(signal: c_int) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap() >> (signal - 1) & 1 == 1
    }

    async fn soon<T>(work: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_secs(20), work).await.unwrap()
    }

    #[tokio::test]
    async fn a_signal_is_as_it_was_once_nobody_watches_it_any_more() {
        for _ in 0..3 {
            let (one, other) = (SignalArrivals::of(TAKEN).unwrap(), SignalArrivals::of(TAKEN));
            kill_process(getpid(), Signal::USR1).unwrap();
            soon(one.next()).await;
            drop(one);
            assert!(is_caught(libc::SIGUSR1));
            soon(other.as_ref().unwrap().next()).await;
            drop(other);
            assert!(!is_caught(libc::SIGUSR1));
        }
    }

    #[tokio::test]
    async fn who_handled_a_signal_before_is_told_too_and_afterwards() {
        let mut before = signal(SignalKind::user_defined2()).unwrap();
        let ours = SignalArrivals::of(SHARED).unwrap();
        kill_process(getpid(), Signal::USR2).unwrap();
        soon(ours.next()).await;
        soon(before.recv()).await;
        drop(ours);
        kill_process(getpid(), Signal::USR2).unwrap();
        soon(before.recv()).await;
    }

    #[tokio::test]
    async fn who_takes_a_signal_over_meanwhile_keeps_it() {
        let ours = SignalArrivals::of(TAKEN_OVER).unwrap();
        let mut other = signal(SignalKind::window_change()).unwrap();
        kill_process(getpid(), Signal::WINCH).unwrap();
        soon(ours.next()).await;
        soon(other.recv()).await;
        drop(ours);
        for _ in 0..2 {
            // Ours is called by theirs, and need not be called twice.
            let again = SignalArrivals::of(TAKEN_OVER).unwrap();
            kill_process(getpid(), Signal::WINCH).unwrap();
            soon(again.next()).await;
            soon(other.recv()).await;
        }
    }

    #[tokio::test]
    async fn those_who_find_no_place_are_told_so() {
        let some = (0..MOST_WATCHING).map_while(|_| SignalArrivals::of(&[]).ok());
        let some: Vec<_> = some.collect();
        assert!(some.len() > MOST_WATCHING / 2);
        assert!(SignalArrivals::of(&[]).unwrap_err().to_string().contains("too many"));
    }
}
