//! The trash through the gate: what was removed from a tree of the namespace, put back or destroyed.

use std::sync::Arc;

use sockeye_accounts::Rights;
use sockeye_journal::{Operation, Outcome};
use sockeye_store::{Amount, FilePath, Purge, TrashEntry, TrashId};

use crate::{
    Error, Result, Session,
    act::{Act, Contents},
    namespace::Zone,
    seat::Seat,
    session::Kind,
};

impl Session {
    /// What was removed from the tree that `tree` is the root of (the home, `/shared/NAME`, `/public`), the newest
    /// first: at most `limit` of those before `before`. Their paths are those within the tree. Not recorded.
    ///
    /// # Errors
    /// [`Error::Denied`] without the right to list there, and for a guest and whoever came by a link;
    /// [`Error::NotFound`]; [`Error::Ended`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn trash(
        &self,
        tree: &FilePath,
        before: Option<TrashId>,
        limit: usize,
    ) -> Result<Vec<TrashEntry>> {
        let place = self.own_seat()?.place(tree, Rights::LIST).await?;
        Ok(place.home.newest_trash(before, limit).await?)
    }

    /// The newest thing in the trash that was removed from each of these paths, which are in any tree: to be asked
    /// right after they were. Not recorded.
    ///
    /// # Errors
    /// As [`Session::trash`].
    ///
    /// Cancellation: safe.
    pub async fn removed(&self, paths: &[FilePath]) -> Result<Vec<Option<(FilePath, TrashId)>>> {
        let seat = self.own_seat()?;
        let mut found = vec![None; paths.len()];
        let mut trees: Vec<FilePath> = paths.iter().map(root_of).collect();
        trees.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
        trees.dedup();
        for tree in trees {
            let of_tree = |path: &FilePath| root_of(path) == tree;
            let within: Vec<_> = paths
                .iter()
                .map(|path| of_tree(path).then(|| below(&tree, path)).flatten())
                .collect();
            let home = seat.place(&tree, Rights::LIST).await?.home;
            let newest = home.last_removed(within.clone()).await?;
            for (slot, id) in found.iter_mut().zip(newest) {
                *slot = slot.take().or_else(|| id.map(|id| (tree.clone(), id)));
            }
        }
        Ok(found)
    }

    /// Puts something back where it was; says where that is, within the tree.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Exists`] if something has its name; [`Error::NoParent`]; what holds for every
    /// change, see [`Session::mkdir`].
    ///
    /// Cancellation: it is done and recorded, or not at all.
    pub async fn restore(&self, tree: &FilePath, id: TrashId) -> Result<FilePath> {
        let (seat, tree) = (Arc::clone(self.own_seat()?), tree.clone());
        let place = seat.place_to_change(&tree, Rights::WRITE).await?;
        let act = Act::begin(&seat, Operation::Restore, &tree);
        act.carry_out(async move { Ok(place.home.restore(id, None).await?) }, |_| Contents::NONE)
            .await
    }

    /// Destroys something in the trash for good; says how much it was.
    ///
    /// # Errors
    /// [`Error::NotFound`]; what holds for every change, see [`Session::mkdir`].
    ///
    /// Cancellation: it is done and recorded.
    pub async fn purge(&self, tree: &FilePath, id: TrashId) -> Result<Amount> {
        let (seat, tree) = (Arc::clone(self.own_seat()?), tree.clone());
        let place = seat.place_to_change(&tree, Rights::DELETE).await?;
        let act = Act::begin(&seat, Operation::Purge, &tree);
        let done = async move { Ok(place.home.purge(Purge::One(id)).await?) };
        act.carry_out(done, |done| Contents::bytes(done.bytes)).await
    }

    /// Destroys all that was removed from a tree until now for good; says how much it was.
    ///
    /// # Errors
    /// [`Error::Denied`] also where something beneath the tree may not be deleted; what holds for every change, see
    /// [`Session::mkdir`].
    ///
    /// Cancellation: it is done and recorded.
    pub async fn empty_trash(&self, tree: &FilePath) -> Result<Amount> {
        let (seat, tree) = (Arc::clone(self.own_seat()?), tree.clone());
        let act = Act::begin(&seat, Operation::Purge, &tree);
        let done = async move {
            seat.gate().check_writable()?;
            let place = seat.tree(&tree, Rights::DELETE).await?;
            Ok(place.home.purge(Purge::All).await?)
        };
        act.carry_out(done, |done| Contents::bytes(done.bytes)).await
    }

    /// The uploads to a tree that were begun and left, of which those can be resumed that the session may write.
    ///
    /// # Errors
    /// As [`Session::trash`], with the right to write.
    ///
    /// Cancellation: safe.
    pub async fn partials(&self, tree: &FilePath) -> Result<Vec<sockeye_store::Partial>> {
        let place = self.own_seat()?.place(tree, Rights::WRITE).await?;
        Ok(place.home.partials().await?)
    }

    /// Deletes what was written of an upload that was left.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InUse`]; what holds for every change, see [`Session::mkdir`].
    ///
    /// Cancellation: it is done, or not.
    pub async fn drop_partial(&self, tree: &FilePath, id: sockeye_store::PartialId) -> Result<()> {
        let seat = self.own_seat()?;
        let place = seat.place_to_change(tree, Rights::WRITE).await?;
        let act = Act::begin(seat, Operation::Purge, tree);
        let done = place.home.drop_partial(id).await.map_err(Error::from);
        act.end(done.as_ref().map_or_else(Error::outcome, |()| Outcome::Ok), Contents::NONE);
        done
    }

    /// The seat of somebody with an account, who did not come by a link.
    fn own_seat(&self) -> Result<&Arc<Seat>> {
        match &self.kind {
            Kind::Seat(seat) if seat.visit().is_none() && seat.account()?.is_some() => Ok(seat),
            _ => Err(Error::Denied),
        }
    }
}

/// The root of the tree that a path is in.
fn root_of(path: &FilePath) -> FilePath {
    let names = match Zone::of(path) {
        Zone::Shared(..) => 2,
        Zone::Public(_) => 1,
        _ => 0,
    };
    let bytes = path.segments().take(names).collect::<Vec<_>>().join(&b'/');
    FilePath::parse(&bytes).unwrap_or_else(|_| FilePath::root())
}

/// What a path is within a tree.
fn below(tree: &FilePath, path: &FilePath) -> Option<FilePath> {
    let names = path.segments().skip(tree.segments().count());
    FilePath::parse(&names.collect::<Vec<_>>().join(&b'/')).ok()
}
