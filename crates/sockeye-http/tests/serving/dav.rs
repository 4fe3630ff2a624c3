//! WebDAV: properties, folders, copies, moves and locks, and what is refused.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use sockeye_http::wire::xml::{self, Element};

use crate::{node::Served, site::Answer};

/// A node that is asked with WebDAV's methods.
pub(crate) struct Dav(pub(crate) Served);

impl Dav {
    pub(crate) fn new() -> Self {
        let site = Served::new();
        site.node.share("team");
        for name in ["alice", "bob"] {
            site.node.grant(name, "/shared/team", "read,list,write,delete");
        }
        Self(site)
    }

    /// Asks as alice.
    pub(crate) fn ask(&self, request: &str, fields: &[&str], body: impl AsRef<[u8]>) -> Answer {
        self.ask_as("alice", request, fields, body)
    }

    pub(crate) fn ask_as(
        &self,
        who: &str,
        request: &str,
        fields: &[&str],
        body: impl AsRef<[u8]>,
    ) -> Answer {
        let body = body.as_ref();
        let length = format!("Content-Length: {}", body.len());
        self.0.ask(who, request, &[fields, &[&length]].concat(), body)
    }

    pub(crate) fn status(&self, request: &str, fields: &[&str]) -> u16 {
        self.ask(request, fields, "").status
    }

    pub(crate) fn put(&self, target: &str) {
        assert!(self.status(&format!("PUT {target}"), &[]) < 300, "{target}");
    }

    /// Locks as alice, and gives the token in brackets.
    pub(crate) fn lock(&self, target: &str, fields: &[&str]) -> String {
        let answer = self.ask(&format!("LOCK {target}"), fields, LOCK);
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
        answer.field("lock-token").unwrap().to_owned()
    }
}

pub(crate) const LOCK: &str = "<?xml version=\"1.0\"?><D:lockinfo xmlns:D=\"DAV:\">\
    <D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>\
    <D:owner><D:href>mailto:alice</D:href></D:owner></D:lockinfo>";

const SHARED_LOCK: &str = "<lockinfo xmlns=\"DAV:\"><lockscope><shared/></lockscope>\
    <locktype><write/></locktype></lockinfo>";

/// The hrefs of a 207, in its order, which is well-formed as far as it is small enough to be read here.
pub(crate) fn hrefs(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 207);
    let text = answer.text();
    assert!(text.ends_with("</D:multistatus>\n"));
    if answer.body.len() < 100_000 {
        assert!(xml_of(answer).is_dav("multistatus"));
    }
    let responses = text.split("<D:response><D:href>").skip(1);
    responses.map(|it| it.split_once("</D:href>").unwrap().0.to_owned()).collect()
}

fn xml_of(answer: &Answer) -> Element {
    xml::parse(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.text()))
}

fn patch(steps: &str) -> String {
    format!("<D:propertyupdate xmlns:D=\"DAV:\" xmlns:z=\"urn:z\">{steps}</D:propertyupdate>")
}

fn set(property: &str) -> String {
    patch(&format!("<D:set><D:prop>{property}</D:prop></D:set>"))
}

#[test]
fn a_node_says_that_it_is_webdav_and_a_folder_that_is_only_shared_does_not() {
    let dav = Dav::new();
    for target in ["/", "/file", "*"] {
        let answer = dav.ask(&format!("OPTIONS {target}"), &[], "");
        assert_eq!(answer.field("dav"), Some("1, 2, 3"), "{target}");
        assert_eq!(answer.field("ms-author-via"), Some("DAV"), "{target}");
    }
    let site = crate::site::Site::new();
    assert_eq!(site.ask("OPTIONS / HTTP/1.1", &["Host: localhost"]).field("dav"), None);
}

