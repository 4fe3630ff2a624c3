//! The pages for signing in and out: forms that work without script.

use std::fmt::Write as _;

use super::{Dress, escape, frame, text};
use crate::wire::look::Look;

/// What the form for signing in begins with.
#[derive(Debug, Default)]
pub(crate) struct SignInPage<'a> {
    pub(crate) look: Look,
    /// Where to go afterwards, on this server.
    pub(crate) next: &'a str,
    /// The name that was given before.
    pub(crate) name: &'a str,
    /// Why it did not succeed.
    pub(crate) refused: Option<&'a str>,
}

impl SignInPage<'_> {
    /// The page.
    pub(crate) fn render(&self) -> String {
        let say = |text: &text::Text| text.get(self.look.language);
        let title = say(&text::SIGN_IN);
        let mut out = String::with_capacity(4096);
        frame::begin(&mut out, self.look, &Dress::Site, title);
        let _ = write!(out, "<div class=\"card\"><h1>{title}</h1>");
        if let Some(why) = self.refused {
            out.push_str("<p role=\"alert\" class=\"fault\">");
            escape(&mut out, why);
            out.push_str("</p>");
        }
        out.push_str("<form method=\"post\" action=\"/-/login\">");
        hidden(&mut out, "next", self.next);
        let _ = write!(
            out,
            "<label class=\"field\"><span class=\"label\">{}</span><input name=\"name\" \
             autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" \
             maxlength=\"256\" required{} value=\"",
            say(&text::ACCOUNT),
            focus(self.name.is_empty()),
        );
        escape(&mut out, self.name);
        let _ = write!(
            out,
            "\"></label><label class=\"field\"><span class=\"label\">{}</span><input name=\"password\" \
             type=\"password\" autocomplete=\"current-password\" maxlength=\"1024\" required{}></label>\
             <label class=\"tickbox\"><input name=\"stay\" type=\"checkbox\" value=\"1\"><span>{}</span>\
             </label><button class=\"button primary\">{title}</button></form></div>",
            say(&text::PASSWORD),
            // Who was refused has given the name already.
            focus(!self.name.is_empty()),
            say(&text::STAY),
        );
        frame::end(&mut out);
        out
    }
}

/// What puts the cursor into a field.
fn focus(here: bool) -> &'static str {
    if here { " autofocus" } else { "" }
}

/// The page that asks whoever is called `name` whether to sign out; `csrf` is their sign-in's token.
pub(crate) fn sign_out_page(look: Look, name: &str, csrf: &str) -> String {
    let mut out = String::with_capacity(4096);
    let title = text::SIGN_OUT.get(look.language);
    frame::begin(&mut out, look, &Dress::Site, title);
    let _ = write!(out, "<div class=\"card\"><h1>{title}</h1><p><bdi>");
    escape(&mut out, name);
    out.push_str("</bdi></p><form method=\"post\" action=\"/-/logout\">");
    hidden(&mut out, "csrf", csrf);
    let _ = write!(out, "<button class=\"button primary\">{title}</button></form></div>");
    frame::end(&mut out);
    out
}

fn hidden(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, "<input type=\"hidden\" name=\"{name}\" value=\"");
    escape(out, value);
    out.push_str("\">");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::accept::Language;

    #[test]
    fn the_cursor_stands_where_something_is_to_be_written() {
        let focused = |name| {
            let page = SignInPage { name, ..SignInPage::default() }.render();
            assert_eq!(page.matches("autofocus").count(), 1);
            let (before, _) = page.split_once(" autofocus").unwrap();
            before.rsplit_once("name=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
        };
        assert_eq!((focused("").as_str(), focused("alice").as_str()), ("name", "password"));
    }

    #[test]
    fn what_was_given_cannot_act_in_the_page() {
        let page = SignInPage {
            next: "/\"><script>",
            name: "'\"><script>",
            refused: Some("<script>"),
            ..SignInPage::default()
        };
        let page = page.render();
        assert!(!page.contains("<script") && page.contains("&quot;&gt;&lt;script&gt;"));
        let look = Look { language: Language::Chinese, theme: None };
        let page = sign_out_page(look, "<script>", "a\"b");
        assert!(page.contains("退出登录") && !page.contains("<script") && !page.contains("a\"b"));
    }
}
