//! WebDAV (RFC 4918, classes 1, 2 and 3): what its methods do at a file or folder of a node.
//!
//! Everything is done by the session, which knows locks and rights; here a request is understood and an answer put
//! together. GET, PUT and DELETE are as without WebDAV, but for the If header ([`claim`]), which all methods honour.

pub(crate) mod claim;
mod find;
mod lock;
mod patch;
mod tree;

use ::http::{HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;
use sockeye_node::{Error, FilePath, Session};

use crate::{
    answer::Answerer,
    content::{Content, read_whole},
    payload::Payload,
    refused::{Unanswered, turn_away},
    reply::{Reply, empty},
    wire::{
        head::{Head, Once},
        method::Method,
        multistatus::{self, MEDIA_TYPE},
        reply::ReplyHead,
        target::Resource,
        webdav::{self, Depth},
        xml::XmlError,
    },
};

/// The longest content of a PROPPATCH, in bytes: longer than all the values that one resource can have.
const MAX_PATCH: usize = 2 * 1024 * 1024;

/// The longest content of any other method, in bytes.
const MAX_CONTENT: usize = 64 * 1024;

/// The classes of WebDAV that a node has, as its OPTIONS say (RFC 4918 §18).
const CLASSES: HeaderValue = HeaderValue::from_static("1, 2, 3");

/// What a request of WebDAV's asks.
struct Asked<'a> {
    session: &'a Session,
    head: &'a Head<'a>,
    wanted: &'a Resource<'a>,
    content: Bytes,
}

impl From<XmlError> for Unanswered {
    fn from(error: XmlError) -> Self {
        Self::refused(StatusCode::BAD_REQUEST, error.to_string())
    }
}

/// Answers a request of WebDAV's.
pub(crate) async fn answer(
    answerer: &Answerer<'_>,
    head: &Head<'_>,
    method: Method,
    wanted: &Resource<'_>,
    content: &mut impl Content,
) -> Reply {
    let session = match answerer.session(head).await {
        Ok(session) => session,
        Err(unwelcome) => return turn_away(head, &unwelcome),
    };
    let done = carry_out(&session, head, method, wanted, content).await;
    done.unwrap_or_else(|unanswered| unanswered.reply(&session, head, &wanted.path))
}

async fn carry_out(
    session: &Session,
    head: &Head<'_>,
    method: Method,
    wanted: &Resource<'_>,
    content: &mut impl Content,
) -> Result<Reply, Unanswered> {
    let most = if method == Method::PropPatch { MAX_PATCH } else { MAX_CONTENT };
    let content = read_whole(content, most).await?;
    let claimed = claim::submitting(session, head, wanted).await?;
    let session = claimed.as_ref().unwrap_or(session);
    let asked = Asked { session, head, wanted, content };
    match method {
        Method::PropFind => find::find(&asked).await,
        Method::PropPatch => patch::patch(&asked).await,
        Method::MkCol => tree::make(&asked).await,
        Method::Copy => tree::copy(&asked).await,
        Method::Move => tree::rename(&asked).await,
        Method::Lock => lock::lock(&asked).await,
        _ => lock::unlock(&asked).await,
    }
}

/// Says in the answer to OPTIONS that this is WebDAV. Windows looks for its own word as well ([MS-WDV] §2.2.1).
pub(crate) fn tell(reply: &mut Reply) {
    reply.head.more.add(HeaderName::from_static("dav"), CLASSES);
    let word = HeaderValue::from_static("DAV");
    reply.head.more.add(HeaderName::from_static("ms-author-via"), word);
}

/// That a lock keeps something off which was taken at `root`, by the condition that is not met (RFC 4918 §16); `asked`
/// is the address that the request was for.
pub(crate) fn locked(asked: &str, condition: &str, root: &FilePath) -> Reply {
    let href = multistatus::lock_root(asked, root);
    let inner = format!("<D:{condition}><D:href>{href}</D:href></D:{condition}>");
    xml(StatusCode::LOCKED, multistatus::unmet(&inner))
}

/// What says of a failure which room was missing (RFC 4331 §6). Whoever puts a file is told how much, in words.
pub(crate) fn no_room(failure: &Error) -> Option<&'static str> {
    match failure {
        Error::OverQuota { .. } => Some("<D:quota-not-exceeded/>"),
        Error::NoSpace => Some("<D:sufficient-disk-space/>"),
        _ => None,
    }
}

/// That a precondition is not met, which the element names (RFC 4918 §16).
pub(crate) fn unmet(status: StatusCode, element: &str) -> Reply {
    xml(status, multistatus::unmet(element))
}

fn xml(status: StatusCode, text: String) -> Reply {
    let mut head = ReplyHead::new(status);
    head.content_type = Some(MEDIA_TYPE.into());
    head.cache_control = Some("no-cache".into());
    head.length = Some(text.len() as u64);
    Reply { head, payload: Payload::Page(text.into()) }
}

impl Asked<'_> {
    /// The value of a field that may come once.
    fn field(&self, name: &str) -> Result<Option<&[u8]>, Unanswered> {
        match self.head.fields.get(name) {
            Once::Missing => Ok(None),
            Once::One(value) => Ok(Some(value)),
            Once::Several => Err(malformed("a field that may come once came several times")),
        }
    }

    /// What Depth says, or infinity, as RFC 4918 has it wherever a depth means something.
    fn depth(&self) -> Result<Depth, Unanswered> {
        match self.field("depth")? {
            None => Ok(Depth::Infinity),
            Some(text) => Depth::parse(text).ok_or_else(|| malformed("Depth is 0, 1 or infinity")),
        }
    }

    /// The authority that the request was made to.
    fn host(&self) -> Option<&[u8]> {
        authority(self.head, self.wanted)
    }
}

fn authority<'a>(head: &Head<'a>, wanted: &Resource<'a>) -> Option<&'a [u8]> {
    wanted.authority.or(head.fields.host.one())
}

fn malformed(why: &'static str) -> Unanswered {
    Unanswered::refused(StatusCode::BAD_REQUEST, why)
}

/// Something new was made, or what was there was changed.
fn done(is_new: bool) -> Reply {
    empty(if is_new { StatusCode::CREATED } else { StatusCode::NO_CONTENT })
}

impl From<webdav::Elsewhere> for Unanswered {
    fn from(elsewhere: webdav::Elsewhere) -> Self {
        match elsewhere {
            webdav::Elsewhere::Malformed => malformed("Destination is no URL of a file or folder"),
            webdav::Elsewhere::Foreign => {
                Self::refused(StatusCode::BAD_GATEWAY, "Destination is of another server")
            }
        }
    }
}
