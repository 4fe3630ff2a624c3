//! What is served, and to whom: one folder to everybody, or a node to those who sign in.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use ::http::StatusCode;
use sockeye_node::{
    Credentials, Error, FilePath, Gate, LoginError, Origin, Refused, Session, is_csrf_token,
};
use tokio::sync::Notify;
use zeroize::Zeroizing;

use crate::{
    refused::{retry_after, status_of},
    wire::{
        authorization::{self, Authorization, AuthorizationError},
        cookie,
        head::{Fields, Once},
    },
};

/// How long a connection's last credentials are taken for good without asking the gate again.
const REMEMBERED: Duration = Duration::from_secs(30);

/// What is served.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Site {
    /// One folder, to everybody, to be read.
    Folder(Session),
    /// A node: each request has the session of who sends it, by Basic, Bearer or the cookie of a sign-in; without,
    /// what is public.
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

    /// The gate, if it is a node.
    pub(crate) fn gate(&self) -> Option<&Arc<Gate>> {
        match self {
            Self::Folder(_) => None,
            Self::Node(gate) => Some(gate),
        }
    }

    /// Who sent a request with these fields.
    pub(crate) async fn asker<'a>(
        &self,
        fields: &Fields<'a>,
        visitor: &Visitor,
    ) -> Result<Asker<'a>, Unwelcome> {
        let gate = match self {
            Self::Folder(session) => return Ok(Asker { session: session.clone(), cookie: None }),
            Self::Node(gate) => gate,
        };
        let proof = Proof::of(fields)?;
        if let Some(session) = visitor.recall(proof) {
            return Ok(Asker { session, cookie: proof.cookie() });
        }
        let credentials = match proof {
            Proof::Nothing => None,
            Proof::Header(header) => Some(credentials(header)?),
            Proof::Cookie(kept) => Some(Credentials::sign_in(kept)),
        };
        let known = match &credentials {
            None => gate.anonymous(visitor.origin.clone()),
            Some(credentials) => gate.login_known(credentials, &visitor.origin),
        };
        let session = match (known, credentials) {
            (Some(session), _) => session,
            (None, None) => return Err(Unwelcome::Stranger),
            (None, Some(credentials)) => {
                let login = gate.login(&credentials, visitor.origin.clone());
                // On the heap: few requests come here, and all would carry its size.
                match (Box::pin(login).await, proof) {
                    (Ok(session), _) => session,
                    // A browser goes on sending what is over: that is as if it sent nothing.
                    (Err(LoginError::Refused(Refused::Wrong(_))), Proof::Cookie(_)) => {
                        let session = gate.anonymous(visitor.origin.clone());
                        let session = session.ok_or(Unwelcome::Stranger)?;
                        return Ok(Asker { session, cookie: None });
                    }
                    (Err(refused), _) => return Err(refused.into()),
                }
            }
        };
        visitor.remember(proof, &session);
        Ok(Asker { session, cookie: proof.cookie() })
    }
}

/// Who sent a request.
#[derive(Debug)]
pub(crate) struct Asker<'a> {
    pub(crate) session: Session,
    /// What its browser keeps, if it was told by that alone who it is.
    cookie: Option<&'a str>,
}

impl Asker<'_> {
    /// Whether it has an account.
    pub(crate) fn is_signed_in(&self) -> bool {
        matches!(self.session.account(), Ok(Some(_)))
    }

    /// Whether it may have sent a request that changes something: a cookie comes along with whatever a page
    /// asks for, so that there the sign-in's CSRF token has to come as well.
    pub(crate) fn may_change(&self, fields: &Fields<'_>) -> bool {
        self.cookie.is_none_or(|cookie| {
            let token = fields.get("x-csrf-token").one();
            token.is_some_and(|token| is_csrf_token(cookie, token))
        })
    }
}

