//! Counting what a home holds, and mending what a crash left in it.
//!
//! A crash leaves: an upload without its plan, or a plan without its upload; a tree half copied; a note without
//! what it is for; and a file that was about to be replaced, with a second name in the trash.

use std::{collections::HashSet, ffi::CString};

use rustix::fs::AtFlags;

use crate::{
    Amount, Contents, Error, Result,
    id::{PartialId, TrashId},
    keep::{Keep, locked},
    partials::{self, reopened},
    trash, tree,
};

/// Mends a home that nobody else uses yet, and counts it.
pub(crate) fn mend_and_count(keep: &Keep) -> Result<Contents> {
    let partials = partials(keep, &locked(&keep.open), true)?.kept;
    let trash = trash(keep, true)?.0;
    Ok(Contents { files: files(keep)?, partials, trash })
}

/// What clients see; the home itself is no entry.
pub(crate) fn files(keep: &Keep) -> Result<Amount> {
    let all = tree::amount(&keep.files.fd, c".")?;
    Ok(all.minus(Amount::entry(0)))
}

/// What was found among the partials.
#[derive(Debug, Default)]
pub(crate) struct Partials {
    /// Those that can be resumed and are not in use.
    pub(crate) kept: Amount,
    /// Names that belong to nothing.
    pub(crate) orphans: u64,
}

/// Counts the partials, and removes what belongs to none if `mend`.
///
/// As those that are `open` are locked, nobody begins, resumes or ends one meanwhile.
pub(crate) fn partials(keep: &Keep, open: &HashSet<PartialId>, mend: bool) -> Result<Partials> {
    let mut names = Vec::new();
    tree::each_name(&reopened(&keep.partials)?, |name| {
        names.push(name.to_owned());
        Ok(())
    })?;
    let mut found = Partials::default();
    for name in &names {
        let belongs = match partials::item(name) {
            partials::Item::Data(id) if open.contains(&id) => continue,
            partials::Item::Plan(id) | partials::Item::NewPlan(id) if open.contains(&id) => {
                continue;
            }
            partials::Item::Data(id) | partials::Item::Plan(id) => {
                has_data(keep, id) && partials::read_plan(keep, id)?.is_some()
            }
            partials::Item::NewPlan(_) | partials::Item::Other => false,
        };
        match partials::item(name) {
            _ if !belongs => {
                found.orphans += 1;
                if mend {
                    tree::remove(&keep.partials, name, |_| {})?;
                }
            }
            partials::Item::Data(_) => found.kept.add(tree::amount(&keep.partials, name)?),
            _ => {}
        }
    }
    Ok(found)
}

fn has_data(keep: &Keep, id: PartialId) -> bool {
    let name = partials::data_name(id);
    rustix::fs::statat(&keep.partials, &*name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
}

/// Counts the trash, and how many names in it are leftovers; these go if `mend`.
pub(crate) fn trash(keep: &Keep, mend: bool) -> Result<(Amount, u64)> {
    let mut sum = Amount::default();
    let mut leftovers = 0;
    let mut after = None;
    loop {
        const PAGE: usize = 10_000;
        let page = keep.trash_names(after, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        for (_, name) in &page {
            if is_leftover(keep, name)? {
                leftovers += 1;
                if mend {
                    tree::remove(&keep.trash, name, |_| {})?;
                    keep.remove_note(name);
                    continue;
                }
            }
            sum.add(tree::amount(&keep.trash, name)?);
        }
    }
    leftovers += notes(keep, mend)?;
    Ok((sum, leftovers))
}

/// Whether a file in the trash is at the same time still in its place.
fn is_leftover(keep: &Keep, name: &CString) -> Result<bool> {
    let stat = rustix::fs::statat(&keep.trash, &**name, AtFlags::SYMLINK_NOFOLLOW)?;
    if stat.st_nlink < 2 || crate::place::is_folder(&stat) {
        return Ok(false);
    }
    let Some(path) = keep.trash_path(name)? else { return Ok(false) };
    match keep.place_of(&path) {
        Ok((_, live)) => Ok((live.st_dev, live.st_ino) == (stat.st_dev, stat.st_ino)),
        Err(Error::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Counts the notes that are for nothing.
fn notes(keep: &Keep, mend: bool) -> Result<u64> {
    let mut notes: Vec<TrashId> = Vec::new();
    tree::each_name(&reopened(&keep.trash)?, |name| {
        notes.extend(trash::note_id(name));
        Ok(())
    })?;
    let mut orphans = 0;
    for id in notes {
        if !trash::has_removed(keep, id) {
            orphans += 1;
            if mend {
                keep.remove_note(&trash::noted(id));
            }
        }
    }
    Ok(orphans)
}
