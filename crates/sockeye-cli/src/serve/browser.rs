//! Opening the shared folder in the user's browser.

use std::process::{Command, Stdio};

use super::urls::Reachable;

/// Ends at once, so that nobody has to wait for it; the browser is left to init.
const IN_BACKGROUND: &str = "xdg-open \"$1\" </dev/null >/dev/null 2>&1 &";

/// Opens the first URL with xdg-open(1); a machine without one goes on without.
pub(super) fn open(listeners: &[Reachable]) {
    let Some(url) = listeners.iter().find_map(|it| it.urls.first()) else {
        tracing::warn!("nothing to open: none of the listeners has a URL");
        return;
    };
    let found = |name| {
        let look = format!("command -v {name}");
        let look = Command::new("sh").args(["-c", &look]).stdout(Stdio::null()).status();
        look.is_ok_and(|status| status.success())
    };
    if !found("xdg-open") {
        tracing::warn!("no browser was opened: this machine has no xdg-open");
        return;
    }
    if let Err(error) = Command::new("sh").args(["-c", IN_BACKGROUND, "sh", url]).status() {
        tracing::warn!(%error, "no browser was opened");
    }
}
