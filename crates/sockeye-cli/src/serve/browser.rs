//! Opening the shared folder in the user's browser.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    thread,
};

use super::urls::Reachable;

/// Opens the first URL with xdg-open(1); where that fails the server goes on and says what to open.
pub(super) fn open(listeners: &[Reachable]) {
    let Some(url) = listeners.iter().find_map(|it| it.urls.first()).cloned() else {
        tracing::warn!("nothing to open: none of the listeners has a URL");
        return;
    };
    let started = start(&url).and_then(|mut opener| {
        let url = url.clone();
        // It may run for as long as the browser does.
        thread::Builder::new().name("browser".to_owned()).spawn(move || told(&mut opener, &url))
    });
    match started {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            tracing::warn!("no browser was opened, as there is no xdg-open here: open {url}");
        }
        Err(error) => tracing::warn!("no browser was opened ({error}): open {url}"),
    }
}

/// Begins to open `url`, in a process group of its own: Ctrl-C is for the server.
fn start(url: &str) -> io::Result<Child> {
    let mut command = Command::new("xdg-open");
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.process_group(0).spawn()
}

/// Waits for what was begun, and says so if it came to nothing.
fn told(opener: &mut Child, url: &str) {
    match opener.wait() {
        Ok(status) if status.success() => {}
        Ok(status) => tracing::warn!("no browser was opened (xdg-open: {status}): open {url}"),
        Err(error) => tracing::debug!(%error, "how xdg-open ended is not known"),
    }
}
