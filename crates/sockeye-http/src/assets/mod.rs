//! What the pages load: modules, styles and pictures, embedded, at addresses that name their content.
//!
//! All lie below one folder named by the hash of them all, so that modules import each other by relative names,
//! browsers keep them for good, and a new version is another folder. What a page runs from the start is sent as one
//! module (join.rs). Nothing here is secret, and nothing is asked of who loads it.

mod join;

use std::{borrow::Cow, fmt::Write as _, sync::LazyLock};

use ::http::StatusCode;
use bytes::Bytes;
use join::Joined;
use sockeye_node::FilePath;

use crate::{
    own::Asked,
    payload::Payload,
    reply::{Reply, error},
    wire::reply::ReplyHead,
};

/// The folder below `/-/` that assets are in.
pub(crate) const PREFIX: &str = "static";

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// The parts of `style.css`, in their order.
const STYLES: &[&str] = &[
    include_str!("../../assets/css/base.css"),
    include_str!("../../assets/css/frame.css"),
    include_str!("../../assets/css/list.css"),
    include_str!("../../assets/css/dialog.css"),
    include_str!("../../assets/css/upload.css"),
    include_str!("../../assets/css/preview.css"),
    include_str!("../../assets/css/admin.css"),
    include_str!("../../assets/css/plain.css"),
];

macro_rules! modules {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../assets/", $name)))),*]
    };
}

/// The modules by their names.
const MODULES: &[(&str, &str)] = modules! {
    "actions.js"
    "admin/accounts.js"
    "admin/admin.js"
    "admin/links.js"
    "admin/log.js"
    "admin/overview.js"
    "admin/rights.js"
    "admin/sessions.js"
    "admin/shared.js"
    "admin/sign-ins.js"
    "admin/table.js"
    "api.js"
    "copying.js"
    "dialog.js"
    "dialogs/details.js"
    "dialogs/keys.js"
    "dialogs/search.js"
    "dialogs/share.js"
    "dom.js"
    "drag.js"
    "drop.js"
    "folder.js"
    "format.js"
    "i18n.js"
    "i18n/en.js"
    "i18n/zh.js"
    "icons.js"
    "kinds.js"
    "layout.js"
    "list.js"
    "main.js"
    "menu.js"
    "path.js"
    "picker.js"
    "preferences.js"
    "preview/markdown.js"
    "preview/preview.js"
    "preview/text.js"
    "qr.js"
    "remote.js"
    "renaming.js"
    "router.js"
    "selection.js"
    "state.js"
    "toast.js"
    "upload/fingerprints.js"
    "upload/panel.js"
    "upload/pick.js"
    "upload/queue.js"
    "upload/tus.js"
    "upload/unfinished.js"
    "upload/walk.js"
    "views/account.js"
    "views/file-keys.js"
    "views/files.js"
    "views/shares.js"
    "views/trash.js"
    "virtual.js"
};

/// What a folder's page runs, and what that loads at once.
const PAGE: (&str, &[&str]) = ("main.js", &["views/files.js"]);

/// What the page of a drop box runs.
const DROP_BOX: &str = "drop.js";

const FISH: &str = include_str!("../../assets/icon.svg");

/// All that can be loaded, and the hash of it.
struct Assets {
    files: Vec<(&'static str, &'static str, Bytes)>,
    version: String,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let text = |text: &'static str| Bytes::from_static(text.as_bytes());
    let mut files =
        vec![("style.css", STYLE, Bytes::from(STYLES.concat())), ("icon.svg", SVG, text(FISH))];
    let page = Joined::new(PAGE.0, PAGE.1);
    for (name, _) in MODULES.iter().filter(|(name, _)| !page.has(name)) {
        let module = match *name {
            name if name == PAGE.0 => page.text(),
            DROP_BOX => Joined::new(DROP_BOX, &[]).text(),
            name => page.beside(name),
        };
        files.push((name, JAVASCRIPT, Bytes::from(module)));
    }
    let mut hash = blake3::Hasher::new();
    for (name, _, content) in &files {
        hash.update(name.as_bytes()).update(&[0]).update(content).update(&[0]);
    }
    let mut version = String::with_capacity(16);
    for byte in &hash.finalize().as_bytes()[..8] {
        // Writing to a string does not fail.
        let _ = write!(version, "{byte:02x}");
    }
    Assets { files, version }
});

