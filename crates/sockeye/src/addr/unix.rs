//! Names of Unix sockets: paths and abstract names.

use std::{
    ffi::OsString,
    fmt,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use super::{
    error::{AddrErrorKind, Fault, quoted},
    part::Part,
    percent::{self, Encoded},
};

/// The name of a Unix socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UnixName {
    /// A path in the filesystem.
    Path(PathBuf),
    /// An abstract name (Linux), without its leading NUL.
    Abstract(Vec<u8>),
    /// No name: an unbound or paired socket.
    Unnamed,
}

impl UnixName {
    /// The longest path or abstract name, in bytes: the kernel has room for 108, one of
    /// which is the NUL after a path or before an abstract name (`man 7 unix`).
    pub const MAX_LEN: usize = 107;

    /// The path, if it is one.
    #[must_use]
    pub fn as_path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Abstract(_) | Self::Unnamed => None,
        }
    }

    pub(super) fn parse(part: Part<'_>) -> Result<Self, Fault> {
        let wrong =
            |message: &str, remedy: &str| Err(part.fault(AddrErrorKind::Name, message, remedy));
        let (is_abstract, name) = match part.text.strip_prefix('@') {
            Some(_) => (true, part.skip(1)),
            None => (false, part),
        };
        if name.text.is_empty() {
            let message = if is_abstract { "the name is empty" } else { "the path is empty" };
            return wrong(
                message,
                "write unix:///run/server.sock, unix://./relative or unix://@abstract",
            );
        }
        let bytes = percent::decode(name.text).map_err(|at| {
            let end =
                name.text[at..].char_indices().nth(3).map_or(name.text.len(), |(i, _)| at + i);
            let sign = name.split_at(end).0.skip(at);
            let message = format!("{} is no percent-encoding", quoted(sign.text));
            sign.fault(AddrErrorKind::Name, message, "write %25 for the sign itself")
        })?;
        if bytes.len() > Self::MAX_LEN {
            let message =
                format!("{} bytes long; the system allows {}", bytes.len(), Self::MAX_LEN);
            return wrong(&message, "choose a shorter path, or one relative to a closer folder");
        }
        if is_abstract {
            return Ok(Self::Abstract(bytes));
        }
        if bytes.contains(&0) {
            return wrong("a path holds no NUL", "only an abstract name (unix://@…) may hold %00");
        }
        let last = bytes.rsplit(|byte| *byte == b'/').next();
        if matches!(last, Some(b"" | b"." | b"..")) {
            return wrong("the path names a folder", "add the socket's own name");
        }
        Ok(Self::Path(PathBuf::from(OsString::from_vec(bytes))))
    }
}

/// As in an address: a path, `@name`, or nothing; percent-encoded where needed.
impl fmt::Display for UnixName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => {
                let bytes = path.as_os_str().as_bytes();
                match bytes.strip_prefix(b"@") {
                    // A path that begins with the sign of an abstract name.
                    Some(rest) => write!(f, "%40{}", Encoded(rest)),
                    None => write!(f, "{}", Encoded(bytes)),
                }
            }
            Self::Abstract(name) => write!(f, "@{}", Encoded(name)),
            Self::Unnamed => Ok(()),
        }
    }
}

impl From<PathBuf> for UnixName {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl From<&Path> for UnixName {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}
