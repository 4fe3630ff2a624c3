//! What is told when the server is ready: a small table for people, or one line of JSON.

use std::{
    io::{self, IsTerminal as _, Write},
    path::{Path, PathBuf},
};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use sockeye::tls::Fingerprint;

use super::{browser, qr, urls::Reachable};
use crate::failure::ignore_broken_pipe;

const LABEL: Style = Style::new().bold();
const URL: Style = Style::new().underline();
const SECRET: Style = AnsiColor::Yellow.on_default().bold();

/// A server that is ready, and how to tell so.
#[derive(Debug)]
pub(super) struct Announcement {
    pub(super) served: Served,
    pub(super) listeners: Vec<Reachable>,
    /// As it is written on the command line.
    pub(super) model: String,
    /// Threads of the model `tasks`, if their number is set.
    pub(super) workers: Option<usize>,
    /// Where the certificate is from, and its fingerprint, if a listener speaks TLS.
    pub(super) certificate: Option<(String, Fingerprint)>,
    pub(super) form: Form,
    pub(super) qr: bool,
    pub(super) open: bool,
}

/// What is served.
#[derive(Debug)]
pub(super) enum Served {
    /// One folder, for reading.
    Folder(PathBuf),
    /// A node.
    Node {
        /// The data folder.
        data: PathBuf,
        /// The `--data` that other verbs need to find it, if they do.
        named: bool,
        /// The administrator that was just made.
        first: Option<FirstAdmin>,
    },
}

/// The administrator of a new node.
#[derive(Debug)]
pub(super) struct FirstAdmin {
    pub(super) name: String,
    pub(super) password: FirstPassword,
}

/// How the initial password comes to its reader.
pub(super) enum FirstPassword {
    /// It is shown.
    Shown(String),
    /// It is in a file.
    File(PathBuf),
}

/// Without the password.
impl std::fmt::Debug for FirstPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shown(_) => f.write_str("Shown"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// In which form it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Nothing,
    Table,
    Json,
}

impl Form {
    pub(super) fn of(json: bool, quiet: bool) -> Self {
        match (json, quiet) {
            (true, _) => Self::Json,
            (false, true) => Self::Nothing,
            (false, false) => Self::Table,
        }
    }

    /// Whether a secret may be shown: on a terminal, where nobody keeps what is printed.
    pub(super) fn shows_secrets(self) -> bool {
        self == Self::Table && io::stdout().is_terminal()
    }
}

/// The ready line: one schema for every way to serve.
#[derive(Debug, Serialize)]
struct ReadyLine<'a> {
    ready: bool,
    listeners: Vec<ReadyListener<'a>>,
    /// The data folder; a folder that is only shared has none.
    data: Option<String>,
    /// The folder that is shared; a node has none.
    folder: Option<String>,
    model: &'a str,
    /// The SHA-256 fingerprint of the certificate.
    fingerprint: Option<String>,
    /// Where the first administrator's password is, if there is one that was never used.
    initial_password: Option<String>,
}

#[derive(Debug, Serialize)]
struct ReadyListener<'a> {
    protocol: &'a str,
    address: String,
    /// How this machine reaches it.
    url: Option<&'a str>,
    /// How anyone does, as far as is known here.
    urls: &'a [String],
}

impl Announcement {
    /// Tells that the server is ready, and opens the browser if wanted. An output that cannot be written
    /// does not stop the server.
    pub(super) fn make(&self) {
        if let Err(error) = self.print().or_else(ignore_broken_pipe) {
            tracing::error!(%error, "nobody was told that the server is ready");
        }
        if self.open {
            browser::open(&self.listeners);
        }
    }

    fn print(&self) -> io::Result<()> {
        match self.form {
            Form::Nothing => {}
            Form::Table => self.table(&mut anstream::stdout().lock())?,
            Form::Json => self.json(&mut io::stdout().lock())?,
        }
        if self.qr {
            qr::print(&self.listeners, self.form == Form::Json)?;
        }
        Ok(())
    }

