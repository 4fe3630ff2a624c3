//! Serving what a path names: a file, or the part of it that is asked for; what stands for a folder, or its listing.

use std::{
    borrow::Cow,
    hash::{BuildHasher, RandomState},
    time::SystemTime,
};

use ::http::{HeaderName, HeaderValue, StatusCode, header};
use sockeye_node::{
    Algorithm, Digest, Error, FileBody, FilePath, OpenFile, Range, Resource as Found, Session,
    Version,
};

use crate::{
    answer::Answerer,
    archive,
    page::ALL,
    payload::{PartsBody, Payload},
    reply::{Reply, error},
    wire::{
        condition::{Selection, Validators, select},
        digest, disposition,
        head::Head,
        media, parts, query,
        reply::{ContentRange, ReplyHead},
        target::{Resource, url_path},
    },
};

/// The query by which a file is sent to be saved, under its name (RFC 6266).
const DOWNLOAD: &str = "download";

/// Largest file, in bytes, whose digest is computed while a client waits for it.
pub(crate) const DIGESTED_AT_ONCE: u64 = 64 << 20;

/// Repr-Digest (RFC 9530 §3).
pub(crate) const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// A file, where it lies and what it is called: what is shared alone lies at the root of its link.
#[derive(Debug)]
pub(crate) struct Called<'a> {
    pub(crate) path: &'a FilePath,
    pub(crate) name: &'a FilePath,
    pub(crate) file: OpenFile,
}

impl Answerer<'_> {
    /// Sends the file or the folder that a path names. `base` is the address of the root that the path is below, with a
    /// slash at its end, if that is not the site's.
    pub(crate) async fn serve(
        &self,
        session: &Session,
        head: &Head<'_>,
        wanted: &Resource<'_>,
        base: Option<&str>,
    ) -> Result<Reply, Error> {
        if wanted.folder {
            return self.serve_folder(session, head, wanted, base).await;
        }
        match session.open(&wanted.path).await? {
            Found::File(file) => {
                let path = &wanted.path;
                self.send(session, head, wanted.query, Called { path, name: path, file }).await
            }
            Found::Folder(_) => Ok(redirect(head, wanted, base)),
        }
    }

    /// The index file first, for the public: it is what most folders are asked for, and the folder itself need not be
    /// readable for it.
    async fn serve_folder(
        &self,
        session: &Session,
        head: &Head<'_>,
        wanted: &Resource<'_>,
        base: Option<&str>,
    ) -> Result<Reply, Error> {
        if archive::is_asked(wanted.query) && self.config.listing {
            return Box::pin(self.send_archive(session, head, wanted)).await;
        }
        // Who has an account, has a link, or asks for all entries, wants the folder. What somebody else has put into it must
        // not stand there instead, and speak as the site.
        let wants_folder =
            query::has(wanted.query, ALL) || base.is_some() || session.account()?.is_some();
        let index = if wants_folder { &[][..] } else { &self.config.index };
        for name in index {
            let Ok(path) = wanted.path.join(name) else { continue };
            if let Some(Found::File(file)) = session.find(&path).await? {
                let called = Called { path: &path, name: &path, file };
                return self.send(session, head, wanted.query, called).await;
            }
        }
        match session.open(&wanted.path).await? {
            // `/file.txt/` names nothing.
            Found::File(_) => Err(Error::NotFound),
            Found::Folder(_) if !self.config.listing => Err(Error::Denied),
            Found::Folder(folder) => {
                self.list(session, head, wanted, folder, base.map(str::to_owned)).await
            }
        }
    }

    /// Sends a file, with what was asked for beside.
    pub(crate) async fn send(
        &self,
        session: &Session,
        head: &Head<'_>,
        query: Option<&[u8]>,
        Called { path, name, file }: Called<'_>,
    ) -> Result<Reply, Error> {
        let (version, size) = (file.meta().version(), file.meta().size);
        let codings = self.codings(head, name, file.meta());
        let mut reply = match codings.is_empty() {
            true => self.send_file(head, name, file)?,
            // On the heap: few files are sent so, and all would carry its size.
            false => Box::pin(self.send_coded(session, head, name, file, &codings)).await?,
        };
        let status = reply.head.status;
        let chosen = status.is_success() || status == StatusCode::NOT_MODIFIED;
        reply.head.traits.varies_by_coding = chosen && self.varies_by_coding(name, size);
        let digested = head.fields.want_repr_digest.is_some_and(digest::wants_sha_256);
        if digested && reply.head.status.is_success() {
            let digest = self.repr_digest(session, path, version);
            // On the heap: few requests want it, and all would carry its size.
            if let Some(digest) = Box::pin(digest).await {
                reply.head.more.add(REPR_DIGEST, digest);
            }
        }
        let saved = query::has(query, DOWNLOAD);
        // What the address does not call by its name is called so here.
        if saved || path != name {
            let name = name.file_name().unwrap_or_default();
            let called =
                if saved { disposition::attachment(name) } else { disposition::inline(name) };
            if let Ok(called) = HeaderValue::try_from(called) {
                reply.head.more.add(header::CONTENT_DISPOSITION, called);
            }
        }
        Ok(reply)
    }

    /// Repr-Digest of a file that was opened as this version: none if it is not known and the file is too large to wait
    /// for, which a node then computes when it has nothing else to do; or if it was changed meanwhile.
    pub(crate) async fn repr_digest(
        &self,
        session: &Session,
        path: &FilePath,
        version: Version,
    ) -> Option<HeaderValue> {
        let digest = session.digest_of(path, version, Algorithm::Sha256, DIGESTED_AT_ONCE).await;
        match digest {
            Ok(Some(Digest::Sha256(digest))) => {
                HeaderValue::from_str(&digest::repr_digest(&digest)).ok()
            }
            _ => None,
        }
    }

    pub(crate) fn send_file(
        &self,
        head: &Head<'_>,
        path: &FilePath,
        file: OpenFile,
    ) -> Result<Reply, Error> {
        let validators = Validators::of(file.meta());
        let size = validators.size;
        let max = self.config.limits.ranges;
        let (status, payload, range) =
            match select(head.method, &head.fields, &validators, self.now, max) {
                Selection::Whole => {
                    let whole = Range { offset: 0, length: size };
                    (StatusCode::OK, Payload::File(file.body(whole)?), None)
                }
                Selection::Part(part) => {
                    let range = ContentRange::Part(part, size);
                    (StatusCode::PARTIAL_CONTENT, Payload::File(file.body(part)?), Some(range))
                }
                Selection::Parts(ranges) => {
                    return self.send_parts(path, file, &validators, &ranges);
                }
                Selection::NotModified => (StatusCode::NOT_MODIFIED, Payload::Empty, None),
                Selection::PreconditionFailed => {
                    return Ok(error(StatusCode::PRECONDITION_FAILED, None, Some(head)));
                }
                Selection::Unsatisfiable => return Ok(unsatisfiable(head, &validators)),
            };
        let mut reply = self.describe(status, &validators);
        reply.content_range = range;
        if let Payload::File(body) = &payload {
            self.set_type(&mut reply, path);
            reply.length = Some(body.remaining());
        }
        Ok(Reply { head: reply, payload })
    }

    /// Says of what type a file is, by its name.
    pub(crate) fn set_type(&self, reply: &mut ReplyHead, path: &FilePath) {
        let media = content_type(path);
        // Whoever reads a folder that is open to all has nothing that a page in it could take.
        reply.traits.sandboxed = self.site.is_node() && media::is_active(&media);
        reply.content_type = Some(media);
    }

    fn send_parts(
        &self,
        path: &FilePath,
        file: OpenFile,
        validators: &Validators,
        ranges: &[Range],
    ) -> Result<Reply, Error> {
        let boundary = boundary();
        let parts = parts::lay_out(ranges, validators.size, &content_type(path), &boundary);
        let mut head = self.describe(StatusCode::PARTIAL_CONTENT, validators);
        head.content_type = Some(format!("multipart/byteranges; boundary={boundary}").into());
        head.length = Some(parts.length);
        let nothing: FileBody = file.body(Range { offset: 0, length: 0 })?;
        Ok(Reply { head, payload: Payload::Parts(Box::new(PartsBody::new(nothing, parts))) })
    }

    /// The head fields that every reply about this file has.
    pub(crate) fn describe(&self, status: StatusCode, file: &Validators) -> ReplyHead {
        let mut head = ReplyHead::new(status);
        head.etag = Some(file.etag);
        // Never later than Date (RFC 9110 §8.8.2.1).
        head.modified = (file.modified <= self.now).then_some(file.modified);
        head.cache_control.clone_from(&self.config.cache_control);
        head.traits.accept_ranges = true;
        head
    }
}