#[test]
fn properties_are_set_found_and_removed_and_follow_their_file() {
    let dav = Dav::new();
    dav.put("/a%20b");
    let value = "<z:color xml:lang=\"de\"><b xmlns=\"x\">r&#xe4;d</b> &amp; co</z:color>";
    let answer = dav.ask("PROPPATCH /a%20b", &[], set(value));
    assert_eq!(answer.status, 207, "{}", answer.text());
    assert!(answer.text().contains("200 OK"), "{}", answer.text());
    let find = "<propfind xmlns='DAV:'><prop><color xmlns='urn:z'/><getcontentlength/><nope/>\
        </prop></propfind>";
    let kept =
        "<color xmlns=\"urn:z\" xml:lang=\"de\"><b xmlns=\"x\">r\u{e4}d</b> &amp; co</color>";
    dav.put("/a%20b");
    assert_eq!(dav.status("MOVE /a%20b", &["Destination: /c"]), 201);
    assert_eq!(dav.status("COPY /c", &["Destination: http://localhost/shared/team/d"]), 201);
    for target in ["/c", "/shared/team/d"] {
        let found = dav.ask(&format!("PROPFIND {target}"), &["Depth: 0"], find).text();
        assert!(found.contains(kept), "{found}");
        assert!(found.contains("<D:getcontentlength>0</D:getcontentlength>"), "{found}");
        assert!(found.contains("<nope xmlns=\"DAV:\"/>"), "{found}");
        assert!(found.contains("404 Not Found"), "{found}");
    }
    let remove = patch("<D:remove><D:prop><z:color/></D:prop></D:remove>");
    assert!(dav.ask("PROPPATCH /c", &[], remove).text().contains("200 OK"));
    let found = dav.ask("PROPFIND /c", &["Depth: 0"], "").text();
    assert!(!found.contains("color") && found.contains("getetag"), "{found}");
    let etag = dav.0.get("alice", "/c");
    assert!(found.contains(etag.field("etag").unwrap()), "{found}");
    assert_eq!(dav.ask("PROPPATCH /none", &[], set("<z:a/>")).status, 404);
    assert_eq!(dav.ask_as("gast", "PROPPATCH /", &[], set("<z:a/>")).status, 403);
    assert_eq!(dav.ask_as("", "PROPFIND /c", &["Depth: 0"], "").status, 401);
}

#[test]
fn a_patch_is_done_as_a_whole_or_not_at_all() {
    let dav = Dav::new();
    dav.put("/a");
    let both = set("<z:color>red</z:color><D:getetag>mine</D:getetag>");
    let answer = dav.ask("PROPPATCH /a", &[], both).text();
    for part in ["403 Forbidden", "cannot-modify-protected-property", "424 Failed Dependency"] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    let long = "x".repeat(1024 * 1024);
    let answer = dav.ask("PROPPATCH /a", &[], set(&format!("<z:ok/><z:long>{long}</z:long>")));
    assert_eq!(answer.status, 207);
    let text = answer.text();
    assert!(text.contains("507 Insufficient Storage") && text.contains("424"), "{text}");
    assert!(text.contains("a property's value is at most 64 KiB"), "{text}");
    let fits = "x".repeat(64 * 1024 - 100);
    let answer = dav.ask("PROPPATCH /a", &[], set(&format!("<z:fits>{fits}</z:fits>")));
    assert!(answer.text().contains("200 OK"), "{}", answer.text());
    let remove = patch("<D:remove><D:prop><z:fits/></D:prop></D:remove>");
    assert!(dav.ask("PROPPATCH /a", &[], remove).text().contains("200 OK"));
    let longer = set(&format!("<z:long>{}</z:long>", long.repeat(3)));
    assert_eq!(dav.ask("PROPPATCH /a", &[], longer).status, 413);
    let many: String = (0..1000).map(|n| format!("<z:p{n}/>")).collect();
    assert!(dav.ask("PROPPATCH /a", &[], set(&many)).text().contains("507"));
    let found = dav.ask("PROPFIND /a", &["Depth: 0"], "").text();
    assert!(!found.contains("urn:z"), "{found}");
}