    fn json(&self, out: &mut impl Write) -> io::Result<()> {
        let listeners = self.listeners.iter().map(|it| ReadyListener {
            protocol: &it.protocol,
            address: it.addr.to_string(),
            url: it.urls.first().map(String::as_str),
            urls: &it.urls,
        });
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        let (data, folder, first) = match &self.served {
            Served::Folder(folder) => (None, Some(text(folder)), None),
            Served::Node { data, first, .. } => (Some(text(data)), None, first.as_ref()),
        };
        let line = ReadyLine {
            ready: true,
            listeners: listeners.collect(),
            data,
            folder,
            model: &self.model,
            fingerprint: self.certificate.as_ref().map(|(_, it)| it.to_string()),
            initial_password: first.and_then(|first| match &first.password {
                FirstPassword::File(path) => Some(text(path)),
                FirstPassword::Shown(_) => None,
            }),
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
        out.flush()
    }

    fn table(&self, out: &mut impl Write) -> io::Result<()> {
        match &self.served {
            Served::Folder(folder) => {
                row(out, "Folder", &format!("{}, for reading", folder.display()))?;
                self.listening(out, |_| "Open")?;
                self.running(out)?;
            }
            Served::Node { data, named, first } => {
                row(out, "Data", &data.display().to_string())?;
                self.listening(out, |it| &it.protocol)?;
                self.running(out)?;
                let data = if *named { format!(" --data {}", quoted(data)) } else { String::new() };
                if let Some(first) = first {
                    sign_in(out, first, &data)?;
                }
                row(out, "Users", &format!("sockeye user add NAME{data}"))?;
            }
        }
        row(out, "Stop", "Ctrl-C")?;
        out.flush()
    }

    /// A row for each URL; a label that stood just before is not said again.
    fn listening<'a>(
        &'a self,
        out: &mut impl Write,
        label: impl Fn(&'a Reachable) -> &'a str,
    ) -> io::Result<()> {
        let mut said = "";
        for listener in &self.listeners {
            let plain = listener.addr.to_string();
            let urls = listener.urls.iter().map(|url| format!("{URL}{url}{URL:#}"));
            let rows = if listener.urls.is_empty() { vec![plain] } else { urls.collect() };
            for line in rows {
                let label = label(listener);
                row(out, if label == said { "" } else { label }, &line)?;
                said = label;
            }
        }
        Ok(())
    }

    fn running(&self, out: &mut impl Write) -> io::Result<()> {
        let workers = match self.workers {
            None => String::new(),
            Some(1) => ", 1 thread".to_owned(),
            Some(n) => format!(", {n} threads"),
        };
        row(out, "Model", &format!("{}{workers}", self.model))?;
        if let Some((origin, fingerprint)) = &self.certificate {
            row(out, "TLS", origin)?;
            row(out, "", &format!("SHA-256 {fingerprint}"))?;
        }
        Ok(())
    }
}

fn sign_in(out: &mut impl Write, first: &FirstAdmin, data: &str) -> io::Result<()> {
    let name = &first.name;
    match &first.password {
        FirstPassword::Shown(password) => {
            let shown = format!("{SECRET}{password}{SECRET:#}");
            row(out, "Sign in", &format!("{name}, with the initial password {shown}"))?;
        }
        FirstPassword::File(path) => {
            row(out, "Sign in", &format!("{name}, with the password in {}", path.display()))?;
        }
    }
    row(out, "", &format!("change it with: sockeye user passwd {name}{data}"))
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if text.chars().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn row(out: &mut impl Write, label: &str, value: &str) -> io::Result<()> {
    writeln!(out, "{LABEL}{label:<8}{LABEL:#}{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_where_a_shell_would_take_it_apart() {
        assert_eq!(quoted(Path::new("/srv/node-1")), "/srv/node-1");
        assert_eq!(quoted(Path::new("/a b/it's")), "'/a b/it'\\''s'");
    }
}
