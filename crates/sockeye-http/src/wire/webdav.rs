//! WebDAV's header fields (RFC 4918 §10) and the contents of its requests, as values.

use std::time::Duration;

use sockeye_node::{LockDepth, LockScope, PropertyName};

use super::{
    target::{self, Resource, Target},
    xml::{self, DAV, Element, XmlError},
};

/// How far down a request reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The resource itself.
    Zero,
    /// And what lies in it.
    One,
    /// All beneath it.
    Infinity,
}

impl Depth {
    /// Reads a Depth header; `None` if it is none.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        match text.trim_ascii() {
            b"0" => Some(Self::Zero),
            b"1" => Some(Self::One),
            text if text.eq_ignore_ascii_case(b"infinity") => Some(Self::Infinity),
            _ => None,
        }
    }
}

/// Reads an Overwrite header; `None` if it is none.
#[must_use]
pub fn overwrite(text: &[u8]) -> Option<bool> {
    match text.trim_ascii() {
        b"T" | b"t" => Some(true),
        b"F" | b"f" => Some(false),
        _ => None,
    }
}

/// The first time of a Timeout header that can be read; `Infinite` is as long as there is.
#[must_use]
pub fn timeout(text: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(text).ok()?;
    text.split(',').map(str::trim).find_map(|one| {
        if one.eq_ignore_ascii_case("infinite") {
            return Some(Duration::MAX);
        }
        let (word, digits) = one.split_at_checked("Second-".len())?;
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        (word.eq_ignore_ascii_case("Second-") && plain)
            .then(|| Duration::from_secs(digits.parse().unwrap_or(u64::MAX)))
    })
}

/// Why a Destination leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// It is no URL, or names what cannot be a file: 400.
    Malformed,
    /// It is of another server: 502.
    Foreign,
}

/// The resource that a URL of this server names: an absolute path, or with `host`, which is the authority that the
/// request was made to.
///
/// # Errors
/// [`Elsewhere`].
pub fn destination<'a>(text: &'a [u8], host: Option<&[u8]>) -> Result<Resource<'a>, Elsewhere> {
    let Ok(Target::Resource(resource)) = target::parse(text.trim_ascii()) else {
        return Err(Elsewhere::Malformed);
    };
    // A default port may be said or not, whatever the scheme that a proxy in front speaks.
    let bare = |authority: &[u8]| {
        let stripped = authority.strip_suffix(b":80").or_else(|| authority.strip_suffix(b":443"));
        stripped.unwrap_or(authority).to_ascii_lowercase()
    };
    match (resource.authority, host) {
        (None, _) => Ok(resource),
        (Some(named), Some(host)) if bare(named) == bare(host) => Ok(resource),
        (Some(_), _) => Err(Elsewhere::Foreign),
    }
}

/// What a PROPFIND asks for (RFC 4918 §14.20).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PropFind {
    /// All that there is, and these.
    All(Vec<PropertyName>),
    /// The names alone.
    Names,
    /// These.
    These(Vec<PropertyName>),
}

impl PropFind {
    /// Reads the content of a PROPFIND; without one, all is asked for.
    ///
    /// # Errors
    /// [`XmlError`].
    pub fn parse(content: &[u8]) -> Result<Self, XmlError> {
        if content.trim_ascii().is_empty() {
            return Ok(Self::All(Vec::new()));
        }
        let root = xml::parse(content)?;
        if !root.is_dav("propfind") {
            return Err(XmlError::Unexpected);
        }
        let names = |element: &Element| {
            let name = |it: &Element| PropertyName::new(&it.space, &it.local);
            element.elements().map(name).collect()
        };
        let asked = ["prop", "propname", "allprop"].map(|name| root.dav(name));
        match asked {
            [Some(these), None, None] => Ok(Self::These(names(these))),
            [None, Some(_), None] => Ok(Self::Names),
            [None, None, Some(_)] => {
                Ok(Self::All(root.dav("include").map(names).unwrap_or_default()))
            }
            _ => Err(XmlError::Unexpected),
        }
    }
}

/// A step of a PROPPATCH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Patch {
    /// The property gets this value, which stands for itself; `None` if it is longer than any may be.
    Set(PropertyName, Option<String>),
    /// It goes.
    Remove(PropertyName),
}

impl Patch {
    /// Which property it is about.
    #[must_use]
    pub fn name(&self) -> &PropertyName {
        match self {
            Self::Set(name, _) | Self::Remove(name) => name,
        }
    }

