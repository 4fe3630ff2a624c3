//! From what comes on the control connection to lines: Telnet taken out, lines bounded, and those kept that have to wait.

use std::collections::VecDeque;

use crate::wire::{
    line::{Line, Lines},
    telnet,
};

/// Space for decoded bytes that is kept between two reads.
const KEPT: usize = 256;

/// What has come and was not carried out.
#[derive(Debug, Default)]
pub(super) struct Reader {
    telnet: telnet::Decoder,
    lines: Lines,
    /// Decoded, and read up to `at`.
    data: Vec<u8>,
    at: usize,
    /// Lines that came while a transfer ran.
    waiting: VecDeque<Box<[u8]>>,
}

impl Reader {
    /// Takes what was received; appends to `answers` what Telnet has to say to it.
    pub(super) fn take(&mut self, received: &[u8], answers: &mut Vec<u8>) {
        if self.at == self.data.len() {
            self.data.clear();
            self.data.shrink_to(KEPT);
            self.at = 0;
        }
        let heard = self.telnet.decode(received, &mut self.data);
        answers.extend(heard.answers);
    }

    /// The next line that has come, of those not yet looked at.
    pub(super) fn next(&mut self) -> Option<Line<'_>> {
        if self.at == self.data.len() {
            return None;
        }
        let (used, line) = self.lines.next(&self.data[self.at..]);
        self.at += used;
        line
    }

    /// Lets a line wait until the transfer has ended.
    pub(super) fn put_off(&mut self, line: &[u8]) {
        self.waiting.push_back(line.into());
    }

    /// The first of the lines that waited.
    pub(super) fn put_off_first(&mut self) -> Option<Box<[u8]>> {
        let first = self.waiting.pop_front();
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
        first
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Forgets all of it, and how many bytes had come that nobody looked at.
    pub(super) fn forget(&mut self) -> usize {
        let Self { data, at, waiting, .. } = std::mem::take(self);
        data.len() - at + waiting.iter().map(|line| line.len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(reader: &mut Reader) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        while let Some(line) = reader.next() {
            match line {
                Line::Whole(line) => lines.push(line.to_vec()),
                Line::TooLong => lines.push(b"too long".to_vec()),
            }
        }
        lines
    }

    #[test]
    fn lines_come_out_of_whatever_pieces_came_in() {
        let (mut reader, mut answers) = (Reader::default(), Vec::new());
        reader.take(b"NOOP\r\nUS", &mut answers);
        assert_eq!(lines(&mut reader), [b"NOOP"]);
        reader.take(b"ER a\r", &mut answers);
        assert!(lines(&mut reader).is_empty());
        reader.take(b"\n\xff\xfb\x01\xff\xf4\xff\xf2ABOR\r\n", &mut answers);
        assert_eq!(lines(&mut reader), [&b"USER a"[..], b"ABOR"]);
        assert_eq!(answers, b"\xff\xfe\x01");
    }

    #[test]
    fn lines_that_wait_come_in_their_order() {
        let mut reader = Reader::default();
        reader.put_off(b"a");
        reader.put_off(b"b");
        assert_eq!(reader.waiting(), 2);
        assert_eq!(reader.put_off_first().as_deref(), Some(&b"a"[..]));
        assert_eq!(reader.put_off_first().as_deref(), Some(&b"b"[..]));
        assert!(reader.put_off_first().is_none());
    }

    #[test]
    fn an_idle_reader_holds_almost_nothing() {
        let (mut reader, mut answers) = (Reader::default(), Vec::new());
        reader.take(&[b"NOOP\r\n".repeat(2000), b"x".to_vec()].concat(), &mut answers);
        assert_eq!(lines(&mut reader).len(), 2000);
        reader.take(b"\r\n", &mut answers);
        assert_eq!(lines(&mut reader), [b"x"]);
        assert!(reader.data.capacity() <= KEPT, "{}", reader.data.capacity());
    }
}
