//! Resumable uploads: tus 1.0.0 at `/-/tus/`, with creation, creation-with-upload, creation-defer-length,
//! expiration, checksum (sha1, sha256, crc32) and termination.
//!
//! An upload is a partial of the store: it lies in the tree that its file will be in, another protocol can go on with it,
//! and whoever is at it excludes others. The file appears at its path with the last byte, under the rights, the quota
//! and the conditions of that moment. Nothing is kept here but who is at which upload ([`Turns`]).

mod create;
mod piece;
mod sum;
mod turn;

use std::time::SystemTime;

use ::http::{HeaderName, HeaderValue, StatusCode};
use sockeye_node::{Error, FilePath, Pending, Progress, Session, Timestamp, UploadKey};

pub(crate) use self::turn::Turns;
use crate::{
    answer::Answerer,
    content::{Content, Cut},
    own::Asked,
    refused::{failed, refuse, turn_away, unread},
    reply::{Reply, empty, error},
    site::Unwelcome,
    wire::{
        date::http_date,
        head::{Head, Once},
        method::{Allowed, Method},
        plan::Refusal,
        tus::{self, FieldError},
    },
};

/// What is taken below the prefix; each address takes some of it.
pub(crate) const METHODS: Allowed =
    COLLECTION.with(Method::Head).with(Method::Patch).with(Method::Delete);

/// What is taken at the prefix itself, where uploads are made.
const COLLECTION: Allowed = Allowed::of(&[Method::Post, Method::Options]);

/// What an upload takes: POST only with another method in X-HTTP-Method-Override.
const UPLOAD: Allowed =
    Allowed::of(&[Method::Head, Method::Patch, Method::Delete, Method::Options]);

/// Why a request did not do what it asks for.
enum Trouble {
    /// It asks for what cannot be, in itself or as things are.
    Refused(StatusCode, String),
    /// The method is not taken there.
    Method(Allowed),
    /// It is not known who asks.
    Unwelcome(Unwelcome),
    /// The session would not do it, at this path.
    Failed(Session, FilePath, Error),
    /// The upload is at another byte.
    Elsewhere(u64),
    /// Its content did not come.
    Cut(Cut),
}

impl From<FieldError> for Trouble {
    fn from(error: FieldError) -> Self {
        refused(StatusCode::BAD_REQUEST, error)
    }
}

impl From<Unwelcome> for Trouble {
    fn from(unwelcome: Unwelcome) -> Self {
        Self::Unwelcome(unwelcome)
    }
}

fn refused(status: StatusCode, why: impl ToString) -> Trouble {
    Trouble::Refused(status, why.to_string())
}

fn gone() -> Trouble {
    refused(StatusCode::GONE, "nobody went on with this upload for too long, and it was given up")
}

/// Answers a request at `/-/tus/`.
pub(crate) async fn answer(
    answerer: &Answerer<'_>,
    asked: &Asked<'_>,
    content: &mut impl Content,
) -> Reply {
    let done = carry_out(answerer, asked, content).await;
    let mut reply = done.unwrap_or_else(|trouble| tell(asked.head, trouble));
    set(&mut reply, "tus-resumable", tus::VERSION);
    reply
}

async fn carry_out(
    answerer: &Answerer<'_>,
    asked: &Asked<'_>,
    content: &mut impl Content,
) -> Result<Reply, Trouble> {
    let head = asked.head;
    let method = method(head);
    if method == Method::Options {
        return Ok(capabilities(answerer));
    }
    if !tus::is_spoken(&head.fields) {
        let why = format!("Tus-Resumable must be {}", tus::VERSION);
        return Err(refused(StatusCode::PRECONDITION_FAILED, why));
    }
    let is_collection = asked.below.is_root();
    match method {
        Method::Post if is_collection => create::create(answerer, head, content).await,
        Method::Head if !is_collection => look(answerer, asked).await,
        Method::Patch if !is_collection => piece::take(answerer, asked, content).await,
        Method::Delete if !is_collection => give_up(answerer, asked).await,
        _ => Err(Trouble::Method(if is_collection { COLLECTION } else { UPLOAD })),
    }
}

/// The method that is meant: some can only send POST.
fn method(head: &Head<'_>) -> Method {
    match (head.method, head.fields.get("x-http-method-override")) {
        (Method::Post, Once::One(name)) => Method::parse(name),
        (method, _) => method,
    }
}

/// What is spoken here.
fn capabilities(answerer: &Answerer<'_>) -> Reply {
    let mut reply = empty(StatusCode::NO_CONTENT);
    set(&mut reply, "tus-version", tus::VERSION);
    set(&mut reply, "tus-extension", tus::EXTENSIONS);
    let algorithms: Vec<_> = tus::ALGORITHMS.iter().map(|(name, ..)| *name).collect();
    set(&mut reply, "tus-checksum-algorithm", &algorithms.join(","));
    if let Some(most) = answerer.config.limits.upload {
        set(&mut reply, "tus-max-size", &most.to_string());
    }
    reply
}

