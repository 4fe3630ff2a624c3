//! Who has a session: the account as it is now, where its holder comes from, and what it may do where.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use sockeye_accounts::{Account, Grant, Login, Rights, Role, Shared};
use sockeye_store::{Claim, Home, Kind, Lock, LockToken};

use crate::{
    Error, FilePath, Origin, Result,
    gate::{Gate, accounts_failed},
    namespace::{Reached, TreeName, Zone},
    pace::Pace,
    presence::{Presence, Present, TooMany},
    share::Visit,
};

/// What the log calls who has no account; no account can have the name.
pub const ANONYMOUS: &str = "anonymous";

/// What an anonymous visitor may do in the public tree.
const VISITING: Rights = Rights::READ.and(Rights::LIST);

/// Who has a session. It is asked anew at each operation, so that a change of the account holds at once.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    gate: Arc<Gate>,
    holder: Holder,
    /// What is shared with its holder, who then is not the account, but somebody with a link of the account's.
    visit: Option<Visit>,
    origin: Origin,
    pace: Pace,
    /// Its place among all that have a session.
    presence: Arc<Presence>,
    /// The locks that it may pass.
    claim: Option<Arc<Claim>>,
}

/// Who it is.
#[derive(Clone, Debug)]
pub(crate) enum Holder {
    /// Somebody with an account.
    Account {
        /// The account as it changes, and the token that was used, if one was.
        login: Login,
        /// Its name when the session began.
        name: Box<str>,
        /// Its home.
        home: Home,
    },
    /// Anybody, in the public tree.
    Anonymous,
}

/// A place in the namespace that is a file's or a folder's, and what may be done there.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) tree: TreeName,
    pub(crate) home: Home,
    /// Within the tree, which is the home's.
    pub(crate) path: FilePath,
    pub(crate) rights: Rights,
}

/// Where a path leads.
#[derive(Debug)]
pub(crate) enum Way {
    /// Into a home.
    Place(Place),
    /// To the list of shared folders.
    SharedFolders,
}

impl Place {
    /// A lock of the home, with the path that it has in the namespace.
    pub(crate) fn outward(&self, lock: Lock) -> Lock {
        let path = self.tree.within(&lock.path).map(Reached::into_path);
        Lock { path: path.unwrap_or_else(|| lock.path.clone()), ..lock }
    }
}

impl Seat {
    /// Takes a seat, if there is one more for its holder.
    pub(crate) fn new(
        gate: Arc<Gate>,
        holder: Holder,
        origin: Origin,
        pace: Pace,
    ) -> Result<Arc<Self>, TooMany> {
        let share = match &holder {
            Holder::Account { login, .. } => login.share(),
            Holder::Anonymous => None,
        };
        let visit = share.map(Visit::to);
        let (account, account_id, sign_in) = match &holder {
            Holder::Account { login, name, .. } => {
                let sign_in = login.sign_in().map(|sign_in| sign_in.id);
                (Some(name.clone()), Some(login.account().id), sign_in)
            }
            Holder::Anonymous => (None, None, None),
        };
        let present = Present {
            id: 0,
            account,
            account_id,
            protocol: origin.protocol,
            tls: origin.tls,
            peer: origin.peer.clone(),
            sign_in,
            by_link: visit.is_some(),
            since: SystemTime::now(),
            idle: Duration::ZERO,
            doing: Vec::new(),
        };
        let presence = gate.presences().enter(present, origin.sessions)?;
        Ok(Arc::new(Self { gate, holder, visit, origin, pace, presence, claim: None }))
    }

    /// What is shared with its holder, if it came by a link.
    pub(crate) fn visit(&self) -> Option<&Visit> {
        self.visit.as_ref()
    }

    /// The same seat with another visit.
    pub(crate) fn with_visit(&self, visit: Visit) -> Arc<Self> {
        Arc::new(Self { visit: Some(visit), ..self.clone() })
    }