    /// Reads the content of a PROPPATCH (RFC 4918 §14.19), whose steps are in order; a value has at most `most` bytes.
    ///
    /// # Errors
    /// [`XmlError`].
    pub fn parse(content: &[u8], most: usize) -> Result<Vec<Self>, XmlError> {
        let root = xml::parse(content)?;
        if !root.is_dav("propertyupdate") {
            return Err(XmlError::Unexpected);
        }
        let mut steps = Vec::new();
        for step in root.elements() {
            let sets = step.is_dav("set");
            if !sets && !step.is_dav("remove") {
                continue;
            }
            for prop in step.elements().filter(|it| it.is_dav("prop")) {
                let language = [prop, step, &root].iter().find_map(|it| it.language());
                for property in prop.elements() {
                    let name = PropertyName::new(&property.space, &property.local);
                    steps.push(if sets {
                        let mut property = property.clone();
                        property.inherit(language);
                        Self::Set(name, property.write(most))
                    } else {
                        Self::Remove(name)
                    });
                }
            }
        }
        if steps.is_empty() { Err(XmlError::Unexpected) } else { Ok(steps) }
    }
}

/// What a LOCK asks for (RFC 4918 §14.11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockInfo {
    /// Whether others may hold one.
    pub scope: LockScope,
    /// What its holder says of themselves; `None` if it is longer than it may be.
    pub owner: Option<String>,
}

impl LockInfo {
    /// Reads the content of a LOCK; `None` without one, which begins a lock anew. The owner has at most `most` bytes.
    ///
    /// # Errors
    /// [`XmlError`], also for a lock that is no write lock.
    pub fn parse(content: &[u8], most: usize) -> Result<Option<Self>, XmlError> {
        if content.trim_ascii().is_empty() {
            return Ok(None);
        }
        let root = xml::parse(content)?;
        let is_write = root.dav("locktype").is_some_and(|it| it.dav("write").is_some());
        let scope = root.dav("lockscope").ok_or(XmlError::Unexpected)?;
        let scope = match (scope.dav("exclusive"), scope.dav("shared")) {
            (Some(_), None) => LockScope::Exclusive,
            (None, Some(_)) => LockScope::Shared,
            _ => return Err(XmlError::Unexpected),
        };
        if !root.is_dav("lockinfo") || !is_write {
            return Err(XmlError::Unexpected);
        }
        let owner = root.dav("owner").map_or(Some(String::new()), |it| it.write_content(most));
        Ok(Some(Self { scope, owner }))
    }
}

/// The depth of a lock, of those that a lock can have.
#[must_use]
pub fn lock_depth(depth: Depth) -> Option<LockDepth> {
    match depth {
        Depth::Zero => Some(LockDepth::Zero),
        Depth::One => None,
        Depth::Infinity => Some(LockDepth::Infinity),
    }
}

