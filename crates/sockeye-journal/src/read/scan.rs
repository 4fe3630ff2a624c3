//! Looking through the bytes of a segment for the lines that a query wants.

use std::{
    io::{self, Read},
    ops::ControlFlow,
};

use memchr::{memchr, memrchr};

use super::{
    Broken, Found,
    query::{Match, Plan},
};
use crate::wire::MAX_LINE;

/// How much is looked through at once, in bytes.
const CHUNK: usize = 512 * 1024;

/// Looks through segments, one after the other.
pub(super) struct Scan {
    buffer: Vec<u8>,
}

/// What is called for each line that is found, and decides whether to go on.
pub(super) type Each<'e> = &'e mut dyn FnMut(Found<'_>) -> ControlFlow<()>;

impl Scan {
    pub(super) fn new() -> Self {
        Self { buffer: vec![0; CHUNK] }
    }

    /// Looks through a segment from where it stands, which is `offset`, up to its last whole line, and
    /// gives where that ends.
    pub(super) fn segment(
        &mut self,
        segment: u64,
        mut offset: u64,
        mut from: impl Read,
        plan: &Plan,
        each: Each<'_>,
    ) -> io::Result<u64> {
        let mut filled = 0;
        // Within a line that is longer than lines can be, and was told of.
        let mut skipping = false;
        loop {
            let read = match from.read(&mut self.buffer[filled..]) {
                Ok(0) => return Ok(offset),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            filled += read;
            let mut lines = match memrchr(b'\n', &self.buffer[..filled]) {
                Some(last) => &self.buffer[..=last],
                None if filled < MAX_LINE => continue,
                None => {
                    if !skipping && each(broken(segment, offset)).is_break() {
                        return Ok(offset);
                    }
                    skipping = true;
                    offset += filled as u64;
                    filled = 0;
                    continue;
                }
            };
            let used = lines.len();
            let mut at = offset;
            if skipping && let Some(end) = memchr(b'\n', lines) {
                lines = &lines[end + 1..];
                at += end as u64 + 1;
                skipping = false;
            }
            if lines_of(lines, segment, at, plan, each).is_break() {
                return Ok(offset + used as u64);
            }
            offset += used as u64;
            self.buffer.copy_within(used..filled, 0);
            filled -= used;
        }
    }
}

/// Looks through whole lines.
fn lines_of(
    lines: &[u8],
    segment: u64,
    offset: u64,
    plan: &Plan,
    each: Each<'_>,
) -> ControlFlow<()> {
    let mut at = 0;
    while at < lines.len() {
        let rest = &lines[at..];
        let start = match plan.needle() {
            Some(needle) => match needle.find(rest) {
                Some(found) => memrchr(b'\n', &rest[..found]).map_or(0, |end| end + 1),
                None => return ControlFlow::Continue(()),
            },
            None => 0,
        };
        let line = &rest[start..];
        let end = memchr(b'\n', line).unwrap_or(line.len());
        let line = &line[..end];
        match plan.test(line) {
            Match::Wanted(entry) => each(Found::Entry(&entry, line))?,
            Match::Other => {}
            Match::Broken => each(broken(segment, offset + (at + start) as u64))?,
        }
        at += start + end + 1;
    }
    ControlFlow::Continue(())
}

fn broken(segment: u64, offset: u64) -> Found<'static> {
    Found::Broken(Broken { segment, offset })
}
