//! The JSON API: what it answers, to whom, and what it refuses.

use std::fs;

use serde_json::{Value, json};

use crate::{node::Served, sign_ins::signed_in, site::Answer};

fn ask(site: &Served, who: &str, request: &str, content: Option<&Value>) -> Answer {
    let body = content.map(ToString::to_string).unwrap_or_default();
    let length = format!("Content-Length: {}", body.len());
    let fields = ["Content-Type: application/json", "Accept: application/json", &*length];
    let (method, path) = request.split_once(' ').unwrap();
    site.ask(who, &format!("{method} /-/api/v1/{path}"), &fields, body.as_bytes())
}

fn told(site: &Served, who: &str, request: &str, content: Option<&Value>) -> Value {
    let answer = ask(site, who, request, content);
    assert!(matches!(answer.status, 200 | 201), "{request}: {} {}", answer.status, answer.text());
    assert_eq!(answer.field("content-type"), Some("application/json"));
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    serde_json::from_str(&answer.text()).unwrap()
}

fn refused(
    site: &Served,
    who: &str,
    request: &str,
    content: Option<&Value>,
    status: u16,
) -> String {
    let answer = ask(site, who, request, content);
    assert_eq!(answer.status, status, "{request}: {}", answer.text());
    assert_eq!(answer.field("content-type"), Some("application/problem+json"));
    assert!(answer.field("www-authenticate").is_none(), "no window of the browser's own");
    let problem: Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!(problem["status"], status);
    problem["detail"].as_str().unwrap().to_owned()
}

#[test]
fn one_is_told_who_one_is_and_what_there_is_room_for() {
    let site = Served::new();
    site.node.share("team");
    site.node.grant("alice", "/shared/team", "read,list");
    site.node.set_quota("alice", 1_000_000);
    site.put("alice", "/a", b"12345");
    let me = told(&site, "alice", "GET me?path=/shared/team/x", None);
    assert_eq!((&me["name"], &me["role"]), (&json!("alice"), &json!("member")));
    assert_eq!((&me["space"]["used"], &me["space"]["quota"]), (&json!(5), &json!(1_000_000)));
    let team = json!([{ "name": "team", "path": "/shared/team", "rights": "read,list" }]);
    assert_eq!(me["shared"], team);
    assert_eq!(me["rights"], "read,list");
    refused(&site, "", "GET me", None, 401);
}

#[test]
fn a_folder_is_paged_in_the_order_that_is_asked_for() {
    let site = Served::new();
    for (name, size) in [("a10", 1), ("a9", 2), ("b%20%C3%BC", 3)] {
        site.put("alice", &format!("/{name}"), &vec![b'x'; size]);
    }
    let page = |query: &str| {
        let page = told(&site, "alice", &format!("GET files?path=/&{query}"), None);
        let entries = page["entries"].as_array().unwrap();
        let paths: Vec<_> =
            entries.iter().map(|entry| entry["path"].as_str().unwrap().to_owned()).collect();
        (paths.join(" "), page["next"].clone())
    };
    let (first, next) = page("limit=2");
    assert_eq!(first, "/a9 /a10");
    let rest = page(&format!("limit=2&after={}", next.as_str().unwrap()));
    assert_eq!(rest, ("/b%20%C3%BC".to_owned(), Value::Null));
    assert_eq!(page("sort=size&order=desc").0, "/b%20%C3%BC /a9 /a10");
    let stat = told(&site, "alice", "GET file?path=/a9&digest=sha256", None);
    assert_eq!((&stat["kind"], &stat["size"]), (&json!("file"), &json!(2)));
    assert_eq!(stat["sha256"].as_str().unwrap().len(), 64);
    refused(&site, "alice", "GET files?path=/none", None, 404);
    refused(&site, "alice", "GET files?path=/..", None, 400);
    refused(&site, "alice", "GET files?sort=luck", None, 400);
    refused(&site, "bob", "GET file?path=/shared/team", None, 404);
}

