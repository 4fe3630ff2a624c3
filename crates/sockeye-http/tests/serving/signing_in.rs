//! Who is served: Basic, Bearer, nobody, and those who are refused.

use std::fs;

use sockeye_http::Config;
use sockeye_testkit::node::TempNode;

use crate::{
    node::{Served, basic, basic_with},
    site::{Answer, connect, talk},
};

fn ask(site: &Served, authorization: &str, target: &str) -> Answer {
    let head = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{authorization}");
    Answer::parse(&talk(site.addr(), format!("{head}Connection: close\r\n\r\n")), false).0
}

/// The challenges of an answer.
fn challenges(answer: &Answer) -> Vec<&str> {
    let named = answer.fields.iter().filter(|(name, _)| name == "www-authenticate");
    named.map(|(_, value)| value.as_str()).collect()
}

#[test]
fn nobody_is_served_without_an_account_and_each_their_own() {
    let site = Served::new();
    site.put("alice", "/a", b"hers");
    site.put("bob", "/a", b"his");
    assert_eq!(site.get("alice", "/a").text(), "hers");
    assert_eq!(site.get("bob", "/a").text(), "his");
    for authorization in [
        String::new(),
        basic_with("alice", "wrong"),
        basic_with("nobody", "wrong"),
        "Authorization: Basic !\r\n".to_owned(),
        "Authorization: Digest x\r\n".to_owned(),
        "Authorization:\r\n".to_owned(),
        "Authorization: Bearer sockeye_nonsense\r\n".to_owned(),
        basic("alice") + &basic("alice"),
    ] {
        let answer = ask(&site, &authorization, "/a");
        assert_eq!(answer.status, 401, "{authorization}: {}", answer.text());
        let asked = challenges(&answer);
        assert!(asked[0].starts_with("Basic realm=\"sockeye\"") && asked[0].contains("UTF-8"));
        assert!(asked[1].starts_with("Bearer"), "{asked:?}");
    }
    // Neither the name nor what is there is told.
    let unknown = ask(&site, &basic_with("nobody", "wrong"), "/nothing");
    assert_eq!(unknown.text(), ask(&site, &basic_with("bob", "wrong"), "/a").text());
}

#[test]
fn a_page_and_a_program_are_told_alike_that_they_have_to_sign_in() {
    let site = Served::new();
    let html = site.ask("bob", "GET /public/", &["Accept: text/html", "Accept-Language: zh"], b"");
    assert!(html.status == 404 && html.text().contains("未找到"), "{}", html.status);
    let wrong = basic_with("bob", "wrong") + "Accept: text/html\r\nAccept-Language: zh\r\n";
    let html = ask(&site, &wrong, "/");
    assert!(html.status == 401 && html.text().contains("请登录"));
    let json = site.ask("", "GET /", &["Accept: application/json"], b"");
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&json.body).unwrap()["status"], 401);
}

#[test]
fn what_is_public_is_read_by_everybody_and_changed_by_nobody() {
    let site = Served::new();
    assert_eq!(site.get("", "/").status, 401);
    site.node.gate().set_public(true);
    assert_eq!(site.put("root", "/public/a.txt", b"for all").status, 201);
    assert_eq!(site.get("", "/a.txt").text(), "for all");
    assert_eq!(site.get("alice", "/public/a.txt").text(), "for all");
    let listing = site.get("", "/");
    assert!(
        listing.text().contains("href=\"a.txt\"") && listing.text().contains("/-/login?next=%2F")
    );
    let signed_in = site.get("alice", "/");
    assert!(signed_in.status == 200 && signed_in.text().contains("<bdi>alice</bdi>"));
    for request in ["PUT /b", "PUT /public/b", "DELETE /a.txt"] {
        let answer = site.ask("", request, &[], b"");
        assert!(answer.status == 401 && challenges(&answer).len() == 2, "{request}");
    }
    assert_eq!(site.put("alice", "/public/b", b"").status, 403);
    assert_eq!(site.get("", "/nothing").status, 404);
    site.node.gate().set_public(false);
    assert_eq!(site.get("", "/a.txt").status, 401);
    assert!(fs::read_dir(site.node.public()).unwrap().count() == 1);
}

