//! Counting what a home holds, and mending what a crash left in it.
//!
//! A crash leaves: an upload without its plan, or a plan without its upload; a tree half copied; a note without
//! what it is for; and a file that was about to be replaced, with a second name in the trash.

use std::{collections::HashSet, ffi::CStr, os::fd::OwnedFd};

use rustix::fs::AtFlags;

use crate::{
    Amount, Contents, Error, Result,
    id::PartialId,
    keep::{Keep, locked},
    partials,
    trash::{self, Item},
    tree,
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
    tree::each_name(&keep.partials, |name| {
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
                is_there(&keep.partials, &partials::data_name(id))
                    && partials::read_plan(keep, id)?.is_some()
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

/// Counts the trash, and how many names in it are leftovers; these go if `mend`.
pub(crate) fn trash(keep: &Keep, mend: bool) -> Result<(Amount, u64)> {
    let mut sum = Amount::default();
    // Few: each is of a change that a crash cut short.
    let (mut leftovers, mut orphans) = (Vec::new(), Vec::new());
    tree::each_name(&keep.trash, |name| {
        match trash::parse(name) {
            Item::Removed(..) => {
                let is_leftover = is_leftover(keep, name)?;
                if is_leftover {
                    leftovers.push(name.to_owned());
                }
                if !(is_leftover && mend) {
                    sum.add(tree::amount(&keep.trash, name)?);
                }
            }
            // A note that is for nothing.
            Item::Note(id) if !is_there(&keep.trash, &trash::without_path(id)) => orphans.push(id),
            Item::Note(_) | Item::Other => {}
        }
        Ok(())
    })?;
    if mend {
        for name in &leftovers {
            tree::remove(&keep.trash, name, |_| {})?;
            keep.remove_note(name);
        }
        orphans.iter().for_each(|id| keep.remove_note(&trash::without_path(*id)));
    }
    Ok((sum, (leftovers.len() + orphans.len()) as u64))
}

/// Whether a file in the trash is at the same time still in its place.
fn is_leftover(keep: &Keep, name: &CStr) -> Result<bool> {
    let stat = rustix::fs::statat(&keep.trash, name, AtFlags::SYMLINK_NOFOLLOW)?;
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

fn is_there(folder: &OwnedFd, name: &CStr) -> bool {
    rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
}
