//! A reply's head: one table of header fields, for both lanes.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue, StatusCode, header};
use sockeye_node::Range;

use super::{
    authorization::Challenge, condition::ETag, date::HTTP_DATE, head::Connection, method::Allowed,
};

/// Keeps pages of our own from loading or running anything.
const POLICY: &[u8] = b"default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Lets pages of our own load and ask what is the site's own, and nothing else. Nothing inline runs.
const POLICY_OF_SITE: &[u8] = b"default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; media-src 'self'; frame-src 'self'; connect-src 'self'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// What all pages of our own have: no other site is told where a reader comes from, has a handle on the page's window,
/// or loads it as a part of its own.
const OF_PAGES: [(HeaderName, &[u8]); 3] = [
    (header::REFERRER_POLICY, b"same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), b"same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), b"same-origin"),
];

/// Gives a stored page an origin of its own, so that it can neither read nor change anything as its reader.
const SANDBOX: &[u8] =
    b"sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts";

/// A reply without its body.
#[derive(Clone, Debug)]
pub struct ReplyHead {
    /// The status code.
    pub status: StatusCode,
    /// Content-Type.
    pub content_type: Option<Cow<'static, str>>,
    /// Content-Length: exact, and `None` where there is no content or its length is not known.
    pub length: Option<u64>,
    /// ETag.
    pub etag: Option<ETag>,
    /// Last-Modified, in seconds since the epoch.
    pub modified: Option<i64>,
    /// Content-Range.
    pub content_range: Option<ContentRange>,
    /// Location, encoded.
    pub location: Option<Vec<u8>>,
    /// Retry-After, in seconds.
    pub retry_after: Option<u32>,
    /// Allow.
    pub allow: Option<Allowed>,
    /// Cache-Control.
    pub cache_control: Option<Cow<'static, str>>,
    /// Marks of the reply, from which further fields come.
    pub traits: Traits,
    /// Fields that few replies have.
    pub more: More,
}

/// Header fields that few replies have; a name may come more than once.
#[derive(Clone, Debug, Default)]
pub struct More(Vec<(HeaderName, HeaderValue)>);

impl More {
    /// Fields that say where a reply ends or that every reply has: those are not of its author.
    const NOT_TAKEN: [HeaderName; 7] = [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::DATE,
        header::TRANSFER_ENCODING,
        header::TE,
        header::UPGRADE,
        header::X_CONTENT_TYPE_OPTIONS,
    ];

    /// Adds a field; one that is not for the reply's author to say, such as Content-Length, is passed over.
    pub fn add(&mut self, name: HeaderName, value: HeaderValue) {
        if !Self::NOT_TAKEN.contains(&name) {
            self.0.push((name, value));
        }
    }
}

/// Marks of a reply.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traits {
    /// How it asks the client to sign in.
    pub challenge: Challenge,
    /// Says that ranges are served.
    pub accept_ranges: bool,
    /// Was chosen by Accept and Accept-Language.
    pub negotiated: bool,
    /// Would be another for another Accept-Encoding.
    pub varies_by_coding: bool,
    /// Is the last on its connection.
    pub last: bool,
    /// Is a page of our own, which loads and runs nothing.
    pub own_page: bool,
    /// Is a page of our own that loads what the site has, and nothing else.
    pub site_page: bool,
    /// Is somebody's page, which must not act as the site.
    pub sandboxed: bool,
}

/// What a partial or unsatisfiable reply says of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentRange {
    /// `bytes FIRST-LAST/SIZE`
    Part(Range, u64),
    /// `bytes */SIZE`
    Unsatisfied(u64),
}

