//! Changing the file where it stands: one key is set or taken out, and all else, comments included, stays as it is.
//!
//! A key that is not there yet comes behind its commented default. What is made is read again, and is no answer
//! unless it says exactly what was asked for. Whether the value goes together with others is not looked at here:
//! [`Config::load`](super::Config::load) does that.

use std::fmt::Write as _;

use super::{
    Key,
    file::{self, Entry},
    no_key,
    value::Raw,
};

/// Why a file was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// There is no such key; the text says which may be meant.
    #[error("{name}: {message}")]
    NoKey {
        /// What was asked for.
        name: String,
        /// What is said of it.
        message: String,
    },
    /// The value is none of this key's.
    #[error("{key}: {message}")]
    Value {
        /// The key.
        key: &'static str,
        /// What would be right.
        message: String,
    },
    /// The file is no TOML as it stands.
    #[error("line {line}: {message}; mend that first")]
    Malformed {
        /// The first line that is not.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// It is written in a way that is left to people.
    #[error(
        "{key} is written in a way that is changed by hand alone: {statement} is what it is to be"
    )]
    ByHand {
        /// The key.
        key: &'static str,
        /// What is to stand there, as TOML.
        statement: String,
    },
}

/// A file with a key changed.
#[derive(Clone, Debug)]
pub struct Edited {
    /// The whole text.
    pub text: String,
    /// The key.
    pub key: &'static Key,
    /// Its value in the file before, as TOML; none if it was not there.
    pub before: Option<String>,
    /// Its value in the file now, with the line that it stands in, from 1.
    pub now: Option<(String, usize)>,
}

/// Sets a key in the text of a file. The value is written as in the environment, or as TOML: a list in `[brackets]`,
/// a text in `"quotes"`.
///
/// # Errors
/// [`EditError`].
pub fn set(text: &str, name: &str, value: &str) -> Result<Edited, EditError> {
    let key = key_of(name)?;
    let toml = (key.printed)(&written(value)).map_err(|message| value_error(key, message))?;
    let entries = entries(text)?;
    let old = entries.iter().find(|entry| entry.name == key.name);
    let before = old.map(|entry| said(key, text, entry));
    let drafts = match old {
        Some(Entry { value, .. }) => {
            vec![format!("{}{toml}{}", &text[..value.start], &text[value.end..])]
        }
        None => places(text, key, &toml),
    };
    let made = drafts.into_iter().find_map(|draft| {
        let line = line_with(&draft, key, &entries, Some(&toml))?;
        Some((draft, line?))
    });
    let Some((text, line)) = made else { return Err(by_hand(key, &toml)) };
    Ok(Edited { text, key, before, now: Some((toml, line)) })
}

/// Takes a key out of the text of a file, so that its default holds; one that is not there is none.
///
/// # Errors
/// [`EditError`].
pub fn unset(text: &str, name: &str) -> Result<Edited, EditError> {
    let key = key_of(name)?;
    let entries = entries(text)?;
    let Some(old) = entries.iter().find(|entry| entry.name == key.name) else {
        return Ok(Edited { text: text.to_owned(), key, before: None, now: None });
    };
    let before = Some(said(key, text, old));
    let start = text[..old.starts].rfind('\n').map_or(0, |at| at + 1);
    let rest = &text[old.value.end..];
    let line = rest.find('\n').map_or(rest, |at| &rest[..=at]);
    // A comment behind the value may be about more than the value.
    let comment = line.trim_start_matches([' ', '\t']);
    let kept = if comment.starts_with('#') { comment } else { "" };
    let draft = format!("{}{kept}{}", &text[..start], &rest[line.len()..]);
    match line_with(&draft, key, &entries, None) {
        Some(_) => Ok(Edited { text: draft, key, before, now: None }),
        None => Err(by_hand(key, "nothing")),
    }
}

fn key_of(name: &str) -> Result<&'static Key, EditError> {
    let missing = || EditError::NoKey { name: name.to_owned(), message: no_key(name) };
    Key::find(name).ok_or_else(missing)
}

fn value_error(key: &Key, message: String) -> EditError {
    EditError::Value { key: key.name, message }
}

fn by_hand(key: &Key, statement: &str) -> EditError {
    EditError::ByHand { key: key.name, statement: statement.to_owned() }
}

/// A value as it was typed.
fn written(value: &str) -> Raw {
    let word = || Raw::Word(value.to_owned());
    if !value.starts_with(['[', '"']) {
        return word();
    }
    let (mut entries, malformed) = file::read(&format!("x = {value}"));
    match entries.pop() {
        Some(entry) if malformed.is_empty() && entries.is_empty() => entry.raw,
        _ => word(),
    }
}

