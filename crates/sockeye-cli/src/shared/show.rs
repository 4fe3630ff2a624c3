//! `sockeye shared show`.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde::Serialize;
use sockeye_accounts::SharedName;
use sockeye_node::command::{Access, Answer, Command, SharedFolder};

use crate::{
    data::{self, Target},
    failure::Failure,
    output::{Columns, held, minute, print, print_json},
};

/// Shows it, and who may do what in it.
pub(super) fn run(name: SharedName, target: &Target) -> Result<(), Failure> {
    let folder = ask(name, target)?;
    let files = target.data.folder()?.files_of_shared(folder.shared.id);
    if target.json {
        print_json([Row { folder: *folder, files }])
    } else {
        print(text(&folder, &files))
    }
}

/// Asks what is known of it.
pub(super) fn ask(name: SharedName, target: &Target) -> Result<Box<SharedFolder>, Failure> {
    match data::execute(&target.data, Command::SharedFolder(name))? {
        Answer::SharedFolder(folder) => Ok(folder),
        _ => Err(data::unexpected()),
    }
}

/// What is known of it, and where its files lie on the disk.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    folder: SharedFolder,
    files: PathBuf,
}

fn text(folder: &SharedFolder, files: &Path) -> String {
    let SharedFolder { shared, space, access } = folder;
    let mut text = String::new();
    let rows: [(&str, &dyn std::fmt::Display); 6] = [
        ("path", &shared.path()),
        ("id", &shared.id),
        ("quota", &shared.quota),
        ("holds", &held(space)),
        ("files", &files.display()),
        ("since", &minute(shared.created)),
    ];
    for (name, value) in rows {
        // Writing into a string does not fail.
        let _ = writeln!(text, "{name:8}{value}");
    }
    let mut columns = Columns::headed(["NAME", "ROLE", "RIGHTS", "PATH"]);
    for Access { name, role, locked, path, rights } in access {
        let locked = if *locked { ", locked" } else { "" };
        columns.row([
            name.to_string(),
            format!("{role}{locked}"),
            rights.to_string(),
            path.clone(),
        ]);
    }
    text + "\n" + &columns.text()
}
