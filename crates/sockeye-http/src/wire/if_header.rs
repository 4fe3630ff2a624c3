//! The If header (RFC 4918 §10.4): lists of lock tokens and entity tags, of which one list has to hold.

use sockeye_node::LockToken;

/// Conditions of one header, at most.
pub const MAX_CONDITIONS: usize = 128;

/// Some text is no If header: 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the If header is malformed")]
pub struct BadIf;

/// A list of conditions, which holds if all of them do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<'a> {
    /// The URL of the resource that it is about; of the request's if there is none.
    pub resource: Option<&'a [u8]>,
    /// What has to be so.
    pub conditions: Vec<Condition<'a>>,
}

/// A condition on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition<'a> {
    /// Whether it has to be otherwise.
    pub negated: bool,
    /// What is so.
    pub state: State<'a>,
}

/// What a resource may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State<'a> {
    /// Locked by this lock; `None` is one that there never is.
    Token(Option<LockToken>),
    /// Of this entity tag, quotes and a `W/` included.
    Tag(&'a [u8]),
}

/// Reads an If header.
///
/// # Errors
/// [`BadIf`], also of more than [`MAX_CONDITIONS`].
pub fn parse(text: &[u8]) -> Result<Vec<List<'_>>, BadIf> {
    let mut rest = text.trim_ascii();
    let (mut lists, mut resource, mut count) = (Vec::new(), None, 0);
    // Tagged lists stand behind their resources, and no list without one stands beside them.
    let is_tagged = rest.starts_with(b"<");
    while !rest.is_empty() {
        if is_tagged && let Some((url, after)) = bracketed(rest, b'<', b'>') {
            (resource, rest) = (Some(url), after);
            if !rest.starts_with(b"(") {
                return Err(BadIf);
            }
        }
        let (conditions, after) = list(rest)?;
        count += conditions.len();
        if count > MAX_CONDITIONS {
            return Err(BadIf);
        }
        lists.push(List { resource, conditions });
        rest = after;
    }
    if lists.is_empty() { Err(BadIf) } else { Ok(lists) }
}

/// A list in parentheses, and what follows it.
fn list(text: &[u8]) -> Result<(Vec<Condition<'_>>, &[u8]), BadIf> {
    let mut rest = text.strip_prefix(b"(").ok_or(BadIf)?.trim_ascii_start();
    let mut conditions = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix(b")") {
            let whole = !conditions.is_empty();
            return if whole { Ok((conditions, after.trim_ascii_start())) } else { Err(BadIf) };
        }
        if conditions.len() >= MAX_CONDITIONS {
            return Err(BadIf);
        }
        let negated = rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case(b"not"));
        if negated {
            rest = rest[3..].trim_ascii_start();
        }
        let (state, after) = match bracketed(rest, b'<', b'>') {
            Some((url, after)) => {
                let token = std::str::from_utf8(url).ok().and_then(|url| url.parse().ok());
                (State::Token(token), after)
            }
            None => {
                let (tag, after) = bracketed(rest, b'[', b']').ok_or(BadIf)?;
                (State::Tag(tag), after)
            }
        };
        conditions.push(Condition { negated, state });
        rest = after;
    }
}

/// What stands between two brackets, and what follows them; quotes within hold a bracket of their own.
fn bracketed(text: &[u8], open: u8, close: u8) -> Option<(&[u8], &[u8])> {
    let inner = text.strip_prefix(&[open])?;
    let mut quoted = false;
    let end = inner.iter().position(|byte| {
        quoted ^= *byte == b'"' && open == b'[';
        *byte == close && !quoted
    })?;
    let content = inner[..end].trim_ascii();
    (!content.is_empty()).then(|| (content, inner[end + 1..].trim_ascii_start()))
}

/// The lock token of a Lock-Token header (RFC 4918 §10.5); `None` if it is none of ours.
#[must_use]
pub fn lock_token(text: &[u8]) -> Option<LockToken> {
    let (url, after) = bracketed(text.trim_ascii(), b'<', b'>')?;
    after.is_empty().then(|| std::str::from_utf8(url).ok()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UUID: &str = "urn:uuid:181d4fae-7d8c-41d0-a765-00a0c91e6bf2";

    fn shown(text: &str) -> Result<String, BadIf> {
        let mut out = String::new();
        for List { resource, conditions } in parse(text.as_bytes())? {
            if let Some(url) = resource {
                out.push_str(&format!("{} ", String::from_utf8_lossy(url)));
            }
            for Condition { negated, state } in conditions {
                out.push_str(if negated { "!" } else { "" });
                match state {
                    State::Token(Some(_)) => out.push('T'),
                    State::Token(None) => out.push('-'),
                    State::Tag(tag) => out.push_str(&String::from_utf8_lossy(tag)),
                }
            }
            out.push('|');
        }
        Ok(out)
    }

    #[test]
    fn the_examples_of_the_standard_are_read() {
        for (text, expected) in [
            (format!("(<{UUID}>)"), "T|"),
            (
                format!("(<{UUID}> [\"I am an ETag\"]) ([\"I am another ETag\"])"),
                "T\"I am an ETag\"|\"I am another ETag\"|",
            ),
            (format!("(Not <{UUID}> <urn:uuid:58f202ac-22cf-11d1-b12d-002035b29092>)"), "!TT|"),
            (format!("(<{UUID}>) (Not <DAV:no-lock>)"), "T|!-|"),
            (
                format!("</resource1> (<{UUID}> [W/\"A weak ETag\"]) ([\"strong ETag\"])"),
                "/resource1 TW/\"A weak ETag\"|/resource1 \"strong ETag\"|",
            ),
            (
                format!("<http://www.example.com/specs/> (<{UUID}>)"),
                "http://www.example.com/specs/ T|",
            ),
            (
                "</specs/rfc2518.doc> ([\"4217\"]) </x> (Not [\"a]b\"])".into(),
                "/specs/rfc2518.doc \"4217\"|/x !\"a]b\"|",
            ),
            ("(<opaquelocktoken:x>)".into(), "-|"),
        ] {
            assert_eq!(shown(&text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_if_header_is_refused() {
        for text in [
            "",
            "()",
            "(",
            "<a>",
            "(<a>",
            "(<>)",
            "x",
            "(<a>) x",
            "</a>",
            "(<a>) </b> (<c>)",
            "(Not)",
            "([\"a)",
        ] {
            assert_eq!(shown(text), Err(BadIf), "{text}");
        }
        let many = format!("({})", "<a>".repeat(MAX_CONDITIONS + 1));
        assert_eq!(shown(&many), Err(BadIf));
    }

    #[test]
    fn a_lock_token_stands_in_brackets() {
        assert_eq!(lock_token(format!(" <{UUID}> ").as_bytes()), UUID.parse().ok());
        for text in ["", UUID, "<x>", &format!("<{UUID}> x")] {
            assert_eq!(lock_token(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "[()<>\\[\\] a\"WNot:-]{0,60}") {
            let _ = parse(text.as_bytes());
            let _ = lock_token(text.as_bytes());
        }
    }
}
