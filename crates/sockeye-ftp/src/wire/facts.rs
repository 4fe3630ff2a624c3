//! The facts of a file as MLST and MLSD tell them (RFC 3659 §7), and which of them a client has chosen.

use std::fmt::Write as _;

use sockeye_node::Rights;

use super::{
    digits,
    item::{Item, ItemKind, write_name, write_word},
    time,
};

/// One fact. In the table they stand in the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    /// §7.5.1
    Type,
    /// §7.5.5
    Perm,
    /// §7.5.7
    Size,
    /// §7.5.3
    Modify,
    /// §7.5.2
    Unique,
    /// As deployed: permissions in octal.
    UnixMode,
    /// As deployed: the owner's name.
    UnixOwner,
    /// As deployed: the group's name.
    UnixGroup,
}

const FACTS: [(&str, Fact); 8] = [
    ("type", Fact::Type),
    ("perm", Fact::Perm),
    ("size", Fact::Size),
    ("modify", Fact::Modify),
    ("unique", Fact::Unique),
    ("UNIX.mode", Fact::UnixMode),
    ("UNIX.owner", Fact::UnixOwner),
    ("UNIX.group", Fact::UnixGroup),
];

/// The facts that a client has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts(u8);

/// All but owner and group, which are the same for a whole home.
impl Default for Facts {
    fn default() -> Self {
        Self(Self::ALL.0 & !bit(Fact::UnixOwner) & !bit(Fact::UnixGroup))
    }
}

const fn bit(fact: Fact) -> u8 {
    1 << fact as u8
}

/// Why the argument of OPTS MLST is no list of facts (RFC 3659 §7.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FactsError {
    /// A fact without its semicolon.
    #[error("Invalid argument: each fact, as in type;size;, ends with a semicolon.")]
    Semicolon,
    /// A space.
    #[error("Invalid number of arguments: facts such as type;size; stand in one word.")]
    Space,
}

impl Facts {
    /// Every fact there is.
    pub const ALL: Self = Self(u8::MAX >> (8 - FACTS.len()));

    /// No fact: the name alone.
    pub const NONE: Self = Self(0);

    /// The argument of OPTS MLST: `type;size;`. What no one here knows is left out, nothing at all chooses nothing.
    ///
    /// # Errors
    /// [`FactsError`].
    pub fn parse(argument: &[u8]) -> Result<Self, FactsError> {
        let list = argument.trim_ascii();
        if list.contains(&b' ') {
            return Err(FactsError::Space);
        }
        let Some(list) = list.strip_suffix(b";") else {
            return if list.is_empty() { Ok(Self::NONE) } else { Err(FactsError::Semicolon) };
        };
        let named = |name: &[u8]| {
            FACTS.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name))
        };
        let chosen = list.split(|&b| b == b';').filter_map(named);
        Ok(Self(chosen.fold(0, |set, (_, fact)| set | bit(*fact))))
    }

    fn has(self, fact: Fact) -> bool {
        self.0 & bit(fact) != 0
    }

    /// The line of FEAT (§7.8): all facts, those chosen with an asterisk.
    #[must_use]
    pub fn feature(self) -> String {
        FACTS.iter().fold("MLST ".to_owned(), |mut line, (name, fact)| {
            let mark = if self.has(*fact) { "*" } else { "" };
            let _ = write!(line, "{name}{mark};");
            line
        })
    }

    /// The text of the reply to OPTS MLST (§7.9): the facts chosen.
    #[must_use]
    pub fn chosen(self) -> String {
        let chosen = FACTS.iter().filter(|(_, fact)| self.has(*fact));
        chosen.fold("MLST OPTS ".to_owned(), |line, (name, _)| line + name + ";")
    }

    /// Appends what is told of `item`: the facts that are chosen and known, a space, the name. No line end.
    pub fn write(self, out: &mut Vec<u8>, item: &Item<'_>) {
        for (name, fact) in FACTS {
            if self.has(fact) && is_known(fact, item) {
                out.extend(name.bytes());
                out.push(b'=');
                write_value(out, fact, item);
                out.push(b';');
            }
        }
        out.push(b' ');
        write_name(out, item.name);
    }

    /// As [`write`](Self::write), with the end of the line: one of MLSD's.
    pub fn write_line(self, out: &mut Vec<u8>, item: &Item<'_>) {
        self.write(out, item);
        out.extend(b"\r\n");
    }
}

