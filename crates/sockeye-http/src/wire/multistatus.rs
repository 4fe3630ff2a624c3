//! A 207's content (RFC 4918 §13): straight to text, property by property.
//!
//! Live properties are a table; what clients set themselves is written as it was stored, as it stands for itself.

use std::fmt::Write as _;

use sockeye_node::{FilePath, Kind, Lock, LockDepth, LockScope, Meta, Property, PropertyName};

use super::{
    condition::ETag,
    date::http_date,
    reply::Digits,
    target::url_path,
    webdav::PropFind,
    xml::{DAV, escape_into},
};

/// Content-Type of what is written here.
pub const MEDIA_TYPE: &str = "application/xml; charset=utf-8";

/// What a 207 begins with.
pub const BEGIN: &str =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\">";

/// What a 207 ends with.
pub const END: &str = "</D:multistatus>\n";

/// What the server itself knows of a resource (RFC 4918 §15, RFC 4331 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// getcontentlength, of files.
    Length,
    /// getcontenttype, of files.
    Type,
    /// getetag, of files.
    Tag,
    /// getlastmodified.
    Modified,
    /// resourcetype.
    Resource,
    /// supportedlock.
    SupportedLock,
    /// lockdiscovery.
    Locks,
    /// quota-available-bytes, of folders where there is a quota.
    Available,
    /// quota-used-bytes, of folders.
    Used,
}

/// Every live property's local name in WebDAV's namespace, and whether it is among all that are asked for at once
/// (RFC 4331 §3: quotas are not).
const LIVE: [(&str, Live, bool); 9] = [
    ("resourcetype", Live::Resource, true),
    ("getcontentlength", Live::Length, true),
    ("getlastmodified", Live::Modified, true),
    ("getetag", Live::Tag, true),
    ("getcontenttype", Live::Type, true),
    ("supportedlock", Live::SupportedLock, true),
    ("lockdiscovery", Live::Locks, true),
    ("quota-available-bytes", Live::Available, false),
    ("quota-used-bytes", Live::Used, false),
];

impl Live {
    /// The live property of this name, if it is one.
    #[must_use]
    pub fn of(name: &PropertyName) -> Option<Self> {
        let row = LIVE.iter().find(|row| row.0 == &*name.local);
        row.filter(|_| &*name.space == DAV).map(|row| row.1)
    }
}

/// What every file and folder can be locked by.
const SUPPORTED_LOCK: &str = "<D:supportedlock>\
    <D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>\
    <D:lockentry><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>\
    </D:supportedlock>";

/// What is known of a resource.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Its address, encoded, with a slash at the end of a folder's.
    pub href: &'a str,
    /// Its kind, size and age.
    pub meta: &'a Meta,
    /// A file's Content-Type.
    pub media: &'a str,
    /// What clients set.
    pub properties: &'a [Property],
    /// The locks that hold there.
    pub locks: &'a [Lock],
    /// Bytes that may still come, where that is bounded, and bytes that there are.
    pub quota: Option<(Option<u64>, u64)>,
}

/// What is asked of each resource, looked up once.
#[derive(Clone, Debug)]
pub struct Wanted {
    form: Form,
    /// Whether quotas are asked for.
    pub quota: bool,
}

#[derive(Clone, Debug)]
enum Form {
    All(Vec<Asked>),
    Names,
    These(Vec<Asked>),
}

#[derive(Clone, Debug)]
enum Asked {
    Live(&'static str, Live),
    Other(PropertyName),
}

impl Wanted {
    /// What a PROPFIND asks for.
    #[must_use]
    pub fn new(find: PropFind) -> Self {
        let asked = |name: PropertyName| {
            let row = LIVE.iter().find(|row| row.0 == &*name.local && &*name.space == DAV);
            row.map_or(Asked::Other(name), |row| Asked::Live(row.0, row.1))
        };
        let all = |names: Vec<PropertyName>| names.into_iter().map(asked).collect::<Vec<_>>();
        let form = match find {
            PropFind::All(included) => Form::All(all(included)),
            PropFind::Names => Form::Names,
            PropFind::These(names) => Form::These(all(names)),
        };
        let is_quota = |it: &Asked| matches!(it, Asked::Live(_, Live::Available | Live::Used));
        let quota = match &form {
            Form::All(asked) | Form::These(asked) => asked.iter().any(is_quota),
            Form::Names => true,
        };
        Self { form, quota }
    }

