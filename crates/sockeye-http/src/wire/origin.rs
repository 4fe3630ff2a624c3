//! Whether a request was made by a page of another site.
//!
//! A browser sends a user's password along with what any page asks of the server, and loopback is no wall
//! to it. What changes something is refused if a foreign page wants it; other programs send neither header.

use super::head::Fields;

/// Whether the browser says that a page of another origin made the request to `host`, which is the
/// authority that the request names.
#[must_use]
pub fn is_foreign(fields: &Fields<'_>, host: Option<&[u8]>) -> bool {
    // <https://www.w3.org/TR/fetch-metadata/>: `none` is the user, by the address bar.
    let elsewhere = |site: &[u8]| site != b"same-origin" && site != b"none";
    fields.sec_fetch_site.is_some_and(elsewhere)
        || fields.origin.is_some_and(|origin| !is_of(origin, host))
}

/// Whether `origin` (RFC 6454 §7: `null`, or a scheme and an authority) is of `host`. Its scheme is not
/// looked at: a proxy in front may speak another to the browser.
fn is_of(origin: &[u8], host: Option<&[u8]>) -> bool {
    let schemes: [(&[u8], &[u8]); 2] = [(b"http://", b":80"), (b"https://", b":443")];
    let parts = schemes.iter().find_map(|(scheme, port)| {
        let begins =
            origin.len() > scheme.len() && origin[..scheme.len()].eq_ignore_ascii_case(scheme);
        begins.then(|| (&origin[scheme.len()..], *port))
    });
    let (Some((authority, port)), Some(host)) = (parts, host) else { return false };
    let bare = |text: &'_ [u8]| text.strip_suffix(port).unwrap_or(text).to_ascii_lowercase();
    bare(authority) == bare(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_another_site_is_told_from_ours_and_from_programs() {
        for (origin, site, host, foreign) in [
            (None, None, "localhost:8080", false),
            (Some("http://localhost:8080"), Some("same-origin"), "localhost:8080", false),
            (Some("https://Files.Example"), None, "files.example:443", false),
            (Some("http://files.example:80"), None, "files.example", false),
            (None, Some("none"), "localhost", false),
            (Some("http://localhost:8081"), None, "localhost:8080", true),
            (Some("https://evil.example"), None, "localhost:8080", true),
            (Some("http://localhost:8080.evil.example"), None, "localhost:8080", true),
            (Some("null"), None, "localhost", true),
            (Some(""), None, "localhost", true),
            (Some("file://"), None, "localhost", true),
            (None, Some("cross-site"), "localhost", true),
            (None, Some("same-site"), "localhost", true),
            (None, Some("nonsense"), "localhost", true),
            (Some("http://localhost"), Some("cross-site"), "localhost", true),
        ] {
            let bytes = |text: Option<&'static str>| text.map(str::as_bytes);
            let fields =
                Fields { origin: bytes(origin), sec_fetch_site: bytes(site), ..Fields::default() };
            let seen = is_foreign(&fields, Some(host.as_bytes()));
            assert_eq!(seen, foreign, "{origin:?} {site:?} {host}");
        }
        let fields = Fields { origin: Some(b"http://a"), ..Fields::default() };
        assert!(is_foreign(&fields, None));
    }
}
