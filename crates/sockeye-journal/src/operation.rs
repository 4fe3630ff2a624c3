//! What can be done, as a table: each operation's name, its kind, and whether it changes something.

use std::{fmt, str::FromStr};

use crate::Error;

/// What somebody did, or tried to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Operation {
    /// A file was read, in whole or in part.
    Read,
    /// A folder was listed, or a file's properties looked at.
    List,
    /// A file was written: created, or replaced.
    Write,
    /// Something was added to a file, or written into the middle of it.
    Append,
    /// A folder was made.
    MakeFolder,
    /// A file or folder was removed.
    Remove,
    /// A file or folder was moved: `path` to `to`.
    Rename,
    /// A file or folder was copied: `path` to `to`.
    Copy,
    /// Times, mode or other properties were set.
    Set,
    /// A file or folder was locked, or its lock begun anew.
    Lock,
    /// A lock was ended.
    Unlock,
    /// Something came back from the trash.
    Restore,
    /// Something was taken out of the trash for good.
    Purge,
    /// Somebody logged in.
    Login,
    /// Somebody logged out, or a session was ended.
    Logout,
    /// A login, a connection or a data connection was refused.
    Refuse,
    /// Accounts, quotas or grants were changed.
    Admin,
    /// The server started.
    Start,
    /// The server stopped.
    Stop,
    /// The configuration was read again.
    Reload,
}

/// What the journal writes of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Own {
    /// The first line of a segment.
    Segment,
    /// A signature over all that stands before it.
    Checkpoint,
    /// The end of the log was torn by a crash and cut off, or lines of it are missing.
    Repair,
    /// Old segments were removed.
    Retention,
    /// Operations that were carried out while nothing could be recorded, counted.
    Gap,
}

/// Operations that are recorded, or not, together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Kind {
    /// Reads of files.
    Read,
    /// Looks into folders.
    List,
    /// Changes of files and folders.
    Change,
    /// Logins and logouts.
    Login,
    /// Refused logins and connections.
    Refusal,
    /// Changes of accounts.
    Admin,
    /// The server's own life.
    Server,
}

/// Any line's `op`: an [`Operation`], or one of the journal's [`Own`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// Somebody did something.
    Operation(Operation),
    /// The journal says something.
    Own(Own),
}

struct Row {
    operation: Operation,
    name: &'static str,
    kind: Kind,
    /// Whether it changes what others see: it then waits for its record.
    mutation: bool,
}

const fn row(operation: Operation, name: &'static str, kind: Kind, mutation: bool) -> Row {
    Row { operation, name, kind, mutation }
}

/// Every operation, in the order of the enum.
const OPERATIONS: [Row; 20] = [
    row(Operation::Read, "read", Kind::Read, false),
    row(Operation::List, "list", Kind::List, false),
    row(Operation::Write, "write", Kind::Change, true),
    row(Operation::Append, "append", Kind::Change, true),
    row(Operation::MakeFolder, "mkdir", Kind::Change, true),
    row(Operation::Remove, "remove", Kind::Change, true),
    row(Operation::Rename, "rename", Kind::Change, true),
    row(Operation::Copy, "copy", Kind::Change, true),
    row(Operation::Set, "set", Kind::Change, true),
    row(Operation::Lock, "lock", Kind::Change, true),
    row(Operation::Unlock, "unlock", Kind::Change, true),
    row(Operation::Restore, "restore", Kind::Change, true),
    row(Operation::Purge, "purge", Kind::Change, true),
    row(Operation::Login, "login", Kind::Login, false),
    row(Operation::Logout, "logout", Kind::Login, false),
    row(Operation::Refuse, "refuse", Kind::Refusal, false),
    row(Operation::Admin, "admin", Kind::Admin, true),
    row(Operation::Start, "start", Kind::Server, false),
    row(Operation::Stop, "stop", Kind::Server, false),
    row(Operation::Reload, "reload", Kind::Server, true),
];

/// What the journal writes itself, in the order of the enum.
const OWN: [(Own, &str); 5] = [
    (Own::Segment, "segment"),
    (Own::Checkpoint, "checkpoint"),
    (Own::Repair, "repair"),
    (Own::Retention, "retention"),
    (Own::Gap, "gap"),
];

/// Every kind, in the order of the enum, and whether it can be switched off.
const KINDS: [(Kind, &str, bool); 7] = [
    (Kind::Read, "read", true),
    (Kind::List, "list", true),
    (Kind::Change, "change", false),
    (Kind::Login, "login", true),
    (Kind::Refusal, "refusal", true),
    (Kind::Admin, "admin", false),
    (Kind::Server, "server", false),
];

