//! A folder as a ZIP archive, made while it is sent.
//!
//! What lies below the folder is looked at first ([`Plan`]): that gives the archive's length, its tag and where everything is,
//! so that any stretch of it can be sent, and a download that broke goes on. The files are read, and their CRCs
//! computed, only as they are sent ([`Body`]). If one is no longer what the plan has, the answer breaks off.

mod body;
mod plan;

use std::{io, sync::Arc, time::Duration};

use ::http::{HeaderValue, StatusCode, header};
use futures_util::stream;
use sockeye_node::{Error, Name, Range, Session};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::{body::Body, plan::Plan};
use crate::{
    answer::Answerer,
    payload::{Payload, StreamBody},
    reply::{Reply, error},
    serve::unsatisfiable,
    wire::{
        condition::{Selection, select},
        disposition, escape,
        head::Head,
        method::Method,
        reply::ContentRange,
        target::Resource,
    },
};

/// The query that asks for a folder as an archive, alone or before the names that are wanted: `zip&name=a&name=b`.
const QUERY: &[u8] = b"zip";

/// What goes before each name.
const NAME: &[u8] = b"name=";

/// Whether a query asks for an archive.
pub(crate) fn is_asked(query: Option<&[u8]>) -> bool {
    query.is_some_and(|query| {
        let first = query.split(|&b| b == b'&').next().unwrap_or_default();
        // A form's button has a value, which is empty.
        first.strip_suffix(b"=").unwrap_or(first) == QUERY
    })
}

/// The names that a query for an archive wants of the folder; none if all are wanted. What no name can be has none, as
/// what is not there.
fn names(query: Option<&[u8]>) -> Option<Vec<Name>> {
    let parts = query.unwrap_or_default().split(|&b| b == b'&').skip(1);
    let mut texts = parts.filter_map(|part| part.strip_prefix(NAME)).peekable();
    texts.peek()?;
    Some(texts.filter_map(|text| Name::parse(&escape::decode(text)?).ok()).collect())
}

/// How long an archive waits until others have been looked through.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of memory that all archives which are being sent may take together.
const ARCHIVES: usize = 256 << 20;

/// The memory that plans of archives take together.
#[derive(Debug)]
pub(crate) struct Room(Arc<Semaphore>);

/// What is counted at once.
const UNIT: usize = 1024;

impl Default for Room {
    fn default() -> Self {
        Self::new(ARCHIVES)
    }
}

impl Room {
    /// Room for so many bytes.
    fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / UNIT).min(Semaphore::MAX_PERMITS))))
    }

    /// Waits for so much of it, but not for long.
    async fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Error> {
        let units = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX);
        let taking = Arc::clone(&self.0).acquire_many_owned(units);
        match tokio::time::timeout(PATIENCE, taking).await {
            Ok(Ok(taken)) => Ok(taken),
            _ => Err(Error::Busy),
        }
    }
}

/// Gives back what is not needed of it.
fn shrink(room: &mut OwnedSemaphorePermit, needed: usize) {
    let surplus = room.num_permits().saturating_sub(needed / UNIT + 1);
    drop(room.split(surplus));
}

impl Answerer<'_> {
    /// Sends a folder as an archive.
    pub(crate) async fn send_archive(
        &self,
        session: &Session,
        head: &Head<'_>,
        wanted: &Resource<'_>,
    ) -> Result<Reply, Error> {
        let plan = match self.plan_archive(session, wanted).await {
            Err(failure @ Error::TooManyEntries { .. }) => {
                return Ok(error(StatusCode::FORBIDDEN, Some(&failure), Some(head)));
            }
            // `/file.txt/` names nothing.
            Err(Error::WrongKind { .. }) => return Err(Error::NotFound),
            plan => plan?,
        };
        let validators = plan.validators();
        let size = validators.size;
        let whole = Range { offset: 0, length: size };
        // Several ranges of an archive serve nobody: they are answered with the whole (RFC 9110 §14.2).
        let (status, part) = match select(head.method, &head.fields, &validators, self.now, 1) {
            Selection::Whole | Selection::Parts(_) => (StatusCode::OK, whole),
            Selection::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
            Selection::NotModified => (StatusCode::NOT_MODIFIED, whole),
            Selection::PreconditionFailed => {
                return Ok(error(StatusCode::PRECONDITION_FAILED, None, Some(head)));
            }
            Selection::Unsatisfiable => return Ok(unsatisfiable(head, &validators)),
        };
        let mut reply = Reply { head: self.describe(status, &validators), payload: Payload::Empty };
        if status == StatusCode::NOT_MODIFIED {
            return Ok(reply);
        }
        // By a link it is one download, which is counted while it can still be refused.
        let session = match head.method {
            Method::Get => session.as_one_download(plan.hash(), size, part).await?,
            _ => session.clone(),
        };
        if status == StatusCode::PARTIAL_CONTENT {
            reply.head.content_range = Some(ContentRange::Part(part, size));
        }
        reply.head.content_type = Some("application/zip".into());
        reply.head.length = Some(part.length);
        let name = disposition::attachment(&plan.file_name());
        if let Ok(name) = HeaderValue::try_from(name) {
            reply.head.more.add(header::CONTENT_DISPOSITION, name);
        }
        let body = Body::new(plan, session, part);
        let pieces = stream::try_unfold(body, |mut body| async move {
            let piece = body.next().await.map_err(io::Error::from)?;
            Ok(piece.map(|piece| (piece, body)))
        });
        reply.payload = Payload::Stream(StreamBody::new(Some(part.length), pieces));
        Ok(reply)
    }

    async fn plan_archive(&self, session: &Session, wanted: &Resource<'_>) -> Result<Plan, Error> {
        let most = self.config.limits.archive.min(ARCHIVES);
        let room = self.config.node_wide.archives.take(most).await?;
        let tree = session.tree(&wanted.path, names(wanted.query), most).await?;
        let account = session.account()?;
        let shared = session.share().and_then(|share| share.path.as_str().rsplit('/').next());
        let own = account.as_ref().map(|account| account.name.as_str());
        let root = shared.or(own).unwrap_or("files");
        Ok(Plan::new(wanted.path.clone(), root.as_bytes(), tree, room))
    }
}
