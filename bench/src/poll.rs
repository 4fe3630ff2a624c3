//! An edge-triggered epoll that is asked again and again and never sleeps.
//!
//! A load that sleeps makes the server pay for waking it; one that polls has a processor of its own.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::event::{Timespec, epoll};

/// Sockets in numbered slots, and which of them have something new.
pub(crate) struct Poll {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
}

impl Poll {
    /// For up to that many sockets.
    pub(crate) fn new(slots: usize) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self { epoll, events: Vec::with_capacity(slots) })
    }

    /// Watches a socket until it is closed; `writable` says whether its becoming so is news as well.
    pub(crate) fn add(&self, slot: usize, socket: impl AsFd, writable: bool) -> io::Result<()> {
        let mut interest = epoll::EventFlags::IN | epoll::EventFlags::ET;
        interest.set(epoll::EventFlags::OUT, writable);
        Ok(epoll::add(&self.epoll, socket, epoll::EventData::new_u64(slot as u64), interest)?)
    }

    /// Replaces what is in `slots` by the slots with news, which may be none.
    pub(crate) fn news(&mut self, slots: &mut Vec<usize>) -> io::Result<()> {
        const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
        self.events.clear();
        let spare = rustix::buffer::spare_capacity(&mut self.events);
        epoll::wait(&self.epoll, spare, Some(&AT_ONCE))?;
        slots.clear();
        // A slot was a usize when it was added.
        slots.extend(self.events.iter().filter_map(|event| usize::try_from(event.data.u64()).ok()));
        Ok(())
    }
}
