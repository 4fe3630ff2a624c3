//! Socket activation and readiness, as systemd defines them (`sd_listen_fds(3)`, `sd_notify(3)`).
//!
//! A service manager can open a service's sockets itself and start the service with them
//! ([`take`], `fd://NAME`); and it can be told how the service is ([`Notifier`]). Both are
//! agreed on through environment variables. This module is the one place of the crate that reads the
//! environment, for [`take`], [`names`], [`Notifier::from_env`] and [`watchdog_from_env`]; it
//! never changes it, as that cannot be done safely in a process with threads. Nothing of
//! systemd has to be installed: whoever speaks the same protocol will do.
//!
//! ```no_run
//! use sockeye::systemd::{Notifier, State};
//!
//! let manager = Notifier::from_env()?;
//! manager.notify(&[State::Ready, State::Status("serving 3 listeners")])?;
//! # Ok::<(), sockeye::systemd::NotifyError>(())
//! ```

mod activation;
mod notify;

use std::{env, ffi::OsString};

pub use activation::{
    ActivationError, FIRST_DESCRIPTOR, MAX_DESCRIPTORS, names, take, take_matching,
};
pub use notify::{
    MAX_STATUS, NOTIFY_TIMEOUT, Notifier, NotifyError, State, watchdog_from_env, watchdog_interval,
};

/// A variable of the environment.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// A variable of the environment, what is no Unicode in it replaced.
fn text_variable(name: &str) -> Option<String> {
    Some(variable(name)?.to_string_lossy().into_owned())
}
