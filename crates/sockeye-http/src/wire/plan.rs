//! What a request asks for, decided from its head alone.

use http::StatusCode;

use super::{
    authorization::AuthorizationError,
    chunked::ChunkError,
    framing::FramingError,
    head::{Head, Once},
    host::{self, HostRule},
    method::{Allowed, Method},
    origin,
    target::{self, Resource, Target, TargetError},
};

/// What is to be done about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan<'a> {
    /// Look for this file or folder and send it.
    Serve(Resource<'a>),
    /// Say what is allowed there; nowhere in particular for `*`.
    Options(Option<Resource<'a>>),
    /// Make this file of the request's content, in place of the one that is there.
    Put(Resource<'a>),
    /// Delete this file; with a slash at its end, this folder with all that is in it.
    Delete(Resource<'a>),
    /// What WebDAV's method does there (RFC 4918 §9).
    Dav(Method, Resource<'a>),
    /// Something of the site's own, below `/-/`: never a file.
    Own(Resource<'a>),
    /// Answer with an error.
    Refuse(Refusal),
}

/// Why a request is refused before any file is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// 400: the head is not HTTP.
    Malformed,
    /// 400: the target cannot be understood.
    Target(TargetError),
    /// 400: no Host, several, or a malformed one.
    Host,
    /// 404: the target is well-formed, and no file can have that name.
    NoSuchName,
    /// 400 or 501: nobody can know for certain where the request ends.
    Framing(FramingError),
    /// 400: the content is no chunked body.
    Content(ChunkError),
    /// 401: Authorization is there, and says nothing.
    Authorization(AuthorizationError),
    /// 403: the page of another site asks for a change.
    Foreign,
    /// 405: the method is known and not allowed.
    Method(Allowed),
    /// 408: the head did not come in time.
    Timeout,
    /// 417: the client expects something that nobody here knows.
    Expectation,
    /// 414: the request line is too long.
    TargetLength,
    /// 421: this listener does not go by that name.
    Misdirected,
    /// 431: too many header fields, or too large.
    Fields,
    /// 501: the method is unknown.
    UnknownMethod,
}

impl Refusal {
    /// Whether the connection ends with it: nobody knows what a client that sends nonsense sends next.
    #[must_use]
    pub fn ends_connection(self) -> bool {
        match self {
            Self::NoSuchName | Self::Method(_) | Self::UnknownMethod | Self::Misdirected => false,
            Self::Authorization(_) | Self::Foreign | Self::Expectation => false,
            Self::Malformed | Self::Target(_) | Self::Host => true,
            Self::Framing(_) | Self::Content(_) => true,
            Self::Timeout | Self::TargetLength | Self::Fields => true,
        }
    }

    /// The status code.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed | Self::Target(_) | Self::Host => StatusCode::BAD_REQUEST,
            Self::Framing(FramingError::Coding) => StatusCode::NOT_IMPLEMENTED,
            Self::Framing(_) | Self::Content(_) => StatusCode::BAD_REQUEST,
            Self::Authorization(_) => StatusCode::UNAUTHORIZED,
            Self::Foreign => StatusCode::FORBIDDEN,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::NoSuchName => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::TargetLength => StatusCode::URI_TOO_LONG,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Fields => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::UnknownMethod => StatusCode::NOT_IMPLEMENTED,
        }
    }
}

/// What of a server decides what is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The hosts that it answers to.
    pub hosts: &'a HostRule,
    /// The longest target, in bytes.
    pub target: usize,
    /// Whether it is a node's: something can be changed, and what is below `/-/` is the site's own.
    pub node: bool,
}

/// Decides from the head what is to be done.
#[must_use]
pub fn plan<'a>(head: &Head<'a>, rules: &Rules<'_>) -> Plan<'a> {
    decide(head, rules).unwrap_or_else(Plan::Refuse)
}

fn decide<'a>(head: &Head<'a>, rules: &Rules<'_>) -> Result<Plan<'a>, Refusal> {
    if head.target.len() > rules.target {
        return Err(Refusal::TargetLength);
    }
    match head.method {
        Method::Unknown => return Err(Refusal::UnknownMethod),
        // CONNECT's target is no path, so the method comes before the target.
        Method::NotAllowed => {
            check_host(head, None, rules.hosts)?;
            let some = if rules.node { Allowed::ALL } else { Allowed::READ };
            return Err(Refusal::Method(some));
        }
        _ => {}
    }
    let resource = match target::parse(head.target).map_err(refuse_target)? {
        Target::Asterisk => {
            check_host(head, None, rules.hosts)?;
            return match head.method {
                Method::Options => Ok(Plan::Options(None)),
                _ => Err(Refusal::Target(TargetError::Form)),
            };
        }
        Target::Resource(resource) => resource,
    };
    let host = check_host(head, resource.authority, rules.hosts)?;
    let known = |expected: &[u8]| expected.eq_ignore_ascii_case(b"100-continue");
    if !head.is_http_1_0() && head.fields.expect.is_some_and(|expected| !known(expected)) {
        return Err(Refusal::Expectation);
    }
    let own = rules.node && resource.is_own();
    let allowed = allowed(&resource, rules.node);
    let dav = rules.node && head.method.is_dav();
    if !own && !dav && !allowed.contains(head.method) {
        return Err(Refusal::Method(allowed));
    }
    if head.method.changes() && origin::is_foreign(&head.fields, host) {
        return Err(Refusal::Foreign);
    }
    Ok(match head.method {
        _ if own => Plan::Own(resource),
        method if dav => Plan::Dav(method, resource),
        Method::Options => Plan::Options(Some(resource)),
        Method::Put => Plan::Put(resource),
        Method::Delete => Plan::Delete(resource),
        _ => Plan::Serve(resource),
    })
}

/// What can be done with a file or folder of this address, of a `node` or not: content is of files, and the
/// root stays.
#[must_use]
pub fn allowed(resource: &Resource<'_>, node: bool) -> Allowed {
    match (node, resource.folder, resource.path.is_root()) {
        (false, ..) => Allowed::READ,
        (true, false, _) => Allowed::ALL,
        (true, true, false) => Allowed::ALL.without(Method::Put),
        (true, true, true) => Allowed::ROOT,
    }
}

fn refuse_target(error: TargetError) -> Refusal {
    match error {
        TargetError::Name(sockeye_node::NameError::TooLong) => Refusal::NoSuchName,
        other => Refusal::Target(other),
    }
}

/// The authority that the request names, if it is one that this server answers to. That of the target goes
/// before Host, which must be there all the same (RFC 9112 §3.2).
fn check_host<'a>(
    head: &Head<'a>,
    authority: Option<&'a [u8]>,
    rule: &HostRule,
) -> Result<Option<&'a [u8]>, Refusal> {
    let field = match head.fields.host {
        Once::Several => return Err(Refusal::Host),
        Once::Missing if head.minor_version == Some(1) => return Err(Refusal::Host),
        Once::Missing => None,
        Once::One(field) => Some((field, host::parse(field).ok_or(Refusal::Host)?)),
    };
    let named = match authority {
        Some(authority) => Some((authority, host::parse(authority).ok_or(Refusal::Host)?)),
        None => field,
    };
    match named {
        // HTTP/1.0 needs none, and no browser speaks it.
        None => Ok(None),
        Some((text, host)) if rule.admits(host) => Ok(Some(text)),
        Some(_) => Err(Refusal::Misdirected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::head::{Parsed, parse};

    fn outcome(request: &str, node: bool) -> Result<String, u16> {
        let text = format!("{request}\r\n\r\n");
        let Parsed::Head(head, _) = parse(text.as_bytes()) else { panic!("{request}") };
        let hosts = HostRule::Local(Vec::new());
        match plan(&head, &Rules { hosts: &hosts, target: 100, node }) {
            Plan::Serve(resource) => Ok(resource.path.to_string()),
            Plan::Options(resource) => Ok(format!("options {}", resource.is_some())),
            Plan::Put(resource) => Ok(format!("put {}", resource.path)),
            Plan::Delete(resource) => Ok(format!("delete {} {}", resource.path, resource.folder)),
            Plan::Dav(method, resource) => Ok(format!("{method:?} {}", resource.path)),
            Plan::Own(resource) => Ok(format!("own {}", resource.path)),
            Plan::Refuse(refusal) => Err(refusal.status().as_u16()),
        }
    }

    #[test]
    fn requests_are_served_or_refused_by_their_head() {
        let long = format!("GET /{} HTTP/1.1\r\nHost: localhost", "a".repeat(100));
        for (request, expected) in [
            ("GET /a HTTP/1.1\r\nHost: localhost", Ok("/a")),
            ("HEAD /a HTTP/1.1\r\nHost: 127.0.0.1:1", Ok("/a")),
            ("OPTIONS * HTTP/1.1\r\nHost: localhost", Ok("options false")),
            ("OPTIONS /x HTTP/1.1\r\nHost: localhost", Ok("options true")),
            ("GET /a HTTP/1.0", Ok("/a")),
            ("GET http://localhost/a HTTP/1.1\r\nHost: evil.example", Ok("/a")),
            ("GET http://evil.example/a HTTP/1.1\r\nHost: localhost", Err(421)),
            ("GET /a HTTP/1.1\r\nHost: evil.example", Err(421)),
            ("GET /a HTTP/1.0\r\nHost: evil.example", Err(421)),
            ("GET /a HTTP/1.1", Err(400)),
            ("GET /a HTTP/1.1\r\nHost: a b", Err(400)),
            ("GET /a HTTP/1.1\r\nHost:", Err(400)),
            ("GET * HTTP/1.1\r\nHost: localhost", Err(400)),
            ("GET /%zz HTTP/1.1\r\nHost: localhost", Err(400)),
            ("GET /.. HTTP/1.1\r\nHost: localhost", Err(400)),
            ("POST /a HTTP/1.1\r\nHost: localhost", Err(405)),
            ("CONNECT localhost:1 HTTP/1.1\r\nHost: localhost", Err(405)),
            ("BREW /a HTTP/1.1\r\nHost: localhost", Err(501)),
            ("GET /a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-Continue", Ok("/a")),
            ("GET /a HTTP/1.1\r\nHost: localhost\r\nExpect: tea", Err(417)),
            ("GET /a HTTP/1.0\r\nHost: localhost\r\nExpect: tea", Ok("/a")),
            (&long, Err(414)),
        ] {
            for node in [false, true] {
                assert_eq!(outcome(request, node), expected.map(str::to_owned), "{request}");
            }
        }
    }

    #[test]
    fn changes_are_planned_where_there_can_be_any() {
        for (request, expected) in [
            ("PUT /a", Ok("put /a")),
            ("PUT /a/", Err(405)),
            ("PUT /", Err(405)),
            ("PUT *", Err(400)),
            ("DELETE /a", Ok("delete /a false")),
            ("DELETE /a/", Ok("delete /a true")),
            ("DELETE /", Err(405)),
            ("DELETE /..", Err(400)),
            ("PROPFIND /a/", Ok("PropFind /a")),
            ("MOVE /a", Ok("Move /a")),
            ("LOCK *", Err(400)),
            ("PATCH /a", Err(405)),
            ("TRACE /a", Err(405)),
        ] {
            let whole = format!("{request} HTTP/1.1\r\nHost: localhost:8080");
            assert_eq!(outcome(&whole, true), expected.map(str::to_owned), "{request}");
            let refused = Err(if expected == Err(400) { 400 } else { 405 });
            assert_eq!(outcome(&whole, false), refused, "{request}");
        }
    }

    #[test]
    fn what_is_below_the_sites_own_prefix_is_no_file_of_a_node() {
        for (target, own) in [
            ("/-", true),
            ("/-/", true),
            ("/-/x/y?z", true),
            ("/%2D/x", true),
            ("/-x", false),
            ("/a/-", false),
        ] {
            for method in ["GET", "PUT", "DELETE", "OPTIONS", "POST", "PROPFIND"] {
                let whole = format!("{method} {target} HTTP/1.1\r\nHost: localhost");
                let seen = outcome(&whole, true);
                assert_eq!(seen.is_ok_and(|it| it.starts_with("own ")), own, "{method} {target}");
                assert!(!outcome(&whole, false).is_ok_and(|it| it.starts_with("own ")));
            }
        }
    }

    #[test]
    fn a_page_of_another_site_changes_nothing() {
        for (method, origin, expected) in [
            ("PUT", "Origin: http://localhost:8080", Ok("put /a")),
            ("PUT", "Origin: http://evil.example", Err(403)),
            ("DELETE", "Sec-Fetch-Site: cross-site", Err(403)),
            ("MKCOL", "Sec-Fetch-Site: cross-site", Err(403)),
            ("PROPFIND", "Sec-Fetch-Site: cross-site", Ok("PropFind /a")),
            ("GET", "Sec-Fetch-Site: cross-site", Ok("/a")),
        ] {
            let whole = format!("{method} /a HTTP/1.1\r\nHost: localhost:8080\r\n{origin}");
            assert_eq!(outcome(&whole, true), expected.map(str::to_owned), "{method} {origin}");
        }
    }
}
