//! The result of a measurement: names and numbers, printed as one line of JSON.

use std::{fmt, time::Duration};

use crate::latency::Latencies;

/// Names and numbers, in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<(&'static str, f64)>);

impl Report {
    /// What every load reports: how many a second, how long each took, how many went wrong.
    pub(crate) fn of_load(count: u64, took: Duration, latencies: &Latencies, errors: u64) -> Self {
        Self::default()
            .with("per_second", precise(count) / took.as_secs_f64())
            .with("count", precise(count))
            .with("p50_us", latencies.quantile(0.5).as_secs_f64() * 1e6)
            .with("p99_us", latencies.quantile(0.99).as_secs_f64() * 1e6)
            .with("errors", precise(errors))
    }

    pub(crate) fn with(mut self, name: &'static str, value: f64) -> Self {
        self.0.push((name, value));
        self
    }
}

/// A count as a number: exact up to 2⁵³, which no measurement reaches.
#[expect(clippy::cast_precision_loss, reason = "no measurement counts to 2⁵³")]
pub(crate) fn precise(count: u64) -> f64 {
    count as f64
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = '{';
        for (name, value) in &self.0 {
            write!(f, "{before}\"{name}\":{value:.3}")?;
            before = ',';
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_one_line_of_json() {
        let report = Report::default().with("per_second", 1500.0).with("errors", 0.0);
        assert_eq!(report.to_string(), r#"{"per_second":1500.000,"errors":0.000}"#);
    }
}
