//! What answers say beside their content: digests, names to save under, problems, and what browsers are told.

use data_encoding::BASE64;
use sockeye_http::Config;
use sockeye_testkit::node::TempNode;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    node::Served,
    site::{Answer, Site, connect_tls},
};

/// The SHA-256 of `abc` (FIPS 180-4).
const ABC: [u8; 32] = [
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
];

#[test]
fn the_digest_of_a_file_is_told_to_who_wants_it() {
    let site = Served::new();
    let wants = "Want-Repr-Digest: sha-512=9, sha-256=1";
    let digest = format!("sha-256=:{}:", BASE64.encode(&ABC));
    let digest = Some(digest.as_str());
    let put = site.ask("alice", "PUT /a", &[wants], b"abc");
    assert_eq!((put.status, put.field("repr-digest")), (201, digest));
    for (request, fields, status) in [
        ("GET /a", &[wants][..], 200),
        ("HEAD /a", &[wants], 200),
        // Of the whole, also with a part of it.
        ("GET /a", &[wants, "Range: bytes=1-1"], 206),
    ] {
        let answer = site.ask("alice", request, fields, b"");
        assert_eq!((answer.status, answer.field("repr-digest")), (status, digest), "{request}");
    }
    for fields in [&[][..], &["Want-Repr-Digest: sha-256=0"], &["Want-Repr-Digest: md5=1"]] {
        assert_eq!(site.ask("alice", "GET /a", fields, b"").field("repr-digest"), None);
        assert_eq!(site.ask("alice", "PUT /b", fields, b"abc").field("repr-digest"), None);
    }
    // A large file's is told once it is known, which a node sees to by itself; here the upload says it.
    let large = vec![0; 65 << 20];
    assert_eq!(site.put("alice", "/large", &large).status, 201);
    let answer = site.ask("alice", "HEAD /large", &[wants], b"");
    assert_eq!((answer.status, answer.field("repr-digest")), (200, None), "nobody waits for it");
}

#[test]
fn a_folder_that_is_only_shared_tells_digests_as_well() {
    let site = Site::new();
    site.write("a", "abc");
    let answer = site.ask("GET /a", &["Want-Repr-Digest: sha-256=1"]);
    assert!(answer.field("repr-digest").unwrap().contains(&BASE64.encode(&ABC)));
}

#[test]
fn a_file_is_saved_under_its_name_where_that_is_asked_for() {
    let site = Site::new();
    site.write("a \"b\".html", "<p>");
    site.write("文.txt", "x");
    assert_eq!(site.get("/%E6%96%87.txt").field("content-disposition"), None);
    let answer = site.get("/%E6%96%87.txt?download");
    assert_eq!(
        answer.field("content-disposition"),
        Some("attachment; filename=\"_.txt\"; filename*=UTF-8''%E6%96%87.txt")
    );
    let answer = site.get("/a%20%22b%22.html?x=y&download");
    let value = answer.field("content-disposition").unwrap();
    assert!(value.starts_with("attachment; filename=\"a _b_.html\"; "), "{value}");
}

#[test]
fn a_program_is_told_of_a_problem_in_a_form_that_it_reads() {
    let site = Served::new();
    for accept in ["application/json", "application/problem+json, text/html;q=0.5"] {
        for (request, status) in [
            ("GET /nothing", 404),
            ("DELETE /", 405),
            ("PUT /no/folder", 409),
            ("BREW /", 501),
            ("GET /-/nothing", 404),
        ] {
            let answer = site.ask("alice", request, &[&format!("Accept: {accept}")], b"");
            assert_eq!(answer.field("content-type"), Some("application/problem+json"), "{request}");
            let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!((answer.status, &problem["status"]), (status, &status.into()), "{request}");
            assert!(problem["title"].is_string() && problem["detail"].is_string());
        }
    }
    let page = site.ask("alice", "GET /nothing", &["Accept: text/html"], b"");
    assert_eq!(page.field("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.field("referrer-policy"), Some("same-origin"));
    assert_eq!(page.field("cross-origin-resource-policy"), Some("same-origin"));
    let text = site.ask("alice", "GET /nothing", &[], b"");
    assert_eq!(text.field("content-type"), Some("text/plain; charset=utf-8"));
}

#[test]
fn no_other_site_is_let_in() {
    let site = Served::new();
    site.put("alice", "/a", b"hers");
    let origin = "Origin: https://other.example";
    for (request, fields) in [
        ("GET /a", &[origin][..]),
        ("OPTIONS /a", &[origin, "Access-Control-Request-Method: PUT"]),
        ("GET /-/login", &[origin]),
        ("GET /", &["Origin: null"]),
    ] {
        let answer = site.ask("alice", request, fields, b"");
        let told = answer.fields.iter().any(|(name, _)| name.starts_with("access-control-"));
        assert!(!told, "{request}: {:?}", answer.fields);
    }
}

#[test]
fn whatever_a_browser_could_run_of_what_somebody_stored_is_kept_apart() {
    let site = Served::new();
    for (name, apart) in [
        ("a.html", true),
        ("a.svg", true),
        ("a.xml", true),
        ("a.xhtml", true),
        ("a.mhtml", true),
        ("a.txt", false),
        ("a.js", false),
        ("a", false),
    ] {
        site.put("alice", &format!("/{name}"), b"<script>alert(1)</script>");
        let answer = site.get("alice", &format!("/{name}"));
        let policy = answer.field("content-security-policy").unwrap_or_default();
        assert_eq!(policy.starts_with("sandbox"), apart, "{name}");
        assert!(!policy.contains("allow-same-origin"));
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_without_tls_is_sent_to_it_and_told_to_stay() {
    let mut config = Config::default();
    config.redirect = Some("https://files.example:8443".into());
    config.hsts = Some(std::time::Duration::from_secs(3600));
    let (plain, secure_config) = (config.clone(), config);
    tokio::task::block_in_place(|| {
        let site = Served::with(TempNode::new(), plain);
        for (request, location) in [
            ("GET /a%20b/?c=d", "https://files.example:8443/a%20b/?c=d"),
            ("PUT /x", "https://files.example:8443/x"),
            ("GET //evil.example", "https://files.example:8443/evil.example"),
            ("POST /-/login", "https://files.example:8443/-/login"),
        ] {
            let answer = site.ask("alice", request, &[], b"secret");
            assert_eq!((answer.status, answer.field("location")), (307, Some(location)));
            assert_eq!(answer.field("strict-transport-security"), None, "RFC 6797 §7.2");
        }
        assert_eq!(site.ask("", "GET /%zz", &[], b"").status, 400);
    });
    let folder = TempDir::new().unwrap();
    let site = tokio::task::block_in_place(|| Served::secure_with(folder.path(), secure_config));
    let mut stream = connect_tls(site.addr().port(), folder.path(), "http/1.1").await;
    let request = Served::request("alice", "GET /", &["Connection: close"], b"");
    stream.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = Answer::parse(&answer, false).0;
    assert_eq!(answer.field("strict-transport-security"), Some("max-age=3600"));
    assert_eq!(answer.status, 200);
    tokio::task::block_in_place(|| drop(site));
}
