//! What file managers send, request by request, as their traffic is known.

use crate::dav::{Dav, LOCK, hrefs};

/// Windows' redirector (`Microsoft-WebDAV-MiniRedir`): a file is made empty, locked, written, given its times, unlocked.
#[test]
fn windows_copies_a_file_into_a_mounted_folder() {
    let dav = Dav::new();
    const AGENT: &str = "User-Agent: Microsoft-WebDAV-MiniRedir/10.0.19045";
    let fields = [AGENT, "translate: f", "Connection: Keep-Alive"];
    let with = |more: &[&'static str]| [&fields[..1], &fields[1..2], more].concat();
    // Without a password first, which it then asks its user for.
    let stranger = dav.ask_as("", "OPTIONS /", &with(&[]), "");
    assert_eq!(stranger.status, 401);
    assert!(
        stranger
            .fields
            .iter()
            .any(|(name, value)| name == "www-authenticate" && value.starts_with("Basic"))
    );
    let options = dav.ask("OPTIONS /", &with(&[]), "");
    assert!(options.status < 300 && options.field("ms-author-via") == Some("DAV"));
    assert!(options.field("dav").unwrap().contains('2'), "class 2, or it mounts read-only");
    assert!(options.field("allow").unwrap().contains("LOCK"));
    for depth in ["Depth: 0", "Depth: 1"] {
        let found = dav.ask("PROPFIND /", &with(&[depth]), "");
        assert_eq!(hrefs(&found)[0], "/");
        assert!(found.text().contains("<D:resourcetype><D:collection/></D:resourcetype>"));
    }
    assert_eq!(dav.ask("PROPFIND /report.docx", &with(&["Depth: 0"]), "").status, 404);
    assert_eq!(dav.ask("PUT /report.docx", &with(&[]), "").status, 201);
    let lock = dav.ask(
        "LOCK /report.docx",
        &with(&["Timeout: Second-3600", "Content-Type: text/xml"]),
        LOCK,
    );
    assert_eq!(lock.status, 200);
    let token = lock.field("lock-token").unwrap().to_owned();
    let claim = format!("If: ({token})");
    let head = dav.ask("HEAD /report.docx", &with(&[]), "");
    assert_eq!((head.status, head.field("content-length")), (200, Some("0")));
    let mut claimed: Vec<&str> = with(&[]);
    claimed.push(&claim);
    assert_eq!(dav.ask("PUT /report.docx", &claimed, "the content").status, 204);
    let times = "<?xml version=\"1.0\" encoding=\"utf-8\" ?><D:propertyupdate xmlns:D=\"DAV:\" \
        xmlns:Z=\"urn:schemas-microsoft-com:\"><D:set><D:prop>\
        <Z:Win32CreationTime>Sat, 21 Nov 2026 10:00:00 GMT</Z:Win32CreationTime>\
        <Z:Win32LastAccessTime>Sat, 21 Nov 2026 10:00:00 GMT</Z:Win32LastAccessTime>\
        <Z:Win32LastModifiedTime>Sat, 21 Nov 2026 10:00:00 GMT</Z:Win32LastModifiedTime>\
        <Z:Win32FileAttributes>00000020</Z:Win32FileAttributes></D:prop></D:set></D:propertyupdate>";
    let patched = dav.ask("PROPPATCH /report.docx", &claimed, times);
    assert_eq!(patched.status, 207);
    assert_eq!(patched.text().matches("200 OK").count(), 4, "{}", patched.text());
    let refresh = dav.ask("LOCK /report.docx", &claimed, "");
    assert_eq!(refresh.status, 200);
    let unlock = format!("Lock-Token: {token}");
    assert_eq!(dav.status("UNLOCK /report.docx", &[AGENT, &unlock]), 204);
    let found = dav.ask("PROPFIND /report.docx", &with(&["Depth: 0"]), "").text();
    assert!(found.contains("Win32FileAttributes") && found.contains("<D:getcontentlength>11<"));
    let modified = "<D:getlastmodified>Sat, 21 Nov 2026 10:00:00 GMT<";
    assert!(found.contains(modified), "the time that it says is the file's: {found}");
    // A new folder, which it renames, and deletes without a slash at the end.
    assert_eq!(dav.status("MKCOL /New%20folder", &[AGENT]), 201);
    let to = "Destination: http://localhost/Reports";
    assert_eq!(dav.status("MOVE /New%20folder", &[AGENT, to, "Overwrite: F"]), 201);
    assert_eq!(dav.status("DELETE /Reports", &[AGENT]), 204);
}

/// macOS' Finder (`WebDAVFS`): quotas asked for by name, an AppleDouble file beside each, locks before writing, and uploads in
/// chunks whose length stands in a field of its own.
#[test]
fn macos_writes_a_file_with_its_appledouble() {
    let dav = Dav::new();
    const AGENT: &str = "User-Agent: WebDAVFS/3.0.0 (03008000) Darwin/23.0.0 (arm64)";
    let options = dav.ask("OPTIONS /", &[AGENT], "");
    assert!(options.field("dav").unwrap().contains('2'), "or it mounts read-only");
    let quota = "<?xml version=\"1.0\" encoding=\"utf-8\"?><D:propfind xmlns:D=\"DAV:\"><D:prop>\
        <D:quota-available-bytes/><D:quota-used-bytes/><D:quota/><D:quotaused/></D:prop></D:propfind>";
    dav.0.node.set_quota("alice", 1_000_000);
    let found = dav.ask("PROPFIND /", &[AGENT, "Depth: 0"], quota).text();
    assert!(
        found.contains("<D:quota-available-bytes>1000000</D:quota-available-bytes>"),
        "{found}"
    );
    assert!(found.contains("<D:quota-used-bytes>0</D:quota-used-bytes>"), "{found}");
    let stat = "<?xml version=\"1.0\" encoding=\"utf-8\"?><D:propfind xmlns:D=\"DAV:\"><D:prop>\
        <D:getlastmodified/><D:getcontentlength/><D:creationdate/><D:resourcetype/></D:prop></D:propfind>";
    for (name, content) in [("note.txt", "the note"), ("._note.txt", "\0\u{5}\u{16}\u{7}")] {
        let at = format!("/{name}");
        assert_eq!(dav.ask(&format!("PROPFIND {at}"), &[AGENT, "Depth: 0"], stat).status, 404);
        assert_eq!(dav.ask(&format!("PUT {at}"), &[AGENT], "").status, 201);
        let token = dav.lock(&at, &[AGENT, "Depth: 0", "Timeout: Second-600"]);
        let claim = format!("If: ({token})");
        let expected = format!("X-Expected-Entity-Length: {}", content.len());
        let chunked = format!("{:x}\r\n{content}\r\n0\r\n\r\n", content.len());
        let fields = [AGENT, &claim, &expected, "Transfer-Encoding: chunked"];
        assert_eq!(
            dav.0.ask("alice", &format!("PUT {at}"), &fields, chunked.as_bytes()).status,
            204
        );
        assert_eq!(dav.0.get("alice", &at).body, content.as_bytes());
        let found = dav.ask(&format!("PROPFIND {at}"), &[AGENT, "Depth: 0"], stat).text();
        assert!(found.contains(&format!("<D:getcontentlength>{}<", content.len())), "{found}");
        let unlock = format!("Lock-Token: {token}");
        assert_eq!(dav.status(&format!("UNLOCK {at}"), &[AGENT, &unlock]), 204);
    }
    let found = hrefs(&dav.ask("PROPFIND /", &[AGENT, "Depth: 1"], stat));
    assert!(found.contains(&"/._note.txt".to_owned()), "{found:?}");
    // Safe-saving: the new file takes the old one's name.
    dav.put("/note.txt.sb-1");
    let to = ["Destination: http://localhost/note.txt", "Overwrite: T", AGENT];
    assert_eq!(dav.status("MOVE /note.txt.sb-1", &to), 204);
}

/// GNOME's gvfs (`gvfs/…`, libsoup): a folder listed by name, a file replaced on the condition that it is the one it knew.
#[test]
fn gnome_lists_a_folder_and_replaces_a_file() {
    let dav = Dav::new();
    const AGENT: &str = "User-Agent: gvfs/1.50.3";
    assert!(dav.ask("OPTIONS /", &[AGENT], "").field("dav").is_some());
    let find = "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n<D:propfind xmlns:D=\"DAV:\">\n <D:prop>\n\
        <D:creationdate/>\n<D:displayname/>\n<D:getcontentlength/>\n<D:getcontenttype/>\n<D:getetag/>\n\
        <D:getlastmodified/>\n<D:resourcetype/>\n </D:prop>\n</D:propfind>";
    dav.status("MKCOL /Docs", &[AGENT]);
    assert_eq!(dav.ask("PUT /Docs/a.txt", &[AGENT, "If-None-Match: *"], "one").status, 201);
    let found = dav.ask("PROPFIND /Docs", &[AGENT, "Depth: 1"], find);
    assert_eq!(hrefs(&found), ["/Docs/", "/Docs/a.txt"]);
    assert!(found.text().contains("text/plain"), "{}", found.text());
    let etag = dav.0.get("alice", "/Docs/a.txt").field("etag").unwrap().to_owned();
    let known = format!("If-Match: {etag}");
    assert_eq!(dav.ask("PUT /Docs/a.txt", &[AGENT, &known], "two").status, 204);
    assert_eq!(dav.ask("PUT /Docs/a.txt", &[AGENT, &known], "three").status, 412);
    let quota = "<propfind xmlns=\"DAV:\"><prop><quota-available-bytes/><quota-used-bytes/></prop></propfind>";
    let found = dav.ask("PROPFIND /", &[AGENT, "Depth: 0"], quota).text();
    assert!(found.contains("<D:quota-used-bytes>3<"), "{found}");
    let to = "Destination: http://localhost/Docs/b.txt";
    assert_eq!(dav.status("MOVE /Docs/a.txt", &[AGENT, to, "Overwrite: F"]), 201);
    assert_eq!(dav.status("DELETE /Docs", &[AGENT]), 204);
}

/// rclone, told that the server is ownCloud's kind: a file's time comes with it, and is set later without its content.
#[test]
fn rclone_sets_the_time_of_a_file() {
    let dav = Dav::new();
    const AGENT: &str = "User-Agent: rclone/v1.71.0";
    let put = dav.ask("PUT /a", &[AGENT, "X-OC-Mtime: 1000000000"], "content");
    assert_eq!((put.status, put.field("x-oc-mtime")), (201, Some("accepted")));
    for (said, told) in [
        ("1600000000", "Sun, 13 Sep 2020 12:26:40 GMT"),
        ("Fri, 13 Feb 2009 23:31:30 GMT", "Fri, 13 Feb 2009 23:31:30 GMT"),
        ("no time", "Fri, 13 Feb 2009 23:31:30 GMT"),
    ] {
        let times = format!(
            "<?xml version=\"1.0\"?><D:propertyupdate xmlns:D=\"DAV:\"><D:set><D:prop>\
             <lastmodified xmlns=\"DAV:\">{said}</lastmodified></D:prop></D:set></D:propertyupdate>"
        );
        let patched = dav.ask("PROPPATCH /a", &[AGENT], times);
        assert!(patched.text().contains("200 OK"), "{}", patched.text());
        let file = dav.0.get("alice", "/a");
        assert_eq!((file.text().as_str(), file.field("last-modified")), ("content", Some(told)));
    }
}
