//! What is served, and to whom: one folder to everybody, or a node to those who sign in.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sockeye_node::{Credentials, Error, Gate, LoginError, Origin, Refused, Session};
use zeroize::Zeroizing;

use crate::wire::{
    authorization::{self, Authorization, AuthorizationError},
    head::{Fields, Once},
};

/// How long a connection's last credentials are taken for good without asking the gate again.
const REMEMBERED: Duration = Duration::from_secs(30);

/// What is served.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Site {
    /// One folder, to everybody, to be read.
    Folder(Session),
    /// A node: each request has the session of who sends it, by Basic or Bearer; without either, what is
    /// public.
    Node(Arc<Gate>),
}

impl From<Session> for Site {
    fn from(session: Session) -> Self {
        Self::Folder(session)
    }
}

impl From<Arc<Gate>> for Site {
    fn from(gate: Arc<Gate>) -> Self {
        Self::Node(gate)
    }
}

impl Site {
    /// Whether it is a node: something can be changed, and there are accounts.
    pub(crate) fn is_node(&self) -> bool {
        matches!(self, Self::Node(_))
    }

    /// The session of who sent a request with these fields.
    pub(crate) async fn session(
        &self,
        fields: &Fields<'_>,
        visitor: &Visitor,
    ) -> Result<Session, Unwelcome> {
        let gate = match self {
            Self::Folder(session) => return Ok(session.clone()),
            Self::Node(gate) => gate,
        };
        let header = match fields.authorization {
            Once::Missing => None,
            Once::One(header) => Some(header),
            Once::Several => return Err(AuthorizationError::Malformed.into()),
        };
        if let Some(session) = visitor.recall(header) {
            return Ok(session);
        }
        let session = match header {
            None => gate.anonymous(visitor.origin.clone()).ok_or(Unwelcome::Stranger)?,
            Some(header) => {
                let credentials = credentials(header)?;
                match gate.login_known(&credentials, &visitor.origin) {
                    Some(session) => session,
                    None => {
                        let login = gate.login(&credentials, visitor.origin.clone());
                        // On the heap: few requests come here, and all would carry its size.
                        Box::pin(login).await?
                    }
                }
            }
        };
        visitor.remember(header, &session);
        Ok(session)
    }
}

fn credentials(header: &[u8]) -> Result<Credentials, AuthorizationError> {
    Ok(match authorization::parse(header)? {
        Authorization::Basic(basic) => Credentials::password(basic.name(), basic.password()),
        Authorization::Bearer(token) => Credentials::token(token),
    })
}

/// Why a request has no session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unwelcome {
    /// It says nothing of who sent it, and nothing is public.
    #[error("sign in with the name and the password of an account, or with a token")]
    Stranger,
    /// What it says cannot be understood.
    #[error(transparent)]
    Malformed(#[from] AuthorizationError),
    /// It was refused.
    #[error(transparent)]
    Refused(Refused),
    /// Whoever sent it is known, and what is theirs cannot be had.
    #[error(transparent)]
    Failed(Error),
}

impl From<LoginError> for Unwelcome {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Refused(refused) => Self::Refused(refused),
            LoginError::Home(error) => Self::Failed(error),
            other => Self::Failed(Error::Io(std::io::Error::other(other))),
        }
    }
}

/// Who is at the other end of a connection, as far as its requests have said.
#[derive(Debug)]
pub(crate) struct Visitor {
    origin: Origin,
    known: Mutex<Option<Known>>,
}

/// The credentials that came last, and the session that they led to.
#[derive(Debug)]
struct Known {
    header: Option<Zeroizing<Vec<u8>>>,
    session: Session,
    /// The account's revision then: after a change the gate is asked again.
    revision: Option<u64>,
    since: Instant,
}

impl Visitor {
    /// Somebody from there, of whom nothing else is known.
    pub(crate) fn new(origin: Origin) -> Self {
        Self { origin, known: Mutex::default() }
    }

    /// The session that these credentials led to a short while ago.
    fn recall(&self, header: Option<&[u8]>) -> Option<Session> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|known| match (&known.header, header) {
            (None, None) => true,
            (Some(kept), Some(header)) => authorization::is_same(kept, header),
            _ => false,
        })?;
        let unchanged = known.since.elapsed() < REMEMBERED
            && !known.session.is_ended()
            && revision(&known.session) == Some(known.revision);
        unchanged.then(|| known.session.clone())
    }

    fn remember(&self, header: Option<&[u8]>, session: &Session) {
        let Some(revision) = revision(session) else { return };
        let header = header.map(|header| Zeroizing::new(header.to_vec()));
        let known = Known { header, session: session.clone(), revision, since: Instant::now() };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }
}

/// The revision of a session's account, if it has one; nothing once it has ended.
fn revision(session: &Session) -> Option<Option<u64>> {
    session.account().ok().map(|account| account.map(|account| account.revision))
}
