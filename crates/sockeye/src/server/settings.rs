//! What a server was told to do.

use std::{fmt, sync::Arc};

use super::{Limits, reload::Hook};
use crate::{Model, systemd::Notifier};

/// The settings of a server.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) model: Model,
    pub(crate) limits: Limits,
    pub(crate) workers: Option<usize>,
    pub(crate) signals: Option<bool>,
    pub(crate) on_reload: Option<Hook>,
    pub(crate) on_ready: Option<Hook>,
    pub(crate) notifier: Arc<Notifier>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<crate::tls::TlsServer>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("model", &self.model)
            .field("limits", &self.limits)
            .field("workers", &self.workers)
            .field("signals", &self.signals)
            .finish_non_exhaustive()
    }
}
