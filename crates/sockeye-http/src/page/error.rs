//! Error pages: HTML for people, a line or an object for programs.

use http::StatusCode;

use super::{Dress, Told, escape, frame, text, told::told_in};
use crate::wire::{accept::Form, look::Look};

/// The Content-Type of a page in this form.
pub(crate) fn media_type(form: Form) -> &'static str {
    match form {
        Form::Html => "text/html; charset=utf-8",
        Form::Json => "application/json",
        Form::Problem => "application/problem+json",
        Form::Text => "text/plain; charset=utf-8",
    }
}

/// The page for `status`; `detail` says more where there is more to say.
pub(crate) fn error_page(
    status: StatusCode,
    detail: Option<&dyn Told>,
    form: Form,
    look: Look,
) -> String {
    let language = look.language;
    let (title, hint) = text::of(status, language);
    let code = status.as_str();
    let detail = detail.and_then(|told| match (told_in(told, language), form) {
        // People are better told less than told it in a language that they have not asked for.
        (None, Form::Html) => None,
        (text, _) => Some(text.unwrap_or_else(|| told.to_string())),
    });
    let detail = detail.as_deref();
    match form {
        Form::Text => match detail {
            Some(detail) => format!("{code} {title}: {detail}\n"),
            None => format!("{code} {title}. {hint}\n"),
        },
        // The status says what kind of problem it is (RFC 9457 §4.2.1).
        Form::Json | Form::Problem => {
            let error = serde_json::json!({
                "type": "about:blank", "status": status.as_u16(), "title": title,
                "detail": detail.unwrap_or(hint),
            });
            format!("{error}\n")
        }
        Form::Html => html(code, title, hint, detail.map(sentence).as_deref(), look),
    }
}

/// A message as a sentence, as it stands between others here.
fn sentence(message: &str) -> String {
    let mut rest = message.chars();
    let mut out: String = rest.next().into_iter().flat_map(char::to_uppercase).collect();
    out.push_str(rest.as_str());
    if !message.ends_with(['.', '。', '!', '?']) {
        out.push('.');
    }
    out
}

fn html(code: &str, title: &str, hint: &str, detail: Option<&str>, look: Look) -> String {
    let mut out = String::with_capacity(4096);
    frame::begin(&mut out, look, &Dress::Plain, &format!("{code} {title}"));
    out.push_str("<h1>");
    escape(&mut out, &format!("{code} {title}"));
    out.push_str("</h1>\n");
    for line in [Some(hint), detail].into_iter().flatten().filter(|l| !l.is_empty()) {
        out.push_str("<p>");
        escape(&mut out, line);
        out.push_str("</p>\n");
    }
    out.push_str("<p><a href=\"/\">");
    out.push_str(text::GO_HOME.get(look.language));
    out.push_str("</a></p>\n");
    frame::end(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::accept::Language;

    #[test]
    fn an_error_speaks_to_whoever_asks() {
        let page = |form, language| {
            error_page(StatusCode::NOT_FOUND, None, form, Look { language, theme: None })
        };
        assert!(page(Form::Text, Language::English).starts_with("404 Not found."));
        assert!(page(Form::Html, Language::Chinese).contains("404 未找到"));
        let json: serde_json::Value =
            serde_json::from_str(&page(Form::Problem, Language::English)).unwrap();
        assert_eq!((&json["status"], &json["type"]), (&404.into(), &"about:blank".into()));
    }

    #[test]
    fn a_message_becomes_a_sentence() {
        assert_eq!(sentence("this link leads nowhere"), "This link leads nowhere.");
        assert_eq!(sentence("密码不正确。"), "密码不正确。");
    }

    #[test]
    fn what_is_said_is_escaped() {
        let page =
            error_page(StatusCode::BAD_REQUEST, Some(&"<script>\"'&"), Form::Html, Look::default());
        assert!(page.contains("&lt;script&gt;&quot;&#39;&amp;") && !page.contains("<script"));
    }
}
