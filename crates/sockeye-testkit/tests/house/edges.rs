//! Only the program reads the environment, prints and exits; a library is told and answers.

use super::{
    assert_none,
    rust_text::{lines_with, shipped_code},
    tree,
};

/// The program itself, and crates that never ship.
const MAY: &[&str] = &["sockeye-cli", "sockeye-testkit"];

/// What only the program does. Words that end in `!` are macros.
const EDGES: &[&str] = &[
    "env::var",
    "env::var_os",
    "env::vars",
    "env::vars_os",
    "env::args",
    "env::args_os",
    "env::current_dir",
    "env::set_current_dir",
    "env::set_var",
    "env::remove_var",
    "env::temp_dir",
    "env::current_exe",
    "print!",
    "println!",
    "eprint!",
    "eprintln!",
    "io::stdin",
    "io::stdout",
    "io::stderr",
    "process::exit",
    "process::abort",
];

/// A file or folder that may do one of them, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "crates/sockeye/src/systemd.rs",
        "env::",
        "socket activation is told to a process by its environment: `from_env` reads it when asked",
    ),
    (
        "crates/sockeye/src/zygote/",
        "io::stdout",
        "what is buffered when a process forks would be written twice: it is flushed before",
    ),
];

fn complaints(path: &str, text: &str) -> Vec<String> {
    let code = shipped_code(text);
    let mut complaints = Vec::new();
    for edge in EDGES {
        let excepted = EXCEPTIONS
            .iter()
            .any(|(place, may, _)| path.starts_with(place) && edge.starts_with(may));
        if !excepted {
            let lines = lines_with(&code, edge).into_iter();
            complaints.extend(lines.map(|line| format!("{path}:{line} uses {edge}")));
        }
    }
    complaints
}

#[test]
fn only_the_program_reads_the_environment_prints_and_exits() {
    let complaints: Vec<_> = tree::shipped(|name| !MAY.contains(&name))
        .iter()
        .flat_map(|file| complaints(&file.path, &file.text))
        .collect();
    assert_none("for sockeye-cli alone", &complaints);
}

#[test]
fn a_library_that_prints_reads_the_environment_or_exits_is_found() {
    let path = "crates/sockeye/src/lib.rs";
    for broken in [
        "fn f() { println!(\"here\"); }",
        "let home = std::env::var(\"HOME\");",
        "let home = env::var_os(\"HOME\");",
        "std::process::exit(1)",
    ] {
        assert_eq!(complaints(path, broken).len(), 1, "{broken}");
    }
    assert_none("no use", &complaints(path, "/// println!\nlet v = env!(\"CARGO_PKG_VERSION\");"));
    assert_none("the exception", &complaints(EXCEPTIONS[0].0, "std::env::var(\"LISTEN_FDS\")"));
    assert_eq!(complaints(EXCEPTIONS[0].0, "println!()").len(), 1);
}
