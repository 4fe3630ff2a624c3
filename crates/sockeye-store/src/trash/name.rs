//! How things in the trash are called: an id, and the path that they had.
//!
//! The path stands in the name itself, so that removing a file is one rename, with nothing to be left
//! half done. A path that is too long for that stands in a note beside it. Nothing here touches the disk.

use std::ffi::{CStr, CString};

use crate::{FilePath, MAX_NAME, id::TrashId};

/// What a note's name has after the id.
const NOTE: &[u8] = b".path";

/// Between the id and the path.
const MARK: u8 = b'~';

/// Length of an id.
const ID: usize = ulid::ULID_LEN;

/// A name in the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// Something that was removed, with its path, or `None` if a note has that.
    Removed(TrashId, Option<FilePath>),
    /// The path of something.
    Note(TrashId),
    /// Nothing of ours.
    Other,
}

/// The name for what was at `path`; `None` if the path needs a note.
pub(crate) fn with_path(id: TrashId, path: &FilePath) -> Option<CString> {
    let mut name = id.to_string().into_bytes();
    name.push(MARK);
    for &byte in path.as_bytes() {
        match byte {
            b'/' => name.extend_from_slice(b"%2F"),
            b'%' => name.extend_from_slice(b"%25"),
            byte => name.push(byte),
        }
    }
    if name.len() > MAX_NAME {
        return None;
    }
    CString::new(name).ok()
}

/// The name for what has a note.
pub(crate) fn without_path(id: TrashId) -> CString {
    CString::new(id.to_string()).unwrap_or_default()
}

/// The note's name.
pub(crate) fn note(id: TrashId) -> CString {
    CString::new([id.to_string().as_bytes(), NOTE].concat()).unwrap_or_default()
}

pub(crate) fn parse(name: &CStr) -> Item {
    let bytes = name.to_bytes();
    let Some((id, rest)) = bytes.split_at_checked(ID) else { return Item::Other };
    let Some(id) = str::from_utf8(id).ok().and_then(|id| id.parse().ok()) else {
        return Item::Other;
    };
    match rest {
        [] => Item::Removed(id, None),
        NOTE => Item::Note(id),
        [MARK, path @ ..] => match decoded(path) {
            Some(path) => Item::Removed(id, Some(path)),
            None => Item::Other,
        },
        _ => Item::Other,
    }
}

fn decoded(text: &[u8]) -> Option<FilePath> {
    let mut path = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        (path, rest) = match (first, tail) {
            (b'%', [b'2', b'F', tail @ ..]) => (pushed(path, b'/'), tail),
            (b'%', [b'2', b'5', tail @ ..]) => (pushed(path, b'%'), tail),
            (b'%', _) => return None,
            (byte, tail) => (pushed(path, *byte), tail),
        };
    }
    FilePath::parse(&path).ok().filter(|path| !path.is_root())
}

fn pushed(mut path: Vec<u8>, byte: u8) -> Vec<u8> {
    path.push(byte);
    path
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::Ids;

    proptest! {
        #[test]
        fn a_name_gives_the_path_back(bytes in proptest::collection::vec(any::<u8>(), 1..100)) {
            let id = TrashId::new(Ids::new().next());
            if let Ok(path) = FilePath::parse(&bytes)
                && let Some(name) = with_path(id, &path)
            {
                prop_assert_eq!(parse(&name), Item::Removed(id, Some(path)));
            }
            // Any name at all is one or the other.
            if let Ok(name) = CString::new(bytes) {
                parse(&name);
            }
        }
    }

    #[test]
    fn long_paths_have_a_note() {
        let id = TrashId::new(Ids::new().next());
        let path = FilePath::parse(&[b'a'; 228]).unwrap();
        assert!(with_path(id, &path).is_some());
        let path = FilePath::parse(&[b'a'; 229]).unwrap();
        assert!(with_path(id, &path).is_none());
        assert_eq!(parse(&without_path(id)), Item::Removed(id, None));
        assert_eq!(parse(&note(id)), Item::Note(id));
        assert_eq!(parse(c"lost+found"), Item::Other);
    }
}
