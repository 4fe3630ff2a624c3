//! Reading the file: from TOML to a list of dotted names, each with its value and its line.
//!
//! It knows the grammar alone; which names there are is a matter of the table.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::value::Raw;

/// Tables within tables that are looked into; a name of the table of keys has two parts at most.
const MOST_PARTS: usize = 4;

/// A value of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The dotted name.
    pub(super) name: String,
    pub(super) raw: Raw,
    /// Counted from 1.
    pub(super) line: usize,
    /// Where the last part of its name begins, in bytes.
    pub(super) starts: usize,
    /// Where its value stands, in bytes.
    pub(super) value: Range<usize>,
}

/// What is no TOML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) line: usize,
    pub(super) message: String,
}

/// Reads a file's text: its values in the order in which they stand, and what is no TOML.
pub(super) fn read(text: &str) -> (Vec<Entry>, Vec<Malformed>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let malformed = errors.iter().map(|error| {
        let span = error.span().unwrap_or(0..0);
        let message = error.message().replace('\n', ", ");
        // The parser does not say which.
        let message = match text.get(span.clone()).filter(|_| message == "duplicate key") {
            Some(key) => format!("the key `{}` is there twice", key.escape_debug()),
            None => message,
        };
        Malformed { line: line_of(text, span.start), message }
    });
    let mut entries = Vec::new();
    collect(text, "", table.get_ref(), &mut entries);
    entries.sort_by_key(|entry: &Entry| entry.line);
    (entries, malformed.collect())
}

fn collect(text: &str, above: &str, table: &DeTable<'_>, entries: &mut Vec<Entry>) {
    for (key, value) in table {
        let name = match above {
            "" => key.get_ref().to_string(),
            above => format!("{above}.{}", key.get_ref()),
        };
        match value.get_ref() {
            DeValue::Table(inner) if name.split('.').count() < MOST_PARTS => {
                // An empty table is nothing; one that no key begins with is found by its keys.
                collect(text, &name, inner, entries);
            }
            _ => {
                let starts = key.span().start;
                let (line, raw) = (line_of(text, starts), raw(value));
                entries.push(Entry { name, raw, line, starts, value: value.span() });
            }
        }
    }
}

fn raw(value: &Spanned<DeValue<'_>>) -> Raw {
    match value.get_ref() {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Raw::Number(number.to_string()),
            Err(_) => Raw::Other("a number of more than 64 bits"),
        },
        DeValue::Boolean(on) => Raw::Switch(*on),
        DeValue::Array(items) => Raw::List(items.iter().map(raw).collect()),
        DeValue::Float(_) => Raw::Other("a number with a point"),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}

/// The line of this byte, counted from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_dotted_names_and_lines() {
        let text =
            "drain = \"5s\"\n\n[journal]\nsync = false\nkeep.age = 0x10\n[a.b]\nc = [1, \"x\"]\n";
        let (entries, malformed) = read(text);
        let found: Vec<_> = entries.iter().map(|it| (&*it.name, it.line, &it.raw)).collect();
        let list = Raw::List(vec![Raw::Number("1".into()), Raw::Text("x".into())]);
        assert_eq!(
            found,
            [
                ("drain", 1, &Raw::Text("5s".into())),
                ("journal.sync", 4, &Raw::Switch(false)),
                ("journal.keep.age", 5, &Raw::Number("16".into())),
                ("a.b.c", 7, &list),
            ]
        );
        assert!(malformed.is_empty());
    }

    #[test]
    fn what_is_no_toml_is_found_with_its_line_beside_what_is() {
        let (entries, malformed) = read("drain = \"5s\"\npublic = yes\nmodel = \"tasks\"\n");
        assert!(entries.iter().any(|it| it.name == "model" && it.line == 3), "{entries:?}");
        assert_eq!(malformed.len(), 1, "{malformed:?}");
        assert_eq!(malformed[0].line, 2);
    }

    #[test]
    fn a_key_that_is_there_twice_is_named() {
        let (_, malformed) = read("drain = \"5s\"\npublic = true\ndrain = \"6s\"\n");
        let message = "the key `drain` is there twice".to_owned();
        assert_eq!(malformed, [Malformed { line: 3, message }]);
    }

    #[test]
    fn any_bytes_are_answered() {
        for text in ["", "\0", "[[[[", "a = [", "a.b.c.d.e.f.g.h = 1", "a = 1\na = 2", "\"\" = 1"] {
            let _ = read(text);
        }
    }
}
