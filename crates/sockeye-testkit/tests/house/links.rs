//! Links within the project's Markdown lead to files that are there. (Pages under `src/` are part of the
//! documentation that rustdoc builds and checks.)

use std::path::Path;

use super::{assert_none, tree};

/// The relative targets of a text's links: `[…](target)`, without fragments and code blocks.
fn targets(text: &str) -> Vec<&str> {
    let mut in_code = false;
    let mut targets = Vec::new();
    for line in text.lines() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code {
            continue;
        }
        targets.extend(line.split("](").skip(1).filter_map(|rest| {
            let target = rest.split([')', ' ', '#']).next()?;
            let is_foreign = target.contains("://") || target.starts_with("mailto:");
            (!target.is_empty() && !is_foreign).then_some(target)
        }));
    }
    targets
}

fn is_page(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "md")
        && !path.contains("/src/")
}

#[test]
fn every_link_in_markdown_leads_somewhere() {
    let mut complaints = Vec::new();
    let files = tree::files();
    for file in files.iter().filter(|file| is_page(&file.path)) {
        let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
        let missing = targets(&file.text)
            .into_iter()
            .filter(|target| !tree::root().join(folder).join(target).exists())
            .map(|target| format!("{} links to {target}", file.path));
        complaints.extend(missing);
    }
    assert_none("dead links", &complaints);
}

#[test]
fn links_are_found_and_foreign_ones_left_alone() {
    let text = "[a](b.md#part) and [c](https://example.org) ![d](e.png \"f\") [g](#here)\n\
                ```\n[h](i.md)\n```\n[j](k/)";
    assert_eq!(targets(text), ["b.md", "e.png", "k/"]);
}
