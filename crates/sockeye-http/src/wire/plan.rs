//! What a request asks for, decided from its head alone.

use http::StatusCode;

use super::{
    head::{Head, HostField, Method},
    host::{self, HostRule},
    target::{self, Resource, Target, TargetError},
};

/// What is to be done about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan<'a> {
    /// Look for this file or folder and send it.
    Serve(Resource<'a>),
    /// Say what is allowed.
    Options,
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
    /// 405: the method is known and not allowed.
    Method,
    /// 408: the head did not come in time.
    Timeout,
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
        !matches!(self, Self::NoSuchName | Self::Method | Self::UnknownMethod | Self::Misdirected)
    }

    /// The status code.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed | Self::Target(_) | Self::Host => StatusCode::BAD_REQUEST,
            Self::NoSuchName => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::TargetLength => StatusCode::URI_TOO_LONG,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Fields => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::UnknownMethod => StatusCode::NOT_IMPLEMENTED,
        }
    }
}

/// Decides from the head what is to be done; `max_target` is the longest target in bytes.
#[must_use]
pub fn plan<'a>(head: &Head<'a>, hosts: &HostRule, max_target: usize) -> Plan<'a> {
    decide(head, hosts, max_target).unwrap_or_else(Plan::Refuse)
}

fn decide<'a>(head: &Head<'a>, hosts: &HostRule, max: usize) -> Result<Plan<'a>, Refusal> {
    if head.target.len() > max {
        return Err(Refusal::TargetLength);
    }
    match head.method {
        Method::Unknown => return Err(Refusal::UnknownMethod),
        // CONNECT's target is no path, so the method comes before the target.
        Method::NotAllowed => {
            check_host(head, None, hosts)?;
            return Err(Refusal::Method);
        }
        Method::Get | Method::Head | Method::Options => {}
    }
    match target::parse(head.target).map_err(refuse_target)? {
        Target::Asterisk => {
            check_host(head, None, hosts)?;
            if head.method == Method::Options {
                Ok(Plan::Options)
            } else {
                Err(Refusal::Target(TargetError::Form))
            }
        }
        Target::Resource(resource) => {
            check_host(head, resource.authority, hosts)?;
            Ok(match head.method {
                Method::Options => Plan::Options,
                _ => Plan::Serve(resource),
            })
        }
    }
}

fn refuse_target(error: TargetError) -> Refusal {
    match error {
        TargetError::Name(sockeye_node::NameError::TooLong) => Refusal::NoSuchName,
        other => Refusal::Target(other),
    }
}

/// The authority of the target goes before Host, which must be there all the same (RFC 9112 §3.2).
fn check_host(head: &Head<'_>, authority: Option<&[u8]>, rule: &HostRule) -> Result<(), Refusal> {
    let field = match head.fields.host {
        HostField::Several => return Err(Refusal::Host),
        HostField::Missing if head.minor_version == Some(1) => return Err(Refusal::Host),
        HostField::Missing => None,
        HostField::One(field) => Some(host::parse(field).ok_or(Refusal::Host)?),
    };
    let named = match authority {
        Some(authority) => Some(host::parse(authority).ok_or(Refusal::Host)?),
        None => field,
    };
    match named {
        // HTTP/1.0 needs none, and no browser speaks it.
        None => Ok(()),
        Some(host) if rule.admits(host) => Ok(()),
        Some(_) => Err(Refusal::Misdirected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::head::{Parsed, parse};

    fn outcome(request: &str) -> Result<String, u16> {
        let text = format!("{request}\r\n\r\n");
        let Parsed::Head(head, _) = parse(text.as_bytes()) else { panic!("{request}") };
        match plan(&head, &HostRule::Local(Vec::new()), 100) {
            Plan::Serve(resource) => Ok(resource.path.to_string()),
            Plan::Options => Ok("options".into()),
            Plan::Refuse(refusal) => Err(refusal.status().as_u16()),
        }
    }

    #[test]
    fn requests_are_served_or_refused_by_their_head() {
        let long = format!("GET /{} HTTP/1.1\r\nHost: localhost", "a".repeat(100));
        for (request, expected) in [
            ("GET /a HTTP/1.1\r\nHost: localhost", Ok("/a")),
            ("HEAD /a HTTP/1.1\r\nHost: 127.0.0.1:1", Ok("/a")),
            ("OPTIONS * HTTP/1.1\r\nHost: localhost", Ok("options")),
            ("OPTIONS /x HTTP/1.1\r\nHost: localhost", Ok("options")),
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
            (&long, Err(414)),
        ] {
            assert_eq!(outcome(request), expected.map(str::to_owned), "{request}");
        }
    }
}
