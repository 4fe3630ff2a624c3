//! The framing of a multipart/byteranges body (RFC 9110 §14.6).

use sockeye_node::Range;

/// A body of several stretches: what stands before each, and what ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The delimiter and header before each stretch.
    pub heads: Vec<(Vec<u8>, Range)>,
    /// The closing delimiter.
    pub end: Vec<u8>,
    /// The length of the whole body.
    pub length: u64,
}

/// Lays out `ranges` of a file of `size` bytes; `boundary` must not be predictable.
#[must_use]
pub fn lay_out(ranges: &[Range], size: u64, content_type: &str, boundary: &str) -> Parts {
    let heads: Vec<_> = ranges
        .iter()
        .map(|range| {
            let (first, last) = (range.offset, range.offset + range.length.saturating_sub(1));
            let head = format!(
                "\r\n--{boundary}\r\ncontent-type: {content_type}\r\n\
                 content-range: bytes {first}-{last}/{size}\r\n\r\n"
            );
            (head.into_bytes(), *range)
        })
        .collect();
    let end = format!("\r\n--{boundary}--\r\n").into_bytes();
    let framing = heads.iter().map(|(head, range)| head.len() as u64 + range.length).sum::<u64>();
    Parts { length: framing + end.len() as u64, heads, end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_that_of_the_whole_body() {
        let ranges = [Range { offset: 0, length: 5 }, Range { offset: 100, length: 1 }];
        let parts = lay_out(&ranges, 1000, "text/plain", "xyz");
        let mut body = Vec::new();
        for (head, range) in &parts.heads {
            body.extend_from_slice(head);
            body.extend(std::iter::repeat_n(b'.', usize::try_from(range.length).unwrap()));
        }
        body.extend_from_slice(&parts.end);
        assert_eq!(body.len() as u64, parts.length);
        let text = String::from_utf8(body).unwrap();
        assert!(text.contains("content-range: bytes 100-100/1000\r\n\r\n.\r\n--xyz--\r\n"));
    }
}
