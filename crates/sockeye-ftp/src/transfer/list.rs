//! A folder to the client: MLSD, LIST and NLST, a piece of the folder at a time; with -R those below it as well.

use std::sync::Arc;

use sockeye::Stream;
use sockeye_node::{
    Entry, Error, FilePath, Gathered, Kind, Listing, Meta, Order, Resource, Rights, Session,
    Timestamp,
};

use super::{
    Failure, Flow, Ownership,
    send::{close, write},
    walk::Walk,
};
use crate::wire::{
    charset::Charset,
    facts::Facts,
    item::{Item, ItemKind},
    ls,
    pattern::Pattern,
    reply::Reply,
};

/// Lines are sent once there are so many bytes of them.
const PIECE: usize = 32 * 1024;

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
    /// Whose account it is, if anyone's.
    pub(crate) account: Option<Arc<str>>,
    pub(crate) now: Timestamp,
    pub(crate) session: Session,
    /// The folder that they are in.
    pub(crate) folder: FilePath,
    /// Only what this stands for.
    pub(crate) pattern: Option<Pattern>,
    /// Up to so many entries are sorted; MLSD's never are.
    pub(crate) sorted: usize,
    /// Whether files that are still coming are told of.
    pub(crate) growing: bool,
}

/// A folder that is to be told.
pub(crate) struct List {
    pub(crate) teller: Teller,
    pub(crate) what: What,
}

/// What is told.
pub(crate) enum What {
    /// All in a folder.
    Folder(Told),
    /// That, and all below it.
    Tree(Told, Walk),
    /// One thing, by the name that the client has for it.
    One(Box<[u8]>, Meta),
}

/// What is told of a folder.
pub(crate) struct Told {
    pub(crate) listing: Listing,
    /// The folder itself and the one above, as `.` and `..`, if they are wanted.
    pub(crate) dots: Option<Meta>,
}

/// An entry as it is told.
pub(crate) fn item<'a>(
    name: &'a [u8],
    meta: &Meta,
    ownership: Ownership<'a>,
    rights: Rights,
) -> Item<'a> {
    let kind = match meta.kind {
        Kind::Folder => ItemKind::Folder,
        Kind::File | Kind::Special => ItemKind::File,
    };
    // What only the namespace has, and what is still coming, is on no device.
    let unique = (meta.device != 0 || meta.inode != 0).then_some((meta.device, meta.inode));
    // Of what is still coming, nothing can be had.
    let rights = if kind == ItemKind::File && unique.is_none() { Rights::NONE } else { rights };
    let (size, modified, mode) = (meta.size, meta.modified, meta.mode);
    let Ownership { owner, group } = ownership;
    Item { name, kind, size, modified, unique, mode, owner, group, rights }
}

impl Teller {
    /// Appends a line for one thing, which is where the teller is.
    pub(crate) fn one(&self, name: &[u8], meta: &Meta, rights: Rights, out: &mut Vec<u8>) {
        self.tell(&item(name, meta, self.ownership(&self.folder), rights), out);
    }

    fn ownership<'a>(&'a self, path: &'a FilePath) -> Ownership<'a> {
        Ownership::of(path, self.account.as_deref())
    }

    fn tell(&self, item: &Item<'_>, out: &mut Vec<u8>) {
        self.encoded(out, |out| match &self.form {
            Form::Facts(facts) => facts.write_line(out, item),
            Form::Long => ls::write_line(out, item, self.now),
            Form::Names(before) => {
                ls::write_name_line(out, &[before, item.name].concat());
            }
        });
    }

    /// Appends what `write` does, in the client's charset.
    pub(super) fn encoded(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        let start = out.len();
        write(out);
        if self.charset != Charset::UTF_8 {
            let line = out.split_off(start);
            out.extend_from_slice(&self.charset.encode(&line));
        }
    }

    /// Whether an entry of this name is wanted.
    pub(super) fn wants(&self, name: &[u8]) -> bool {
        self.pattern.as_ref().is_none_or(|it| it.matches(name))
    }