#[test]
fn xml_that_means_harm_is_refused_and_the_server_goes_on() {
    let dav = Dav::new();
    dav.put("/a");
    let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><propfind xmlns='DAV:'>&b;</propfind>";
    let file = "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><D:propertyupdate xmlns:D='DAV:'>\
        <D:set><D:prop><p>&e;</p></D:prop></D:set></D:propertyupdate>";
    let deep = "<a>".repeat(20_000);
    let wide = format!("<propfind xmlns='DAV:'><prop>{}</prop></propfind>", "<a/>".repeat(15_000));
    for bad in [laughs, file, &deep, &wide, "<", "no xml", "\u{0}", "<a/>"] {
        for method in ["PROPFIND", "PROPPATCH", "LOCK"] {
            let answer = dav.ask(&format!("{method} /a"), &["Depth: 0"], bad);
            let short = &bad[..bad.len().min(40)];
            assert_eq!(answer.status, 400, "{method} {short}: {}", answer.text());
        }
    }
    assert_eq!(dav.ask("LOCK /a", &[], "x".repeat(100_000)).status, 413);
    assert_eq!(dav.ask("MKCOL /b", &[], "<a/>").status, 415);
    assert_eq!(hrefs(&dav.ask("PROPFIND /a", &["Depth: 0"], "")), ["/a"]);
}

#[test]
fn a_folder_is_found_with_what_lies_in_it_and_never_endlessly() {
    let dav = Dav::new();
    let folder = dav.0.file("alice", "many");
    fs::create_dir_all(folder.join("sub")).unwrap();
    // More than is put together before it is sent.
    for n in 0..2500 {
        fs::write(folder.join(format!("{n:04} <&>")), "x").unwrap();
    }
    let mut found = hrefs(&dav.ask("PROPFIND /many", &["Depth: 1"], ""));
    assert_eq!(found[0], "/many/");
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 2502);
    assert!(
        found.contains(&"/many/sub/".to_owned())
            && found.contains(&"/many/0007%20%3C%26%3E".to_owned())
    );
    for depth in [&["Depth: infinity"][..], &[]] {
        let answer = dav.ask("PROPFIND /many", depth, "");
        assert_eq!(answer.status, 403);
        assert!(xml_of(&answer).dav("propfind-finite-depth").is_some());
    }
    assert_eq!(dav.status("PROPFIND /many", &["Depth: 2"]), 400);
    dav.put("/file");
    assert_eq!(dav.status("PROPFIND /file/", &["Depth: 0"]), 404);
    assert_eq!(dav.status("PROPFIND /none", &["Depth: 1"]), 404);
    let root = hrefs(&dav.ask("PROPFIND /", &["Depth: 1"], ""));
    assert!(root.contains(&"/shared/".to_owned()), "{root:?}");
    assert_eq!(
        hrefs(&dav.ask("PROPFIND /shared", &["Depth: 1"], "")),
        ["/shared/", "/shared/team/"]
    );
}

#[test]
fn a_folder_that_changes_while_it_is_walked_is_told_of_with_all_that_stayed() {
    let dav = Dav::new();
    let folder = dav.0.file("alice", "busy");
    fs::create_dir_all(&folder).unwrap();
    for n in 0..1500 {
        fs::write(folder.join(format!("stays{n}")), "x").unwrap();
    }
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in (0..50).cycle() {
                let (one, other) = (folder.join(format!("a{n}")), folder.join(format!("b{n}")));
                let _ = fs::write(&one, "x");
                let _ = fs::rename(&one, &other);
                let _ = fs::remove_file(&other);
                if over.load(Relaxed) {
                    return;
                }
            }
        });
        // Also if something is amiss.
        let _over = Over(&over);
        for _ in 0..4 {
            let found = hrefs(&dav.ask("PROPFIND /busy/", &["Depth: 1"], ""));
            let stayed = found.iter().filter(|href| href.contains("stays")).count();
            assert_eq!(stayed, 1500);
            for accept in ["Accept: application/json", "Accept: text/html"] {
                let listed = dav.ask("GET /busy/?all", &[accept], "");
                let stayed = listed.text().matches("href=\"stays").count()
                    + listed.text().matches("\"href\":\"stays").count();
                assert_eq!((listed.status, stayed), (200, 1500), "{accept}");
            }
            let archive = dav.ask("HEAD /busy/?zip", &[], "");
            assert_eq!(archive.status, 200, "what went meanwhile is left out");
        }
    });
}

