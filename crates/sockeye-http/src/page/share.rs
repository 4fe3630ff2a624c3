//! The pages of shares' links: the form that asks for a password, what a drop box says of itself, and that a link
//! opens nothing.

use std::fmt::Write as _;

use super::{Dress, frame, text};
use crate::wire::{accept::Form, look::Look};

/// What is to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SharePage {
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
    DropBox,
}

/// The page, for people, or as a text.
pub(crate) fn share_page(page: SharePage, form: Form, look: Look) -> String {
    let language = look.language;
    let (title, lines): (_, &[&text::Text]) = match page {
        SharePage::Password { wrong: true } => (&text::PROTECTED, &[&text::NOT_IT]),
        SharePage::Password { wrong: false } => (&text::PROTECTED, &[]),
        SharePage::Nowhere => (&text::NO_LINK, &[&text::ASK_FOR_LINK]),
        SharePage::Over => (&text::LINK_OVER, &[&text::ASK_AGAIN]),
        SharePage::DropBox => (&text::DROP_BOX, &[&text::DROP_HERE, &text::DROP_BY]),
    };
    let mut out = String::with_capacity(4096);
    if form != Form::Html {
        for line in [title].iter().chain(lines) {
            let _ = writeln!(out, "{}", line.get(language));
        }
        return out;
    }
    let title = title.get(language);
    let dress = if page == SharePage::DropBox { Dress::DropBox } else { Dress::Site };
    frame::begin(&mut out, look, &dress, title);
    let _ = write!(out, "<div class=\"card\"><h1>{title}</h1>");
    for line in lines {
        let _ = write!(out, "<p>{}</p>", line.get(language));
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
