//! The chunked transfer coding, as it is received (RFC 9112 §7.1).
//!
//! Lines end with CR and LF, nothing stands around a size, and what a peer adds that nobody looks at
//! (extensions, trailers) is bounded.

use std::ops::Range;

/// Most bytes of chunk extensions in one body.
pub const MAX_EXTENSIONS: usize = 4 * 1024;

/// Most bytes of trailer fields.
pub const MAX_TRAILERS: usize = 8 * 1024;

/// Digits of a chunk's size, leading zeros included.
pub const MAX_DIGITS: u8 = 16;

/// Why some bytes are no chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// No size, or too long a one.
    #[error("a chunk's size has one to {MAX_DIGITS} hexadecimal digits")]
    Size,
    /// Something other than CR LF, where a line or a chunk has to end.
    #[error("a chunk's line and its content end with CR LF")]
    LineEnd,
    /// Something that is neither an extension nor the end of the line behind a size.
    #[error("a chunk's extension begins with a semicolon and has no control characters")]
    Extension,
    /// Something that is no header field behind the last chunk.
    #[error("what follows the last chunk is no header field")]
    Trailer,
    /// Over [`MAX_EXTENSIONS`] or [`MAX_TRAILERS`].
    #[error("the chunks' extensions or trailers are too long")]
    TooLong,
}

/// What the next bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Content: these of the bytes given. Whatever stands before the end of the range is done with.
    Content(Range<usize>),
    /// All bytes given are done with, and the body is not at its end.
    More,
    /// The body is at its end, with so many of the bytes given.
    End(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size { digits: u8, size: u64 },
    Extension { size: u64 },
    SizeLineFeed { size: u64 },
    Content { left: u64 },
    ContentReturn,
    ContentLineFeed,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLineFeed,
    LastLineFeed,
    End,
}

const NEXT_CHUNK: State = State::Size { digits: 0, size: 0 };

/// Where in a chunked body the next byte is.
#[derive(Clone, Debug)]
pub struct Decoder {
    state: State,
    extensions: usize,
    trailers: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { state: NEXT_CHUNK, extensions: 0, trailers: 0 }
    }
}

impl Decoder {
    /// Reads on in `input`, which must not be given again as far as it is done with.
    ///
    /// # Errors
    /// What of it is no chunked body; nothing after that can be understood.
    pub fn next(&mut self, input: &[u8]) -> Result<Step, ChunkError> {
        for (at, &byte) in input.iter().enumerate() {
            match self.state {
                State::Content { left } => {
                    let here = input.len() - at;
                    let length = usize::try_from(left).map_or(here, |left| left.min(here));
                    self.state = match left - length as u64 {
                        0 => State::ContentReturn,
                        left => State::Content { left },
                    };
                    return Ok(Step::Content(at..at + length));
                }
                State::End => return Ok(Step::End(at)),
                framing => self.state = self.framing(framing, byte)?,
            }
        }
        Ok(if self.state == State::End { Step::End(input.len()) } else { Step::More })
    }

    /// Whether the body has come to its end.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.state == State::End
    }

    fn framing(&mut self, state: State, byte: u8) -> Result<State, ChunkError> {
        let line_feed = |next| if byte == b'\n' { Ok(next) } else { Err(ChunkError::LineEnd) };
        match state {
            State::Size { digits, size } => self.size(digits, size, byte),
            State::Extension { size } => match byte {
                b'\r' => Ok(State::SizeLineFeed { size }),
                _ if is_text(byte) => count(&mut self.extensions, MAX_EXTENSIONS).map(|()| state),
                _ => Err(ChunkError::Extension),
            },
            State::SizeLineFeed { size } => line_feed(match size {
                0 => State::TrailerStart,
                left => State::Content { left },
            }),
            State::ContentReturn if byte == b'\r' => Ok(State::ContentLineFeed),
            State::ContentReturn => Err(ChunkError::LineEnd),
            State::ContentLineFeed => line_feed(NEXT_CHUNK),
            State::TrailerStart if byte == b'\r' => Ok(State::LastLineFeed),
            State::TrailerStart | State::TrailerName => {
                count(&mut self.trailers, MAX_TRAILERS)?;
                match byte {
                    b':' if state == State::TrailerName => Ok(State::TrailerValue),
                    _ if is_token(byte) => Ok(State::TrailerName),
                    _ => Err(ChunkError::Trailer),
                }
            }
            State::TrailerValue => {
                count(&mut self.trailers, MAX_TRAILERS)?;
                match byte {
                    b'\r' => Ok(State::TrailerLineFeed),
                    _ if is_text(byte) => Ok(State::TrailerValue),
                    _ => Err(ChunkError::Trailer),
                }
            }
            State::TrailerLineFeed => line_feed(State::TrailerStart),
            State::LastLineFeed => line_feed(State::End),
            // Both were treated before.
            State::Content { .. } | State::End => Ok(state),
        }
    }

    fn size(&mut self, digits: u8, size: u64, byte: u8) -> Result<State, ChunkError> {
        let Some(digit) = char::from(byte).to_digit(16) else {
            return match byte {
                _ if digits == 0 => Err(ChunkError::Size),
                b'\r' => Ok(State::SizeLineFeed { size }),
                b';' => {
                    count(&mut self.extensions, MAX_EXTENSIONS)?;
                    Ok(State::Extension { size })
                }
                _ => Err(ChunkError::Extension),
            };
        };
        if digits == MAX_DIGITS {
            return Err(ChunkError::Size);
        }
        Ok(State::Size { digits: digits + 1, size: size << 4 | u64::from(digit) })
    }
}

