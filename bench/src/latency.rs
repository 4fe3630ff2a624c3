//! How long things took: a histogram with buckets of at most 1/32 of their value.

use std::time::Duration;

/// Bits of a value that are kept below its leading one.
const BITS: u32 = 5;
const STEPS: usize = 1 << BITS;

/// Durations counted in buckets; recording one costs a few instructions and no memory.
#[derive(Debug)]
pub(crate) struct Latencies {
    buckets: Vec<u64>,
    count: u64,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        Self { buckets: vec![0; (65 - BITS as usize) * STEPS], count: 0 }
    }

    pub(crate) fn record(&mut self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanos)] += 1;
        self.count += 1;
    }

    /// The time within which that share (0 to 1) of all things were done: the lower edge of its bucket.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let mut left = share * crate::report::precise(self.count);
        for (index, &count) in self.buckets.iter().enumerate() {
            left -= crate::report::precise(count);
            if count > 0 && left <= 0.0 {
                return Duration::from_nanos(edge(index));
            }
        }
        Duration::ZERO
    }
}

/// Values below 32 have a bucket each; above, each power of two has 32.
fn bucket(nanos: u64) -> usize {
    let magnitude = nanos.max(1).ilog2();
    let shift = magnitude.saturating_sub(BITS);
    let step = usize::try_from(nanos >> shift).unwrap_or(usize::MAX);
    shift as usize * STEPS + step
}

/// The smallest value of a bucket.
fn edge(index: usize) -> u64 {
    let shift = (index / STEPS).saturating_sub(1);
    let step = (index - shift * STEPS) as u64;
    step << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_values_to_a_thirtysecond() {
        for nanos in [0, 1, 31, 32, 33, 63, 64, 1000, 123_456_789, u64::MAX] {
            let edge = edge(bucket(nanos));
            assert!(edge <= nanos && nanos - edge <= nanos / 32, "{nanos}: {edge}");
        }
    }

    #[test]
    fn quantiles_are_where_they_should_be() {
        let mut latencies = Latencies::new();
        for micros in 1..=100 {
            latencies.record(Duration::from_micros(micros));
        }
        let near = |share: f64, micros: u64| {
            let quantile = latencies.quantile(share);
            let expected = Duration::from_micros(micros);
            assert!(quantile <= expected && quantile >= expected * 31 / 32, "{quantile:?}");
        };
        near(0.5, 50);
        near(0.99, 99);
        assert_eq!(Latencies::new().quantile(0.5), Duration::ZERO);
    }
}
