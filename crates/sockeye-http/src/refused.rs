//! What is not done, and the replies to it: whoever asks is unknown, has no right, asks for what cannot be, or what was
//! sent did not come. Below `/-/api/` the same is told in that API's own form.

use std::{borrow::Cow, time::Duration};

use ::http::StatusCode;
use sockeye_node::{Error, FilePath, Session};

use crate::{
    content::{Cut, Unread},
    dav,
    page::Told,
    reply::{Reply, error},
    site::Unwelcome,
    wire::{
        accept::{self, Form},
        authorization::{self, Challenge},
        head::Head,
        method::{Allowed, Method},
        plan::Refusal,
        target::{self, sign_in_url, url_path},
    },
};

/// Why a session's request is not answered with what it asks for.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// It is malformed, or asks for what cannot be, in itself or as things are.
    Refused(StatusCode, Cow<'static, str>),
    /// A precondition of WebDAV's is not met; an element that names it.
    Unmet(StatusCode, &'static str),
    /// The session would not do it.
    Failed(Error),
    /// Its content did not come, or is too much.
    Unread(Unread),
}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Unread> for Unanswered {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}

impl From<Cut> for Unanswered {
    fn from(cut: Cut) -> Self {
        Self::Unread(cut.into())
    }
}

impl Unanswered {
    pub(crate) fn refused(status: StatusCode, why: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused(status, why.into())
    }

    /// The reply; `path` is what the session was asked about.
    pub(crate) fn reply(&self, session: &Session, head: &Head<'_>, path: &FilePath) -> Reply {
        match self {
            Self::Refused(status, why) => error(*status, Some(why), Some(head)),
            Self::Unmet(status, element) => dav::unmet(*status, element),
            Self::Failed(failure) => failed(session, head, path, failure),
            Self::Unread(cause) => unread(head, *cause),
        }
    }
}

/// A reply to what is refused before any file is looked for; `head` where it could be read.
pub(crate) fn refuse(refusal: Refusal, head: Option<&Head<'_>>) -> Reply {
    let taken = match refusal {
        Refusal::Method(allowed) => Some(OnlyTaken::of(allowed, head)),
        _ => None,
    };
    let detail: Option<&dyn Told> = match &refusal {
        Refusal::Target(error) => Some(error),
        Refusal::Framing(error) => Some(error),
        Refusal::Content(error) => Some(error),
        Refusal::Authorization(error) => Some(error),
        Refusal::Host => Some(&"the request needs exactly one well-formed Host header"),
        Refusal::Method(_) => taken.as_ref().map(|taken| taken as &dyn Told),
        _ => None,
    };
    let mut reply = error(refusal.status(), detail, head);
    if let Refusal::Method(allowed) = refusal {
        reply.head.allow = Some(allowed);
    }
    if let (StatusCode::UNAUTHORIZED, Some(head)) = (reply.head.status, head) {
        reply.head.traits.challenge = Challenge::of(&head.fields);
    }
    reply.head.traits.last = refusal.ends_connection();
    reply
}

/// Which methods are taken where another one came, so that it is also told to who sees no headers.
pub(crate) struct OnlyTaken {
    pub(crate) methods: Allowed,
    /// Whether it came as a form, or a program, sends a file to a page that takes some.
    pub(crate) is_posted: bool,
}

impl OnlyTaken {
    fn of(methods: Allowed, head: Option<&Head<'_>>) -> Self {
        // Of files and folders alone.
        let puts = methods.contains(Method::PropFind);
        let is_posted = puts && head.is_some_and(|head| head.method == Method::Post);
        Self { methods, is_posted }
    }
}

/// What keeps a file from being put where it should go, with the request that makes room for it.
pub(crate) enum Hindrance {
    /// The folder is not there; its address.
    NoFolder(String),
    /// A folder has that name; its address.
    IsFolder(String),
}

impl Hindrance {
    /// What it is, if a file was to be put and a request by the same address is the way out.
    fn of(session: &Session, head: &Head<'_>, path: &FilePath, failure: &Error) -> Option<Self> {
        // By a link, no folders are made, and the addresses are other ones.
        if head.method != Method::Put || session.share().is_some() {
            return None;
        }
        match failure {
            Error::NoParent => Some(Self::NoFolder(url_path(&path.parent()?, true))),
            Error::WrongKind { .. } => Some(Self::IsFolder(url_path(path, true))),
            _ => None,
        }
    }
}

/// A reply to a content that was not read whole.
pub(crate) fn unread(head: &Head<'_>, unread: Unread) -> Reply {
    let mut reply = error(unread.status(), Some(&unread), Some(head));
    reply.head.traits.last = unread.ends_connection();
    reply
}

/// A reply to who has no session.
pub(crate) fn turn_away(head: &Head<'_>, unwelcome: &Unwelcome) -> Reply {
    if let (Unwelcome::Stranger, Some(next)) = (unwelcome, page_asked_for(head)) {
        let mut reply = error(StatusCode::SEE_OTHER, None, Some(head));
        reply.head.location = Some(sign_in_url(&next).into_bytes());
        reply.head.cache_control = Some(Cow::Borrowed("no-store"));
        return reply;
    }
    let status = unwelcome.status();
    let detail: Option<&dyn Told> = match unwelcome {
        Unwelcome::Failed(_) => None,
        told => Some(told),
    };
    let mut reply = error(status, detail, Some(head));
    reply.head.retry_after = unwelcome.retry_after();
    if status == StatusCode::UNAUTHORIZED {
        reply.head.traits.challenge = Challenge::of(&head.fields);
    }
    reply
}

/// The address that somebody at a browser goes to, if that is what the request is: no program asks for HTML in the
/// first place, and what a page asks for by itself is told from where its reader goes.
fn page_asked_for(head: &Head<'_>) -> Option<String> {
    let reads = matches!(head.method, Method::Get | Method::Head);
    let form = accept::form(head.fields.accept, &[Form::Text, Form::Html, Form::Json]);
    let goes = reads && form == Form::Html && !authorization::is_of_script(&head.fields);
    if goes { target::address(head.target) } else { None }
}

/// Whole seconds to wait, rounded up, so that who waits as long is not told to wait again.
pub(crate) fn retry_after(wait: Duration) -> u32 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// A reply to what the session would not do.
pub(crate) fn failed(
    session: &Session,
    head: &Head<'_>,
    path: &FilePath,
    failure: &Error,
) -> Reply {
    // Whoever has not signed in may have the right to it.
    let signs_in = session.origin().is_some() && session.share().is_none();
    let stranger = || signs_in && matches!(session.account(), Ok(None));
    if signs_in && matches!(failure, Error::Ended) || matches!(failure, Error::Denied) && stranger()
    {
        return turn_away(head, &Unwelcome::Stranger);
    }
    if let Error::Locked { root } = failure {
        return dav::locked(&url_path(path, false), "lock-token-submitted", root);
    }
    if head.method.is_dav()
        && let Some(element) = dav::no_room(failure)
    {
        return dav::unmet(StatusCode::INSUFFICIENT_STORAGE, element);
    }
    let status = status_of(path, failure);
    let changes = head.method.changes() && !matches!(failure, Error::Io(_) | Error::NotFound);
    let hindrance = Hindrance::of(session, head, path, failure);
    let told = hindrance.as_ref().map_or(failure as &dyn Told, |hindrance| hindrance);
    let mut reply = error(status, changes.then_some(told), Some(head));
    reply.head.retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
    reply
}

/// The status of what the session would not do.
pub(crate) fn status_of(path: &FilePath, failure: &Error) -> StatusCode {
    match failure {
        Error::NotFound => StatusCode::NOT_FOUND,
        Error::Denied | Error::Special | Error::IntoItself => StatusCode::FORBIDDEN,
        Error::Exhausted | Error::Ended => StatusCode::GONE,
        Error::BadName { .. } | Error::WrongLength { .. } | Error::WrongDigest { .. } => {
            StatusCode::BAD_REQUEST
        }
        Error::Changed => StatusCode::PRECONDITION_FAILED,
        Error::WrongKind { .. } | Error::NoParent | Error::NotEmpty | Error::InUse => {
            StatusCode::CONFLICT
        }
        // Only one condition can meet it.
        Error::Exists => StatusCode::PRECONDITION_FAILED,
        Error::Locked { .. } => StatusCode::LOCKED,
        Error::OverQuota { .. } | Error::BoxFull | Error::NoSpace | Error::TooManyMarks { .. } => {
            StatusCode::INSUFFICIENT_STORAGE
        }
        Error::Busy | Error::ReadOnly { .. } => StatusCode::SERVICE_UNAVAILABLE,
        other => {
            tracing::error!(%path, error = %other, "a request failed");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}