/// All times that an answer has.
fn times(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(fields) => fields.values().flat_map(times).collect(),
        Value::Array(some) => some.iter().flat_map(times).collect(),
        Value::String(text) if text.starts_with("20") && text.contains('T') => vec![text],
        _ => Vec::new(),
    }
}

#[test]
fn times_have_one_form_wherever_they_are_told() {
    let site = Served::new();
    site.node.share("team");
    site.put("alice", "/a", b"12345");
    site.put("alice", "/b", b"12345");
    told(&site, "alice", "POST delete", Some(&json!({ "paths": ["/b"] })));
    let expires = "2099-01-01T00:00:00.123456789Z";
    told(&site, "alice", "POST shares", Some(&json!({ "path": "/a", "expires": expires })));
    let token = json!({ "label": "x", "rights": "read", "expires": expires });
    told(&site, "alice", "POST tokens", Some(&token));
    let name = "Upload-Metadata: filename Yw==";
    let fields = ["Tus-Resumable: 1.0.0", "Upload-Length: 5", name, "Content-Length: 0"];
    assert_eq!(site.ask("alice", "POST /-/tus/", &fields, b"").status, 201);
    for (who, request, least) in [
        ("alice", "files", 1),
        ("alice", "file?path=/shared", 1),
        ("alice", "trash", 1),
        ("alice", "shares", 2),
        ("alice", "tokens", 2),
        ("alice", "uploads", 1),
        ("root", "admin/accounts", 3),
        ("root", "admin/shared", 1),
        ("root", "admin/sessions", 0),
    ] {
        let answer = told(&site, who, &format!("GET {request}"), None);
        let times = times(&answer);
        assert!(times.len() >= least, "{request}: {answer}");
        for time in times {
            assert!(
                time.len() == "2026-11-22T03:05:00Z".len() && time.ends_with('Z'),
                "{request}: {time}"
            );
        }
    }
}

#[test]
fn nobody_without_an_account_has_a_large_file_read_for_its_digest() {
    let site = Served::new();
    site.put("root", "/public/small", b"small");
    let large = fs::File::create(site.node.public().join("large")).unwrap();
    large.set_len((64 << 20) + 1).unwrap();
    site.node.gate().set_public(true);
    let digest = |who: &str, path: &str| {
        let stat = told(&site, who, &format!("GET file?path={path}&digest=sha256"), None);
        stat.get("sha256").map(|text| text.as_str().unwrap().len())
    };
    assert_eq!(digest("", "/public/small"), Some(64));
    assert_eq!(digest("", "/public/large"), None);
    assert_eq!(digest("alice", "/public/large"), Some(64));
}

#[test]
fn what_is_deleted_comes_back_by_its_ids() {
    let site = Served::new();
    told(&site, "alice", "POST folders", Some(&json!({ "path": "/docs" })));
    for name in ["/docs/a", "/b%20c"] {
        assert_eq!(site.put("alice", name, name.as_bytes()).status, 201);
    }
    let moved =
        ask(&site, "alice", "POST move", Some(&json!({ "from": "/docs/a", "to": "/docs/z" })));
    assert_eq!(moved.status, 204);
    let paths = json!({ "paths": ["/docs", "/b%20c"] });
    let ids = ids(&told(&site, "alice", "POST delete", Some(&paths)));
    assert_eq!(site.get("alice", "/docs/z").status, 404);
    // What was deleted last is looked for first.
    let trash = told(&site, "alice", "GET trash?limit=1", None);
    assert_eq!(trash["entries"][0]["path"], "/b%20c");
    let next = trash["next"].as_str().unwrap();
    let rest = told(&site, "alice", &format!("GET trash?after={next}"), None);
    assert_eq!((&rest["entries"][0]["path"], &rest["next"]), (&json!("/docs"), &Value::Null));
    refused(&site, "bob", "POST trash/restore", Some(&ids), 404);
    let back = told(&site, "alice", "POST trash/restore", Some(&ids));
    assert_eq!(back["restored"].as_array().unwrap().len(), 2);
    assert_eq!(site.get("alice", "/docs/z").text(), "/docs/a");
}

