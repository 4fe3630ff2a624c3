//! Unix socket names in the 108 bytes that the kernel and the PROXY protocol give them.

use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
};

use crate::addr::UnixName;

/// The room for a name: `sun_path` of `struct sockaddr_un` (unix(7)).
pub(super) const SUN_PATH: usize = 108;

/// Reads a name. The format has no length, so that NULs at the end of an abstract name are lost.
pub(super) fn from_sun_path(bytes: &[u8; SUN_PATH]) -> UnixName {
    let end = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    match bytes {
        [0, name @ ..] if end(name) > 0 => UnixName::Abstract(name[..end(name)].to_vec()),
        [0, ..] => UnixName::Unnamed,
        path => {
            let length = path.iter().position(|byte| *byte == 0).unwrap_or(SUN_PATH);
            UnixName::Path(OsString::from_vec(path[..length].to_vec()).into())
        }
    }
}

/// Writes a name; its size in bytes if there is no room for it.
pub(super) fn to_sun_path(name: &UnixName) -> Result<[u8; SUN_PATH], usize> {
    let (start, name) = match name {
        UnixName::Path(path) => (0, path.as_os_str().as_bytes()),
        UnixName::Abstract(name) => (1, name.as_slice()),
        UnixName::Unnamed => (0, &[][..]),
    };
    let mut bytes = [0; SUN_PATH];
    let room = bytes.get_mut(start..start + name.len()).ok_or(start + name.len())?;
    room.copy_from_slice(name);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_their_108_bytes() {
        let longest = format!("/{}", "x".repeat(SUN_PATH - 1));
        for name in [
            UnixName::Path("/run/x.sock".into()),
            UnixName::Path(longest.into()),
            UnixName::Abstract(b"a\0b".to_vec()),
            UnixName::Unnamed,
        ] {
            assert_eq!(from_sun_path(&to_sun_path(&name).unwrap()), name);
        }
        assert_eq!(to_sun_path(&UnixName::Abstract(vec![1; SUN_PATH])), Err(SUN_PATH + 1));
    }
}
