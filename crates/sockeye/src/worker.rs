//! A thread of its own for work that never ends by itself, such as writing a log.
//!
//! What is done now and then, and waits for, belongs in a [`Pool`](crate::pool::Pool). A worker is one named
//! thread for the whole life of its owner: it is woken, told to stop, and waited for. It never outlives
//! the [`Worker`] that it was started by.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle, Thread},
    time::Duration,
};

/// A named thread that is told to stop and joined when this is dropped.
///
/// ```
/// use std::sync::mpsc;
/// use sockeye::worker::Worker;
///
/// # fn main() -> std::io::Result<()> {
/// let (jobs, queue) = mpsc::channel::<&str>();
/// let worker = Worker::start("example", move |stop| {
///     while !stop.is_told() {
///         queue.try_iter().for_each(|job| assert_eq!(job, "a job"));
///         stop.rest(None);
///     }
/// })?;
/// jobs.send("a job").expect("the worker holds the queue");
/// worker.waker().wake();
/// assert!(worker.join(), "it did not panic");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Worker {
    told: Arc<AtomicBool>,
    /// `None` once it was joined.
    thread: Option<JoinHandle<()>>,
    waker: Waker,
}

/// What the work is given: whether it is to stop, and a way to rest until there is something to do.
#[derive(Debug)]
pub struct Stop {
    told: Arc<AtomicBool>,
}

/// Ends a worker's rest; clones wake the same worker. It keeps nothing alive.
#[derive(Clone, Debug)]
pub struct Waker(Thread);

impl Worker {
    /// Starts a thread with this name that does `work` once; it is the work that loops until it is told to stop.
    ///
    /// The system shows the first 15 bytes of the name.
    ///
    /// # Errors
    /// If the system gives no thread, or the name contains a NUL.
    pub fn start<W>(name: &str, work: W) -> io::Result<Self>
    where
        W: FnOnce(&Stop) + Send + 'static,
    {
        if name.contains('\0') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a thread's name has no NUL"));
        }
        let told = Arc::new(AtomicBool::new(false));
        let stop = Stop { told: Arc::clone(&told) };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || work(&stop))?;
        let waker = Waker(thread.thread().clone());
        Ok(Self { told, thread: Some(thread), waker })
    }

    /// What ends the worker's rest.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Tells the work to stop, without waiting for it.
    pub fn stop(&self) {
        // Whatever the owner did before is seen by the work that finds itself told.
        self.told.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Tells the work to stop and waits until it has; whether it came to its end without a panic.
    #[must_use = "a worker that panicked has left its work undone"]
    pub fn join(mut self) -> bool {
        self.end()
    }

    /// A worker that drops its own handle is not waited for, as it would wait for ever.
    fn end(&mut self) -> bool {
        self.stop();
        let Some(thread) = self.thread.take() else { return true };
        if thread.thread().id() == thread::current().id() {
            return true;
        }
        thread.join().is_ok()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.end() {
            tracing::error!(worker = self.waker.0.name(), "a worker panicked");
        }
    }
}

impl Stop {
    /// Whether the work is to come to its end.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.told.load(Ordering::Acquire)
    }

    /// Rests until the worker is woken or told to stop, at most so long; without a limit at `None`.
    ///
    /// A wake-up that came since the last rest ends this one at once, so none is missed by whoever
    /// looks for work between two rests. A rest may also end for no reason: look, and rest again.
    /// To be called on the worker's own thread.
    pub fn rest(&self, at_most: Option<Duration>) {
        if self.is_told() {
            return;
        }
        match at_most {
            Some(limit) => thread::park_timeout(limit),
            None => thread::park(),
        }
    }
}

impl Waker {
    /// Ends the worker's rest, or the next one if it does not rest just now.
    pub fn wake(&self) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// No wait in these tests is longer.
    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn a_worker_is_woken_and_ends_with_its_owner() {
        let (tell, told) = mpsc::channel();
        let worker = Worker::start("test-worker", move |stop| {
            while !stop.is_told() {
                tell.send(thread::current().name().map(str::to_owned)).unwrap();
                stop.rest(None);
            }
        })
        .unwrap();
        for _ in 0..3 {
            assert_eq!(told.recv_timeout(PATIENCE).unwrap().as_deref(), Some("test-worker"));
            worker.waker().wake();
        }
        drop(worker);
        let left = loop {
            match told.try_recv() {
                Ok(_) => {}
                Err(left) => break left,
            }
        };
        assert_eq!(left, mpsc::TryRecvError::Disconnected, "the thread runs still");
    }

    #[test]
    fn a_wake_up_before_the_rest_is_not_missed() {
        let (ready, go) = (mpsc::channel(), mpsc::channel());
        let worker = Worker::start("test-early", move |stop| {
            ready.0.send(()).unwrap();
            go.1.recv().unwrap();
            stop.rest(None);
        })
        .unwrap();
        ready.1.recv_timeout(PATIENCE).unwrap();
        worker.waker().wake();
        go.0.send(()).unwrap();
        assert!(worker.join());
    }

    #[test]
    fn a_panic_in_the_work_is_told_to_whoever_joins() {
        let worker = Worker::start("test-panic", |_| panic!("on purpose")).unwrap();
        assert!(!worker.join());
    }

    #[test]
    fn a_rest_ends_by_itself_when_its_time_is_over() {
        let worker = Worker::start("test-rest", |stop| stop.rest(Some(Duration::from_millis(1))));
        let worker = worker.unwrap();
        let thread = worker.thread.as_ref().unwrap();
        let deadline = std::time::Instant::now() + PATIENCE;
        while !thread.is_finished() && std::time::Instant::now() < deadline {
            thread::yield_now();
        }
        assert!(thread.is_finished());
    }
}
