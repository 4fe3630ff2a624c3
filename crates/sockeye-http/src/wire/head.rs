//! A request's head: what every request is looked at for, and a way to ask for the rest.

use http::HeaderMap;

use super::method::Method;

/// A field that means something only if it comes once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Once<'a> {
    /// None was sent.
    #[default]
    Missing,
    /// Exactly one.
    One(&'a [u8]),
    /// More than one: 400.
    Several,
}

impl<'a> Once<'a> {
    fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::Missing => Self::One(value),
            _ => Self::Several,
        };
    }

    /// The value, if there is exactly one.
    #[must_use]
    pub fn one(self) -> Option<&'a [u8]> {
        match self {
            Self::One(value) => Some(value),
            _ => None,
        }
    }
}

/// The header fields that matter here, unparsed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields<'a> {
    /// Host.
    pub host: Once<'a>,
    /// Content-Length.
    pub content_length: Once<'a>,
    /// Transfer-Encoding.
    pub transfer_encoding: Once<'a>,
    /// Authorization.
    pub authorization: Once<'a>,
    /// Cookie.
    pub cookie: Once<'a>,
    /// Range.
    pub range: Option<&'a [u8]>,
    /// If-Range.
    pub if_range: Option<&'a [u8]>,
    /// If-Match.
    pub if_match: Option<&'a [u8]>,
    /// If-None-Match.
    pub if_none_match: Option<&'a [u8]>,
    /// If-Modified-Since.
    pub if_modified_since: Option<&'a [u8]>,
    /// If-Unmodified-Since.
    pub if_unmodified_since: Option<&'a [u8]>,
    /// Expect.
    pub expect: Option<&'a [u8]>,
    /// Content-Range.
    pub content_range: Option<&'a [u8]>,
    /// Content-Encoding.
    pub content_encoding: Option<&'a [u8]>,
    /// Content-Digest (RFC 9530).
    pub content_digest: Option<&'a [u8]>,
    /// Repr-Digest (RFC 9530).
    pub repr_digest: Option<&'a [u8]>,
    /// Want-Repr-Digest (RFC 9530).
    pub want_repr_digest: Option<&'a [u8]>,
    /// Origin (RFC 6454).
    pub origin: Option<&'a [u8]>,
    /// Sec-Fetch-Site.
    pub sec_fetch_site: Option<&'a [u8]>,
    /// Accept.
    pub accept: Option<&'a [u8]>,
    /// Accept-Encoding.
    pub accept_encoding: Option<&'a [u8]>,
    /// Accept-Language.
    pub accept_language: Option<&'a [u8]>,
    /// Referer, for the access log.
    pub referer: Option<&'a [u8]>,
    /// User-Agent, for the access log.
    pub user_agent: Option<&'a [u8]>,
    /// What Connection says.
    pub connection: Connection,
    /// Whether one of those above that stand for a list came in several lines: see [`join_repeated`].
    pub repeated: bool,
    /// All of them, as they were sent.
    pub sent: Sent<'a>,
}

/// Header fields as they were sent, in which one is looked for when it is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub enum Sent<'a> {
    /// None.
    #[default]
    Nothing,
    /// A head of HTTP/1 that [`parse`] has read, up to its empty line.
    Lines(&'a [u8]),
    /// Those of HTTP/2.
    Map(&'a HeaderMap),
}

/// What a Connection header says of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connection {
    /// Nothing: it stays open after HTTP/1.1 and closes after HTTP/1.0.
    #[default]
    Unsaid,
    /// It stays open.
    KeepAlive,
    /// It closes after the answer.
    Close,
}

