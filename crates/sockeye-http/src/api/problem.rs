//! Why a call was not answered: problem details (RFC 9457).

use std::borrow::Cow;

use ::http::StatusCode;
use bytes::Bytes;
use sockeye_node::accounts::ErrorKind;
use sockeye_node::{
    Error, FilePath,
    command::{Refusal, RefusalKind},
};

use super::kind::Kind;
use crate::{
    content::Unread,
    payload::Payload,
    refused::status_of,
    reply::{Reply, empty},
    site::Unwelcome,
    wire::method::Allowed,
};

/// Why a call was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    /// Which one it is, where the status alone does not say.
    kind: Option<Kind>,
    detail: Cow<'static, str>,
    retry_after: Option<u32>,
    /// What can be done there, if it is the method that cannot.
    allow: Option<Allowed>,
    /// Nothing more can be read from the connection.
    last: bool,
}

impl Problem {
    /// Nothing is there.
    pub(super) const NOT_FOUND: Self = Self {
        status: StatusCode::NOT_FOUND,
        kind: None,
        detail: Cow::Borrowed("there is nothing of that name"),
        retry_after: None,
        allow: None,
        last: false,
    };

    pub(super) fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = detail.into();
        Self { status, kind: None, detail, retry_after: None, allow: None, last: false }
    }

    /// The same, known to be of this kind.
    pub(super) fn of_kind(self, kind: impl Into<Option<Kind>>) -> Self {
        Self { kind: kind.into(), ..self }
    }

    /// Only these methods are taken there.
    pub(super) fn method(allowed: Allowed) -> Self {
        let detail = format!("not by this method, only by {}", allowed.text());
        Self { allow: Some(allowed), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, detail) }
    }

    /// What a call asks for makes no sense.
    pub(super) fn wrong(detail: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail.to_string())
    }

    /// What a call asks for is understood, and cannot be.
    pub(super) fn unfit(detail: impl ToString) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail.to_string())
    }

    /// The problem itself.
    pub(super) fn object(&self) -> serde_json::Value {
        serde_json::json!({
            "type": Kind::uri(self.kind),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        })
    }

    /// The reply. No challenge goes with it: it would have a browser ask for a password in a window of its own.
    pub(super) fn reply(&self) -> Reply {
        let text = Bytes::from(self.object().to_string());
        let mut reply = empty(self.status);
        reply.head.content_type = Some("application/problem+json".into());
        reply.head.length = Some(text.len() as u64);
        reply.head.cache_control = Some("no-store".into());
        reply.head.retry_after = self.retry_after;
        reply.head.allow = self.allow;
        reply.head.traits.last = self.last;
        reply.payload = Payload::Page(text);
        reply
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Ended => StatusCode::UNAUTHORIZED,
            Error::Exists => StatusCode::CONFLICT,
            Error::BadName { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            error => status_of(&FilePath::root(), error),
        };
        let busy = status == StatusCode::SERVICE_UNAVAILABLE;
        let detail = match status {
            StatusCode::INTERNAL_SERVER_ERROR => "the server failed; its log says why".to_owned(),
            _ => error.to_string(),
        };
        let kind = Kind::of(&error);
        Self { retry_after: busy.then_some(1), ..Self::new(status, detail).of_kind(kind) }
    }
}

impl From<sockeye_node::accounts::Error> for Problem {
    fn from(error: sockeye_node::accounts::Error) -> Self {
        let status = match error.kind() {
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Taken => StatusCode::CONFLICT,
            ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Denied => StatusCode::FORBIDDEN,
            ErrorKind::NoSpace => StatusCode::INSUFFICIENT_STORAGE,
            ErrorKind::Busy => StatusCode::SERVICE_UNAVAILABLE,
            _ => {
                tracing::error!(%error, "the accounts failed");
                let why = "the server failed; its log says why";
                return Self::new(StatusCode::INTERNAL_SERVER_ERROR, why);
            }
        };
        let kind = Kind::of_accounts(&error);
        Self::new(status, error.to_string()).of_kind(kind)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.kind {
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::Usage => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalKind::Denied => StatusCode::FORBIDDEN,
            RefusalKind::NoSpace => StatusCode::INSUFFICIENT_STORAGE,
            RefusalKind::Failed => StatusCode::CONFLICT,
        };
        Self::new(status, refusal.message)
    }
}

impl From<Unwelcome> for Problem {
    fn from(unwelcome: Unwelcome) -> Self {
        let kind = match &unwelcome {
            Unwelcome::Forged => Some(Kind::StalePage),
            Unwelcome::Failed(error) => Kind::of(error),
            _ => None,
        };
        let retry_after = unwelcome.retry_after();
        let problem = Self::new(unwelcome.status(), unwelcome.to_string()).of_kind(kind);
        Self { retry_after, ..problem }
    }
}

impl From<Unread> for Problem {
    fn from(unread: Unread) -> Self {
        let last = unread.ends_connection();
        Self { last, ..Self::new(unread.status(), unread.to_string()) }
    }
}
