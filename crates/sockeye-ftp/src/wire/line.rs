//! The lines of the control connection (RFC 959 §5.3, RFC 1123 §4.1.2.10).
//!
//! A line ends with CR LF; a bare LF, which people and scripts send, ends it too. CR NUL is a CR (RFC 2640
//! §3.1 for names), any other CR or NUL is what it is: whoever takes the line as a name refuses it.

/// Longest line, without its end: the longest path that Linux takes, with room for a verb, its other arguments and
/// what a charset adds.
pub const MAX_LINE: usize = 4096 + 256;

/// Space for a line that is kept between two lines; almost none is longer.
const KEPT: usize = 128;

/// A line of the control connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A whole line, without its end.
    Whole(&'a [u8]),
    /// A line has become longer than [`MAX_LINE`]: told at once, and once. The rest of it is thrown away.
    TooLong,
}

/// Puts lines together from what comes piece by piece.
#[derive(Debug, Default)]
pub struct Lines {
    line: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Within,
    /// After a CR that is not yet in the line.
    Return,
    /// The line was given out.
    Done,
    /// The line is too long: nothing is kept until it ends.
    TooLong,
}

impl Lines {
    /// Reads on in `input`, which must not be given again as far as it is done with: how many bytes are, and
    /// the line that one of them ended.
    ///
    /// Without a line all of `input` is done with.
    pub fn next(&mut self, input: &[u8]) -> (usize, Option<Line<'_>>) {
        if self.state == State::Done {
            self.line.clear();
            self.line.shrink_to(KEPT);
            self.state = State::Within;
        }
        let mut at = 0;
        if self.state == State::TooLong {
            let Some(end) = memchr::memchr(b'\n', input) else { return (input.len(), None) };
            (self.state, at) = (State::Within, end + 1);
        }
        while let Some(&byte) = input.get(at) {
            at += 1;
            match (self.state, byte) {
                (_, b'\n') => {
                    self.state = State::Done;
                    return (at, Some(Line::Whole(&self.line)));
                }
                (State::Return, 0) => {
                    self.line.push(b'\r');
                    self.state = State::Within;
                }
                (State::Return, b'\r') => self.line.push(b'\r'),
                (_, b'\r') => self.state = State::Return,
                (State::Return, _) => {
                    self.line.extend([b'\r', byte]);
                    self.state = State::Within;
                }
                _ => self.line.push(byte),
            }
            if self.line.len() > MAX_LINE {
                self.line = Vec::new();
                self.state = State::TooLong;
                return (at, Some(Line::TooLong));
            }
        }
        (at, None)
    }

    /// Whether a line has begun and not ended: the peer is in the middle of saying something.
    #[must_use]
    pub fn is_within(&self) -> bool {
        match self.state {
            State::Within => !self.line.is_empty(),
            State::Return | State::TooLong => true,
            State::Done => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lines in `input`, which comes in pieces of `step` bytes; `None` is one that is too long.
    fn lines(input: &[u8], step: usize) -> Vec<Option<Vec<u8>>> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for mut piece in input.chunks(step) {
            while !piece.is_empty() {
                let (used, line) = lines.next(piece);
                assert!(used > 0 && (line.is_some() || used == piece.len()));
                found.extend(line.map(|line| match line {
                    Line::Whole(line) => Some(line.to_vec()),
                    Line::TooLong => None,
                }));
                piece = &piece[used..];
            }
            assert!(lines.line.capacity() <= 2 * MAX_LINE + KEPT);
        }
        found
    }

    fn texts(input: &[u8], step: usize) -> Vec<String> {
        let whole = lines(input, step).into_iter().map(Option::unwrap);
        whole.map(|line| String::from_utf8(line).unwrap()).collect()
    }

    #[test]
    fn a_line_ends_with_a_line_feed_with_or_without_a_return() {
        for step in [1, 2, 3, 100] {
            assert_eq!(texts(b"USER a\r\nPASS b\n\r\n\nNOOP", step), ["USER a", "PASS b", "", ""]);
        }
    }

    #[test]
    fn a_return_within_a_line_stays_and_loses_its_nul() {
        for step in [1, 100] {
            assert_eq!(
                texts(b"a\rb\r\nc\r\0d\r\n\0e\r\r\0\r\r\n", step),
                ["a\rb", "c\rd", "\0e\r\r\r"]
            );
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_told_once_and_costs_no_memory() {
        let mut input = vec![b'a'; MAX_LINE];
        input.extend(b"\r\nNOOP\r\n");
        assert_eq!(lines(&input, 100), [Some(vec![b'a'; MAX_LINE]), Some(b"NOOP".to_vec())]);
        let mut input = vec![b'a'; 1024 * 1024];
        input.extend(b"\r\nNOOP\r\n");
        for step in [1000, 4096, usize::MAX] {
            assert_eq!(lines(&input, step), [None, Some(b"NOOP".to_vec())]);
        }
        let mut reader = Lines::default();
        let (used, line) = reader.next(&input);
        assert_eq!((used, line), (MAX_LINE + 1, Some(Line::TooLong)));
        assert!(reader.is_within() && reader.line.capacity() == 0);
    }

    #[test]
    fn a_line_begun_is_known() {
        let mut reader = Lines::default();
        for (input, within) in [("", false), ("NO", true), ("OP\r", true), ("\n", false)] {
            reader.next(input.as_bytes());
            assert_eq!(reader.is_within(), within, "{input:?}");
        }
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(
            bytes in proptest::collection::vec(prop_oneof!["[\r\n\0a]".prop_map(|s| s.as_bytes()[0]), any::<u8>()], 0..200),
            step in 1usize..20,
        ) {
            let whole = lines(&bytes, bytes.len().max(1));
            prop_assert_eq!(whole.len(), bytes.iter().filter(|&&b| b == b'\n').count());
            prop_assert_eq!(lines(&bytes, step), whole);
        }

        #[test]
        fn any_name_gets_through_that_has_no_line_feed(
            name in proptest::collection::vec(any::<u8>().prop_filter("LF", |b| *b != b'\n'), 0..100),
            step in 1usize..20,
        ) {
            let mut sent = Vec::new();
            for &byte in &name {
                sent.push(byte);
                if byte == b'\r' {
                    sent.push(0);
                }
            }
            sent.extend(b"\r\n");
            prop_assert_eq!(lines(&sent, step), [Some(name)]);
        }
    }
}
