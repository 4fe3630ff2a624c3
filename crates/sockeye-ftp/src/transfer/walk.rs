//! LIST -R: a folder and all below it as `ls -R` tells them: the name of each folder, what is in it, and an empty line.
//!
//! Symbolic links are told and not followed, so that no folder comes twice. Only the folders that are still to come are in
//! memory, and within bounds; what is beyond them ends the listing, as one that lacks something would pass for the whole.

use sockeye_node::{Entry, FilePath, Kind};

use super::{
    Failure,
    list::{Lines, Teller, Told},
};
use crate::{config::Limits, wire::ls};

/// Memory that a folder that is still to come takes beside its path.
const EACH: usize = 32;

/// How a folder is walked through.
#[derive(Debug)]
pub(crate) struct Walk {
    /// What the client calls it.
    name: Box<[u8]>,
    /// Whether `.` and `..` are told.
    dots: bool,
    /// How deep, and with how much memory for the folders that are still to come.
    depth: usize,
    memory: usize,
}

/// The folders that are still to come, the next one last.
#[derive(Debug, Default)]
struct Ahead {
    folders: Vec<FilePath>,
    memory: usize,
}

impl Walk {
    pub(crate) fn new(name: &[u8], dots: bool, limits: &Limits) -> Self {
        let name = if name.is_empty() { b"." } else { name };
        Self { name: name.into(), dots, depth: limits.depth, memory: limits.folders }
    }

    /// Tells the folder that the teller is at, of which this is `told`, and those below it.
    pub(super) async fn run(
        self,
        lines: &mut Lines<'_>,
        mut teller: Teller,
        mut told: Told,
    ) -> Result<(), Failure> {
        let top = teller.folder.clone();
        let (mut ahead, mut found) = (Ahead::default(), Vec::new());
        loop {
            let name = self.name_of(&top, &teller.folder);
            teller.encoded(&mut lines.out, |out| {
                ls::write_name_line(out, &[&name[..], b":"].concat())
            });
            let is_folder = |entry: &Entry| entry.kind == Kind::Folder && !entry.linked;
            let mut room = self.memory.saturating_sub(ahead.memory);
            let mut is_too_much = false;
            let see = |entry: &Entry| {
                if is_folder(entry)
                    && teller.wants(entry.name.as_bytes())
                    && let Ok(path) = teller.folder.join(&entry.name)
                {
                    match room.checked_sub(path.as_bytes().len() + EACH) {
                        Some(left) => room = left,
                        None => is_too_much = true,
                    }
                    if !is_too_much {
                        found.push(path);
                    }
                }
            };
            lines.folder(&teller, told, see).await?;
            if is_too_much || !found.is_empty() && self.is_deep(&top, &teller.folder) {
                return Err(Failure::TooManyFolders);
            }
            ahead.add(&mut found);
            // That was for the names in the first.
            teller.pattern = None;
            told = loop {
                let Some(path) = ahead.next() else { return Ok(()) };
                if let Some(told) = lines.flow.ask(teller.open(&path, self.dots)).await? {
                    teller.folder = path;
                    break told;
                }
            };
            lines.out.extend_from_slice(b"\r\n");
            lines.send_some().await?;
        }
    }

    /// Whether no folder is told below `folder`.
    fn is_deep(&self, top: &FilePath, folder: &FilePath) -> bool {
        folder.segments().count() - top.segments().count() >= self.depth
    }

    /// What the client would call `folder`, which is `top` or below.
    fn name_of(&self, top: &FilePath, folder: &FilePath) -> Vec<u8> {
        let below = folder.as_bytes().strip_prefix(top.as_bytes()).unwrap_or_default();
        let below = below.strip_prefix(b"/").unwrap_or(below);
        match self.name.ends_with(b"/") || below.is_empty() {
            true => [&self.name, below].concat(),
            false => [&self.name, &b"/"[..], below].concat(),
        }
    }
}

impl Ahead {
    /// Puts these in front.
    fn add(&mut self, found: &mut Vec<FilePath>) {
        self.memory += found.iter().map(|path| path.as_bytes().len() + EACH).sum::<usize>();
        self.folders.extend(found.drain(..).rev());
    }

    fn next(&mut self) -> Option<FilePath> {
        let path = self.folders.pop()?;
        self.memory = self.memory.saturating_sub(path.as_bytes().len() + EACH);
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_called_as_ls_would() {
        let path = |text: &str| FilePath::parse(text.as_bytes()).unwrap();
        for (name, top, folder, expected) in [
            ("", "", "", "."),
            (".", "", "a/b", "./a/b"),
            ("", "a", "a/b", "./b"),
            ("/", "", "", "/"),
            ("/", "", "a", "/a"),
            ("docs", "docs", "docs/in", "docs/in"),
            ("docs/", "docs", "docs/in", "docs/in"),
            ("../x", "x", "x/y/z", "../x/y/z"),
        ] {
            let walk = Walk::new(name.as_bytes(), false, &Limits::default());
            let told = walk.name_of(&path(top), &path(folder));
            assert_eq!(String::from_utf8(told).unwrap(), expected, "{name} {folder}");
        }
    }
}
