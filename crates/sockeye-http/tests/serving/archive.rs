//! Folders as archives: whole and in part, as other programs read them, and as things change meanwhile.

use std::{
    fs::{self, File},
    io::{Cursor, Read, Seek, SeekFrom, Write},
    os::unix::{ffi::OsStrExt, fs::FileExt},
    path::Path,
    process::Command,
};

use sockeye_http::Config;
use sockeye_node::{Credentials, FilePath, Origin, Peer};
use sockeye_testkit::{node::password, peer};
use tempfile::TempDir;
use zip::ZipArchive;

use crate::{
    node::Served,
    site::{Answer, Site, connect},
};

/// A folder with some of everything.
fn filled() -> Site {
    let site = Site::new();
    site.write("top/plain.txt", "plain");
    site.write("top/empty", "");
    site.write("top/日本/naïve \"x\".txt", "unicode");
    site.write("top/z/large", (0..200_000).map(|i| (i % 251) as u8).collect::<Vec<_>>());
    fs::create_dir_all(site.folder().join("top/nothing in it")).unwrap();
    site
}

/// The names in an archive and what they have, checked by their CRCs.
fn unpacked(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut read = ZipArchive::new(Cursor::new(archive)).unwrap();
    let entries = (0..read.len()).map(|at| {
        let mut entry = read.by_index(at).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.name().unwrap().into_owned(), content)
    });
    entries.collect()
}

fn names(archive: &[u8]) -> Vec<String> {
    unpacked(archive).into_iter().map(|(name, _)| name).collect()
}

fn range(site: &Site, target: &str, range: &str, more: &[&str]) -> Answer {
    let range = format!("Range: bytes={range}");
    site.ask(&format!("GET {target}"), &[&[&*range], more].concat())
}

#[test]
fn what_is_chosen_of_a_folder_is_an_archive_of_its_own() {
    let site = filled();
    let some = site.get("/top/?zip&name=z&name=plain.txt&name=none&name=%2e%2e&name=%zz");
    assert_eq!(names(&some.body), ["top/", "top/plain.txt", "top/z/", "top/z/large"]);
    assert_ne!(some.field("etag"), site.get("/top/?zip").field("etag"));
    let encoded = site.get("/top/?zip&name=%E6%97%A5%E6%9C%AC");
    assert_eq!(names(&encoded.body), ["top/", "top/日本/", "top/日本/naïve \"x\".txt"]);
    assert_eq!(names(&site.get("/top/?zip&name=none").body), ["top/"]);
    assert_eq!(names(&site.get("/top/?zip&other=z").body), names(&site.get("/top/?zip").body));
}

#[test]
fn a_folder_is_sent_as_an_archive() {
    let site = filled();
    let answer = site.get("/top/?zip");
    assert_eq!(answer.status, 200);
    for (name, value) in [
        ("content-type", "application/zip"),
        ("content-disposition", "attachment; filename=\"top.zip\""),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(answer.field(name), Some(value), "{name}");
    }
    assert_eq!(answer.field("content-length").unwrap(), answer.body.len().to_string());
    let found = unpacked(&answer.body);
    let sizes: Vec<_> = found.iter().map(|(name, content)| (&**name, content.len())).collect();
    let expected = [
        ("top/", 0),
        ("top/empty", 0),
        ("top/nothing in it/", 0),
        ("top/plain.txt", 5),
        ("top/z/", 0),
        ("top/z/large", 200_000),
        ("top/日本/", 0),
        ("top/日本/naïve \"x\".txt", 7),
    ];
    assert_eq!(sizes, expected);
    assert_eq!(found[3].1, b"plain");

    let head = site.ask("HEAD /top/?zip", &[]);
    for name in ["content-length", "etag", "content-type", "last-modified"] {
        assert_eq!(head.field(name), answer.field(name), "{name}");
    }
    let tag = answer.field("etag").unwrap();
    assert!(tag.starts_with('"'), "{tag} is not strong");
    assert_eq!(site.ask("GET /top/?zip", &[&format!("If-None-Match: {tag}")]).status, 304);
    assert_eq!(site.ask("GET /top/?zip", &["If-Match: \"x\""]).status, 412);
    // Without a slash it is asked for where it lies.
    let moved = site.get("/top?zip");
    assert_eq!((moved.status, moved.field("location")), (301, Some("/top/?zip")));
    assert_eq!(site.get("/top/plain.txt/?zip").status, 404);
    assert_eq!(site.get("/none/?zip").status, 404);
    // The root has no name of its own.
    let root = site.get("/?zip");
    assert!(names(&root.body).contains(&"files/top/plain.txt".to_owned()));
}

