//! The pages of shares' links: the form that asks for a password, what a drop box says of itself, and that a link
//! opens nothing.

use std::fmt::Write as _;

use super::{Dress, escape, frame, text};
use crate::wire::{accept::Form, date, look::Look};

/// What is to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SharePage<'a> {
    /// That the link needs its password.
    Password {
        /// Whether one came that is not it.
        wrong: bool,
    },
    /// That it is no link, or none that opens anything now.
    Nowhere,
    /// That it opens nothing any more.
    Over,
    /// That files can be put here.
    DropBox(DropBox<'a>),
}

/// What a drop box says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DropBox<'a> {
    /// What its owner calls it.
    pub(crate) label: Option<&'a str>,
    /// Whose it is.
    pub(crate) owner: &'a str,
    /// Until when it takes files, in seconds since the epoch.
    pub(crate) until: Option<i64>,
}

/// The page, for people, or as a text.
pub(crate) fn share_page(page: SharePage<'_>, form: Form, look: Look) -> String {
    let language = look.language;
    let (title, lines): (_, Vec<String>) = match page {
        SharePage::Password { wrong: true } => {
            (&text::PROTECTED, vec![text::NOT_IT.get(language).into()])
        }
        SharePage::Password { wrong: false } => (&text::PROTECTED, Vec::new()),
        SharePage::Nowhere => (&text::NO_LINK, vec![text::ASK_FOR_LINK.get(language).into()]),
        SharePage::Over => (&text::LINK_OVER, vec![text::ASK_AGAIN.get(language).into()]),
        SharePage::DropBox(of) => (&text::DROP_BOX, of.lines(form, look)),
    };
    let label = match page {
        SharePage::DropBox(DropBox { label, .. }) => label,
        _ => None,
    };
    let title = label.unwrap_or(title.get(language));
    let mut out = String::with_capacity(4096);
    if form != Form::Html {
        for line in std::iter::once(title).chain(lines.iter().map(String::as_str)) {
            let _ = writeln!(out, "{line}");
        }
        return out;
    }
    let dress = if let SharePage::DropBox(_) = page { Dress::DropBox } else { Dress::Site };
    frame::begin(&mut out, look, &dress, title);
    out.push_str("<div class=\"card\"><h1><bdi>");
    escape(&mut out, title);
    out.push_str("</bdi></h1>");
    for line in lines {
        let _ = write!(out, "<p>{line}</p>");
    }
    if let SharePage::Password { .. } = page {
        let (label, open) = (text::PASSWORD.get(language), text::OPEN.get(language));
        let _ = write!(
            out,
            "<form method=\"post\"><label class=\"field\"><span class=\"label\">{label}</span><input \
             name=\"password\" type=\"password\" autocomplete=\"off\" maxlength=\"1024\" required \
             autofocus></label><button class=\"button primary\">{open}</button></form>"
        );
    }
    out.push_str("</div>");
    frame::end(&mut out);
    out
}

impl DropBox<'_> {
    /// Who gets what is put there, until when, and how it is done without the page; as HTML, or as a text.
    fn lines(&self, form: Form, look: Look) -> Vec<String> {
        let language = look.language;
        let html = form == Form::Html;
        let mut owner = String::new();
        if html {
            escape(&mut owner, self.owner);
            owner = format!("<bdi>{owner}</bdi>");
        } else {
            owner.push_str(self.owner);
        }
        let mut lines = vec![text::DROP_HERE.get(language).replace("{owner}", &owner)];
        if let Some(until) = self.until {
            let iso = date::iso(until);
            let shown = format!("{} {} UTC", &iso[..10], &iso[11..16]);
            let shown = match html {
                // The module shows it in the reader's own zone.
                true => format!("<time datetime=\"{iso}\">{shown}</time>"),
                false => shown,
            };
            lines.push(text::DROP_UNTIL.get(language).replace("{until}", &shown));
        }
        lines.push(text::DROP_BY.get(language).into());
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::accept::Language;

    #[test]
    fn a_drop_box_says_whose_it_is_and_until_when_and_its_label_cannot_act() {
        let of = DropBox { label: Some("<script>\"tax\""), owner: "eve", until: Some(784_111_777) };
        let page = share_page(SharePage::DropBox(of), Form::Html, Look::default());
        assert!(
            !page.contains("<script>\"")
                && page.contains("<bdi>&lt;script&gt;&quot;tax&quot;</bdi>")
        );
        assert!(page.contains("<bdi>eve</bdi>"));
        assert!(
            page.contains("<time datetime=\"1994-11-06T08:49:37Z\">1994-11-06 08:49 UTC</time>")
        );
        let chinese = Look { language: Language::Chinese, theme: None };
        let text =
            share_page(SharePage::DropBox(DropBox { label: None, ..of }), Form::Text, chinese);
        assert!(text.starts_with("收件箱\n") && text.contains("eve"), "{text}");
        assert!(!text.contains('<') && text.contains("1994-11-06 08:49 UTC"), "{text}");
    }
}
