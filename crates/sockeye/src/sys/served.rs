//! Descriptors that belong to the servers of this process, so that a process which is forked for
//! one of them can close the others'.

#![expect(unsafe_code, reason = "no safe call closes or borrows a descriptor by its number")]

use std::{
    collections::BTreeSet,
    fs, io,
    ops::Deref,
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::process::{Resource, getrlimit};

/// Those that are open now. The table of descriptors belongs to the whole process, and so must
/// this.
static SERVED: Mutex<BTreeSet<RawFd>> = Mutex::new(BTreeSet::new());

fn served() -> MutexGuard<'static, BTreeSet<RawFd>> {
    SERVED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A descriptor that belongs to a server: what another server forks closes it and never uses it.
#[derive(Debug)]
pub(crate) struct Served<T> {
    /// Before `value`: once that is closed, the number may be another's.
    _mark: Mark,
    value: T,
}

#[derive(Debug)]
struct Mark(RawFd);

impl Drop for Mark {
    fn drop(&mut self) {
        served().remove(&self.0);
    }
}

impl<T: AsFd> Served<T> {
    /// Marks the descriptor that `value` owns.
    pub(crate) fn new(value: T) -> Self {
        let number = value.as_fd().as_raw_fd();
        served().insert(number);
        Self { _mark: Mark(number), value }
    }
}

impl<T> Deref for Served<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: AsFd> AsFd for Served<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.value.as_fd()
    }
}

impl<T: AsRawFd> AsRawFd for Served<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.value.as_raw_fd()
    }
}

/// Closes a descriptor that a fork inherited.
///
/// The value that owns it must never be used or dropped again in this process; a fork that ends
/// by [`exit_now`](super::process::exit_now) drops nothing of its parent's.
pub(crate) fn close_inherited(descriptor: BorrowedFd<'_>) {
    served().remove(&descriptor.as_raw_fd());
    close(descriptor.as_raw_fd());
}

/// Closes every server's descriptors but those that `keep` wants, in a process just forked.
///
/// As with [`close_inherited`], nobody may use what is closed: neither do the servers that own
/// it, as they run in the other process, nor do their handlers, who cannot reach it.
pub(crate) fn close_served(mut keep: impl FnMut(BorrowedFd<'_>) -> bool) {
    served().retain(|&number| {
        // SAFETY: what is marked is open, and stays so until this decides.
        let kept = keep(unsafe { BorrowedFd::borrow_raw(number) });
        if !kept {
            close(number);
        }
        kept
    });
}

/// Closes every open descriptor that `unwanted` names, in a process just forked; nobody may use
/// what is closed.
///
/// # Errors
/// If the limit on open files is unknown.
pub(crate) fn close_open(unwanted: impl Fn(BorrowedFd<'_>) -> bool) {
    for number in open_numbers() {
        // SAFETY: whatever number this is, it is only asked what it is; the process has one
        // thread, so that nobody closes it meanwhile.
        if unwanted(unsafe { BorrowedFd::borrow_raw(number) }) {
            close(number);
        }
    }
}

/// The descriptors that are open, and perhaps some that are not.
fn open_numbers() -> Vec<RawFd> {
    let listed = fs::read_dir("/proc/self/fd").and_then(|entries| {
        let number = |name: std::ffi::OsString| name.to_str()?.parse().ok();
        entries.map(|entry| Ok(number(entry?.file_name()))).collect::<io::Result<Vec<_>>>()
    });
    match listed {
        Ok(numbers) => numbers.into_iter().flatten().collect(),
        // A process that has given up root's rights may not look there.
        Err(_) => {
            let files = getrlimit(Resource::Nofile).current.unwrap_or(MOST_TRIED);
            (0..RawFd::try_from(files.min(MOST_TRIED)).unwrap_or(0)).collect()
        }
    }
}

/// Most numbers tried where the open ones are not listed.
const MOST_TRIED: u64 = 1 << 20;

fn close(number: RawFd) {
    // SAFETY: by the contracts above nobody in this process relies on the descriptor.
    unsafe {
        libc::close(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_is_a_servers_until_it_is_dropped() {
        let (reader, writer) = io::pipe().unwrap();
        let (read, write) = (reader.as_raw_fd(), writer.as_raw_fd());
        let (reader, writer) = (Served::new(reader), Served::new(writer));
        assert!(served().contains(&read) && served().contains(&write));
        drop(writer);
        assert!(served().contains(&read) && !served().contains(&write));
        drop(reader);
        assert!(!served().contains(&read));
    }
}
