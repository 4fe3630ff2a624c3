//! PUT and DELETE: what they do, and what they are refused for.

use std::fs;

use sockeye_http::Config;
use sockeye_testkit::node::TempNode;

use crate::{node::Served, site::Answer};

fn refused(answer: &Answer, status: u16, part: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(answer.text().contains(part), "{}", answer.text());
}

#[test]
fn a_file_is_made_replaced_and_read_back() {
    let site = Served::new();
    let made = site.put("alice", "/a.txt", b"one");
    assert_eq!((made.status, made.field("content-length")), (201, Some("0")));
    let got = site.get("alice", "/a.txt");
    assert_eq!((got.status, got.text().as_str()), (200, "one"));
    assert!(made.field("etag").is_some());
    assert_eq!(made.field("etag"), got.field("etag"));
    // Not said where the second turned meanwhile: it may not be later than the request's own time.
    if let Some(modified) = made.field("last-modified") {
        assert_eq!(Some(modified), got.field("last-modified"));
    }
    let replaced = site.put("alice", "/a.txt", b"another");
    assert_eq!((replaced.status, replaced.field("content-length")), (204, None));
    assert_ne!(replaced.field("etag"), made.field("etag"));
    assert_eq!(site.get("alice", "/a.txt").text(), "another");
    assert_eq!(site.put("alice", "/empty", b"").status, 201);
    assert_eq!(site.get("alice", "/empty").field("content-length"), Some("0"));
    assert_eq!(site.put("alice", "/%E6%96%87%20x.txt", b"x").status, 201);
    assert!(site.file("alice", "文 x.txt").exists());
    let records = site.node.records("write");
    let told: Vec<_> = records.iter().map(|r| (r["path"].as_str(), r["bytes"].as_u64())).collect();
    assert_eq!(told[..2], [(Some("/a.txt"), Some(3)), (Some("/a.txt"), Some(7))]);
}

#[test]
fn a_put_that_cannot_be_is_refused_and_says_why() {
    let site = Served::new();
    site.put("alice", "/file", b"x");
    fs::create_dir(site.file("alice", "folder")).unwrap();
    let put = |target: &str, fields: &[&str]| {
        site.ask("alice", &format!("PUT {target}"), fields, b"12345")
    };
    refused(&put("/no/such/folder/x", &[]), 409, "folder that it should go into is not there");
    refused(
        &put("/no/such/folder/x", &[]),
        409,
        "make that first: curl -X MKCOL …/no/such/folder/\n",
    );
    refused(&put("/folder", &[]), 409, "end the address with a slash: curl -T FILE …/folder/\n");
    let chinese = ["Accept: text/html", "Accept-Language: zh"];
    refused(&put("/folder", &chinese), 409, "已有同名文件夹");
    let posted = site.ask("alice", "POST /folder/", &[], b"12345");
    refused(
        &posted,
        405,
        "405 Method not allowed: files are put with PUT, not POST: curl -T FILE ",
    );
    refused(&posted, 405, "what is taken here: GET, HEAD, OPTIONS, DELETE, ");
    refused(&put("/file/x", &[]), 409, "");
    for field in ["Content-Range: bytes 0-4/5", "X-Update-Range: bytes=0-4"] {
        refused(&put("/file", &[field]), 400, "whole content");
        refused(&put("/new", &[field]), 400, "whole content");
    }
    assert_eq!(site.get("alice", "/file").text(), "x");
    refused(&put("/new", &["Content-Encoding: gzip"]), 415, "Content-Encoding");
    assert_eq!(put("/identity", &["Content-Encoding: identity"]).status, 201);
    refused(&put("/new", &["Expect: tea"]), 417, "");
    refused(&put("/%FF", &[]), 400, "name");
    refused(&put("/shared", &[]), 403, "");
    refused(&put("/-/x", &[]), 404, "");
    let folder = put("/folder/", &[]);
    refused(&folder, 405, "");
    assert_eq!(
        folder.field("allow"),
        Some("GET, HEAD, OPTIONS, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK")
    );
    assert_eq!(
        put("/", &[]).field("allow"),
        Some("GET, HEAD, OPTIONS, PROPFIND, PROPPATCH, LOCK, UNLOCK")
    );
    let unframed = site.ask("alice", "PUT /new", &["Content-Length: 0", "Connection: close"], b"");
    assert_eq!(unframed.status, 201);
    let request = Served::request("alice", "GET /new", &["Connection: close"], b"");
    let request = String::from_utf8(request).unwrap().replacen("GET /new", "PUT /newer", 1);
    let bare = Answer::parse(&crate::site::talk(site.addr(), request), false).0;
    refused(&bare, 411, "how long its content is");
    for name in ["new", "newer", "no"] {
        assert_eq!(site.file("alice", name).exists(), name == "new", "{name}");
    }
}