/// Says so when it is dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[test]
fn folders_are_made_and_files_and_folders_are_copied_and_moved() {
    let dav = Dav::new();
    assert_eq!(dav.status("MKCOL /a/", &[]), 201);
    assert_eq!(dav.status("MKCOL /a", &[]), 405);
    assert_eq!(dav.status("MKCOL /none/b", &[]), 409);
    dav.put("/a/file");
    assert_eq!(dav.status("COPY /a", &["Destination: /b", "Depth: infinity"]), 201);
    assert!(dav.0.file("alice", "b/file").exists());
    assert_eq!(dav.status("COPY /a", &["Destination: /b", "Overwrite: F"]), 412);
    assert_eq!(dav.status("COPY /a", &["Destination: /b", "Depth: 0"]), 204);
    assert!(!dav.0.file("alice", "b/file").exists(), "only the folder itself");
    assert_eq!(dav.status("MOVE /a/file", &["Destination: /b/file"]), 201);
    assert_eq!(dav.status("MOVE /b", &["Destination: /a", "Overwrite: T"]), 204);
    assert!(dav.0.file("alice", "a/file").exists());
    assert_eq!(dav.status("MOVE /a/file", &["Destination: /none/file"]), 409);
    assert_eq!(dav.status("MOVE /none", &["Destination: /x"]), 404);
    assert_eq!(dav.status("MOVE /a", &["Destination: /a/deeper"]), 403);
    assert_eq!(dav.status("MOVE /a", &["Destination: /shared/team/a"]), 201);
    let told = dav.0.node.records("rename");
    assert!(told.iter().any(|it| it["path"] == "/a" && it["to"] == "/shared/team/a"));
    // Who may not.
    assert_eq!(dav.ask_as("gast", "MKCOL /x", &[], "").status, 403);
    assert_eq!(dav.ask_as("gast", "COPY /shared/team/a", &["Destination: /x"], "").status, 404);
}

#[test]
fn a_destination_leads_nowhere_but_into_the_namespace() {
    let dav = Dav::new();
    dav.put("/a");
    for (destination, status) in [
        ("/../../etc/x", 400),
        ("/%2e%2e/x", 400),
        ("/b%2f..%2fx", 400),
        ("/b%00", 400),
        ("b", 400),
        ("", 400),
        ("file:///etc/x", 400),
        ("http://evil.example/b", 502),
        ("http://localhost@evil.example/b", 502),
        ("http://localhost:9/b", 502),
        ("/-/b", 403),
        ("/%2d/b", 403),
        ("/a", 403),
        ("/%61", 403),
        ("/shared", 403),
        ("/shared/none/b", 404),
        ("/public/b", 404),
        ("/", 403),
    ] {
        for method in ["COPY", "MOVE"] {
            let field = format!("Destination: {destination}");
            let answer = dav.ask(&format!("{method} /a"), &[&field], "");
            assert_eq!(answer.status, status, "{method} {destination}: {}", answer.text());
        }
    }
    assert_eq!(dav.status("MOVE /a", &[]), 400);
    assert_eq!(dav.status("MOVE /a", &["Destination: /b", "Destination: /c"]), 400);
    assert_eq!(dav.status("MOVE /a", &["Destination: /b", "Overwrite: x"]), 400);
    // What is encoded twice is decoded once.
    assert_eq!(dav.status("MOVE /a", &["Destination: https://LOCALHOST/%252e%252e"]), 201);
    assert!(dav.0.file("alice", "%2e%2e").exists());
}

#[test]
fn whoever_has_no_room_left_is_told_that_by_the_quotas_own_word() {
    let dav = Dav::new();
    assert_eq!(dav.ask("PUT /a", &[], "x".repeat(600)).status, 201);
    dav.0.node.set_quota("alice", 1000);
    let refused = dav.ask("COPY /a", &["Destination: /b"], "");
    assert_eq!(refused.status, 507);
    assert!(xml_of(&refused).dav("quota-not-exceeded").is_some(), "{}", refused.text());
    // Whoever puts a file reads how much is missing.
    let refused = dav.ask("PUT /b", &[], "x".repeat(600));
    assert_eq!(refused.status, 507);
    assert!(refused.text().contains("quota"), "{}", refused.text());
    assert!(!dav.0.file("alice", "b").exists());
}

