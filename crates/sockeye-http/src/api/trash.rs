//! What was removed, put back or destroyed; and uploads that were left.

use std::{fmt, str::FromStr, time::SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::Map;
use sockeye_node::accounts::{Timestamp, write_to_the_second};
use sockeye_node::{Amount, Error, FilePath, Kind, PartialId, TrashId, UploadKey};

use super::{
    Call, Problem,
    answer::{Answered, done, json},
    each::{Each, list_of},
    path_of, shown,
};

/// Entries in a page, if nothing is said, and at most.
const PAGE: (usize, usize) = (200, 1000);

/// Most ids in one request.
const MOST_IDS: usize = 1000;

/// Something in the trash of a tree: `ID` in the own home, `ID@/shared/team` elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Removed {
    pub(super) tree: FilePath,
    pub(super) id: TrashId,
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tree.is_root() {
            true => write!(f, "{}", self.id),
            false => write!(f, "{}@{}", self.id, shown(&self.tree)),
        }
    }
}

impl FromStr for Removed {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let (id, tree) = text.split_once('@').unwrap_or((text, "/"));
        let id = id.parse().map_err(|error| Problem::wrong(format!("{id:?}: {error}")))?;
        Ok(Self { tree: path_of(tree)?, id })
    }
}

#[derive(Serialize)]
struct Shown {
    id: String,
    path: String,
    kind: &'static str,
    size: u64,
    entries: u64,
    #[serde(serialize_with = "write_to_the_second")]
    deleted: Option<Timestamp>,
}

#[derive(Serialize)]
struct Page {
    entries: Vec<Shown>,
    next: Option<String>,
}

/// The tree that a query names with `tree`; the own home if none.
fn tree(call: &Call<'_>) -> Result<FilePath, Problem> {
    call.asked("tree").map_or_else(|| Ok(FilePath::root()), |tree| path_of(&tree))
}

fn beneath(tree: &FilePath, path: &FilePath) -> String {
    match tree.is_root() {
        true => shown(path),
        false => format!("{}{}", shown(tree), shown(path)),
    }
}

fn moment(time: SystemTime) -> Option<Timestamp> {
    Timestamp::try_from(time).ok()
}

/// `GET trash`: the newest first, as that is what is looked for.
pub(super) async fn list(call: &Call<'_>) -> Answered {
    let tree = tree(call)?;
    let limit = call.limit(PAGE.0, PAGE.1)?;
    let after: Option<Removed> = call.asked_as("after")?;
    let entries = call.session.trash(&tree, after.map(|after| after.id), limit + 1).await?;
    let more = entries.len() > limit;
    let id = |id| Removed { tree: tree.clone(), id }.to_string();
    let next = more.then(|| entries.get(limit - 1).map(|entry| id(entry.id))).flatten();
    let entries = entries.into_iter().take(limit).map(|entry| Shown {
        id: id(entry.id),
        path: beneath(&tree, &entry.path),
        kind: if entry.kind == Kind::Folder { "folder" } else { "file" },
        size: entry.bytes,
        entries: entry.entries,
        deleted: moment(entry.deleted),
    });
    json(&Page { entries: entries.collect(), next })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ids {
    ids: Vec<String>,
}

impl Ids {
    fn read(call: &Call<'_>) -> Result<Vec<Removed>, Problem> {
        let Self { ids } = call.content()?;
        if ids.len() > MOST_IDS {
            return Err(Problem::wrong(format!("at most {MOST_IDS} ids are taken at once")));
        }
        ids.iter().map(|id| id.parse()).collect()
    }
}

#[derive(Serialize)]
struct Restored {
    id: String,
    path: String,
}

/// `POST trash/restore`
pub(super) async fn restore(call: &Call<'_>) -> Answered {
    // The last one removed first: folders are there again before what was removed from them.
    let mut ids = Ids::read(call)?;
    ids.sort_by_key(|removed| std::cmp::Reverse(removed.id));
    let mut restored = Each::new();
    for removed in ids {
        let done = call.session.restore(&removed.tree, removed.id).await;
        let told = |path| Restored { id: removed.to_string(), path: beneath(&removed.tree, &path) };
        restored.note(removed.to_string(), done.map(told));
    }
    restored.answer("id", |restored| list_of("restored", restored.into_iter()))
}

/// `POST trash/purge`
pub(super) async fn purge(call: &Call<'_>) -> Answered {
    let mut purged = Each::new();
    for removed in Ids::read(call)? {
        let done = match call.session.purge(&removed.tree, removed.id).await {
            // Gone already, which was wanted.
            Err(Error::NotFound) => Ok(Amount::default()),
            done => done,
        };
        purged.note(removed.to_string(), done);
    }
    purged.answer("id", |purged| {
        let bytes: u64 = purged.iter().map(|amount| amount.bytes).sum();
        let entries: u64 = purged.iter().map(|amount| amount.entries).sum();
        Map::from_iter([("bytes".to_owned(), bytes.into()), ("entries".to_owned(), entries.into())])
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tree {
    tree: String,
}

/// `POST trash/empty`: all of a tree's trash.
pub(super) async fn empty(call: &Call<'_>) -> Answered {
    let Tree { tree } = call.content()?;
    let Amount { bytes, entries } = call.session.empty_trash(&path_of(&tree)?).await?;
    json(&serde_json::json!({ "bytes": bytes, "entries": entries }))
}

#[derive(Serialize)]
struct Upload {
    /// By which it is removed: `uploads/ZONE/ID`.
    zone: String,
    id: String,
    path: String,
    offset: u64,
    length: Option<u64>,
    #[serde(serialize_with = "write_to_the_second")]
    modified: Option<Timestamp>,
    in_use: bool,
}

/// The tree of a zone as it stands in a path: `home`, `public`, or the name of a shared folder after `shared:`.
fn zone_of(zone: &str) -> Result<FilePath, Problem> {
    let path = match zone.split_once(':') {
        None if zone == "home" => return Ok(FilePath::root()),
        None if zone == "public" => "public".to_owned(),
        Some(("shared", name)) => format!("shared/{name}"),
        _ => return Err(Problem::NOT_FOUND),
    };
    FilePath::parse(path.as_bytes()).map_err(|_| Problem::NOT_FOUND)
}

/// `GET uploads`
pub(super) async fn uploads(call: &Call<'_>) -> Answered {
    let zone = call.asked("zone").unwrap_or_else(|| "home".to_owned());
    let tree = zone_of(&zone)?;
    let found = call.session.uploads_in(&tree).await?;
    let uploads = found.into_iter().take(PAGE.1).map(|pending| Upload {
        zone: zone.clone(),
        id: pending.key.id().to_string(),
        path: shown(&pending.path),
        offset: pending.offset,
        length: pending.length,
        modified: moment(pending.modified),
        in_use: pending.in_use,
    });
    json(&serde_json::json!({ "uploads": uploads.collect::<Vec<_>>() }))
}

/// `DELETE uploads/*/*`
pub(super) async fn drop_upload(call: &Call<'_>) -> Answered {
    let zone: String = call.named(0, "zone")?;
    let id: PartialId = call.named(1, "upload")?;
    let key: Result<UploadKey, _> = format!("{}/{id}", zone.replacen(':', "/", 1)).parse();
    call.session.drop_upload(&key.map_err(|_| Problem::NOT_FOUND)?).await?;
    done()
}
