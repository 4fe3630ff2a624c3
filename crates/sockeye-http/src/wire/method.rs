//! The methods: one table from which parsing, what a method does, and Allow come.

/// A request method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// OPTIONS
    Options,
    /// PUT (RFC 9110 §9.3.4)
    Put,
    /// DELETE (RFC 9110 §9.3.5)
    Delete,
    /// A method that HTTP or WebDAV knows and that does nothing here: 405.
    NotAllowed,
    /// A method that nobody here knows: 501.
    Unknown,
}

/// Every method with a meaning in HTTP or WebDAV.
const METHODS: [(&[u8], Method); 17] = [
    (b"GET", Method::Get),
    (b"HEAD", Method::Head),
    (b"OPTIONS", Method::Options),
    (b"PUT", Method::Put),
    (b"DELETE", Method::Delete),
    (b"POST", Method::NotAllowed),
    (b"PATCH", Method::NotAllowed),
    (b"TRACE", Method::NotAllowed),
    (b"CONNECT", Method::NotAllowed),
    (b"PROPFIND", Method::NotAllowed),
    (b"PROPPATCH", Method::NotAllowed),
    (b"MKCOL", Method::NotAllowed),
    (b"COPY", Method::NotAllowed),
    (b"MOVE", Method::NotAllowed),
    (b"LOCK", Method::NotAllowed),
    (b"UNLOCK", Method::NotAllowed),
    (b"REPORT", Method::NotAllowed),
];

impl Method {
    /// The method of this name; names are case-sensitive (RFC 9110 §9.1).
    #[must_use]
    pub fn parse(name: &[u8]) -> Self {
        METHODS.iter().find(|(known, _)| *known == name).map_or(Self::Unknown, |row| row.1)
    }

    /// Whether it changes something, so that no page of another site may have it sent.
    #[must_use]
    pub const fn changes(self) -> bool {
        matches!(self, Self::Put | Self::Delete)
    }
}

/// What a resource takes beside GET, HEAD and OPTIONS: what Allow says of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// PUT.
    pub put: bool,
    /// DELETE.
    pub delete: bool,
}

impl Allowed {
    /// Nothing beside: the resource is only read.
    pub const READ: Self = Self { put: false, delete: false };

    /// All there is.
    pub const ALL: Self = Self { put: true, delete: true };

    /// What this and `other` both take.
    #[must_use]
    pub const fn both(self, other: Self) -> Self {
        Self { put: self.put && other.put, delete: self.delete && other.delete }
    }

    /// The value of Allow.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match (self.put, self.delete) {
            (false, false) => "GET, HEAD, OPTIONS",
            (true, false) => "GET, HEAD, OPTIONS, PUT",
            (false, true) => "GET, HEAD, OPTIONS, DELETE",
            (true, true) => "GET, HEAD, OPTIONS, PUT, DELETE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_known_not_allowed_or_unknown() {
        for (name, method) in METHODS {
            assert_eq!(Method::parse(name), method);
            assert_eq!(Method::parse(&name.to_ascii_lowercase()), Method::Unknown);
        }
        assert_eq!(Method::parse(b"BREW"), Method::Unknown);
    }

    #[test]
    fn what_is_allowed_is_what_the_table_has() {
        for (put, delete) in [(false, false), (true, false), (false, true), (true, true)] {
            let text = Allowed { put, delete }.text();
            let listed: Vec<_> = text.split(", ").map(|m| Method::parse(m.as_bytes())).collect();
            assert_eq!(&listed[..3], [Method::Get, Method::Head, Method::Options]);
            assert_eq!(listed.contains(&Method::Put), put);
            assert_eq!(listed.contains(&Method::Delete), delete);
        }
    }
}