    /// Appends the response about a resource.
    pub fn write(&self, out: &mut String, facts: &Facts<'_>) {
        out.push_str("<D:response><D:href>");
        out.push_str(facts.href);
        out.push_str("</D:href>");
        let mut missing = String::new();
        let (begin, empty) = ("<D:propstat><D:prop>", out.len());
        out.push_str(begin);
        match &self.form {
            Form::Names => facts.write_names(out),
            Form::All(included) => {
                for row in LIVE.iter().filter(|row| row.2) {
                    facts.write_live(out, row.1);
                }
                facts.properties.iter().for_each(|it| out.push_str(&it.value));
                // What is included and not there is not told of (RFC 4918 §9.1.5).
                let beyond = included.iter().filter_map(|it| match it {
                    Asked::Live(name, live) => {
                        LIVE.iter().any(|row| row.0 == *name && !row.2).then_some(*live)
                    }
                    Asked::Other(_) => None,
                });
                for live in beyond {
                    facts.write_live(out, live);
                }
            }
            Form::These(names) => {
                for asked in names {
                    if !facts.write_asked(out, asked) {
                        write_name(&mut missing, asked);
                    }
                }
            }
        }
        // A response has at least one propstat.
        if out.len() == empty + begin.len() && !missing.is_empty() {
            out.truncate(empty);
        } else {
            out.push_str("</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>");
        }
        if !missing.is_empty() {
            out.push_str(begin);
            out.push_str(&missing);
            out.push_str("</D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>");
        }
        out.push_str("</D:response>");
    }
}

impl Facts<'_> {
    fn write_asked(&self, out: &mut String, asked: &Asked) -> bool {
        match asked {
            Asked::Live(_, live) => self.write_live(out, *live),
            Asked::Other(name) => {
                let found = self.properties.iter().find(|it| it.name == *name);
                found.is_some_and(|it| {
                    out.push_str(&it.value);
                    true
                })
            }
        }
    }

    fn write_names(&self, out: &mut String) {
        for (name, live, _) in &LIVE {
            let mut value = String::new();
            if self.write_live(&mut value, *live) {
                write_name(out, &Asked::Live(name, *live));
            }
        }
        for property in self.properties {
            write_name(out, &Asked::Other(property.name.clone()));
        }
    }

    /// Appends a live property; `false` if the resource has none.
    fn write_live(&self, out: &mut String, live: Live) -> bool {
        let is_file = self.meta.kind == Kind::File;
        // Writing to a string does not fail.
        let _ = match live {
            Live::Resource if is_file => out.write_str("<D:resourcetype/>"),
            Live::Resource => out.write_str("<D:resourcetype><D:collection/></D:resourcetype>"),
            Live::Length if is_file => {
                out.push_str("<D:getcontentlength>");
                push_ascii(out, Digits::new(self.meta.size).as_bytes());
                out.write_str("</D:getcontentlength>")
            }
            Live::Modified => {
                out.push_str("<D:getlastmodified>");
                push_ascii(out, &http_date(self.meta.modified.seconds));
                out.write_str("</D:getlastmodified>")
            }
            Live::Tag if is_file => {
                out.push_str("<D:getetag>");
                push_ascii(out, ETag::of(self.meta).as_bytes());
                out.write_str("</D:getetag>")
            }
            Live::Type if is_file => {
                out.push_str("<D:getcontenttype>");
                escape_into(out, self.media);
                out.write_str("</D:getcontenttype>")
            }
            Live::SupportedLock => out.write_str(SUPPORTED_LOCK),
            Live::Locks if self.locks.is_empty() => out.write_str("<D:lockdiscovery/>"),
            Live::Locks => {
                lock_discovery(out, self.href, self.locks);
                Ok(())
            }
            Live::Available => match self.quota {
                Some((Some(free), _)) if !is_file => {
                    write!(out, "<D:quota-available-bytes>{free}</D:quota-available-bytes>")
                }
                _ => return false,
            },
            Live::Used => match self.quota {
                Some((_, used)) if !is_file => {
                    write!(out, "<D:quota-used-bytes>{used}</D:quota-used-bytes>")
                }
                _ => return false,
            },
            Live::Length | Live::Tag | Live::Type => return false,
        };
        true
    }
}

