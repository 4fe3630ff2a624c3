//! What is told when the server is ready: a small table for people, or one line of JSON.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anstyle::Style;
use serde::Serialize;
use sockeye::{Model, tls::Fingerprint};

use super::{browser, certificate::Certificate, plan::Plan, qr, urls::Reachable};
use crate::failure::ignore_broken_pipe;

const LABEL: Style = Style::new().bold();
const URL: Style = Style::new().underline();

/// A server that is ready, and how to tell so.
#[derive(Debug)]
pub(super) struct Announcement {
    folder: PathBuf,
    listeners: Vec<Reachable>,
    model: Model,
    workers: Option<usize>,
    /// Where the certificate is from, and its fingerprint, if a listener speaks TLS.
    certificate: Option<(String, Fingerprint)>,
    form: Form,
    qr: bool,
    open: bool,
}

/// In which form it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Nothing,
    Table,
    Json,
}

/// The ready line: one schema for every way to serve.
#[derive(Debug, Serialize)]
struct ReadyLine<'a> {
    ready: bool,
    listeners: Vec<ReadyListener<'a>>,
    /// The data folder; a folder that is only shared has none.
    data: Option<&'a str>,
    folder: &'a str,
    model: String,
    /// The SHA-256 fingerprint of the certificate.
    fingerprint: Option<String>,
}

#[derive(Debug, Serialize)]
struct ReadyListener<'a> {
    protocol: &'static str,
    address: String,
    /// How this machine reaches it.
    url: Option<&'a str>,
    /// How anyone does, as far as is known here.
    urls: &'a [String],
}

impl Announcement {
    pub(super) fn new(
        plan: &Plan,
        listeners: Vec<Reachable>,
        fingerprint: Option<Fingerprint>,
        quiet: bool,
    ) -> Self {
        let origin = match &plan.certificate {
            Some(Certificate::Files { chain, .. }) => chain.display().to_string(),
            _ => "self-signed, made for this run; browsers ask before they trust it".to_owned(),
        };
        let form = match (plan.json, quiet) {
            (true, _) => Form::Json,
            (false, true) => Form::Nothing,
            (false, false) => Form::Table,
        };
        Self {
            folder: plan.folder.clone(),
            listeners,
            model: plan.model,
            workers: plan.workers,
            certificate: fingerprint.map(|fingerprint| (origin, fingerprint)),
            form,
            qr: plan.qr,
            open: plan.open,
        }
    }

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
            protocol: "http",
            address: it.addr.to_string(),
            url: it.urls.first().map(String::as_str),
            urls: &it.urls,
        });
        let line = ReadyLine {
            ready: true,
            listeners: listeners.collect(),
            data: None,
            folder: &self.folder.to_string_lossy(),
            model: self.model.to_string(),
            fingerprint: self.certificate.as_ref().map(|(_, it)| it.to_string()),
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
        out.flush()
    }

    fn table(&self, out: &mut impl Write) -> io::Result<()> {
        row(out, "Folder", &format!("{}, for reading", self.folder.display()))?;
        let mut label = "Open";
        for listener in &self.listeners {
            if listener.urls.is_empty() {
                row(out, label, &listener.addr.to_string())?;
                label = "";
            }
            for url in &listener.urls {
                row(out, label, &format!("{URL}{url}{URL:#}"))?;
                label = "";
            }
        }
        let model = self.model;
        let workers = match self.workers {
            None => String::new(),
            Some(1) => ", 1 thread".to_owned(),
            Some(n) => format!(", {n} threads"),
        };
        row(out, "Model", &format!("{model}{workers}"))?;
        if let Some((origin, fingerprint)) = &self.certificate {
            row(out, "TLS", origin)?;
            row(out, "", &format!("SHA-256 {fingerprint}"))?;
        }
        row(out, "Stop", "Ctrl-C")?;
        out.flush()
    }
}

fn row(out: &mut impl Write, label: &str, value: &str) -> io::Result<()> {
    writeln!(out, "{LABEL}{label:<8}{LABEL:#}{value}")
}
