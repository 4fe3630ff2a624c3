//! The trash through the gate: what was removed from a tree of the namespace, put back or destroyed.
//!
//! What may be done to a thing in the trash is what might be done to it where it was: a grant that keeps a folder from
//! somebody keeps also what was removed from it.

use std::{collections::HashSet, sync::Arc};

use sockeye_accounts::Rights;
use sockeye_journal::Operation;
use sockeye_store::{Amount, FilePath, Home, Purge, TrashEntry, TrashId};

use crate::{
    Error, Result, Session,
    act::{Act, Contents},
    change::Needed,
    namespace::TreeName,
    seat::Seat,
    session::Kind,
};

impl Session {
    /// What was removed from the tree that `tree` is the root of (the home, `/shared/NAME`, `/public`) and might be
    /// listed where it was, the newest first: at most `limit` of those before `before`. Their paths are those within
    /// the tree. Not recorded.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what is no root of a tree that this session may know of; [`Error::Denied`] for a guest and
    /// whoever came by a link; [`Error::Ended`]; [`Error::Busy`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn trash(
        &self,
        tree: &FilePath,
        before: Option<TrashId>,
        limit: usize,
    ) -> Result<Vec<TrashEntry>> {
        let seat = Arc::clone(self.own_seat()?);
        let tree = TreeName::rooted_at(tree).ok_or(Error::NotFound)?;
        let home = seat.home_of(&tree).await?;
        let is_seen = move |path: &FilePath| seat.rights_within(&tree, path).contains(Rights::LIST);
        Ok(home.newest_trash(before, limit, is_seen).await?)
    }

    /// The newest thing in the trash that was removed from each of these paths, which are in any tree and might be
    /// listed: to be asked right after they were. Not recorded.
    ///
    /// # Errors
    /// As [`Session::trash`].
    ///
    /// Cancellation: safe.
    pub async fn removed(&self, paths: &[FilePath]) -> Result<Vec<Option<(FilePath, TrashId)>>> {
        let seat = self.own_seat()?;
        let mut found = vec![None; paths.len()];
        let placed: Vec<_> = paths.iter().map(TreeName::of).collect();
        let trees: HashSet<_> = placed.iter().flatten().map(|(tree, _)| tree).collect();
        for tree in trees {
            let seen = |at: &Option<(TreeName, FilePath)>| {
                let (_, within) = at.as_ref().filter(|(of, _)| of == tree)?;
                let may_see = seat.rights_within(tree, within).contains(Rights::LIST);
                may_see.then(|| within.clone())
            };
            let root = tree.within(&FilePath::root()).ok_or(Error::NotFound)?;
            let within = placed.iter().map(seen).collect();
            let newest = seat.home_of(tree).await?.last_removed(within).await?;
            for (slot, id) in found.iter_mut().zip(newest) {
                *slot = slot.take().or_else(|| id.map(|id| ((*root).clone(), id)));
            }
        }
        Ok(found)
    }

    /// Puts something back where it was, for who may write there; says where that is, within the tree.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Exists`] if something has its name; [`Error::NoParent`]; what holds for every
    /// change, see [`Session::mkdir`].
    ///
    /// Cancellation: it is done and recorded, or not at all.
    pub async fn restore(&self, tree: &FilePath, id: TrashId) -> Result<FilePath> {
        let (act, home) = self.dig_up(Operation::Restore, tree, id, Rights::WRITE).await?;
        act.carry_out(async move { Ok(home.restore(id, None).await?) }, |_| Contents::NONE).await
    }

    /// Destroys something in the trash for good, for who might delete it where it was; says how much it was.
    ///
    /// # Errors
    /// [`Error::NotFound`]; what holds for every change, see [`Session::mkdir`].
    ///
    /// Cancellation: it is done and recorded.
    pub async fn purge(&self, tree: &FilePath, id: TrashId) -> Result<Amount> {
        let (act, home) = self.dig_up(Operation::Purge, tree, id, Rights::DELETE).await?;
        let done = async move { Ok(home.purge(Purge::One(id)).await?) };
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
        let seat = Arc::clone(self.own_seat()?);
        let root = seat.reached(tree)?.into_owned();
        let act = Act::begin(&seat, Operation::Purge, &root);
        let done = async move {
            let needed = Needed::Beneath(Rights::DELETE);
            let place = seat.place_to_change(&root, needed).await?;
            // A folder's trash is its tree's.
            match place.path.is_root() {
                true => Ok(place.home.purge(Purge::All).await?),
                false => Err(Error::NotFound),
            }
        };
        act.carry_out(done, |done| Contents::bytes(done.bytes)).await
    }

    /// Begins to do something to a thing in the trash, for who has these rights where it was and beneath. That it is
    /// refused is recorded.
    async fn dig_up(
        &self,
        operation: Operation,
        tree: &FilePath,
        id: TrashId,
        needed: Rights,
    ) -> Result<(Act, Home)> {
        let seat = self.own_seat()?;
        let mut act =
            Act::begin(seat, operation, &seat.reached(tree)?).saying(format!("trash {id}"));
        let found = async {
            seat.gate().check_writable()?;
            let tree = TreeName::rooted_at(tree).ok_or(Error::NotFound)?;
            let within = seat.home_of(&tree).await?.removed_path(id).await?;
            let path = tree.within(&within).ok_or(Error::NotFound)?;
            act.turn_to(&path);
            Ok(seat.tree(&path, needed).await?.home)
        };
        let found = found.await;
        match found {
            Ok(home) => Ok((act, home)),
            Err(error) => {
                act.end(Error::outcome(&error), Contents::NONE);
                Err(error)
            }
        }
    }

    /// The seat of somebody with an account, who did not come by a link.
    pub(crate) fn own_seat(&self) -> Result<&Arc<Seat>> {
        match &self.kind {
            Kind::Seat(seat) if seat.visit().is_none() && seat.account()?.is_some() => Ok(seat),
            _ => Err(Error::Denied),
        }
    }
}
