//! Signing in and out on the page: the form, the cookie, and what comes by it.

use sockeye_testkit::node::password;
use tempfile::TempDir;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    node::{Served, basic},
    site::{Answer, connect_tls},
};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

/// Somebody's password as a form has it.
fn encoded(name: &str) -> String {
    password(name).replace(' ', "+")
}

/// Posts a form to `target`.
fn post(site: &Served, target: &str, fields: &[&str], form: &str) -> Answer {
    let fields = [fields, &[FORM]].concat();
    site.ask("", &format!("POST {target}"), &fields, form.as_bytes())
}

fn sign_in(site: &Served, name: &str, password: &str, more: &str) -> Answer {
    let password = password.replace(' ', "+");
    post(site, "/-/login", &[], &format!("name={name}&password={password}{more}"))
}

/// The header line that brings back what an answer set.
fn cookie(answer: &Answer) -> String {
    let set = answer.field("set-cookie").expect("a cookie");
    format!("Cookie: x=y; {}", set.split(';').next().unwrap())
}

pub(crate) fn signed_in(site: &Served, name: &str) -> String {
    let answer = sign_in(site, name, &password(name), "");
    assert_eq!((answer.status, answer.field("location")), (303, Some("/")));
    cookie(&answer)
}

/// The CSRF token on the page for signing out.
fn csrf(site: &Served, cookie: &str) -> String {
    let page = site.ask("", "GET /-/logout", &[cookie], b"");
    assert_eq!(page.status, 200);
    let text = page.text();
    let at = text.find("name=\"csrf\" value=\"").unwrap() + 19;
    text[at..].split('"').next().unwrap().to_owned()
}

