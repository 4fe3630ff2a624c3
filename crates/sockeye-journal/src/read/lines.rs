//! A segment read line by line, from its beginning; no line is kept that is longer than lines can be.

use std::io::{self, Read};

use crate::wire::MAX_LINE;

/// How much is read at once, in bytes.
const CHUNK: usize = 512 * 1024;

/// Reads lines.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    from: R,
    buffer: Vec<u8>,
    /// The part of the buffer that is still to be given.
    start: usize,
    end: usize,
    /// Where in the file that part begins.
    offset: u64,
    at_end: bool,
}

/// What stands between two line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// A line, without its end.
    Whole(&'a [u8]),
    /// A line that is longer than any can be; so many bytes, with its end if it has one.
    TooLong,
    /// The last part of the file, which has no line end: it is being written, or was torn.
    Torn(&'a [u8]),
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(from: R) -> Self {
        Self { from, buffer: vec![0; CHUNK], start: 0, end: 0, offset: 0, at_end: false }
    }

    /// Where the next line begins, in bytes from the beginning of the file.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next line; nothing at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut looked = 0;
        loop {
            let rest = &self.buffer[self.start + looked..self.end];
            if let Some(at) = memchr::memchr(b'\n', rest) {
                let (from, length) = (self.start, looked + at);
                self.advance(length + 1);
                let line = &self.buffer[from..from + length];
                let is_line = length < MAX_LINE;
                return Ok(Some(if is_line { Line::Whole(line) } else { Line::TooLong }));
            }
            looked = self.end - self.start;
            if looked >= MAX_LINE {
                self.skip_line()?;
                return Ok(Some(Line::TooLong));
            }
            if self.at_end {
                let from = self.start;
                self.advance(looked);
                let torn = &self.buffer[from..from + looked];
                return Ok((looked > 0).then_some(Line::Torn(torn)));
            }
            self.fill()?;
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// Passes over the rest of a line.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.start..self.end]) {
                self.advance(at + 1);
                return Ok(());
            }
            self.advance(self.end - self.start);
            if self.at_end {
                return Ok(());
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        loop {
            match self.from.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    self.at_end = read == 0;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(buffer.len());
            self.0.read(&mut buffer[..length])
        }
    }

    fn all(bytes: &[u8], at_once: usize) -> Vec<(u64, String)> {
        let mut lines = Lines::new(Slow(bytes, at_once));
        let mut all = Vec::new();
        loop {
            let at = lines.offset();
            let Some(line) = lines.next().unwrap() else { return all };
            all.push((
                at,
                match line {
                    Line::Whole(line) => String::from_utf8(line.to_vec()).unwrap(),
                    Line::TooLong => "too long".to_owned(),
                    Line::Torn(part) => format!("torn {}", part.len()),
                },
            ));
        }
    }

    #[test]
    fn lines_come_whole_whatever_pieces_the_file_is_read_in() {
        let long = "x".repeat(MAX_LINE);
        let longest = "y".repeat(MAX_LINE - 1);
        let text = format!("a\n\n{long}\nb\n{longest}\n{long}{long}\nrest");
        let expected = [
            (0, "a"),
            (2, ""),
            (3, "too long"),
            (MAX_LINE as u64 + 4, "b"),
            (MAX_LINE as u64 + 6, &longest),
            (2 * MAX_LINE as u64 + 6, "too long"),
            (4 * MAX_LINE as u64 + 7, "torn 4"),
        ];
        for at_once in [7, 1000, CHUNK] {
            let lines = all(text.as_bytes(), at_once);
            let lines: Vec<_> = lines.iter().map(|(at, line)| (*at, &**line)).collect();
            assert_eq!(lines, expected, "{at_once} at once");
        }
        assert_eq!(all(b"", 1), []);
        assert_eq!(all(long.as_bytes(), 1000), [(0, "too long".to_owned())]);
    }
}