/// The ids of what was deleted, as they are asked for.
fn ids(deleted: &Value) -> Value {
    let deleted = deleted["deleted"].as_array().unwrap();
    json!({ "ids": deleted.iter().map(|one| one["id"].clone()).collect::<Vec<_>>() })
}

#[test]
fn what_was_done_of_several_things_is_told_beside_what_was_not() {
    let site = Served::new();
    for name in ["/a", "/c"] {
        site.put("alice", name, b"content");
    }
    let some = |request: &str, content: &Value| {
        let answer = ask(&site, "alice", request, Some(content));
        assert_eq!(answer.status, 207, "{request}: {}", answer.text());
        serde_json::from_str::<Value>(&answer.text()).unwrap()
    };
    let deleted = some("POST delete", &json!({ "paths": ["/a", "/none", "/c"] }));
    assert_eq!(deleted["deleted"][1]["path"], "/c");
    assert_eq!(deleted["failed"][0]["path"], "/none");
    let problem = &deleted["failed"][0]["problem"];
    assert_eq!(problem["type"], "urn:sockeye:problem:not-found");
    let ids = ids(&deleted);
    site.put("alice", "/a", b"another");
    let restored = some("POST trash/restore", &ids);
    assert_eq!(
        (&restored["restored"][0]["path"], restored["restored"].as_array().unwrap().len()),
        (&json!("/c"), 1)
    );
    assert_eq!(restored["failed"][0]["problem"]["type"], "urn:sockeye:problem:exists");
    // Where nothing was done, the answer is no success.
    refused(&site, "alice", "POST trash/restore", Some(&ids), 404);
    refused(&site, "alice", "POST trash/restore", Some(&json!({ "ids": [] })), 400);
    refused(&site, "alice", "POST delete", Some(&json!({ "paths": ["/none"] })), 404);
    assert_eq!(told(&site, "alice", "POST trash/purge", Some(&ids))["bytes"], 7);
}

