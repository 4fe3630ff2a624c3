//! The Host header (RFC 9112 §3.2), and which hosts a listener answers to.
//!
//! On a loopback listener the check keeps web pages out: a page whose name its owner points at 127.0.0.1
//! (DNS rebinding) can reach the listener, but its requests still carry the page's own name.

use core::net::{Ipv4Addr, Ipv6Addr};

/// The host of an authority, without its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// A literal address.
    Address,
    /// A name.
    Name(&'a str),
}

/// Which hosts a listener answers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HostRule {
    /// Every well-formed host.
    #[default]
    Any,
    /// Literal addresses, `localhost` and what ends with `.localhost`, and these names (without port).
    Local(Vec<String>),
}

impl HostRule {
    /// Whether `host` is answered.
    #[must_use]
    pub fn admits(&self, host: Host<'_>) -> bool {
        match (self, host) {
            (Self::Any, _) | (_, Host::Address) => true,
            (Self::Local(names), Host::Name(name)) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                is_localhost(name) || names.iter().any(|n| n.eq_ignore_ascii_case(name))
            }
        }
    }
}

/// RFC 6761 §6.3: these names never leave the machine.
fn is_localhost(name: &str) -> bool {
    let suffix = b"localhost";
    let Some(at) = name.len().checked_sub(suffix.len()) else { return false };
    let (rest, last) = name.as_bytes().split_at(at);
    last.eq_ignore_ascii_case(suffix) && (rest.is_empty() || rest.last() == Some(&b'.'))
}

/// Takes `HOST[:PORT]` apart; `None` if it is malformed.
#[must_use]
pub fn parse(authority: &[u8]) -> Option<Host<'_>> {
    let text = str::from_utf8(authority).ok()?;
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        address.parse::<Ipv6Addr>().ok()?;
        return is_port(port).then_some(Host::Address);
    }
    let end = text.find(':').unwrap_or(text.len());
    let (host, port) = text.split_at(end);
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&b);
    if host.is_empty() || !host.bytes().all(fits) || !is_port(port) {
        return None;
    }
    // Only what ends with a digit can be an address: most names are told apart without parsing.
    let address = host.ends_with(|c: char| c.is_ascii_digit()) && host.parse::<Ipv4Addr>().is_ok();
    Some(if address { Host::Address } else { Host::Name(host) })
}

/// Nothing, or a colon and a port; an empty port is allowed (RFC 3986 §3.2.3).
fn is_port(text: &str) -> bool {
    match text.strip_prefix(':') {
        Some(port) => {
            port.bytes().all(|b| b.is_ascii_digit())
                && (port.is_empty() || port.parse::<u16>().is_ok())
        }
        None => text.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hosts_are_taken_apart() {
        for text in ["127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:8080"] {
            assert_eq!(parse(text.as_bytes()), Some(Host::Address), "{text}");
        }
        assert_eq!(parse(b"a.example:80"), Some(Host::Name("a.example")));
        assert_eq!(parse(b"127.0.0.1.evil.example"), Some(Host::Name("127.0.0.1.evil.example")));
        for bad in
            ["", ":80", "a b", "a:b", "a:99999", "[::1", "[::1]x", "[x]", "a/b", "u@h", "a,b:1:2"]
        {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_rebound_name_is_not_admitted() {
        let rule = HostRule::Local(vec!["files.example".into()]);
        for (host, admitted) in [
            ("localhost", true),
            ("LOCALHOST:8080", true),
            ("localhost.", true),
            ("app.localhost", true),
            ("127.0.0.1:8080", true),
            ("[::1]", true),
            ("Files.Example", true),
            ("evil.example", false),
            ("notlocalhost", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
        ] {
            assert_eq!(rule.admits(parse(host.as_bytes()).unwrap()), admitted, "{host}");
        }
        assert!(HostRule::Any.admits(Host::Name("evil.example")));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Some(host) = parse(&bytes) {
                let _ = HostRule::Local(Vec::new()).admits(host);
            }
        }
    }
}
