//! The pages of our own: errors and listings, in English and Chinese. Pure formatting.
//!
//! Whatever comes from a client or a file's name is escaped; nothing inline runs.
//! Those of a node load what the site has (assets/); the others load nothing.

mod error;
mod frame;
mod listing;
mod share;
mod shell;
mod sign_in;
pub(crate) mod text;
mod told;

pub(crate) use error::{error_page, media_type};
pub(crate) use frame::{Boot, Dress, Shared};
pub(crate) use listing::{ALL, FIRST_ENTRIES, Greeting, ListingPage};
pub(crate) use share::{DropBox, SharePage, share_page};
pub(crate) use shell::shell_page;
pub(crate) use sign_in::{SignInPage, sign_out_page};
pub(crate) use told::Told;

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
