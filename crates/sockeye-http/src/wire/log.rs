//! Access log lines in the combined format, which every log analyser reads.

use std::fmt::Write as _;

use super::{date, head::Head};

/// One request that was answered, or broken off.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The peer's address, without port.
    pub peer: &'a str,
    /// When the answer was decided, in seconds since the epoch.
    pub at: i64,
    /// The request line; `None` if what came was none.
    pub request: Option<RequestLine<'a>>,
    /// The status code of the answer.
    pub status: u16,
    /// Bytes of the body that were handed to the socket, without framing.
    pub sent: u64,
    /// The Referer header.
    pub referer: Option<&'a [u8]>,
    /// The User-Agent header.
    pub user_agent: Option<&'a [u8]>,
}

/// The first line of a request, as it was sent.
#[derive(Clone, Copy, Debug)]
pub struct RequestLine<'a> {
    /// The method.
    pub method: &'a [u8],
    /// The request target.
    pub target: &'a [u8],
    /// The minor version of HTTP/1, or `None` for HTTP/2.
    pub minor_version: Option<u8>,
}

impl<'a> RequestLine<'a> {
    /// That of this head.
    #[must_use]
    pub fn of(head: &Head<'a>) -> Self {
        Self { method: head.method_name, target: head.target, minor_version: head.minor_version }
    }
}

/// Appends the record as one line in the combined log format, without a line end.
///
/// What a client sent is escaped, so that it can neither end the line nor leave its quotes.
pub fn combined(out: &mut String, record: &Record<'_>) {
    // Writing to a string does not fail.
    let _ = write!(out, "{} - - [{}] \"", record.peer, date::log_date(record.at));
    match &record.request {
        Some(line) => {
            escape(out, line.method);
            out.push(' ');
            escape(out, line.target);
            let _ = match line.minor_version {
                Some(minor) => write!(out, " HTTP/1.{minor}"),
                None => write!(out, " HTTP/2"),
            };
        }
        None => out.push('-'),
    }
    let _ = write!(out, "\" {} {} \"", record.status, record.sent);
    escape(out, record.referer.unwrap_or(b"-"));
    out.push_str("\" \"");
    escape(out, record.user_agent.unwrap_or(b"-"));
    out.push('"');
}

fn escape(out: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' | 0..=0x1f | 0x7f.. => drop(write!(out, "\\x{byte:02X}")),
            _ => out.push(char::from(byte)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_the_combined_format_and_cannot_be_forged() {
        let record = Record {
            peer: "127.0.0.1",
            at: 784_111_777,
            request: Some(RequestLine { method: b"GET", target: b"/a\"b", minor_version: Some(1) }),
            status: 200,
            sent: 12,
            referer: None,
            user_agent: Some(b"x\r\ny\xff\\"),
        };
        let mut line = String::new();
        combined(&mut line, &record);
        assert_eq!(
            line,
            "127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] \"GET /a\\x22b HTTP/1.1\" 200 12 \"-\" \
             \"x\\x0D\\x0Ay\\xFF\\x5C\""
        );
    }
}
