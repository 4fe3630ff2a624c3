//! What WebDAV's clients were told of, after the server that told it was killed.

use std::fs;

use rustix::process::Signal;

use super::{
    accounts::base64,
    node::Place,
    running::{Serving, ask},
};

const LOCK: &str = "<lockinfo xmlns=\"DAV:\"><lockscope><exclusive/></lockscope>\
    <locktype><write/></locktype><owner>admin at the desk</owner></lockinfo>";

const PATCH: &str = "<D:propertyupdate xmlns:D=\"DAV:\"><D:set><D:prop>\
    <color xmlns=\"urn:z\">red</color></D:prop></D:set></D:propertyupdate>";

/// Asks as the first administrator.
async fn dav(place: &Place, serving: &Serving, line: &str, content: &str) -> String {
    let password = fs::read_to_string(format!("{}/initial-password", place.data())).unwrap();
    let basic = base64(format!("admin:{}", password.trim()).as_bytes());
    let (request, fields) = line.split_once('\n').unwrap_or((line, ""));
    let fields = fields.lines().map(|field| format!("{field}\r\n")).collect::<String>();
    let head = format!("{request} HTTP/1.1\r\nAuthorization: Basic {basic}\r\n{fields}");
    ask(serving.host_port(), &head, content.as_bytes()).await
}

#[tokio::test]
async fn a_lock_and_a_property_hold_after_the_server_was_killed() {
    let place = Place::new();
    let serving = place.serve(&[]).await;
    let made = dav(&place, &serving, "PUT /report", "first").await;
    assert!(made.starts_with("HTTP/1.1 201 "), "{made}");
    let patched = dav(&place, &serving, "PROPPATCH /report", PATCH).await;
    assert!(patched.contains("200 OK</D:status>"), "{patched}");
    let locked = dav(&place, &serving, "LOCK /report\nTimeout: Second-3600", LOCK).await;
    let token = locked.lines().find_map(|line| line.strip_prefix("lock-token: ")).expect(&locked);
    serving.running.signal(Signal::KILL);
    serving.running.end().await;

    let serving = place.serve(&[]).await;
    let found = dav(&place, &serving, "PROPFIND /report\nDepth: 0", "").await;
    assert!(found.contains("<color xmlns=\"urn:z\">red</color>"), "{found}");
    assert!(found.contains(token.trim_matches(['<', '>'])), "{found}");
    assert!(found.contains("admin at the desk"), "{found}");
    let refused = dav(&place, &serving, "PUT /report", "second").await;
    assert!(refused.starts_with("HTTP/1.1 423 "), "{refused}");
    let claimed = format!("PUT /report\nIf: ({token})");
    let done = dav(&place, &serving, &claimed, "second").await;
    assert!(done.starts_with("HTTP/1.1 204 "), "{done}");
    let unlock = format!("UNLOCK /report\nLock-Token: {token}");
    let done = dav(&place, &serving, &unlock, "").await;
    assert!(done.starts_with("HTTP/1.1 204 "), "{done}");
    let done = dav(&place, &serving, "PUT /report", "third").await;
    assert!(done.starts_with("HTTP/1.1 204 "), "{done}");
    serving.running.stop().await;
}
