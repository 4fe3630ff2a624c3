//! One module of many. A browser spends more on asking for a module than on running it, so a page's first modules are
//! sent as one: each becomes a function that gives what it exports, in the order in which they need each other.
//!
//! It is no compiler. What it knows are modules as the assets are written: an import is a line of its own, and exported
//! is what is declared at the begin of a line. A test holds them to that.

use std::{borrow::Cow, fmt::Write as _};

use super::MODULES;

/// A page's module, and those that are sent with it.
#[derive(Debug)]
pub(super) struct Joined {
    /// The page's own.
    root: &'static str,
    /// All that it needs to run, each behind those that it needs itself.
    parts: Vec<&'static str>,
}

impl Joined {
    /// Joins what `root` needs to run, and what `later` need, which it loads itself.
    pub(super) fn new(root: &'static str, later: &[&'static str]) -> Self {
        let mut joined = Self { root, parts: Vec::new() };
        let mut met = Vec::new();
        for &name in later.iter().chain([&root]) {
            joined.gather(name, &mut met);
        }
        joined.parts.retain(|part| *part != root);
        joined
    }

    fn gather(&mut self, name: &'static str, met: &mut Vec<&'static str>) {
        if met.contains(&name) {
            return;
        }
        met.push(name);
        for (_, target) in source(name).lines().filter_map(import) {
            let path = resolve(name, target);
            // A test says so if there is no such module.
            if let Some((found, _)) = MODULES.iter().find(|(module, _)| *module == path) {
                self.gather(found, met);
            }
        }
        self.parts.push(name);
    }

    /// Whether that module is sent with the page's own.
    pub(super) fn has(&self, name: &str) -> bool {
        self.parts.contains(&name)
    }

    /// The one module; from it others can import each that it has.
    pub(super) fn text(&self) -> String {
        let mut out = String::with_capacity(128 * 1024);
        for part in &self.parts {
            let _ = writeln!(out, "const {} = (() => {{", variable(part));
            let exports = self.body(&mut out, part);
            let _ = writeln!(out, "return {{ {} }};\n}})();", exports.join(", "));
        }
        // Others import from this one while it waits for them.
        out.push_str("(async () => {\n");
        self.body(&mut out, self.root);
        out.push_str("})();\n");
        let all: Vec<_> = self.parts.iter().map(|part| variable(part)).collect();
        let _ = writeln!(out, "export {{ {} }};", all.join(", "));
        out
    }

    /// Appends what a module does, line by line, and gives the names of what it exports.
    fn body(&self, out: &mut String, name: &str) -> Vec<&'static str> {
        let mut exports = Vec::new();
        for line in source(name).lines() {
            let line = match (import(line), export(line)) {
                (Some((what, target)), _) => {
                    Cow::Owned(binding(what, &variable(&resolve(name, target))))
                }
                (None, Some((declaration, export))) => {
                    exports.push(export);
                    self.moved(declaration, name)
                }
                (None, None) => self.moved(line, name),
            };
            out.push_str(&line);
            out.push('\n');
        }
        exports
    }

    /// A line as it is where the page's own module lies.
    fn moved<'a>(&self, line: &'a str, name: &str) -> Cow<'a, str> {
        const CALL: &str = "import('";
        let Some((before, rest)) = line.split_once(CALL) else { return Cow::Borrowed(line) };
        let Some((target, after)) = rest.split_once("')") else { return Cow::Borrowed(line) };
        let path = resolve(name, target);
        let after = self.moved(after, name);
        Cow::Owned(if self.has(&path) {
            format!("{before}Promise.resolve({}){after}", variable(&path))
        } else {
            format!("{before}{CALL}./{path}'){after}")
        })
    }

    /// A module that is sent by itself, as it imports from the one; no line has another number by it.
    pub(super) fn beside(&self, name: &str) -> String {
        let up = if name.contains('/') { "../" } else { "./" };
        let mut out = String::new();
        for line in source(name).lines() {
            let found = import(line).map(|(what, target)| (what, resolve(name, target)));
            if let Some((what, part)) = found.filter(|(_, part)| self.has(part)) {
                let part = variable(&part);
                let _ = write!(out, "import {{ {part} }} from '{up}{}'; ", self.root);
                out.push_str(&binding(what, &part));
            } else {
                out.push_str(line);
            }
            out.push('\n');
        }
        out
    }
}