/// What a request says of who sent it: Authorization goes before a cookie.
#[derive(Clone, Copy, Debug)]
enum Proof<'a> {
    Nothing,
    /// The value of Authorization.
    Header(&'a [u8]),
    /// What a browser keeps of a sign-in.
    Cookie(&'a str),
}

impl<'a> Proof<'a> {
    fn of(fields: &Fields<'a>) -> Result<Self, AuthorizationError> {
        match fields.authorization {
            Once::One(header) => Ok(Self::Header(header)),
            Once::Several => Err(AuthorizationError::Malformed),
            Once::Missing => Ok(cookie::sign_in(fields).map_or(Self::Nothing, Self::Cookie)),
        }
    }

    fn cookie(self) -> Option<&'a str> {
        match self {
            Self::Cookie(kept) => Some(kept),
            Self::Nothing | Self::Header(_) => None,
        }
    }

    /// To be remembered by: which of them it is, and what it says.
    fn bytes(self) -> Option<(bool, &'a [u8])> {
        match self {
            Self::Nothing => None,
            Self::Header(header) => Some((false, header)),
            Self::Cookie(kept) => Some((true, kept.as_bytes())),
        }
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
    /// A change came by a cookie, without what only a page of this site knows.
    #[error(
        "a change by who signed in on the page needs the sign-in's token, in X-CSRF-Token; load the page again"
    )]
    Forged,
    /// Whoever sent it is known, and what is theirs cannot be had.
    #[error(transparent)]
    Failed(Error),
}

impl Unwelcome {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Stranger | Self::Malformed(_) => StatusCode::UNAUTHORIZED,
            Self::Refused(Refused::Wrong(_)) => StatusCode::UNAUTHORIZED,
            Self::Refused(Refused::Wait { .. }) => StatusCode::TOO_MANY_REQUESTS,
            Self::Refused(Refused::Busy { .. }) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Forged => StatusCode::FORBIDDEN,
            Self::Refused(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Failed(failure) => status_of(&FilePath::root(), failure),
        }
    }

    /// Seconds after which another attempt may go better.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Refused(refused) => refused.retry_after().map(retry_after),
            Self::Failed(Error::Busy) => Some(1),
            _ => None,
        }
    }
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
    /// There is another one.
    changed: Notify,
}

/// The credentials that came last, and the session that they led to.
#[derive(Debug)]
struct Known {
    /// Whether they were a cookie's.
    proof: Option<(bool, Zeroizing<Vec<u8>>)>,
    session: Session,
    /// The account's revision then: after a change the gate is asked again.
    revision: Option<u64>,
    since: Instant,
}

impl Visitor {
    /// Somebody from there, of whom nothing else is known.
    pub(crate) fn new(origin: Origin) -> Self {
        Self { origin, known: Mutex::default(), changed: Notify::new() }
    }

    /// Where it comes from.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The session that these credentials led to a short while ago.
    fn recall(&self, proof: Proof<'_>) -> Option<Session> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref().filter(|known| match (&known.proof, proof.bytes()) {
            (None, None) => true,
            (Some((kind, kept)), Some((other, bytes))) => {
                *kind == other && authorization::is_same(kept, bytes)
            }
            _ => false,
        })?;
        let unchanged = known.since.elapsed() < REMEMBERED
            && !known.session.is_ended()
            && revision(&known.session) == Some(known.revision);
        unchanged.then(|| known.session.clone())
    }

    fn remember(&self, proof: Proof<'_>, session: &Session) {
        let Some(revision) = revision(session) else { return };
        let proof = proof.bytes().map(|(kind, bytes)| (kind, Zeroizing::new(bytes.to_vec())));
        let known = Known { proof, session: session.clone(), revision, since: Instant::now() };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        self.changed.notify_one();
    }

    /// Resolves when the session that the last credentials led to is ended from outside: its account is locked or removed,
    /// its sign-in is over, or an administrator ends it. Cancellation: safe.
    pub(crate) async fn ended(&self) {
        loop {
            let session = {
                let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.as_ref().map(|known| known.session.clone())
            };
            match session {
                Some(session) => tokio::select! {
                    biased;
                    () = session.ended() => return,
                    () = self.changed.notified() => {}
                },
                None => self.changed.notified().await,
            }
        }
    }
}

/// The revision of a session's account, if it has one; nothing once it has ended.
fn revision(session: &Session) -> Option<Option<u64>> {
    session.account().ok().map(|account| account.map(|account| account.revision))
}
