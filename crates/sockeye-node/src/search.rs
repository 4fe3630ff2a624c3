//! Looking for names below a folder, as far as a session may list and read it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sockeye_journal::{Operation, Outcome};
use sockeye_store::{FilePath, Tree, Wish};

use crate::{
    Error, Result, Session,
    act::{Act, Contents},
    session::Kind,
    tree::readable_below,
};

/// Names that a search looks at, at most.
const LOOKED_AT: usize = 500_000;

/// Most memory of what it finds, in bytes; paths are long at most.
const MEMORY: usize = 16 << 20;

/// What a search found.
#[derive(Debug)]
pub struct Found {
    /// The things found, by their paths from the folder.
    pub tree: Tree,
    /// Whether all below the folder was looked at: else as many were found as were wanted, or there is too much.
    pub complete: bool,
}

/// Ends the search that somebody no longer waits for.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How much a search may still look at and find.
struct Rest {
    names: usize,
    found: usize,
    /// Set once that is used up.
    cut: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
}

impl Rest {
    /// Whether one more name is looked at; if not, the walk ends.
    fn looks(&mut self) -> bool {
        if self.over.load(Ordering::Relaxed) {
            return false;
        }
        if self.names == 0 || self.found == 0 {
            self.cut.store(true, Ordering::Relaxed);
            return false;
        }
        self.names -= 1;
        true
    }
}

impl Session {
    /// Looks below a folder for files and folders whose name `fits`, until `most` are found, recorded as one listing. At
    /// most 500,000 names are looked at. What may not be listed and read, the site's own and other trees of the
    /// namespace are passed over; links are not followed.
    ///
    /// # Errors
    /// [`Error::WrongKind`] for a file; [`Error::Denied`] for who came by a share's link; as [`Session::list`].
    ///
    /// Cancellation: safe; the search ends.
    pub async fn search(
        &self,
        path: &FilePath,
        most: usize,
        mut fits: impl FnMut(&[u8]) -> bool + Send + 'static,
    ) -> Result<Found> {
        let seat = match &self.kind {
            Kind::Seat(seat) if seat.visit().is_none() => seat,
            _ => return Err(Error::Denied),
        };
        let (cut, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let _waiting = Waiting(Arc::clone(&over));
        let mut rest = Rest { names: LOOKED_AT, found: most, cut: Arc::clone(&cut), over };
        let path = seat.reached(path)?;
        let act = Act::begin(seat, Operation::List, &path);
        let searching = async {
            let (place, mut may) = readable_below(seat, &path).await?;
            let wanted = move |below: &[u8], is_folder: bool| {
                if !rest.looks() {
                    return Wish::End;
                }
                if !may(below, is_folder) {
                    return Wish::Pass;
                }
                let name = below.rsplit(|&b| b == b'/').next().unwrap_or_default();
                if fits(name) {
                    rest.found -= 1;
                    return Wish::Take;
                }
                if is_folder { Wish::Enter } else { Wish::Pass }
            };
            Ok(place.home.gather(&place.path, MEMORY, Box::new(wanted)).await?)
        };
        let found = searching.await;
        act.end(found.as_ref().map_or_else(Error::outcome, |_| Outcome::Ok), Contents::NONE);
        found.map(|tree| Found { tree, complete: !cut.load(Ordering::Relaxed) })
    }
}