#[test]
fn every_stretch_of_an_archive_is_that_of_the_whole() {
    let site = Site::new();
    for (name, content) in [("a/one", "1"), ("a/two", "22"), ("a/b/three", ""), ("a/link", "4")] {
        site.write(name, content);
    }
    fs::remove_file(site.folder().join("a/link")).unwrap();
    std::os::unix::fs::symlink("one", site.folder().join("a/link")).unwrap();
    let whole = site.get("/a/?zip").body;
    assert!(names(&whole).contains(&"a/LEFT OUT.txt".to_owned()));
    for first in 0..whole.len() {
        let last = (first + 1 + first * 7 % 90).min(whole.len() - 1);
        let answer = range(&site, "/a/?zip", &format!("{first}-{last}"), &[]);
        assert_eq!(answer.status, 206);
        let told = format!("bytes {first}-{last}/{}", whole.len());
        assert_eq!(answer.field("content-range"), Some(&*told));
        assert!(answer.body == whole[first..=last], "{told}");
    }
    for first in [0, 1, whole.len() / 2, whole.len() - 1] {
        let answer = range(&site, "/a/?zip", &format!("{first}-"), &[]);
        assert!(answer.body == whole[first..]);
    }
    let beyond = range(&site, "/a/?zip", &format!("{}-", whole.len()), &[]);
    assert_eq!(beyond.status, 416);
    assert_eq!(beyond.field("content-range"), Some(&*format!("bytes */{}", whole.len())));
    // Several at once are no use.
    assert!(range(&site, "/a/?zip", "0-0,9-9", &[]).body == whole);
}

#[test]
fn a_download_that_broke_goes_on_until_something_has_changed() {
    let site = filled();
    let whole = site.get("/top/?zip");
    let tag = whole.field("etag").unwrap();
    let same = format!("If-Range: {tag}");
    for cut in [0, 1, 1000, 100_000, whole.body.len() - 100, whole.body.len() - 1] {
        let rest = range(&site, "/top/?zip", &format!("{cut}-"), &[&same]);
        assert_eq!(rest.status, 206);
        assert!(rest.body == whole.body[cut..], "from {cut}");
    }
    // Same name, same size, another file.
    fs::rename(site.write("new", "other"), site.folder().join("top/plain.txt")).unwrap();
    let other = range(&site, "/top/?zip", "5-", &[&same]);
    assert_eq!(other.status, 200);
    assert_ne!(other.field("etag"), Some(tag));
    assert!(unpacked(&other.body).iter().any(|(_, content)| content == b"other"));
}

#[test]
fn a_file_that_changes_meanwhile_ends_the_connection() {
    for change in ["replaced", "written", "removed"] {
        let site = Site::new();
        // More than lies in buffers on the way.
        File::create(site.write("top/a", "")).unwrap().set_len(64 << 20).unwrap();
        let later = site.write("top/b", "later");
        let mut stream = connect(site.addr);
        stream.write_all(b"GET /top/?zip HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut begin = vec![0; 1 << 16];
        stream.read_exact(&mut begin).unwrap();
        let head = String::from_utf8_lossy(&begin).into_owned();
        let (_, length) = head.split_once("content-length: ").unwrap();
        let length: usize = length.split_once('\r').unwrap().0.parse().unwrap();
        match change {
            "replaced" => fs::rename(site.write("new", "LATER"), &later).unwrap(),
            "written" => fs::write(&later, "longer than it was").unwrap(),
            _ => fs::remove_file(&later).unwrap(),
        }
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        let head = head.find("\r\n\r\n").unwrap() + 4;
        assert!(begin.len() - head + rest.len() < length, "{change}: all of it came");
        assert!(ZipArchive::new(Cursor::new([&begin[head..], &rest].concat())).is_err());
    }
}

#[test]
fn what_may_not_be_read_is_left_out_and_told() {
    let site = Served::new();
    site.node.share("team");
    site.node.grant("alice", "/shared/team", "all");
    site.node.grant("bob", "/shared/team", "read,list");
    site.node.grant("bob", "/shared/team/private", "list");
    site.node.grant("bob", "/shared/team/closed", "none");
    for folder in ["private", "closed"] {
        make_folder(&site, "alice", &format!("shared/team/{folder}"));
    }
    for path in ["a", "private/b", "closed/c"] {
        assert_eq!(site.put("alice", &format!("/shared/team/{path}"), b"1").status, 201);
    }
    let hers = site.get("alice", "/shared/team/?zip");
    let all =
        ["team/", "team/a", "team/closed/", "team/closed/c", "team/private/", "team/private/b"];
    assert_eq!(names(&hers.body), all);
    let his = site.get("bob", "/shared/team/?zip");
    assert_eq!(names(&his.body), ["team/", "team/a", "team/private/", "team/LEFT OUT.txt"]);
    let told = String::from_utf8(unpacked(&his.body).pop().unwrap().1).unwrap();
    assert!(told.contains("closed (not permitted)\nprivate/b (not permitted)\n"), "{told}");
    assert_ne!(his.field("etag"), hers.field("etag"));
    assert_eq!(site.get("bob", "/shared/team/closed/?zip").status, 404);
    assert_eq!(site.get("", "/shared/team/?zip").status, 401);
    // Each file that was read stands in the log.
    let read: Vec<_> = site.node.records("read").iter().map(|it| it["path"].clone()).collect();
    assert_eq!(read.iter().filter(|path| *path == "/shared/team/a").count(), 2, "{read:?}");
    // The root of a home is that home alone.
    site.put("alice", "/mine", b"1");
    assert_eq!(names(&site.get("alice", "/?zip").body), ["alice/", "alice/mine"]);
    assert_eq!(site.get("alice", "/shared/?zip").status, 403);
}

fn make_folder(site: &Served, who: &str, path: &str) {
    let gate = site.node.gate();
    let credentials = Credentials::password(who, password(who));
    let origin = Origin::new("http", Peer::Local);
    let path = FilePath::parse(path.as_bytes()).unwrap();
    site.node.block_on(async {
        gate.login(&credentials, origin).await.unwrap().mkdir(&path).await.unwrap();
    });
}

#[test]
fn a_folder_with_too_much_in_it_is_refused() {
    let mut config = Config::default();
    config.limits.archive = 16 << 10;
    let site = Site::with(config);
    for number in 0..300 {
        site.write(&format!("top/file {number}"), "");
    }
    site.write("top/small/one", "1");
    let answer = site.get("/top/?zip");
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("one by one"), "{}", answer.text());
    assert_eq!(site.get("/top/small/?zip").status, 200);
}

