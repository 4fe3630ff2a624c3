//! Listings, put together piece by piece so that a folder of any size is sent in bounded memory.

use std::{borrow::Cow, fmt::Write as _};

use serde::Serialize;
use sockeye_node::{Entry, FilePath, Kind, Order, Rights, SortKey, readable};

use super::{Dress, escape, frame, text};
use crate::wire::{
    accept::Form,
    date, escape as percent,
    look::Look,
    query,
    target::{sign_in_url, url_path},
};

/// What a listing says of who reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Greeting {
    /// Nothing: nobody can sign in.
    None,
    /// That one can sign in.
    SignIn,
    /// Who it is.
    Account(String),
    /// Who has signed in, and may sign out.
    SignedIn(String),
}

/// The query by which a listing has all entries, whatever else the page could do about the rest.
pub(crate) const ALL: &str = "all";

/// Entries of a page that a module takes over: what is seen at once, and some more.
pub(crate) const FIRST_ENTRIES: usize = 100;

/// A listing in the making.
#[derive(Debug)]
pub(crate) struct ListingPage {
    /// HTML, JSON or one name a line.
    pub(crate) form: Form,
    /// How the page looks.
    pub(crate) look: Look,
    /// What it loads.
    pub(crate) dress: Dress,
    /// The folder.
    pub(crate) path: FilePath,
    /// Who reads it.
    pub(crate) greeting: Greeting,
    /// What its reader may do in the folder.
    pub(crate) rights: Rights,
    /// The address of the root, with a slash at its end.
    pub(crate) base: Cow<'static, str>,
    /// Whether all entries were asked for, whatever the page could do about the rest.
    pub(crate) all: bool,
    /// How the entries are sorted, or `None` if they are not.
    pub(crate) order: Option<Order>,
    /// Entries written so far.
    pub(crate) count: u64,
}

/// An entry as JSON has it.
#[derive(Serialize)]
struct JsonEntry<'a> {
    /// For reading; see `href` for the exact name.
    name: &'a str,
    /// Relative to the folder.
    href: &'a str,
    kind: &'static str,
    size: Option<u64>,
    modified: &'a str,
}

impl ListingPage {
    /// Appends what stands before the first entry.
    pub(crate) fn begin(&self, out: &mut String) {
        if self.form == Form::Text {
            return;
        }
        if self.form == Form::Json {
            let path = readable_path(&self.path);
            // A string always serializes.
            let path = serde_json::to_string(&path).unwrap_or_default();
            let _ = write!(
                out,
                "{{\"path\":{path},\"sorted\":{},\"rights\":\"{}\",\"entries\":[",
                self.order.is_some(),
                self.rights
            );
            return;
        }
        let title =
            format!("{} {}", text::INDEX_OF.get(self.look.language), readable_path(&self.path));
        frame::begin(out, self.look, &self.dress, &title);
        self.greet(out);
        self.breadcrumb(out);
        if self.order.is_none() {
            let _ = writeln!(out, "<p>{}</p>", text::UNSORTED.get(self.look.language));
        }
        self.columns(out);
        if !self.path.is_root() {
            let parent = text::PARENT.get(self.look.language);
            let _ = writeln!(out, "<tr><td><a href=\"../\">{parent}</a><td><td></tr>");
        }
    }

    /// Appends one entry.
    pub(crate) fn entry(&mut self, out: &mut String, entry: &Entry) {
        let folder = entry.kind == Kind::Folder;
        let name = readable(entry.name.as_bytes());
        if self.form == Form::Text {
            out.push_str(&name);
            out.push_str(if folder { "/\n" } else { "\n" });
            self.count += 1;
            return;
        }
        let mut href = String::new();
        percent::encode_into(&mut href, entry.name.as_bytes());
        if folder {
            href.push('/');
        }
        let modified = date::iso(entry.modified.seconds);
        if self.form == Form::Json {
            let entry = JsonEntry {
                name: &name,
                href: &href,
                kind: if folder { "folder" } else { "file" },
                size: (!folder).then_some(entry.size),
                modified: &modified,
            };
            out.push_str(if self.count == 0 { "\n" } else { ",\n" });
            out.push_str(&serde_json::to_string(&entry).unwrap_or_default());
        } else {
            let size = if folder { 0 } else { entry.size };
            let _ = write!(out, "<tr data-size=\"{size}\"><td><a href=\"{href}\"><bdi>");
            escape(out, &name);
            out.push_str(if folder { "/</bdi></a><td class=\"n\">" } else { "</bdi></a>" });
            if !folder {
                let _ = write!(out, "<td class=\"n\" title=\"{}\">", entry.size);
                human_size(out, entry.size);
            }
            let (day, time) = (&modified[..10], &modified[11..16]);
            let _ = writeln!(
                out,
                "<td class=\"n\"><time datetime=\"{modified}\">{day} {time}</time></tr>"
            );
        }
        self.count += 1;
    }

