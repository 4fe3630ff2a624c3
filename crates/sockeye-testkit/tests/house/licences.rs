//! Every dependency may be used under a licence that the project accepts (deny.toml lists the same).

use std::fs;

use super::{assert_none, metadata::Metadata, tree};

/// Licences that ask for no more than to be kept with the work.
const ACCEPTED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Whether an SPDX expression can be met with accepted licences alone. `AND` binds tighter than
/// `OR`; the old form `MIT/Apache-2.0` means `OR`.
fn is_accepted(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut rest = &words[..];
    any_of(&mut rest) && rest.is_empty()
}

fn any_of(rest: &mut &[&str]) -> bool {
    let mut met = all_of(rest);
    while take(rest, "OR") {
        met |= all_of(rest);
    }
    met
}

fn all_of(rest: &mut &[&str]) -> bool {
    let mut met = one(rest);
    while take(rest, "AND") {
        met &= one(rest);
    }
    met
}

fn one(rest: &mut &[&str]) -> bool {
    if take(rest, "(") {
        let met = any_of(rest);
        return take(rest, ")") && met;
    }
    let Some((name, tail)) = rest.split_first() else { return false };
    *rest = tail;
    if take(rest, "WITH")
        && let Some((exception, tail)) = rest.split_first()
    {
        *rest = tail;
        return ACCEPTED.contains(&&*format!("{name} WITH {exception}"));
    }
    ACCEPTED.contains(name)
}

fn take(rest: &mut &[&str], word: &str) -> bool {
    match rest.split_first() {
        Some((first, tail)) if *first == word => {
            *rest = tail;
            true
        }
        _ => false,
    }
}

#[test]
fn every_dependency_has_an_accepted_licence() {
    let complaints: Vec<_> = Metadata::get()
        .packages
        .values()
        .filter(|package| !is_accepted(&package.licence))
        .map(|package| format!("{} {}: “{}”", package.name, package.version, package.licence))
        .collect();
    assert_none("licences", &complaints);
}

#[test]
fn a_licence_that_asks_for_more_is_found() {
    for accepted in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0-only OR MIT",
        "(MIT OR GPL-2.0-only) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR GPL-2.0-only",
        "MIT AND GPL-3.0-only OR ISC",
    ] {
        assert!(is_accepted(accepted), "{accepted}");
    }
    for refused in [
        "",
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "ISC AND (GPL-2.0-only OR MPL-2.0)",
        "MIT WITH Classpath-exception-2.0",
        "(MIT",
        "MIT MIT",
    ] {
        assert!(!is_accepted(refused), "{refused}");
    }
}

#[test]
fn cargo_deny_is_told_the_same_list() {
    let deny = fs::read_to_string(tree::root().join("deny.toml")).unwrap();
    let listed: Vec<_> = deny
        .lines()
        .skip_while(|line| *line != "[licenses]")
        .filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","))
        .take(ACCEPTED.len() + 1)
        .collect();
    assert_eq!(listed, ACCEPTED, "deny.toml and licences.rs differ");
}
