//! A timer of the system that ends in a signal: it goes off although every thread is busy.

#![expect(unsafe_code, reason = "POSIX timers have no safe form")]

use std::{ffi::c_void, io, mem, time::Duration};

/// A timer that sends the process a signal.
#[derive(Debug)]
pub(super) struct Timer(libc::timer_t);

// SAFETY: a timer's number belongs to the process; any thread may set and delete it.
unsafe impl Send for Timer {}
// SAFETY: as above; setting it from two threads at once leaves one of the two times.
unsafe impl Sync for Timer {}

impl Timer {
    /// A timer, not set, whose signals carry `mark`.
    pub(super) fn new(signal: i32, mark: usize) -> io::Result<Self> {
        let mut id = std::ptr::null_mut();
        // SAFETY: all-zero is a valid sigevent, the pointers are to locals that outlive the call.
        let made = unsafe {
            let mut event: libc::sigevent = mem::zeroed();
            event.sigev_notify = libc::SIGEV_SIGNAL;
            event.sigev_signo = signal;
            event.sigev_value.sival_ptr = mark as *mut c_void;
            libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut id)
        };
        if made == 0 { Ok(Self(id)) } else { Err(io::Error::last_os_error()) }
    }

    /// Has it go off once, after `time`. Async-signal-safe.
    pub(super) fn set(&self, time: Duration) {
        // SAFETY: all-zero is a valid itimerspec; the timer exists until it is dropped.
        unsafe {
            let mut setting: libc::itimerspec = mem::zeroed();
            setting.it_value.tv_sec = time.as_secs().cast_signed();
            setting.it_value.tv_nsec = time.subsec_nanos().into();
            libc::timer_settime(self.0, 0, &raw const setting, std::ptr::null_mut());
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: the timer was made by `new`, and nobody uses it after this.
        unsafe {
            libc::timer_delete(self.0);
        }
    }
}

/// The mark of the timer that sent a signal; `None` if somebody else sent it.
///
/// # Safety
/// `info` must be what the system gave a signal handler.
pub(super) unsafe fn mark_of(info: *const libc::siginfo_t) -> Option<usize> {
    // SAFETY: by the contract above it is valid, and a timer's signal carries a value.
    unsafe {
        let info = info.as_ref()?;
        (info.si_code == libc::SI_TIMER).then(|| info.si_value().sival_ptr as usize)
    }
}