/// The text of a module; empty if there is none of that name.
fn source(name: &str) -> &'static str {
    MODULES.iter().find(|(module, _)| *module == name).map_or("", |(_, text)| text)
}

/// What a module's exports are called where it is joined with others.
fn variable(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("${}", name.trim_end_matches(".js").chars().map(safe).collect::<String>())
}

/// What a line imports and from where, if it is an import.
pub(super) fn import(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("import ")?.strip_suffix("';")?.split_once(" from '")
}

/// The declaration and the name of what a line exports, if it exports.
fn export(line: &str) -> Option<(&str, &str)> {
    let declaration = line.strip_prefix("export ")?;
    let (_, name) = declaration.trim_start_matches("async ").split_once(' ')?;
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
    Some((declaration, &name[..end]))
}

/// What an import is of a module that is there already.
fn binding(what: &str, from: &str) -> String {
    match what.strip_prefix("* as ") {
        Some(all) => format!("const {all} = {from};"),
        None => format!("const {} = {from};", what.replace(" as ", ": ")),
    }
}

/// A relative name, as the module `from` has it, from the assets' folder on.
pub(super) fn resolve(from: &str, target: &str) -> String {
    let mut path: Vec<_> = from.split('/').collect();
    path.pop();
    for part in target.split('/') {
        match part {
            "." => {}
            ".." => drop(path.pop()),
            part => path.push(part),
        }
    }
    path.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_needs_is_sent_with_it_in_the_order_of_need() {
        let joined = Joined::new("main.js", &["views/files.js"]);
        assert!(joined.has("list.js") && joined.has("views/files.js"));
        assert!(!joined.has("qr.js"), "loaded when it is needed");
        for (n, part) in joined.parts.iter().enumerate() {
            for (_, target) in source(part).lines().filter_map(import) {
                let needed = resolve(part, target);
                assert!(joined.parts[..n].contains(&needed.as_str()), "{part} before {needed}");
            }
        }
        let text = joined.text();
        assert!(!text.lines().any(|line| line.starts_with("import ")), "one request");
        assert!(text.contains("() => Promise.resolve($views_files))"));
        assert!(text.contains("import('./dialogs/share.js')"), "as from where main.js lies");
        assert!(text.contains(" } = $dom;"));
        assert!(text.contains("const path = $path;"));
    }

    #[test]
    fn who_is_sent_alone_has_the_same_modules() {
        let joined = Joined::new("main.js", &["views/files.js"]);
        let trash = joined.beside("views/trash.js");
        assert!(trash.contains("import { $path } from '../main.js'; const path = $path;\n"));
        assert_eq!(trash.lines().count(), source("views/trash.js").lines().count());
        for (name, _) in MODULES.iter().filter(|(name, _)| !joined.has(name)) {
            for (_, target) in joined.beside(name).lines().filter_map(import) {
                assert!(!joined.has(&resolve(name, target)), "{name} has two of {target}");
            }
        }
    }

    #[test]
    fn modules_are_written_as_it_knows_them() {
        for (name, text) in MODULES.iter().filter(|(name, _)| !name.starts_with("i18n/")) {
            for line in text.lines() {
                let line_start = line.trim_start();
                assert!(
                    !line_start.starts_with("import ") || import(line).is_some(),
                    "{name}: {line}"
                );
                if let Some((declaration, export)) = export(line) {
                    let kinds = ["function ", "function* ", "class ", "const "];
                    let declaration = declaration.trim_start_matches("async ");
                    assert!(
                        kinds.iter().any(|kind| declaration.starts_with(kind)),
                        "{name}: {line}"
                    );
                    assert!(!export.is_empty(), "{name}: {line}");
                }
                // An address that is put together has to be the same from everywhere.
                assert!(!line.contains("import(`") || *name == "i18n.js", "{name}: {line}");
            }
            assert!(!text.contains("import.meta"), "{name}");
        }
    }
}
