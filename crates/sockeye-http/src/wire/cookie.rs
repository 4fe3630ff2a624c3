//! Cookies (RFC 6265): the one that keeps a sign-in.

use super::head::{Fields, Once};

/// What the sign-in's cookie is called over TLS: the prefix has browsers refuse it from anybody but this very host, and
/// without TLS (RFC 6265bis §4.1.3.2).
pub const SECURE_NAME: &str = "__Host-sockeye";

/// What it is called without TLS.
pub const PLAIN_NAME: &str = "sockeye";

/// The sign-in that a request brings along, as it stands in the cookie.
#[must_use]
pub fn sign_in<'a>(fields: &Fields<'a>) -> Option<&'a str> {
    let find = |name: &str| match fields.cookie {
        Once::Missing => None,
        Once::One(cookies) => value(cookies, name),
        // HTTP/2 may have one in each line (RFC 9113 §8.2.3).
        Once::Several => fields.all("cookie").find_map(|cookies| value(cookies, name)),
    };
    find(SECURE_NAME).or_else(|| find(PLAIN_NAME))
}

/// The value of the cookie of this name, the one of the longest path.
#[must_use]
pub fn named<'a>(fields: &Fields<'a>, name: &str) -> Option<&'a str> {
    fields.all("cookie").find_map(|cookies| value(cookies, name))
}

/// The value of the first cookie of this name: browsers send the one with the longer path first.
fn value<'a>(cookies: &'a [u8], name: &str) -> Option<&'a str> {
    let mut pairs = cookies.split(|&b| b == b';').map(<[u8]>::trim_ascii);
    let of_name = |pair: &'a [u8]| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=");
    pairs.find_map(of_name).and_then(|value| str::from_utf8(value).ok())
}

/// The value of Set-Cookie that keeps a sign-in, over TLS or not: for so many seconds, or until the browser is closed.
///
/// Scripts cannot read it. It comes along when somebody follows a link from elsewhere, but never with what a page of
/// another site posts.
#[must_use]
pub fn keep(sign_in: &str, secure: bool, seconds: Option<u64>) -> String {
    let (name, secure) = if secure { (SECURE_NAME, "; Secure") } else { (PLAIN_NAME, "") };
    let mut cookie = format!("{name}={sign_in}; Path=/; HttpOnly; SameSite=Lax{secure}");
    if let Some(seconds) = seconds {
        cookie.push_str(&format!("; Max-Age={seconds}"));
    }
    cookie
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use proptest::prelude::*;

    use super::*;
    use crate::wire::head::Sent;

    fn of(cookies: &[u8]) -> Option<String> {
        let fields = Fields { cookie: Once::One(cookies), ..Fields::default() };
        sign_in(&fields).map(str::to_owned)
    }

    #[test]
    fn the_sign_in_is_found_among_cookies() {
        for (cookies, expected) in [
            ("sockeye=a", Some("a")),
            ("x=y; sockeye=a;z=", Some("a")),
            ("sockeye=a; sockeye=b", Some("a")),
            ("sockeye=a; __Host-sockeye=b", Some("b")),
            ("xsockeye=a; sockeye2=b; sockeye", None),
            ("sockeye=", Some("")),
            ("", None),
        ] {
            assert_eq!(of(cookies.as_bytes()).as_deref(), expected, "{cookies}");
        }
        let mut map = HeaderMap::new();
        for cookie in ["x=y", "sockeye=a"] {
            map.append("cookie", cookie.parse().unwrap());
        }
        let (sent, cookie) = (Sent::Map(&map), Once::Several);
        assert_eq!(sign_in(&Fields { sent, cookie, ..Fields::default() }), Some("a"));
    }

    #[test]
    fn it_is_kept_from_scripts_and_from_other_sites() {
        assert_eq!(keep("a", false, None), "sockeye=a; Path=/; HttpOnly; SameSite=Lax");
        assert_eq!(
            keep("a", true, Some(60)),
            "__Host-sockeye=a; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60"
        );
    }

    proptest! {
        #[test]
        fn any_cookies_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = of(&bytes);
        }
    }
}
