//! The memory that hashes are computed in: bounded, used again while there is work, and then given
//! back to the system.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use argon2::Block;

use super::HashCost;

/// Blocks that are asked for at least, whatever the cost: 33 MiB of address space, of which only what
/// is written is ever resident. C libraries give a block of this size (glibc: above 32 MiB always) a
/// mapping of its own, so that dropping it gives the memory back; smaller ones may stay in the heap.
const MAPPED: usize = 33 * 1024;

/// The buffers of one hasher.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Those that nobody uses now; none while there is no work.
    idle: Mutex<Vec<Vec<Block>>>,
    /// Pieces of work that hold a buffer or are about to.
    users: AtomicUsize,
}

impl Memory {
    /// Runs `work` with as many blocks as `cost` asks for, then keeps the buffer for whoever else is
    /// at work, or gives all of them back if nobody is.
    pub(super) fn with_blocks<T>(&self, cost: HashCost, work: impl FnOnce(&mut [Block]) -> T) -> T {
        let user = User::enter(self);
        let mut buffer = user.take();
        let blocks = block_count(cost);
        if buffer.capacity() < blocks {
            buffer = Vec::with_capacity(blocks.max(MAPPED));
        }
        // What an earlier hash left in it is overwritten before it is read (RFC 9106 §3.2).
        if buffer.len() < blocks {
            buffer.resize(blocks, Block::new());
        }
        let result = work(&mut buffer[..blocks]);
        user.give_back(buffer);
        result
    }

    #[cfg(test)]
    pub(super) fn idle_buffers(&self) -> usize {
        self.idle.lock().unwrap().len()
    }
}

/// One piece of work; it counts as gone also if it panics.
struct User<'a>(&'a Memory);

impl<'a> User<'a> {
    fn enter(memory: &'a Memory) -> Self {
        memory.users.fetch_add(1, Ordering::AcqRel);
        Self(memory)
    }

    fn take(&self) -> Vec<Block> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn give_back(&self, buffer: Vec<Block>) {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}

impl Drop for User<'_> {
    fn drop(&mut self) {
        // Under the lock, so that whoever leaves last sees all that was given back.
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.users.fetch_sub(1, Ordering::AcqRel) == 1 {
            idle.clear();
        }
    }
}

fn block_count(cost: HashCost) -> usize {
    // One block is 1 KiB; Argon2 uses a multiple of four for each lane, rounded down.
    usize::try_from(cost.memory()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_while_there_is_work_and_then_given_back() {
        let memory = Memory::default();
        let cost = HashCost::new(64, 1, 1).unwrap();
        memory.with_blocks(cost, |outer| {
            assert_eq!(outer.len(), 64);
            let first = memory.with_blocks(cost, |inner| inner.as_ptr());
            assert_eq!(memory.idle_buffers(), 1);
            let second = memory.with_blocks(cost, |inner| inner.as_ptr());
            assert_eq!(first, second);
        });
        assert_eq!(memory.idle_buffers(), 0);
    }

    #[test]
    fn memory_is_given_back_also_after_a_panic() {
        let memory = Memory::default();
        let cost = HashCost::new(64, 1, 1).unwrap();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            memory.with_blocks(cost, |_| panic!("on purpose"))
        }));
        assert!(panicked.is_err());
        memory.with_blocks(cost, |_| ());
        assert_eq!(memory.idle_buffers(), 0);
    }
}
