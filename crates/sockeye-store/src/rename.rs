//! Renaming and moving within a home.

use rustix::io::Errno;

use crate::{
    Error, FilePath, Home, Result,
    install::rename_new,
    keep::{Keep, locked},
    place::is_folder,
    space::Part,
    tree,
};

/// Whether what has the new name already gives way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// It stays, and the rename is refused.
    #[default]
    No,
    /// It goes to the trash, a folder with all that is in it.
    Yes,
}

impl Home {
    /// Gives what `from` names the name `to`; a link itself, never what it leads to. Says whether something gave way.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Exists`]; [`Error::NoParent`]; [`Error::BadName`]; [`Error::IntoItself`]; [`Error::ReadOnly`];
    /// [`Error::Denied`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: it may or may not be renamed, as a whole.
    pub async fn rename(
        &self,
        from: &FilePath,
        to: &FilePath,
        overwrite: Overwrite,
    ) -> Result<bool> {
        self.shows(from)?;
        self.shows(to)?;
        self.kept()?.may_be_named(to)?;
        if from.covers(to) || to.covers(from) {
            return if from == to { Ok(false) } else { Err(Error::IntoItself) };
        }
        let paths = (from.clone(), to.clone());
        match self.quick(move |keep| keep.rename(&paths.0, &paths.1, overwrite)).await? {
            Renamed::Done { replaced } => Ok(replaced),
            Renamed::OntoFolder => {
                let paths = (from.clone(), to.clone());
                self.slow(move |keep| keep.rename_onto_folder(&paths.0, &paths.1)).await?;
                Ok(true)
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Renamed {
    Done {
        replaced: bool,
    },
    /// The lock on the bin is needed as well.
    OntoFolder,
}

impl Keep {
    fn rename(&self, from: &FilePath, to: &FilePath, overwrite: Overwrite) -> Result<Renamed> {
        let names = locked(&self.names);
        let (source, moved) = self.place_of(from)?;
        let place = self.place(to)?;
        let done = rustix::fs::renameat_with(
            &source,
            source.name,
            &place,
            place.name,
            rustix::fs::RenameFlags::NOREPLACE,
        );
        let replaced = match done {
            Ok(()) => false,
            Err(Errno::EXIST) if overwrite == Overwrite::Yes => {
                let old = place.stat()?.ok_or(Error::NotFound)?;
                if is_folder(&old) || is_folder(&moved) {
                    return Ok(Renamed::OntoFolder);
                }
                let grave = self.bury_copy(&place, &old, to)?;
                if let Err(errno) = rustix::fs::renameat(&source, source.name, &place, place.name) {
                    grave.give_back(self);
                    return Err(errno.into());
                }
                true
            }
            Err(Errno::INVAL) => return Err(Error::IntoItself),
            Err(errno) => return Err(errno.into()),
        };
        drop(names);
        source.sync(self)?;
        place.sync(self)?;
        Ok(Renamed::Done { replaced })
    }

    /// Renames onto something that cannot be replaced in one call: a folder, or a file by a folder.
    fn rename_onto_folder(&self, from: &FilePath, to: &FilePath) -> Result<()> {
        let bin = locked(&self.bin);
        let names = locked(&self.names);
        let (source, _) = self.place_of(from)?;
        let place = self.place(to)?;
        let name = self.grave_name(to)?;
        let moved_away = rustix::fs::renameat(&place, place.name, &self.trash, &*name);
        if let Err(errno) = moved_away
            && errno != Errno::NOENT
        {
            self.remove_note(&name);
            return Err(errno.into());
        }
        let moved = rustix::fs::renameat(&source, source.name, &place, place.name);
        if let Err(errno) = moved {
            if moved_away.is_ok() {
                rename_new(&self.trash, &name, &place)?;
            }
            self.remove_note(&name);
            return Err(if errno == Errno::INVAL { Error::IntoItself } else { errno.into() });
        }
        drop(names);
        if moved_away.is_ok() {
            self.ledger.shift(Part::Files, Part::Trash, tree::amount(&self.trash, &name)?);
            if !self.has_trash() {
                self.destroy(&name)?;
            }
        }
        drop(bin);
        source.sync(self)?;
        place.sync(self)
    }
}
