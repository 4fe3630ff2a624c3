//! Reloading: what a server's operator changed is taken up by every process of it.

use std::{
    fmt,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::AcqRel},
    },
};

use super::context::ServerContext;

/// What to call at a reload.
pub(crate) type Hook = Arc<dyn Fn() + Send + Sync>;

/// The hook, and how many reloads this process has taken up.
pub(crate) struct Reload {
    hook: Option<Hook>,
    taken_up: AtomicU64,
}

impl Reload {
    pub(crate) const fn new(hook: Option<Hook>) -> Self {
        Self { hook, taken_up: AtomicU64::new(0) }
    }

    pub(crate) const fn wanted(&self) -> bool {
        self.hook.is_some()
    }
}

impl ServerContext {
    /// Reloads: here at once; in the zygotes and prefork workers before their next connection.
    pub(crate) fn reload(&self) {
        self.counters.next_reload();
        self.take_up_reload();
    }

    /// Calls the hook if a reload has come since this process last did.
    pub(crate) fn take_up_reload(&self) {
        let Some(hook) = &self.reload.hook else { return };
        let reloads = self.counters.reloads();
        if self.reload.taken_up.swap(reloads, AcqRel) != reloads {
            let called = std::panic::catch_unwind(AssertUnwindSafe(|| hook()));
            if called.is_err() {
                tracing::error!("the reload hook panicked; the server goes on as it was");
            }
        }
    }
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reload").field("taken_up", &self.taken_up).finish_non_exhaustive()
    }
}
