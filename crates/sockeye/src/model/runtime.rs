//! The runtimes that models run on.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// A runtime that lives in the calling thread.
pub(crate) fn current_thread() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// A runtime for a process that runs one connection: it starts fast, as it touches little memory.
pub(crate) fn for_one_connection() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().max_io_events_per_tick(16).build()
}

/// A runtime with so many work-stealing threads.
pub(crate) fn work_stealing(workers: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_name("sockeye-worker")
        .enable_all()
        .build()
}
