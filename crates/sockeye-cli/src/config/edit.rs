//! `sockeye config set` and `sockeye config unset`: keys of the file, changed where they stand.

use std::path::{Path, PathBuf};

use sockeye_node::{
    certificate::CertificateFiles,
    config::{
        Change, Config, ConfigError, Fault as ConfigFault, Sources, default_file,
        edit::{self, EditError, Edited},
    },
};

use super::exposed;
use crate::{
    data::DataArgs,
    failure::{Failure, Fault},
    output::{note, print},
    reload::{self, ReloadArgs},
    serve::PROTOCOLS,
};

/// What is given to `set`.
#[derive(Debug, clap::Args)]
pub(super) struct SetArgs {
    /// A key and what it is to be, as often as you like; a list is one argument, with spaces between its items
    #[arg(value_names = ["KEY", "VALUE"], num_args = 1.., required = true)]
    words: Vec<String>,

    /// Have the node that runs take it up
    #[arg(long)]
    reload: bool,

    #[command(flatten)]
    data: DataArgs,
}

/// What is given to `unset`.
#[derive(Debug, clap::Args)]
pub(super) struct UnsetArgs {
    /// The keys that are to have their defaults
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,

    /// Have the node that runs take it up
    #[arg(long)]
    reload: bool,

    #[command(flatten)]
    data: DataArgs,
}

/// Sets keys: all of them, or none.
pub(super) fn set(args: &SetArgs) -> Result<(), Failure> {
    let pairs = pairs(&args.words)?;
    let edits = pairs.iter().map(|(key, value)| move |text: &str| edit::set(text, key, value));
    change(&args.data, args.reload, edits)
}

/// Takes keys out.
pub(super) fn unset(args: &UnsetArgs) -> Result<(), Failure> {
    let edits = args.keys.iter().map(|key| move |text: &str| edit::unset(text, key));
    change(&args.data, args.reload, edits)
}

/// `KEY VALUE` and `KEY=VALUE`, in any order.
fn pairs(words: &[String]) -> Result<Vec<(&str, &str)>, Failure> {
    let (mut pairs, mut words) = (Vec::new(), words.iter());
    while let Some(word) = words.next() {
        match (word.split_once('='), words.as_slice().first()) {
            (Some(pair), _) => pairs.push(pair),
            (None, Some(value)) => {
                pairs.push((word.as_str(), value.as_str()));
                words.next();
            }
            (None, None) => {
                return Err(Failure::usage(format!("{word}: what it is to be is missing"))
                    .hint(format!("write `sockeye config set {word} VALUE`")));
            }
        }
    }
    Ok(pairs)
}

/// Edits the file, and writes it if it is right then.
fn change(
    data: &DataArgs,
    reload: bool,
    edits: impl Iterator<Item = impl FnOnce(&str) -> Result<Edited, EditError>>,
) -> Result<(), Failure> {
    let folder = data.folder()?;
    if !folder.exists()? {
        let message = format!("there is no data folder {}", folder.path().display());
        return Err(Failure::new(Fault::NotFound, message)
            .hint("`sockeye serve` makes one; --data names another"));
    }
    let hold = folder.hold_config()?;
    let (path, old) = folder.read_config()?.unwrap_or((folder.config(), default_file()));
    let (mut text, mut done) = (old.clone(), Vec::new());
    for edit in edits {
        let edited = edit(&text).map_err(|error| refused(&path, &error))?;
        text.clone_from(&edited.text);
        done.push(edited);
    }
    if text != old {
        check(data, &path, &old, &text)?;
        folder.write_config(&text)?;
    }
    drop(hold);
    let told: String = done.iter().map(|edited| told(&path, edited)).collect();
    print(told)?;
    warn_of_environment(&done);
    // Also where the file said it already: the node may not have taken it up.
    if reload {
        return reload::run(&ReloadArgs::of(data.clone()));
    }
    if text == old {
        return Ok(());
    }
    let waits = done.iter().any(|edited| edited.key.change == Change::Restart);
    note(match waits {
        false => "`sockeye reload` has the node that runs take it up",
        true => {
            "it holds from the next start on; `sockeye reload` says what a node that runs takes up"
        }
    });
    Ok(())
}

fn refused(path: &Path, error: &EditError) -> Failure {
    match error {
        EditError::Malformed { .. } | EditError::ByHand { .. } => {
            Failure::usage(error).about(path.display())
        }
        _ => Failure::usage(error),
    }
}

/// Refuses a text in which anything is wrong that was right before, or that could not be served.
fn check(data: &DataArgs, path: &Path, old: &str, new: &str) -> Result<(), Failure> {
    let config = match load(path, new) {
        Ok(config) => config,
        Err(error) => return check_of_broken(&error, load(path, old).err()),
    };
    for warning in exposed(&config) {
        tracing::warn!("{}: {warning}", config.place("listen"));
    }
    let shown = |config: &Config| {
        let settings = &config.settings;
        (settings.tls_cert.clone(), settings.tls_key.clone(), settings.listen.clone())
    };
    // Of what was so before is told by `config check`.
    if load(path, old).ok().as_ref().map(shown) != Some(shown(&config)) {
        CertificateFiles::check(&data.folder()?, &config, PROTOCOLS)?;
    }
    Ok(())
}

/// The file as it would be read, without what the environment of this shell says.
fn load(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let file = Some((PathBuf::from(path), text.to_owned()));
    Config::load(&Sources { file, ..Sources::default() }, PROTOCOLS)
}

/// Who mends one of two mistakes is not kept from it by the other.
fn check_of_broken(new: &ConfigError, old: Option<ConfigError>) -> Result<(), Failure> {
    let same = |a: &ConfigFault, b: &ConfigFault| (&a.key, &a.message) == (&b.key, &b.message);
    let known = old.as_ref().map(ConfigError::faults).unwrap_or_default();
    if new.faults().iter().all(|fault| known.iter().any(|old| same(old, fault))) {
        tracing::warn!("what was wrong before is still wrong: {new}");
        return Ok(());
    }
    let message = format!("nothing was changed: {new}");
    let mut failure = Failure::usage(message);
    if new
        .faults()
        .iter()
        .any(|fault| fault.key.as_deref().is_some_and(|key| key.starts_with("tls.")))
    {
        failure = failure.hint("set both at once: `sockeye config set tls.cert FILE tls.key FILE`");
    }
    Err(failure)
}

/// What was done, in a line.
fn told(path: &Path, edited: &Edited) -> String {
    let (file, name) = (path.display(), edited.key.name);
    match (&edited.before, &edited.now) {
        (None, None) => format!("{name} is not set in {file}\n"),
        (Some(before), None) => {
            format!(
                "{name} = {} again, the default, in place of {before}\n",
                edited.key.default_toml()
            )
        }
        (Some(before), Some((now, line))) if before == now => {
            format!("{file}:{line}: {name} = {now}, as it was\n")
        }
        (before, Some((now, line))) => {
            let default = edited.key.default_toml();
            let before = before.as_ref().unwrap_or(&default);
            format!("{file}:{line}: {name} = {now}, in place of {before}\n")
        }
    }
}

/// Says where the file is not what decides.
fn warn_of_environment(done: &[Edited]) {
    for Edited { key, .. } in done {
        let variable = key.variable();
        if std::env::var_os(&variable).is_some() {
            note(&format!(
                "{variable} is set here, and goes before the file for what is started here"
            ));
        }
    }
}
