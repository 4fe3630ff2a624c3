//! The runtimes that models run on.

use std::{future::Future, io};

use tokio::runtime::{Builder, Runtime};

/// A runtime that lives in the calling thread.
pub(crate) fn current_thread() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// A runtime that waits for its thread. Unlike others it may be dropped inside another runtime, as it
/// is when the thread cannot be had; and its end waits for no blocking handler.
#[derive(Debug)]
pub(super) struct ForThread(Option<Runtime>);

impl ForThread {
    pub(super) fn new() -> io::Result<Self> {
        current_thread().map(|runtime| Self(Some(runtime)))
    }

    pub(super) fn block_on<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.0.as_ref().map(|runtime| runtime.block_on(work))
    }
}

impl Drop for ForThread {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Makes runtimes for processes that run one connection: they start fast, as they touch little
/// memory. All draw the same random numbers, which decide about nothing but turns.
pub(crate) fn for_one_connection() -> Builder {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().max_io_events_per_tick(16);
    builder
}

/// A runtime with so many work-stealing threads.
pub(crate) fn work_stealing(workers: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_name("sockeye-worker")
        .enable_all()
        .build()
}
