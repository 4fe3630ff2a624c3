//! The request target (RFC 9112 §3.2): where the request goes.

use sockeye_node::{FilePath, NameError, PathBuilder};

use super::escape;

/// A request target that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// `*`: the server as a whole (only for OPTIONS).
    Asterisk,
    /// A resource, from the origin form or the absolute form.
    Resource(Resource<'a>),
}

/// A resource on this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource<'a> {
    /// The authority of the absolute form, which goes before the Host header (RFC 9112 §3.2.2).
    pub authority: Option<&'a [u8]>,
    /// The path, decoded. Empty segments are left out, as `//a///b` is meant as `/a/b`.
    pub path: FilePath,
    /// Whether the path ended with a slash, as the root's always does: a folder is meant.
    pub folder: bool,
    /// What follows the `?`, still encoded.
    pub query: Option<&'a [u8]>,
}

impl Resource<'_> {
    /// Whether it is below `/-/`, where a node has what is the site's own.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.path.segments().next().is_some_and(|first| first == OWN)
    }
}

/// The name at the root below which a node's own pages and APIs are.
pub const OWN: &[u8] = b"-";

/// Why a request target was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// Neither `*`, nor a path, nor an `http://` or `https://` URL.
    #[error("the request target is neither a path nor a URL")]
    Form,
    /// A byte that a target cannot contain: a control character, a space or `#`.
    #[error("the request target contains a character that must be percent-encoded")]
    Character,
    /// A `%` without two hexadecimal digits.
    #[error("a percent sign in the path is not followed by two hexadecimal digits")]
    Escape,
    /// A segment that is not a name.
    #[error("the path contains what cannot be a name: {0}")]
    Name(#[from] NameError),
}

/// Takes a request target apart.
///
/// # Errors
/// If it has no form that this server serves, is badly encoded, or cannot name a file.
pub fn parse(target: &[u8]) -> Result<Target<'_>, TargetError> {
    if target.iter().any(|&b| b <= b' ' || b == 0x7f || b == b'#') {
        return Err(TargetError::Character);
    }
    if target == b"*" {
        return Ok(Target::Asterisk);
    }
    let (authority, rest) = if target.first() == Some(&b'/') {
        (None, target)
    } else {
        let (authority, rest) = split_absolute(target).ok_or(TargetError::Form)?;
        (Some(authority), rest)
    };
    let (path, query) = match rest.iter().position(|&b| b == b'?') {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let folder = path.last().is_none_or(|&b| b == b'/');
    Ok(Target::Resource(Resource { authority, path: decode_path(path)?, folder, query }))
}

/// `http://AUTHORITY[/PATH]`; the rest may be empty or begin with `?`.
fn split_absolute(target: &[u8]) -> Option<(&[u8], &[u8])> {
    let scheme = [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|s| target.len() > s.len() && target[..s.len()].eq_ignore_ascii_case(s))?;
    let rest = &target[scheme.len()..];
    let end = rest.iter().position(|&b| b == b'/' || b == b'?').unwrap_or(rest.len());
    (end > 0).then(|| rest.split_at(end))
}

/// Decodes segment by segment, so that an encoded slash never separates.
fn decode_path(path: &[u8]) -> Result<FilePath, TargetError> {
    let mut builder = PathBuilder::with_capacity(path.len());
    for segment in path.split(|&b| b == b'/').filter(|s| !s.is_empty()) {
        builder.push(&escape::decode(segment).ok_or(TargetError::Escape)?)?;
    }
    Ok(builder.finish())
}

/// The URL of what a request's target names, from the root, encoded, with its query; none if it names nothing.
#[must_use]
pub fn address(target: &[u8]) -> Option<String> {
    let Target::Resource(wanted) = parse(target).ok()? else { return None };
    let mut url = url_path(&wanted.path, wanted.folder);
    if let Some(query) = wanted.query.and_then(|query| str::from_utf8(query).ok()) {
        url.push('?');
        url.push_str(query);
    }
    Some(url)
}

/// The URL path of `path`, from the root, encoded; `folder` adds the slash at the end.
///
/// It begins with exactly one slash and holds no backslash, so that no browser reads it as another host.
#[must_use]
pub fn url_path(path: &FilePath, folder: bool) -> String {
    let mut url = String::with_capacity(path.as_bytes().len() + 2);
    for segment in path.segments() {
        url.push('/');
        escape::encode_into(&mut url, segment);
    }
    if folder || url.is_empty() {
        url.push('/');
    }
    url
}

/// `target` as an address on this server, if it is one: a path from the root, and its query.
#[must_use]
pub fn local(target: &[u8]) -> Option<String> {
    match parse(target) {
        Ok(Target::Resource(Resource { authority: None, path, folder, query })) => {
            let mut url = url_path(&path, folder);
            if let Some(query) = query.and_then(|query| str::from_utf8(query).ok()) {
                url.push('?');
                url.push_str(query);
            }
            Some(url)
        }
        _ => None,
    }
}

