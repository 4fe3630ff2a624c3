//! A node behind a proxy: whom a request is from is what the proxy says, and nobody else can say it.

use sockeye_http::Config;
use sockeye_testkit::node::{TempNode, password};

use crate::node::{Served, basic_with};

fn believing(proxies: &str) -> Served {
    let mut config = Config::default();
    config.proxies = vec![proxies.parse().unwrap()];
    Served::with(TempNode::new(), config)
}

/// Alice's home, asked for by a proxy that names whom it is for.
fn ask(site: &Served, whom: &str, password: &str) -> u16 {
    let credentials = basic_with("alice", password);
    let forwarded = format!("X-Forwarded-For: {whom}");
    site.ask("", "GET /", &[credentials.trim_end(), &forwarded], b"").status
}

fn origins(site: &Served, operation: &str) -> Vec<String> {
    let records = site.node.records(operation);
    records.iter().map(|it| it["from"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_request_is_from_whom_a_believed_proxy_says() {
    let site = believing("127.0.0.1");
    assert_eq!(ask(&site, "198.51.100.1, 192.0.2.7", &password("alice")), 200);
    // Guesses of one client keep no other out, though both come by the same proxy.
    let guessed = (0..50).any(|guess| ask(&site, "192.0.2.66", &format!("wrong {guess}")) == 429);
    assert!(guessed, "back-off");
    assert_eq!(ask(&site, "192.0.2.7", &password("alice")), 200);
    assert_eq!(origins(&site, "login"), ["192.0.2.7"]);
    let refused = origins(&site, "refuse");
    assert!(!refused.is_empty() && refused.iter().all(|it| it == "192.0.2.66"), "{refused:?}");
}

#[test]
fn what_anybody_else_says_counts_for_nothing() {
    let site = believing("192.0.2.0/24");
    assert_eq!(ask(&site, "198.51.100.1", &password("alice")), 200);
    assert_eq!(origins(&site, "login"), ["127.0.0.1"]);
}
