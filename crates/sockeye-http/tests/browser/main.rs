//! The page in a real browser: Chromium, driven by Playwright from node, against a node that is served.
//!
//! What is done stands in folder.mjs, looking.mjs, changing.mjs, sharing.mjs, resuming.mjs, dropping.mjs, visiting.mjs and
//! administering.mjs, the last at a node that has all that `sockeye serve` gives one; with `SOCKEYE_SHOTS` set to a folder,
//! pictures of every view are put there (shots.mjs). This starts the node, makes what the steps find there, and tells
//! what they said.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod whole;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use sockeye::Server;
use sockeye_http::{Config, Http};
use sockeye_node::{Home, Session};
use sockeye_testkit::{
    node::{TempNode, password},
    peer::{require, skip},
    running::Running,
};
use tempfile::TempDir;

use crate::whole::Whole;

/// Entries of the large folder.
const MANY: usize = 10_000;

/// Names that a page could take for something else; two of them have what cannot be seen.
const HOSTILE: [&str; 10] = [
    "<img src=x onerror=alert(1)>.txt",
    "\"><script>alert(1)<\u{2044}script>",
    "it's \"quoted\" & more.txt",
    "\u{202e}fdp.exe",
    "two\nlines.txt",
    "\u{1f41f} \u{4e2d}\u{6587}.txt",
    "javascript:alert(1)",
    " leading and trailing ",
    "%2e%2e",
    "#hash?query.txt",
];

/// How long the steps may take: they wait for what they see, and the machine may be busy.
const LIMIT: &str = "480";

#[test]
fn people_can_do_it_all_in_a_browser() {
    let (Some(chromium), Some(node), Some(npm), Some(timeout)) =
        (require("chromium"), require("node"), require("npm"), require("timeout"))
    else {
        return;
    };
    let served = TempNode::new();
    let server = served.serve(Http::new(served.gate(), Config::default()));
    let scratch = TempDir::new().unwrap();
    let open = TempDir::new().unwrap();
    let alone = serve_folder(open.path());
    let whole = Whole::start();
    served.grant("bob", "/public", "all");
    furnish(&served.home("alice"));
    if std::env::var_os("SOCKEYE_SHOTS").is_some() {
        // Whoever takes the pictures.
        furnish(&served.home("root"));
    }
    let Some(scripts) = scripts(&npm) else { return };
    let settings = serde_json::json!({
        "port": server.port(),
        "folder": format!("http://127.0.0.1:{}", alone.port()),
        "whole": format!("http://127.0.0.1:{}", whole.port),
        "chromium": chromium, "scratch": scratch.path(),
        "passwords": { "alice": password("alice"), "root": password("root"), "bob": password("bob") },
        "hostile": HOSTILE,
        "many": { "href": "/many/", "count": MANY, "last": format!("file-{MANY}.txt") },
    });
    let output = Command::new(timeout)
        .args(["--kill-after=5", LIMIT])
        .arg(node)
        .arg(scripts.join("run.mjs"))
        .arg(settings.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    // Not println!, which the runner swallows: how long each step took is worth seeing.
    let _ = writeln!(std::io::stderr(), "{said}");
}

/// Markdown with what could act if it were taken for markup.
const GUIDE: &str = "# Guide\n\nAll is **well**. <img src=x onerror=alert(1)> [run](javascript:alert(1)) [deep](sub/deep.txt)\n\n\
                     - first\n- second\n\n| a | b |\n|---|--:|\n| x | 42 |\n\n<script>alert(1)</script>\n";

/// Markdown of which a line might be taken for a table, and one for a line that is broken.
fn blanks() -> String {
    let blanks = "\t".repeat(45_000);
    format!("a|b\n-|{blanks}x\n\na{blanks}b\n\nthe end\n")
}

/// One folder, served to everybody.
fn serve_folder(at: &Path) -> Running {
    for folder in ["sub", "site"] {
        fs::create_dir(at.join(folder)).unwrap();
    }
    for (name, content) in [
        ("guide.md", GUIDE),
        ("blanks.md", &blanks()),
        ("notes.txt", "to be read"),
        (
            "drawing.svg",
            "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='30'><rect width='40' height='30'/></svg>",
        ),
        ("sub/deep.txt", "deep"),
        ("site/index.html", "<p>Welcome to the site"),
    ] {
        fs::write(at.join(name), content).unwrap();
    }
    let http = Http::new(Session::guest(Home::open(at).unwrap()), Config::default());
    Running::start(Server::bind("tcp://127.0.0.1:0").unwrap().workers(1).with(http))
}

/// What the steps find in a home.
fn furnish(home: &Path) {
    for folder in ["Letters", "Media", "odd", "many"] {
        fs::create_dir_all(home.join(folder)).unwrap();
    }
    let letters = home.join("Letters");
    fs::write(letters.join("to whom.txt"), "dear reader").unwrap();
    fs::write(letters.join("page.html"), "<script>alert(1)</script>seen").unwrap();
    let drawing = "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='30'><script>alert(1)</script>\
                   <rect width='40' height='30'/></svg>";
    fs::write(letters.join("drawing.svg"), drawing).unwrap();
    fs::write(home.join("Media/leaflet.pdf"), PDF).unwrap();
    fs::write(home.join("Media/silence.wav"), silence()).unwrap();
    fs::write(home.join("Media/torn.mp4"), "no film").unwrap();
    for name in HOSTILE {
        fs::write(home.join("odd").join(name), "x").unwrap();
    }
    for n in 1..=MANY {
        fs::File::create(home.join(format!("many/file-{n}.txt"))).unwrap();
    }
}

/// A page with nothing on it.
const PDF: &str = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
                   2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
                   3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n";

/// A second of it, as 8-bit samples, 8,000 in a second.
fn silence() -> Vec<u8> {
    let samples = [128; 8000];
    let mut wave = b"RIFF\x64\x1f\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\x40\x1f\0\0".to_vec();
    wave.extend_from_slice(&samples);
    wave
}

/// The scripts beside what they import, which npm fetches once: in the folder for what is built.
fn scripts(npm: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    fs::create_dir_all(&folder).unwrap();
    for name in [
        "package.json",
        "package-lock.json",
        "administering.mjs",
        "browser.mjs",
        "looking.mjs",
        "changing.mjs",
        "folder.mjs",
        "dropping.mjs",
        "resuming.mjs",
        "sharing.mjs",
        "shots.mjs",
        "visiting.mjs",
        "wire.mjs",
        "run.mjs",
    ] {
        fs::copy(source.join(name), folder.join(name)).unwrap();
    }
    let there = |module: &str| folder.join("node_modules").join(module).exists();
    if ["playwright-core", "qr"].into_iter().all(there) {
        return Some(folder);
    }
    let fetched = Command::new(npm)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .output()
        .unwrap();
    if fetched.status.success() {
        return Some(folder);
    }
    let why = String::from_utf8_lossy(&fetched.stderr);
    skip(&format!("npm cannot fetch what the steps import: {why}"));
    None
}
