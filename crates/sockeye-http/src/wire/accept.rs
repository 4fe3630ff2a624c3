//! Content negotiation (RFC 9110 §12): which form and which language an answer of our own takes.

/// The form of a listing or an error page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Html,
    /// For programs.
    Json,
    /// For programs, of what went wrong (RFC 9457).
    Problem,
    /// A short text.
    Text,
}

/// The language of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Chinese.
    Chinese,
}

impl Form {
    fn media(self) -> (&'static str, &'static str) {
        match self {
            Self::Html => ("text", "html"),
            Self::Json => ("application", "json"),
            Self::Problem => ("application", "problem+json"),
            Self::Text => ("text", "plain"),
        }
    }
}

/// The form that `accept` prefers among `offered`; the first of equals, and the first if none fits, as an
/// answer in the wrong form says more than 406.
#[must_use]
pub fn form(accept: Option<&[u8]>, offered: &[Form]) -> Form {
    let default = offered.first().copied().unwrap_or(Form::Text);
    let Some(accept) = accept.and_then(|a| str::from_utf8(a).ok()) else { return default };
    let mut best = (0, default);
    for &offer in offered {
        let weight = media_weight(accept, offer.media());
        if weight > best.0 {
            best = (weight, offer);
        }
    }
    best.1
}

/// Whether `accept` names this form itself, as browsers name HTML; `*/*` does not.
#[must_use]
pub fn names(accept: Option<&[u8]>, form: Form) -> bool {
    let accept = accept.and_then(|accept| str::from_utf8(accept).ok()).unwrap_or_default();
    let (kind, subtype) = form.media();
    elements(accept).any(|(range, weight)| {
        let named = range
            .split_once('/')
            .is_some_and(|(k, s)| k.eq_ignore_ascii_case(kind) && s.eq_ignore_ascii_case(subtype));
        named && weight > 0
    })
}

/// The weight of the most specific range that covers the media type (RFC 9110 §12.5.1), in thousandths.
fn media_weight(accept: &str, (kind, subtype): (&str, &str)) -> u16 {
    let mut best = (0, 0);
    for (range, weight) in elements(accept) {
        let (k, s) = range.split_once('/').unwrap_or((range, ""));
        let specific = match (k, s) {
            ("*", "*") => 1,
            (k, "*") if k.eq_ignore_ascii_case(kind) => 2,
            (k, s) if k.eq_ignore_ascii_case(kind) && s.eq_ignore_ascii_case(subtype) => 3,
            _ => continue,
        };
        if specific > best.0 {
            best = (specific, weight);
        }
    }
    best.1
}

/// The language that `accept` prefers; the earlier of equals, and English if neither is named.
#[must_use]
pub fn language(accept: Option<&[u8]>) -> Language {
    let Some(accept) = accept.and_then(|a| str::from_utf8(a).ok()) else {
        return Language::default();
    };
    let mut best = (0, Language::default());
    for (tag, weight) in elements(accept) {
        let primary = tag.split('-').next().unwrap_or(tag);
        let language = match primary {
            p if p.eq_ignore_ascii_case("zh") => Language::Chinese,
            p if p.eq_ignore_ascii_case("en") => Language::English,
            _ => continue,
        };
        if weight > best.0 {
            best = (weight, language);
        }
    }
    best.1
}

/// The elements of a weighted list with their weights in thousandths (RFC 9110 §12.4.2).
pub(super) fn elements(list: &str) -> impl Iterator<Item = (&str, u16)> {
    list.split(',').filter_map(|element| {
        let mut parameters = element.split(';').map(str::trim);
        let value = parameters.next().filter(|v| !v.is_empty())?;
        let weight = parameters
            .find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")))
            .map_or(1000, weight);
        Some((value, weight))
    })
}

/// `0`, `1`, or `0.` with up to three digits; what is malformed weighs nothing.
fn weight(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return 0;
    }
    let fraction =
        fraction.bytes().chain(*b"000").take(3).fold(0, |n, b| n * 10 + u16::from(b - b'0'));
    match whole {
        "0" => fraction,
        "1" => 1000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_browser_gets_html_and_a_program_what_it_asks() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let listing = [Form::Html, Form::Json];
        let error = [Form::Text, Form::Html, Form::Json];
        for (accept, of_listing, of_error) in [
            (None, Form::Html, Form::Text),
            (Some("*/*"), Form::Html, Form::Text),
            (Some(browser), Form::Html, Form::Html),
            (Some("application/json"), Form::Json, Form::Json),
            (Some("application/json, */*;q=0.5"), Form::Json, Form::Json),
            (Some("text/html;q=0.1, application/json;q=0.2"), Form::Json, Form::Json),
            (Some("*/*, text/html;q=0, text/plain;q=0"), Form::Json, Form::Json),
            (Some("image/png"), Form::Html, Form::Text),
            (Some("application/json;q=x"), Form::Html, Form::Text),
        ] {
            let accept = accept.map(str::as_bytes);
            assert_eq!(form(accept, &listing), of_listing, "{accept:?}");
            assert_eq!(form(accept, &error), of_error, "{accept:?}");
        }
    }

    #[test]
    fn a_form_is_named_by_itself_alone() {
        for (accept, expected) in [
            (Some("text/html,application/xhtml+xml,*/*;q=0.8"), true),
            (Some("TEXT/HTML"), true),
            (Some("*/*"), false),
            (Some("text/*"), false),
            (Some("text/html;q=0, */*"), false),
            (None, false),
        ] {
            assert_eq!(names(accept.map(str::as_bytes), Form::Html), expected, "{accept:?}");
        }
    }

    #[test]
    fn the_language_is_the_one_preferred() {
        for (accept, expected) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("en-US,en;q=0.9,zh;q=0.8", Language::English),
            ("de, zh;q=0.2", Language::Chinese),
            ("de", Language::English),
            ("zh;q=0", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(language(Some(accept.as_bytes())), expected, "{accept}");
        }
    }

    proptest! {
        #[test]
        fn negotiation_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = form(Some(&bytes), &[Form::Html, Form::Json]);
            let _ = language(Some(&bytes));
        }

        #[test]
        fn a_weight_is_at_most_one(text in "[0-9.]{0,8}") {
            prop_assert!(weight(&text) <= 1000);
        }
    }
}
