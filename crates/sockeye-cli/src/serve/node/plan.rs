//! What `sockeye serve` without a folder was asked for: the data folder, and arguments as keys of the
//! configuration.

use std::path::Path;

use sockeye_node::data::DataFolder;

use super::super::{
    announce::Form,
    args::{ServeArgs, Switch},
};
use crate::failure::Failure;

/// What was asked for; the configuration says the rest.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) folder: DataFolder,
    /// Whether other verbs need `--data` to find the folder.
    pub(super) named: bool,
    /// Arguments that set keys: the key, the argument, the value.
    pub(super) flags: Vec<(String, String, String)>,
    pub(super) form: Form,
    pub(super) open: bool,
    pub(super) qr: bool,
}

impl Plan {
    /// Gives the arguments their meaning.
    pub(super) fn resolve(args: ServeArgs, quiet: bool) -> Result<Self, Failure> {
        for (given, argument, instead) in [
            (
                args.tls,
                "--tls",
                "name a listener with TLS, as --listen http+tls+tcp://127.0.0.1:8443",
            ),
            (args.hidden, "--hidden", "an account sees all of its own files"),
            (args.precompressed, "--precompressed", "set `http.precompressed` in sockeye.toml"),
            (
                args.access_log.is_some(),
                "--access-log",
                "the journal has every operation: `sockeye log`",
            ),
        ] {
            if given {
                let message = format!("{argument} is for sharing one folder, and no DIR was given");
                return Err(Failure::usage(message).hint(instead));
            }
        }
        Ok(Self {
            folder: args.data.folder()?,
            named: args.data.is_given(),
            form: Form::of(args.json, quiet),
            open: args.open,
            qr: args.qr,
            flags: flags(args)?,
        })
    }
}

fn flags(args: ServeArgs) -> Result<Vec<(String, String, String)>, Failure> {
    let mut flags = Vec::new();
    let mut set = |key: &str, flag: &str, value: String| {
        flags.push((key.to_owned(), flag.to_owned(), value));
    };
    for assignment in args.set {
        let Some((key, value)) = assignment.split_once('=') else {
            let message = format!("--set {assignment}: there is no `=` in it");
            return Err(
                Failure::usage(message).hint("write --set KEY=VALUE, as --set trash.keep=7d")
            );
        };
        set(key, &format!("--set {key}"), value.to_owned());
    }
    for listen in args.listen {
        set("listen", "--listen", listen);
    }
    match (args.model, args.workers) {
        (None, None) => {}
        (Some(model), None) => set("model", "--model", model),
        (model, Some(workers)) if model.as_deref().is_none_or(|model| model == "tasks") => {
            set("model", "--workers", format!("tasks:{workers}"));
        }
        (model, Some(_)) => {
            let model = model.unwrap_or_default();
            let message = format!("--workers is for the model `tasks`, not for {model}");
            return Err(Failure::usage(message).hint("the number of percore stands behind a colon"));
        }
    }
    if let Some(drain) = args.drain {
        set("drain", "--drain", drain);
    }
    if let Some(chain) = args.cert {
        let key = args.key.unwrap_or_else(|| chain.clone());
        set("tls.cert", "--cert", absolute(&chain)?);
        set("tls.key", "--key", absolute(&key)?);
    }
    for index in args.index {
        set("http.index", "--index", index);
    }
    if let Some(listing) = args.listing {
        set("http.listing", "--listing", (listing == Switch::On).to_string());
    }
    for host in args.host {
        set("http.hosts", "--host", host);
    }
    Ok(flags)
}

/// An argument is relative to the current folder, and a configured path to the data folder.
fn absolute(path: &Path) -> Result<String, Failure> {
    let absolute = std::path::absolute(path);
    let absolute = absolute.map_err(|error| Failure::from(error).about(path.display()))?;
    Ok(absolute.to_string_lossy().into_owned())
}