/// The upload that is asked for.
fn key(asked: &Asked<'_>) -> Result<UploadKey, Trouble> {
    let text = str::from_utf8(asked.below.as_bytes()).ok();
    let key = text.and_then(|text| text.parse().ok());
    key.ok_or_else(|| refused(StatusCode::NOT_FOUND, "there is no such upload"))
}

/// What became of an upload.
async fn progress(session: &Session, key: &UploadKey) -> Result<Progress, Trouble> {
    session.upload_progress(key).await.map_err(|error| at_root(session, error))
}

fn at_root(session: &Session, error: Error) -> Trouble {
    Trouble::Failed(session.clone(), FilePath::root(), error)
}

/// Says how far an upload is.
///
/// Whoever hears that all of it came takes the file to be in its place, and asks no more. Where something kept it from
/// there (its folder was gone, a lock, the server's end), it goes there now, or the answer says why it cannot.
async fn look(answerer: &Answerer<'_>, asked: &Asked<'_>) -> Result<Reply, Trouble> {
    let session = answerer.session(asked.head).await?;
    let key = key(asked)?;
    let mut found = progress(&session, &key).await?;
    if let Progress::Pending(pending) = &found
        && pending.length == Some(pending.offset)
    {
        let path = pending.path.clone();
        match piece::finish(answerer, &session, &key).await {
            // Somebody else may have been faster.
            Ok(()) | Err(Error::NotFound) => found = progress(&session, &key).await?,
            Err(error) => return Err(Trouble::Failed(session, path, error)),
        }
    }
    let mut reply = empty(StatusCode::OK);
    reply.head.cache_control = Some("no-store".into());
    match found {
        Progress::Pending(pending) => {
            set(&mut reply, "upload-offset", &pending.offset.to_string());
            match pending.length {
                Some(length) => set(&mut reply, "upload-length", &length.to_string()),
                None => set(&mut reply, "upload-defer-length", "1"),
            }
            if let Some(note) = pending.note.as_deref().filter(|note| !note.is_empty()) {
                set(&mut reply, "upload-metadata", note);
            }
            set_expiry(&mut reply, pending.expires);
        }
        Progress::Committed(length) => {
            set(&mut reply, "upload-offset", &length.to_string());
            set(&mut reply, "upload-length", &length.to_string());
        }
        _ => return Err(gone()),
    }
    Ok(reply)
}

async fn give_up(answerer: &Answerer<'_>, asked: &Asked<'_>) -> Result<Reply, Trouble> {
    let session = answerer.session(asked.head).await?;
    let key = key(asked)?;
    let pending = pending(&session, &key).await?;
    match session.drop_upload(&key).await {
        Ok(()) => Ok(empty(StatusCode::NO_CONTENT)),
        Err(error) => Err(Trouble::Failed(session, pending.path, error)),
    }
}

/// An upload that can be gone on with.
async fn pending(session: &Session, key: &UploadKey) -> Result<Pending, Trouble> {
    match progress(session, key).await? {
        Progress::Pending(pending) => Ok(pending),
        Progress::Committed(length) => Err(Trouble::Elsewhere(length)),
        _ => Err(gone()),
    }
}

fn tell(head: &Head<'_>, trouble: Trouble) -> Reply {
    match trouble {
        Trouble::Refused(status, why) => {
            let mut reply = error(status, Some(&why), Some(head));
            if status == StatusCode::PRECONDITION_FAILED {
                set(&mut reply, "tus-version", tus::VERSION);
            }
            reply
        }
        Trouble::Method(allowed) => refuse(Refusal::Method(allowed), Some(head)),
        Trouble::Unwelcome(unwelcome) => turn_away(head, &unwelcome),
        Trouble::Failed(_, _, failure @ Error::InUse) => {
            error(StatusCode::LOCKED, Some(&failure), Some(head))
        }
        // The protocol has 412 for a version of its own that is not spoken.
        Trouble::Failed(_, _, failure @ Error::Exists) => {
            error(StatusCode::CONFLICT, Some(&failure), Some(head))
        }
        Trouble::Failed(_, _, failure @ Error::WrongLength { .. }) => {
            error(StatusCode::PAYLOAD_TOO_LARGE, Some(&failure), Some(head))
        }
        Trouble::Failed(session, path, failure) => failed(&session, head, &path, &failure),
        Trouble::Elsewhere(offset) => {
            let why = format!("the upload is at byte {offset}");
            let mut reply = error(StatusCode::CONFLICT, Some(&why), Some(head));
            set(&mut reply, "upload-offset", &offset.to_string());
            reply
        }
        Trouble::Cut(cut) => unread(head, cut.into()),
    }
}

/// Sets a field whose value is known to be one.
fn set(reply: &mut Reply, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.head.more.add(HeaderName::from_static(name), value);
    }
}

fn set_expiry(reply: &mut Reply, expires: SystemTime) {
    let date = http_date(Timestamp::from(expires).seconds);
    set(reply, "upload-expires", &String::from_utf8_lossy(&date));
}