impl<'a> Fields<'a> {
    /// Takes one header field; those that do not matter are passed over.
    pub fn add(&mut self, name: &[u8], value: &'a [u8]) {
        let value = value.trim_ascii();
        let slot = match name.len() {
            4 if is(name, "host") => return self.host.add(value),
            10 if is(name, "connection") => return self.add_connection(value),
            13 if is(name, "authorization") => return self.authorization.add(value),
            14 if is(name, "content-length") => return self.content_length.add(value),
            17 if is(name, "transfer-encoding") => return self.transfer_encoding.add(value),
            6 if is(name, "cookie") => return self.cookie.add(value),
            5 if is(name, "range") => &mut self.range,
            6 if is(name, "accept") => &mut self.accept,
            6 if is(name, "expect") => &mut self.expect,
            6 if is(name, "origin") => &mut self.origin,
            7 if is(name, "referer") => &mut self.referer,
            8 if is(name, "if-range") => &mut self.if_range,
            8 if is(name, "if-match") => &mut self.if_match,
            10 if is(name, "user-agent") => &mut self.user_agent,
            11 if is(name, "repr-digest") => &mut self.repr_digest,
            13 if is(name, "if-none-match") => &mut self.if_none_match,
            13 if is(name, "content-range") => &mut self.content_range,
            14 if is(name, "content-digest") => &mut self.content_digest,
            14 if is(name, "sec-fetch-site") => &mut self.sec_fetch_site,
            15 if is(name, "accept-encoding") => &mut self.accept_encoding,
            15 if is(name, "accept-language") => &mut self.accept_language,
            16 if is(name, "want-repr-digest") => &mut self.want_repr_digest,
            16 if is(name, "content-encoding") => &mut self.content_encoding,
            17 if is(name, "if-modified-since") => &mut self.if_modified_since,
            19 if is(name, "if-unmodified-since") => &mut self.if_unmodified_since,
            _ => return,
        };
        self.repeated |= slot.replace(value).is_some();
    }

    fn add_connection(&mut self, value: &'a [u8]) {
        for option in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
            match self.connection {
                _ if is(option, "close") => self.connection = Connection::Close,
                Connection::Close if is(option, "keep-alive") => {}
                _ if is(option, "keep-alive") => self.connection = Connection::KeepAlive,
                _ => {}
            }
        }
    }

    /// The value of the field of this name, in whatever case; [`Once::Several`] if it came in several lines.
    ///
    /// It is looked for among all: what a plain GET needs has a place of its own.
    #[must_use]
    pub fn get(&self, name: &str) -> Once<'a> {
        let mut found = Once::Missing;
        self.all(name).for_each(|value| found.add(value));
        found
    }

    /// The values of the field of this name, line by line.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |(other, _)| is(other, name)).map(|(_, value)| value)
    }

    /// Every field that was sent, its name as it was, and its value.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let (lines, map) = match self.sent {
            Sent::Nothing => (None, None),
            Sent::Lines(text) => (Some(lines(text)), None),
            Sent::Map(map) => (None, Some(map.iter())),
        };
        let mapped = map.into_iter().flatten();
        let mapped = mapped.map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        lines.into_iter().flatten().chain(mapped)
    }

    /// Whether there is neither a condition nor a range.
    #[must_use]
    pub fn is_unconditional(&self) -> bool {
        self.range.is_none()
            && self.if_match.is_none()
            && self.if_none_match.is_none()
            && self.if_modified_since.is_none()
            && self.if_unmodified_since.is_none()
    }
}

/// The fields of a head that was read, which begins with its request line.
fn lines(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    // Only empty lines may stand before the request line (RFC 9112 §2.2).
    let lines = text.trim_ascii_start().split(|&b| b == b'\n').skip(1);
    lines.filter_map(|line| {
        let (name, value) = line.split_at(memchr::memchr(b':', line)?);
        Some((name, value[1..].trim_ascii()))
    })
}

/// Fields of which each line counts for itself: joined, two of them could pass for one. A Cookie has no commas.
const NEVER_JOINED: [&str; 6] =
    ["host", "content-length", "transfer-encoding", "authorization", "connection", "cookie"];

fn is(name: &[u8], expected: &str) -> bool {
    name.eq_ignore_ascii_case(expected.as_bytes())
}

/// A request's head.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The method.
    pub method: Method,
    /// The method's name as it was sent.
    pub method_name: &'a [u8],
    /// The request target as it was sent.
    pub target: &'a [u8],
    /// The minor version of HTTP/1, or `None` for HTTP/2.
    pub minor_version: Option<u8>,
    /// The header fields.
    pub fields: Fields<'a>,
}

impl Head<'_> {
    /// Whether the client speaks HTTP/1.0: it knows no chunks (RFC 9112 §7.1), and to it a connection
    /// closes unless both sides say otherwise.
    #[must_use]
    pub fn is_http_1_0(&self) -> bool {
        self.minor_version == Some(0)
    }

    /// Whether the client wants the connection to stay open after the answer (RFC 9112 §9.3).
    #[must_use]
    pub fn persists(&self) -> bool {
        match self.fields.connection {
            Connection::Close => false,
            Connection::KeepAlive => true,
            Connection::Unsaid => !self.is_http_1_0(),
        }
    }
}

