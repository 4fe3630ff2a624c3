//! curl, over HTTP/1.1 and, by TLS and ALPN, HTTP/2.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use crate::{
    node::Served,
    site::{Site, tls},
};
use sockeye::{Model, Server};
use sockeye_http::{Config, Http};
use sockeye_node::{
    AccountName, Home, Secret, Session,
    accounts::{NewShare, ShareKind},
};
use sockeye_testkit::{node::password, peer};
use tempfile::TempDir;

struct Curl {
    program: PathBuf,
    folder: TempDir,
    base: String,
    arguments: Vec<String>,
}

impl Curl {
    fn run(&self, arguments: &[&str], target: &str) -> Output {
        Command::new(&self.program)
            .args(["--silent", "--show-error", "--max-time", "20", "--path-as-is"])
            .args(&self.arguments)
            .args(arguments)
            .arg(format!("{}{target}", self.base))
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    fn text(&self, arguments: &[&str], target: &str) -> String {
        let output = self.run(arguments, target);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn plain() -> Option<(Site, Curl)> {
    let program = peer::require("curl")?;
    let site = Site::new();
    let base = format!("http://{}", site.addr);
    Some((site, Curl { program, folder: TempDir::new().unwrap(), base, arguments: Vec::new() }))
}

fn secure(protocol: &str) -> Option<(Site, Curl)> {
    let program = peer::require("curl")?;
    let folder = TempDir::new().unwrap();
    let site = Site::start(Config::default(), Model::Tasks, Some(tls(folder.path())));
    let base = format!("https://localhost:{}", site.addr.port());
    let arguments = ["--cacert", "ca.pem", "--ipv4", protocol].map(str::to_owned).to_vec();
    Some((site, Curl { program, folder, base, arguments }))
}

fn exercise(site: &Site, curl: &Curl) {
    let content: Vec<u8> = (0..1_500_000u32).map(|i| u8::try_from(i % 253).unwrap()).collect();
    site.write("big.bin", &content);
    site.write("a.txt", "hello");
    site.write("folder/b.txt", "b");
    assert_eq!(curl.text(&[], "/a.txt"), "hello");
    assert_eq!(curl.text(&["--range", "1-2"], "/a.txt"), "el");
    assert!(curl.text(&["--head"], "/a.txt").contains("content-length: 5"));
    assert_eq!(curl.text(&["--location"], "/folder/../a.txt"), curl.text(&[], "/folder/../a.txt"));
    assert!(curl.text(&["--location"], "/folder").contains("b.txt"));
    let code = |arguments: &[&str], target: &str| {
        let arguments = [&["--output", "out", "--write-out", "%{http_code}"], arguments].concat();
        curl.text(&arguments, target)
    };
    assert_eq!(code(&[], "/missing"), "404");
    assert_eq!(code(&[], "/../etc/passwd"), "400");
    assert_eq!(code(&["--data", "x=y"], "/a.txt"), "405");
    assert_eq!(code(&["--upload-file", "out"], "/a.txt"), "405");
    assert_eq!(code(&["--request", "OPTIONS"], "/a.txt"), "204");
    assert_eq!(code(&[], "/big.bin"), "200");
    assert!(fs::read(curl.folder.path().join("out")).unwrap() == content);
    // A download that was cut is resumed.
    fs::write(curl.folder.path().join("part"), &content[..700_000]).unwrap();
    curl.text(&["--continue-at", "-", "--output", "part"], "/big.bin");
    assert!(fs::read(curl.folder.path().join("part")).unwrap() == content);
    // So is a folder, as the archive that it is sent as.
    let whole = curl.run(&[], "/folder/?zip").stdout;
    fs::write(curl.folder.path().join("part.zip"), &whole[..whole.len() / 2]).unwrap();
    curl.text(&["--continue-at", "-", "--output", "part.zip"], "/folder/?zip");
    assert!(fs::read(curl.folder.path().join("part.zip")).unwrap() == whole && whole.len() > 100);
    // Asked again with the tag, it is not sent again.
    assert_eq!(code(&["--etag-save", "tag"], "/big.bin"), "200");
    assert_eq!(code(&["--etag-compare", "tag"], "/big.bin"), "304");
}

#[test]
fn curl_gets_files_over_http_1() {
    let Some((site, curl)) = plain() else { return };
    exercise(&site, &curl);
}

#[test]
fn curl_gets_files_over_a_unix_socket() {
    let Some(program) = peer::require("curl") else { return };
    let (folder, home) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let socket = folder.path().join("http.sock");
    let session = Session::guest(Home::open(home.path()).unwrap());
    let http = Http::new(session, Config::default());
    let server = Server::bind(format!("unix://{}", socket.display())).unwrap();
    let server = server.with(http).workers(1).signals(false).prepare().unwrap();
    let handle = server.handle();
    let thread = std::thread::Builder::new().spawn(move || drop(server.run().unwrap())).unwrap();
    fs::write(home.path().join("a.txt"), vec![b'a'; 100_000]).unwrap();
    let arguments = vec!["--unix-socket".to_owned(), socket.display().to_string()];
    // No web page reaches a Unix socket: any name will do.
    let curl = Curl { program, folder, base: "http://any.example".into(), arguments };
    assert_eq!(curl.text(&[], "/a.txt").len(), 100_000);
    handle.stop();
    thread.join().unwrap();
}

#[test]
fn curl_gets_files_over_tls() {
    let Some((site, curl)) = secure("--http1.1") else { return };
    exercise(&site, &curl);
}

#[test]
fn curl_gets_files_over_http_2() {
    let Some((site, curl)) = secure("--http2") else { return };
    exercise(&site, &curl);
    assert_eq!(curl.text(&["--output", "out", "--write-out", "%{http_version}"], "/a.txt"), "2");
    // Many at once on one connection.
    let targets: Vec<_> = (0..50).map(|_| format!("{}/big.bin", curl.base)).collect();
    let mut arguments =
        vec!["--parallel", "--parallel-max", "50", "--write-out", "%{size_download} "];
    for target in &targets[1..] {
        arguments.extend(["--output", "/dev/null", target]);
    }
    arguments.extend(["--output", "/dev/null"]);
    let sizes = curl.text(&arguments, "/big.bin");
    assert_eq!(sizes.split_whitespace().filter(|s| *s == "1500000").count(), 50, "{sizes}");
}

/// Puts, gets and deletes as an account of a node.
fn change(site: &Served, curl: &Curl) {
    let content: Vec<u8> = (0..3_000_000u32).map(|i| u8::try_from(i % 253).unwrap()).collect();
    fs::write(curl.folder.path().join("big"), &content).unwrap();
    fs::write(curl.folder.path().join("small"), "small").unwrap();
    let user = format!("alice:{}", password("alice"));
    let code = |arguments: &[&str], target: &str| {
        let arguments =
            [&["--user", &user, "--output", "out", "--write-out", "%{http_code}"], arguments];
        curl.text(&arguments.concat(), target)
    };
    assert_eq!(code(&["--upload-file", "big"], "/big"), "201");
    assert!(fs::read(site.file("alice", "big")).unwrap() == content);
    assert_eq!(code(&["--upload-file", "small"], "/big"), "204");
    assert_eq!(code(&[], "/big"), "200");
    assert_eq!(fs::read(curl.folder.path().join("out")).unwrap(), b"small");
    // Of a length that is not known beforehand.
    let second = curl.arguments.iter().any(|argument| argument == "--http2");
    let unsaid = if second { "Content-Length:" } else { "Transfer-Encoding: chunked" };
    let chunked = ["--header", unsaid, "--upload-file", "big"];
    assert_eq!(code(&chunked, "/chunked"), "201");
    assert!(fs::read(site.file("alice", "chunked")).unwrap() == content);
    // Small: this curl takes a refusal that comes while it sends over HTTP/2 for a broken stream.
    let put =
        |field: &str, target: &str| code(&["--header", field, "--upload-file", "small"], target);
    let first = || put("If-None-Match: *", "/first");
    assert_eq!([first(), first()], ["201", "412"]);
    assert_eq!(put("X: y", "/no/such/folder"), "409");
    assert_eq!(put("Content-Range: bytes 0-1/2", "/x"), "400");
    assert_eq!(put("Origin: https://evil.example", "/x"), "403");
    assert_eq!(code(&["--request", "DELETE"], "/first"), "204");
    assert_eq!(code(&["--request", "DELETE"], "/first"), "404");
    let wrong = ["--user", "alice:wrong", "--upload-file", "small"];
    assert_eq!(code(&wrong, "/x"), "401");
    let anonymous = ["--output", "out", "--write-out", "%{http_code}", "--upload-file", "small"];
    assert_eq!(curl.text(&anonymous, "/x"), "401");
    assert!(!site.file("alice", "x").exists() && !site.file("alice", "first").exists());
}

#[test]
fn curl_changes_files_over_http_1() {
    let Some(program) = peer::require("curl") else { return };
    let site = Served::new();
    let base = format!("http://{}", site.addr());
    let curl = Curl { program, folder: TempDir::new().unwrap(), base, arguments: Vec::new() };
    change(&site, &curl);
}

#[test]
fn curl_changes_files_over_tls_and_http_2() {
    for protocol in ["--http1.1", "--http2"] {
        let Some(program) = peer::require("curl") else { return };
        let folder = TempDir::new().unwrap();
        let site = Served::secure(folder.path());
        let base = format!("https://localhost:{}", site.server.port());
        let arguments = ["--cacert", "ca.pem", "--ipv4", protocol].map(str::to_owned).to_vec();
        change(&site, &Curl { program, folder, base, arguments });
    }
}

/// A link of alice's, as a client that has no account asks for it.
fn link(site: &Served, new: NewShare) -> String {
    let accounts = site.node.gate().accounts().clone();
    let alice: AccountName = "alice".parse().unwrap();
    let share = site.node.block_on(accounts.create_share(&alice, new)).unwrap();
    format!("/-/s/{}", accounts.link(share.id).expose())
}

#[test]
fn curl_uses_links() {
    let Some(program) = peer::require("curl") else { return };
    let site = Served::new();
    let base = format!("http://{}", site.addr());
    let curl = Curl { program, folder: TempDir::new().unwrap(), base, arguments: Vec::new() };
    let here = |name: &str| curl.folder.path().join(name);
    site.put("alice", "/plan%20b.txt", b"the plan");
    fs::create_dir(site.file("alice", "in")).unwrap();

    // It is saved under the name that it has where it lies.
    let named = ["--remote-name", "--remote-header-name", "--fail"];
    let open = link(&site, NewShare::of("/plan b.txt".parse().unwrap()));
    curl.text(&named, &open);
    assert_eq!(fs::read(here("plan b.txt")).unwrap(), b"the plan");

    let mut closed = NewShare::of("/plan b.txt".parse().unwrap());
    closed.password = Some(Secret::new("open sesame"));
    let closed = link(&site, closed);
    let code = |arguments: &[&str], target: &str| {
        let arguments = [&["--output", "out", "--write-out", "%{http_code}"], arguments].concat();
        curl.text(&arguments, target)
    };
    assert_eq!(code(&[], &closed), "401");
    assert_eq!(code(&["--user", ":open sesame"], &closed), "200");
    assert_eq!(fs::read(here("out")).unwrap(), b"the plan");

    let mut dropping = NewShare::of("/in".parse().unwrap());
    dropping.kind = ShareKind::Upload;
    let dropping = link(&site, dropping);
    fs::write(here("report.txt"), "a report").unwrap();
    for _ in 0..2 {
        assert_eq!(code(&["--upload-file", "report.txt"], &format!("{dropping}/")), "201");
    }
    for name in ["in/report.txt", "in/report (2).txt"] {
        assert_eq!(fs::read(site.file("alice", name)).unwrap(), b"a report", "{name}");
    }
}
