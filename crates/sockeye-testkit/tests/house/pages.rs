//! Pages that say the same as something else: the index of the fuzz targets, and the README in its two
//! languages.

use std::{collections::BTreeSet, fs};

use super::{assert_none, tree};

fn page(path: &str) -> String {
    fs::read_to_string(tree::root().join(path)).unwrap()
}

#[test]
fn every_fuzz_target_is_built_and_indexed() {
    let paths = tree::paths();
    let files = paths.iter().filter_map(|path| path.strip_prefix("fuzz/fuzz_targets/"));
    let files: BTreeSet<_> = files.filter_map(|file| file.strip_suffix(".rs")).collect();
    assert!(files.contains("address"), "{files:?}");
    let (manifest, index) = (page("fuzz/Cargo.toml"), page("fuzz/README.md"));
    let built =
        manifest.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    let built: BTreeSet<_> = built.filter(|name| *name != "sockeye-fuzz").collect();
    assert_eq!(built, files, "the targets of fuzz/Cargo.toml");
    let rows = index.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(rows.collect::<BTreeSet<_>>(), files, "the rows of fuzz/README.md");
}

/// The lines that a reader types or copies: those of code blocks, without their comments.
fn commands(text: &str) -> Vec<&str> {
    let mut in_code = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
            // With the language of what begins.
            lines.push(line);
        } else if in_code {
            let code = line.split_once('#').filter(|(_, rest)| rest.starts_with(' '));
            lines.push(code.map_or(line, |(code, _)| code).trim_end());
        }
    }
    lines
}

#[test]
fn the_readme_has_the_same_commands_in_both_languages() {
    let (english, chinese) = (page("README.md"), page("README.zh-CN.md"));
    let (english, chinese) = (commands(&english), commands(&chinese));
    let both = english.iter().zip(&chinese).filter(|(english, chinese)| english != chinese);
    let mut complaints: Vec<_> =
        both.map(|(english, chinese)| format!("{english:?} and {chinese:?}")).collect();
    if english.len() != chinese.len() {
        complaints.push(format!("{} lines and {}", english.len(), chinese.len()));
    }
    assert_none("the two READMEs differ", &complaints);
}

#[test]
fn a_command_is_found_without_its_comment() {
    let text = "# Heading\n```sh\nrun this   # why\n# all comment\nurl/#part\n```\nnot this\n";
    assert_eq!(commands(text), ["```sh", "run this", "", "url/#part", "```"]);
}