/// What the beginning of a connection's bytes turned out to be.
#[expect(
    clippy::large_enum_variant,
    reason = "on the stack for one request, whose head is the usual case"
)]
#[derive(Debug)]
pub enum Parsed<'a> {
    /// A whole head, and how many bytes it took.
    Head(Head<'a>, usize),
    /// Not all of it has come yet.
    Partial,
    /// It is no HTTP/1 head: 400.
    Malformed,
    /// It has more fields than [`MAX_FIELDS`]: 431.
    TooManyFields,
}

/// Header fields of one request, at most.
pub const MAX_FIELDS: usize = 100;

/// Reads an HTTP/1 head (RFC 9112 §2) from the beginning of `bytes`.
///
/// A line ends with CR LF: a reader that takes a lone LF for the end of a line, and one that does not, see
/// different requests (§2.2 permits either).
#[must_use]
pub fn parse(bytes: &[u8]) -> Parsed<'_> {
    let mut fields = [const { std::mem::MaybeUninit::uninit() }; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(bytes, &mut fields) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Parsed::Partial,
        Err(httparse::Error::TooManyHeaders) => return Parsed::TooManyFields,
        Err(_) => return Parsed::Malformed,
    };
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version)
    else {
        return Parsed::Malformed;
    };
    if memchr::memchr_iter(b'\n', &bytes[..length]).any(|at| at == 0 || bytes[at - 1] != b'\r') {
        return Parsed::Malformed;
    }
    let mut head = Head {
        method: Method::parse(method.as_bytes()),
        method_name: method.as_bytes(),
        target: target.as_bytes(),
        minor_version: Some(minor),
        fields: Fields { sent: Sent::Lines(&bytes[..length]), ..Fields::default() },
    };
    for field in request.headers.iter() {
        head.fields.add(field.name.as_bytes(), field.value);
    }
    Parsed::Head(head, length)
}

