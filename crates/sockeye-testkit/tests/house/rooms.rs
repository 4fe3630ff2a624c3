//! A room has one subject, and its name says which.

use super::{assert_none, tree};

/// Names that say nothing of a file's subject.
const NAMELESS: &[&str] =
    &["util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "stuff"];

fn complaint(path: &str) -> Option<String> {
    let nameless = |part: &&str| {
        let stem = part.split('.').next().unwrap_or(part);
        let mut words = stem.split(['-', '_']);
        words.any(|word| NAMELESS.contains(&word.to_lowercase().as_str()))
    };
    path.split('/').find(nameless).map(|part| format!("{path}: “{part}” names no subject"))
}

#[test]
fn every_room_is_named_after_its_subject() {
    let complaints: Vec<_> = tree::paths().iter().filter_map(|path| complaint(path)).collect();
    assert_none("rooms", &complaints);
}

#[test]
fn a_nameless_room_is_found() {
    for path in [
        "crates/sockeye/src/utils.rs",
        "crates/sockeye-http/src/common/mod.rs",
        "a/task_manager.rs",
    ] {
        assert!(complaint(path).is_some(), "{path}");
    }
    assert_eq!(complaint("crates/sockeye/src/socket/mod.rs"), None);
}
