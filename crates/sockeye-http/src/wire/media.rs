//! Media types by a file's name.

use std::borrow::Cow;

/// What a file is sent as if nothing is known of it: browsers save it.
pub const UNKNOWN: &str = "application/octet-stream";

/// Names without an extension that stand for text.
const TEXTS: [&str; 12] = [
    "authors",
    "changelog",
    "changes",
    "copying",
    "dockerfile",
    "gemfile",
    "license",
    "makefile",
    "notice",
    "readme",
    "todo",
    "version",
];

/// Extensions that the table of types knows otherwise, or not at all.
const OVERRIDES: [(&str, &str); 6] = [
    // A type of video in the table; nearly always a program's text.
    ("ts", "text/plain"),
    ("tsx", "text/plain"),
    ("log", "text/plain"),
    ("mjs", "text/javascript"),
    ("webmanifest", "application/manifest+json"),
    ("ftl", "text/plain"),
];

/// The types that get `; charset=utf-8`, beyond `text/…`.
const TEXTUAL: [&str; 3] = ["application/javascript", "application/xml", "application/x-sh"];

/// The Content-Type of a file of this name; text is said to be UTF-8.
#[must_use]
pub fn content_type(name: &[u8]) -> Cow<'static, str> {
    let known = str::from_utf8(name).ok().and_then(by_name);
    match known {
        None => Cow::Borrowed(UNKNOWN),
        // The two most asked for, without putting the text together.
        Some("text/html") => Cow::Borrowed("text/html; charset=utf-8"),
        Some("text/plain") => Cow::Borrowed("text/plain; charset=utf-8"),
        Some(text) if text.starts_with("text/") || TEXTUAL.contains(&text) => {
            Cow::Owned(format!("{text}; charset=utf-8"))
        }
        Some(other) => Cow::Borrowed(other),
    }
}

fn by_name(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => OVERRIDES
            .iter()
            .find(|(e, _)| e.eq_ignore_ascii_case(extension))
            .map(|(_, media)| *media)
            .or_else(|| mime_guess::from_ext(extension).first_raw()),
        _ => TEXTS.iter().any(|t| t.eq_ignore_ascii_case(name)).then_some("text/plain"),
    }
}

/// Whether content of this type is text, or else such as compression makes much smaller.
#[must_use]
pub fn is_compressible(content_type: &str) -> bool {
    const OTHERS: [&str; 8] = [
        "application/javascript",
        "application/json",
        "application/wasm",
        "application/x-sh",
        "application/xml",
        "font/otf",
        "font/ttf",
        "image/bmp",
    ];
    let media = content_type.split(';').next().unwrap_or_default().trim_ascii();
    media.starts_with("text/")
        || media.ends_with("+json")
        || media.ends_with("+xml")
        || OTHERS.contains(&media)
}

/// Whether a browser runs what is in content of this type when it is opened, as the page of the site that it came
/// from.
#[must_use]
pub fn is_active(content_type: &str) -> bool {
    let media = content_type.split(';').next().unwrap_or_default().trim_ascii();
    // The last two are pages with all that belongs to them in one file (MHTML).
    media.ends_with("/xml")
        || media.ends_with("+xml")
        || ["text/html", "text/xsl", "message/rfc822", "multipart/related"].contains(&media)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf_8_and_the_unknown_is_bytes() {
        for (name, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("A.TXT", "text/plain; charset=utf-8"),
            ("style.css", "text/css; charset=utf-8"),
            ("app.js", "text/javascript; charset=utf-8"),
            ("data.json", "application/json"),
            ("photo.jpeg", "image/jpeg"),
            ("README", "text/plain; charset=utf-8"),
            ("a.tar.gz", "application/gzip"),
            (".html", UNKNOWN),
            ("program", UNKNOWN),
            ("x.unheard-of", UNKNOWN),
        ] {
            assert_eq!(content_type(name.as_bytes()), expected, "{name}");
        }
        assert_eq!(content_type(b"\xff.html"), UNKNOWN);
    }

    #[test]
    fn what_gets_smaller_is_told_from_what_does_not() {
        for (name, smaller) in [
            ("a.html", true),
            ("a.css", true),
            ("a.json", true),
            ("a.svg", true),
            ("a.wasm", true),
            ("a.webmanifest", true),
            ("a.png", false),
            ("a.zip", false),
            ("a.mp4", false),
            ("a", false),
        ] {
            assert_eq!(is_compressible(&content_type(name.as_bytes())), smaller, "{name}");
        }
    }

    #[test]
    fn what_can_run_is_told_from_what_cannot() {
        for (name, active) in [
            ("a.html", true),
            ("a.xhtml", true),
            ("a.svg", true),
            ("a.xml", true),
            ("a.shtml", true),
            ("a.xsl", true),
            ("a.rdf", true),
            ("a.mht", true),
            ("a.mhtml", true),
            ("a.txt", false),
            ("a.pdf", false),
            ("a.png", false),
            ("a", false),
        ] {
            assert_eq!(is_active(&content_type(name.as_bytes())), active, "{name}");
        }
    }
}
