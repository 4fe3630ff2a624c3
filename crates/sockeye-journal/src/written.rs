//! How far the log is written, and those who wait for it to be.
//!
//! To wake a task of another thread costs a call of the system, to wake one of the own thread next to nothing, and
//! those who wait mostly run on the same thread. So the writer wakes one of them, and that one wakes the others.

use std::{
    collections::BTreeMap,
    fmt, mem,
    pin::Pin,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

/// The number of the last line that is written, and who waits for which.
#[derive(Debug)]
pub(crate) struct Written {
    last: AtomicU64,
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    /// By the line that is waited for, and a number of their own.
    waiting: BTreeMap<(u64, u64), Waker>,
    next: u64,
    /// Whose lines are written, and who are to be woken by the one that was.
    due: Vec<Waker>,
}

impl Written {
    pub(crate) fn new(last: u64) -> Self {
        Self { last: AtomicU64::new(last), list: Mutex::default() }
    }

    /// The number of the last line that is written.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    /// Says that all lines up to this one are written.
    pub(crate) fn tell(&self, last: u64) {
        self.last.store(last, Ordering::Release);
        let mut list = self.list();
        let later = list.waiting.split_off(&(last.saturating_add(1), 0));
        let mut written = mem::replace(&mut list.waiting, later).into_values();
        // Those before who were not yet woken go first: their turn is over.
        let mut first = mem::take(&mut list.due);
        first.extend(written.next());
        list.due.extend(written);
        drop(list);
        first.into_iter().for_each(Waker::wake);
    }

    /// Waits until this line is written.
    ///
    /// Cancellation: safe.
    pub(crate) fn wait(&self, line: u64) -> Wait<'_> {
        Wait { written: self, line, own: None }
    }

    /// Wakes who is due.
    fn pass_on(&self) {
        let due = mem::take(&mut self.list().due);
        due.into_iter().for_each(Waker::wake);
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

/// Until a line is written.
#[derive(Debug)]
#[must_use = "it does nothing unless it is awaited"]
pub(crate) struct Wait<'a> {
    written: &'a Written,
    line: u64,
    /// Its own number in the list, once it is there.
    own: Option<u64>,
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { written, line, .. } = *self;
        if written.last() < line {
            let mut list = written.list();
            // Written meanwhile, it would be looked for in vain.
            if written.last() < line {
                let own = self.own.unwrap_or_else(|| {
                    list.next += 1;
                    list.next
                });
                self.own = Some(own);
                list.waiting.insert((line, own), cx.waker().clone());
                return Poll::Pending;
            }
        }
        // It was the one that was woken, or came before it.
        if self.own.take().is_some() {
            written.pass_on();
        }
        Poll::Ready(())
    }
}

/// Given up, it hands on what it was woken for.
impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let Some(own) = self.own else { return };
        let removed = self.written.list().waiting.remove(&(self.line, own));
        if removed.is_none() {
            self.written.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, atomic::AtomicUsize},
        task::Wake,
    };

    use super::*;

    /// Counts how often it was woken.
    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct Waiter<'a> {
        wait: Wait<'a>,
        count: Arc<Count>,
    }

    impl<'a> Waiter<'a> {
        fn of(written: &'a Written, line: u64) -> Self {
            let mut waiter = Self { wait: written.wait(line), count: Arc::default() };
            assert!(!waiter.is_done());
            waiter
        }

        fn is_done(&mut self) -> bool {
            let waker = Waker::from(Arc::clone(&self.count));
            Pin::new(&mut self.wait).poll(&mut Context::from_waker(&waker)).is_ready()
        }

        fn woken(&self) -> usize {
            self.count.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn one_is_woken_by_the_writer_and_the_others_by_the_one() {
        let written = Written::new(3);
        let mut waiters: Vec<_> =
            [4, 5, 5, 6].map(|line| Waiter::of(&written, line)).into_iter().collect();
        written.tell(5);
        assert_eq!(waiters.iter().map(Waiter::woken).collect::<Vec<_>>(), [1, 0, 0, 0]);
        assert!(waiters[0].is_done());
        assert_eq!(waiters.iter().map(Waiter::woken).collect::<Vec<_>>(), [1, 1, 1, 0]);
        assert!(waiters[1].is_done() && waiters[2].is_done() && !waiters[3].is_done());
        written.tell(6);
        assert!(waiters[3].woken() == 1 && waiters[3].is_done());
    }

    #[test]
    fn who_is_woken_and_gives_up_wakes_the_others_all_the_same() {
        let written = Written::new(0);
        let [first, second, third] = [1, 1, 1].map(|line| Waiter::of(&written, line));
        written.tell(1);
        assert_eq!((first.woken(), second.woken()), (1, 0));
        drop(first);
        assert_eq!((second.woken(), third.woken()), (1, 1));
        drop((second, third));
        assert!(written.list().waiting.is_empty() && written.list().due.is_empty());
    }

    #[test]
    fn who_gives_up_before_is_forgotten() {
        let written = Written::new(0);
        let [first, mut second] = [1, 1].map(|line| Waiter::of(&written, line));
        drop(first);
        written.tell(1);
        assert!(second.woken() == 1 && second.is_done());
        assert!(written.list().waiting.is_empty());
    }

    #[test]
    fn who_is_late_to_wake_the_others_is_passed_over_by_the_next_batch() {
        let written = Written::new(0);
        let [first, second] = [1, 1].map(|line| Waiter::of(&written, line));
        let third = Waiter::of(&written, 2);
        written.tell(1);
        written.tell(2);
        assert_eq!((first.woken(), second.woken(), third.woken()), (1, 1, 1));
    }

    #[test]
    fn what_is_written_is_not_waited_for() {
        let written = Written::new(7);
        let mut wait = written.wait(7);
        let done = Pin::new(&mut wait).poll(&mut Context::from_waker(Waker::noop()));
        assert!(done.is_ready());
    }
}
