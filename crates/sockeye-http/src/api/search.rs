//! Files and folders below a folder, by a part of their name.

use serde::Serialize;
use sockeye_node::{FilePath, Kind as Thing, Name};

use super::{
    Call, Problem,
    answer::{Answered, json},
    files::Shown,
    path_of, shown,
};

/// Most characters of a name that is looked for.
const LONGEST: usize = 255;

/// How many are found, if nothing is said, and at most.
const FOUND: (usize, usize) = (200, 1000);

#[derive(Serialize)]
struct Answer {
    path: String,
    /// In the order of their paths.
    entries: Vec<Shown>,
    /// Whether all below the folder was looked at.
    complete: bool,
}

/// `GET search`
pub(super) async fn search(call: &Call<'_>) -> Answered {
    let folder = path_of(call.asked("path").as_deref().unwrap_or("/"))?;
    let name = call.asked("name").unwrap_or_default();
    if name.is_empty() || name.chars().count() > LONGEST {
        let why = format!("name is a part of a name: 1 to {LONGEST} characters");
        return Err(Problem::wrong(why));
    }
    let limit = call.limit(FOUND.0, FOUND.1)?;
    let wanted = name.to_lowercase();
    let fits = move |name: &[u8]| String::from_utf8_lossy(name).to_lowercase().contains(&wanted);
    let found = call.session.search(&folder, limit, fits).await?;
    let mut entries = Vec::with_capacity(found.tree.len());
    for (below, meta) in found.tree.entries() {
        let names = below.split(|&b| b == b'/').map(Name::parse);
        let path = names.into_iter().try_fold(folder.clone(), |at, name| at.join(&name?));
        let path: FilePath = path.map_err(Problem::wrong)?;
        let is_file = meta.kind == Thing::File;
        entries.push(Shown::of(&path, meta.kind, is_file.then_some(meta.size), meta.modified));
    }
    json(&Answer { path: shown(&folder), entries, complete: found.complete })
}
