//! PUT and DELETE: from a request to a changed file.

use std::borrow::Cow;

use ::http::{HeaderName, HeaderValue, StatusCode};
use sockeye_node::{
    Committed, Condition, Digest, Error, FilePath, Kind, Meta, Recursive, Session, Timestamp,
    Upload, UploadOptions,
};

use crate::{
    answer::Answerer,
    content::{Content, Unread},
    refused::Unanswered,
    reply::{Reply, empty},
    serve::REPR_DIGEST,
    wire::{
        condition::{ETag, Guard, Validators, guard, needs_no_look},
        date::moment,
        digest,
        head::{Head, Once},
        target::Resource,
    },
};

/// What was written of an upload that was cut is kept from this size on, to be resumed over any protocol.
const WORTH_KEEPING: u64 = 1024 * 1024;

/// From this size on, and where a client waits to hear of it, what would fail in the end is found before the content
/// comes. Below, it costs more than it spares.
const WORTH_A_LOOK: u64 = 1024 * 1024;

/// The field by which clients of ownCloud's kind say when a file was changed, in seconds since the epoch.
const MTIME: HeaderName = HeaderName::from_static("x-oc-mtime");

fn refused(status: StatusCode, why: impl Into<Cow<'static, str>>) -> Unanswered {
    Unanswered::refused(status, why)
}

impl Answerer<'_> {
    /// Makes a file of the content, or replaces it (RFC 9110 §9.3.4).
    pub(crate) async fn put(
        &self,
        session: &Session,
        head: &Head<'_>,
        wanted: &Resource<'_>,
        content: &mut impl Content,
    ) -> Result<Reply, Unanswered> {
        let done = self.store(session, head, &wanted.path, content).await?;
        let status = if done.replaced { StatusCode::NO_CONTENT } else { StatusCode::CREATED };
        let mut reply = empty(status);
        reply.head.etag = Some(ETag::of(&done.meta));
        let modified = done.meta.modified.seconds;
        reply.head.modified = (modified <= self.now).then_some(modified);
        if self::modified(head).is_some() {
            reply.head.more.add(MTIME, HeaderValue::from_static("accepted"));
        }
        if head.fields.want_repr_digest.is_some_and(digest::wants_sha_256) {
            let digest = self.repr_digest(session, &wanted.path, done.meta.version()).await;
            digest.into_iter().for_each(|it| reply.head.more.add(REPR_DIGEST, it));
        }
        Ok(reply)
    }

    /// Makes a file of the content.
    pub(crate) async fn store(
        &self,
        session: &Session,
        head: &Head<'_>,
        path: &FilePath,
        content: &mut impl Content,
    ) -> Result<Committed, Unanswered> {
        let mut options = UploadOptions::default();
        options.length = content.length();
        options.digest = self.announced(head, content)?;
        let early = content.is_withheld() || options.length.is_none_or(|it| it > WORTH_A_LOOK);
        options.modified = modified(head);
        options.condition = condition(session, head, path, early).await?;
        let mut upload = session.upload(path, options).await?;
        if early && let Err(unanswered) = foresee(session, path).await {
            // What became of it is in the log; the answer tells why it came to that.
            let _ = upload.abort().await;
            return Err(unanswered);
        }
        match self.receive(&mut upload, content).await {
            Ok(()) => Ok(upload.commit().await?),
            Err(unanswered) => {
                let cut = matches!(unanswered, Unanswered::Unread(Unread::Cut(_)));
                let _ = match cut && upload.offset() >= WORTH_KEEPING {
                    true => upload.keep().await.map(drop),
                    false => upload.abort().await,
                };
                Err(unanswered)
            }
        }
    }

    /// Checks what the head announces of the content, and gives the digest that it must have.
    fn announced(
        &self,
        head: &Head<'_>,
        content: &impl Content,
    ) -> Result<Option<Digest>, Unanswered> {
        let fields = &head.fields;
        // A server that does not know partial PUT must not take one for a whole (§14.4).
        if fields.content_range.is_some() || fields.get("x-update-range") != Once::Missing {
            let why =
                "a PUT has a file's whole content: no Content-Range or X-Update-Range is taken";
            return Err(refused(StatusCode::BAD_REQUEST, why));
        }
        // Kept as it is, it would be sent to others without the word of how it is encoded (§8.4).
        if fields.content_encoding.is_some_and(|it| !it.eq_ignore_ascii_case(b"identity")) {
            let why = "a file's content is sent as it is, without a Content-Encoding";
            return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
        }
        let bodiless = content.is_at_end() && fields.content_length.one().is_none();
        if bodiless && head.minor_version.is_some() {
            let why = "a PUT says how long its content is, also if that is nothing";
            return Err(refused(StatusCode::LENGTH_REQUIRED, why));
        }
        if content.length().is_some_and(|length| self.is_too_large(length)) {
            return Err(self.too_large());
        }
        let digest = digest::announced(fields.content_digest, fields.repr_digest)
            .map_err(|error| refused(StatusCode::BAD_REQUEST, error.to_string()))?;
        Ok(digest.map(Digest::Sha256))
    }

    async fn receive(
        &self,
        upload: &mut Upload,
        content: &mut impl Content,
    ) -> Result<(), Unanswered> {
        while let Some(bytes) = content.next().await? {
            if self.is_too_large(upload.offset().saturating_add(bytes.len() as u64)) {
                return Err(self.too_large());
            }
            upload.write(bytes).await?;
        }
        Ok(())
    }

    fn is_too_large(&self, length: u64) -> bool {
        self.config.limits.upload.is_some_and(|most| length > most)
    }

    fn too_large(&self) -> Unanswered {
        let most = self.config.limits.upload.unwrap_or_default();
        refused(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {most} bytes are taken at once"))
    }

    /// Moves a file to the trash, or a folder with all that is in it (RFC 9110 §9.3.5, RFC 4918 §9.6).
    pub(crate) async fn delete(
        &self,
        session: &Session,
        head: &Head<'_>,
        wanted: &Resource<'_>,
    ) -> Result<Reply, Unanswered> {
        remove(session, head, wanted).await?;
        Ok(empty(StatusCode::NO_CONTENT))
    }
}