/// A head as it would have been with each list in one line (RFC 9110 §5.3); `bytes` is one that
/// [`parse`] has read, without what follows it.
#[must_use]
pub fn join_repeated(bytes: &[u8]) -> Vec<u8> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let mut out = Vec::with_capacity(bytes.len() + MAX_FIELDS);
    let line_end = memchr::memmem::find(bytes.trim_ascii_start(), b"\r\n");
    if !request.parse(bytes).is_ok_and(|status| status.is_complete()) {
        return bytes.to_vec();
    }
    out.extend_from_slice(&bytes.trim_ascii_start()[..line_end.unwrap_or_default()]);
    for (at, field) in request.headers.iter().enumerate() {
        let same = |other: &&httparse::Header<'_>| other.name.eq_ignore_ascii_case(field.name);
        let joined = !NEVER_JOINED.iter().any(|name| is(field.name.as_bytes(), name));
        if joined && request.headers[..at].iter().any(|other| same(&other)) {
            continue;
        }
        for part in [b"\r\n", field.name.as_bytes(), b": ", field.value] {
            out.extend_from_slice(part);
        }
        for other in request.headers[at + 1..].iter().filter(same).filter(|_| joined) {
            out.extend_from_slice(b", ");
            out.extend_from_slice(other.value);
        }
    }
    out.extend_from_slice(b"\r\n\r\n");
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(text: &str) -> Fields<'_> {
        match parse(text.as_bytes()) {
            Parsed::Head(head, length) => {
                assert_eq!(length, text.len());
                head.fields
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_plain_request_is_plain() {
        let fields = fields("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nConnection: Keep-Alive\r\n\r\n");
        assert_eq!(fields.host, Once::One(b"a"));
        assert!(!fields.repeated && fields.is_unconditional());
        assert_eq!(fields.connection, Connection::KeepAlive);
    }

    #[test]
    fn a_connection_stays_open_as_its_version_and_its_options_have_it() {
        for (version, options, persists) in [
            ("1.1", "", true),
            ("1.1", "Connection: close\r\n", false),
            ("1.1", "Connection: keep-alive, close\r\n", false),
            ("1.1", "Connection: close\r\nConnection: keep-alive\r\n", false),
            ("1.0", "", false),
            ("1.0", "Connection: Keep-Alive\r\n", true),
            ("1.0", "Connection: close, keep-alive\r\n", false),
        ] {
            let text = format!("GET / HTTP/{version}\r\n{options}\r\n");
            let Parsed::Head(head, _) = parse(text.as_bytes()) else { panic!("{text}") };
            assert_eq!(head.persists(), persists, "{text}");
        }
    }

    #[test]
    fn what_comes_once_is_told_from_what_comes_twice() {
        fn read(text: &str) -> Once<'_> {
            let fields = fields(text);
            let all = [fields.host, fields.content_length, fields.transfer_encoding];
            let given = |once: &Once<'_>| *once != Once::Missing;
            all.into_iter()
                .chain([fields.authorization, fields.cookie])
                .find(given)
                .unwrap_or_default()
        }
        for name in ["Host", "Content-Length", "Transfer-Encoding", "Authorization", "Cookie"] {
            assert_eq!(read(&format!("GET / HTTP/1.1\r\n{name}: 5\r\n\r\n")), Once::One(b"5"));
            let twice = format!("GET / HTTP/1.1\r\n{name}: 5\r\n{name}: 5\r\n\r\n");
            assert_eq!(read(&twice), Once::Several, "{name}");
            let joined = String::from_utf8(join_repeated(twice.as_bytes())).unwrap();
            assert_eq!(read(&joined), Once::Several, "{name}");
        }
    }

    #[test]
    fn a_list_in_several_lines_is_joined() {
        let text =
            "\r\nGET /a HTTP/1.1\r\nIf-Match: \"a\"\r\nHost: h\r\nif-match: \"b\"\r\nX: y\r\n\r\n";
        assert!(fields(text).repeated);
        let joined = String::from_utf8(join_repeated(text.as_bytes())).unwrap();
        assert_eq!(joined, "GET /a HTTP/1.1\r\nIf-Match: \"a\", \"b\"\r\nHost: h\r\nX: y\r\n\r\n");
        let again = fields(&joined);
        assert!(!again.repeated);
        assert_eq!(again.if_match, Some(&b"\"a\", \"b\""[..]));
    }

    #[test]
    fn any_field_can_be_asked_for() {
        let text = "\r\nPUT /a:b HTTP/1.1\r\nHost: h\r\nDEPTH:  1 \r\nCookie: a=b\r\nx: \r\ncookie:c=d:e\r\n\r\n";
        let mut map = HeaderMap::new();
        for (name, value) in [("host", "h"), ("depth", "1"), ("cookie", "a=b"), ("x", "")] {
            map.append(name, value.parse().unwrap());
        }
        map.append("cookie", "c=d:e".parse().unwrap());
        for fields in [fields(text), Fields { sent: Sent::Map(&map), ..Fields::default() }] {
            assert_eq!(fields.get("Depth"), Once::One(b"1"));
            assert_eq!(fields.get("cookie"), Once::Several);
            assert_eq!(fields.get("X"), Once::One(b""));
            assert_eq!(fields.get("PUT /a"), Once::Missing);
            let cookies: Vec<_> = fields.all("cookie").collect();
            assert_eq!(cookies, [&b"a=b"[..], b"c=d:e"]);
            assert_eq!(fields.iter().count(), 5);
        }
        assert_eq!(Fields::default().get("depth"), Once::Missing);
    }

    #[test]
    fn malformed_heads_are_refused() {
        for text in [
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\n folded: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            "GET / HTTP/2.0\r\n\r\n",
            "GET /\r\n\r\n",
            "\0\r\n\r\n",
            "GET / HTTP/1.1\r\nA: \0\r\n\r\n",
            "GET  / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\nHost: a\n\n",
            "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\n",
            "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n",
            "\nGET / HTTP/1.1\r\n\r\n",
        ] {
            assert!(matches!(parse(text.as_bytes()), Parsed::Malformed), "{text:?}");
        }
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(MAX_FIELDS + 1));
        assert!(matches!(parse(many.as_bytes()), Parsed::TooManyFields));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Parsed::Head(head, _) = parse(&bytes) {
                prop_assert!(head.fields.iter().count() <= MAX_FIELDS);
            }
            let _ = join_repeated(&bytes);
        }

        #[test]
        fn a_head_cut_short_is_partial(at in 0usize..45) {
            let text = b"GET /a HTTP/1.1\r\nHost: a\r\nRange: bytes=0-\r\n\r\n";
            prop_assert!(matches!(parse(&text[..at]), Parsed::Partial));
        }
    }
}
