//! Files, folders and pages, as a browser and a program see them.

use std::os::unix::fs::symlink;

use crate::site::Site;
use serde_json::Value;
use sockeye_http::Config;
use sockeye_node::Name;

#[test]
fn a_file_is_sent_with_all_that_is_known_of_it() {
    let site = Site::new();
    site.write("a.txt", "hello");
    let answer = site.get("/a.txt");
    assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", "5"),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-cache"),
    ] {
        assert_eq!(answer.field(name), Some(value), "{name}");
    }
    for name in ["date", "etag", "last-modified"] {
        assert!(answer.field(name).is_some(), "{name}");
    }
}

#[test]
fn files_of_every_size_come_whole() {
    let site = Site::new();
    for size in [0, 1, 1024, 65_535, 65_536, 65_537, 700_000, 3_000_000] {
        let content: Vec<u8> = (0..size).map(|i| u8::try_from(i % 251).unwrap()).collect();
        site.write("file.bin", &content);
        let answer = site.get("/file.bin");
        assert_eq!(answer.field("content-length"), Some(size.to_string().as_str()));
        assert!(answer.body == content, "{size} bytes differ");
    }
}

#[test]
fn head_has_the_head_of_get() {
    let site = Site::new();
    site.write("a.txt", "hello");
    site.write("big.bin", vec![7; 100_000]);
    site.write("folder/x", "");
    for target in ["/a.txt", "/big.bin", "/", "/folder", "/missing"] {
        let (mut get, head) = (site.get(target), site.ask(&format!("HEAD {target}"), &[]));
        get.body.clear();
        get.fields.retain(|(n, _)| n != "date");
        let mut head = head;
        head.fields.retain(|(n, _)| n != "date");
        assert_eq!(get, head, "{target}");
    }
}

#[test]
fn an_index_file_stands_for_its_folder() {
    let mut config = Config::default();
    config.index = ["home.htm", "index.html"].map(|n| Name::parse(n.as_bytes()).unwrap()).into();
    let site = Site::with(config);
    site.write("a/index.html", "index");
    site.write("b/index.html", "index");
    site.write("b/home.htm", "home");
    site.write("c/index.html/no-file", "");
    assert_eq!(site.get("/a/").text(), "index");
    assert_eq!(site.get("/b/").text(), "home");
    assert_eq!(site.get("/a/").field("content-type"), Some("text/html; charset=utf-8"));
    assert!(site.get("/c/").text().contains("index.html/"));
}

#[test]
fn a_folder_without_a_slash_is_redirected() {
    let site = Site::new();
    site.write("a b/c/x", "");
    for (target, location) in [
        ("/a%20b", "/a%20b/"),
        ("/a%20b/c?sort=size&x=%2F", "/a%20b/c/?sort=size&x=%2F"),
        ("//a%20b", "/a%20b/"),
        ("http://localhost/a%20b", "/a%20b/"),
    ] {
        let answer = site.get(target);
        assert_eq!(answer.status, 301, "{target}");
        assert_eq!(answer.field("location"), Some(location));
    }
    site.write("file", "");
    assert_eq!(site.get("/file/").status, 404);
}

