//! What a server did, told when it stops.

use std::{fmt, ops::AddAssign, time::Duration};

use super::{Stats, registry::OpenConnection};

/// How a server ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The counters at the end.
    pub stats: Stats,
    /// The connections that the drain deadline, or a second signal, cut: all that were accepted and
    /// had not ended. Under [`Model::Prefork`](crate::Model::Prefork) that is one for each worker at
    /// most, as a worker accepts the next connection only when it is done with the one before, and
    /// the rest wait in the backlog.
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
            write!(f, "{}", counted(accepted, "connection"))?;
            let ends: Vec<_> = self.ends().map(|(count, what)| format!("{count} {what}")).collect();
            if !ends.is_empty() {
                write!(f, " ({})", ends.join(", "))?;
            }
        }
        if packets > 0 {
            let and = if accepted > 0 { " and " } else { "" };
            write!(f, "{and}{}", counted(packets, "datagram"))?;
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
    /// How connections ended, those that simply completed aside: nothing if all did.
    fn ends(&self) -> impl Iterator<Item = (u64, &'static str)> {
        let stats = &self.stats;
        let refused = stats.refused_per_ip
            + stats.refused_by_verify
            + stats.refused_no_descriptors
            + stats.refused_no_worker;
        let others = [
            (stats.errors_peer_gone, "left by the client"),
            (stats.errors_deadline, "silent for too long"),
            (stats.errors_handshake, "turned away at the handshake"),
            (refused, "refused"),
            (stats.errors_handler, "failed"),
            (stats.panics + stats.crashes, "crashed"),
        ];
        let any = others.iter().any(|(count, _)| *count > 0);
        let completed = any.then_some((stats.completed, "completed"));
        completed.into_iter().chain(others).filter(|(count, _)| *count > 0)
    }
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
    fn a_report_names_what_the_server_served() {
        let text = |accepted, failed, packets| {
            let completed = accepted - failed;
            let errors_handler = failed;
            let stats = Stats { accepted, completed, errors_handler, packets, ..Stats::default() };
            Report { stats, cut: Vec::new(), drained_in: Duration::ZERO }.to_string()
        };
        let rest = "; drained in 0 ms";
        let cases = [
            (text(0, 0, 0), "0 connections"),
            (text(1, 0, 0), "1 connection"),
            (text(0, 0, 2), "2 datagrams"),
            (text(3, 1, 1), "3 connections (2 completed, 1 failed) and 1 datagram"),
        ];
        for (text, expected) in cases {
            assert_eq!(text, format!("stopped after {expected}{rest}"));
        }
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