pub(crate) fn unsatisfiable(head: &Head<'_>, file: &Validators) -> Reply {
    let mut reply = error(StatusCode::RANGE_NOT_SATISFIABLE, None, Some(head));
    reply.head.content_range = Some(ContentRange::Unsatisfied(file.size));
    reply.head.traits.accept_ranges = true;
    reply
}

/// To the same address with a slash at its end, so that relative links in the folder work.
fn redirect(head: &Head<'_>, wanted: &Resource<'_>, base: Option<&str>) -> Reply {
    let below = url_path(&wanted.path, true);
    let mut location = base.map_or("", |base| base.trim_end_matches('/')).as_bytes().to_vec();
    location.extend_from_slice(below.as_bytes());
    if let Some(query) = wanted.query {
        location.push(b'?');
        location.extend_from_slice(query);
    }
    let mut reply = error(StatusCode::MOVED_PERMANENTLY, None, Some(head));
    reply.head.location = Some(location);
    reply.head.cache_control = Some(Cow::Borrowed("no-cache"));
    reply
}

pub(crate) fn content_type(path: &FilePath) -> Cow<'static, str> {
    media::content_type(path.file_name().unwrap_or_default())
}

/// Not to be guessed, so that no file can be made to contain it.
fn boundary() -> String {
    // The keys are the system's randomness; forked children share them, and so more goes in.
    let here = (std::process::id(), SystemTime::now());
    let [a, b] = [0, 1].map(|n: u8| RandomState::new().hash_one((n, here)));
    format!("{a:016x}{b:016x}")
}
