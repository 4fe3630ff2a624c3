//! What can go wrong before and around serving.

use std::{fmt, io};

use thiserror::Error;

use crate::{
    addr::AddrError,
    client::ConnectError,
    model::ModelError,
    socket::{BindError, OpenError, options::OptionError},
    systemd::{ActivationError, NotifyError},
};

/// Why a server could not be bound, prepared or run.
///
/// What goes wrong with one connection is a [`Failure`](crate::Failure) instead.
///
/// `Debug` prints what `Display` does, so that a `main` that returns it ends with a message that
/// people can read.
#[derive(Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller: an address that does not parse.
    #[error(transparent)]
    Address(#[from] AddrError),
    /// The caller: a model that cannot be.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The caller: an address that does not go with the handler, the model or the settings.
    #[error("{addr}: {reason}")]
    Pair {
        /// The address.
        addr: String,
        /// Why they do not go together, and what to do.
        reason: &'static str,
    },
    /// The caller: a server without any address.
    #[error("the server listens nowhere: bind an address first")]
    Nowhere,
    /// The caller: a model that the async calls cannot run.
    #[error(
        "model {0} needs threads or processes of its own: use the blocking call, or Model::Tasks"
    )]
    NotAsync(crate::Model),
    /// The system: an address could not be bound.
    #[error(transparent)]
    Bind(io::Error),
    /// The caller or the system: the zygote could not be forked, or died and could not be
    /// forked again.
    #[error("the process model cannot start: {0}")]
    Fork(#[source] io::Error),
    /// The system: a runtime, a thread or memory could not be had.
    #[error("{what}: {source}")]
    System {
        /// What was wanted.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    pub(crate) const fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}

/// What `main` returns is printed by `Debug`: it has to be the message, here and inside an
/// [`io::Error`].
macro_rules! debug_as_display {
    ($($error:ty),+ $(,)?) => {$(
        impl fmt::Debug for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )+};
}

debug_as_display!(Error, AddrError, ModelError, BindError, OpenError, OptionError, ConnectError);
debug_as_display!(ActivationError, NotifyError);
#[cfg(feature = "tls")]
debug_as_display!(crate::tls::TlsError);

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Bind(source) | Error::Fork(source) | Error::System { source, .. } => {
                source.kind()
            }
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}
