//! The configuration: from a file, the environment and arguments to values that were checked.
//!
//! One table (`table.rs`) has every key. Nothing here reads a file or the environment: the program passes
//! what it found, and is told everything that is wrong at once, each with its place.

pub mod edit;
mod fault;
mod file;
mod foreign;
mod means;
mod table;
mod value;
mod written;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use sockeye::addr::nearest;

pub use fault::{ConfigError, Fault, Place};
pub use foreign::{Foreign, foreign};
pub use table::{Change, KEYS, Key, Settings};
pub use value::{
    Bytes, CloseNotify, DataTls, Durability, NodeModel, PortRange, SecureUrl, SiteUrl, Within,
};
pub use written::{Held, Next, Shown, default_file, json};

use crate::listeners::Protocol;
use value::Raw;

/// What the names of variables begin with.
pub const PREFIX: &str = "SOCKEYE_";

/// Variables that begin so and are the program's own.
const NOT_KEYS: &[&str] = &["SOCKEYE_LOG", "SOCKEYE_DATA"];

/// Longest file that is read, in bytes.
pub const MAX_FILE: u64 = 1024 * 1024;

/// What a configuration is made of; each source goes before those in front of it.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file and its text, if there is one.
    pub file: Option<(PathBuf, String)>,
    /// Variables of the environment; those that do not begin with [`PREFIX`] are passed over.
    pub environment: Vec<(String, String)>,
    /// Arguments: the key, the argument as it was typed, and the value. A key given twice has both
    /// values, if it takes a list.
    pub flags: Vec<(String, String, String)>,
}

/// A configuration that holds.
#[derive(Clone, Debug)]
pub struct Config {
    /// The values.
    pub settings: Settings,
    places: BTreeMap<&'static str, Place>,
    warnings: Vec<Fault>,
}

/// A value that differs from another configuration's.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Changed {
    /// The key.
    pub key: String,
    /// What it was, as TOML.
    pub before: String,
    /// What it is to be.
    pub after: String,
    /// Whether it holds now, or has to wait for a restart.
    pub applied: bool,
}

impl Config {
    /// Puts a configuration together; `protocols` are those that listeners can speak.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn load(sources: &Sources, protocols: &[Protocol]) -> Result<Self, ConfigError> {
        let mut gathered = Gathered::default();
        gathered.file(sources);
        gathered.environment(sources);
        gathered.flags(sources);
        let Gathered { found, mut faults, warnings } = gathered;
        let place = |key: &str| found.get(key).map_or(Place::Default, |(place, _)| place.clone());
        let settings = Settings::read(
            |key| match found.get(key.name) {
                Some((_, raw)) => raw.clone(),
                None => Raw::Word(key.default.to_owned()),
            },
            |key, message| {
                faults.push(Fault { place: place(key), key: Some(key.to_owned()), message });
            },
        );
        if let Some(settings) = &settings {
            for (key, message) in together(settings, protocols) {
                faults.push(Fault { place: place(key), key: Some(key.to_owned()), message });
            }
        }
        match settings {
            Some(settings) if faults.is_empty() => {
                let places = found.into_iter().map(|(key, (place, _))| (key, place)).collect();
                Ok(Self { settings, places, warnings })
            }
            _ => {
                faults.sort_by(|a, b| a.place.cmp(&b.place));
                // What a value should be says more than that it is no TOML.
                let told: Vec<_> = faults
                    .iter()
                    .filter(|it| it.key.is_some())
                    .map(|it| it.place.clone())
                    .collect();
                faults.retain(|it| it.key.is_some() || !told.contains(&it.place));
                Err(ConfigError(faults))
            }
        }
    }

    /// Where the value of this key comes from.
    #[must_use]
    pub fn place(&self, key: &str) -> Place {
        self.places.get(key).cloned().unwrap_or(Place::Default)
    }

    /// What is odd, and does no harm.
    #[must_use]
    pub fn warnings(&self) -> &[Fault] {
        &self.warnings
    }

    /// Every value that holds, with where it comes from, in the order of the default file.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        written::shown(self)
    }

    /// Every value that holds, with where it comes from, and what it would be in `next`, where that is something else.
    #[must_use]
    pub fn held(&self, next: &Self) -> Vec<Held> {
        written::held(self, next)
    }

    /// What a running node takes up of `new` at a reload, and what differs: a key that holds from the next
    /// start on keeps its value.
    #[must_use]
    pub fn reloaded(&self, new: Self) -> (Self, Vec<Changed>) {
        let pairs = self.settings.printed().into_iter().zip(new.settings.printed()).zip(KEYS);
        let differing = pairs.filter(|(((_, before), (_, after)), _)| before != after);
        let changed = differing.map(|(((key, before), (_, after)), row)| Changed {
            key: key.to_owned(),
            before,
            after,
            applied: row.change != Change::Restart,
        });
        let changed: Vec<Changed> = changed.collect();
        let settings = new.settings.in_place_of(&self.settings);
        let mut places = new.places;
        for row in KEYS.iter().filter(|row| row.change == Change::Restart) {
            match self.places.get(row.name) {
                _ if changed.iter().all(|it| it.key != row.name) => {}
                Some(place) => drop(places.insert(row.name, place.clone())),
                None => drop(places.remove(row.name)),
            }
        }
        (Self { settings, places, ..new }, changed)
    }
}

