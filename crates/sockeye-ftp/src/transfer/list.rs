//! A folder to the client: MLSD, LIST and NLST, a piece of the folder at a time.

use std::sync::Arc;

use sockeye::Stream;
use sockeye_node::{
    Entry, Error, FilePath, Gathered, Kind, Listing, Meta, Order, Rights, Session, Timestamp,
};

use super::{
    Failure, Flow,
    send::{close, write},
};
use crate::wire::{
    charset::Charset,
    facts::Facts,
    item::{Item, ItemKind},
    ls,
    pattern::Pattern,
    reply::Reply,
};

/// How an entry is told.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// MLSD.
    Facts(Facts),
    /// LIST.
    Long,
    /// NLST: the name, behind what the client named the folder by.
    Names(Box<[u8]>),
}

/// Tells entries of a folder in a client's form.
#[derive(Clone, Debug)]
pub(crate) struct Teller {
    pub(crate) form: Form,
    pub(crate) charset: Charset,
    pub(crate) owner: Arc<str>,
    pub(crate) now: Timestamp,
    pub(crate) session: Session,
    /// The folder that they are in.
    pub(crate) folder: FilePath,
    /// Only what this stands for.
    pub(crate) pattern: Option<Pattern>,
}

/// A folder that is to be told.
pub(crate) struct List {
    pub(crate) teller: Teller,
    pub(crate) what: What,
    /// Up to so many entries are sorted.
    pub(crate) sorted: usize,
}

/// What is told.
pub(crate) enum What {
    /// All in a folder; and before it the folder itself and the one above, as `.` and `..`, if they are wanted.
    Folder(Listing, Option<Meta>),
    /// One thing, by the name that the client has for it.
    One(Box<[u8]>, Meta),
}

/// An entry as it is told.
pub(crate) fn item<'a>(name: &'a [u8], meta: &Meta, owner: &'a str, rights: Rights) -> Item<'a> {
    let kind = match meta.kind {
        Kind::Folder => ItemKind::Folder,
        Kind::File | Kind::Special => ItemKind::File,
    };
    // What only the namespace has is on no device.
    let unique = (meta.device != 0 || meta.inode != 0).then_some((meta.device, meta.inode));
    let (size, modified, mode) = (meta.size, meta.modified, meta.mode);
    Item { name, kind, size, modified, unique, mode, owner, rights }
}

impl Teller {
    /// Appends a line for one thing.
    pub(crate) fn one(&self, name: &[u8], meta: &Meta, rights: Rights, out: &mut Vec<u8>) {
        self.tell(&item(name, meta, &self.owner, rights), out);
    }

    fn tell(&self, item: &Item<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        match &self.form {
            Form::Facts(facts) => facts.write_line(out, item),
            Form::Long => ls::write_line(out, item, self.now),
            Form::Names(before) => {
                ls::write_name_line(out, &[before, item.name].concat());
            }
        }
        if self.charset != Charset::UTF_8 {
            let line = out.split_off(start);
            out.extend_from_slice(&self.charset.encode(&line));
        }
    }

    /// Appends a line for each of `entries` that is wanted.
    pub(crate) fn entries(&self, entries: &[Entry], out: &mut Vec<u8>) -> Result<(), Error> {
        let inside = self.session.rights_at(&self.folder)?;
        let wanted = |name: &[u8]| self.pattern.as_ref().is_none_or(|it| it.matches(name));
        for entry in entries.iter().filter(|entry| wanted(entry.name.as_bytes())) {
            // A folder may be granted by itself; asking so for each file would cost more than it tells.
            let rights = match (&self.form, entry.kind) {
                (Form::Facts(_), Kind::Folder) => match self.folder.join(&entry.name) {
                    Ok(path) => self.session.rights_at(&path)?,
                    Err(_) => inside,
                },
                _ => inside,
            };
            self.one(entry.name.as_bytes(), &entry.meta(), rights, out);
        }
        Ok(())
    }
}

impl List {
    pub(super) async fn run(self, mut stream: Stream, flow: &Flow) -> Result<Reply, Failure> {
        let Self { teller, what, sorted } = self;
        let mut out = Vec::new();
        match what {
            What::One(name, meta) => {
                let rights = teller.session.rights_at(&teller.folder)?;
                teller.one(&name, &meta, rights, &mut out);
            }
            What::Folder(mut listing, dots) => {
                if let Some(meta) = dots {
                    teller.one(b".", &meta, Rights::NONE, &mut out);
                    teller.one(b"..", &meta, Rights::NONE, &mut out);
                }
                let is_sorted = !matches!(teller.form, Form::Facts(_));
                if is_sorted {
                    let (first, rest) =
                        match flow.ask(listing.gather(sorted, Order::default())).await? {
                            Gathered::All(entries) => (entries, None),
                            Gathered::Some(entries, rest) => (entries, Some(rest)),
                        };
                    teller.entries(&first, &mut out)?;
                    let Some(rest) = rest else { return finish(stream, &out, flow).await };
                    listing = rest;
                }
                while let Some(entries) = flow.ask(listing.next()).await? {
                    teller.entries(&entries, &mut out)?;
                    write(&mut stream, &out, flow).await?;
                    out.clear();
                }
            }
        }
        finish(stream, &out, flow).await
    }
}

async fn finish(mut stream: Stream, out: &[u8], flow: &Flow) -> Result<Reply, Failure> {
    write(&mut stream, out, flow).await?;
    close(stream, flow).await?;
    Ok(Reply::new(226, "That is all."))
}
