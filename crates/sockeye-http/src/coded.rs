//! Contents in a coding that the client takes: a file that somebody made smaller beforehand, or what is made smaller
//! while it is sent.
//!
//! Parts of a file are always of the file as it is, never of a coding: a client that asks for a range, for a digest, or for
//! one certain state of the file gets that.

use ::http::{HeaderValue, StatusCode, header};
use bytes::{Bytes, BytesMut};
use sockeye_node::{Error, FilePath, Meta, Name, OpenFile, Range, Resource as Found, Session};

use crate::{
    answer::Answerer,
    compress::{LEAST, MOST},
    payload::Payload,
    reply::Reply,
    serve::content_type,
    wire::{
        coding::{Coding, accepted},
        condition::{Selection, Validators, select},
        head::Head,
        media,
        method::Method,
        reply::ReplyHead,
    },
};

impl Answerer<'_> {
    /// Whether a file of this name and size may be sent in another coding than none.
    pub(crate) fn varies_by_coding(&self, path: &FilePath, size: u64) -> bool {
        let config = self.config;
        (config.precompressed || config.compress && (LEAST..=MOST).contains(&size))
            && media::is_compressible(&content_type(path))
    }

    /// The codings in which a client takes this file.
    pub(crate) fn codings(&self, head: &Head<'_>, path: &FilePath, meta: &Meta) -> Vec<Coding> {
        let fields = &head.fields;
        let as_it_is = fields.accept_encoding.is_none()
            || fields.range.is_some()
            || fields.if_match.is_some()
            || fields.want_repr_digest.is_some();
        match !as_it_is && self.varies_by_coding(path, meta.size) {
            true => accepted(fields.accept_encoding),
            false => Vec::new(),
        }
    }

    /// Sends a file in the first of these codings that can be had; as it is, if none can.
    pub(crate) async fn send_coded(
        &self,
        session: &Session,
        head: &Head<'_>,
        path: &FilePath,
        file: OpenFile,
        codings: &[Coding],
    ) -> Result<Reply, Error> {
        if self.config.precompressed {
            for coding in codings {
                if let Some(sibling) = made_before(session, path, *coding, file.meta()).await? {
                    return self.send_sibling(head, path, sibling, *coding);
                }
            }
        }
        let shrinks = self.config.compress && (LEAST..=MOST).contains(&file.meta().size);
        match codings.first().filter(|_| shrinks) {
            Some(coding) => self.send_smaller(head, path, file, *coding).await,
            None => self.send_file(head, path, file),
        }
    }

    /// Sends what somebody made of a file beforehand.
    fn send_sibling(
        &self,
        head: &Head<'_>,
        path: &FilePath,
        sibling: OpenFile,
        coding: Coding,
    ) -> Result<Reply, Error> {
        let validators = Validators::of(sibling.meta()).coded(coding);
        let selected = select(head.method, &head.fields, &validators, self.now, 0);
        if selected == Selection::NotModified {
            return Ok(self.unmodified(&validators, path, coding));
        }
        let mut reply = self.coded_head(StatusCode::OK, &validators, path, coding);
        reply.length = Some(validators.size);
        let body = sibling.body(Range { offset: 0, length: validators.size })?;
        Ok(Reply { head: reply, payload: Payload::File(body) })
    }

    /// Makes a file smaller, and sends that.
    async fn send_smaller(
        &self,
        head: &Head<'_>,
        path: &FilePath,
        file: OpenFile,
        coding: Coding,
    ) -> Result<Reply, Error> {
        let plain = Validators::of(file.meta());
        let validators = plain.coded(coding);
        match select(head.method, &head.fields, &validators, self.now, 0) {
            Selection::Whole => {}
            Selection::NotModified => return Ok(self.unmodified(&validators, path, coding)),
            _ => return self.send_file(head, path, file),
        }
        let mut reply = self.coded_head(StatusCode::OK, &validators, path, coding);
        if head.method == Method::Head {
            // How long it would be is not worth the work.
            return Ok(Reply { head: reply, payload: Payload::Empty });
        }
        let content = read_whole(file).await?;
        let encoded = self.config.node_wide.compressor.encode(coding, content.clone()).await;
        let content = match encoded {
            Some(encoded) => encoded,
            None => {
                reply = self.describe(StatusCode::OK, &plain);
                self.set_type(&mut reply, path);
                content
            }
        };
        reply.length = Some(content.len() as u64);
        Ok(Reply { head: reply, payload: Payload::Page(content) })
    }

    fn unmodified(&self, validators: &Validators, path: &FilePath, coding: Coding) -> Reply {
        let mut reply = self.coded_head(StatusCode::NOT_MODIFIED, validators, path, coding);
        reply.content_type = None;
        Reply { head: reply, payload: Payload::Empty }
    }

    fn coded_head(
        &self,
        status: StatusCode,
        validators: &Validators,
        path: &FilePath,
        coding: Coding,
    ) -> ReplyHead {
        let mut reply = self.describe(status, validators);
        self.set_type(&mut reply, path);
        reply.traits.accept_ranges = false;
        if status != StatusCode::NOT_MODIFIED {
            say(&mut reply, coding);
        }
        reply
    }

    /// Makes a page of our own smaller, if the client takes that. What nobody is to keep is left alone: it may have a
    /// secret in it, of which its length must tell nothing.
    pub(crate) async fn shrink_page(&self, head: &Head<'_>, reply: &mut Reply) {
        let Payload::Page(page) = &reply.payload else { return };
        let length = page.len() as u64;
        let kept = reply.head.cache_control.as_deref().unwrap_or_default();
        let secret = kept.split(", ").any(|it| it == "no-store");
        let textual = reply.head.content_type.as_deref().is_some_and(media::is_compressible);
        if !self.config.compress || secret || !textual || !(LEAST..=MOST).contains(&length) {
            return;
        }
        if reply.head.status != StatusCode::OK || reply.head.traits.varies_by_coding {
            return;
        }
        reply.head.traits.varies_by_coding = true;
        let Some(coding) = accepted(head.fields.accept_encoding).first().copied() else { return };
        if head.method == Method::Head {
            reply.head.length = None;
            return say(&mut reply.head, coding);
        }
        if let Some(smaller) = self.config.node_wide.compressor.encode(coding, page.clone()).await {
            say(&mut reply.head, coding);
            reply.head.length = Some(smaller.len() as u64);
            reply.head.etag = reply.head.etag.map(|etag| etag.coded(coding));
            reply.payload = Payload::Page(smaller);
        }
    }
}