/// Appends what is known to be ASCII.
fn push_ascii(out: &mut String, text: &[u8]) {
    out.push_str(std::str::from_utf8(text).unwrap_or_default());
}

/// The address of where a lock was taken, as far as that of something else tells whether it is a folder: what lies above
/// `href` is one, as is `href` itself if it ends with a slash.
#[must_use]
pub fn lock_root(href: &str, root: &FilePath) -> String {
    let bare = url_path(root, false);
    let is_folder = href.strip_prefix(&*bare).is_some_and(|rest| rest.starts_with('/'));
    if is_folder { url_path(root, true) } else { bare }
}

/// Appends the locks that hold at `href` as the property lockdiscovery (RFC 4918 §15.8).
pub fn lock_discovery(out: &mut String, href: &str, locks: &[Lock]) {
    out.push_str("<D:lockdiscovery>");
    for lock in locks {
        let scope = match lock.scope {
            LockScope::Exclusive => "exclusive",
            LockScope::Shared => "shared",
        };
        let depth = match lock.depth {
            LockDepth::Zero => "0",
            LockDepth::Infinity => "infinity",
        };
        let owner = match &*lock.owner {
            "" => String::new(),
            owner => format!("<D:owner>{owner}</D:owner>"),
        };
        let _ = write!(
            out,
            "<D:activelock><D:locktype><D:write/></D:locktype>\
             <D:lockscope><D:{scope}/></D:lockscope><D:depth>{depth}</D:depth>{owner}\
             <D:timeout>Second-{}</D:timeout><D:locktoken><D:href>{}</D:href></D:locktoken>\
             <D:lockroot><D:href>{}</D:href></D:lockroot></D:activelock>",
            lock.remaining().as_secs(),
            lock.token,
            lock_root(href, &lock.path),
        );
    }
    out.push_str("</D:lockdiscovery>");
}

/// Appends an empty element of this name.
fn write_name(out: &mut String, asked: &Asked) {
    match asked {
        Asked::Live(name, _) => drop(write!(out, "<D:{name}/>")),
        Asked::Other(name) => property_name(out, name),
    }
}

/// Appends an empty element that is called as a property is. Its local name is one that was read from XML.
pub fn property_name(out: &mut String, name: &PropertyName) {
    out.push('<');
    out.push_str(&name.local);
    if !name.space.is_empty() {
        out.push_str(" xmlns=\"");
        escape_into(out, &name.space);
        out.push('"');
    }
    out.push_str("/>");
}

/// What became of a property that was to be set or removed.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Which.
    pub name: &'a PropertyName,
    /// A status line, such as `200 OK`.
    pub status: &'a str,
    /// The condition that was not met; empty if there is none.
    pub condition: &'a str,
    /// What is to be said of it to people; empty for nothing.
    pub why: &'a str,
}

/// The whole answer to a PROPPATCH.
#[must_use]
pub fn patched(path: &FilePath, folder: bool, of: &[Step<'_>]) -> String {
    let mut out = String::from(BEGIN);
    let _ = write!(out, "<D:response><D:href>{}</D:href>", url_path(path, folder));
    for Step { name, status, condition, why } in of {
        out.push_str("<D:propstat><D:prop>");
        property_name(&mut out, name);
        let _ = write!(out, "</D:prop><D:status>HTTP/1.1 {status}</D:status>");
        if !condition.is_empty() {
            let _ = write!(out, "<D:error><D:{condition}/></D:error>");
        }
        if !why.is_empty() {
            let _ = write!(out, "<D:responsedescription>{why}</D:responsedescription>");
        }
        out.push_str("</D:propstat>");
    }
    out.push_str("</D:response>");
    out.push_str(END);
    out
}

/// The content of a refusal that names the condition that was not met (RFC 4918 §16); `inner` is an element.
#[must_use]
pub fn unmet(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:error xmlns:D=\"DAV:\">{inner}</D:error>\n"
    )
}

