//! The Authorization header (RFC 9110 §11.6.2): Basic (RFC 7617), in UTF-8, and Bearer (RFC 6750 §2.1).

use std::fmt;

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::head::{Fields, Once};

/// What a client is asked for: its name and password in UTF-8 (RFC 7617 §2.1), or a token.
const CHALLENGES: [&str; 2] =
    ["Basic realm=\"sockeye\", charset=\"UTF-8\"", "Bearer realm=\"sockeye\""];

/// How a client is asked to sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Challenge {
    /// It is not.
    #[default]
    None,
    /// By a token alone: for Basic, a browser would open a window of its own over the page whose script asks.
    Quiet,
    /// By a name and a password, or by a token.
    Open,
}

impl Challenge {
    /// That for whoever sent a request with these fields.
    #[must_use]
    pub fn of(fields: &Fields<'_>) -> Self {
        let said = |name| fields.get(name) != Once::Missing;
        let of_script = is_of_script(fields) || said("x-csrf-token") || said("x-requested-with");
        // Who brings a cookie along has signed in by the page, and not by Basic.
        if of_script || said("cookie") { Self::Quiet } else { Self::Open }
    }

    /// The values of WWW-Authenticate.
    #[must_use]
    pub fn values(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Quiet => &CHALLENGES[1..],
            Self::Open => &CHALLENGES,
        }
    }
}

/// Whether a browser says that it is not its user who goes there, but something in a page that asks.
#[must_use]
pub fn is_of_script(fields: &Fields<'_>) -> bool {
    fields.get("sec-fetch-mode").one().is_some_and(|mode| mode != b"navigate")
}

/// Longest Authorization header that is looked at, in bytes.
pub const MAX_AUTHORIZATION: usize = 4 * 1024;

/// Who a request says it comes from. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Authorization<'a> {
    /// A name and a password.
    Basic(UserPass),
    /// A token.
    Bearer(&'a str),
}

/// A name and a password, wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct UserPass {
    text: Zeroizing<String>,
    colon: usize,
}

impl UserPass {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.text[..self.colon]
    }

    /// The password. Never log it.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.text[self.colon + 1..]
    }
}

impl fmt::Debug for UserPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserPass({:?})", self.name())
    }
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic(basic) => basic.fmt(f),
            Self::Bearer(_) => f.write_str("Bearer"),
        }
    }
}

/// Why an Authorization header says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationError {
    /// Neither Basic nor Bearer.
    #[error("the ways to sign in here are Basic and Bearer")]
    Scheme,
    /// It is over [`MAX_AUTHORIZATION`], or not what its scheme has.
    #[error("the Authorization header is malformed")]
    Malformed,
    /// The name or the password is not UTF-8, or has a control character.
    #[error("name and password are sent in UTF-8, without control characters")]
    Text,
}

/// Takes the value of an Authorization header apart.
///
/// # Errors
/// If it is of another scheme, or malformed.
pub fn parse(value: &[u8]) -> Result<Authorization<'_>, AuthorizationError> {
    if value.len() > MAX_AUTHORIZATION {
        return Err(AuthorizationError::Malformed);
    }
    let end = value.iter().position(|&b| b == b' ').unwrap_or(value.len());
    let (scheme, rest) = value.split_at(end);
    let rest = rest.trim_ascii_start();
    if scheme.eq_ignore_ascii_case(b"basic") {
        basic(rest).map(Authorization::Basic)
    } else if scheme.eq_ignore_ascii_case(b"bearer") {
        bearer(rest).map(Authorization::Bearer).ok_or(AuthorizationError::Malformed)
    } else {
        Err(AuthorizationError::Scheme)
    }
}

fn basic(encoded: &[u8]) -> Result<UserPass, AuthorizationError> {
    let bytes = BASE64.decode(encoded).map_err(|_| AuthorizationError::Malformed)?;
    let text = Zeroizing::new(String::from_utf8(bytes).map_err(|_| AuthorizationError::Text)?);
    if text.chars().any(char::is_control) {
        return Err(AuthorizationError::Text);
    }
    // A name has no colon, a password may (RFC 7617 §2).
    let colon = text.find(':').ok_or(AuthorizationError::Malformed)?;
    Ok(UserPass { text, colon })
}

/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
fn bearer(token: &[u8]) -> Option<&str> {
    let body = token.len() - token.iter().rev().take_while(|&&b| b == b'=').count();
    let fits = |&b: &u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
    (body > 0 && token[..body].iter().all(fits)).then(|| str::from_utf8(token).ok()).flatten()
}

/// Whether two headers are the same, in a time that does not tell how far they are.
#[must_use]
pub fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn basic_of(text: &[u8]) -> Vec<u8> {
        format!("Basic {}", BASE64.encode(text)).into_bytes()
    }

    #[test]
    fn names_and_passwords_are_utf_8_and_the_first_colon_parts_them() {
        for (text, name, password) in [
            ("alice:secret", "alice", "secret"),
            ("alice:a:b:", "alice", "a:b:"),
            ("测试:密码£", "测试", "密码£"),
            (":", "", ""),
        ] {
            let header = basic_of(text.as_bytes());
            let Ok(Authorization::Basic(basic)) = parse(&header) else { panic!("{text}") };
            assert_eq!((basic.name(), basic.password()), (name, password));
        }
        assert!(matches!(parse(b"bAsIC   YTpi"), Ok(Authorization::Basic(_))));
    }

    #[test]
    fn a_token_is_taken_as_it_is() {
        assert_eq!(
            parse(b"Bearer sockeye_aB3-._~+/=="),
            Ok(Authorization::Bearer("sockeye_aB3-._~+/=="))
        );
    }

    #[test]
    fn what_says_nothing_is_refused() {
        use AuthorizationError::{Malformed, Scheme, Text};
        let long = basic_of(&[b':'; MAX_AUTHORIZATION]);
        for (value, error) in [
            (&b""[..], Scheme),
            (b"Basic", Malformed),
            (b"Basic ", Malformed),
            (b"Basic ???", Malformed),
            (b"Basic YTpi, Basic YTpi", Malformed),
            (b"Basic YWxpY2U=", Malformed),
            (b"Basic YTp", Malformed),
            (b"Digest username=\"a\"", Scheme),
            (b"Bearer", Malformed),
            (b"Bearer =", Malformed),
            (b"Bearer a b", Malformed),
            (b"Bearer a=b", Malformed),
            (&basic_of(b"a:\xff"), Text),
            (&basic_of(b"a\r:b"), Text),
            (&long, Malformed),
        ] {
            assert_eq!(parse(value), Err(error), "{value:?}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let header = basic_of(b"alice:open sesame");
        let shown = format!("{:?} {:?}", parse(&header), parse(b"Bearer sockeye_secret"));
        assert!(shown.contains("alice") && !shown.contains("sesame") && !shown.contains("secret"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&bytes);
            let _ = parse(&[&b"Basic "[..], &bytes].concat());
            let _ = parse(&[&b"Bearer "[..], &bytes].concat());
        }

        #[test]
        fn only_the_same_is_the_same(a in "[ab]{0,4}", b in "[ab]{0,4}") {
            prop_assert_eq!(is_same(a.as_bytes(), b.as_bytes()), a == b);
        }
    }
}
