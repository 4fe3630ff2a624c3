//! What a verb can fail with, and the one place that maps errors to exit codes.
//!
//! Verbs let errors through with `?`; what they add is a hint where they know a way out.

use std::{error::Error as StdError, fmt, io, io::Write as _, process::ExitCode};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use sockeye::{
    addr::AddrError,
    client::ConnectError,
    model::ModelError,
    socket::{BindError, BindFault},
    systemd::ActivationError,
    tls::TlsError,
};
use sockeye_node::certificate::Unusable;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Green.on_default().bold();

/// What kind of failure it was: the exit code. 0 is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Fault {
    /// Anything that is nothing of the below.
    Failed = 1,
    /// What was asked for makes no sense.
    Usage = 2,
    /// A file, folder or inherited socket is not there.
    NotFound = 3,
    /// The system does not permit it.
    Denied = 4,
    /// No space, or over quota.
    NoSpace = 5,
    /// The network or the other side.
    Network = 6,
    /// A part was done, and a part was not.
    Partly = 7,
}

/// Why a verb did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    fault: Fault,
    message: String,
    hints: Vec<String>,
}

impl Failure {
    /// A failure in words of our own.
    pub(crate) fn new(fault: Fault, message: impl fmt::Display) -> Self {
        Self { fault, message: message.to_string(), hints: Vec::new() }
    }

    /// What was asked for makes no sense.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Fault::Usage, message)
    }

    /// With a way out, printed on a line of its own.
    pub(crate) fn hint(self, hint: impl fmt::Display) -> Self {
        self.hints(Some(hint))
    }

    /// With these ways out.
    pub(crate) fn hints<T: fmt::Display>(mut self, hints: impl IntoIterator<Item = T>) -> Self {
        self.hints.extend(hints.into_iter().map(|hint| hint.to_string()));
        self
    }

    /// With another one beside it, whose ways out are left out: the first one's are enough.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.message = format!("{}\n{}", self.message, other.message);
        self
    }

    /// The same, as a failure of this kind.
    pub(crate) fn being(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    /// With the thing that it is about in front.
    pub(crate) fn about(mut self, thing: impl fmt::Display) -> Self {
        self.message = format!("{thing}: {}", self.message);
        self
    }

    /// What the system said about reaching the other side.
    pub(crate) fn from_network(error: io::Error) -> Self {
        let fault = match error.kind() {
            io::ErrorKind::InvalidInput => Fault::Usage,
            io::ErrorKind::PermissionDenied => Fault::Denied,
            _ => Fault::Network,
        };
        Self::new(fault, error)
    }

    /// Whose fault it is.
    pub(crate) fn fault(&self) -> Fault {
        self.fault
    }

    /// Prints it, as a line of JSON if that was asked for, and gives the exit code.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        let mut out = anstream::stderr().lock();
        let message = without_numbers(&self.message);
        // With standard error gone nobody can be told.
        if json {
            let told = Told { error: &message, hints: &self.hints, exit: self.fault as u8 };
            let line = serde_json::to_string(&told).unwrap_or_default();
            let _ = writeln!(out, "{line}");
        } else {
            let _ = writeln!(out, "{ERROR}error:{ERROR:#} {message}");
            for hint in &self.hints {
                let _ = writeln!(out, "{HINT}hint:{HINT:#} {hint}");
            }
        }
        ExitCode::from(self.fault as u8)
    }
}

/// A failure as JSON.
#[derive(Serialize)]
struct Told<'a> {
    error: &'a str,
    hints: &'a [String],
    exit: u8,
}

/// What is said without the numbers that the system's errors have in Rust: its words are enough.
fn without_numbers(message: &str) -> String {
    const NUMBER: &str = " (os error ";
    let mut parts = message.split(NUMBER);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((digits, rest)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                text += rest;
            }
            _ => {
                text += NUMBER;
                text += part;
            }
        }
    }
    text
}

/// What clap found: help and the version end well, the rest is usage.
pub(crate) fn of_arguments(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    match error.exit_code() {
        0 if printed.is_ok() => ExitCode::SUCCESS,
        0 => ExitCode::from(Fault::Failed as u8),
        _ => ExitCode::from(Fault::Usage as u8),
    }
}

/// Whoever reads our output has had enough: that is no failure of ours.
pub(crate) fn ignore_broken_pipe(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}

impl From<sockeye::Error> for Failure {
    fn from(error: sockeye::Error) -> Self {
        use sockeye::Error;
        let fault = match &error {
            Error::Address(_) | Error::Model(_) | Error::Pair { .. } | Error::NotAsync(_) => {
                Fault::Usage
            }
            Error::Bind(source) | Error::Fork(source) | Error::System { source, .. } => {
                fault_of(source)
            }
            _ => Fault::Failed,
        };
        Self::new(fault, error)
    }
}

