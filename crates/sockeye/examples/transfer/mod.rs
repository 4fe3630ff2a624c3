//! What `download` and `upload` share: the words on the wire, a file that appears when it is
//! complete, and a progress bar.

use std::{
    fs::Permissions,
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use indicatif::{ProgressBar, ProgressStyle};
use tempfile::{Builder, NamedTempFile};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
};

use crate::cli;

/// Stands between the parts of a header, as this literal text.
pub(crate) const SEPARATOR: &str = "<SEPARATOR>";

/// How much is read and written at once, in bytes.
pub(crate) const PIECE: usize = 64 * 1024;

/// What follows the separator; `None` while that has not come.
pub(crate) fn split(header: &[u8]) -> Option<(&[u8], &[u8])> {
    let separator = SEPARATOR.as_bytes();
    let at = header.windows(separator.len()).rposition(|window| window == separator)?;
    Some((&header[..at], &header[at + separator.len()..]))
}

/// The last part of a path, the one that names the file.
pub(crate) fn base_name(path: &str) -> Option<&str> {
    let name = path.rsplit(['/', '\\']).next()?;
    (!["", ".", ".."].contains(&name) && !name.contains('\0')).then_some(name)
}

/// A bar with rate and time left; nothing where no terminal shows it.
pub(crate) fn progress(size: u64, name: &str) -> io::Result<ProgressBar> {
    let look = "{msg} [{bar:25}] {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
    let style = ProgressStyle::with_template(look).map_err(io::Error::other)?;
    Ok(ProgressBar::new(size)
        .with_style(style)
        .with_message(name.replace(char::is_control, "\u{fffd}")))
}

/// A file that is being received. It gets its name when it is complete; dropped before that, for
/// whatever reason, it is kept aside as `NAME.part`.
pub(crate) struct Incoming {
    temporary: Option<NamedTempFile>,
    file: File,
    path: PathBuf,
    received: u64,
}

impl Incoming {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        // Two may receive the same name at the same time, so this one is like no other.
        let temporary = Builder::new()
            .permissions(Permissions::from_mode(0o666))
            .prefix(&format!("{name}."))
            .suffix(".part")
            .tempfile_in(path.parent().unwrap_or(Path::new("")))?;
        let file = File::from_std(temporary.as_file().try_clone()?);
        Ok(Self { temporary: Some(temporary), file, path: path.to_owned(), received: 0 })
    }

    /// Receives `size` bytes; more stay where they are.
    pub(crate) async fn fill(
        &mut self,
        source: impl AsyncRead + Unpin,
        size: u64,
        bar: ProgressBar,
    ) -> io::Result<()> {
        let mut source = source.take(size);
        let mut piece = vec![0; PIECE];
        while self.received < size {
            let n = source.read(&mut piece).await?;
            if n == 0 {
                let message = format!("only {} of {size} bytes came", self.received);
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
            }
            self.file.write_all(&piece[..n]).await?;
            // Without this the system may not have it yet, and the file may end here.
            self.file.flush().await?;
            self.received += n as u64;
            bar.set_position(self.received);
        }
        bar.finish();
        Ok(())
    }

    /// Gives the file its name, in place of an older one only if `replace` says so.
    pub(crate) fn finish(mut self, replace: bool) -> io::Result<()> {
        let Some(temporary) = self.temporary.take() else { return Ok(()) };
        let named = match replace {
            true => temporary.persist(&self.path),
            false => temporary.persist_noclobber(&self.path),
        };
        named.map(drop).map_err(|refused| {
            self.temporary = Some(refused.file);
            refused.error
        })
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let Some(temporary) = self.temporary.take() else { return };
        let mut part = self.path.clone().into_os_string();
        part.push(".part");
        let kept = match temporary.persist(&part) {
            Ok(file) => {
                let size = file.metadata().map_or(self.received, |meta| meta.len());
                format!("{size} bytes kept as {}", part.display())
            }
            Err(refused) => format!("not kept: {}", refused.error),
        };
        // Where nobody reads the report, there is nobody to tell.
        let _ = cli::say(format_args!("incomplete: {kept}"));
    }
}
