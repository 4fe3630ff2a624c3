//! What the kernel says of this process (proc(5)).

use std::{fs, time::Duration};

use super::metrics::{Measures, Metric};

/// Adds what is known; what cannot be read is left out.
pub(super) fn measure(measures: &mut Measures) {
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        let kibibytes = |name| field(&status, name).map(|n| n.saturating_mul(1024));
        for (metric, value) in [
            (&Metric::MEMORY, kibibytes("VmRSS:")),
            (&Metric::VIRTUAL_MEMORY, kibibytes("VmSize:")),
            (&Metric::THREADS, field(&status, "Threads:")),
        ] {
            value.into_iter().for_each(|value| measures.add(metric, &[], value));
        }
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // The one by which they are counted is not counted.
        measures.add(&Metric::DESCRIPTORS, &[], open.count().saturating_sub(1));
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    if let Some(most) = field(&limits, "Max open files") {
        measures.add(&Metric::MAX_DESCRIPTORS, &[], most);
    }
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    if let (Ok(seconds), Ok(nanos)) = (seconds, nanos) {
        measures.add(&Metric::PROCESSOR, &[], Duration::new(seconds, nanos));
    }
}

/// The first number behind `name`, which begins its line.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
