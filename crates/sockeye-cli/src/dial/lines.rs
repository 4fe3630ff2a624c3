//! Line ends: made CR LF on their way out, and cut at to make packets.

use crate::failure::Failure;

/// Longest line that is sent as one packet, in bytes; UDP takes 65,507, Unix sockets some more.
pub(super) const LONGEST: usize = 256 * 1024;

/// Makes the ends of lines CR LF, whatever pieces the text comes in.
#[derive(Debug, Default)]
pub(super) struct CrLf {
    /// Whether the last byte was a CR.
    after_cr: bool,
}

impl CrLf {
    /// The next bytes with a CR before each LF that has none.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 16);
        for &byte in bytes {
            if byte == b'\n' && !self.after_cr {
                out.push(b'\r');
            }
            out.push(byte);
            self.after_cr = byte == b'\r';
        }
        out
    }
}

/// Cuts what comes in pieces into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// The lines that these bytes complete, without their ends.
    pub(super) fn cut(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, Failure> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(piece.strip_suffix(b"\n").unwrap_or(piece));
            if self.begun.len() > LONGEST {
                let message = format!("a line of the input has more than {LONGEST} bytes");
                return Err(Failure::usage(message).hint("each line is sent as one packet"));
            }
            if piece.ends_with(b"\n") {
                lines.push(std::mem::take(&mut self.begun));
            }
        }
        Ok(lines)
    }

    /// A last line without an end.
    pub(super) fn last(self) -> Option<Vec<u8>> {
        Some(self.begun).filter(|line| !line.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cr_is_added_where_there_is_none_also_between_pieces() {
        let mut crlf = CrLf::default();
        let pieces: [&[u8]; 4] = [b"a\nb\r", b"\nc\n", b"\n", b"d\r"];
        let out: Vec<u8> = pieces.iter().flat_map(|piece| crlf.add(piece)).collect();
        assert_eq!(out, b"a\r\nb\r\nc\r\n\r\nd\r");
    }

    #[test]
    fn lines_are_cut_across_pieces_and_empty_ones_count() {
        let mut lines = Lines::default();
        assert!(lines.cut(b"a").unwrap().is_empty());
        assert_eq!(lines.cut(b"b\n\nc").unwrap(), [b"ab".to_vec(), vec![]]);
        assert_eq!(lines.last().unwrap(), b"c");
        assert!(Lines::default().last().is_none());
    }

    #[test]
    fn a_line_too_long_for_any_packet_is_refused() {
        let mut lines = Lines::default();
        assert!(lines.cut(&vec![b'x'; LONGEST]).unwrap().is_empty());
        assert!(lines.cut(b"x").is_err());
    }
}
