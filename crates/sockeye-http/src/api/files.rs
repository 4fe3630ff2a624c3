//! Files and folders: looked at, and changed as a whole. Their contents are read and written at their own addresses.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use sockeye_node::{
    Algorithm, Entry, FilePath, Kind, Meta, Overwrite, Recursive, SortKey, Timestamp, readable,
};

use super::{
    Call, Problem,
    answer::{Answered, created, done, json},
    each::{Each, list_of},
    path_of, shown,
    trash::Removed,
};
use crate::{
    serve::DIGESTED_AT_ONCE,
    wire::{date, escape, natural},
};

/// Entries in a page, if nothing is said, and at most.
const PAGE: (usize, usize) = (1000, 10_000);

/// Most paths in one request.
const MOST_PATHS: usize = 1000;

#[derive(Serialize)]
pub(super) struct Shown {
    /// For reading; the path has the exact name.
    name: String,
    path: String,
    kind: &'static str,
    size: Option<u64>,
    modified: String,
}

#[derive(Serialize)]
struct Page {
    path: String,
    rights: String,
    /// How many there are in all.
    total: usize,
    entries: Vec<Shown>,
    /// What the next page comes `after`.
    next: Option<String>,
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Folder => "folder",
        Kind::File => "file",
        Kind::Special => "special",
    }
}

fn entry(folder: &FilePath, entry: &Entry) -> Result<Shown, Problem> {
    let path = folder.join(&entry.name).map_err(Problem::wrong)?;
    let size = (entry.kind == Kind::File).then_some(entry.size);
    Ok(Shown::of(&path, entry.kind, size, entry.modified))
}

impl Shown {
    pub(super) fn of(path: &FilePath, of: Kind, size: Option<u64>, modified: Timestamp) -> Self {
        Self {
            name: path.file_name().map(|name| readable(name).into()).unwrap_or_default(),
            path: shown(path),
            kind: kind(of),
            size,
            modified: date::iso(modified.seconds),
        }
    }
}

/// In which order a folder is paged, and where a page begins.
struct Cursor {
    key: SortKey,
    descending: bool,
    after: Option<(i128, Vec<u8>)>,
}

impl Cursor {
    fn read(call: &Call<'_>) -> Result<Self, Problem> {
        let key = match call.asked("sort").as_deref() {
            None | Some("name") => SortKey::Name,
            Some("size") => SortKey::Size,
            Some("modified") => SortKey::Modified,
            Some(_) => return Err(Problem::wrong("sort is name, size or modified")),
        };
        let descending = match call.asked("order").as_deref() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(Problem::wrong("order is asc or desc")),
        };
        let after = call.asked("after").map(|text| {
            let (value, name) = text.split_once('/')?;
            Some((value.parse().ok()?, escape::decode(name.as_bytes())?.into_owned()))
        });
        let wrong = || Problem::wrong("after is the next of the page before");
        let after = after.map(|after| after.ok_or_else(wrong)).transpose()?;
        Ok(Self { key, descending, after })
    }

    /// What goes before the name in the order.
    fn value(&self, entry: &Entry) -> i128 {
        match self.key {
            SortKey::Size => entry.size.into(),
            SortKey::Modified => {
                let at = entry.modified;
                i128::from(at.seconds) * 1_000_000_000 + i128::from(at.nanos)
            }
            _ => 0,
        }
    }

    fn compare(&self, a: (i128, &[u8]), b: (i128, &[u8])) -> Ordering {
        let order = a.0.cmp(&b.0).then_with(|| natural::compare(a.1, b.1));
        if self.descending { order.reverse() } else { order }
    }

    fn sort(&self, entries: &mut [Entry]) {
        entries.sort_unstable_by(|a, b| {
            let (one, other) =
                ((self.value(a), a.name.as_bytes()), (self.value(b), b.name.as_bytes()));
            self.compare(one, other)
        });
    }

    /// Whether an entry is on this page or a later one.
    fn wants(&self, entry: &Entry) -> bool {
        self.after.as_ref().is_none_or(|(value, name)| {
            let place = (self.value(entry), entry.name.as_bytes());
            self.compare(place, (*value, name)).is_gt()
        })
    }

    /// Where the next page begins.
    fn next(&self, last: &Entry) -> String {
        let mut next = format!("{}/", self.value(last));
        escape::encode_into(&mut next, last.name.as_bytes());
        next
    }
}

