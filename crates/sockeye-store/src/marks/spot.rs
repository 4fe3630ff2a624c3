//! Where a mark belongs: a path in a home, or something in its trash.

use std::{ffi::CStr, ops::Bound};

use crate::{FilePath, id::TrashId};

/// Length of an id in the trash.
const ID: usize = ulid::ULID_LEN;

/// A path whose marks are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot(Vec<u8>);

/// A stretch of paths in the order of their bytes.
pub(super) struct Stretch {
    from: Vec<u8>,
    to: Option<Vec<u8>>,
}

impl Spot {
    /// A path of the home.
    pub(crate) fn at(path: &FilePath) -> Self {
        Self(path.as_bytes().to_vec())
    }

    /// What has this name in the trash: a NUL, which is in no path, and its id.
    pub(crate) fn grave(name: &CStr) -> Self {
        let bytes = name.to_bytes();
        Self([b"\0", &bytes[..bytes.len().min(ID)]].concat())
    }

    /// The id of what lies in the trash; `None` of a path.
    pub(super) fn grave_id(&self) -> Option<TrashId> {
        str::from_utf8(self.0.strip_prefix(b"\0")?).ok()?.parse().ok()
    }

    pub(super) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path in the home; `None` of what lies in the trash.
    pub(super) fn path(&self) -> Option<FilePath> {
        FilePath::parse(&self.0).ok()
    }

    /// The folder, and the name in it.
    pub(super) fn split(&self) -> (&[u8], &[u8]) {
        match self.0.iter().rposition(|byte| *byte == b'/') {
            Some(at) => (&self.0[..at], &self.0[at + 1..]),
            None => (b"", &self.0),
        }
    }
}

/// The paths beneath `path`, without itself.
pub(super) fn beneath(path: &[u8]) -> Stretch {
    if path.is_empty() {
        // All but the root, and but the trash.
        return Stretch { from: vec![1], to: None };
    }
    // In the order of bytes, `0` comes next after the slash.
    Stretch { from: [path, b"/"].concat(), to: Some([path, b"0"].concat()) }
}

impl Stretch {
    pub(super) fn start_bound(&self) -> Bound<&[u8]> {
        Bound::Included(&self.from)
    }

    pub(super) fn end_bound(&self) -> Bound<&[u8]> {
        self.to.as_deref().map_or(Bound::Unbounded, Bound::Excluded)
    }

    pub(super) fn bounds(&self) -> (&[u8], Option<&[u8]>) {
        (&self.from, self.to.as_deref())
    }
}
