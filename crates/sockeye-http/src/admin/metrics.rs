//! The metrics: one table of names, kinds and help, and the text that is made of what was measured.

use std::fmt::Write as _;

/// What a metric's value does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows, until the process ends.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name, with the unit at its end.
    pub name: &'static str,
    /// What its value does.
    pub kind: MetricKind,
    /// What it tells.
    pub help: &'static str,
    /// The labels by which its values are told apart.
    pub labels: &'static [&'static str],
}

macro_rules! metrics {
    ($( $(#[doc = $help:literal])+ $constant:ident: $kind:ident $name:literal [$($label:literal),*]; )+) => {
        impl Metric {
            $(
                $(#[doc = $help])+
                pub const $constant: Self = Self {
                    name: $name,
                    kind: MetricKind::$kind,
                    help: concat!($($help),+),
                    labels: &[$($label),*],
                };
            )+
        }

        /// Every metric there is, in the order in which they are told.
        pub const METRICS: &[Metric] = &[$(Metric::$constant),+];
    };
}

metrics! {
    /// Whether the node can serve: 1, or 0.
    READY: Gauge "sockeye_ready" [];
    /// Seconds since the node was opened.
    UPTIME: Gauge "sockeye_uptime_seconds" [];
    /// Open listeners.
    LISTENERS: Gauge "sockeye_listeners" ["protocol"];
    /// Connections being handled now.
    CONNECTIONS: Gauge "sockeye_connections" ["protocol", "listener"];
    /// Connections accepted, refused ones included.
    ACCEPTED: Counter "sockeye_connections_accepted_total" ["protocol", "listener"];
    /// Connections refused, by why.
    REFUSED: Counter "sockeye_connections_refused_total" ["protocol", "listener", "reason"];
    /// Connections that ended badly, by why.
    FAILED: Counter "sockeye_connections_failed_total" ["protocol", "listener", "reason"];
    /// Bytes received, without TLS.
    RECEIVED: Counter "sockeye_received_bytes_total" ["protocol", "listener"];
    /// Bytes sent, without TLS.
    SENT: Counter "sockeye_sent_bytes_total" ["protocol", "listener"];
    /// HTTP requests answered, by method and by the first digit of the status.
    REQUESTS: Counter "sockeye_http_requests_total" ["method", "status"];
    /// Logins, by outcome.
    LOGINS: Counter "sockeye_logins_total" ["outcome"];
    /// Whether the journal takes records: 1, or 0 where it is stalled and the node is read-only.
    JOURNAL_WRITING: Gauge "sockeye_journal_writing" [];
    /// The number of the journal's last line that is written.
    JOURNAL_RECORDS: Counter "sockeye_journal_lines_total" [];
    /// Lines that wait to be written.
    JOURNAL_WAITING: Gauge "sockeye_journal_waiting_lines" [];
    /// What was done in sessions, by operation and outcome: over-quota and no-space are refusals for lack of room.
    OPERATIONS: Counter "sockeye_operations_total" ["operation", "outcome"];
    /// FTP clients refused (425) as all ports of ftp.passive-ports were lent.
    WANTING_PORTS: Counter "sockeye_ftp_wanting_ports_total" [];
    /// Homes that are open.
    HOMES: Gauge "sockeye_open_homes" [];
    /// Work that waits for a thread that may wait for the disk.
    POOL_WAITING: Gauge "sockeye_pool_waiting" [];
    /// Memory that is resident.
    MEMORY: Gauge "process_resident_memory_bytes" [];
    /// Memory that is mapped.
    VIRTUAL_MEMORY: Gauge "process_virtual_memory_bytes" [];
    /// Open file descriptors.
    DESCRIPTORS: Gauge "process_open_fds" [];
    /// File descriptors that may be open.
    MAX_DESCRIPTORS: Gauge "process_max_fds" [];
    /// Threads.
    THREADS: Gauge "process_threads" [];
    /// Time on processors, in user and in kernel mode.
    PROCESSOR: Counter "process_cpu_seconds_total" [];
}

/// What was measured.
#[derive(Debug, Default)]
pub struct Measures(Vec<(usize, String)>);

impl Measures {
    /// Adds a value of `metric`; `labels` are the values of its labels, in order.
    pub fn add(&mut self, metric: &Metric, labels: &[&str], value: impl Into<Value>) {
        debug_assert_eq!(metric.labels.len(), labels.len(), "{}", metric.name);
        let Some(row) = METRICS.iter().position(|known| known == metric) else { return };
        let mut line = String::from(metric.name);
        for (at, (name, value)) in metric.labels.iter().zip(labels).enumerate() {
            line.push_str(if at == 0 { "{" } else { "," });
            let _ = write!(line, "{name}=\"");
            escape(&mut line, value);
            line.push('"');
        }
        if !metric.labels.is_empty() {
            line.push('}');
        }
        let _ = match value.into() {
            Value::Whole(number) => writeln!(line, " {number}"),
            Value::Seconds(seconds) => writeln!(line, " {seconds:.3}"),
        };
        self.0.push((row, line));
    }

    /// The text that Prometheus reads: each metric with its help and its kind, in the order of the table.
    #[must_use]
    pub fn exposition(mut self) -> String {
        self.0.sort_by_key(|(row, _)| *row);
        let (mut out, mut last) = (String::new(), None);
        for (row, line) in self.0 {
            if last.replace(row) != Some(row) {
                let Metric { name, help, kind, .. } = METRICS[row];
                let kind = match kind {
                    MetricKind::Counter => "counter",
                    MetricKind::Gauge => "gauge",
                };
                let _ = writeln!(out, "# HELP {name} {}\n# TYPE {name} {kind}", help.trim());
            }
            out.push_str(&line);
        }
        out
    }
}

/// A value of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A number of something.
    Whole(u64),
    /// A time.
    Seconds(f64),
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Whole(number as u64)
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Whole(yes.into())
    }
}

impl From<std::time::Duration> for Value {
    fn from(time: std::time::Duration) -> Self {
        Self::Seconds(time.as_secs_f64())
    }
}

fn escape(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use super::*;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let mut measures = Measures::default();
        measures.add(&Metric::PROCESSOR, &[], Duration::from_millis(1500));
        measures.add(&Metric::CONNECTIONS, &["http", "unix:///a\"b\\\n"], 3u64);
        measures.add(&Metric::READY, &[], true);
        measures.add(&Metric::CONNECTIONS, &["admin", "tcp://127.0.0.1:1"], 0u64);
        assert_eq!(
            measures.exposition(),
            "# HELP sockeye_ready Whether the node can serve: 1, or 0.\n\
             # TYPE sockeye_ready gauge\n\
             sockeye_ready 1\n\
             # HELP sockeye_connections Connections being handled now.\n\
             # TYPE sockeye_connections gauge\n\
             sockeye_connections{protocol=\"http\",listener=\"unix:///a\\\"b\\\\\\n\"} 3\n\
             sockeye_connections{protocol=\"admin\",listener=\"tcp://127.0.0.1:1\"} 0\n\
             # HELP process_cpu_seconds_total Time on processors, in user and in kernel mode.\n\
             # TYPE process_cpu_seconds_total counter\n\
             process_cpu_seconds_total 1.500\n"
        );
    }

    #[test]
    fn names_are_distinct_and_say_what_they_count() {
        let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), METRICS.len());
        for Metric { name, kind, help, labels } in METRICS {
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == MetricKind::Counter, "{name}");
            assert!(help.ends_with('.') && !help.contains('\n'), "{name}");
            assert!(labels.iter().all(|label| !label.is_empty()), "{name}");
        }
    }
}