/// Appends the address of an asset.
pub(crate) fn address_into(out: &mut String, name: &str) {
    let _ = write!(out, "/-/{PREFIX}/{}/{name}", ASSETS.version);
}

/// Makes them ready, so that no process which is forked for a connection has to.
pub(crate) fn prepare() {
    LazyLock::force(&ASSETS);
}

/// Answers a request for an asset. One of another version is not found: modules of two versions do not go together.
pub(crate) fn answer(asked: &Asked<'_>) -> Reply {
    let found = (!asked.folder).then(|| find(asked.below.segments())).flatten();
    found.unwrap_or_else(|| error(StatusCode::NOT_FOUND, None, Some(asked.head)))
}

/// The asset that a path names where one folder is served: anything else there is that folder's, also below `/-/`.
pub(crate) fn beside_files(path: &FilePath) -> Option<Reply> {
    let mut names = path.segments();
    let is_here = names.next() == Some(b"-") && names.next() == Some(PREFIX.as_bytes());
    is_here.then(|| find(names)).flatten()
}

/// The asset of this version and name.
fn find<'a>(mut names: impl Iterator<Item = &'a [u8]>) -> Option<Reply> {
    if names.next() != Some(ASSETS.version.as_bytes()) {
        return None;
    }
    let wanted = names.collect::<Vec<_>>().join(&b'/');
    let (_, media, content) = ASSETS.files.iter().find(|(name, ..)| name.as_bytes() == wanted)?;
    let mut head = ReplyHead::new(StatusCode::OK);
    head.content_type = Some(Cow::Borrowed(media));
    head.length = Some(content.len() as u64);
    head.cache_control = Some(Cow::Borrowed("public, max-age=31536000, immutable"));
    Some(Reply { head, payload: Payload::Page(content.clone()) })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    fn below(folder: &Path, base: &Path, out: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                below(&path, base, out);
            } else {
                out.insert(path.strip_prefix(base).unwrap().to_str().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn every_module_is_embedded() {
        let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        let mut there = BTreeSet::new();
        below(&base, &base, &mut there);
        there.retain(|name| name.ends_with(".js"));
        let embedded: BTreeSet<_> = MODULES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(there, embedded);
        let styles = fs::read_dir(base.join("css")).unwrap().count();
        assert_eq!(styles, STYLES.len());
    }

    #[test]
    fn a_module_imports_what_there_is_and_nothing_from_elsewhere() {
        let mut imports = 0;
        for (name, text) in MODULES {
            for quoted in text.split("from '").chain(text.split("import('")).skip(1) {
                let Some((target, _)) = quoted.split_once('\'') else { continue };
                if !target.starts_with('.') {
                    continue;
                }
                let path = join::resolve(name, target);
                assert!(MODULES.iter().any(|(name, _)| *name == path), "{name} imports {target}");
                imports += 1;
            }
            for elsewhere in
                ["http://", "https://", "innerHTML", "outerHTML", "document.write", "eval("]
            {
                let harmless = text.replace("http://www.w3.org/2000/svg", "");
                assert!(!harmless.contains(elsewhere), "{name} has {elsewhere}");
            }
        }
        assert!(imports > 50);
    }

    #[test]
    fn the_languages_say_the_same() {
        let keys = |name: &str| -> BTreeSet<String> {
            let (_, text) = MODULES.iter().find(|(module, _)| *module == name).unwrap();
            let key = |line: &str| {
                let key = line.trim().strip_prefix('\'')?.split_once('\'')?.0;
                let singular = key.strip_suffix(".one").or(key.strip_suffix(".other"));
                Some(singular.unwrap_or(key).to_owned())
            };
            text.lines().filter_map(key).collect()
        };
        let known = keys("i18n/en.js");
        assert_eq!(known, keys("i18n/zh.js"));
        for (name, text) in MODULES {
            for (before, quoted) in text.match_indices("t('").map(|(at, _)| text.split_at(at + 3)) {
                let Some((key, _)) = quoted.split_once('\'') else { continue };
                let is_call = !before[..before.len() - 3].ends_with(|c: char| c.is_alphanumeric());
                assert!(!is_call || known.contains(key) || key.is_empty(), "{name} says {key}");
            }
        }
    }
}
