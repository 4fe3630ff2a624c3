//! The least of HTTP/1.1 (RFC 9112) that serves a browser: a head in, a head out, and the
//! connection ends with the answer.

use std::io;

use sockeye::Conn;

/// The most lines that a head has.
const MOST_LINES: usize = 100;

/// The type of a file by the end of its name.
const KINDS: &[(&str, &str)] = &[
    (".html", "text/html; charset=utf-8"),
    (".css", "text/css; charset=utf-8"),
    (".js", "text/javascript; charset=utf-8"),
    (".txt", "text/plain; charset=utf-8"),
    (".json", "application/json"),
    (".svg", "image/svg+xml"),
    (".png", "image/png"),
    (".jpg", "image/jpeg"),
    (".gif", "image/gif"),
    (".ico", "image/x-icon"),
    (".pdf", "application/pdf"),
];

/// The type of a file by the end of its name.
pub(crate) fn kind_of(path: &[u8]) -> &'static str {
    let kind = KINDS.iter().find(|(end, _)| path.to_ascii_lowercase().ends_with(end.as_bytes()));
    kind.map_or("application/octet-stream", |(_, kind)| kind)
}

/// Reads the lines up to the empty one; `None` if the client sends nothing at all.
pub(crate) async fn read_head(conn: &mut Conn) -> io::Result<Option<Vec<Vec<u8>>>> {
    let mut lines = Vec::new();
    while let Some(line) = conn.read_line().await? {
        match line.is_empty() {
            // Empty lines before a request are passed over (RFC 9112 §2.2).
            true if lines.is_empty() => {}
            true => return Ok(Some(lines)),
            false => lines.push(line.to_vec()),
        }
        if lines.len() > MOST_LINES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the head has no end"));
        }
    }
    match lines.is_empty() {
        true => Ok(None),
        false => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the head is incomplete")),
    }
}

/// What a client asks for.
pub(crate) struct Request {
    /// Whether it only wants to read.
    pub(crate) is_read: bool,
    /// Whether the answer has a body.
    pub(crate) wants_body: bool,
    /// The path, decoded, without the slash in front.
    pub(crate) path: Vec<u8>,
}

impl Request {
    /// Reads the first line of a head: `GET /path?query HTTP/1.1`.
    pub(crate) fn parse(head: &[Vec<u8>]) -> Option<Self> {
        let line = str::from_utf8(head.first()?).ok()?;
        let mut words = line.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        if words.next().is_some() || !version.starts_with("HTTP/1.") {
            return None;
        }
        let path = target.split(['?', '#']).next()?.strip_prefix('/')?;
        Some(Self {
            is_read: ["GET", "HEAD"].contains(&method),
            wants_body: method != "HEAD",
            path: decode(path)?,
        })
    }
}

/// Undoes percent-encoding; `None` if it is none.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    Some(bytes)
}

/// The head of an answer. `Allow` is for the answer 405 (RFC 9110 §15.5.6), and true for all.
pub(crate) fn head(status: &str, kind: &str, length: u64) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Allow: GET, HEAD\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
}

/// A request for `path`, as the client sends it.
pub(crate) fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}
