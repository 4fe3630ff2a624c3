//! How a reader wants pages to look: language and theme, by what a switch in the page has left in cookies, and else by
//! what the browser prefers.

use super::{
    accept::{self, Language},
    head::Fields,
};

/// A page's colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// Its name in a cookie and in the page.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// How a page is to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Its language.
    pub language: Language,
    /// Its theme; the system's where there is none.
    pub theme: Option<Theme>,
}

impl Look {
    /// What a request's Cookie and Accept-Language say.
    #[must_use]
    pub fn of(fields: &Fields<'_>) -> Self {
        let language = match cookie(fields, "sockeye-language") {
            Some(b"en") => Language::English,
            Some(b"zh") => Language::Chinese,
            _ => accept::language(fields.accept_language),
        };
        let theme = match cookie(fields, "sockeye-theme") {
            Some(b"light") => Some(Theme::Light),
            Some(b"dark") => Some(Theme::Dark),
            _ => None,
        };
        Self { language, theme }
    }
}

/// The first cookie of that name (RFC 6265 §4.2.1).
fn cookie<'a>(fields: &Fields<'a>, name: &str) -> Option<&'a [u8]> {
    fields.all("cookie").flat_map(|field| field.split(|&b| b == b';')).find_map(|pair| {
        let at = memchr::memchr(b'=', pair)?;
        (pair[..at].trim_ascii() == name.as_bytes()).then(|| pair[at + 1..].trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::head::{Parsed, parse};

    fn look(fields: &str) -> Look {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let Parsed::Head(head, _) = parse(head.as_bytes()) else { panic!("{head:?}") };
        Look::of(&head.fields)
    }

    #[test]
    fn a_switch_goes_before_the_browser() {
        let chinese = Look { language: Language::Chinese, theme: None };
        assert_eq!(look("Accept-Language: zh-CN\r\n"), chinese);
        let english =
            "Accept-Language: zh\r\nCookie: a=b; sockeye-language=en;sockeye-theme=dark\r\n";
        let dark = Look { language: Language::English, theme: Some(Theme::Dark) };
        assert_eq!(look(english), dark);
        assert_eq!(
            look("Cookie: sockeye-language=xx; sockeye-theme=\"><script>\r\n"),
            Look::default()
        );
    }

    proptest! {
        #[test]
        fn any_cookie_is_read(text in "[ -~]{0,80}") {
            let _ = look(&format!("Cookie: {text}\r\n"));
        }
    }
}
