//! How fast bytes may go: limits on bandwidth, shared by all that go through the same bucket.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// How long a bucket that was not used can be drawn on ahead.
const BURST: Duration = Duration::from_millis(250);

/// Bytes that go at once are at most those of so much time, so that a slow limit is a slow stream and not a
/// row of bursts.
const SLICE: Duration = Duration::from_millis(100);

/// Fewest bytes that go at once.
const LEAST: u64 = 1024;

/// A limit in bytes a second that can be changed while it holds; none at first.
///
/// Whoever takes bytes is given the moment at which they may go (the virtual scheduling of GCRA, ITU-T
/// I.371 appendix): nobody queues here, and two takers never get the same stretch of time.
#[derive(Debug)]
pub struct Bucket {
    /// Bytes a second; 0 is without limit.
    rate: AtomicU64,
    /// Nanoseconds from `origin` to when all that was taken will have gone.
    gone: AtomicU64,
    origin: Instant,
}

impl Bucket {
    /// A bucket with this limit in bytes a second.
    #[must_use]
    pub fn new(rate: Option<u64>) -> Self {
        let bucket =
            Self { rate: AtomicU64::new(0), gone: AtomicU64::new(0), origin: Instant::now() };
        bucket.set_rate(rate);
        bucket
    }

    /// Sets the limit in bytes a second, for what is taken from now on; 0 bytes count as one.
    pub fn set_rate(&self, rate: Option<u64>) {
        self.rate.store(rate.map_or(0, |rate| rate.max(1)), Ordering::Relaxed);
    }

    fn rate(&self) -> Option<u64> {
        Some(self.rate.load(Ordering::Relaxed)).filter(|rate| *rate > 0)
    }

    /// Takes `bytes`; when they may go, if not at once.
    fn take(&self, bytes: u64) -> Option<Instant> {
        let rate = self.rate()?;
        let now = nanos(self.origin.elapsed());
        let cost = u128::from(bytes) * 1_000_000_000 / u128::from(rate);
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        let earliest = now.saturating_sub(nanos(BURST));
        let begins = |gone: u64| gone.max(earliest);
        let taken = self.gone.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |gone| {
            Some(begins(gone).saturating_add(cost))
        });
        // The update always takes place.
        let start = begins(taken.unwrap_or_else(|gone| gone));
        (start > now).then(|| self.origin + Duration::from_nanos(start))
    }
}

/// The buckets that a session's bytes go through. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    buckets: Vec<Arc<Bucket>>,
}

impl Pace {
    /// Through all of these.
    #[must_use]
    pub fn through(buckets: impl IntoIterator<Item = Arc<Bucket>>) -> Self {
        Self { buckets: buckets.into_iter().collect() }
    }

    /// Waits until so many bytes may have gone.
    ///
    /// Cancellation: what was taken is lost to the others, and nothing else.
    pub async fn carry(&self, mut bytes: u64) {
        while bytes > 0 {
            bytes = bytes.saturating_sub(self.pass(bytes).await);
        }
    }

    /// Waits until some of `wanted` bytes may go, and says how many: at least one if one is wanted.
    ///
    /// Cancellation: what was taken is lost to the others, and nothing else.
    pub(crate) async fn pass(&self, wanted: u64) -> u64 {
        let Some(slowest) = self.buckets.iter().filter_map(|bucket| bucket.rate()).min() else {
            return wanted;
        };
        let slice = u128::from(slowest) * SLICE.as_nanos() / 1_000_000_000;
        let bytes = wanted.min(u64::try_from(slice).unwrap_or(u64::MAX).max(LEAST));
        if let Some(at) = self.buckets.iter().filter_map(|bucket| bucket.take(bytes)).max() {
            tokio::time::sleep_until(at).await;
        }
        bytes
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_shares_a_bucket_keeps_its_rate_together() {
        let shared = Arc::new(Bucket::new(Some(1_000_000)));
        let [one, another] = [(); 2].map(|()| Pace::through([Arc::clone(&shared)]));
        let begun = Instant::now();
        tokio::join!(one.carry(1_000_000), another.carry(1_000_000));
        let took = begun.elapsed().as_millis();
        assert!((1600..=2100).contains(&took), "2 MB at 1 MB/s took {took} ms");
    }

    #[tokio::test(start_paused = true)]
    async fn the_slowest_of_several_decides_and_a_change_holds_at_once() {
        let (fast, slow) =
            (Arc::new(Bucket::new(Some(1 << 30))), Arc::new(Bucket::new(Some(10_000))));
        let pace = Pace::through([fast, Arc::clone(&slow)]);
        let begun = Instant::now();
        pace.carry(20_000).await;
        let took = begun.elapsed().as_millis();
        assert!((1600..=2100).contains(&took), "20 kB at 10 kB/s took {took} ms");
        slow.set_rate(None);
        let begun = Instant::now();
        pace.carry(1 << 30).await;
        assert!(begun.elapsed() < Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_waits_and_everything_goes_at_once() {
        let pace = Pace::through([Arc::new(Bucket::new(None))]);
        let begun = Instant::now();
        assert_eq!(pace.pass(u64::MAX).await, u64::MAX);
        assert_eq!(Pace::default().pass(0).await, 0);
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn the_slowest_limit_there_is_still_lets_bytes_pass() {
        let bucket = Bucket::new(Some(0));
        let pace = Pace::through([Arc::new(bucket)]);
        assert_eq!(pace.pass(10).await, 10);
        assert_eq!(pace.pass(u64::MAX).await, LEAST);
    }
}
