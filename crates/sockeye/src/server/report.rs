//! What a server did, told when it stops.

use std::{fmt, ops::AddAssign, time::Duration};

use super::{Stats, registry::OpenConnection};

/// How a server ended.
///
/// Its text is one line: `stopped after 10 connections (7 completed, 1 failed, 1 crashed, 1 cut) and
/// 9 datagrams; drained in 3001 ms; cut 1: 127.0.0.1:48210 (3 s)`. What stands in brackets tells how
/// all of them ended, and is left out where all completed; `crashed` are those whose handler panicked
/// and those whose process died, `left by the client` those that [`Stats`] calls `peer_gone`. That some were cut is no error:
/// a program that is to end with another code then looks at [`cut`](Self::cut) and at
/// [`Stats::packets_cut`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The counters at the end.
    pub stats: Stats,
    /// The connections that the drain deadline, or a second signal, cut: all that were accepted and
    /// had not ended. Under [`Model::Prefork`](crate::Model::Prefork) that is one for each worker at
    /// most, as a worker accepts the next connection only when it is done with the one before, and
    /// the rest wait in the backlog. Datagrams that were cut have a count,
    /// [`Stats::packets_cut`], and a line each in the log.
    pub cut: Vec<OpenConnection>,
    /// How long the drain took.
    pub drained_in: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stats { accepted, packets, .. } = self.stats;
        f.write_str("stopped after ")?;
        // A server of datagrams alone accepts nothing, and need not say so.
        if accepted > 0 || packets == 0 {
            write!(
                f,
                "{}{}",
                counted(accepted, "connection"),
                ends(self.stats.completed, &self.ends())
            )?;
        }
        if packets > 0 {
            let and = if accepted > 0 { " and " } else { "" };
            let ends = ends(self.stats.packets_completed, &self.packet_ends());
            write!(f, "{and}{}{ends}", counted(packets, "datagram"))?;
        }
        write!(f, "; drained in {} ms", self.drained_in.as_millis())?;
        if !self.cut.is_empty() {
            write!(f, "; cut {}:", self.cut.len())?;
            for conn in self.cut.iter().take(MOST_NAMED) {
                write!(f, " {} ({} s)", conn.peer, conn.age.as_secs())?;
            }
            if self.cut.len() > MOST_NAMED {
                write!(f, " and {} more", self.cut.len() - MOST_NAMED)?;
            }
        }
        Ok(())
    }
}

/// Several servers that were drained together: what all of them did, and the longest drain.
impl AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.stats += other.stats;
        self.cut.extend(other.cut);
        self.drained_in = self.drained_in.max(other.drained_in);
    }
}

impl Report {
    /// What is told when a server has ended. Whatever has not let go by then counts as cut.
    pub(super) fn at_end(stats: Stats, cut: Vec<OpenConnection>, drained_in: Duration) -> Self {
        let stats = Stats {
            cut: stats.cut.max(cut.len() as u64),
            packets_cut: stats.packets_cut + stats.packets_active,
            packets_active: 0,
            ..stats
        };
        Self { stats, cut, drained_in }
    }

    /// How connections ended that did not simply complete.
    const fn ends(&self) -> [(u64, &'static str); 7] {
        let stats = &self.stats;
        let refused = stats.refused_per_ip
            + stats.refused_by_verify
            + stats.refused_no_descriptors
            + stats.refused_no_worker;
        [
            (stats.errors_peer_gone, "left by the client"),
            (stats.errors_deadline, "silent for too long"),
            (stats.errors_handshake, "turned away at the handshake"),
            (refused, "refused"),
            (stats.errors_handler, "failed"),
            (stats.panics + stats.errors_crash, "crashed"),
            (stats.cut, "cut"),
        ]
    }

    /// The same of datagrams.
    const fn packet_ends(&self) -> [(u64, &'static str); 6] {
        let stats = &self.stats;
        [
            (stats.packets_oversized, "too long"),
            (stats.packets_shed, "dropped for want of room"),
            (stats.packets_refused, "refused"),
            (stats.packets_failed, "failed"),
            (stats.packets_panicked + stats.packets_crashed, "crashed"),
            (stats.packets_cut, "cut"),
        ]
    }
}

/// How many ended how, in brackets: nothing if all simply completed.
fn ends(completed: u64, others: &[(u64, &str)]) -> String {
    if others.iter().all(|(count, _)| *count == 0) {
        return String::new();
    }
    let all = [(completed, "completed")].into_iter().chain(others.iter().copied());
    let told = all.filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    format!(" ({})", told.collect::<Vec<_>>().join(", "))
}

fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Most cut connections that the printed form names.
const MOST_NAMED: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_what_the_server_served_and_adds_up() {
        let text = |accepted, packets, stats| {
            let stats = Stats { accepted, packets, ..stats };
            Report { stats, cut: Vec::new(), drained_in: Duration::ZERO }.to_string()
        };
        let none = Stats::default();
        let rest = "; drained in 0 ms";
        let cases = [
            (text(0, 0, none), "0 connections"),
            (text(1, 0, Stats { completed: 1, ..none }), "1 connection"),
            (text(0, 2, Stats { packets_completed: 2, ..none }), "2 datagrams"),
            (
                text(3, 1, Stats { completed: 2, errors_handler: 1, packets_completed: 1, ..none }),
                "3 connections (2 completed, 1 failed) and 1 datagram",
            ),
            (
                // A worker that was killed while it was idle takes no connection with it.
                text(4, 0, Stats { completed: 2, panics: 1, errors_crash: 1, crashes: 2, ..none }),
                "4 connections (2 completed, 2 crashed)",
            ),
            (
                text(
                    0,
                    6,
                    Stats { packets_failed: 1, packets_panicked: 2, packets_cut: 3, ..none },
                ),
                "6 datagrams (1 failed, 2 crashed, 3 cut)",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(text, format!("stopped after {expected}{rest}"));
        }
    }

    #[test]
    fn what_has_not_let_go_at_the_end_counts_as_cut() {
        let stats = Stats { packets: 3, packets_cut: 1, packets_active: 2, ..Stats::default() };
        let report = Report::at_end(stats, Vec::new(), Duration::ZERO);
        assert_eq!(report.to_string(), "stopped after 3 datagrams (3 cut); drained in 0 ms");
        assert_eq!(report.stats.packets_active, 0);
    }

    #[test]
    fn reports_of_several_servers_are_one() {
        let report = |accepted, seconds| Report {
            stats: Stats { accepted, completed: accepted, ..Stats::default() },
            cut: Vec::new(),
            drained_in: Duration::from_secs(seconds),
        };
        let mut all = report(1, 3);
        all += report(2, 1);
        assert_eq!(all.to_string(), "stopped after 3 connections; drained in 3000 ms");
    }
}
