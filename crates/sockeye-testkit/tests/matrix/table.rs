//! The documented table and the tests are one.

use crate::{ROWS, refused};

/// What `sockeye::model` has in its documentation.
const TABLE: &str = include_str!("../../../sockeye/src/model/pairs.md");

/// The names in backquotes with two colons in them, in the order of the page.
fn named(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).filter(|name| name.contains("::under_")).collect()
}

#[test]
fn every_cell_of_the_documented_table_is_a_test_here_and_every_test_a_cell() {
    let tests: Vec<&str> = ROWS.iter().flat_map(|row| row.iter().copied()).collect();
    assert_eq!(named(TABLE), tests);
}

#[test]
fn every_documented_refusal_is_a_test_here_and_every_test_documented() {
    let documented: Vec<&str> =
        TABLE.split('`').filter(|name| name.starts_with("refused::")).collect();
    assert_eq!(documented, refused::TESTS);
}