/// The address of the page for signing in, which leads to `next` afterwards.
#[must_use]
pub fn sign_in_url(next: &str) -> String {
    let mut url = "/-/login?next=".to_owned();
    escape::encode_into(&mut url, next.as_bytes());
    url
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(target: &str) -> Result<(String, bool), TargetError> {
        match parse(target.as_bytes())? {
            Target::Resource(r) => Ok((r.path.to_string(), r.folder)),
            Target::Asterisk => Ok(("*".into(), false)),
        }
    }

    #[test]
    fn paths_are_decoded_once() {
        for (target, expected, folder) in [
            ("/", "/", true),
            ("/a/b.txt", "/a/b.txt", false),
            ("/a/b/", "/a/b", true),
            ("//a///b", "/a/b", false),
            ("/%e6%96%87/x%20y", "/文/x y", false),
            ("/%252e%252e/x", "/%2e%2e/x", false),
            ("/a\\..\\b", "/a\\..\\b", false),
            ("/a?b=/../c", "/a", false),
            ("http://host", "/", true),
            ("HTTP://host?q", "/", true),
            ("https://host:1/a", "/a", false),
            ("/...", "/...", false),
        ] {
            assert_eq!(path(target), Ok((expected.to_owned(), folder)), "{target}");
        }
        assert_eq!(parse(b"*"), Ok(Target::Asterisk));
    }

    #[test]
    fn what_names_no_file_is_refused() {
        use TargetError::{Character, Escape, Form, Name};
        for (target, error) in [
            ("", Form),
            ("a", Form),
            ("ftp://host/", Form),
            ("http:///a", Form),
            ("host:80", Form),
            ("/a b", Character),
            ("/a\tb", Character),
            ("/a#b", Character),
            ("/%", Escape),
            ("/%4", Escape),
            ("/%gg", Escape),
            ("/a/../b", Name(NameError::Dots)),
            ("/%2e%2E/b", Name(NameError::Dots)),
            ("/.%2e", Name(NameError::Dots)),
            ("/./b", Name(NameError::Dots)),
            ("/a%2fb", Name(NameError::Byte)),
            ("/..%2f..%2fetc", Name(NameError::Byte)),
            ("/a%00.txt", Name(NameError::Byte)),
        ] {
            assert_eq!(path(target), Err(error), "{target}");
        }
        // An overlong encoding of `.` is only a strange name.
        assert!(path("/%c0%ae%c0%ae/etc").is_ok());
    }

    #[test]
    fn a_redirect_stays_on_this_host() {
        for target in ["//evil.example", "/\\evil.example", "/%5cevil.example", "///x"] {
            let Target::Resource(resource) = parse(target.as_bytes()).unwrap() else { panic!() };
            let url = url_path(&resource.path, true);
            assert!(url.starts_with('/') && !url.starts_with("//") && !url.contains('\\'), "{url}");
        }
    }

    #[test]
    fn only_what_is_on_this_server_is_local() {
        for (target, expected) in [
            ("/a/b?c=d&e", Some("/a/b?c=d&e")),
            ("/", Some("/")),
            ("//evil.example/x", Some("/evil.example/x")),
            ("/\\evil.example", Some("/%5Cevil.example")),
            ("/a?b\r\nc", None),
            ("https://evil.example/", None),
            ("javascript:alert(1)", None),
            ("evil.example", None),
            ("/../x", None),
            ("", None),
        ] {
            assert_eq!(local(target.as_bytes()).as_deref(), expected, "{target}");
        }
        assert_eq!(sign_in_url("/a?b=c&d"), "/-/login?next=%2Fa%3Fb%3Dc%26d");
    }

    proptest! {
        #[test]
        fn a_target_never_names_a_step_up(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
            if let Ok(Target::Resource(resource)) = parse(&bytes) {
                prop_assert!(resource.path.segments().all(|s| s != b".." && s != b"." && !s.contains(&0)));
                let url = url_path(&resource.path, resource.folder);
                let Ok(Target::Resource(again)) = parse(url.as_bytes()) else {
                    return Err(TestCaseError::fail(url));
                };
                prop_assert_eq!(again.path, resource.path);
            }
        }

        #[test]
        fn every_encoding_of_a_path_reads_alike(names in proptest::collection::vec("[a-z.%/]{1,4}", 1..4)) {
            let mut target = String::new();
            for name in &names {
                target.push('/');
                name.bytes().for_each(|b| target.push_str(&format!("%{b:02x}")));
            }
            let fit = |n: &String| n != "." && n != ".." && !n.contains('/');
            match parse(target.as_bytes()) {
                Ok(Target::Resource(r)) => {
                    prop_assert!(names.iter().all(fit));
                    prop_assert_eq!(r.path.as_bytes().to_vec(), names.join("/").into_bytes());
                }
                _ => prop_assert!(!names.iter().all(fit)),
            }
        }
    }
}