/// What was found so far; a later source goes before an earlier one.
#[derive(Default)]
struct Gathered {
    found: BTreeMap<&'static str, (Place, Raw)>,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
}

impl Gathered {
    fn file(&mut self, sources: &Sources) {
        let Some((path, text)) = &sources.file else { return };
        let path = Arc::new(path.clone());
        let place = |line| Place::File { path: Arc::clone(&path), line };
        let (entries, malformed) = file::read(text);
        for file::Malformed { line, message } in malformed {
            self.faults.push(Fault { place: place(line), key: None, message });
        }
        for file::Entry { name, raw, line, .. } in entries {
            match Key::find(&name) {
                Some(key) => drop(self.found.insert(key.name, (place(line), raw))),
                None => {
                    let message = no_key(&name);
                    self.faults.push(Fault { place: place(line), key: Some(name), message });
                }
            }
        }
    }

    fn environment(&mut self, sources: &Sources) {
        let ours = sources.environment.iter().filter(|(name, _)| name.starts_with(PREFIX));
        for (name, value) in ours.filter(|(name, _)| !NOT_KEYS.contains(&&**name)) {
            let place = Place::Environment(name.clone());
            match KEYS.iter().find(|key| key.variable() == *name) {
                Some(key) => {
                    drop(self.found.insert(key.name, (place, Raw::Word(value.clone()))));
                }
                None => {
                    // Others name variables so as well: a cluster does for a service called sockeye.
                    let variables: Vec<_> = KEYS.iter().map(Key::variable).collect();
                    let message = unknown(name, variables.iter().map(String::as_str));
                    self.warnings.push(Fault { place, key: None, message });
                }
            }
        }
    }

    fn flags(&mut self, sources: &Sources) {
        for (name, flag, value) in &sources.flags {
            let place = Place::Flag(flag.clone());
            let Some(key) = Key::find(name) else {
                let message = no_key(name);
                self.faults.push(Fault { place, key: Some(name.clone()), message });
                continue;
            };
            match self.found.get_mut(key.name) {
                Some((Place::Flag(_), Raw::Word(before))) => {
                    before.push(' ');
                    before.push_str(value);
                }
                _ => drop(self.found.insert(key.name, (place, Raw::Word(value.clone())))),
            }
        }
    }
}

/// What is said of a key that there is not: what another server means by it, or what is called alike.
#[must_use]
pub fn no_key(name: &str) -> String {
    match foreign(name) {
        Some(Foreign { server, here, .. }) => {
            format!("there is no such key; what {server} calls so is had otherwise: {here}")
        }
        None => unknown(name, KEYS.iter().map(|key| key.name)),
    }
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let last = |name: &str| name.rsplit('.').next().map(str::to_owned);
    // A key in the wrong table, as one that was added at the end of the file.
    if let Some(meant) = known.clone().find(|key| last(key) == last(name)) {
        let place = match meant.split_once('.') {
            Some((table, _)) => format!("it belongs in the table [{table}]"),
            None => "it belongs in front of the first [table]".to_owned(),
        };
        return format!("there is no such key; did you mean {meant}? {place}");
    }
    match nearest(name, known) {
        Some(meant) => format!("there is no such key; did you mean {meant}?"),
        None => "there is no such key; `sockeye config default` has them all".to_owned(),
    }
}

/// What is wrong with values that are right each for itself.
fn together(settings: &Settings, protocols: &[Protocol]) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    if settings.listen.is_empty() {
        wrong.push(("listen", "a node without a listener serves nobody: name one".to_owned()));
    }
    for (index, listen) in settings.listen.iter().enumerate() {
        if let Err(error) = listen.check(protocols) {
            wrong.push(("listen", error.in_full()));
        } else if settings.listen[..index].contains(listen) && !listen.takes_any_port() {
            wrong.push(("listen", format!("{listen} is there twice: leave one of them out")));
        }
    }
    if let Err(error) = settings.hash_cost() {
        wrong.push(("login.memory", error.to_string()));
    }
    let own = |key: &str, path: &PathBuf| {
        Key::find(key).is_some_and(|key| std::path::Path::new(key.default) == path)
    };
    match (own("tls.cert", &settings.tls_cert), own("tls.key", &settings.tls_key)) {
        (false, true) => wrong.push((
            "tls.cert",
            "its key is missing: set tls.key as well (the same file, if it has both)".to_owned(),
        )),
        (true, false) => {
            wrong.push(("tls.key", "a key without its certificate: set tls.cert".to_owned()));
        }
        _ => {}
    }
    wrong
}

#[cfg(test)]
mod tests;
