//! A request's head, as far as this server looks at it.

/// A request method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// OPTIONS
    Options,
    /// A method that HTTP knows and that is not allowed here: 405.
    NotAllowed,
    /// A method that nobody here knows: 501.
    Unknown,
}

/// Methods with a meaning in HTTP or WebDAV, none of which changes anything here.
const KNOWN: [&[u8]; 14] = [
    b"POST",
    b"PUT",
    b"DELETE",
    b"PATCH",
    b"TRACE",
    b"CONNECT",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"REPORT",
];

impl Method {
    /// The method of this name; names are case-sensitive (RFC 9110 §9.1).
    #[must_use]
    pub fn parse(name: &[u8]) -> Self {
        match name {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"OPTIONS" => Self::Options,
            other if KNOWN.contains(&other) => Self::NotAllowed,
            _ => Self::Unknown,
        }
    }
}

/// The Host header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostField<'a> {
    /// None was sent.
    #[default]
    Missing,
    /// Exactly one.
    One(&'a [u8]),
    /// More than one: 400 (RFC 9112 §3.2).
    Several,
}

/// The header fields that matter here, unparsed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields<'a> {
    /// Host.
    pub host: HostField<'a>,
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
    /// Accept.
    pub accept: Option<&'a [u8]>,
    /// Accept-Language.
    pub accept_language: Option<&'a [u8]>,
    /// Referer, for the access log.
    pub referer: Option<&'a [u8]>,
    /// User-Agent, for the access log.
    pub user_agent: Option<&'a [u8]>,
    /// What Connection says.
    pub connection: Connection,
    /// Whether there is a field that the fast lane leaves to the full one: a body, an expectation, an
    /// upgrade, or one of the fields above twice.
    pub unusual: bool,
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
            4 if is(name, "host") => return self.add_host(value),
            10 if is(name, "connection") => return self.add_connection(value),
            5 if is(name, "range") => &mut self.range,
            8 if is(name, "if-range") => &mut self.if_range,
            8 if is(name, "if-match") => &mut self.if_match,
            13 if is(name, "if-none-match") => &mut self.if_none_match,
            17 if is(name, "if-modified-since") => &mut self.if_modified_since,
            19 if is(name, "if-unmodified-since") => &mut self.if_unmodified_since,
            6 if is(name, "accept") => &mut self.accept,
            15 if is(name, "accept-language") => &mut self.accept_language,
            7 if is(name, "referer") => &mut self.referer,
            10 if is(name, "user-agent") => &mut self.user_agent,
            _ => {
                self.unusual |= UNUSUAL.iter().any(|u| is(name, u));
                return;
            }
        };
        if slot.replace(value).is_some() {
            self.unusual = true;
        }
    }

    fn add_host(&mut self, value: &'a [u8]) {
        self.host = match self.host {
            HostField::Missing => HostField::One(value),
            _ => HostField::Several,
        };
    }

    fn add_connection(&mut self, value: &'a [u8]) {
        for option in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
            match self.connection {
                _ if is(option, "close") => self.connection = Connection::Close,
                Connection::Close if is(option, "keep-alive") => {}
                _ if is(option, "keep-alive") => self.connection = Connection::KeepAlive,
                _ => self.unusual |= !option.is_empty(),
            }
        }
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

/// Fields that make a request more than a plain one.
const UNUSUAL: [&str; 6] =
    ["content-length", "transfer-encoding", "expect", "upgrade", "http2-settings", "trailer"];

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
    let mut head = Head {
        method: Method::parse(method.as_bytes()),
        method_name: method.as_bytes(),
        target: target.as_bytes(),
        minor_version: Some(minor),
        fields: Fields::default(),
    };
    for field in request.headers.iter() {
        head.fields.add(field.name.as_bytes(), field.value);
    }
    Parsed::Head(head, length)
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
        assert_eq!(fields.host, HostField::One(b"a"));
        assert!(!fields.unusual && fields.is_unconditional());
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
    fn what_the_fast_lane_leaves_alone_is_unusual() {
        for line in [
            "Content-Length: 0",
            "transfer-encoding: chunked",
            "Expect: 100-continue",
            "Upgrade: h2c",
            "Connection: upgrade",
            "Range: a\r\nRange: b",
        ] {
            assert!(fields(&format!("GET / HTTP/1.1\r\n{line}\r\n\r\n")).unusual, "{line}");
        }
    }

    #[test]
    fn two_hosts_are_seen() {
        let fields = fields("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n");
        assert_eq!(fields.host, HostField::Several);
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
        ] {
            assert!(matches!(parse(text.as_bytes()), Parsed::Malformed), "{text:?}");
        }
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(MAX_FIELDS + 1));
        assert!(matches!(parse(many.as_bytes()), Parsed::TooManyFields));
    }

    #[test]
    fn methods_are_known_not_allowed_or_unknown() {
        assert_eq!(Method::parse(b"GET"), Method::Get);
        assert_eq!(Method::parse(b"get"), Method::Unknown);
        assert_eq!(Method::parse(b"DELETE"), Method::NotAllowed);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_head_cut_short_is_partial(at in 0usize..45) {
            let text = b"GET /a HTTP/1.1\r\nHost: a\r\nRange: bytes=0-\r\n\r\n";
            prop_assert!(matches!(parse(&text[..at]), Parsed::Partial));
        }
    }
}