/// When the file was changed, as far as its sender says so in a way that is understood.
fn modified(head: &Head<'_>) -> Option<Timestamp> {
    head.fields.get(MTIME.as_str()).one().and_then(moment)
}

/// What must hold of the file at the commit, which is looked at if it `looks` or has to, by the request's conditions (RFC 9110 §13); 412 if they do not
/// hold even now.
async fn condition(
    session: &Session,
    head: &Head<'_>,
    path: &FilePath,
    looks: bool,
) -> Result<Condition, Unanswered> {
    let fields = &head.fields;
    let unseen = !looks && needs_no_look(fields);
    let there = if unseen { None } else { look(session, path).await? };
    guarded(head, there)
}

/// What must hold of the file at the change, if `there` is what is there now.
fn guarded(head: &Head<'_>, there: Option<Meta>) -> Result<Condition, Unanswered> {
    let file = there.filter(|meta| meta.kind == Kind::File);
    match guard(&head.fields, file.as_ref().map(Validators::of).as_ref()) {
        None => Err(mismatch()),
        Some(Guard::Any) => Ok(Condition::Any),
        Some(Guard::Absent) => Ok(Condition::Absent),
        Some(Guard::Present) => Ok(Condition::Present),
        Some(Guard::Unchanged) => Ok(file.map_or(Condition::Any, |it| Condition::Is(it.version()))),
    }
}

/// Finds what would keep a file from being put in its place.
async fn foresee(session: &Session, path: &FilePath) -> Result<(), Unanswered> {
    let kind = |meta: Option<Meta>| meta.map(|meta| meta.kind);
    let is_dropped = session.share().is_some();
    let parent = match path.parent() {
        // Who puts it into a drop box sees no more of it, and what folders are missing in it are made.
        Some(_) if is_dropped => kind(look(session, &FilePath::root()).await?),
        Some(parent) => kind(look(session, &parent).await?),
        None => None,
    };
    if parent != Some(Kind::Folder) {
        return Err(Error::NoParent.into());
    }
    match kind(look(session, path).await?) {
        Some(Kind::Folder) => Err(Error::WrongKind { expected: "a file, found a folder" }.into()),
        _ => Ok(()),
    }
}

async fn remove(
    session: &Session,
    head: &Head<'_>,
    wanted: &Resource<'_>,
) -> Result<(), Unanswered> {
    let there = look(session, &wanted.path).await?;
    let condition = guarded(head, there)?;
    let recursive = match there.map(|meta| meta.kind) {
        // `/file.txt/` names nothing.
        Some(Kind::File | Kind::Special) if wanted.folder => return Err(Error::NotFound.into()),
        Some(Kind::Folder) => Recursive::Yes,
        // A link that leads nowhere is there, and can be removed.
        _ => Recursive::No,
    };
    Ok(session.remove_if(&wanted.path, recursive, condition).await?)
}

/// What is there, if something is.
async fn look(session: &Session, path: &FilePath) -> Result<Option<Meta>, Unanswered> {
    match session.stat(path).await {
        Ok(meta) => Ok(Some(meta)),
        Err(Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn mismatch() -> Unanswered {
    refused(StatusCode::PRECONDITION_FAILED, "the file is not the one that the request expects")
}
