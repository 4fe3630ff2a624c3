//! PROPFIND (RFC 4918 §9.1): a resource's properties, and those of what lies in it.
//!
//! A folder of any size is answered in bounded memory: what one look at it gave is written and sent before the next.

use std::io;

use ::http::StatusCode;
use bytes::Bytes;
use futures_util::stream;
use sockeye_node::{Entry, Error, FilePath, Kind, Listing, Meta, Name, Session};

use super::{Asked, xml};
use crate::{
    payload::{Payload, StreamBody},
    refused::Unanswered,
    reply::Reply,
    wire::{
        escape::encode_into,
        media,
        multistatus::{BEGIN, END, Facts, Wanted},
        target::url_path,
        webdav::{Depth, PropFind},
    },
};

/// An answer up to this size is put together before it is sent, so that it has a length.
const WHOLE: usize = 256 * 1024;

/// Entries whose properties are fetched at once.
const GROUP: usize = 128;

/// Answers a PROPFIND.
pub(super) async fn find(asked: &Asked<'_>) -> Result<Reply, Unanswered> {
    let depth = asked.depth()?;
    if depth == Depth::Infinity {
        return Err(Unanswered::Unmet(StatusCode::FORBIDDEN, "<D:propfind-finite-depth/>"));
    }
    let wanted = Wanted::new(PropFind::parse(&asked.content)?);
    let (session, path) = (asked.session, &asked.wanted.path);
    let meta = session.stat(path).await?;
    let is_folder = match meta.kind {
        // `/file.txt/` names nothing.
        Kind::File if asked.wanted.folder => return Err(Error::NotFound.into()),
        Kind::File => false,
        Kind::Folder => true,
        Kind::Special => return Err(Error::Special.into()),
    };
    let quota = match wanted.quota && is_folder {
        true => quota(session, path).await?,
        false => None,
    };
    let mut walk = Walk {
        session: session.clone(),
        wanted,
        href: url_path(path, is_folder),
        folder: path.clone(),
        listing: None,
        quota,
    };
    let mut out = String::from(BEGIN);
    walk.itself(&mut out, &meta).await?;
    if is_folder && depth == Depth::One {
        walk.listing = Some(session.list(path).await?);
    }
    while out.len() < WHOLE {
        if !walk.next(&mut out).await? {
            out.push_str(END);
            return Ok(xml(StatusCode::MULTI_STATUS, out));
        }
    }
    let mut reply = xml(StatusCode::MULTI_STATUS, String::new());
    reply.head.length = None;
    let first = Some(Bytes::from(out));
    let pieces = stream::try_unfold((Some(walk), first), |(walk, first)| async {
        let Some(mut walk) = walk else { return Ok(None) };
        if let Some(first) = first {
            return Ok(Some((first, (Some(walk), None))));
        }
        let mut out = String::new();
        let more = walk.next(&mut out).await.map_err(io::Error::from)?;
        if !more {
            out.push_str(END);
        }
        Ok(Some((Bytes::from(out), (more.then_some(walk), None))))
    });
    reply.payload = Payload::Stream(StreamBody::new(None, pieces));
    Ok(reply)
}

/// Bytes that may still come to where a folder lies, if there is a limit, and bytes that there are.
async fn quota(session: &Session, path: &FilePath) -> Result<Option<(Option<u64>, u64)>, Error> {
    match session.space(path).await {
        Ok(space) => {
            let used = space.bytes.saturating_sub(space.trash.bytes);
            Ok(Some((space.available_bytes(), used)))
        }
        // Whoever may not list it, and what has no space of its own.
        Err(Error::Denied | Error::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A folder on its way to the client.
struct Walk {
    session: Session,
    wanted: Wanted,
    /// The folder's address, with a slash at its end.
    href: String,
    folder: FilePath,
    /// What lies in it, if that is asked for.
    listing: Option<Listing>,
    quota: Option<(Option<u64>, u64)>,
}

impl Walk {
    /// Writes the response about the resource itself.
    async fn itself(&self, out: &mut String, meta: &Meta) -> Result<(), Error> {
        let properties = self.session.properties(&self.folder).await?;
        let locks = self.session.locks_at(&self.folder).await?;
        let media = media::content_type(self.folder.file_name().unwrap_or_default());
        let (properties, locks, quota) = (&properties[..], &locks[..], self.quota);
        let facts = Facts { href: &self.href, meta, media: &media, properties, locks, quota };
        self.wanted.write(out, &facts);
        Ok(())
    }

    /// Writes the next responses; `false` at the end.
    async fn next(&mut self, out: &mut String) -> Result<bool, Error> {
        let Some(listing) = &mut self.listing else { return Ok(false) };
        let Some(entries) = listing.next().await? else {
            self.listing = None;
            return Ok(false);
        };
        out.reserve(entries.len() * 640);
        let mut href = self.href.clone();
        let (has_properties, has_locks) = self.session.has_marks(&self.folder).await?;
        for group in entries.chunks(GROUP) {
            let mut properties = Vec::new();
            if has_properties {
                let names: Vec<Name> = group.iter().map(|entry| entry.name.clone()).collect();
                properties = self.session.properties_in(&self.folder, &names).await?;
            }
            for (at, entry) in group.iter().enumerate() {
                let locks = match (has_locks, self.folder.join(&entry.name)) {
                    (true, Ok(path)) => self.session.locks_at(&path).await?,
                    _ => Vec::new(),
                };
                let properties = properties.get(at).map_or(&[][..], Vec::as_slice);
                self.entry(out, &mut href, entry, (properties, &locks));
            }
        }
        Ok(true)
    }

    fn entry(
        &self,
        out: &mut String,
        href: &mut String,
        entry: &Entry,
        (properties, locks): (&[sockeye_node::Property], &[sockeye_node::Lock]),
    ) {
        href.truncate(self.href.len());
        encode_into(href, entry.name.as_bytes());
        let is_folder = entry.kind == Kind::Folder;
        if is_folder {
            href.push('/');
        }
        let media = match is_folder {
            true => "".into(),
            false => media::content_type(entry.name.as_bytes()),
        };
        let (meta, quota) = (entry.meta(), self.quota);
        let facts = Facts { href, meta: &meta, media: &media, properties, locks, quota };
        self.wanted.write(out, &facts);
    }
}