#[test]
fn whoever_signs_in_on_the_page_is_known_by_the_cookie_until_they_sign_out() {
    let site = Served::new();
    site.put("alice", "/a", b"hers");
    let page = site.ask("", "GET /-/login?next=/a", &["Accept-Language: zh"], b"");
    assert!(page.status == 200 && page.text().contains("登录") && page.text().contains("\"/a\""));
    assert_eq!(page.field("cache-control"), Some("no-store"));
    let answer = sign_in(&site, "alice", &password("alice"), "&next=/a%3Fb");
    assert_eq!((answer.status, answer.field("location")), (303, Some("/a?b")));
    let set = answer.field("set-cookie").unwrap();
    assert!(
        set.starts_with("sockeye=") && set.contains("; Path=/; HttpOnly; SameSite=Lax"),
        "{set}"
    );
    assert!(!set.contains("Domain") && !set.contains("Max-Age") && !set.contains("Secure"));
    let cookie = cookie(&answer);
    assert_eq!(site.ask("", "GET /a", &[&cookie], b"").text(), "hers");
    let listing = site.ask("", "GET /", &[&cookie], b"");
    assert!(listing.text().contains("<bdi>alice</bdi>") && listing.text().contains("/-/logout"));
    let again = site.ask("", "GET /-/login?next=/a", &[&cookie], b"");
    assert_eq!((again.status, again.field("location")), (303, Some("/a")));

    let token = csrf(&site, &cookie);
    for wrong in ["", "csrf=", "csrf=x", "csrf="] {
        assert_eq!(post(&site, "/-/logout", &[&cookie], wrong).status, 403, "{wrong}");
    }
    let out = post(&site, "/-/logout", &[&cookie], &format!("csrf={token}"));
    assert_eq!((out.status, out.field("location")), (303, Some("/")));
    assert!(out.field("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(site.ask("", "GET /a", &[&cookie], b"").status, 401, "also for who kept it");
    let late = post(&site, "/-/logout", &[&cookie], &format!("csrf={token}"));
    assert_eq!(late.status, 303);
    assert_eq!(site.node.records("logout").len(), 1);
}

#[test]
fn a_change_by_a_cookie_needs_the_token_of_its_sign_in() {
    let site = Served::new();
    let (alice, bob) = (signed_in(&site, "alice"), signed_in(&site, "bob"));
    let token = format!("X-CSRF-Token: {}", csrf(&site, &alice));
    let others = format!("X-CSRF-Token: {}", csrf(&site, &bob));
    let put = |fields: &[&str]| site.ask("", "PUT /a", fields, b"hers").status;
    assert_eq!(put(&[&alice]), 403);
    assert_eq!(put(&[&alice, &others]), 403);
    assert_eq!(put(&[&alice, "X-CSRF-Token: x"]), 403);
    assert_eq!(put(&[&alice, "Origin: http://localhost"]), 403, "whatever Origin says");
    assert_eq!(put(&[&alice, &token]), 201);
    assert_eq!(put(&[&alice, &token, "Origin: http://evil.example"]), 403);
    assert_eq!(site.ask("", "DELETE /a", &[&alice], b"").status, 403);
    assert_eq!(site.ask("", "DELETE /a", &[&alice, &token], b"").status, 204);
    // Who sends a password with it needs none.
    assert_eq!(put(&[basic("bob").trim_end(), &alice]), 201);
    assert_eq!(site.get("bob", "/a").text(), "hers", "and goes before the cookie");
}

#[test]
fn a_browser_is_led_to_the_form_and_a_program_is_asked_by_the_protocol() {
    let site = Served::new();
    let html = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";
    let ask = |fields: &[&str]| site.ask("", "GET /docs/%E6%96%87?a=b&c", fields, b"");
    let there = "/-/login?next=%2Fdocs%2F%25E6%2596%2587%3Fa%3Db%26c";
    for fields in [&[html][..], &[html, "Sec-Fetch-Mode: navigate"], &[html, "Cookie: sockeye=old"]]
    {
        let answer = ask(fields);
        assert_eq!((answer.status, answer.field("location")), (303, Some(there)), "{fields:?}");
        assert!(answer.field("www-authenticate").is_none());
    }
    let challenges = |answer: &Answer| -> Vec<String> {
        let named = answer.fields.iter().filter(|(name, _)| name == "www-authenticate");
        named.map(|(_, value)| value.split(' ').next().unwrap().to_owned()).collect()
    };
    for fields in [&[][..], &["Accept: */*"], &["Accept: application/json"]] {
        let answer = ask(fields);
        assert_eq!(
            (answer.status, challenges(&answer)),
            (401, vec!["Basic".into(), "Bearer".into()])
        );
    }
    // Basic would open a window over the page whose script asks.
    for quiet in [
        "Sec-Fetch-Mode: cors",
        "X-Requested-With: fetch",
        "X-CSRF-Token: x",
        "Cookie: sockeye=old",
    ] {
        for accept in ["Accept: */*", "Accept: application/json"] {
            let answer = ask(&[quiet, accept]);
            assert_eq!(
                (answer.status, challenges(&answer)),
                (401, vec!["Bearer".into()]),
                "{quiet}"
            );
        }
    }
    let answer = site.ask("", "PUT /a", &[html], b"");
    assert_eq!(
        (answer.status, challenges(&answer).len()),
        (401, 2),
        "a change is not led anywhere"
    );
}

#[test]
fn a_form_leads_nowhere_but_to_this_site() {
    let site = Served::new();
    for next in
        ["//evil.example", "https://evil.example/", "/%5Cevil.example", "javascript:x", "%0d%0ax"]
    {
        let answer = sign_in(&site, "alice", &password("alice"), &format!("&next={next}"));
        let location = answer.field("location").unwrap();
        assert!(location.starts_with('/') && !location.starts_with("//"), "{next}: {location}");
        assert!(!location.contains('\\') && answer.field("x").is_none());
    }
}

#[test]
fn what_is_wrong_is_told_on_the_form_and_waited_for_like_every_login() {
    let site = Served::new();
    let wrong = sign_in(&site, "alice", "a guess", "&next=/a");
    assert_eq!(wrong.status, 403);
    assert!(wrong.field("www-authenticate").is_none() && wrong.field("set-cookie").is_none());
    assert!(wrong.text().contains("value=\"alice\"") && !wrong.text().contains("a guess"));
    let unknown = sign_in(&site, "mallory", "a guess", "&next=/a");
    assert_eq!(unknown.text().replace("mallory", "alice"), wrong.text());
    let guesses: Vec<_> =
        (0..20).map(|n| sign_in(&site, "alice", &format!("a guess {n}"), "")).collect();
    let waiting = guesses.iter().find(|answer| answer.status == 429).expect("a back-off");
    assert!(waiting.field("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert!(matches!(sign_in(&site, "bob", &password("bob"), "").status, 303));
    let (token, _) = site.node.token("bob", "any", "/", "all");
    assert_eq!(sign_in(&site, "bob", &token, "").status, 403, "a token makes no sign-in");
}

#[test]
fn what_is_no_form_of_this_page_is_refused() {
    let site = Served::new();
    let form = format!("name=alice&password={}", encoded("alice"));
    let json = site.ask("", "POST /-/login", &["Content-Type: application/json"], b"{}");
    assert_eq!(json.status, 415);
    let foreign = post(&site, "/-/login", &["Origin: http://evil.example"], &form);
    assert_eq!(foreign.status, 403);
    let long = post(&site, "/-/login", &[], &"a".repeat(20_000));
    assert_eq!(long.status, 413);
    let put = site.ask("", "PUT /-/login", &[], b"");
    assert_eq!((put.status, put.field("allow")), (405, Some("GET, HEAD, OPTIONS, POST")));
    let options = site.ask("", "OPTIONS /-/login", &[], b"");
    assert_eq!((options.status, options.field("allow")), (204, Some("GET, HEAD, OPTIONS, POST")));
    let head = site.ask("", "HEAD /-/login", &[], b"");
    assert_eq!(head.status, 200);
}

#[test]
fn who_stays_signed_in_keeps_the_cookie() {
    let site = Served::new();
    let staying = sign_in(&site, "alice", &password("alice"), "&stay=1");
    assert!(staying.field("set-cookie").unwrap().ends_with("; Max-Age=2592000"));
    let form = format!("name=alice&password={}", encoded("alice"));
    let origin = "Origin: https://localhost";
    let proxied = post(&site, "/-/login", &[origin], &form);
    let set = proxied.field("set-cookie").unwrap();
    assert!(set.starts_with("__Host-sockeye=") && set.contains("; Secure"), "{set}");
    assert_eq!(site.ask("", "GET /", &[&cookie(&proxied)], b"").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_cookie_is_kept_from_all_else() {
    let folder = TempDir::new().unwrap();
    let site = tokio::task::block_in_place(|| Served::secure(folder.path()));
    let mut stream = connect_tls(site.addr().port(), folder.path(), "http/1.1").await;
    let form = format!("name=alice&password={}", encoded("alice"));
    let length = format!("Content-Length: {}", form.len());
    let fields = [FORM, &length, "Connection: close"];
    let request = Served::request("", "POST /-/login", &fields, form.as_bytes());
    stream.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = Answer::parse(&answer, false).0;
    let set = answer.field("set-cookie").unwrap();
    assert!(set.starts_with("__Host-sockeye=") && set.contains("; Secure"), "{set}");
    tokio::task::block_in_place(|| drop(site));
}

#[test]
fn a_change_of_the_password_or_a_lock_ends_what_a_browser_keeps() {
    let site = Served::new();
    let (alice, bob) = (signed_in(&site, "alice"), signed_in(&site, "bob"));
    let status = |cookie: &str| site.ask("", "GET /", &[cookie], b"").status;
    assert_eq!([status(&alice), status(&bob)], [200, 200]);
    site.node.set_password("alice", "another password");
    site.node.lock("bob");
    assert_eq!([status(&alice), status(&bob)], [401, 401]);
    assert!(site.node.records("refuse").is_empty(), "what is over is no attack");
}

#[test]
fn whoever_changes_the_password_on_the_page_stays_signed_in_and_all_others_are_out() {
    let site = Served::new();
    let (other, own) = (signed_in(&site, "alice"), signed_in(&site, "alice"));
    let token = format!("X-CSRF-Token: {}", csrf(&site, &own));
    let json = "Content-Type: application/json";
    let set = |current: &str, new: &str, fields: &[&str]| {
        let content = serde_json::json!({ "current": current, "new": new }).to_string();
        let fields = [&[json], fields].concat();
        site.ask("", "POST /-/api/v1/password", &fields, content.as_bytes())
    };
    let (old, new) = (password("alice"), "another long password");
    let changed = set(&old, new, &[&own, &token]);
    assert_eq!(changed.status, 200, "{}", changed.text());
    let renewed = cookie(&changed);
    assert!(changed.field("set-cookie").unwrap().ends_with("; Path=/; HttpOnly; SameSite=Lax"));
    let told: serde_json::Value = serde_json::from_slice(&changed.body).unwrap();
    let token = format!("X-CSRF-Token: {}", told["csrf"].as_str().unwrap());
    assert_eq!(site.ask("", "PUT /a", &[&renewed, &token], b"hers").status, 201);
    for over in [&other, &own] {
        assert_eq!(site.ask("", "GET /a", &[over], b"").status, 401);
    }
    // One that stays does so for as long as before, and a program has nothing to keep.
    let stays = cookie(&sign_in(&site, "alice", new, "&stay=1"));
    let token = format!("X-CSRF-Token: {}", csrf(&site, &stays));
    let again = set(new, &old, &[&stays, &token]);
    let kept = again.field("set-cookie").unwrap();
    let (_, seconds) = kept.split_once("Max-Age=").unwrap();
    let seconds: u64 = seconds.split(';').next().unwrap().parse().unwrap();
    assert!((29 * 86_400..=30 * 86_400).contains(&seconds), "{kept}");
    let basic = basic("alice");
    let by_program = set(&old, new, &[basic.trim_end()]);
    assert_eq!((by_program.status, by_program.field("set-cookie")), (204, None));
}

#[test]
fn a_page_that_has_the_token_is_kept_by_nobody_and_its_length_tells_nothing() {
    let site = Served::new();
    for n in 0..40 {
        site.put("alice", &format!("/a-name-that-somebody-chose-{n}"), b"");
    }
    let takes = "Accept-Encoding: gzip";
    let html = "Accept: text/html";
    let page = site.ask("", "GET /", &[&signed_in(&site, "alice"), html, takes], b"");
    assert!(page.text().contains("data-csrf=\"") && !page.text().contains("data-csrf=\"\""));
    assert_eq!(page.field("cache-control"), Some("private, no-store"));
    assert_eq!(page.field("content-encoding"), None);
    for accept in [html, "Accept: application/json"] {
        let page = site.ask("alice", "GET /", &[accept, takes], b"");
        assert_eq!(page.field("cache-control"), Some("private, no-cache"));
        assert_eq!(page.field("content-encoding"), Some("gzip"), "{accept}");
    }
}

#[test]
fn a_stored_index_stands_for_its_folder_to_the_public_alone() {
    let site = Served::new();
    site.node.gate().set_public(true);
    let cookie = signed_in(&site, "alice");
    for target in ["/index.html", "/public/index.html"] {
        let who = if target.starts_with("/public") { "root" } else { "alice" };
        assert_eq!(site.put(who, target, b"sign in again, please").status, 201);
    }
    for target in ["/", "/public/"] {
        for who in [&*cookie, basic("alice").trim_end()] {
            let page = site.ask("", &format!("GET {target}"), &[who, "Accept: text/html"], b"");
            assert_eq!(page.status, 200);
            assert!(page.text().contains("data-account=\"alice\""), "{target}: {}", page.text());
        }
    }
    assert_eq!(site.get("", "/public/").text(), "sign in again, please");
    assert_eq!(site.get("alice", "/index.html").text(), "sign in again, please");
}