#[test]
fn a_trash_is_emptied_as_a_whole() {
    let site = Served::new();
    site.node.share("team");
    site.node.grant("alice", "/shared/team", "all");
    site.node.grant("bob", "/shared/team", "read,list,write");
    for name in ["/a", "/b", "/shared/team/c", "/shared/team/d"] {
        site.put("alice", name, b"12345");
        ask(&site, "alice", "POST delete", Some(&json!({ "paths": [name] })));
    }
    let tree = json!({ "tree": "/shared/team" });
    refused(&site, "bob", "POST trash/empty", Some(&tree), 403);
    // What somebody may not delete is not destroyed with the rest.
    site.node.grant("alice", "/shared/team/secret", "none");
    refused(&site, "alice", "POST trash/empty", Some(&tree), 403);
    let emptied = told(&site, "alice", "POST trash/empty", Some(&json!({ "tree": "/" })));
    assert_eq!((&emptied["bytes"], &emptied["entries"]), (&json!(10), &json!(2)));
    let entries = |tree: &str| {
        told(&site, "alice", &format!("GET trash?tree={tree}"), None)["entries"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((entries("/"), entries("/shared/team")), (0, 2));
    assert_eq!(told(&site, "root", "POST trash/empty", Some(&tree))["entries"], 2);
}

#[test]
fn an_administrator_sees_and_revokes_what_others_share_and_is_not_told_the_links() {
    let site = Served::new();
    let mut links = Vec::new();
    for (name, new) in [
        ("alice", json!({ "path": "/plan", "downloads": 1 })),
        ("bob", json!({ "path": "/gone" })),
        ("bob", json!({ "path": "/in", "kind": "upload", "max_files": 1 })),
    ] {
        let path = new["path"].as_str().unwrap();
        match new["kind"].as_str() {
            None => drop(site.put(name, path, b"content")),
            Some(_) => assert_eq!(site.ask(name, "MKCOL /in", &[], b"").status, 201),
        }
        let share = told(&site, name, "POST shares", Some(&new));
        assert_eq!((&share["by"], &share["ended"]), (&json!(name), &Value::Null));
        links.push(share["url"].as_str().unwrap().to_owned());
    }
    assert_eq!(site.get("", &links[0]).status, 200);
    assert_eq!(site.ask("bob", "DELETE /gone", &[], b"").status, 204);
    let dropped = site.ask("", &format!("PUT {}/one", links[2]), &["Content-Length: 1"], b"x");
    assert_eq!(dropped.status, 201);

    let shares = |path: &str| {
        let told = told(&site, "root", &format!("GET {path}"), None);
        let all = told["shares"].as_array().unwrap().clone();
        assert!(all.iter().all(|share| share["url"].is_null()), "{all:?}");
        all
    };
    let ended = |all: &[Value]| -> Vec<_> {
        let each = |share: &Value| (share["by"].clone(), share["ended"].clone());
        all.iter().map(each).map(|(by, ended)| format!("{by} {ended}").replace('"', "")).collect()
    };
    let all = shares("admin/shares");
    assert_eq!(ended(&all), ["alice used-up", "bob gone", "bob full"]);
    assert_eq!(ended(&shares("admin/shares?by=bob")), ["bob gone", "bob full"]);
    refused(&site, "root", "GET admin/shares?by=nobody", None, 404);
    refused(&site, "alice", "GET admin/shares", None, 403);

    let revoke = format!("admin/shares/{}", all[2]["id"].as_str().unwrap());
    refused(&site, "alice", &format!("DELETE {revoke}"), None, 403);
    assert_eq!(ask(&site, "root", &format!("DELETE {revoke}"), None).status, 204);
    assert_eq!(site.get("", &links[2]).status, 410);
    refused(&site, "root", &format!("DELETE {revoke}"), None, 404);
}

#[test]
fn shares_and_tokens_are_made_listed_and_ended() {
    let site = Served::new();
    site.put("alice", "/a%20b", b"content");
    let new = json!({ "path": "/a%20b", "downloads": 3, "expires": null, "password": null, "kind": "download" });
    let share = told(&site, "alice", "POST shares", Some(&new));
    let link = share["url"].as_str().unwrap();
    assert_eq!(site.get("", link).text(), "content");
    let shares = told(&site, "alice", "GET shares", None);
    assert_eq!(
        (&shares["shares"][0]["path"], &shares["shares"][0]["downloaded"]),
        (&json!("/a%20b"), &json!(1))
    );
    assert_eq!(told(&site, "bob", "GET shares", None)["shares"], json!([]));
    let id = share["id"].as_str().unwrap();
    refused(&site, "bob", &format!("DELETE shares/{id}"), None, 404);
    assert_eq!(ask(&site, "alice", &format!("DELETE shares/{id}"), None).status, 204);
    assert_eq!(site.get("", link).status, 410);
    refused(&site, "alice", "POST shares", Some(&json!({ "path": "/none" })), 404);
    refused(&site, "alice", "POST shares", Some(&json!({ "path": "/" })), 422);
    refused(&site, "gast", "POST shares", Some(&json!({ "path": "/a" })), 403);
    let records = site.node.records("admin");
    let told_by: Vec<_> = records.iter().filter(|it| it["user"] == "alice").collect();
    assert_eq!(told_by.len(), 2, "who did it stands in the log: {records:?}");

    let new = json!({ "label": "backup", "rights": "read,list", "expires": null });
    let token = told(&site, "alice", "POST tokens", Some(&new));
    let text = token["token"].as_str().unwrap().to_owned();
    let bearer = format!("Authorization: Bearer {text}");
    let got = site.ask("", "GET /a%20b", &[&bearer], b"");
    assert_eq!(got.text(), "content");
    // A token does not make others.
    let by_token = site.ask("", "GET /-/api/v1/tokens", &[&bearer], b"");
    assert_eq!(by_token.status, 403, "{}", by_token.text());
    let listed = told(&site, "alice", "GET tokens", None);
    assert!(listed[0]["token"].is_null() && !listed.to_string().contains(&text));
    let id = token["id"].as_str().unwrap();
    assert_eq!(ask(&site, "alice", &format!("DELETE tokens/{id}"), None).status, 204);
    assert_eq!(site.ask("", "GET /a%20b", &[&bearer], b"").status, 401);
}

#[test]
fn administering_is_for_administrators() {
    let site = Served::new();
    for (who, status) in [("", 401), ("alice", 403), ("gast", 403)] {
        for request in ["GET admin/accounts", "GET admin/sessions", "DELETE admin/accounts/bob"] {
            refused(&site, who, request, None, status);
        }
    }
    let new = json!({ "name": "carol", "role": "guest", "quota": 1_000_000, "password": "carol's password" });
    assert_eq!(told(&site, "root", "POST admin/accounts", Some(&new))["quota"]["bytes"], 1_000_000);
    refused(&site, "root", "POST admin/accounts", Some(&new), 409);
    let changed = json!({ "role": "member", "quota": null, "locked": true });
    let carol = told(&site, "root", "PATCH admin/accounts/carol", Some(&changed));
    assert_eq!(
        (&carol["role"], &carol["locked"], &carol["quota"]["bytes"]),
        (&json!("member"), &json!(true), &Value::Null)
    );
    let all = told(&site, "root", "GET admin/accounts?limit=2", None);
    assert_eq!((all["accounts"].as_array().unwrap().len(), &all["next"]), (2, &json!("bob")));
    assert_eq!(ask(&site, "root", "DELETE admin/accounts/carol", None).status, 204);
    refused(&site, "root", "DELETE admin/accounts/carol", None, 404);
    refused(&site, "root", "DELETE admin/accounts/root", None, 403);
    refused(&site, "root", "POST admin/accounts", Some(&json!({ "name": "a b" })), 422);
    let made = site.node.records("admin");
    assert!(made.iter().any(|it| it["user"] == "root" && it["detail"] == "account carol: removed"));
    let sessions = told(&site, "root", "GET admin/sessions", None);
    assert!(sessions["sessions"].as_array().unwrap().iter().any(|it| it["account"] == "root"));
    refused(&site, "root", "DELETE admin/sessions/999999", None, 404);
}

#[test]
fn shared_folders_are_made_granted_bounded_and_removed() {
    let site = Served::new();
    let new = json!({ "name": "team", "quota": 1_000_000 });
    let made = told(&site, "root", "POST admin/shared", Some(&new));
    assert_eq!(
        (&made["path"], &made["quota"]["bytes"]),
        (&json!("/shared/team"), &json!(1_000_000))
    );
    assert_eq!(made["used"], Value::Null, "nobody was in it");
    refused(&site, "root", "POST admin/shared", Some(&new), 409);
    refused(&site, "root", "POST admin/shared", Some(&json!({ "name": "a/b" })), 422);
    refused(&site, "alice", "POST admin/shared", Some(&new), 403);
    let grant = json!({ "prefix": "/shared/team", "rights": "read,list,write" });
    let alice = told(&site, "root", "POST admin/accounts/alice/grants", Some(&grant));
    assert_eq!(alice["grants"], json!([{ "prefix": "/shared/team", "rights": "read,write,list" }]));
    assert_eq!(site.put("alice", "/shared/team/a", b"12345").status, 201);
    let all = told(&site, "root", "GET admin/shared", None);
    assert_eq!((&all["shared"][0]["used"], &all["shared"][0]["entries"]), (&json!(5), &json!(1)));
    let changed = told(&site, "root", "PATCH admin/shared/team", Some(&json!({ "quota": null })));
    assert_eq!(changed["quota"]["bytes"], Value::Null);
    let taken = "DELETE admin/accounts/alice/grants?prefix=/shared/team";
    assert_eq!(told(&site, "root", taken, None)["grants"], json!([]));
    refused(&site, "root", taken, None, 404);
    assert_eq!(site.get("alice", "/shared/team/a").status, 404);
    assert_eq!(ask(&site, "root", "DELETE admin/shared/team", None).status, 204);
    refused(&site, "root", "DELETE admin/shared/team", None, 404);
}

#[test]
fn problems_that_a_status_does_not_tell_apart_have_types() {
    let site = Served::new();
    site.put("alice", "/a", b"content");
    let kind = |who: &str, request: &str, content: &Value| {
        let answer = ask(&site, who, request, Some(content));
        let problem: Value = serde_json::from_str(&answer.text()).unwrap();
        let kind = problem["type"].as_str().unwrap().to_owned();
        kind.strip_prefix("urn:sockeye:problem:").map(str::to_owned)
    };
    let to = |to: &str| json!({ "from": "/a", "to": to });
    for (who, request, content, expected) in [
        ("alice", "POST move", to("/none/b"), "no-folder"),
        ("alice", "POST copy", to("/a"), "into-itself"),
        ("alice", "POST folders", json!({ "path": "/a" }), "exists"),
        ("gast", "POST folders", json!({ "path": "/b" }), "denied"),
        ("alice", "POST password", json!({ "current": "no idea", "new": "x" }), "wrong-password"),
        ("alice", "POST keys", json!({ "key": "ssh-rsa x" }), "bad-key"),
        ("root", "POST admin/accounts", json!({ "name": "alice" }), "name-taken"),
        (
            "root",
            "POST admin/accounts",
            json!({ "name": "dan", "password": "short" }),
            "password-too-short",
        ),
        (
            "root",
            "POST admin/accounts",
            json!({ "name": "..", "password": null }),
            "bad-account-name",
        ),
        ("root", "PATCH admin/accounts/root", json!({ "locked": true }), "last-admin"),
    ] {
        assert_eq!(kind(who, request, &content).as_deref(), Some(expected), "{request} {content}");
    }
    assert_eq!(kind("alice", "POST folders", &json!({ "path": "x" })), None);
}

#[test]
fn what_a_home_holds_is_told_and_of_none_nothing() {
    let site = Served::new();
    site.put("alice", "/a", b"12345");
    let used = |name: &str| {
        let all = told(&site, "root", "GET admin/accounts", None);
        let all = all["accounts"].as_array().unwrap().clone();
        all.into_iter().find(|one| one["name"] == name).unwrap()["used"].clone()
    };
    assert_eq!((used("alice"), used("bob")), (json!(5), Value::Null));
}

#[test]
fn administrators_see_and_end_where_an_account_is_signed_in() {
    let site = Served::new();
    let cookies: Vec<_> = (0..3).map(|_| signed_in(&site, "alice")).collect();
    let all = |who| told(&site, who, "GET admin/accounts/alice/sign-ins", None);
    let found = all("root");
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|one| one["current"] == false && one["peer"] == "127.0.0.1"));
    refused(&site, "alice", "GET admin/accounts/alice/sign-ins", None, 403);
    refused(&site, "root", "GET admin/accounts/nobody/sign-ins", None, 404);
    let one = format!("DELETE admin/accounts/alice/sign-ins/{}", found[0]["id"].as_str().unwrap());
    refused(&site, "bob", &one, None, 403);
    assert_eq!(ask(&site, "root", &one, None).status, 204);
    refused(&site, "root", &one, None, 404);
    let bobs = one.replace("alice", "bob");
    refused(&site, "root", &bobs, None, 404);
    let is_in = |cookie: &String| site.ask("", "GET /-/api/v1/me", &[cookie], b"").status == 200;
    assert_eq!(cookies.iter().filter(|cookie| is_in(cookie)).count(), 2);
    assert_eq!(ask(&site, "root", "DELETE admin/accounts/alice/sign-ins", None).status, 204);
    assert!(!cookies.iter().any(is_in));
    assert_eq!(all("root"), json!([]));
    let told = site.node.records("logout");
    let by = |it: &&Value| it["detail"].as_str().is_some_and(|it| it.contains("ended by"));
    assert_eq!(told.iter().filter(by).count(), 3, "{told:?}");
}

