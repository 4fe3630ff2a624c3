//! Pauses between attempts that fail: from 5 ms up to 1 s, until one succeeds.

use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use rustix::io::Errno;
use tokio::time::Sleep;

use super::warn_limit::WarnLimit;
use crate::socket::is_transient;

/// First pause.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Most errors one after the other that pass for the network's answers to earlier datagrams: each of
/// those is told once.
const MOST_ANSWERS: u32 = 64;

/// The pauses of one loop.
#[derive(Debug)]
pub(super) struct Backoff {
    pause: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Backoff {
    pub(super) const fn new() -> Self {
        Self { pause: FIRST_PAUSE, timer: None }
    }

    /// Begins a pause, twice as long as the one before. Needs a runtime.
    pub(super) fn begin(&mut self) {
        self.timer = Some(Box::pin(tokio::time::sleep(self.pause)));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// The next pause is a short one again.
    pub(super) const fn reset(&mut self) {
        self.pause = FIRST_PAUSE;
    }

    /// Waits until the pause, if there is one, is over.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(timer) = &mut self.timer {
            ready!(timer.as_mut().poll(cx));
            self.timer = None;
        }
        Poll::Ready(())
    }
}

/// What receiving datagrams does about errors: those that stay make it pause.
#[derive(Debug)]
pub(super) struct Reception {
    backoff: Backoff,
    warnings: WarnLimit,
    /// Errors since something was received, or nothing was there.
    errors: u32,
}

impl Reception {
    pub(super) fn new() -> Self {
        Self { backoff: Backoff::new(), warnings: WarnLimit::default(), errors: 0 }
    }

    /// It worked, or nothing was there.
    pub(super) const fn worked(&mut self) {
        if self.errors > 0 {
            self.errors = 0;
            self.backoff.reset();
        }
    }

    /// It failed. Whether to warn of it: it may stay, and receiving pauses.
    pub(super) fn failed(&mut self, error: &io::Error) -> bool {
        self.errors = self.errors.saturating_add(1);
        let scarce = matches!(Errno::from_io_error(error), Some(Errno::NOBUFS | Errno::NOMEM));
        if is_transient(error) && !scarce && self.errors <= MOST_ANSWERS {
            return false;
        }
        self.backoff.begin();
        self.warnings.due()
    }

    /// Waits until the pause, if there is one, is over. Cancellation safe.
    pub(super) async fn resumed(&mut self) {
        poll_fn(|cx| self.backoff.poll_over(cx)).await;
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;
    use tokio::time::{Instant, timeout};

    use super::*;

    /// How often receiving fails within ten seconds, and how many of the warnings are said.
    async fn failures(errno: Errno) -> (u32, u32) {
        let (mut reception, mut failed, mut warned) = (Reception::new(), 0, 0);
        let _ = timeout(Duration::from_secs(10), async {
            loop {
                reception.resumed().await;
                failed += 1;
                warned += u32::from(reception.failed(&errno.into()));
            }
        })
        .await;
        (failed, warned)
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_stays_makes_for_ever_longer_pauses_and_one_warning() {
        for errno in [Errno::BADF, Errno::NOTSOCK, Errno::NOBUFS, Errno::NOMEM] {
            assert_eq!(failures(errno).await, (17, 1), "{errno}");
        }
        // Denied by a filter of system calls, it never is an answer to a datagram.
        let (failed, warned) = failures(Errno::PERM).await;
        assert_eq!((failed, warned), (17 + MOST_ANSWERS, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_answers_to_earlier_datagrams_hold_nobody_up() {
        let (mut reception, began) = (Reception::new(), Instant::now());
        for _ in 0..10 * MOST_ANSWERS {
            assert!(!reception.failed(&Errno::CONNREFUSED.into()));
            reception.resumed().await;
            reception.worked();
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn once_it_works_the_next_pause_is_a_short_one() {
        let mut reception = Reception::new();
        for _ in 0..20 {
            reception.failed(&Errno::NOBUFS.into());
            reception.resumed().await;
        }
        reception.worked();
        let began = Instant::now();
        reception.failed(&Errno::NOBUFS.into());
        reception.resumed().await;
        assert!(began.elapsed() < 2 * FIRST_PAUSE, "{:?}", began.elapsed());
    }
}