/// What a file sets, if all of it is TOML.
fn entries(text: &str) -> Result<Vec<Entry>, EditError> {
    let (entries, malformed) = file::read(text);
    match malformed.into_iter().next() {
        None => Ok(entries),
        Some(file::Malformed { line, message }) => Err(EditError::Malformed { line, message }),
    }
}

/// What an entry says, in the usual spelling if it is a value of the key.
fn said(key: &Key, text: &str, entry: &Entry) -> String {
    (key.printed)(&entry.raw).unwrap_or_else(|_| text[entry.value.clone()].to_owned())
}

/// The line where the key stands in `text`, if that is the file of `before` with the key being `toml` and all else as
/// it was. The inner is none where it is not there, and is not to be.
#[expect(clippy::option_option, reason = "whether it is right, and then whether it is there")]
fn line_with(text: &str, key: &Key, before: &[Entry], toml: Option<&str>) -> Option<Option<usize>> {
    let (after, malformed) = file::read(text);
    let others = |entries: &[Entry]| {
        let others = entries.iter().filter(|entry| entry.name != key.name);
        let mut others: Vec<_> = others.map(|it| (it.name.clone(), it.raw.clone())).collect();
        others.sort_by(|a, b| a.0.cmp(&b.0));
        others
    };
    let own = after.iter().find(|entry| entry.name == key.name);
    let value = own.map(|entry| said(key, text, entry));
    let is_right =
        malformed.is_empty() && value.as_deref() == toml && others(before) == others(&after);
    is_right.then_some(own.map(|entry| entry.line))
}

/// The file with the key at each place where it may stand, the best first. Not every one is right TOML: a table may be
/// written in more than one way.
fn places(text: &str, key: &Key, toml: &str) -> Vec<String> {
    let (table, name) = key.name.split_once('.').unwrap_or(("", key.name));
    let statement = format!("{name} = {toml}\n");
    let insert = |at: usize, what: &str| {
        let (above, below) = text.split_at(at);
        let end = if above.is_empty() || above.ends_with('\n') { "" } else { "\n" };
        format!("{above}{end}{what}{below}")
    };
    let lines = Lines::of(text);
    let mut places: Vec<_> =
        lines.behind_default(table, name).map(|at| insert(at, &statement)).into_iter().collect();
    places.extend(lines.behind_header(table).map(|at| insert(at, &statement)));
    let first_table = lines.first_table();
    if table.is_empty() {
        // In front of all tables, with a line's distance.
        let gap = if first_table < text.len() { "\n" } else { "" };
        places.push(insert(first_table, &format!("{statement}{gap}")));
    } else {
        let mut whole = String::new();
        // Writing into a String does not fail.
        let _ = write!(whole, "\n[{table}]\n{statement}");
        places.push(insert(text.len(), &whole));
        places.push(insert(first_table, &format!("{} = {toml}\n", key.name)));
    }
    places
}

/// The lines of a file, each with where it ends and the table that it is in. A text over several lines may look like
/// more of them, which is found when the result is read.
struct Lines<'a>(Vec<(&'a str, usize, &'a str)>);

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let (mut lines, mut end, mut table) = (Vec::new(), 0, "");
        for line in text.split_inclusive('\n') {
            end += line.len();
            let line = line.trim_end();
            table = header(line).unwrap_or(table);
            lines.push((line, end, table));
        }
        Self(lines)
    }

    /// Behind the commented default of a key.
    fn behind_default(&self, table: &str, name: &str) -> Option<usize> {
        let start = format!("#{name} = ");
        let of_key = |(line, _, of): &(&str, usize, &str)| *of == table && line.starts_with(&start);
        let first = self.0.iter().position(of_key)?;
        let (line, end, _) = self.0[first];
        if !line.ends_with('[') {
            return Some(end);
        }
        let rest = self.0[first..].iter().take_while(|(line, ..)| line.starts_with('#'));
        rest.clone().find(|(line, ..)| *line == "#]").map(|(_, end, _)| *end)
    }

    /// Behind the line that a table begins with.
    fn behind_header(&self, table: &str) -> Option<usize> {
        let found = self.0.iter().find(|(line, ..)| header(line) == Some(table))?;
        Some(found.1)
    }

    /// In front of the first table, or at the end.
    fn first_table(&self) -> usize {
        let mut before = 0;
        for (line, end, _) in &self.0 {
            if line.starts_with('[') {
                return before;
            }
            before = *end;
        }
        before
    }
}

