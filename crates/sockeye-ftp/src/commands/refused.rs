//! Replies to what was not done: the code that clients rely on, and a text that helps a person.

use sockeye_node::{Error, FilePath, Lacking, Rights, Session, log::Operation};

use crate::wire::{
    change::ChangeError,
    charset::NotInCharset,
    facts::FactsError,
    host::HostError,
    parameter::ParameterError,
    path::{PathError, absolute},
    protection::ProtectionError,
    reply::Reply,
    time::TimeError,
};

/// The code for what a session did not do (RFC 959 §4.2.2).
pub(crate) fn code(error: &Error) -> u16 {
    match error {
        Error::OverQuota { .. } | Error::TooManyMarks { .. } => 552,
        Error::NoSpace => 452,
        Error::Busy | Error::InUse | Error::Locked { .. } | Error::Changed => 450,
        Error::BadName { .. } | Error::IntoItself => 553,
        Error::BadRange { .. } => 554,
        Error::UploadEnded | Error::Shrunk | Error::Io(_) => 451,
        _ => 550,
    }
}

/// The text: what the log is to know of the system's faults the client is not told.
///
/// Some clients tell by its words why a file cannot be had, as 550 says too little: lftp goes by "No such file".
pub(crate) fn text(error: &Error) -> String {
    match error {
        Error::NotFound => "No such file or directory".to_owned(),
        Error::Exists => "File exists".to_owned(),
        Error::Denied => "Not enough privileges".to_owned(),
        Error::BadRange { start, size } => format!("Restart position {start} > file size {size}"),
        // In a shared folder others may have left them.
        Error::OverQuota(short) if !short.cut.is_nothing() => {
            format!("{error}; DELE removes your own")
        }
        Error::Io(cause) => {
            tracing::warn!(error = %cause, "the system failed");
            "the server failed; its log says why".to_owned()
        }
        error => error.to_string(),
    }
}

/// The reply to what was not done with `path`.
pub(crate) fn refused(path: &FilePath, error: &Error) -> Reply {
    let named = [&absolute(path)[..], b": ", text(error).as_bytes(), b"."].concat();
    Reply::new(code(error), named)
}

/// As [`refused`], of an operation of this session: who lacks a right is told which.
pub(crate) fn refused_to(
    session: &Session,
    operation: Operation,
    path: &FilePath,
    error: &Error,
) -> Reply {
    match error {
        Error::Denied => denied(session.lacking(operation, path, None), path),
        error => refused(path, error),
    }
}

/// The reply to a lack of rights, as far as it was that.
pub(crate) fn denied(lacking: Option<Lacking>, path: &FilePath) -> Reply {
    let Some(Lacking { needed, there, has }) = lacking else {
        return refused(path, &Error::Denied);
    };
    let place = if there { "there" } else { "here" };
    let text = format!(
        ": {}: this needs {} {place}, and you have {}.",
        text(&Error::Denied),
        listed(needed),
        listed(has),
    );
    Reply::new(code(&Error::Denied), [&absolute(path)[..], text.as_bytes()].concat())
}

/// Rights in a sentence.
pub(crate) fn listed(rights: Rights) -> String {
    rights.to_string().replace(',', " and ")
}

impl From<PathError> for Reply {
    fn from(error: PathError) -> Self {
        let code = match error {
            PathError::Control | PathError::Root => 553,
            _ => 501,
        };
        Self::new(code, format!("{error}."))
    }
}

impl From<NotInCharset> for Reply {
    fn from(error: NotInCharset) -> Self {
        Self::new(501, format!("{error}."))
    }
}

impl From<ParameterError> for Reply {
    fn from(error: ParameterError) -> Self {
        error.reply()
    }
}

impl From<HostError> for Reply {
    fn from(error: HostError) -> Self {
        error.reply()
    }
}

impl From<TimeError> for Reply {
    fn from(error: TimeError) -> Self {
        Self::new(501, error.to_string())
    }
}

impl From<ChangeError> for Reply {
    fn from(error: ChangeError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<ProtectionError> for Reply {
    fn from(error: ProtectionError) -> Self {
        error.reply()
    }
}

impl From<FactsError> for Reply {
    fn from(error: FactsError) -> Self {
        Self::new(501, error.to_string())
    }
}
