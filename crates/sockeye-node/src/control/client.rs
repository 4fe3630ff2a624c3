//! The program's side of the control socket.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    time::Duration,
};

use super::{MAX_LINE, Reply, Request, VERSION, place::ControlPath};
use crate::{
    command::{Answer, Command, Refusal},
    data::DataFolder,
};

/// How long an answer may take: some commands read every file.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Why a running node gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// Nobody takes commands there.
    #[error("nobody takes commands at {path}: {source}")]
    Nobody {
        /// The socket.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The node said nothing, or not all.
    #[error("the node gave no answer: {0}")]
    Broken(io::Error),
    /// The node refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Has the node that runs on `folder` carry out a command; blocks until it has.
///
/// # Errors
/// [`ControlError`].
pub fn ask(folder: &DataFolder, command: Command) -> Result<Answer, ControlError> {
    let nobody = |source| {
        let path = folder.control().display().to_string();
        ControlError::Nobody { path, source }
    };
    let place = ControlPath::of(folder).map_err(nobody)?;
    let stream = UnixStream::connect(place.path()).map_err(nobody)?;
    match exchange(&stream, command).map_err(ControlError::Broken)? {
        Reply::Done(answer) => Ok(answer),
        Reply::Refused(refusal) => Err(refusal.into()),
    }
}

/// Whether somebody takes commands on `folder`: a node that serves, and no verb that works on it for a moment.
#[must_use]
pub fn is_attended(folder: &DataFolder) -> bool {
    ControlPath::of(folder).and_then(|place| UnixStream::connect(place.path())).is_ok()
}

fn exchange(mut stream: &UnixStream, command: Command) -> io::Result<Reply> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(&Request { version: VERSION.to_owned(), command })?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = Vec::new();
    BufReader::new(stream.take(MAX_LINE as u64)).read_until(b'\n', &mut answer)?;
    if answer.last() != Some(&b'\n') {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ended the connection"));
    }
    Ok(serde_json::from_slice(&answer)?)
}