#[test]
fn a_change_of_the_account_holds_at_the_next_request_of_a_connection() {
    let site = Served::new();
    site.put("alice", "/a", b"hers");
    let mut stream = connect(site.addr());
    let mut ask = |who: &str| {
        use std::io::{Read as _, Write as _};
        stream.write_all(&Served::request(who, "GET /a", &[], b"")).unwrap();
        let mut buf = [0; 16 * 1024];
        let n = stream.read(&mut buf).unwrap();
        Answer::parse(&buf[..n], false).0.status
    };
    assert_eq!([ask("alice"), ask("alice"), ask("bob"), ask("alice")], [200, 200, 404, 200]);
    site.node.set_password("alice", "another password");
    assert_eq!(ask("alice"), 401);
    assert_eq!(ask("bob"), 404);
    site.node.lock("bob");
    assert_eq!(ask("bob"), 401);
}

#[test]
fn a_token_opens_what_it_is_for() {
    let site = Served::new();
    site.put("alice", "/a", b"hers");
    let (secret, revoke) = site.node.token("alice", "http", "/a", "read");
    let bearer = format!("Authorization: Bearer {secret}\r\n");
    assert_eq!(ask(&site, &bearer, "/a").text(), "hers");
    assert_eq!(ask(&site, &basic_with("alice", &secret), "/a").text(), "hers");
    assert_eq!(ask(&site, &basic_with("bob", &secret), "/a").status, 401);
    let head = format!("PUT /a HTTP/1.1\r\nHost: localhost\r\n{bearer}Connection: close");
    let put = talk(site.addr(), format!("{head}\r\nContent-Length: 0\r\n\r\n"));
    assert_eq!(Answer::parse(&put, false).0.status, 403);
    assert_eq!(ask(&site, &bearer, "/").status, 403);
    revoke();
    // The wrong guess above may have to be waited for.
    assert!(matches!(ask(&site, &bearer, "/a").status, 401 | 429));
}

#[test]
fn whoever_guesses_waits_and_nobody_else() {
    let site = Served::new();
    site.put("bob", "/a", b"his");
    let guess = || ask(&site, &basic_with("alice", "a guess"), "/a");
    let guesses: Vec<_> =
        (0..20).map(|n| ask(&site, &basic_with("alice", &format!("a guess {n}")), "/a")).collect();
    let waiting = guesses.iter().find(|answer| answer.status == 429).expect("a back-off");
    let wait: u64 = waiting.field("retry-after").unwrap().parse().unwrap();
    assert!(wait >= 1 && waiting.text().contains("try again in"), "{}", waiting.text());
    assert!(matches!(guess().status, 401 | 429));
    assert_eq!(site.get("bob", "/a").status, 200);
    assert!(!site.node.records("refuse").is_empty() || !site.node.records("login").is_empty());
}

#[test]
fn bandwidth_is_bounded_for_what_is_sent_and_what_is_received() {
    let mut config = Config::default();
    let bucket = std::sync::Arc::new(sockeye_node::Bucket::new(Some(1_000_000)));
    config.bandwidth = Some(std::sync::Arc::clone(&bucket));
    let site = Served::with(TempNode::new(), config);
    let content = vec![7; 700_000];
    let begun = std::time::Instant::now();
    assert_eq!(site.put("alice", "/a", &content).status, 201);
    assert!(site.get("alice", "/a").body == content);
    let took = begun.elapsed().as_secs_f64();
    assert!(took > 0.8, "1.4 MB at 1 MB/s took {took} s");
    bucket.set_rate(None);
    assert!(site.get("alice", "/a").body == content);
}
