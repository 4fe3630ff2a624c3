//! Pages that are nothing without their module: the trash, one's links, account, administration.

use super::{Boot, Dress, frame, text};
use crate::wire::look::Look;

/// The page in which the module shows what its address asks for.
pub(crate) fn shell_page(look: Look, boot: Boot) -> String {
    let mut out = String::with_capacity(4096);
    frame::begin(&mut out, look, &Dress::App(boot), "sockeye");
    out.push_str("<noscript><p>");
    out.push_str(text::NEEDS_SCRIPT.get(look.language));
    out.push_str("</p></noscript>\n");
    frame::end(&mut out);
    out
}
