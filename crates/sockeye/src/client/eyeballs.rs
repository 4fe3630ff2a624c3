//! Happy Eyeballs version 2 (RFC 8305): the order of addresses, and the race of attempts.
//!
//! It opens no socket: what an attempt does is the caller's.

use std::{collections::VecDeque, future::Future, net::SocketAddr, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::Instant;

/// The families in turn, beginning with that of the first address (RFC 8305 §4, with a First
/// Address Family Count of 1); within a family the resolver's order stays, which is that of
/// RFC 6724.
pub(super) fn interleave(names: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = names.first() else { return names };
    let first_is_v4 = first.is_ipv4();
    let (mut preferred, mut other): (VecDeque<_>, VecDeque<_>) =
        names.into_iter().partition(|name| name.is_ipv4() == first_is_v4);
    let mut order = Vec::with_capacity(preferred.len() + other.len());
    while !preferred.is_empty() || !other.is_empty() {
        order.extend(preferred.pop_front());
        order.extend(other.pop_front());
    }
    order
}

/// Starts an attempt for each name, `delay` after the one before or as soon as one fails
/// (RFC 8305 §5), and gives the first success. Each failure goes to `failed`, also if the
/// race is dropped before its end. `None` if all have failed.
///
/// Dropping it, or the first success, drops the attempts under way.
pub(super) async fn race<N: Clone, T, E, F>(
    names: impl IntoIterator<Item = N>,
    delay: Duration,
    attempt: impl Fn(N) -> F,
    failed: &mut Vec<(N, E)>,
) -> Option<T>
where
    F: Future<Output = Result<T, E>>,
{
    let mut waiting = names.into_iter();
    let mut running = FuturesUnordered::new();
    let mut next = waiting.next();
    let mut start_at = Instant::now();
    loop {
        if let Some(name) = next.take_if(|_| Instant::now() >= start_at || running.is_empty()) {
            let outcome = attempt(name.clone());
            running.push(async move { (name, outcome.await) });
            next = waiting.next();
            start_at = Instant::now() + delay;
        }
        tokio::select! {
            biased;
            Some((name, outcome)) = running.next() => match outcome {
                Ok(made) => return Some(made),
                Err(error) => {
                    failed.push((name, error));
                    start_at = Instant::now();
                    if running.is_empty() && next.is_none() {
                        return None;
                    }
                }
            },
            () = tokio::time::sleep_until(start_at), if next.is_some() => {}
            else => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_millis(250);

    fn names(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_families_take_turns_and_keep_their_own_order() {
        let mixed = names(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]);
        let order = names(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]);
        assert_eq!(interleave(mixed), order);
        let v4_first = names(&["1.1.1.1:1", "2.2.2.2:1", "[::1]:1"]);
        assert_eq!(interleave(v4_first), names(&["1.1.1.1:1", "[::1]:1", "2.2.2.2:1"]));
        assert_eq!(interleave(Vec::new()), Vec::new());
    }

    /// Attempts that take a time and then end as told; the names are their own plan.
    type Plan = (u64, Result<(), ()>);

    /// The index of the winner, the failures in their order, and the time it took.
    async fn run(plan: &[Plan]) -> (Option<usize>, Vec<usize>, Duration) {
        let began = Instant::now();
        let mut failed = Vec::new();
        let attempt = |index: usize| async move {
            let (millis, outcome) = plan[index];
            tokio::time::sleep(Duration::from_millis(millis)).await;
            outcome.map(|()| index)
        };
        let winner = race(0..plan.len(), DELAY, attempt, &mut failed).await;
        (winner, failed.into_iter().map(|(index, ())| index).collect(), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_quick_first_address_wins_alone() {
        assert_eq!(run(&[(10, Ok(())), (0, Ok(()))]).await, (Some(0), vec![], ms(10)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_is_overtaken_after_the_delay() {
        assert_eq!(run(&[(10_000, Ok(())), (20, Ok(()))]).await, (Some(1), vec![], ms(270)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_first_address_can_still_win() {
        assert_eq!(run(&[(300, Ok(())), (500, Ok(()))]).await, (Some(0), vec![], ms(300)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_starts_the_next_attempt_at_once() {
        let plan = [(5, Err(())), (5, Err(())), (5, Ok(()))];
        assert_eq!(run(&plan).await, (Some(2), vec![0, 1], ms(15)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_failure_brings_the_next_attempt_forward() {
        // The second starts at 250 ms, the first fails at 300 ms: the third starts then, not at 500.
        let plan = [(300, Err(())), (10_000, Ok(())), (10, Ok(()))];
        assert_eq!(run(&plan).await, (Some(2), vec![0], ms(310)));
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_have_failed_each_failure_is_there() {
        let plan = [(400, Err(())), (10, Err(())), (0, Err(()))];
        assert_eq!(run(&plan).await, (None, vec![1, 2, 0], ms(400)));
        assert_eq!(run(&[]).await, (None, vec![], ms(0)));
    }

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }
}