    /// Appends what stands after the last entry; `complete` is false if the folder could not be read to
    /// its end.
    pub(crate) fn end(&self, out: &mut String, complete: bool) {
        if self.form == Form::Text {
            return;
        }
        if self.form == Form::Json {
            let _ = writeln!(out, "\n],\"complete\":{complete}}}");
            return;
        }
        out.push_str("</tbody></table>\n");
        if self.count > 0 {
            // A button, as robots that mirror a tree follow every link.
            let zip = text::AS_ZIP.get(self.look.language);
            let _ =
                writeln!(out, "<form><button class=\"button\" name=\"zip\">{zip}</button></form>");
        }
        if self.count == 0 && complete {
            let _ = writeln!(out, "<p>{}</p>", text::EMPTY.get(self.look.language));
        }
        if matches!(&self.dress, Dress::App(boot) if boot.more) {
            let all = text::SHOW_ALL.get(self.look.language);
            let _ = writeln!(out, "<p><a href=\"?{ALL}\">{all}</a></p>");
        }
        if !complete {
            let _ = writeln!(out, "<p>{}</p>", text::CUT_SHORT.get(self.look.language));
        }
        frame::end(out);
    }

    fn greet(&self, out: &mut String) {
        match &self.greeting {
            Greeting::None => {}
            Greeting::SignIn => {
                let sign_in = text::SIGN_IN.get(self.look.language);
                let url = sign_in_url(&url_path(&self.path, true));
                let _ = writeln!(
                    out,
                    "<p class=\"who\"><a href=\"{url}\" rel=\"nofollow\">{sign_in}</a></p>"
                );
            }
            Greeting::Account(name) | Greeting::SignedIn(name) => {
                out.push_str("<p class=\"who\"><bdi>");
                escape(out, name);
                out.push_str("</bdi>");
                if matches!(self.greeting, Greeting::SignedIn(_)) {
                    let sign_out = text::SIGN_OUT.get(self.look.language);
                    let _ = write!(out, " <a href=\"/-/logout\" rel=\"nofollow\">{sign_out}</a>");
                }
                out.push_str("</p>\n");
            }
        }
    }

    fn breadcrumb(&self, out: &mut String) {
        let mut href = self.base.clone().into_owned();
        let home = text::HOME.get(self.look.language);
        let _ = write!(out, "<h1><a href=\"{href}\">{home}</a> /");
        for segment in self.path.segments() {
            percent::encode_into(&mut href, segment);
            href.push('/');
            let _ = write!(out, " <a href=\"{href}\"><bdi>");
            escape(out, &readable(segment));
            out.push_str("</bdi></a> /");
        }
        out.push_str("</h1>\n");
    }

    /// The columns' heads. What sorts is a button, as robots that mirror a tree follow every link.
    fn columns(&self, out: &mut String) {
        // Another order of all is of all as well.
        let all = if self.all {
            format!("<input type=\"hidden\" name=\"{ALL}\">")
        } else {
            String::new()
        };
        out.push_str("<table><thead><tr>");
        for (key, title, class) in [
            (SortKey::Name, &text::NAME, ""),
            (SortKey::Size, &text::SIZE, " class=\"n\""),
            (SortKey::Modified, &text::MODIFIED, " class=\"n\""),
        ] {
            let title = title.get(self.look.language);
            let Some(order) = self.order else {
                let _ = write!(out, "<th{class}>{title}");
                continue;
            };
            let current = order.key == key;
            let descending = current && !order.descending;
            let (sort_by, direction) = query::of(Order { key, descending });
            let (sort, arrow) = match (current, order.descending) {
                (false, _) => ("none", ""),
                (true, false) => ("ascending", " ↑"),
                (true, true) => ("descending", " ↓"),
            };
            let _ = write!(
                out,
                "<th{class} aria-sort=\"{sort}\"><form>{all}\
                 <input type=\"hidden\" name=\"order\" value=\"{direction}\">\
                 <button name=\"sort\" value=\"{sort_by}\">{title}{arrow}</button></form>"
            );
        }
        out.push_str("</tr></thead><tbody>\n");
    }
}