    /// Appends a line for each of `entries` that is wanted.
    pub(crate) fn entries(&self, entries: &[Entry], out: &mut Vec<u8>) -> Result<(), Error> {
        let inside = self.session.rights_at(&self.folder)?;
        let (of_all, is_one) = (self.ownership(&self.folder), Ownership::is_one_in(&self.folder));
        for entry in entries.iter().filter(|entry| self.wants(entry.name.as_bytes())) {
            // A folder may be granted by itself; asking so for each file would cost more than it tells.
            let may_differ = matches!((&self.form, entry.kind), (Form::Facts(_), Kind::Folder));
            let path = match may_differ || !is_one {
                true => self.folder.join(&entry.name).ok(),
                false => None,
            };
            let (rights, ownership) = match &path {
                Some(path) if may_differ => (self.session.rights_at(path)?, self.ownership(path)),
                Some(path) => (inside, self.ownership(path)),
                None => (inside, of_all),
            };
            let (name, meta) = (entry.name.as_bytes(), entry.meta());
            self.tell(&item(name, &meta, ownership, rights), out);
        }
        Ok(())
    }

    /// What is to be told of the folder `path`; nothing if it is none any more, or is not for this client.
    pub(super) async fn open(&self, path: &FilePath, dots: bool) -> Result<Option<Told>, Error> {
        let coming = match self.growing {
            true => self.session.growing_in(path).await.unwrap_or_default(),
            false => Default::default(),
        };
        match self.session.find(path).await {
            Ok(Some(Resource::Folder(folder))) => {
                let dots = dots.then(|| *folder.meta());
                Ok(Some(Told { listing: folder.list().showing(coming), dots }))
            }
            Ok(_) | Err(Error::Denied) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl List {
    pub(super) async fn run(self, stream: Stream, flow: &Flow) -> Result<Reply, Failure> {
        let Self { teller, what } = self;
        let mut lines = Lines { stream, flow, out: Vec::new() };
        match what {
            What::One(name, meta) => {
                let rights = teller.session.rights_at(&teller.folder)?;
                teller.one(&name, &meta, rights, &mut lines.out);
            }
            What::Folder(told) => lines.folder(&teller, told, |_| {}).await?,
            What::Tree(told, walk) => walk.run(&mut lines, teller, told).await?,
        }
        lines.finish().await
    }
}

/// Lines on their way to the client.
pub(super) struct Lines<'a> {
    stream: Stream,
    pub(super) flow: &'a Flow,
    pub(super) out: Vec<u8>,
}

impl Lines<'_> {
    /// All in one folder; what is told is seen by `see` as well.
    pub(super) async fn folder(
        &mut self,
        teller: &Teller,
        told: Told,
        mut see: impl FnMut(&Entry),
    ) -> Result<(), Failure> {
        let Told { mut listing, dots } = told;
        if let Some(meta) = dots {
            teller.one(b".", &meta, Rights::NONE, &mut self.out);
            teller.one(b"..", &meta, Rights::NONE, &mut self.out);
        }
        if !matches!(teller.form, Form::Facts(_)) {
            let gathered = listing.gather(teller.sorted, Order::default());
            let (first, rest) = match self.flow.ask(gathered).await? {
                Gathered::All(entries) => (entries, None),
                Gathered::Some(entries, rest) => (entries, Some(rest)),
            };
            first.iter().for_each(&mut see);
            teller.entries(&first, &mut self.out)?;
            let Some(rest) = rest else { return Ok(()) };
            listing = rest;
        }
        while let Some(entries) = self.flow.ask(listing.next()).await? {
            entries.iter().for_each(&mut see);
            teller.entries(&entries, &mut self.out)?;
            self.send_some().await?;
        }
        Ok(())
    }

    /// Sends what there is, if that is worth a call.
    pub(super) async fn send_some(&mut self) -> Result<(), Failure> {
        if self.out.len() >= PIECE {
            write(&mut self.stream, &self.out, self.flow).await?;
            self.out.clear();
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<Reply, Failure> {
        write(&mut self.stream, &self.out, self.flow).await?;
        close(self.stream, self.flow).await?;
        Ok(Reply::new(226, "That is all."))
    }
}