/// The table that begins with this line.
fn header(line: &str) -> Option<&str> {
    let (name, rest) = line.strip_prefix('[')?.split_once(']')?;
    let rest = rest.trim_start();
    (rest.is_empty() || rest.starts_with('#')).then(|| name.trim())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{KEYS, default_file},
        *,
    };

    fn set_to(text: &str, name: &str, value: &str) -> String {
        set(text, name, value).unwrap().text
    }

    #[test]
    fn a_key_comes_behind_its_commented_default_and_goes_again_without_a_trace() {
        let file = default_file();
        let edited = set(&file, "ftp.passive-ports", "50000-50100").unwrap();
        let set = "#passive-ports = \"none\"\npassive-ports = \"50000-50100\"\n";
        assert!(edited.text.contains(set), "{}", edited.text);
        assert_eq!(edited.before, None);
        let (value, line) = edited.now.unwrap();
        assert_eq!(value, "\"50000-50100\"");
        assert_eq!(edited.text.lines().nth(line - 1).unwrap(), format!("passive-ports = {value}"));
        let back = unset(&edited.text, "ftp.passive-ports").unwrap();
        assert_eq!((back.text, back.before), (file, Some(value)));
    }

    #[test]
    fn every_key_can_be_set_in_the_default_file_and_in_an_empty_one() {
        for key in KEYS {
            for file in [default_file(), String::new(), "# mine".to_owned()] {
                let edited = set(&file, key.name, key.default).unwrap();
                let now = edited.now.map(|(value, _)| value);
                assert_eq!(now, Some(key.default_toml()), "{}", key.name);
                let gone = unset(&edited.text, key.name).unwrap();
                assert_eq!(gone.before, Some(key.default_toml()), "{}", key.name);
            }
        }
    }

    #[test]
    fn what_stands_around_a_value_stays() {
        let file = "# ours\ndrain = \"5s\" # long enough\n\n[ftp] # files\nactive = false\n";
        let drained = set_to(file, "drain", "1m");
        assert_eq!(drained, file.replace("\"5s\"", "\"1m\""));
        let listed = set_to(&drained, "listen", "ftp+tcp://[::]:21 http+tcp://127.0.0.1:80");
        let listen = "listen = [\"ftp+tcp://[::]:21\", \"http+tcp://127.0.0.1:80\"]\n\n[ftp]";
        assert!(listed.contains(listen), "{listed}");
        let idle = set_to(file, "ftp.idle", "9m");
        assert!(idle.contains("[ftp] # files\nidle = \"9m\"\nactive = false\n"), "{idle}");
        let keep = set_to(file, "trash.keep", "\"9d\"");
        assert!(keep.ends_with("active = false\n\n[trash]\nkeep = \"9d\"\n"), "{keep}");
        let unset = unset(file, "drain").unwrap();
        assert_eq!(unset.text, file.replace("drain = \"5s\" ", ""));
    }

    #[test]
    fn a_list_over_several_lines_is_replaced_and_removed_as_a_whole() {
        let file = "listen = [\n    \"http+tcp://127.0.0.1:1\",\n    # and\n]\npublic = true\n";
        let one = set_to(file, "listen", "[\"http+tcp://127.0.0.1:2\"]");
        assert_eq!(one, "listen = [\"http+tcp://127.0.0.1:2\"]\npublic = true\n");
        assert_eq!(unset(file, "listen").unwrap().text, "public = true\n");
    }

    #[test]
    fn tables_that_are_written_otherwise_are_kept_so_or_left_to_people() {
        let dotted = set_to("ftp.active = false\n", "ftp.idle", "9m");
        assert_eq!(dotted, "ftp.active = false\nftp.idle = \"9m\"\n");
        let inline = "ftp = { active = false }\n";
        assert_eq!(set_to(inline, "ftp.active", "true"), "ftp = { active = true }\n");
        let by_hand = |edited: Result<Edited, EditError>| {
            assert!(matches!(edited, Err(EditError::ByHand { .. })), "{edited:?}");
        };
        by_hand(set(inline, "ftp.idle", "9m"));
        by_hand(unset("ftp = { active = false, idle = \"9m\" }\n", "ftp.active"));
    }

    #[test]
    fn what_cannot_be_set_is_told() {
        for (name, value, expected) in [
            ("drian", "5s", "drian: there is no such key; did you mean drain?"),
            ("drain", "5", "drain: `5` has no unit: write 5s or 5ms"),
            ("max_per_ip", "5", "write limits.per-address = 10"),
        ] {
            let error = set("", name, value).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let error = set("public = yes\n", "drain", "5s").unwrap_err().to_string();
        assert!(error.starts_with("line 1: ") && error.ends_with("mend that first"), "{error}");
    }

    proptest! {
        #[test]
        fn any_file_is_answered_and_says_what_was_asked(text in "([a-z.]{1,6} = [0-9\"a\\[\\]]{1,5}\n|\\[ftp\\]\n|#idle = 1\n|\"\"\"|\n){0,8}") {
            if let Ok(edited) = set(&text, "ftp.idle", "9m") {
                let (entries, malformed) = file::read(&edited.text);
                prop_assert!(malformed.is_empty());
                prop_assert!(entries.iter().any(|it| it.name == "ftp.idle"));
            }
            let _ = unset(&text, "ftp.idle");
        }
    }
}
