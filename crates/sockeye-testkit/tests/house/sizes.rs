//! How long a file may be: 800 lines, or a reason in its first comment; an example, 130.

use super::{assert_none, tree};

const MOST_LINES: usize = 800;
const MOST_LINES_OF_AN_EXAMPLE: usize = 130;

/// The words that the reason starts with.
const REASON: &str = "Long because";

fn complaint(path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    let is_example = path.contains("/examples/");
    if is_example && lines > MOST_LINES_OF_AN_EXAMPLE {
        return Some(format!("{path}: {lines} lines; an example has {MOST_LINES_OF_AN_EXAMPLE}"));
    }
    let reasoned =
        text.lines().take_while(|line| line.starts_with("//")).any(|line| line.contains(REASON));
    (lines > MOST_LINES && !reasoned).then(|| {
        format!("{path}: {lines} lines; above {MOST_LINES} the first comment says “{REASON} …”")
    })
}

#[test]
fn long_files_say_why_and_examples_are_short() {
    let complaints: Vec<_> = tree::files()
        .iter()
        .filter(|file| file.is_rust())
        .filter_map(|file| complaint(&file.path, &file.text))
        .collect();
    assert_none("too long", &complaints);
}

#[test]
fn a_long_file_without_a_reason_is_found() {
    let long = "fn f() {}\n".repeat(MOST_LINES + 1);
    assert!(complaint("crates/sockeye/src/lib.rs", &long).is_some());
    assert_eq!(
        complaint("lib.rs", &format!("//! A table.\n//! Long because it is one.\n{long}")),
        None
    );
    assert!(complaint("lib.rs", &format!("{long}// Long because it is one.")).is_some());
    let example = "fn f() {}\n".repeat(MOST_LINES_OF_AN_EXAMPLE + 1);
    assert!(complaint("crates/sockeye/examples/echo.rs", &example).is_some());
    assert_eq!(complaint("crates/sockeye/src/echo.rs", &example), None);
}