/// Whether a property is WebDAV's own.
#[must_use]
pub fn is_dav(name: &PropertyName) -> bool {
    &*name.space == DAV
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_read_or_refused() {
        for (text, depth) in [("0", Some(Depth::Zero)), (" 1 ", Some(Depth::One)), ("2", None)] {
            assert_eq!(Depth::parse(text.as_bytes()), depth);
        }
        assert_eq!(Depth::parse(b"Infinity"), Some(Depth::Infinity));
        for (text, seconds) in [
            ("Second-3600", Some(3600)),
            ("Infinite, Second-4100000000", Some(u64::MAX)),
            ("nonsense, second-5", Some(5)),
            ("Second-99999999999999999999999", Some(u64::MAX)),
            ("Second-", None),
            ("Second-+5", None),
            ("Sekunde-\u{e4}", None),
            ("", None),
        ] {
            assert_eq!(timeout(text.as_bytes()).map(|it| it.as_secs()), seconds, "{text}");
        }
        assert_eq!(
            (overwrite(b"T"), overwrite(b"F"), overwrite(b"x")),
            (Some(true), Some(false), None)
        );
    }

    #[test]
    fn a_destination_is_of_this_server_and_decoded_once() {
        let at = |text: &str, host: Option<&str>| {
            let found = destination(text.as_bytes(), host.map(str::as_bytes));
            found.map(|resource| (resource.path.to_string(), resource.folder))
        };
        let host = Some("files.example:8080");
        for (text, expected) in [
            ("/a/b%2520c", Ok(("/a/b%20c", false))),
            ("http://files.example:8080/a/", Ok(("/a", true))),
            ("https://FILES.example:8080/a", Ok(("/a", false))),
            ("http://files.example/a", Err(Elsewhere::Foreign)),
            ("http://files.example:8080@evil.example/a", Err(Elsewhere::Foreign)),
            ("http://evil.example/a", Err(Elsewhere::Foreign)),
            ("/a/../b", Err(Elsewhere::Malformed)),
            ("/a/%2e%2e/b", Err(Elsewhere::Malformed)),
            ("/a%2fb", Err(Elsewhere::Malformed)),
            ("/a%00", Err(Elsewhere::Malformed)),
            ("a", Err(Elsewhere::Malformed)),
            ("*", Err(Elsewhere::Malformed)),
            ("//evil.example/a", Ok(("/evil.example/a", false))),
            ("file:///etc/passwd", Err(Elsewhere::Malformed)),
            ("", Err(Elsewhere::Malformed)),
        ] {
            let expected = expected.map(|(path, folder)| (path.to_owned(), folder));
            assert_eq!(at(text, host), expected, "{text}");
        }
        assert_eq!(at("http://h:80/a", Some("h")), Ok(("/a".into(), false)));
        assert_eq!(at("http://h/a", None), Err(Elsewhere::Foreign));
    }

    #[test]
    fn what_is_asked_for_is_read() {
        let d = |inner: &str| format!("<propfind xmlns='DAV:' xmlns:z='z'>{inner}</propfind>");
        let name = |space: &str, local: &str| PropertyName::new(space, local);
        for (text, expected) in [
            (String::new(), Ok(PropFind::All(vec![]))),
            (d("<allprop/>"), Ok(PropFind::All(vec![]))),
            (d("<allprop/><include><z:a/></include>"), Ok(PropFind::All(vec![name("z", "a")]))),
            (d("<propname/>"), Ok(PropFind::Names)),
            (
                d("<prop><getetag/><z:a/></prop>"),
                Ok(PropFind::These(vec![name(DAV, "getetag"), name("z", "a")])),
            ),
            (d(""), Err(XmlError::Unexpected)),
            (d("<allprop/><propname/>"), Err(XmlError::Unexpected)),
            ("<a/>".into(), Err(XmlError::Unexpected)),
            ("<a".into(), Err(XmlError::Malformed)),
        ] {
            assert_eq!(PropFind::parse(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn steps_are_read_in_order_with_their_language() {
        let text = "<D:propertyupdate xmlns:D='DAV:' xml:lang='en'>
            <D:set><D:prop><a>1</a><b xml:lang='de'/></D:prop></D:set>
            <D:remove><D:prop><a/></D:prop></D:remove></D:propertyupdate>";
        let name = |local: &str| PropertyName::new("", local);
        let set = |local: &str, value: &str| Patch::Set(name(local), Some(value.into()));
        let expected = vec![
            set("a", "<a xml:lang=\"en\">1</a>"),
            set("b", "<b xml:lang=\"de\"/>"),
            Patch::Remove(name("a")),
        ];
        assert_eq!(Patch::parse(text.as_bytes(), 100), Ok(expected));
        let long = Patch::parse(text.as_bytes(), 5).unwrap();
        assert_eq!(long[0], Patch::Set(name("a"), None));
        for bad in ["", "<a/>", "<propertyupdate xmlns='DAV:'/>"] {
            assert!(Patch::parse(bad.as_bytes(), 5).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_lock_is_a_write_lock() {
        let text = |scope: &str, kind: &str| {
            format!(
                "<D:lockinfo xmlns:D='DAV:'><D:lockscope>{scope}</D:lockscope>
                 <D:locktype>{kind}</D:locktype><D:owner><D:href>me</D:href></D:owner></D:lockinfo>"
            )
        };
        let read = |scope: &str, kind: &str| LockInfo::parse(text(scope, kind).as_bytes(), 100);
        let owner = Some("<href xmlns=\"DAV:\">me</href>".to_owned());
        let exclusive = LockInfo { scope: LockScope::Exclusive, owner };
        assert_eq!(read("<D:exclusive/>", "<D:write/>"), Ok(Some(exclusive)));
        for (scope, kind) in [
            ("<D:shared/>", "<D:read/>"),
            ("", "<D:write/>"),
            ("<D:shared/><D:exclusive/>", "<D:write/>"),
        ] {
            assert_eq!(read(scope, kind), Err(XmlError::Unexpected), "{scope} {kind}");
        }
        assert_eq!(LockInfo::parse(b" ", 1), Ok(None));
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = (Depth::parse(&bytes), overwrite(&bytes), timeout(&bytes));
            let _ = destination(&bytes, Some(b"h"));
        }
    }
}