fn count(bytes: &mut usize, most: usize) -> Result<(), ChunkError> {
    *bytes += 1;
    if *bytes > most { Err(ChunkError::TooLong) } else { Ok(()) }
}

/// A space, a tab, or what can be seen.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The content, and what follows the body; the input comes in pieces of `step` bytes.
    fn decode(input: &[u8], step: usize) -> Result<(Vec<u8>, Vec<u8>), Option<ChunkError>> {
        let (mut decoder, mut content, mut at) = (Decoder::default(), Vec::new(), 0);
        while at < input.len() {
            let piece = &input[at..(at + step).min(input.len())];
            match decoder.next(piece).map_err(Some)? {
                Step::Content(range) => {
                    content.extend_from_slice(&piece[range.clone()]);
                    at += range.end;
                }
                Step::More => at += piece.len(),
                Step::End(used) => return Ok((content, input[at + used..].to_vec())),
            }
        }
        Err(None)
    }

    #[test]
    fn chunks_are_joined_and_what_follows_is_left() {
        let bodies: [(&[u8], &[u8], &[u8]); 4] = [
            (b"0\r\n\r\nGET", b"", b"GET"),
            (b"5\r\nhello\r\n0\r\n\r\n", b"hello", b""),
            (
                b"5;a=\"b;c\"\r\nhello\r\n00A;x\r\n0123456789\r\n0;y\r\nA: b\r\nC:\r\n\r\nX",
                b"hello0123456789",
                b"X",
            ),
            (b"1\r\n\r\r\n1\r\n\n\r\n0\r\n\r\n", b"\r\n", b""),
        ];
        for (input, content, rest) in bodies {
            for step in [1, 2, 3, 7, 1000] {
                assert_eq!(decode(input, step), Ok((content.to_vec(), rest.to_vec())), "{input:?}");
            }
        }
    }

    #[test]
    fn nonsense_is_refused_where_it_begins() {
        use ChunkError::{Extension, LineEnd, Size, Trailer};
        let bodies: [(&[u8], Option<ChunkError>); 20] = [
            (b"", None),
            (b"5\r\nhell", None),
            (b"0\r\n", None),
            (b"\r\n", Some(Size)),
            (b";x\r\n", Some(Size)),
            (b"-1\r\n", Some(Size)),
            (b"+1\r\n", Some(Size)),
            (b"0x5\r\n", Some(Extension)),
            (b" 5\r\n", Some(Size)),
            (b"5 \r\n", Some(Extension)),
            (b"5\nhello\r\n", Some(Extension)),
            (b"5\rhello\r\n", Some(LineEnd)),
            (b"5;a\nb\r\n", Some(Extension)),
            (b"5;a\0b\r\n", Some(Extension)),
            (b"5\r\nhellox\r\n", Some(LineEnd)),
            (b"5\r\nhello\n0\r\n\r\n", Some(LineEnd)),
            (b"00000000000000001\r\n", Some(Size)),
            (b"0\r\n a: b\r\n\r\n", Some(Trailer)),
            (b"0\r\na\r\n\r\n", Some(Trailer)),
            (b"0\r\na: b\n\r\n", Some(Trailer)),
        ];
        for (input, error) in bodies {
            for step in [1, 1000] {
                assert_eq!(decode(input, step), Err(error), "{:?}", String::from_utf8_lossy(input));
            }
        }
    }

    #[test]
    fn what_nobody_looks_at_is_bounded() {
        let extensions = |n: usize| format!("1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(n)).into_bytes();
        assert!(decode(&extensions(MAX_EXTENSIONS - 1), 100).is_ok());
        assert_eq!(decode(&extensions(MAX_EXTENSIONS), 100), Err(Some(ChunkError::TooLong)));
        let many = format!("{}0\r\n\r\n", "1;e\r\nx\r\n".repeat(MAX_EXTENSIONS)).into_bytes();
        assert_eq!(decode(&many, 100), Err(Some(ChunkError::TooLong)));
        let trailers = format!("0\r\n{}\r\n", "a: b\r\n".repeat(MAX_TRAILERS)).into_bytes();
        assert_eq!(decode(&trailers, 100), Err(Some(ChunkError::TooLong)));
    }

    proptest! {
        #[test]
        fn what_was_cut_into_chunks_is_whole_again(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..8),
            step in 1usize..50,
        ) {
            let mut input = Vec::new();
            for chunk in &chunks {
                input.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
                input.extend_from_slice(chunk);
                input.extend_from_slice(b"\r\n");
            }
            input.extend_from_slice(b"0\r\n\r\nrest");
            prop_assert_eq!(decode(&input, step), Ok((chunks.concat(), b"rest".to_vec())));
        }

        #[test]
        fn any_bytes_are_answered_alike_however_they_come(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            step in 1usize..20,
        ) {
            prop_assert_eq!(decode(&bytes, step), decode(&bytes, 1000));
        }
    }
}