#[cfg(test)]
mod tests {
    use sockeye_node::Timestamp;

    use super::*;
    use crate::wire::xml::parse;

    fn meta(kind: Kind) -> Meta {
        let modified = Timestamp { seconds: 784_111_777, nanos: 5 };
        Meta { kind, size: 1000, modified, mode: 0o644, device: 1, inode: 2 }
    }

    fn written(kind: Kind, find: PropFind, quota: Option<(Option<u64>, u64)>) -> String {
        let properties = [Property {
            name: PropertyName::new("u", "color"),
            value: "<color xmlns=\"u\">red</color>".into(),
        }];
        let meta = meta(kind);
        let (href, media) = ("/a", "text/plain");
        let facts = Facts { href, meta: &meta, media, properties: &properties, locks: &[], quota };
        let mut out = String::from(BEGIN);
        Wanted::new(find).write(&mut out, &facts);
        out.push_str(END);
        parse(out.as_bytes()).unwrap();
        out[BEGIN.len()..out.len() - END.len()].to_owned()
    }

    #[test]
    fn what_is_there_is_told_and_what_is_not_is_named() {
        let these = ["getcontentlength", "color", "quota-used-bytes"].map(|local| {
            let space = if local == "color" { "u" } else { DAV };
            PropertyName::new(space, local)
        });
        let find = PropFind::These(these.to_vec());
        assert_eq!(
            written(Kind::File, find.clone(), Some((None, 5))),
            "<D:response><D:href>/a</D:href><D:propstat><D:prop>\
             <D:getcontentlength>1000</D:getcontentlength><color xmlns=\"u\">red</color></D:prop>\
             <D:status>HTTP/1.1 200 OK</D:status></D:propstat><D:propstat><D:prop>\
             <D:quota-used-bytes/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>\
             </D:response>"
        );
        let folder = written(Kind::Folder, find, Some((None, 5)));
        assert!(folder.contains("<D:quota-used-bytes>5</D:quota-used-bytes>"), "{folder}");
        let none = written(Kind::File, PropFind::These(vec![PropertyName::new("", "x")]), None);
        assert!(none.contains("<x/>") && !none.contains("200 OK"), "{none}");
        let nothing = written(Kind::File, PropFind::These(Vec::new()), None);
        assert!(nothing.contains("200 OK"), "{nothing}");
    }

    #[test]
    fn where_a_lock_was_taken_is_a_folder_as_far_as_can_be_told() {
        for (href, root, expected) in [
            ("/a/b", "a", "/a/"),
            ("/a/", "a", "/a/"),
            ("/a", "a", "/a"),
            ("/a", "a/b", "/a/b"),
            ("/ab", "a", "/a"),
            ("/a", "", "/"),
        ] {
            let root = FilePath::parse(root.as_bytes()).unwrap();
            assert_eq!(lock_root(href, &root), expected, "{href}");
        }
    }

    #[test]
    fn all_is_what_is_cheap_and_the_names_are_those_that_there_are() {
        let all = written(Kind::File, PropFind::All(Vec::new()), Some((Some(1), 1)));
        for part in ["getetag>\"", "getcontenttype>text/plain<", "<color", "06 Nov 1994"] {
            assert!(all.contains(part), "{part}: {all}");
        }
        assert!(!all.contains("quota"), "{all}");
        let names = written(Kind::Folder, PropFind::Names, Some((Some(1), 1)));
        assert!(
            names.contains("<D:quota-available-bytes/>") && names.contains("<color xmlns=\"u\"/>")
        );
        assert!(!names.contains("getetag"), "{names}");
        let quota = vec![PropertyName::new(DAV, "quota-used-bytes")];
        let more = written(Kind::Folder, PropFind::All(quota), Some((Some(1), 1)));
        assert!(more.contains("<D:quota-used-bytes>1<"), "{more}");
    }
}