fn is_known(fact: Fact, item: &Item<'_>) -> bool {
    match fact {
        Fact::Size => item.kind == ItemKind::File,
        Fact::Unique => item.unique.is_some(),
        Fact::Type
        | Fact::Perm
        | Fact::Modify
        | Fact::UnixMode
        | Fact::UnixOwner
        | Fact::UnixGroup => true,
    }
}

fn write_value(out: &mut Vec<u8>, fact: Fact, item: &Item<'_>) {
    match fact {
        Fact::Type => out.extend_from_slice(match item.kind {
            ItemKind::CurrentFolder => b"cdir",
            ItemKind::ParentFolder => b"pdir",
            ItemKind::Folder => b"dir",
            ItemKind::File => b"file",
            ItemKind::Link => b"OS.unix=slink",
        }),
        Fact::Perm => write_permissions(out, item),
        Fact::Size => digits::decimal(out, item.size, 1),
        Fact::Modify => time::write(out, item.modified),
        Fact::Unique => {
            let (device, inode) = item.unique.unwrap_or_default();
            digits::hexadecimal(out, device);
            out.push(b'g');
            digits::hexadecimal(out, inode);
        }
        Fact::UnixMode => digits::octal(out, u64::from(item.mode & 0o777), 4),
        Fact::UnixOwner => write_word(out, item.owner),
        Fact::UnixGroup => write_word(out, item.group),
    }
}

/// What a client may do with a file: append, delete, rename, retrieve, store.
const OF_FILES: [(u8, Rights); 5] = [
    (b'a', Rights::WRITE),
    (b'd', Rights::DELETE),
    (b'f', Rights::DELETE),
    (b'r', Rights::READ),
    (b'w', Rights::WRITE),
];

/// With a folder: create files in it, delete it, enter it, rename it, list it, make folders in it, purge it.
const OF_FOLDERS: [(u8, Rights); 7] = [
    (b'c', Rights::WRITE),
    (b'd', Rights::DELETE),
    (b'e', Rights::LIST),
    (b'f', Rights::DELETE),
    (b'l', Rights::LIST),
    (b'm', Rights::WRITE),
    (b'p', Rights::DELETE),
];

