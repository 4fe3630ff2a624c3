//! What stands around every page: its head, its style, and what the page's module has to know from the start.

use super::escape;
use crate::{
    assets,
    wire::{
        accept::Language,
        look::{Look, Theme},
    },
};

/// The look of pages that load nothing: small, readable, light or dark as the reader's system is.
const STYLE: &str = include_str!("style.css");

/// How a page is dressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Dress {
    /// Its style is in it, and it loads nothing.
    Plain,
    /// It has the site's style.
    Site,
    /// It has the site's style, and a module takes it over.
    App(Boot),
    /// It has the site's style, and a module by which files are put.
    DropBox,
}

/// What the module is told with the page, so that it need not ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Boot {
    /// Who reads it; empty for nobody.
    pub(crate) account: String,
    /// What proves that a change comes from the page; empty where nothing has to.
    pub(crate) csrf: String,
    /// The rights at the folder, as `read,list`.
    pub(crate) rights: String,
    /// Whether the folder has more entries than the page.
    pub(crate) more: bool,
    /// What the folder belongs to, if it is reached by a share's link, or is all that is served.
    pub(crate) shared: Option<Shared>,
    /// The files that stand for their folder, for whoever reads it.
    pub(crate) index: Vec<String>,
}

/// What is reached by a share's link, or is all that is served, as the module has to know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shared {
    /// The address that everything shared is below, with a slash at its end.
    pub(crate) base: String,
    /// What is shared is called so.
    pub(crate) name: String,
}

/// Appends everything up to the page's body.
pub(super) fn begin(out: &mut String, look: Look, dress: &Dress, title: &str) {
    out.push_str("<!doctype html>\n<html lang=\"");
    out.push_str(match look.language {
        Language::English => "en",
        Language::Chinese => "zh-CN",
    });
    out.push('"');
    if let Some(theme) = look.theme {
        attribute(out, "theme", Theme::as_str(theme));
    }
    if let Dress::App(boot) = dress {
        attribute(out, "account", &boot.account);
        attribute(out, "csrf", &boot.csrf);
        attribute(out, "rights", &boot.rights);
        if boot.more {
            out.push_str(" data-more");
        }
        if let Some(shared) = &boot.shared {
            attribute(out, "base", &shared.base);
            attribute(out, "name", &shared.name);
        }
        if !boot.index.is_empty() {
            attribute(out, "index", &boot.index.join("/"));
        }
    }
    out.push_str(
        "><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">",
    );
    out.push_str("<title>");
    escape(out, title);
    out.push_str("</title>");
    match dress {
        Dress::Plain => {
            out.push_str("<link rel=\"icon\" href=\"data:,\"><style>");
            out.push_str(STYLE);
            out.push_str("</style>");
        }
        Dress::Site | Dress::App(_) | Dress::DropBox => {
            link(out, "<link rel=\"icon\" href=\"", "icon.svg");
            link(out, "<link rel=\"stylesheet\" href=\"", "style.css");
        }
    }
    if matches!(dress, Dress::App(_)) {
        let texts = match look.language {
            Language::English => "i18n/en.js",
            Language::Chinese => "i18n/zh.js",
        };
        link(out, "<link rel=\"modulepreload\" href=\"", texts);
        link(out, "<script type=\"module\" src=\"", "main.js");
        out.push_str("</script>");
    }
    if *dress == Dress::DropBox {
        link(out, "<script type=\"module\" src=\"", "drop.js");
        out.push_str("</script>");
    }
    out.push_str("</head>\n<body><main>\n");
}

pub(super) fn end(out: &mut String) {
    out.push_str("</main></body></html>\n");
}

fn link(out: &mut String, tag: &str, asset: &str) {
    out.push_str(tag);
    assets::address_into(out, asset);
    out.push_str("\">");
}

fn attribute(out: &mut String, name: &str, value: &str) {
    out.push_str(" data-");
    out.push_str(name);
    out.push_str("=\"");
    escape(out, value);
    out.push('"');
}
