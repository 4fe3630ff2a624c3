//! What a server did, told when it stops.

use std::{fmt, time::Duration};

use super::{Stats, registry::OpenConnection};

/// How a server ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The counters at the end.
    pub stats: Stats,
    /// The connections that the drain deadline, or a second signal, cut.
    pub cut: Vec<OpenConnection>,
    /// How long the drain took.
    pub drained_in: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stats { completed, accepted, packets, .. } = self.stats;
        write!(f, "stopped after {accepted} connections ({completed} without error)")?;
        if packets > 0 {
            write!(f, " and {packets} datagrams")?;
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

/// Most cut connections that the printed form names.
const MOST_NAMED: usize = 10;
