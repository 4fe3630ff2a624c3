//! The check at start: what in this system's settings will bite first under load.

use std::fs;

use rustix::process::{Resource, getrlimit};

use super::Limits;
use crate::Model;

/// Descriptors kept free for files, logs and the rest.
const SPARE_DESCRIPTORS: u64 = 64;

/// The accept queue that a busy listener wants.
const WANTED_SOMAXCONN: u64 = 1024;

/// A setting of the system that is lower than the server may need, and how to raise it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advice {
    /// What is low.
    pub what: &'static str,
    /// What it is now.
    pub now: u64,
    /// What the server may need.
    pub wanted: u64,
    /// How to raise it.
    pub remedy: &'static str,
}

impl std::fmt::Display for Advice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, now, wanted, remedy } = self;
        write!(f, "{what} is {now}, {wanted} may be needed: {remedy}")
    }
}

/// Compares the system's settings with what a server under these limits may need.
#[must_use]
pub fn advise(limits: &Limits) -> Vec<Advice> {
    let mut advice = Vec::new();
    let wanted = limits.max_connections as u64 + SPARE_DESCRIPTORS;
    if let Some(now) = getrlimit(Resource::Nofile).current.filter(|&now| now < wanted) {
        advice.push(Advice {
            what: "the limit on open files",
            now,
            wanted,
            remedy: "raise it with LimitNOFILE= in the unit or ulimit -n, or lower max_connections",
        });
    }
    let somaxconn = fs::read_to_string("/proc/sys/net/core/somaxconn")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    if let Some(now) = somaxconn.filter(|&now| now < WANTED_SOMAXCONN) {
        advice.push(Advice {
            what: "the longest accept queue",
            now,
            wanted: WANTED_SOMAXCONN,
            remedy: "raise it with sysctl net.core.somaxconn",
        });
    }
    advice
}

/// The same for a server under a model, which may run fewer connections than the limits allow.
pub(super) fn advise_under(model: Model, limits: &Limits) -> Vec<Advice> {
    let capacity = model.capacity().unwrap_or(usize::MAX);
    let max_connections = limits.max_connections.min(capacity);
    advise(&Limits { max_connections, ..limits.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_of_few_is_not_told_of_files_that_it_never_opens() {
        let limits = Limits { max_connections: usize::MAX >> 1, ..Limits::default() };
        let told = |model| {
            let advice = advise_under(model, &limits);
            advice.iter().any(|advice| advice.what.contains("open files"))
        };
        assert!(told(Model::Tasks));
        assert!(!told(Model::Iterative) && !told(Model::Prefork(2)));
    }

    #[test]
    fn a_low_limit_on_open_files_is_named_with_its_remedy() {
        let limits = Limits { max_connections: usize::MAX >> 1, ..Limits::default() };
        let advice = advise(&limits);
        let files = advice.iter().find(|advice| advice.what.contains("open files")).unwrap();
        assert!(files.now < files.wanted && files.to_string().contains("LimitNOFILE"));
    }
}