impl ReplyHead {
    /// A head with nothing but its status.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            content_type: None,
            length: None,
            etag: None,
            modified: None,
            content_range: None,
            location: None,
            retry_after: None,
            allow: None,
            cache_control: None,
            traits: Traits::default(),
            more: More::default(),
        }
    }

    /// Whether content can follow, whatever the method (RFC 9110 §6.4.1).
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.status != StatusCode::NOT_MODIFIED && self.status != StatusCode::NO_CONTENT
    }

    /// Gives every header field of the reply to `put`, beginning with `date`.
    pub fn fields(&self, date: &[u8; HTTP_DATE], mut put: impl FnMut(&HeaderName, &[u8])) {
        put(&header::DATE, date);
        if let Some(media) = &self.content_type {
            put(&header::CONTENT_TYPE, media.as_bytes());
        }
        if let Some(length) = self.length {
            put(&header::CONTENT_LENGTH, Digits::new(length).as_bytes());
        }
        if let Some(modified) = self.modified {
            put(&header::LAST_MODIFIED, &super::date::http_date(modified));
        }
        if let Some(etag) = &self.etag {
            put(&header::ETAG, etag.as_bytes());
        }
        if self.traits.accept_ranges {
            put(&header::ACCEPT_RANGES, b"bytes");
        }
        if let Some(range) = self.content_range {
            put(&header::CONTENT_RANGE, content_range(range).as_bytes());
        }
        if let Some(cache) = &self.cache_control {
            put(&header::CACHE_CONTROL, cache.as_bytes());
        }
        put(&header::X_CONTENT_TYPE_OPTIONS, b"nosniff");
        self.rare_fields(put);
    }

    fn rare_fields(&self, mut put: impl FnMut(&HeaderName, &[u8])) {
        if let Some(allowed) = self.allow {
            put(&header::ALLOW, allowed.text().as_bytes());
        }
        for challenge in self.traits.challenge.values() {
            put(&header::WWW_AUTHENTICATE, challenge.as_bytes());
        }
        match (self.traits.negotiated, self.traits.varies_by_coding) {
            (false, false) => {}
            (true, false) => put(&header::VARY, b"accept, accept-language"),
            (false, true) => put(&header::VARY, b"accept-encoding"),
            (true, true) => put(&header::VARY, b"accept, accept-encoding, accept-language"),
        }
        if self.traits.own_page || self.traits.site_page {
            for (name, value) in OF_PAGES {
                put(&name, value);
            }
        }
        if self.traits.own_page {
            put(&header::CONTENT_SECURITY_POLICY, POLICY);
        }
        if self.traits.site_page {
            put(&header::CONTENT_SECURITY_POLICY, POLICY_OF_SITE);
        }
        if self.traits.sandboxed {
            put(&header::CONTENT_SECURITY_POLICY, SANDBOX);
        }
        if let Some(location) = &self.location {
            put(&header::LOCATION, location);
        }
        if let Some(seconds) = self.retry_after {
            put(&header::RETRY_AFTER, Digits::new(seconds.into()).as_bytes());
        }
        self.more.0.iter().for_each(|(name, value)| put(name, value.as_bytes()));
    }

    /// Appends the whole head as HTTP/1.1 has it, up to the empty line.
    pub fn write(
        &self,
        out: &mut Vec<u8>,
        date: &[u8; HTTP_DATE],
        connection: Connection,
        chunked: bool,
    ) {
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(self.status.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(self.status.canonical_reason().unwrap_or_default().as_bytes());
        out.extend_from_slice(b"\r\n");
        let mut put = |name: &str, value: &[u8]| {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        };
        self.fields(date, |name, value| put(name.as_str(), value));
        match connection {
            Connection::Unsaid => {}
            Connection::KeepAlive => put("connection", b"keep-alive"),
            Connection::Close => put("connection", b"close"),
        }
        if chunked {
            put("transfer-encoding", b"chunked");
        }
        out.extend_from_slice(b"\r\n");
    }
}

fn content_range(range: ContentRange) -> String {
    match range {
        ContentRange::Part(Range { offset, length }, size) => {
            format!("bytes {offset}-{}/{size}", offset + length.saturating_sub(1))
        }
        ContentRange::Unsatisfied(size) => format!("bytes */{size}"),
    }
}

/// A number in decimal, without the heap.
#[derive(Debug)]
pub struct Digits {
    text: [u8; 20],
    start: usize,
}

impl Digits {
    /// The digits of `number`.
    #[must_use]
    pub fn new(mut number: u64) -> Self {
        let (mut text, mut start) = ([b'0'; 20], 20);
        loop {
            start -= 1;
            text[start] = b"0123456789"[(number % 10) as usize];
            number /= 10;
            if number == 0 {
                return Self { text, start };
            }
        }
    }

    /// The digits, without leading zeros.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_head_is_written_as_http_has_it() {
        let mut head = ReplyHead::new(StatusCode::PARTIAL_CONTENT);
        head.length = Some(2);
        head.content_range = Some(ContentRange::Part(Range { offset: 3, length: 2 }, 10));
        let mut out = Vec::new();
        head.write(&mut out, &super::super::date::http_date(0), Connection::Close, false);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "HTTP/1.1 206 Partial Content\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\
             content-length: 2\r\ncontent-range: bytes 3-4/10\r\n\
             x-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
        );
    }

    #[test]
    fn further_fields_follow_but_never_one_that_says_where_a_reply_ends() {
        let mut head = ReplyHead::new(StatusCode::OK);
        for (name, value) in [
            (header::CONTENT_LENGTH, "5"),
            (header::TRANSFER_ENCODING, "chunked"),
            (header::SET_COOKIE, "a=b"),
            (header::SET_COOKIE, "c=d"),
        ] {
            head.more.add(name, HeaderValue::from_static(value));
        }
        let mut out = Vec::new();
        head.write(&mut out, &super::super::date::http_date(0), Connection::Unsaid, false);
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with("nosniff\r\nset-cookie: a=b\r\nset-cookie: c=d\r\n\r\n"), "{text}");
        assert!(!text.contains("content-length") && !text.contains("chunked"));
    }

    proptest! {
        #[test]
        fn digits_are_decimal(number in any::<u64>()) {
            let digits = Digits::new(number);
            prop_assert_eq!(str::from_utf8(digits.as_bytes()).unwrap(), number.to_string());
        }
    }
}