fn say(reply: &mut ReplyHead, coding: Coding) {
    reply.more.add(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
}

/// The file beside this one that has it in that coding, if there is one that is not older.
async fn made_before(
    session: &Session,
    path: &FilePath,
    coding: Coding,
    of: &Meta,
) -> Result<Option<OpenFile>, Error> {
    let name = [path.file_name().unwrap_or_default(), coding.suffix().as_bytes()].concat();
    let (Some(folder), Ok(name)) = (path.parent(), Name::parse(&name)) else { return Ok(None) };
    let Ok(beside) = folder.join(&name) else { return Ok(None) };
    let age = |meta: &Meta| (meta.modified.seconds, meta.modified.nanos);
    match session.find(&beside).await? {
        Some(Found::File(file)) if age(file.meta()) >= age(of) => Ok(Some(file)),
        _ => Ok(None),
    }
}

/// All of a file, which is at most [`MOST`] bytes long.
async fn read_whole(file: OpenFile) -> Result<Bytes, Error> {
    let length = file.meta().size;
    let mut body = file.body(Range { offset: 0, length })?;
    // By a link it may be one too many, which is to be told as such.
    body.begin().await?;
    let mut payload = Payload::File(body);
    let mut whole = BytesMut::with_capacity(usize::try_from(length).unwrap_or_default());
    while let Some(piece) = payload.next().await.map_err(Error::Io)? {
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}
