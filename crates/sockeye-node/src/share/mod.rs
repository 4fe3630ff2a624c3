//! Sessions of those who come by a share's link: rooted at what is shared, and bounded by it.
//!
//! A path that a [`Session`] is asked for is turned into one of the owner's namespace first
//! ([`Reached`](crate::namespace::Reached)): the seat takes no other. The share lets no right through anywhere but at
//! and below its own path.

mod downloads;
mod drops;

use std::sync::Arc;

use sockeye_accounts::{Credentials, Login, Reason, Refused, Secret, Share, ShareKind, ShareProof};
use sockeye_journal::{Operation, Outcome, Record};

pub(crate) use self::{
    downloads::{Downloads, Thing},
    drops::{Dropping, Drops},
};
use crate::{
    Error, FilePath, LoginError, Origin, Range, Result, Session,
    gate::{Gate, accounts_failed},
    namespace::Reached,
    seat::Holder,
    session::Kind,
};

/// Most folders that a file may lie in within a drop box: each file that is counted makes no more.
const DEEPEST: usize = 16;

/// What is shared with somebody who has a link.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    share: Arc<Share>,
    /// Where it lies in its owner's namespace.
    root: FilePath,
    /// What the log says of it.
    detail: Box<str>,
    /// Whether all that is read was counted as one download before.
    counted: bool,
}

impl Visit {
    /// A visit to this share.
    pub(crate) fn to(share: &Arc<Share>) -> Self {
        let path = share.path.as_str().trim_start_matches('/');
        // What a file cannot be called is shared in vain: the root has no rights.
        let root = FilePath::parse(path.as_bytes()).unwrap_or_else(|_| FilePath::root());
        let detail = format!("share {}", share.id).into();
        Self { share: Arc::clone(share), root, detail, counted: false }
    }

    /// The share, as it was when the session began.
    pub(crate) fn share(&self) -> &Share {
        &self.share
    }

    /// What the log says of it.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// Whether all that is read was counted as one download before.
    pub(crate) fn is_counted(&self) -> bool {
        self.counted
    }

    /// The same visit, of which all that is read was counted.
    pub(crate) fn counted(&self) -> Self {
        Self { counted: true, ..self.clone() }
    }

    /// What a path of the visitor's is in the owner's namespace.
    pub(crate) fn reached(&self, path: &FilePath) -> Result<FilePath> {
        let (root, below) = (self.root.as_bytes(), path.as_bytes());
        let slash: &[u8] = if below.is_empty() { b"" } else { b"/" };
        FilePath::parse(&[root, slash, below].concat()).map_err(|_| Error::NotFound)
    }

    /// Whether new files may be put there, and nothing be seen.
    pub(crate) fn is_drop_box(&self) -> bool {
        self.share.kind == ShareKind::Upload
    }

    /// Whether the visitor may not even know whether there is something at `path`, as the owner has it.
    pub(crate) fn hides(&self, path: &FilePath) -> bool {
        self.is_drop_box() && *path != self.root
    }

    /// Whether a new file may be put at `path`, as the owner has it: in the drop box, or in a folder in it.
    pub(crate) fn takes(&self, path: &FilePath) -> bool {
        let (above, depth) = (self.root.segments().count(), path.segments().count());
        self.is_drop_box()
            && self.root.covers(path)
            && (1..=DEEPEST + 1).contains(&depth.saturating_sub(above))
    }

    /// The folders in the drop box that a file at `path`, as the owner has it, lies in, the uppermost first.
    pub(crate) fn folders_to(&self, path: &Reached<'_>) -> Vec<Reached<'static>> {
        let mut folders: Vec<_> = std::iter::successors(path.above(), Reached::above)
            .take_while(|folder| **folder != self.root && self.root.covers(folder))
            .collect();
        folders.reverse();
        folders
    }
}

/// Why a link gives no session. The text may be told to whoever asks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShareError {
    /// It never was a link, or its owner may not share this now.
    #[error("this link leads nowhere")]
    NotFound,
    /// Its time is over, it was used as often as it may be, or it was revoked.
    #[error("what this link led to is no longer shared")]
    Over,
    /// It needs its password; or another one than came.
    #[error("{}", if *.wrong { "the password is wrong" } else { "this link needs its password" })]
    Password {
        /// Whether one came that is not it.
        wrong: bool,
    },
    /// Not now: too many guesses came from there, or the server has too much to do.
    #[error(transparent)]
    Refused(Refused),
    /// What is shared cannot be had.
    #[error(transparent)]
    Failed(Error),
}

