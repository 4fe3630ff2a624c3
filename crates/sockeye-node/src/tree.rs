//! A folder and all below it, as far as a session may read it: what an archive is made from.

use std::sync::Arc;

use sockeye_accounts::Rights;
use sockeye_journal::{Operation, Outcome};
use sockeye_store::{FilePath, Name, Tree, Version, Wish};

use crate::{
    Error, RESERVED, Result, Session,
    act::{Act, Contents},
    namespace::Reached,
    seat::{Place, Seat, Way},
    session::Kind,
};

impl Session {
    /// Gathers a folder and all below it in at most about `memory` bytes, recorded as one listing; of what is in it
    /// only what has one of these names, where names are given. What may not be read, and what is neither a file nor a
    /// folder, is left out, and said to be.
    ///
    /// A folder that only the namespace has, such as `/shared`, is not gathered, nor is what the namespace adds to
    /// a root.
    ///
    /// # Errors
    /// [`Error::TooManyEntries`]; [`Error::WrongKind`] for a file; as [`Session::list`].
    ///
    /// Cancellation: safe.
    pub async fn tree(
        &self,
        path: &FilePath,
        names: Option<Vec<Name>>,
        memory: usize,
    ) -> Result<Tree> {
        let chosen = Chosen(names);
        let seat = match &self.kind {
            Kind::Guest(home) => {
                let wanted = move |below: &[u8], _| match chosen.has(below) {
                    true => Wish::Take,
                    false => Wish::Pass,
                };
                return Ok(home.gather(path, memory, Box::new(wanted)).await?);
            }
            Kind::Seat(seat) => seat,
        };
        let path = seat.reached(path)?;
        let act = Act::begin(seat, Operation::List, &path);
        let gathered = gather(seat, &path, chosen, memory).await;
        let outcome = gathered.as_ref().map_or_else(Error::outcome, |_| Outcome::Ok);
        act.end(outcome, Contents::NONE);
        gathered
    }

    /// The CRC-32 of the first `length` bytes of a file, if it still is `version`: as it is known, or computed now.
    /// Not recorded.
    ///
    /// # Errors
    /// [`Error::Changed`]; as [`Session::digest`].
    ///
    /// Cancellation: safe.
    pub async fn crc32(&self, path: &FilePath, version: Version, length: u64) -> Result<u32> {
        match &self.kind {
            Kind::Guest(home) => Ok(home.crc32(path, version, length).await?),
            Kind::Seat(seat) => {
                let place = seat.place(&seat.reached(path)?, Rights::READ).await?;
                Ok(place.home.crc32(&place.path, version, length).await?)
            }
        }
    }

    /// Takes note of the CRC-32 of a file that was just read to its end.
    ///
    /// # Errors
    /// As [`Session::stat`].
    ///
    /// Cancellation: safe.
    pub async fn note_crc32(&self, path: &FilePath, version: Version, crc: u32) -> Result<()> {
        match &self.kind {
            Kind::Guest(home) => home.note_crc32(version, crc),
            Kind::Seat(seat) => {
                let place = seat.place(&seat.reached(path)?, Rights::READ).await?;
                place.home.note_crc32(version, crc);
            }
        }
        Ok(())
    }
}

/// The names that were chosen of a folder; none for all of it.
struct Chosen(Option<Vec<Name>>);

impl Chosen {
    /// Whether something at this path from the folder is what was chosen, or in it.
    fn has(&self, below: &[u8]) -> bool {
        let first = below.split(|&b| b == b'/').next().unwrap_or_default();
        self.0.as_ref().is_none_or(|names| names.iter().any(|name| name.as_bytes() == first))
    }
}

async fn gather(
    seat: &Arc<Seat>,
    path: &Reached<'_>,
    chosen: Chosen,
    memory: usize,
) -> Result<Tree> {
    let (place, mut may) = readable_below(seat, path).await?;
    let wanted = move |below: &[u8], is_folder: bool| match chosen.has(below) {
        false => Wish::Pass,
        true if may(below, is_folder) => Wish::Take,
        true => Wish::Deny,
    };
    Ok(place.home.gather(&place.path, memory, Box::new(wanted)).await?)
}

/// The place of a folder that may be listed, and which of the things below it may be read, and listed if they are
/// folders, by their path from it.
pub(crate) async fn readable_below(
    seat: &Arc<Seat>,
    path: &Reached<'_>,
) -> Result<(Place, impl FnMut(&[u8], bool) -> bool + Send + use<>)> {
    let place = match seat.way(path).await? {
        Way::Place(place) if place.rights.contains(Rights::LIST) => place,
        _ => return Err(Error::Denied),
    };
    let root = path.is_root();
    let reserved = |below: &[u8]| RESERVED.iter().any(|name| name.as_bytes() == below);
    let reads = place.rights.contains(Rights::READ);
    let narrower = seat.has_grants_beneath(path)?;
    let (asked, top) = (Arc::clone(seat), path.absolute());
    let may = move |below: &[u8], is_folder: bool| {
        let slash: &[u8] = if top.ends_with(b"/") { b"" } else { b"/" };
        let needed = if is_folder { Rights::LIST } else { Rights::READ };
        match narrower {
            _ if root && reserved(below) => false,
            true => asked.rights_at_absolute([&top, slash, below].concat()).contains(needed),
            false => is_folder || reads,
        }
    };
    Ok((place, may))
}