    /// Whether its holder may not even know whether there is something at `path`, whatever rights say.
    pub(crate) fn hides(&self, path: &Reached<'_>) -> bool {
        self.visit.as_ref().is_some_and(|visit| visit.hides(path))
    }

    /// What the log says beside who and where.
    pub(crate) fn detail(&self) -> Option<&str> {
        self.visit.as_ref().map(Visit::detail)
    }

    /// The same seat, for who submits the tokens of locks.
    pub(crate) fn submitting(&self, tokens: Vec<LockToken>) -> Arc<Self> {
        let claim = self.lock_holder().map(|holder| Arc::new(Claim { holder, tokens }));
        Arc::new(Self { claim, ..self.clone() })
    }

    /// The name under which it holds locks; nobody's who has no account, or came by a link of somebody's.
    pub(crate) fn lock_holder(&self) -> Option<Box<str>> {
        match &self.holder {
            Holder::Account { login, .. } if self.visit.is_none() => {
                Some(login.account().id.to_string().into())
            }
            _ => None,
        }
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn pace(&self) -> &Pace {
        &self.pace
    }

    pub(crate) fn holder(&self) -> &Holder {
        &self.holder
    }

    /// The account as it is now, if there is one.
    ///
    /// # Errors
    /// [`Error::Ended`] once it was locked or removed.
    pub(crate) fn account(&self) -> Result<Option<Arc<Account>>> {
        match &self.holder {
            _ if self.presence.is_ended() => Err(Error::Ended),
            Holder::Account { login, .. } if login.is_ended() => Err(Error::Ended),
            Holder::Account { login, .. } => Ok(Some(login.account())),
            Holder::Anonymous if self.gate.public() => Ok(None),
            Holder::Anonymous => Err(Error::Ended),
        }
    }

    /// Whether nothing more can be done in this session.
    pub(crate) fn is_ended(&self) -> bool {
        self.presence.is_ended()
            || match &self.holder {
                Holder::Account { login, .. } => login.is_ended(),
                Holder::Anonymous => !self.gate.public(),
            }
    }

    /// Its place among all that have a session.
    pub(crate) fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Waits until an administrator ends it. Cancellation: safe.
    pub(crate) async fn cut_off(&self) {
        self.presence.ended().await;
    }

    /// The name that the log has for who this is.
    pub(crate) fn recorded_name(&self) -> Option<&str> {
        match &self.holder {
            Holder::Account { name, .. } => Some(name),
            Holder::Anonymous => Some(ANONYMOUS),
        }
    }

    /// A path as the log has it: that which an administrator reaches it by. The public tree is `/public` there also for who
    /// has no home, and finds it at `/`.
    pub(crate) fn recorded_path(&self, path: &Reached<'_>) -> Vec<u8> {
        let public = match (&self.holder, TreeName::of(path)) {
            (Holder::Anonymous, Some((TreeName::Own, within))) => TreeName::Public.within(&within),
            _ => None,
        };
        public.as_ref().unwrap_or(path).absolute()
    }

    /// What may be done at `path`: by role and grants, as far as the token goes.
    pub(crate) fn rights_at(&self, path: &Reached<'_>) -> Rights {
        self.rights_at_absolute(path.absolute())
    }

    /// What may be done at `path` in a tree; nothing where it cannot be asked for.
    pub(crate) fn rights_within(&self, tree: &TreeName, path: &FilePath) -> Rights {
        tree.within(path).map_or(Rights::NONE, |path| self.rights_at(&path))
    }

    /// As [`Seat::rights_at`], of what was a path of the namespace, absolute, or is a place beneath one.
    pub(crate) fn rights_at_absolute(&self, path: impl AsRef<[u8]>) -> Rights {
        match &self.holder {
            Holder::Account { login, .. } => login.rights_at(path),
            Holder::Anonymous => VISITING,
        }
    }

    /// Where `path` leads, and what may be done there.
    ///
    /// # Errors
    /// [`Error::NotFound`] also where there is something that this session may know nothing of;
    /// [`Error::Ended`].
    pub(crate) async fn way(&self, path: &Reached<'_>) -> Result<Way> {
        let account = self.account()?;
        self.presence.touch(Instant::now());
        let rights = self.rights_at(path);
        let (tree, within) = match Zone::of(path) {
            Zone::Tree(tree, within) => (tree, within),
            Zone::SharedFolders if account.is_some() => return Ok(Way::SharedFolders),
            _ => return Err(Error::NotFound),
        };
        let home = match (&tree, &self.holder) {
            (TreeName::Own, Holder::Account { home, .. }) => home.clone(),
            (TreeName::Own, Holder::Anonymous) => self.gate.public_home().await?,
            (TreeName::Public, _) if self.enters_public(account.as_deref(), path) => {
                self.gate.public_home().await?
            }
            (TreeName::Shared(name), Holder::Account { .. }) if !rights.is_empty() => {
                self.gate.shared_home(name).await?
            }
            _ => return Err(Error::NotFound),
        };
        let home = home.claiming(self.claim.clone());
        Ok(Way::Place(Place { tree, home, path: within, rights }))
    }

    /// As [`Seat::way`], of a path of the session's where it may see what there is.
    ///
    /// # Errors
    /// [`Error::Denied`]; as [`Seat::way`].
    pub(crate) async fn way_seen(&self, path: &FilePath) -> Result<Way> {
        let path = self.reached(path)?;
        match self.way(&path).await? {
            _ if self.hides(&path) => Err(Error::NotFound),
            Way::Place(place) if place.rights.is_empty() => Err(Error::Denied),
            way => Ok(way),
        }
    }

    /// Whether there is a public tree at `path` for who this is: for everybody once it is open, and before for
    /// those who fill it, administrators and whoever was granted something there.
    fn enters_public(&self, account: Option<&Account>, path: &Reached<'_>) -> bool {
        let fills = |account: &Account| {
            let granted = account.granted_at(path.absolute());
            account.role == Role::Admin || granted.is_some_and(|rights| !rights.is_empty())
        };
        self.gate.public() || account.is_some_and(fills)
    }

    /// The place that `path` leads to, with these rights there.
    ///
    /// # Errors
    /// [`Error::Denied`] if a right is missing, or if it is the list of shared folders; as [`Seat::way`].
    pub(crate) async fn place(&self, path: &Reached<'_>, needed: Rights) -> Result<Place> {
        match self.way(path).await? {
            Way::Place(place) if place.rights.contains(needed) => Ok(place),
            _ => Err(Error::Denied),
        }
    }

    /// As [`Seat::place`], with these rights also at all that lies beneath it: what is done to a folder as a whole
    /// must not reach what a narrower grant keeps.
    ///
    /// # Errors
    /// As [`Seat::place`].
    pub(crate) async fn tree(&self, path: &Reached<'_>, needed: Rights) -> Result<Place> {
        let place = self.place(path, needed).await?;
        let Some(account) = self.account()? else { return Ok(place) };
        // The token's prefix is a whole tree, and so needs no look beneath.
        let allowed = grants_beneath(&account, path).all(|grant| grant.rights.contains(needed));
        if allowed { Ok(place) } else { Err(Error::Denied) }
    }

    /// Whether other rights may hold somewhere beneath `path` than there.
    ///
    /// # Errors
    /// [`Error::Ended`].
    pub(crate) fn has_grants_beneath(&self, path: &Reached<'_>) -> Result<bool> {
        let account = self.account()?;
        Ok(account.is_some_and(|account| grants_beneath(&account, path).next().is_some()))
    }

    /// As [`Seat::tree`], of what is read as a whole: a folder also needs that its names may be seen.
    ///
    /// # Errors
    /// As [`Seat::place`], and [`Error::NotFound`] where nothing is.
    pub(crate) async fn source(&self, path: &Reached<'_>, needed: Rights) -> Result<Place> {
        let place = self.tree(path, needed).await?;
        match place.home.stat(&place.path).await?.kind {
            Kind::Folder => self.tree(path, needed | Rights::LIST).await,
            _ => Ok(place),
        }
    }

    /// The home of a tree, for who may do anything somewhere in it: what may be done to what is or was in it is asked
    /// by its path.
    ///
    /// # Errors
    /// [`Error::Denied`] for who came by a link; as [`Seat::way`].
    pub(crate) async fn home_of(&self, tree: &TreeName) -> Result<Home> {
        let root = tree.within(&FilePath::root()).ok_or(Error::NotFound)?;
        match tree {
            _ if self.visit.is_some() => Err(Error::Denied),
            // Somebody may write somewhere in it, and have no right at its top.
            TreeName::Shared(name) if self.reaches_beneath(&root)? => {
                self.gate.shared_home(name).await
            }
            _ => match self.way(&root).await? {
                Way::Place(place) => Ok(place.home),
                Way::SharedFolders => Err(Error::NotFound),
            },
        }
    }

    /// Whether something may be done beneath `root`, by a grant or by a token that is for there.
    fn reaches_beneath(&self, root: &Reached<'_>) -> Result<bool> {
        let Some(account) = self.account()? else { return Ok(false) };
        let token = match &self.holder {
            Holder::Account { login, .. } => login.token().map(|token| &token.prefix),
            Holder::Anonymous => None,
        };
        let granted = grants_beneath(&account, root).map(|grant| &grant.prefix);
        let token = token.filter(|prefix| is_beneath(prefix.as_ref(), root));
        Ok(granted.chain(token).any(|prefix| !self.rights_at_absolute(prefix).is_empty()))
    }

    /// The shared folders that this session may see.
    ///
    /// # Errors
    /// [`Error::Ended`]; [`Error::Io`].
    pub(crate) async fn shared_folders(&self) -> Result<Vec<Shared>> {
        if self.account()?.is_none() {
            return Ok(Vec::new());
        }
        let mut all = self.gate.accounts().all_shared().await.map_err(accounts_failed)?;
        all.retain(|shared| !self.rights_at_absolute(shared.path()).is_empty());
        Ok(all)
    }

    /// The folders that the namespace adds to the root's listing.
    ///
    /// # Errors
    /// [`Error::Ended`].
    pub(crate) fn names_at_root(&self) -> Result<Vec<&'static str>> {
        let Some(account) = self.account()? else { return Ok(Vec::new()) };
        let is_granted = |root: &str| {
            let of = |prefix: &str| {
                prefix.strip_prefix(root).is_some_and(|it| !it.starts_with(|c| c != '/'))
            };
            let mut granted = account.grants.iter().filter(|grant| !grant.rights.is_empty());
            granted.any(|grant| of(grant.prefix.as_str()))
        };
        let is_admin = account.role == Role::Admin;
        let sees_public = self.gate.public() || is_admin || is_granted("/public");
        let sees_shared = is_admin || is_granted("/shared");
        let names = [("public", sees_public), ("shared", sees_shared)];
        Ok(names.into_iter().filter_map(|(name, sees)| sees.then_some(name)).collect())
    }
}

/// The grants that begin beneath `path` in its tree.
fn grants_beneath<'a>(account: &'a Account, path: &FilePath) -> impl Iterator<Item = &'a Grant> {
    account.grants.iter().filter(|grant| is_beneath(grant.prefix.as_ref(), path))
}

/// Whether `prefix`, absolute, lies beneath `root` in its tree: no other tree lies in the own home, whatever the
/// addresses say.
fn is_beneath(prefix: &[u8], root: &FilePath) -> bool {
    let prefix = prefix.strip_prefix(b"/").unwrap_or(prefix);
    let rest = prefix.strip_prefix(root.as_bytes());
    rest.is_some_and(|rest| rest.first() == Some(&b'/') || root.is_root())
        && FilePath::parse(prefix).is_ok_and(|at| is_own(&at) == is_own(root))
}

/// Whether a path is in the own home.
fn is_own(path: &FilePath) -> bool {
    matches!(Zone::of(path), Zone::Tree(TreeName::Own, _))
}
