//! Taking over descriptors that the process was started with.

#![expect(unsafe_code, reason = "no safe call takes over a descriptor by its number")]

use std::{
    ops::Range,
    os::fd::{FromRawFd, OwnedFd, RawFd},
    sync::atomic::{AtomicBool, Ordering},
};

/// Whether the inherited descriptors have been taken over. The table of descriptors belongs to
/// the whole process, and so must this.
static ADOPTED: AtomicBool = AtomicBool::new(false);

/// Why a number cannot be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotInherited {
    /// Nothing is open under this number.
    Closed(RawFd),
    /// Close-on-exec is set, so that it was opened after the process started.
    OpenedHere(RawFd),
    /// An earlier call took the inherited descriptors.
    Adopted,
}

/// Takes over the descriptors `numbers`, which the process inherited, and sets close-on-exec
/// on each. Succeeds once in the life of a process; on an error nothing is taken.
pub(crate) fn adopt_inherited(numbers: Range<RawFd>) -> Result<Vec<OwnedFd>, NotInherited> {
    for number in numbers.clone() {
        // SAFETY: F_GETFD takes no pointer and is answered with EBADF for a number not open.
        let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
        if flags == -1 {
            return Err(NotInherited::Closed(number));
        }
        if flags & libc::FD_CLOEXEC != 0 {
            return Err(NotInherited::OpenedHere(number));
        }
    }
    if ADOPTED.swap(true, Ordering::SeqCst) {
        return Err(NotInherited::Adopted);
    }
    let adopt = |number| {
        // SAFETY: the number was found open just now; F_SETFD takes no pointer.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
        // SAFETY: the number is open and has no other owner. It lacked close-on-exec, which
        // everything that opens descriptors in Rust sets, so it came from the parent process,
        // whose protocol (the caller checked LISTEN_PID) hands it to us; and ADOPTED lets this
        // line run once for each number.
        unsafe { OwnedFd::from_raw_fd(number) }
    };
    Ok(numbers.map(adopt).collect())
}