impl Operation {
    /// How many there are.
    pub(crate) const COUNT: usize = OPERATIONS.len();

    /// All of them, as the table lists them.
    pub fn all() -> impl Iterator<Item = Self> {
        OPERATIONS.iter().map(|row| row.operation)
    }

    /// As the log writes it: `read`, `mkdir`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        OPERATIONS[self as usize].name
    }

    /// What it is switched off with.
    #[must_use]
    pub const fn kind(self) -> Kind {
        OPERATIONS[self as usize].kind
    }

    /// Whether it changes something: whoever does it waits for its record.
    #[must_use]
    pub const fn is_mutation(self) -> bool {
        OPERATIONS[self as usize].mutation
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Own {
    /// All of them, as the table lists them.
    pub fn all() -> impl Iterator<Item = Self> {
        OWN.iter().map(|(own, _)| *own)
    }

    /// As the log writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        OWN[self as usize].1
    }
}

impl Event {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Operation::all().map(Self::Operation).chain(OWN.iter().map(|(own, _)| Self::Own(*own)))
    }

    /// As the log writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operation(operation) => operation.name(),
            Self::Own(own) => own.name(),
        }
    }

    /// The event of a name that the log writes.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|event| event.name() == name)
    }

    /// A bit of its own, for sets of events.
    pub(crate) const fn bit(self) -> u32 {
        match self {
            Self::Operation(operation) => 1 << operation as u32,
            // From the other end, so that operations can be added.
            Self::Own(own) => 1 << (31 - own as u32),
        }
    }
}

impl FromStr for Event {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::from_name(name).ok_or_else(|| Error::NoName {
            what: "operation",
            name: name.to_owned(),
            known: Self::all().map(Self::name).collect::<Vec<_>>().join(", "),
        })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Kind {
    /// Its name in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        KINDS[self as usize].1
    }

    /// Whether it can be left out of the log; changes and what administrators do cannot.
    #[must_use]
    pub const fn can_be_off(self) -> bool {
        KINDS[self as usize].2
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = Error;

    /// The kinds that can be switched off: `read`, `list`, `login`, `refusal`.
    fn from_str(name: &str) -> Result<Self, Error> {
        let optional = || KINDS.iter().filter(|(.., can_be_off)| *can_be_off);
        let found = optional().find(|(_, known, _)| *known == name);
        found.map(|(kind, ..)| *kind).ok_or_else(|| Error::NoName {
            what: "kind of operation that can be left out of the log",
            name: name.to_owned(),
            known: optional().map(|(_, known, _)| *known).collect::<Vec<_>>().join(", "),
        })
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// With this kind as well; one that [cannot be off](Kind::can_be_off) stays out.
    #[must_use]
    pub const fn with(self, kind: Kind) -> Self {
        if kind.can_be_off() { Self(self.0 | 1 << kind as u8) } else { self }
    }

    /// Whether the kind is one of them.
    #[must_use]
    pub const fn contains(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::default(), Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_the_order_of_their_enums_and_names_lead_back() {
        for (index, row) in OPERATIONS.iter().enumerate() {
            assert_eq!(row.operation as usize, index, "{}", row.name);
        }
        for (index, (own, name)) in OWN.iter().enumerate() {
            assert_eq!(*own as usize, index, "{name}");
        }
        for (index, (kind, name, _)) in KINDS.iter().enumerate() {
            assert_eq!(*kind as usize, index, "{name}");
        }
        let mut bits = 0;
        for event in Event::all() {
            assert_eq!(event.name().parse::<Event>().unwrap(), event);
            assert_eq!(bits & event.bit(), 0, "{event}");
            bits |= event.bit();
        }
    }

    #[test]
    fn what_changes_something_cannot_be_left_out_of_the_log() {
        let all: Kinds = KINDS.iter().map(|(kind, ..)| *kind).collect();
        for operation in Operation::all() {
            let optional = operation.kind().can_be_off();
            assert_eq!(all.contains(operation.kind()), optional, "{operation}");
            assert!(!(optional && operation.is_mutation()), "{operation}");
        }
        assert!("change".parse::<Kind>().unwrap_err().to_string().contains("read, list"));
        assert!("reed".parse::<Event>().unwrap_err().to_string().contains("mkdir"));
    }
}