fn readable_path(path: &FilePath) -> String {
    let mut text = path.to_string();
    // The root has its slash already.
    if url_path(path, false) != "/" {
        text.push('/');
    }
    text
}

/// Appends a size in the binary unit that leaves one to four digits, such as `1.5 MiB`.
fn human_size(out: &mut String, size: u64) {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if size < 1024 {
        let _ = write!(out, "{size} B");
        return;
    }
    let power = (size.ilog2() / 10).min(6);
    let unit = UNITS[power as usize - 1];
    let whole = size >> (power * 10);
    let tenths = ((size >> ((power - 1) * 10)) & 1023) * 10 / 1024;
    let _ = if whole < 10 {
        write!(out, "{whole}.{tenths} {unit}")
    } else {
        write!(out, "{whole} {unit}")
    };
}

#[cfg(test)]
mod tests {
    use sockeye_node::{Name, Timestamp};

    use super::*;

    fn entry(name: &[u8], kind: Kind) -> Entry {
        let modified = Timestamp { seconds: 784_111_777, nanos: 0 };
        let name = Name::parse(name).unwrap();
        Entry { name, kind, size: 1536, modified, mode: 0o644, device: 0, inode: 0, linked: false }
    }

    fn render(form: Form, order: Option<Order>, entries: &[Entry]) -> String {
        let path = FilePath::parse("a & b".as_bytes()).unwrap();
        let (look, greeting) = (Look::default(), Greeting::Account("<b>eve".into()));
        let mut page = ListingPage {
            form,
            look,
            dress: Dress::Plain,
            path,
            greeting,
            rights: Rights::READ,
            base: Cow::Borrowed("/"),
            all: false,
            order,
            count: 0,
        };
        let mut out = String::new();
        page.begin(&mut out);
        entries.iter().for_each(|e| page.entry(&mut out, e));
        page.end(&mut out, true);
        out
    }

    #[test]
    fn names_cannot_act_in_the_page() {
        let names: [&[u8]; 4] =
            [b"<script>alert(1)", b"javascript:alert(1)", b"\"onclick=x", b"\xff\n"];
        let entries = names.map(|n| entry(n, Kind::File));
        let page = render(Form::Html, Some(Order::default()), &entries);
        assert!(!page.contains("<script>") && !page.contains("href=\"javascript:"));
        assert!(page.contains("href=\"%FF%0A\"><bdi>\\xFF\\x0A</bdi>"));
        assert!(page.contains("a &amp; b") && page.contains("<bdi>&lt;b&gt;eve</bdi>"));
        assert!(page.contains(">1.5 KiB<"));
        assert!(page.contains("1994-11-06 08:49"));
        assert!(page.contains("<button name=\"sort\" value=\"size\">"));
        assert!(!page.contains("href=\"?"), "a robot would follow it");
    }

    #[test]
    fn json_is_valid_and_exact() {
        let entries = [entry(b"\xff\"", Kind::File), entry(b"sub", Kind::Folder)];
        let page = render(Form::Json, None, &entries);
        let json: serde_json::Value = serde_json::from_str(&page).unwrap();
        assert_eq!(json["path"], "/a & b/");
        assert_eq!((&json["sorted"], &json["rights"]), (&false.into(), &"read".into()));
        assert_eq!(json["entries"][0]["href"], "%FF%22");
        assert_eq!(json["entries"][0]["size"], 1536);
        assert_eq!(json["entries"][1]["href"], "sub/");
        assert_eq!(json["entries"][1]["kind"], "folder");
        assert_eq!(json["complete"], true);
        assert!(serde_json::from_str::<serde_json::Value>(&render(Form::Json, None, &[])).is_ok());
    }

    #[test]
    fn as_text_each_name_has_a_line_whatever_is_in_it() {
        let entries = [entry("项目".as_bytes(), Kind::Folder), entry(b"a\nb <i>\xff", Kind::File)];
        assert_eq!(render(Form::Text, None, &entries), "项目/\na\\x0Ab <i>\\xFF\n");
        assert_eq!(render(Form::Text, None, &[]), "");
    }

    #[test]
    fn sizes_are_short() {
        for (size, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (10 << 20, "10 MiB"),
            (1023 << 20, "1023 MiB"),
            (u64::MAX, "15 EiB"),
        ] {
            let mut text = String::new();
            human_size(&mut text, size);
            assert_eq!(text, expected);
        }
    }
}