#[test]
fn a_lock_keeps_off_who_does_not_submit_it_whatever_they_ask() {
    let dav = Dav::new();
    dav.put("/shared/team/a");
    dav.put("/other");
    let a = "/shared/team/a";
    let token = dav.lock(a, &["Depth: 0", "Timeout: Second-600"]);
    let changes = [
        (format!("PUT {a}"), vec![]),
        (format!("DELETE {a}"), vec![]),
        (format!("MOVE {a}"), vec!["Destination: /b".to_owned()]),
        ("COPY /other".to_owned(), vec![format!("Destination: {a}")]),
        ("MOVE /other".to_owned(), vec![format!("Destination: {a}")]),
    ];
    for who in ["alice", "bob"] {
        for (request, fields) in &changes {
            if who == "bob" && request.contains("/other") {
                continue;
            }
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            let answer = dav.ask_as(who, request, &fields, "");
            assert_eq!(answer.status, 423, "{who} {request}");
            let submitted = format!("<D:lock-token-submitted><D:href>{a}</D:href>");
            assert!(answer.text().contains(&submitted), "{}", answer.text());
        }
        assert_eq!(dav.ask_as(who, &format!("PROPPATCH {a}"), &[], set("<z:a/>")).status, 423);
        let again = dav.ask_as(who, &format!("LOCK {a}"), &[], LOCK);
        assert_eq!(again.status, 423);
        assert!(xml_of(&again).dav("no-conflicting-lock").is_some());
    }
    // Its token is no secret, and only alice's to use.
    let claim = format!("If: <http://localhost{a}> ({token})");
    let found = dav.ask_as("bob", &format!("PROPFIND {a}"), &["Depth: 0"], "").text();
    assert!(
        found.contains(&token[1..token.len() - 1]) && found.contains("mailto:alice"),
        "{found}"
    );
    assert_eq!(dav.ask_as("bob", &format!("PUT {a}"), &[&claim], "x").status, 423);
    let unlock = format!("Lock-Token: {token}");
    assert_eq!(dav.ask_as("bob", &format!("UNLOCK {a}"), &[&unlock], "").status, 403);
    assert_eq!(dav.ask(&format!("PUT {a}"), &[&claim], "x").status, 204);
    let refreshed = dav.ask(&format!("LOCK {a}"), &[&claim, "Timeout: Second-1000"], "");
    assert_eq!(refreshed.status, 200);
    assert!(refreshed.text().contains("Second-1000") || refreshed.text().contains("Second-999"));
    assert_eq!(dav.status(&format!("UNLOCK {a}"), &[&unlock]), 204);
    assert_eq!(dav.status(&format!("UNLOCK {a}"), &[&unlock]), 409);
    assert_eq!(dav.ask(&format!("LOCK {a}"), &[&claim], "").status, 412);
    assert_eq!(dav.ask_as("bob", &format!("DELETE {a}"), &[], "").status, 204);
    let told =
        |operation| dav.0.node.records(operation).iter().filter(|it| it["outcome"] == "ok").count();
    assert_eq!((told("lock"), told("unlock")), (2, 1));
}

#[test]
fn what_is_not_there_is_locked_as_an_empty_file() {
    let dav = Dav::new();
    let answer = dav.ask("LOCK /new", &["Timeout: Infinite"], LOCK);
    assert_eq!(answer.status, 201, "{}", answer.text());
    let text = answer.text();
    assert!(
        text.contains("<D:lockroot><D:href>/new</D:href>") && text.contains("infinity"),
        "{text}"
    );
    assert_eq!(dav.0.get("alice", "/new").body, b"");
    assert_eq!(dav.ask_as("alice", "PUT /new", &[], "x").status, 423);
    assert_eq!(dav.ask("LOCK /none/new", &[], LOCK).status, 409);
    assert_eq!(dav.ask("LOCK /folder/", &[], LOCK).status, 404);
    assert_eq!(dav.ask("LOCK /new", &["Depth: 1"], LOCK).status, 400);
    assert_eq!(dav.ask_as("gast", "LOCK /new", &[], LOCK).status, 403);
}

