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
    /// POST (RFC 9110 §9.3.3): only below `/-/`.
    Post,
    /// PATCH (RFC 5789): only below `/-/`.
    Patch,
    /// PROPFIND (RFC 4918 §9.1)
    PropFind,
    /// PROPPATCH (RFC 4918 §9.2)
    PropPatch,
    /// MKCOL (RFC 4918 §9.3)
    MkCol,
    /// COPY (RFC 4918 §9.8)
    Copy,
    /// MOVE (RFC 4918 §9.9)
    Move,
    /// LOCK (RFC 4918 §9.10)
    Lock,
    /// UNLOCK (RFC 4918 §9.11)
    Unlock,
    /// A method that HTTP or WebDAV knows and that does nothing here: 405.
    NotAllowed,
    /// A method that nobody here knows: 501.
    Unknown,
}

/// Every method with a meaning in HTTP or WebDAV. Allow names them in this order.
pub(crate) const METHODS: [(&str, Method); 18] = [
    ("GET", Method::Get),
    ("HEAD", Method::Head),
    ("OPTIONS", Method::Options),
    ("PUT", Method::Put),
    ("DELETE", Method::Delete),
    ("POST", Method::Post),
    ("PATCH", Method::Patch),
    ("PROPFIND", Method::PropFind),
    ("PROPPATCH", Method::PropPatch),
    ("MKCOL", Method::MkCol),
    ("COPY", Method::Copy),
    ("MOVE", Method::Move),
    ("LOCK", Method::Lock),
    ("UNLOCK", Method::Unlock),
    ("TRACE", Method::NotAllowed),
    ("CONNECT", Method::NotAllowed),
    ("REPORT", Method::NotAllowed),
    ("QUERY", Method::NotAllowed),
];

impl Method {
    /// The method of this name; names are case-sensitive (RFC 9110 §9.1).
    #[must_use]
    pub fn parse(name: &[u8]) -> Self {
        let known = METHODS.iter().find(|(known, _)| known.as_bytes() == name);
        known.map_or(Self::Unknown, |row| row.1)
    }

    /// Whether it may change something, so that no page of another site may have it sent.
    #[must_use]
    pub const fn changes(self) -> bool {
        !matches!(self, Self::Get | Self::Head | Self::Options | Self::PropFind)
    }

    /// Whether it is one that WebDAV adds.
    #[must_use]
    pub const fn is_dav(self) -> bool {
        match self {
            Self::PropFind | Self::PropPatch | Self::MkCol | Self::Copy | Self::Move => true,
            Self::Lock | Self::Unlock => true,
            Self::Get | Self::Head | Self::Options | Self::Put | Self::Delete => false,
            Self::Post | Self::Patch | Self::NotAllowed | Self::Unknown => false,
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of methods: what Allow says of a resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed(u16);

impl Allowed {
    /// The resource is only read.
    pub const READ: Self = Self::of(&[Method::Get, Method::Head, Method::Options]);

    /// What a folder takes that stays what it is.
    pub const ROOT: Self = Self::READ
        .with(Method::PropFind)
        .with(Method::PropPatch)
        .with(Method::Lock)
        .with(Method::Unlock);

    /// All that files and folders take.
    pub const ALL: Self = Self::ROOT
        .with(Method::Put)
        .with(Method::Delete)
        .with(Method::MkCol)
        .with(Method::Copy)
        .with(Method::Move);

    /// These methods.
    #[must_use]
    pub const fn of(methods: &[Method]) -> Self {
        let (mut set, mut at) = (Self(0), 0);
        while at < methods.len() {
            set = set.with(methods[at]);
            at += 1;
        }
        set
    }

    /// These and `method`.
    #[must_use]
    pub const fn with(self, method: Method) -> Self {
        Self(self.0 | method.bit())
    }

    /// These without `method`.
    #[must_use]
    pub const fn without(self, method: Method) -> Self {
        Self(self.0 & !method.bit())
    }

    /// Whether `method` is one of them.
    #[must_use]
    pub const fn contains(self, method: Method) -> bool {
        self.0 & method.bit() != 0
    }

    /// The value of Allow.
    #[must_use]
    pub fn text(self) -> String {
        let named = METHODS.iter().filter(|(_, method)| self.contains(*method));
        named.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_known_not_allowed_or_unknown() {
        for (name, method) in METHODS {
            assert_eq!(Method::parse(name.as_bytes()), method);
            let small = name.to_ascii_lowercase();
            assert_eq!(Method::parse(small.as_bytes()), Method::Unknown);
            assert_eq!(
                method.is_dav(),
                matches!(&*small, "mkcol" | "copy" | "move" | "lock" | "unlock")
                    || small.starts_with("prop")
            );
        }
        assert_eq!(Method::parse(b"BREW"), Method::Unknown);
    }

    #[test]
    fn what_is_allowed_is_what_the_table_has() {
        assert_eq!(Allowed::READ.text(), "GET, HEAD, OPTIONS");
        assert_eq!(
            Allowed::ALL.text(),
            "GET, HEAD, OPTIONS, PUT, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK"
        );
        assert_eq!(Allowed::of(&[Method::Unlock, Method::Post]).text(), "POST, UNLOCK");
        for (name, method) in METHODS.iter().filter(|row| row.1 != Method::NotAllowed) {
            let one = Allowed::default().with(*method);
            assert_eq!(one.text(), *name);
            assert!(one.contains(*method) && !one.without(*method).contains(*method));
        }
    }
}