impl From<LoginError> for ShareError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Refused(Refused::Wrong(reason)) => match reason {
                Reason::Expired | Reason::NoShare => Self::Over,
                Reason::PasswordNeeded => Self::Password { wrong: false },
                Reason::WrongPassword | Reason::WrongAgain => Self::Password { wrong: true },
                _ => Self::NotFound,
            },
            LoginError::Refused(refused) => Self::Refused(refused),
            LoginError::Home(error) => Self::Failed(error),
            LoginError::TooMany { .. } => Self::Failed(Error::Busy),
        }
    }
}

impl Gate {
    /// The session of who comes with this link: rooted at what is shared, a file or a folder, with the share's
    /// rights as far as its owner's go at each moment. `proof` is what came beside the link, if anything.
    ///
    /// A download share's session reads and lists; a drop box's only takes new files, each under a name of its own.
    ///
    /// # Errors
    /// [`ShareError`].
    ///
    /// Cancellation: an attempt that was begun counts.
    pub async fn share_session(
        self: &Arc<Self>,
        link: &str,
        proof: Option<ShareProof>,
        origin: Origin,
    ) -> Result<Session, ShareError> {
        let credentials = Credentials::Share { link: Secret::new(link), proof };
        let known = self.accounts().login_cached(&credentials, &origin.attempt());
        let is_new = known.is_none();
        let login = match known {
            Some(login) => login,
            None => {
                let login = self.accounts().login(&credentials, &origin.attempt()).await;
                login.map_err(LoginError::from)?
            }
        };
        let share = login.share().cloned().ok_or(ShareError::NotFound)?;
        if login.rights_at(share.path.as_str()).is_empty() {
            return Err(ShareError::NotFound);
        }
        self.check_downloads_left(&share, &origin).await?;
        if is_new {
            self.record_visit(&login, &share, &origin);
        }
        Ok(self.seat_of(login, origin).await?)
    }

    /// What a browser keeps in place of the password of the share that a session came by; none without one.
    ///
    /// # Errors
    /// [`Error::Denied`] if it came by none; [`Error::Ended`]; [`Error::Io`].
    ///
    /// Cancellation: safe.
    pub async fn share_pass(&self, session: &Session) -> Result<Option<Secret>> {
        let Kind::Seat(seat) = &session.kind else { return Err(Error::Denied) };
        let share = seat.visit().ok_or(Error::Denied)?.share();
        let attempt = seat.origin().attempt();
        self.accounts().share_pass(share.id, &attempt).await.map_err(accounts_failed)
    }

    fn record_visit(&self, login: &Login, share: &Share, origin: &Origin) {
        self.record(&Record {
            account: Some(login.account().name.as_str()),
            path: Some(share.path.as_ref()),
            detail: Some(&format!("share {}", share.id)),
            ..origin.record(Operation::Login, Outcome::Ok)
        });
    }

    /// Refuses a link that was used up, but to those who are still at what they were counted for.
    async fn check_downloads_left(&self, share: &Share, origin: &Origin) -> Result<(), ShareError> {
        if share.downloads.is_none() {
            return Ok(());
        }
        match self.accounts().find_share(share.id).await.map_err(accounts_failed) {
            Ok(share) if share.is_exhausted() && !self.downloads().is_known(share.id, origin) => {
                Err(ShareError::Over)
            }
            Ok(_) => Ok(()),
            Err(Error::NotFound) => Err(ShareError::Over),
            Err(error) => Err(ShareError::Failed(error)),
        }
    }
}

impl Session {
    /// The share that it came by, as it was then, if it came by one.
    #[must_use]
    pub fn share(&self) -> Option<&Share> {
        match &self.kind {
            Kind::Guest(_) => None,
            Kind::Seat(seat) => Some(seat.visit()?.share()),
        }
    }

    /// The name of the account that shares with it, if it came by a share's link.
    #[must_use]
    pub fn sharer(&self) -> Option<&str> {
        let Kind::Seat(seat) = &self.kind else { return None };
        match seat.holder() {
            Holder::Account { name, .. } if seat.visit().is_some() => Some(name),
            _ => None,
        }
    }

    /// The same session, for sending a stretch of an archive that has this hash and size: that is counted now, as it
    /// would be of a file, and no file that is read in it.
    ///
    /// # Errors
    /// [`Error::Exhausted`]; [`Error::Io`].
    ///
    /// Cancellation: it may or may not be counted.
    pub async fn as_one_download(&self, hash: u128, size: u64, range: Range) -> Result<Self> {
        let Kind::Seat(seat) = &self.kind else { return Ok(self.clone()) };
        let Some(visit) = seat.visit() else { return Ok(self.clone()) };
        seat.count_download(Thing::Archive(hash), size, range).await?;
        Ok(Self::seated(seat.with_visit(visit.counted())))
    }
}