/// Unpacks by Info-ZIP, which is given the archive at `path`.
fn unzip(path: &Path, arguments: &[&str]) -> Option<String> {
    let unzip = peer::require("unzip")?;
    let output = Command::new(unzip)
        .args(&arguments[..1])
        .arg(path)
        .args(&arguments[1..])
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text} {errors}");
    Some(text)
}

fn python(program: &str, path: &Path) -> Option<String> {
    let python = peer::require("python3")?;
    let output = Command::new(python).args(["-c", program]).arg(path).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn other_programs_read_the_archive() {
    let site = filled();
    // A name that is no text, and one that Windows would take for a path.
    let odd = site.folder().join("top").join(std::ffi::OsStr::from_bytes(b"odd\xff"));
    fs::write(odd, "odd").unwrap();
    site.write("top/x\\..\\..\\evil", "harmless");
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("top.zip");
    fs::write(&path, site.get("/top/?zip").body).unwrap();
    if let Some(text) = unzip(&path, &["-t"]) {
        assert!(text.contains("No errors detected"), "{text}");
    }
    let out = dir.path().join("out");
    if unzip(&path, &["-q", "-d", out.to_str().unwrap()]).is_some() {
        assert_eq!(fs::read(out.join("top/日本/naïve \"x\".txt")).unwrap(), b"unicode");
        assert_eq!(fs::read(out.join("top/x_.._.._evil")).unwrap(), b"harmless");
        assert!(out.join("top/nothing in it").is_dir());
        let modified = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        let age = modified(&out.join("top/plain.txt"))
            .duration_since(modified(&site.folder().join("top/plain.txt")));
        let seconds = age.map_or_else(|it| it.duration().as_secs(), |it| it.as_secs());
        assert!(seconds < 2, "the time is {seconds} s off");
    }
    let program =
        "import sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);print(z.testzip(),len(z.namelist()))";
    if let Some(text) = python(program, &path) {
        assert_eq!(text.trim(), "None 10");
    }
}

#[test]
fn an_archive_of_more_than_four_gigabytes_is_read_by_other_programs() {
    const LARGE: u64 = (4 << 30) + 5;
    // Where a hole is read without being kept.
    let site = Site::in_memory();
    File::create(site.write("top/a", "")).unwrap().set_len(LARGE).unwrap();
    site.write("top/b", "behind it");
    let head = site.ask("HEAD /top/?zip", &[]);
    let length: u64 = head.field("content-length").unwrap().parse().unwrap();
    assert!(length > LARGE);
    // Only what is not nought is fetched; the rest of the copy is a hole.
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("top.zip");
    let copy = File::create(&path).unwrap();
    copy.set_len(length).unwrap();
    for first in [0, length - 1000] {
        let answer = range(&site, "/top/?zip", &format!("{first}-{}", first + 999), &[]);
        assert_eq!(answer.body.len(), 1000);
        copy.write_all_at(&answer.body, first).unwrap();
    }
    // A stretch across the end of the file.
    let across = range(&site, "/top/?zip", &format!("{}-{}", length - 600, length - 300), &[]);
    let mut same = vec![0; 301];
    let mut copied = File::open(&path).unwrap();
    copied.seek(SeekFrom::Start(length - 600)).unwrap();
    copied.read_exact(&mut same).unwrap();
    assert!(across.body == same);

    let mut read = ZipArchive::new(File::open(&path).unwrap()).unwrap();
    assert_eq!(read.by_name("top/a").unwrap().size(), LARGE);
    let mut content = String::new();
    read.by_name("top/b").unwrap().read_to_string(&mut content).unwrap();
    assert_eq!(content, "behind it");
    let program = "import sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);\
                   print(z.getinfo('top/a').file_size, z.read('top/b').decode())";
    if let Some(text) = python(program, &path) {
        assert_eq!(text.trim(), format!("{LARGE} behind it"));
    }
    // It checks what stands in front of each file as well.
    if let Some(text) = unzip(&path, &["-t", "top/b"]) {
        assert!(text.contains("OK"), "{text}");
    }
}
