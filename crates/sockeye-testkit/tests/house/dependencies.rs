//! What the project depends on stays small, of one version each, and free of what it has banned; and
//! its crates are ready to be published.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use super::{
    assert_none,
    metadata::{Metadata, Package},
    tree,
};

/// Distinct packages needed at run time, ours included.
const MOST: usize = 350;

/// A crate that must not come in, and why; deny.toml lists the same.
const BANNED: &[(&str, &str)] = &[
    ("async-std", "one runtime: tokio"),
    ("native-tls", "TLS is rustls"),
    ("openssl", "TLS is rustls"),
    ("openssl-sys", "TLS is rustls"),
    ("russh-keys", "dead: russh has taken it in"),
    ("smol", "one runtime: tokio"),
    ("tokio-uring", "not kept"),
];

/// Crates that are here in several incompatible versions, and who holds the old one back.
const DOUBLED: &[(&str, &str)] = &[
    ("base64", "sqlx 0.9 is on 0.22"),
    ("block-buffer", "sqlx 0.9 is on sha2 0.10, argon2 and sha2 are on digest 0.11"),
    ("cpufeatures", "as block-buffer"),
    ("crypto-common", "as block-buffer"),
    ("digest", "as block-buffer"),
    ("hashbrown", "sqlx 0.9 is on 0.16"),
    ("sha2", "as block-buffer"),
    ("syn", "macro crates are moving from 2 to 3; nothing of it ships"),
];

/// Name and version of each package that the project needs at run time, ours included. `cargo tree`
/// knows better than `cargo metadata` which optional ones are really in.
fn shipped() -> BTreeSet<(String, String)> {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--edges=normal", "--prefix=none", "--format={p}"])
        .args(["--locked", "--target", &platform])
        .current_dir(tree::root())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree: {errors}");
    let tree = String::from_utf8(output.stdout).unwrap();
    tree.lines().filter_map(package).collect()
}

/// `name v1.2.3 (…)`.
fn package(line: &str) -> Option<(String, String)> {
    let (name, rest) = line.split_once(" v")?;
    let version = rest.split(' ').next()?;
    Some((name.to_owned(), version.to_owned()))
}

/// The part of a version that has to be equal for two crates to be the same: `1`, `0.4`, `0.0.3`.
fn line_of(version: &str) -> String {
    let parts: Vec<_> = version.split('.').collect();
    let kept = parts.iter().position(|part| *part != "0").unwrap_or(parts.len() - 1) + 1;
    parts[..kept].join(".")
}

fn doubled<'a>(
    packages: impl Iterator<Item = (&'a str, &'a str)>,
) -> BTreeMap<&'a str, BTreeSet<String>> {
    let mut lines: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (name, version) in packages {
        lines.entry(name).or_default().insert(line_of(version));
    }
    lines.retain(|_, lines| lines.len() > 1);
    lines
}

#[test]
fn no_dependency_is_there_in_two_versions_unless_named() {
    let shipped = shipped();
    let doubled = doubled(shipped.iter().map(|(name, version)| (&**name, &**version)));
    let unnamed = doubled
        .iter()
        .filter(|(name, _)| !DOUBLED.iter().any(|(known, _)| known == *name))
        .map(|(name, lines)| format!("{name}: {lines:?}"));
    let outlived = DOUBLED
        .iter()
        .filter(|(name, _)| !doubled.contains_key(name))
        .map(|(name, reason)| format!("{name} is there once: take it out ({reason})"));
    let complaints: Vec<_> = unnamed.chain(outlived).collect();
    assert_none("see `cargo tree -d -e normal`", &complaints);
}

#[test]
fn two_incompatible_versions_are_found_and_compatible_ones_are_one() {
    let one = [("a", "1.2.3"), ("a", "1.9.0"), ("b", "0.4.1"), ("b", "0.4.2")];
    assert!(doubled(one.into_iter()).is_empty());
    let two = [("a", "1.2.3"), ("a", "2.0.0"), ("b", "0.4.1"), ("b", "0.5.0"), ("c", "0.0.1")];
    assert_eq!(doubled(two.into_iter()).into_keys().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn no_banned_crate_comes_in() {
    let complaints: Vec<_> =
        Metadata::get().packages.values().filter_map(|package| banned(&package.name)).collect();
    assert_none("banned", &complaints);
    assert!(banned("openssl-sys").is_some() && banned("rustls").is_none());
}

fn banned(name: &str) -> Option<String> {
    let (name, reason) = BANNED.iter().find(|(banned, _)| *banned == name)?;
    Some(format!("{name}: {reason}"))
}

#[test]
fn cargo_deny_is_told_the_same_bans() {
    let deny = fs::read_to_string(tree::root().join("deny.toml")).unwrap();
    let bans = deny.split("[bans]").nth(1).unwrap();
    let listed: Vec<_> = bans
        .lines()
        .filter_map(|line| line.trim().strip_prefix("{ crate = \"")?.split('"').next())
        .collect();
    let ours: Vec<_> = BANNED.iter().map(|(name, _)| *name).collect();
    assert_eq!(listed, ours, "deny.toml and dependencies.rs differ");
}

#[test]
fn fewer_than_350_packages_are_needed_at_run_time() {
    let count = shipped().len();
    assert!(count > 50, "the tree lists only {count} packages: it is not the whole");
    assert!(count < MOST, "{count} packages: see `cargo tree -e normal`");
}

#[test]
fn every_crate_is_described_as_if_to_be_published_tomorrow() {
    let own = Metadata::get().own();
    let complaints: Vec<_> = own.values().flat_map(|package| unfit(package)).collect();
    assert_none("manifests", &complaints);
}

/// What a manifest lacks. Crates that are never published still have a description and the lints.
fn unfit(package: &Package) -> Vec<String> {
    let manifest = &package.manifest;
    let named = |key: &str| manifest[key].as_str().is_some_and(|text| !text.is_empty());
    let listed = |key: &str| manifest[key].as_array().is_some_and(|list| !list.is_empty());
    let mut lacking = Vec::new();
    lacking
        .extend(["description", "rust_version", "license"].into_iter().filter(|key| !named(key)));
    if package.published {
        lacking.extend(["keywords", "categories"].into_iter().filter(|key| !listed(key)));
    }
    let path = manifest["manifest_path"].as_str().unwrap_or_default();
    let toml = fs::read_to_string(path).unwrap_or_default();
    if !toml.contains("[lints]\nworkspace = true") {
        lacking.push("the workspace's lints");
    }
    lacking.into_iter().map(|what| format!("{} lacks {what}", package.name)).collect()
}