/// `GET files`: whatever the folder's size, no more than two pages of it are held.
pub(super) async fn list(call: &Call<'_>) -> Answered {
    let path = path_of(&call.asked("path").unwrap_or_else(|| "/".to_owned()))?;
    let cursor = Cursor::read(call)?;
    let limit = call.limit(PAGE.0, PAGE.1)?;
    let rights = call.session.rights_at(&path)?.to_string();
    let mut listing = call.session.list(&path).await?;
    let (mut total, mut some) = (0, Vec::new());
    while let Some(entries) = listing.next().await? {
        total += entries.len();
        some.extend(entries.into_iter().filter(|entry| cursor.wants(entry)));
        if some.len() > 2 * limit {
            cursor.sort(&mut some);
            some.truncate(limit + 1);
        }
    }
    cursor.sort(&mut some);
    let more = some.len() > limit;
    some.truncate(limit);
    let next = some.last().filter(|_| more).map(|last| cursor.next(last));
    let entries = some.iter().map(|it| entry(&path, it)).collect::<Result<Vec<_>, _>>()?;
    json(&Page { path: shown(&path), rights, total, entries, next })
}

#[derive(Serialize)]
struct Stat {
    path: String,
    kind: &'static str,
    size: Option<u64>,
    modified: String,
    rights: String,
    /// The SHA-256 of its content in hexadecimal digits, if it was asked for; to who has no account only if it is known or
    /// the file not large.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

/// `GET file`
pub(super) async fn stat(call: &Call<'_>) -> Answered {
    let path = path_of(&call.asked("path").unwrap_or_else(|| "/".to_owned()))?;
    let meta = call.session.stat(&path).await?;
    let Meta { kind: found, size, modified, .. } = meta;
    let is_file = found == Kind::File;
    let sha256 = match call.asked("digest").as_deref() {
        Some("sha256") if is_file => {
            // Nobody without an account has a large file read only to learn this.
            let most = if call.account.is_some() { u64::MAX } else { DIGESTED_AT_ONCE };
            let digest =
                call.session.digest_of(&path, meta.version(), Algorithm::Sha256, most).await?;
            digest.map(|digest| hex(digest.as_bytes()))
        }
        None | Some("sha256") => None,
        Some(_) => return Err(Problem::wrong("digest is sha256")),
    };
    json(&Stat {
        path: shown(&path),
        kind: kind(found),
        size: is_file.then_some(size),
        modified: date::iso(modified.seconds),
        rights: call.session.rights_at(&path)?.to_string(),
        sha256,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct At {
    path: String,
}

/// `POST folders`
pub(super) async fn make_folder(call: &Call<'_>) -> Answered {
    let At { path } = call.content()?;
    let path = path_of(&path)?;
    call.session.mkdir(&path).await?;
    created(&serde_json::json!({ "path": shown(&path) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FromTo {
    from: String,
    to: String,
    #[serde(default)]
    overwrite: bool,
}

impl FromTo {
    fn read(call: &Call<'_>) -> Result<(FilePath, FilePath, Overwrite), Problem> {
        let Self { from, to, overwrite } = call.content()?;
        let overwrite = if overwrite { Overwrite::Yes } else { Overwrite::No };
        Ok((path_of(&from)?, path_of(&to)?, overwrite))
    }
}

/// `POST move`
pub(super) async fn rename(call: &Call<'_>) -> Answered {
    let (from, to, overwrite) = FromTo::read(call)?;
    call.session.rename(&from, &to, overwrite).await?;
    done()
}

/// `POST copy`
pub(super) async fn copy(call: &Call<'_>) -> Answered {
    let (from, to, overwrite) = FromTo::read(call)?;
    call.session.copy(&from, &to, overwrite).await?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paths {
    paths: Vec<String>,
}

#[derive(Serialize)]
struct Deleted {
    path: String,
    /// What it is restored by; none where nothing is kept, or what is kept is not this account's to see.
    id: Option<String>,
}

/// `POST delete`: to the trash, one after the other, whatever becomes of the others.
pub(super) async fn delete(call: &Call<'_>) -> Answered {
    let Paths { paths } = call.content()?;
    if paths.len() > MOST_PATHS {
        return Err(Problem::wrong(format!("at most {MOST_PATHS} paths are deleted at once")));
    }
    let paths = paths.iter().map(|path| path_of(path)).collect::<Result<Vec<_>, _>>()?;
    let mut removed = Each::new();
    for path in paths {
        let done = call.session.remove(&path, Recursive::Yes).await;
        removed.note(shown(&path), done.map(|()| path));
    }
    // Not to be told where they are is no reason to say that they were not deleted.
    let ids = match call.session.removed(&removed.done).await {
        Ok(ids) => ids,
        Err(error) => {
            tracing::debug!(%error, "what was deleted is not told by its ids");
            vec![None; removed.done.len()]
        }
    };
    removed.answer("path", |paths| {
        let deleted = paths.iter().zip(ids).map(|(path, id)| Deleted {
            path: shown(path),
            id: id.map(|(tree, id)| Removed { tree, id }.to_string()),
        });
        list_of("deleted", deleted)
    })
}
