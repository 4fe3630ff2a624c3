//! What is refused before a session is asked, or beside it, is in the log in the words that the client was told.

use std::time::Duration;

use sockeye_ftp::Security;

use crate::{client::Served, tls::secured};

/// What the log has of refusals: by whom, of what, and why.
fn refused(served: &Served) -> Vec<(String, String, String)> {
    let mut told = Vec::new();
    for record in served.node.records("refuse") {
        assert_eq!((&record["outcome"], &record["protocol"]), (&"denied".into(), &"ftp".into()));
        assert_eq!(record["from"], "127.0.0.1");
        let text = |name: &str| record[name].as_str().unwrap_or("-").to_owned();
        told.push((text("user"), text("path"), text("detail")));
    }
    told
}

fn row(user: &str, path: &str, why: &str) -> (String, String, String) {
    (user.to_owned(), path.to_owned(), why.to_owned())
}

#[test]
fn a_login_without_tls_where_it_is_required_is_in_the_log_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let served = secured(folder.path(), Security::Required);
    let mut client = served.client();
    let told = client.expect(530, "USER alice");
    client.expect(503, "PASS what nobody is to know");
    assert_eq!(refused(&served), [row("alice", "-", &told)]);
    assert!(!served.node.records("refuse")[0].to_string().contains("nobody is to know"));
}

#[test]
fn whoever_asks_again_and_again_does_not_fill_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::with(|config| {
        crate::tls::secure(folder.path(), Security::Required, config);
        config.limits.mistakes = 200;
    });
    let mut client = served.client();
    for number in 0..100 {
        client.expect(530, &format!("USER name{number}"));
    }
    assert_eq!(refused(&served).len(), 20);
}

#[test]
fn a_data_connection_that_does_not_come_about_is_in_the_log() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let served = Served::with(|config| config.passive_ports = Some(port..=port));
    let mut client = served.logged_in("alice");
    let no_port = client.expect(425, "EPSV");
    let elsewhere = client.expect(501, "PORT 192,0,2,1,200,1");
    // What is no refusal that anybody asks about.
    client.expect(501, "REST x");
    assert_eq!(
        refused(&served),
        [
            row("alice", "-", &format!("EPSV: {no_port}")),
            row("alice", "-", &format!("PORT: {elsewhere}"))
        ]
    );
    let served = Served::with(|config| config.limits.connect = Duration::from_millis(200));
    let mut client = served.logged_in("bob");
    client.epsv();
    let nobody = client.expect(425, "STOR file");
    assert_eq!(refused(&served), [row("bob", "/file", &format!("STOR: {nobody}"))]);
}