#[test]
fn a_password_is_changed_by_who_knows_it() {
    let site = Served::new();
    let wrong = json!({ "current": "no idea", "new": "another password" });
    refused(&site, "alice", "POST password", Some(&wrong), 403);
    let weak = json!({ "current": sockeye_testkit::node::password("alice"), "new": "short" });
    // The failure before makes it wait.
    let again = ask(&site, "alice", "POST password", Some(&weak)).status;
    assert!(matches!(again, 422 | 429), "{again}");
}

#[test]
fn what_makes_no_sense_is_refused_and_said() {
    let site = Served::new();
    refused(&site, "alice", "GET nothing", None, 404);
    refused(&site, "alice", "GET trash/restore", None, 405);
    refused(&site, "alice", "POST folders", Some(&json!({})), 422);
    refused(&site, "alice", "POST folders", Some(&json!({ "path": "/a", "more": 1 })), 422);
    refused(&site, "alice", "POST trash/restore", Some(&json!({ "ids": ["x"] })), 400);
    let form = ["Content-Type: text/plain", "Content-Length: 13"];
    let posted = site.ask("alice", "POST /-/api/v1/folders", &form, b"{\"path\":\"/a\"}");
    assert_eq!(posted.status, 415);
    let long = json!({ "path": "/".repeat(70_000) });
    assert_eq!(ask(&site, "alice", "POST folders", Some(&long)).status, 413);
    let document: Value =
        serde_json::from_str(&site.get("", "/-/api/v1/openapi.json").text()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
}

#[test]
fn the_public_tree_is_told_of_to_whoever_gets_there() {
    let site = Served::new();
    site.node.grant("bob", "/public", "read,write,list");
    for (who, public) in [("root", true), ("bob", true), ("alice", false)] {
        assert_eq!(told(&site, who, "GET me", None)["public"], public, "{who}");
    }
    site.node.gate().set_public(true);
    assert_eq!(told(&site, "alice", "GET me", None)["public"], true);
}

#[test]
fn names_are_looked_for_below_a_folder_as_far_as_they_may_be_seen() {
    let site = Served::new();
    for folder in ["/a", "/a/Plans", "/a/b"] {
        let made = ask(&site, "alice", "POST folders", Some(&json!({ "path": folder })));
        assert_eq!(made.status, 201, "{}", made.text());
    }
    for file in ["/a/Plan.txt", "/a/b/my-PLAN", "/a/Plans/x", "/plan"] {
        assert_eq!(site.put("alice", file, b"12").status, 201);
    }
    std::os::unix::fs::symlink("/", site.file("alice", "a/plan-link")).unwrap();
    let found = |who: &str, query: &str| -> Vec<String> {
        let told = told(&site, who, &format!("GET search?{query}"), None);
        assert_eq!(told["complete"], true);
        told["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["path"].as_str().unwrap().to_owned())
            .collect()
    };
    let below = ["/a/Plan.txt", "/a/Plans", "/a/b/my-PLAN"];
    assert_eq!(found("alice", "path=/a&name=plan"), below);
    assert_eq!(found("alice", "path=/&name=pLaN").len(), 4);
    assert_eq!(found("alice", "name=nothing"), Vec::<String>::new());
    assert_eq!(found("bob", "name=plan"), Vec::<String>::new(), "another home");
    let some = told(&site, "alice", "GET search?name=plan&limit=2", None);
    assert_eq!(
        (some["complete"].as_bool(), some["entries"].as_array().unwrap().len()),
        (Some(false), 2)
    );
    site.node.share("team");
    site.node.grant("alice", "/shared/team", "read,write,list");
    site.node.grant("alice", "/shared/team/secret", "write");
    for folder in ["/shared/team/secret", "/shared/team/open"] {
        ask(&site, "root", "POST folders", Some(&json!({ "path": folder })));
        assert_eq!(site.put("root", &format!("{folder}/plan"), b"x").status, 201);
    }
    assert_eq!(found("alice", "path=/shared/team&name=plan"), ["/shared/team/open/plan"]);
    assert_eq!(ask(&site, "bob", "GET search?path=/shared/team&name=plan", None).status, 404);
    assert_eq!(ask(&site, "", "GET search?name=plan", None).status, 401);
    for wrong in ["name=", "path=/a", "name=x&path=/../a", "name=x&limit=0"] {
        assert_eq!(
            ask(&site, "alice", &format!("GET search?{wrong}"), None).status,
            400,
            "{wrong}"
        );
    }
    assert_eq!(ask(&site, "alice", "GET search?path=/none&name=x", None).status, 404);
}