#[test]
fn a_listing_is_html_or_json_as_asked() {
    let site = Site::new();
    site.write("sub/deep/b.txt", "12345");
    site.write("sub/<i>&.txt", "");
    site.write("sub/报告.txt", "");
    symlink("/etc/passwd", site.folder().join("sub/outside")).unwrap();
    let html = site.ask("GET /sub/", &["Accept: text/html", "Accept-Language: zh-CN"]);
    assert_eq!(html.field("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(html.field("vary"), Some("accept, accept-encoding, accept-language"));
    assert!(html.field("content-security-policy").unwrap().contains("default-src 'none'"));
    let text = html.text();
    assert!(text.contains("lang=\"zh-CN\"") && text.contains("目录 /sub/"));
    assert!(text.contains("&lt;i&gt;&amp;.txt") && !text.contains("<i>"));
    assert!(text.contains("href=\"%E6%8A%A5%E5%91%8A.txt\"") && !text.contains("outside"));

    let json = site.ask("GET /sub/", &["Accept: application/json"]);
    assert_eq!(json.field("content-type"), Some("application/json"));
    let json: Value = serde_json::from_slice(&json.body).unwrap();
    let names: Vec<_> = json["entries"].as_array().unwrap().iter().map(|e| &e["name"]).collect();
    assert_eq!(names, ["deep", "<i>&.txt", "报告.txt"]);
    assert_eq!(
        (&json["path"], &json["sorted"], &json["complete"]),
        (&"/sub/".into(), &true.into(), &true.into())
    );
    for entry in json["entries"].as_array().unwrap() {
        let target = format!("/sub/{}", entry["href"].as_str().unwrap());
        assert_eq!(site.get(&target).status, 200, "{target}");
    }
}

#[test]
fn a_listing_is_one_name_a_line_to_who_wants_plain_text() {
    let mut config = Config::default();
    config.limits.sorted_entries = 4;
    let site = Site::with(config);
    for name in ["sub/b/x", "sub/a b.txt", "sub/报告.txt", "sub/two\nlines", "more/1", "more/2"] {
        site.write(name, "");
    }
    std::fs::create_dir(site.folder().join("none")).unwrap();
    let text = site.ask("GET /sub/", &["Accept: text/plain"]);
    assert_eq!(text.field("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(text.text(), "b/\na b.txt\ntwo\\x0Alines\n报告.txt\n");
    assert!(text.field("vary").unwrap().starts_with("accept, "));
    let none = site.ask("GET /none/", &["Accept: text/plain"]);
    assert_eq!((none.status, none.text().as_str()), (200, ""));
    // More than are held at once come as they are read.
    for name in ["more/3", "more/4", "more/5"] {
        site.write(name, "");
    }
    let text = site.ask("GET /more/", &["Accept: text/plain"]).text();
    let mut names: Vec<_> = text.lines().collect();
    names.sort_unstable();
    assert_eq!(names, ["1", "2", "3", "4", "5"]);
    let browser = site.ask("GET /sub/", &["Accept: text/html,*/*;q=0.8"]);
    assert_eq!(browser.field("content-type"), Some("text/html; charset=utf-8"));
}

#[test]
fn a_listing_is_sorted_by_the_query() {
    let site = Site::new();
    site.write("b", "1");
    site.write("a", "333");
    site.write("c", "22");
    let order = |query: &str| -> String {
        let answer = site.ask(&format!("GET /{query}"), &["Accept: application/json"]);
        let json: Value = serde_json::from_slice(&answer.body).unwrap();
        json["entries"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect()
    };
    assert_eq!(order(""), "abc");
    assert_eq!(order("?order=desc"), "cba");
    assert_eq!(order("?sort=size"), "bca");
    assert_eq!(order("?sort=size&order=desc"), "acb");
}

#[test]
fn listings_can_be_switched_off() {
    let mut config = Config::default();
    config.listing = false;
    let site = Site::with(config);
    site.write("a.txt", "x");
    assert_eq!(site.get("/").status, 403);
    assert_eq!(site.get("/a.txt").status, 200);
}

#[test]
fn errors_are_pages_for_people_and_lines_for_programs() {
    let site = Site::new();
    let text = site.get("/missing");
    assert_eq!((text.status, text.text().lines().count()), (404, 1));
    let html = site.ask("GET /missing", &["Accept: text/html", "Accept-Language: zh"]);
    assert!(html.text().contains("404 未找到") && html.text().contains("prefers-color-scheme"));
    let json = site.ask("GET /missing", &["Accept: application/json"]);
    assert_eq!(serde_json::from_slice::<Value>(&json.body).unwrap()["status"], 404);
}

#[test]
fn only_reading_is_allowed() {
    let site = Site::new();
    site.write("a.txt", "hello");
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"] {
        let answer = site.ask(&format!("{method} /a.txt"), &["Content-Length: 0"]);
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.field("allow"), Some("GET, HEAD, OPTIONS"));
        assert_eq!(
            answer.text(),
            "405 Method not allowed: what is taken here: GET, HEAD, OPTIONS\n",
            "curl shows no headers"
        );
    }
    assert_eq!(site.ask("BREW /a.txt", &[]).status, 501);
    for target in ["/a.txt", "*"] {
        let answer = site.ask(&format!("OPTIONS {target}"), &[]);
        assert_eq!((answer.status, answer.field("allow")), (204, Some("GET, HEAD, OPTIONS")));
    }
}

#[test]
fn files_are_served_under_every_model_of_threads_and_tasks() {
    for model in ["iterative", "pool:2", "threads:4", "tasks", "percore:1"] {
        let site = Site::start(Config::default(), model.parse().unwrap(), None);
        site.write("a.txt", model);
        site.write("big.bin", vec![1; 1_000_000]);
        site.write("folder/x", "");
        assert_eq!(site.get("/a.txt").text(), model);
        assert_eq!(site.get("/big.bin").body.len(), 1_000_000, "{model}");
        // A listing goes by the pool of threads.
        assert!(site.get("/folder/").text().contains("href=\"x\""), "{model}");
    }
}