impl From<AddrError> for Failure {
    fn from(error: AddrError) -> Self {
        Self::usage(error.report())
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self::usage(error)
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let fault = match &error {
            ConnectError::Address(_)
            | ConnectError::NotAStream { .. }
            | ConnectError::Source { .. }
            | ConnectError::Layer { .. } => Fault::Usage,
            _ if error.kind() == io::ErrorKind::PermissionDenied => Fault::Denied,
            // As a listener's that was not passed.
            _ if inner::<ActivationError>(&error).is_some() => Fault::NotFound,
            _ => Fault::Network,
        };
        let untrusted = matches!(
            inner::<TlsError>(&error),
            Some(TlsError::PeerCertificate { .. } | TlsError::NotPinned { .. })
        );
        let failure = Self::new(fault, error);
        if !untrusted {
            return failure;
        }
        failure.hint(
            "--ca FILE trusts another authority, --pin FINGERPRINT exactly one certificate, \
             --insecure any",
        )
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        let fault = match &error {
            TlsError::Read { source, .. } => fault_of(source),
            TlsError::BadAlpn(_) | TlsError::BadFingerprint(_) | TlsError::BadServerName(_) => {
                Fault::Usage
            }
            _ => Fault::Failed,
        };
        Self::new(fault, error)
    }
}

impl From<Unusable> for Failure {
    fn from(error: Unusable) -> Self {
        let hint = error.hint();
        match error {
            Unusable::Files { key, place, source } => {
                Self::from(*source).about(format!("{key} ({place})"))
            }
            Unusable::NotMade(error) => error.into(),
            Unusable::NotWritten(error) => error.into(),
            other => Self::new(Fault::Failed, other),
        }
        .hints(hint)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::from(io::Error::from(error))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(fault_of(&error), error)
    }
}

/// Whose fault an I/O error is, by what is inside and otherwise by its kind.
pub(crate) fn fault_of(error: &io::Error) -> Fault {
    if let Some(bind) = error.get_ref().and_then(|inner| inner.downcast_ref::<BindError>()) {
        return fault_of_binding(bind.fault());
    }
    match error.kind() {
        io::ErrorKind::InvalidInput => Fault::Usage,
        io::ErrorKind::NotFound => Fault::NotFound,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Fault::Denied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Fault::NoSpace,
        io::ErrorKind::AddrInUse
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NotConnected
        | io::ErrorKind::TimedOut => Fault::Network,
        _ => Fault::Failed,
    }
}

fn fault_of_binding(fault: &BindFault) -> Fault {
    match fault {
        BindFault::NotAStream | BindFault::PathTooLong(_) => Fault::Usage,
        BindFault::NoFolder(..) | BindFault::NotInherited(_) => Fault::NotFound,
        BindFault::PrivilegedPort(..) | BindFault::Denied(_) => Fault::Denied,
        BindFault::InUse(_)
        | BindFault::LiveSocket
        | BindFault::Lookup(_)
        | BindFault::NotLocal(_)
        | BindFault::NoFamily(_) => Fault::Network,
        BindFault::Os(error) => fault_of(error),
        _ => Fault::Failed,
    }
}

/// The error of that type somewhere below; an I/O error's own is looked at as well.
fn inner<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inside) => Some(inside),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(kind: io::ErrorKind) -> u8 {
        Failure::from(io::Error::from(kind)).fault() as u8
    }

    #[test]
    fn what_the_system_says_has_no_number() {
        let system = io::Error::from_raw_os_error(2).to_string();
        assert!(system.ends_with(" (os error 2)"), "{system}");
        let both = format!("cannot read x: {system}; cannot read y: {system}");
        let told =
            "cannot read x: No such file or directory; cannot read y: No such file or directory";
        assert_eq!(without_numbers(&both), told);
        for other in ["", "a (os error 2", "a (os error x)", "(os error 2)"] {
            assert_eq!(without_numbers(other), other);
        }
    }

    #[test]
    fn each_kind_of_failure_has_its_exit_code() {
        assert_eq!(code(io::ErrorKind::Other), 1);
        assert_eq!(code(io::ErrorKind::InvalidInput), 2);
        assert_eq!(code(io::ErrorKind::NotFound), 3);
        assert_eq!(code(io::ErrorKind::PermissionDenied), 4);
        assert_eq!(code(io::ErrorKind::StorageFull), 5);
        assert_eq!(code(io::ErrorKind::ConnectionRefused), 6);
    }

    #[test]
    fn a_listener_that_cannot_be_is_judged_by_what_stood_in_the_way() {
        let denied = io::Error::from_raw_os_error(13);
        assert_eq!(fault_of_binding(&BindFault::PrivilegedPort(1024, denied)), Fault::Denied);
        let taken = io::Error::from_raw_os_error(98);
        assert_eq!(fault_of_binding(&BindFault::InUse(taken)), Fault::Network);
        assert_eq!(fault_of_binding(&BindFault::PathTooLong(200)), Fault::Usage);
    }
}
