//! A copy of a log that is being written: what a backup of it is made of.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use crate::{Error, HEAD_FILE, KEY_FILE, Result, Segment};

/// Bytes that are looked through at once for the end of a line.
const PIECE: u64 = 64 * 1024;

/// Puts the log in `folder` aside in `to`, a folder on the same filesystem, while it may be written: says which files are
/// there then, and how many bytes of each count. The segments, which only grow, are linked. What is to be in it has
/// to be [written](crate::Journal::checkpoint) before. Blocks.
///
/// # Errors
/// [`Error::NoLog`]; [`Error::Io`].
pub fn snapshot(folder: &Path, to: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let copied = |path: &Path| put(path, to, |from, to| fs::copy(from, to));
    let linked = |path: &Path| {
        put(path, to, |from, to| fs::hard_link(from, to).and_then(|()| whole_lines(to)))
    };
    let mut files = Vec::new();
    // What is said of lines goes before them, so that none is said of that is missing: the head also before it is known
    // which segments there are, as it may tell of the next one by then.
    for path in [folder.join(KEY_FILE), folder.join(HEAD_FILE)] {
        files.extend(copied(&path)?);
    }
    let segments = Segment::list(folder)?;
    for segment in &segments {
        files.extend(copied(&segment.summary())?);
    }
    for segment in &segments {
        files.extend(linked(&segment.path)?);
    }
    Ok(files)
}

/// Puts a file aside, unless it is not there: an old segment is removed at any time, and its summary with it.
fn put(
    path: &Path,
    to: &Path,
    put: impl FnOnce(&Path, &Path) -> io::Result<u64>,
) -> Result<Option<(PathBuf, u64)>> {
    let name = PathBuf::from(path.file_name().unwrap_or_default());
    match put(path, &to.join(&name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        done => Ok(Some((name, done.map_err(Error::at(path))?))),
    }
}

/// The bytes of a segment up to the end of its last whole line: a line may just be written.
fn whole_lines(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut end = file.metadata()?.len();
    let mut piece = Vec::new();
    while end > 0 {
        let begin = end.saturating_sub(PIECE);
        file.seek(SeekFrom::Start(begin))?;
        piece.clear();
        file.by_ref().take(end - begin).read_to_end(&mut piece)?;
        if let Some(at) = memchr::memrchr(b'\n', &piece) {
            return Ok(begin + at as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_being_written_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let [log, to] = ["log", "to"].map(|name| folder.path().join(name));
        for folder in [&log, &to] {
            fs::create_dir(folder).unwrap();
        }
        let long = [b"{}\n".to_vec(), vec![b'x'; 3 * 64 * 1024]].concat();
        for (first, text) in [(1, &b"{}\n{}\n"[..]), (3, &*long), (4, b"{")] {
            fs::write(Segment::new(&log, first).path, text).unwrap();
        }
        for beside in [KEY_FILE, HEAD_FILE, "head.new", "other"] {
            fs::write(log.join(beside), "key").unwrap();
        }
        fs::write(Segment::new(&log, 1).summary(), "summary").unwrap();
        let named = |first| PathBuf::from(Segment::new(&log, first).name());
        let summary = named(1).with_extension("summary");
        let expected = [
            (KEY_FILE.into(), 3),
            (HEAD_FILE.into(), 3),
            (summary, 7),
            (named(1), 6),
            (named(3), 3),
            (named(4), 0),
        ];
        assert_eq!(snapshot(&log, &to).unwrap(), expected);
        for (name, bytes) in expected {
            let from = fs::read(log.join(&name)).unwrap();
            let bytes = usize::try_from(bytes).unwrap();
            assert_eq!(fs::read(to.join(&name)).unwrap()[..bytes], from[..bytes]);
        }
    }
}
