//! The resident memory of a process, as the kernel counts it.

use std::{fs, io};

/// Resident memory of a process, in KiB: exact, and slow to take.
///
/// # Errors
/// If there is no such process, or it may not be looked at.
pub(crate) fn resident_kib(pid: u32) -> io::Result<u64> {
    line(&format!("/proc/{pid}/smaps_rollup"), "Rss:")
}

/// The most that a process has held resident since [`forget_peak`], in KiB.
///
/// # Errors
/// As [`resident_kib`].
pub(crate) fn peak_kib(pid: u32) -> io::Result<u64> {
    line(&format!("/proc/{pid}/status"), "VmHWM:")
}

/// Lets the peak begin anew at what the process holds now (proc(5), `clear_refs`).
///
/// # Errors
/// If there is no such process, or it is somebody else's.
pub(crate) fn forget_peak(pid: u32) -> io::Result<()> {
    const PEAK: &str = "5";
    fs::write(format!("/proc/{pid}/clear_refs"), PEAK)
}

fn line(path: &str, name: &str) -> io::Result<u64> {
    let text = fs::read_to_string(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
    kib(&text, name).ok_or_else(|| io::Error::other(format!("{path} has no line `{name}`")))
}

/// The number in the line that begins so.
fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_is_meant_is_found_and_read() {
        let rollup = "55d0-7ffc ---p 00000000 00:00 0 [rollup]\nRss:        2048 kB\nPss:  1 kB\n";
        assert_eq!(kib(rollup, "Rss:"), Some(2048));
        assert_eq!(kib("Pss: 1 kB\n", "Rss:"), None);
    }

    #[test]
    fn a_process_holds_something_and_never_more_than_its_peak() {
        let own = std::process::id();
        forget_peak(own).unwrap();
        let ballast = vec![1_u8; 8 << 20];
        let held = resident_kib(own).unwrap();
        assert!(held > 8 << 10, "{held} KiB");
        // The kernel gathers the peak's parts from each processor: a few pages may be missing.
        assert!(peak_kib(own).unwrap() + 1024 > held);
        drop(ballast);
    }
}