#[test]
fn conditions_hold_at_the_commit() {
    let site = Served::new();
    let put = |target: &str, field: &str| {
        site.ask("alice", &format!("PUT {target}"), &[field], b"new").status
    };
    assert_eq!(put("/a", "If-Match: *"), 412);
    assert_eq!(put("/a", "If-None-Match: *"), 201);
    assert_eq!(put("/a", "If-None-Match: *"), 412);
    assert_eq!(put("/a", "If-Match: *"), 204);
    let tag = site.get("alice", "/a").field("etag").unwrap().to_owned();
    assert_eq!(put("/a", "If-Match: \"other\""), 412);
    assert_eq!(put("/a", &format!("If-None-Match: {tag}")), 412);
    assert_eq!(put("/a", &format!("If-Match: \"other\", {tag}")), 204);
    assert_eq!(put("/a", &format!("If-Match: {tag}")), 412);
    assert_eq!(put("/a", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"), 412);
    assert_eq!(put("/a", "If-Unmodified-Since: Sun, 06 Nov 2094 08:49:37 GMT"), 204);
    assert_eq!(put("/b", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"), 201);
    let delete = |field: &str| site.ask("alice", "DELETE /a", &[field], b"").status;
    assert_eq!(delete(&format!("If-Match: {tag}")), 412);
    let tag = site.get("alice", "/a").field("etag").unwrap().to_owned();
    assert_eq!(delete(&format!("If-Match: {tag}")), 204);
    assert_eq!(delete("If-Match: *"), 412);
}

#[test]
fn of_many_who_make_the_same_file_one_does() {
    let site = Served::new();
    let request =
        Served::request("alice", "PUT /one", &["If-None-Match: *", "Connection: close"], b"x");
    let addr = site.addr();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = || Answer::parse(&crate::site::talk(addr, &request), false).0.status;
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|&&s| s == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|&&s| s == 412).count(), 7, "{statuses:?}");
}

#[test]
fn what_is_deleted_is_gone_and_in_the_trash() {
    let site = Served::new();
    site.put("alice", "/file", b"x");
    fs::create_dir_all(site.file("alice", "folder/deep")).unwrap();
    fs::write(site.file("alice", "folder/deep/x"), "x").unwrap();
    fs::create_dir(site.file("alice", "void")).unwrap();
    assert_eq!(site.delete("alice", "/nothing").status, 404);
    assert_eq!(site.delete("alice", "/file/").status, 404);
    assert_eq!(site.delete("alice", "/").status, 405);
    for target in ["/file", "/folder/", "/void"] {
        assert_eq!(site.delete("alice", target).status, 204, "{target}");
        assert_eq!(site.get("alice", target).status, 404, "{target}");
    }
    let trash = site.node.home("alice").parent().unwrap().join("trash");
    assert!(fs::read_dir(trash).unwrap().count() >= 2);
    assert_eq!(site.node.records("remove").iter().filter(|r| r["outcome"] == "ok").count(), 3);
}

#[test]
fn rights_say_what_can_be_done_where() {
    let site = Served::new();
    site.node.share("team");
    site.node.grant("alice", "/shared/team", "read,list,write");
    site.node.grant("bob", "/shared/team", "read,list");
    assert_eq!(site.put("alice", "/shared/team/plan", b"x").status, 201);
    assert_eq!(site.get("bob", "/shared/team/plan").text(), "x");
    refused(&site.put("bob", "/shared/team/plan", b"y"), 403, "your rights do not");
    refused(&site.delete("alice", "/shared/team/plan"), 403, "your rights do not");
    assert_eq!(site.put("gast", "/mine", b"x").status, 403);
    assert_eq!(site.get("gast", "/shared/team/plan").status, 404);
    let allow = |who: &str, target: &str| {
        let answer = site.ask(who, &format!("OPTIONS {target}"), &[], b"");
        assert_eq!(answer.status, 200);
        answer.field("allow").unwrap().to_owned()
    };
    assert_eq!(
        allow("root", "/shared/team/plan"),
        "GET, HEAD, OPTIONS, PUT, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK"
    );
    assert_eq!(
        allow("alice", "/shared/team/plan"),
        "GET, HEAD, OPTIONS, PUT, PROPFIND, PROPPATCH, MKCOL, COPY, LOCK, UNLOCK"
    );
    assert_eq!(allow("bob", "/shared/team/plan"), "GET, HEAD, OPTIONS, PROPFIND, COPY");
    assert_eq!(
        allow("alice", "/folder/"),
        "GET, HEAD, OPTIONS, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK"
    );
    assert_eq!(allow("alice", "/"), "GET, HEAD, OPTIONS, PROPFIND, PROPPATCH, LOCK, UNLOCK");
    assert_eq!(
        allow("alice", "*"),
        "GET, HEAD, OPTIONS, PUT, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK"
    );
    let listing = site.ask("bob", "GET /", &["Accept: application/json"], b"").text();
    assert!(listing.contains("\"href\":\"shared/\""), "{listing}");
    assert!(site.get("bob", "/shared/").text().contains("href=\"team/\""));
}

#[test]
fn a_page_of_another_site_changes_nothing() {
    let site = Served::new();
    site.put("alice", "/a", b"x");
    for field in ["Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"] {
        for request in ["PUT /a", "DELETE /a"] {
            assert_eq!(site.ask("alice", request, &[field], b"y").status, 403, "{request} {field}");
        }
    }
    assert_eq!(site.get("alice", "/a").text(), "x");
    let same = ["Origin: http://localhost", "Sec-Fetch-Site: same-origin"];
    assert_eq!(site.ask("alice", "PUT /a", &same, b"y").status, 204);
    let foreign = site.ask("alice", "PUT http://evil.example/a", &[], b"y");
    assert_eq!(foreign.status, 421);
}

#[test]
fn a_quota_is_kept_and_told_before_the_content_comes() {
    let site = Served::new();
    site.node.set_quota("alice", 100_000);
    assert_eq!(site.put("alice", "/a", &[1; 60_000]).status, 201);
    refused(&site.put("alice", "/b", &[1; 60_000]), 507, "over quota");
    // Of more than can be sent, nothing need be.
    let large = ["Content-Length: 1000000000", "Expect: 100-continue"];
    refused(&site.ask("alice", "PUT /c", &large, b""), 507, "over quota");
    // Where the length is not known, it is found while it comes.
    let chunks = format!("{:x}\r\n{}\r\n0\r\n\r\n", 60_000, "x".repeat(60_000));
    let chunked = site.ask("alice", "PUT /d", &["Transfer-Encoding: chunked"], chunks.as_bytes());
    refused(&chunked, 507, "over quota");
    assert_eq!(site.put("bob", "/b", &[1; 60_000]).status, 201);
    assert_eq!(fs::read_dir(site.node.home("alice")).unwrap().count(), 1);
}

#[test]
fn a_listener_takes_no_more_than_it_is_told_to() {
    let mut config = Config::default();
    config.limits.upload = Some(1000);
    let site = Served::with(TempNode::new(), config);
    assert_eq!(site.put("alice", "/a", &[1; 1000]).status, 201);
    refused(&site.put("alice", "/b", &[1; 1001]), 413, "at most 1000 bytes");
    let chunks = format!("3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1001));
    let chunked = site.ask("alice", "PUT /c", &["Transfer-Encoding: chunked"], chunks.as_bytes());
    refused(&chunked, 413, "at most 1000 bytes");
    assert_eq!(fs::read_dir(site.node.home("alice")).unwrap().count(), 1);
}

/// It would be opened with its reader's password.
#[test]
fn a_stored_page_never_acts_as_the_site() {
    let site = Served::new();
    for (name, sandboxed) in [("a.html", true), ("a.svg", true), ("a.txt", false), ("a.pdf", false)]
    {
        assert_eq!(site.put("alice", &format!("/{name}"), b"x").status, 201);
        let answer = site.get("alice", &format!("/{name}"));
        let policy = answer.field("content-security-policy");
        assert_eq!(policy.is_some_and(|it| it.starts_with("sandbox ")), sandboxed, "{name}");
        assert!(policy.is_none_or(|it| !it.contains("same-origin")), "{name}");
    }
}

#[test]
fn a_file_is_as_old_as_its_sender_says() {
    let site = Served::new();
    let put = |mtime: &str| site.ask("alice", "PUT /a", &[&format!("X-OC-Mtime: {mtime}")], b"x");
    for mtime in ["1234567890", "1234567890.25"] {
        let made = put(mtime);
        assert_eq!(made.field("x-oc-mtime"), Some("accepted"));
        assert_eq!(made.field("last-modified"), Some("Fri, 13 Feb 2009 23:31:30 GMT"));
        let file = site.get("alice", "/a");
        assert_eq!(file.field("last-modified"), Some("Fri, 13 Feb 2009 23:31:30 GMT"));
    }
    let made = put("yesterday");
    assert_eq!((made.status, made.field("x-oc-mtime")), (204, None));
}
