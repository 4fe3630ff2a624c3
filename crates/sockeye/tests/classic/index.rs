//! The examples' index: it has them all, with the addresses that they have.

use std::{fs, path::Path};

#[test]
fn the_index_has_every_example_with_its_address() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    let mut examples = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let row = index.lines().find(|line| line.starts_with(&format!("| [`{name}`](#")));
        let row = row.unwrap_or_else(|| panic!("{name} is not in the index"));
        let source = fs::read_to_string(&path).unwrap();
        let addr =
            source.split_once("const ADDR: &str = \"").and_then(|(_, rest)| rest.split_once('"'));
        assert!(addr.is_some() || name == "ping", "{name} has an address");
        if let Some((addr, _)) = addr {
            assert!(row.ends_with(&format!("`{addr}` |")), "{name} serves {addr}: {row}");
        }
        examples += 1;
    }
    assert!(examples > 10, "only {examples}");
}