#[test]
fn a_folders_lock_reaches_what_is_in_it_and_shared_ones_are_beside_each_other() {
    let dav = Dav::new();
    dav.status("MKCOL /d", &[]);
    dav.put("/d/a");
    let token = dav.lock("/d", &["Depth: infinity"]);
    for (request, fields) in [
        ("DELETE /d/a", &[][..]),
        ("PUT /d/new", &[]),
        ("MKCOL /d/sub", &[]),
        ("DELETE /d/", &[]),
        ("COPY /d/a", &["Destination: /d/b"]),
        ("MOVE /d/a", &["Destination: /b"]),
        ("LOCK /d/a", &[]),
    ] {
        let body = if request.starts_with("LOCK") { LOCK } else { "" };
        let refused = dav.ask(request, fields, body);
        assert_eq!(refused.status, 423, "{request}");
        let text = refused.text();
        assert!(text.contains("<D:href>/d</D:href>") || text.contains("<D:href>/d/</D:href>"));
    }
    // What lies in a folder keeps the folder.
    dav.status("MKCOL /e", &[]);
    dav.put("/e/locked");
    dav.lock("/e/locked", &[]);
    for (request, fields) in [("DELETE /e/", &[][..]), ("MOVE /e", &["Destination: /f"])] {
        let text = dav.ask(request, fields, "").text();
        assert!(text.contains("<D:href>/e/locked</D:href>"), "{request}: {text}");
    }
    let claim = format!("If: </d> ({token})");
    assert_eq!(dav.status("PUT /d/new", &[&claim]), 201);
    assert_eq!(dav.status("DELETE /d", &[&claim]), 204);
    // Its lock went with it.
    assert_eq!(dav.status("MKCOL /d", &[]), 201);
    for _ in 0..2 {
        assert_eq!(dav.ask("LOCK /d", &["Depth: 0"], SHARED_LOCK).status, 200);
    }
    assert_eq!(dav.ask("LOCK /d", &["Depth: 0"], LOCK).status, 423);
    let found = dav.ask("PROPFIND /", &["Depth: 1"], "").text();
    assert_eq!(found.matches("<D:activelock>").count(), 2);
}

#[test]
fn what_if_expects_has_to_be_so_of_every_method() {
    let dav = Dav::new();
    dav.put("/a");
    let etag = dav.0.get("alice", "/a").field("etag").unwrap().to_owned();
    let token = dav.lock("/a", &[]);
    for (condition, status) in [
        (format!("({token})"), 204),
        (format!("({token} [{etag}])"), 412),
        (format!("({token} [\"other\"]) ({token} Not <DAV:no-lock>)"), 204),
        ("(<urn:uuid:181d4fae-7d8c-41d0-a765-00a0c91e6bf2>)".to_owned(), 412),
        ("(Not <DAV:no-lock>)".to_owned(), 423),
        (format!("</b> ({token})"), 412),
        (format!("<http://evil.example/a> ({token})"), 412),
        ("nonsense".to_owned(), 400),
        ("()".to_owned(), 400),
    ] {
        // The tag is of what was before the first of them.
        assert_eq!(dav.status("PUT /a", &[&format!("If: {condition}")]), status, "{condition}");
    }
    let wrong = "If: ([\"other\"])";
    for (request, more) in [
        ("DELETE /a", "X: y"),
        ("PROPPATCH /a", "X: y"),
        ("MOVE /a", "Destination: /b"),
        ("COPY /a", "Destination: /b"),
        ("MKCOL /c", "X: y"),
        ("PROPFIND /a", "Depth: 0"),
        ("GET /a", "X: y"),
        ("HEAD /a", "X: y"),
        ("LOCK /c", "X: y"),
    ] {
        assert_eq!(dav.status(request, &[wrong, more]), 412, "{request}");
    }
    assert_eq!(dav.status("GET /a", &[&format!("If: ({token})")]), 200);
    let right = dav.0.get("alice", "/a").field("etag").unwrap().to_owned();
    assert_eq!(dav.status("DELETE /a", &[&format!("If: ({token} [{right}])")]), 204);
}
