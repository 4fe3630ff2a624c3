//! The pages of our own: errors and listings, in English and Chinese. Pure formatting.
//!
//! Whatever comes from a client or a file's name is escaped; the pages run no script and load nothing.

mod error;
mod listing;
mod text;

pub(crate) use error::{error_page, media_type};
pub(crate) use listing::{Greeting, ListingPage};

use crate::wire::accept::Language;

/// The look of every page: small, readable, light or dark as the reader's system is.
const STYLE: &str = include_str!("style.css");

/// Appends `text` with the characters that HTML gives a meaning escaped.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}

/// Appends everything up to the page's body.
fn begin(out: &mut String, language: Language, title: &str) {
    let lang = match language {
        Language::English => "en",
        Language::Chinese => "zh-CN",
    };
    out.push_str("<!doctype html>\n<html lang=\"");
    out.push_str(lang);
    out.push_str(
        "\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"icon\" href=\"data:,\"><title>",
    );
    escape(out, title);
    out.push_str("</title><style>");
    out.push_str(STYLE);
    out.push_str("</style></head>\n<body><main>\n");
}

fn end(out: &mut String) {
    out.push_str("</main></body></html>\n");
}
