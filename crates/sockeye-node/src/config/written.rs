//! The configuration as text: the commented default file, and what holds with where it comes from.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{Change, Config, KEYS, Place, value::Raw};

/// The file that a new data folder gets: every key with its help and its default, commented out, so that a
/// newer program's defaults hold until somebody decides otherwise.
#[must_use]
pub fn default_file() -> String {
    let mut out = String::from(
        "# Configuration of a sockeye node.\n\
         #\n\
         # What is commented out is the default. `sockeye config check` looks for mistakes, `sockeye config\n\
         # show` prints what holds and where it comes from, and `sockeye reload` (or SIGHUP) applies what was\n\
         # changed and says what has to wait for a restart. Sizes are written as \"10GiB\", times as \"30s\".\n",
    );
    let mut table = "";
    for key in KEYS {
        let (of, name) = key.name.split_once('.').unwrap_or(("", key.name));
        if of != table {
            table = of;
            // Writing into a String does not fail.
            let _ = write!(out, "\n[{table}]\n");
        }
        out.push('\n');
        for line in key.help {
            let _ = writeln!(out, "# {}", line.trim());
        }
        if key.change == Change::Restart {
            let _ = writeln!(out, "# A change waits for the next start.");
        }
        let _ = writeln!(out, "#{name} = {}", broken(&key.default_toml()));
    }
    out
}

/// A list with each item on a line of its own if it is long; still commented out.
fn broken(toml: &str) -> String {
    if toml.len() < 80 || !toml.starts_with('[') {
        return toml.to_owned();
    }
    let items = toml.trim_matches(['[', ']']).split(", ");
    items.fold("[\n".to_owned(), |list, item| format!("{list}#    {item},\n")) + "#]"
}

/// One value that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The key.
    pub key: &'static str,
    /// Its value, as TOML.
    pub value: String,
    /// Where it comes from.
    pub place: Place,
}

/// A value that holds, told to whoever asks, and what it is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The key.
    pub key: String,
    /// Its value, as TOML.
    pub value: String,
    /// Where it comes from.
    pub from: String,
    /// Whether that is the default.
    pub is_default: bool,
    /// What it would be after a reload or a restart, where that is something else.
    pub next: Option<Next>,
}

/// A value that does not hold yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// The value, as TOML.
    pub value: String,
    /// Where it comes from.
    pub from: String,
    /// Whether it waits for the next start, and not just for a reload.
    pub at_start: bool,
}

/// Every value that holds, beside what it would be in `next`.
pub(super) fn held(config: &Config, next: &Config) -> Vec<Held> {
    let pairs = shown(config).into_iter().zip(shown(next)).zip(KEYS);
    let held = |((now, then), row): ((Shown, Shown), &super::Key)| Held {
        key: now.key.to_owned(),
        next: (now.value != then.value).then(|| Next {
            value: then.value,
            from: then.place.to_string(),
            at_start: row.change == Change::Restart,
        }),
        value: now.value,
        is_default: now.place == Place::Default,
        from: now.place.to_string(),
    };
    pairs.map(held).collect()
}

/// A value as it is written in TOML, as JSON has it.
#[must_use]
pub fn json(toml: &str) -> serde_json::Value {
    let (entries, _) = super::file::read(&format!("x = {toml}"));
    entries.into_iter().next().map_or(serde_json::Value::Null, |entry| of_raw(&entry.raw))
}

fn of_raw(raw: &Raw) -> serde_json::Value {
    match raw {
        Raw::Text(text) | Raw::Word(text) => text.as_str().into(),
        Raw::Number(digits) => {
            digits.parse::<i64>().map_or_else(|_| digits.as_str().into(), Into::into)
        }
        Raw::Switch(on) => (*on).into(),
        Raw::List(items) => items.iter().map(of_raw).collect(),
        Raw::Other(_) => serde_json::Value::Null,
    }
}

/// Every value that holds, with where it comes from.
pub(super) fn shown(config: &Config) -> Vec<Shown> {
    let printed = config.settings.printed().into_iter();
    printed.map(|(key, value)| Shown { key, value, place: config.place(key) }).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::file, *};

    #[test]
    fn the_default_file_is_toml_that_sets_nothing() {
        let (entries, malformed) = file::read(&default_file());
        assert_eq!((entries, malformed), (Vec::new(), Vec::new()));
    }

    #[test]
    fn every_default_is_the_same_in_json() {
        for key in KEYS {
            let toml = key.default_toml();
            let found = json(&toml);
            // For what these are, both spell it alike.
            assert_eq!(serde_json::from_str::<serde_json::Value>(&toml).unwrap(), found, "{toml}");
        }
    }

    #[test]
    fn the_default_file_marks_exactly_what_a_reload_leaves_as_it_is() {
        let text = default_file();
        let mut sections: Vec<_> = text.split("\n\n").collect();
        sections.retain(|section| section.contains(" = "));
        assert_eq!(sections.len(), KEYS.len());
        for (section, key) in sections.into_iter().zip(KEYS) {
            let marked = section.contains("\n# A change waits for the next start.\n#");
            assert_eq!(marked, key.change == Change::Restart, "{section}");
        }
    }

    #[test]
    fn the_default_file_without_its_comment_signs_has_every_default() {
        let text = default_file();
        let set: String = text
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(rest) if !rest.starts_with(' ') || rest.starts_with("    \"") => rest,
                Some(_) => "",
                None => line,
            })
            .fold(String::new(), |text, line| text + line + "\n");
        let (entries, malformed) = file::read(&set);
        assert_eq!(malformed, Vec::new(), "{set}");
        let found: Vec<_> = entries.iter().map(|entry| &*entry.name).collect();
        assert_eq!(found, KEYS.iter().map(|key| key.name).collect::<Vec<_>>());
        for (entry, key) in entries.iter().zip(KEYS) {
            assert_eq!((key.printed)(&entry.raw), Ok(key.default_toml()), "{}", key.name);
        }
    }
}
