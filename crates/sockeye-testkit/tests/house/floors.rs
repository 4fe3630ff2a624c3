//! A crate depends only on lower floors, and no protocol crate on another.

use super::{
    assert_none,
    metadata::Metadata,
    rust_text::{lines_with, shipped_code},
    tree,
};

/// The house, from the ground up. A new crate gets its line here.
const FLOORS: &[(&str, u8)] = &[
    ("sockeye", 1),
    ("sockeye-store", 1),
    ("sockeye-journal", 1),
    ("sockeye-accounts", 1),
    ("sockeye-node", 2),
    ("sockeye-http", PROTOCOLS),
    ("sockeye-ftp", PROTOCOLS),
    ("sockeye-ssh", PROTOCOLS),
    ("sockeye-chat", PROTOCOLS),
    ("sockeye-client", PROTOCOLS),
    ("sockeye-fleet", 4),
    ("sockeye-cli", 5),
    ("sockeye-testkit", BESIDE),
    ("sockeye-bench", BESIDE),
];

/// The floor of the protocols: they know the node below them, and nothing of one another.
const PROTOCOLS: u8 = 3;

/// Not part of the house: may use every floor, and is used by none but in tests.
const BESIDE: u8 = u8::MAX;

/// A need within a floor, and why it is right.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("sockeye-accounts", "sockeye", "hashing passwords runs on threads that drain waits for"),
    ("sockeye-journal", "sockeye", "its writer is a thread that its owner waits for"),
    ("sockeye-store", "sockeye", "blocking file work runs on threads that drain waits for"),
];

/// What a protocol crate must not know though it is below: files are reached through a `Session`.
const BEHIND_THE_GATE: &[&str] = &["sockeye-store", "sockeye-journal", "sockeye-accounts"];

fn floor(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor)
}

/// What is wrong with one crate's needing another, if anything.
fn complaint(name: &str, needs: &str) -> Option<String> {
    let Some((floor, lower)) = floor(name).zip(floor(needs)) else {
        return Some(format!("{name} → {needs}: give both a floor in floors.rs"));
    };
    if floor == PROTOCOLS && lower == PROTOCOLS {
        return Some(format!("{name} → {needs}: protocol crates never import one another"));
    }
    if floor == PROTOCOLS && BEHIND_THE_GATE.contains(&needs) {
        return Some(format!(
            "{name} → {needs}: a protocol sees a Session, never what is behind it"
        ));
    }
    let excepted = EXCEPTIONS.iter().any(|(a, b, _)| (*a, *b) == (name, needs));
    (lower >= floor && !excepted).then(|| format!("{name} → {needs}: not a lower floor"))
}

#[test]
fn a_crate_depends_only_on_lower_floors() {
    let metadata = Metadata::get();
    let mut complaints = Vec::new();
    for (name, package) in metadata.own() {
        let needs = metadata.own_needs(package, |package| &package.normal);
        let build = metadata.own_needs(package, |package| &package.build);
        complaints.extend(needs.iter().chain(&build).filter_map(|needs| complaint(name, needs)));
    }
    assert_none("floors", &complaints);
}

/// Tests may use the test kit, and what the crate itself may use.
#[test]
fn a_crates_tests_depend_on_lower_floors_and_the_test_kit() {
    let metadata = Metadata::get();
    let mut complaints = Vec::new();
    for (name, package) in metadata.own() {
        let needs = metadata.own_needs(package, |package| &package.dev);
        let foreign = needs.iter().filter(|needs| **needs != "sockeye-testkit" && **needs != name);
        complaints.extend(foreign.filter_map(|needs| complaint(name, needs)));
    }
    assert_none("floors of tests", &complaints);
}

#[test]
fn no_protocol_crate_names_another_or_a_home() {
    let is_protocol = |name: &str| floor(name) == Some(PROTOCOLS);
    let mut complaints = Vec::new();
    for file in tree::shipped(is_protocol) {
        let own = file.crate_name().unwrap_or_default().to_owned();
        complaints
            .extend(foreign_names(&own, &file.text).map(|found| format!("{}:{found}", file.path)));
    }
    assert_none("names of other crates", &complaints);
}

fn foreign_names<'a>(own: &'a str, text: &str) -> impl Iterator<Item = String> + use<'a> {
    let code = shipped_code(text);
    let foreign = FLOORS.iter().filter(move |(name, _)| *name != own);
    foreign.filter(|(name, _)| complaint(own, name).is_some()).flat_map(move |(name, _)| {
        let module = name.replace('-', "_");
        let lines = lines_with(&code, &module);
        lines.into_iter().map(move |line| format!("{line} names {module}")).collect::<Vec<_>>()
    })
}

#[test]
fn a_need_upwards_sideways_or_past_the_gate_is_found() {
    assert_eq!(complaint("sockeye-http", "sockeye-node"), None);
    assert_eq!(complaint("sockeye-cli", "sockeye-http"), None);
    assert!(complaint("sockeye-node", "sockeye-http").is_some());
    assert!(complaint("sockeye-http", "sockeye-ftp").is_some());
    assert!(complaint("sockeye-http", "sockeye-store").is_some());
    assert!(complaint("sockeye-cli", "sockeye-testkit").is_some());
    assert!(complaint("sockeye", "sockeye-new").is_some());
    assert_eq!(foreign_names("sockeye-http", "use sockeye_ftp::wire;").count(), 1);
    assert_eq!(
        foreign_names("sockeye-http", "use sockeye_node::Session; // sockeye_ftp").count(),
        0
    );
}

#[test]
fn no_exception_has_outlived_its_need() {
    let metadata = Metadata::get();
    let own = metadata.own();
    for (name, needs, reason) in EXCEPTIONS {
        let stale = own.get(name).is_some_and(|package| {
            !metadata.own_needs(package, |package| &package.normal).contains(needs)
        });
        assert!(!stale, "{name} no longer needs {needs} ({reason}): take the exception out");
    }
}