fn write_permissions(out: &mut Vec<u8>, item: &Item<'_>) {
    let letters: &[(u8, Rights)] = if item.kind.is_folder() { &OF_FOLDERS } else { &OF_FILES };
    let allowed = letters.iter().filter(|(_, right)| item.rights.contains(*right));
    out.extend(allowed.map(|(letter, _)| *letter));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sockeye_node::Timestamp;

    use super::*;

    const FILE: Item<'static> = Item {
        name: b" plan; 1.txt ",
        kind: ItemKind::File,
        size: 25_730,
        modified: Timestamp { seconds: 951_782_400, nanos: 5 },
        unique: Some((0x801, 0x4e0b)),
        mode: 0o100_640,
        owner: "al ice",
        group: "team",
        rights: Rights::ALL,
    };

    fn told(facts: Facts, item: &Item<'_>) -> String {
        let mut out = Vec::new();
        facts.write(&mut out, item);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn facts_stand_before_the_name_which_keeps_its_spaces() {
        assert_eq!(
            told(Facts::ALL, &FILE),
            "type=file;perm=adfrw;size=25730;modify=20000229000000;unique=801g4e0b;\
             UNIX.mode=0640;UNIX.owner=al?ice;UNIX.group=team;  plan; 1.txt "
        );
        let folder = Item { name: b"/", kind: ItemKind::Folder, unique: None, ..FILE };
        assert_eq!(
            told(Facts::default(), &folder),
            "type=dir;perm=cdeflmp;modify=20000229000000;UNIX.mode=0640; /"
        );
        assert_eq!(told(Facts::NONE, &folder), " /");
    }

    #[test]
    fn types_are_those_of_the_standard() {
        for (kind, told_as) in [
            (ItemKind::CurrentFolder, "type=cdir; a"),
            (ItemKind::ParentFolder, "type=pdir; a"),
            (ItemKind::Folder, "type=dir; a"),
            (ItemKind::File, "type=file; a"),
            (ItemKind::Link, "type=OS.unix=slink; a"),
        ] {
            let facts = Facts::parse(b"Type;").unwrap();
            assert_eq!(told(facts, &Item { name: b"a", kind, ..FILE }), told_as);
        }
    }

    #[test]
    fn permissions_are_what_the_rights_let_one_do() {
        let facts = Facts::parse(b"perm;").unwrap();
        for (rights, file, folder) in [
            (Rights::NONE, "perm=; a", "perm=; a"),
            (Rights::READ | Rights::LIST, "perm=r; a", "perm=el; a"),
            (Rights::READ | Rights::WRITE, "perm=arw; a", "perm=cm; a"),
            (Rights::DELETE, "perm=df; a", "perm=dfp; a"),
        ] {
            let item = Item { name: b"a", rights, ..FILE };
            assert_eq!(told(facts, &item), file);
            assert_eq!(told(facts, &Item { kind: ItemKind::CurrentFolder, ..item }), folder);
        }
    }

    #[test]
    fn a_client_chooses_facts_and_unknown_ones_are_left_out() {
        let default = Facts::default();
        assert_eq!(
            default.feature(),
            "MLST type*;perm*;size*;modify*;unique*;UNIX.mode*;UNIX.owner;UNIX.group;"
        );
        for (argument, chosen) in [
            ("", "MLST OPTS "),
            ("TyPE;", "MLST OPTS type;"),
            ("fish;cakes;", "MLST OPTS "),
            ("size;fish;unix.MODE;type;", "MLST OPTS type;size;UNIX.mode;"),
        ] {
            assert_eq!(Facts::parse(argument.as_bytes()).unwrap().chosen(), chosen, "{argument}");
        }
        assert_eq!(Facts::parse(b"bad_fact"), Err(FactsError::Semicolon));
        assert_eq!(Facts::parse(b"type ;"), Err(FactsError::Space));
    }

    proptest! {
        #[test]
        fn a_line_is_one_line_and_its_name_is_behind_the_first_space(
            name in proptest::collection::vec(any::<u8>(), 1..40),
            owner in ".{0,8}",
            set in any::<u8>(),
        ) {
            let mut out = Vec::new();
            let facts = Facts(set & Facts::ALL.0);
            facts.write_line(&mut out, &Item { name: &name, owner: &owner, ..FILE });
            let line = out.strip_suffix(b"\r\n").unwrap();
            prop_assert!(!line.iter().any(|b| b"\r\n".contains(b)));
            let space = line.iter().position(|&b| b == b' ').unwrap();
            let expected: Vec<_> =
                name.iter().map(|&b| if matches!(b, b'\r' | b'\n' | 0) { b'?' } else { b }).collect();
            prop_assert_eq!(&line[space + 1..], expected);
            let count = line[..space].iter().filter(|&&b| b == b';').count();
            prop_assert_eq!(count, facts.0.count_ones() as usize);
        }

        #[test]
        fn what_was_chosen_reads_back(bytes in proptest::collection::vec(any::<u8>(), 0..40), set in any::<u8>()) {
            let _ = Facts::parse(&bytes);
            let facts = Facts(set & Facts::ALL.0);
            let list = facts.chosen();
            prop_assert_eq!(Facts::parse(&list.as_bytes()["MLST OPTS ".len()..]), Ok(facts));
        }
    }
}
