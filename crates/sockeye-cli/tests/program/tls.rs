//! TLS: certificates made and given, and what `dial` says of them.

use std::fs;

use rustix::process::Signal;
use sockeye::tls::Fingerprint;
use sockeye_testkit::{
    certificates::{Authority, Leaf},
    peer,
};
use tokio::process::Command;

use super::{
    node::Place,
    running::{Serving, feed, folder, quieten, run, run_with, sockeye},
};

const REQUEST: &[u8] = b"GET /hello.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Dials a serving program with these options and asks for `hello.txt`.
async fn ask(serving: &Serving, options: &[&str]) -> super::running::Ended {
    let addr = format!("tls+tcp://{}", serving.host_port());
    run_with(&[&["dial", &addr, "--timeout", "20s"], options].concat(), REQUEST).await
}

#[tokio::test]
async fn the_fingerprint_of_the_certificate_made_is_the_one_to_pin() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &["--tls", "--listen", "localhost:0"]).await;
    assert!(serving.url("").starts_with("https://"));
    let fingerprint = serving.ready["fingerprint"].as_str().unwrap().to_owned();
    let pinned = ask(&serving, &["--pin", &fingerprint]).await;
    assert!(pinned.text().ends_with("hello\n"), "{}", pinned.err);
    let any = ask(&serving, &["--insecure", "-v"]).await;
    assert!(any.text().ends_with("hello\n"));
    assert!(any.err.contains("TLS 1.3, TLS13_") && any.err.contains(&fingerprint), "{}", any.err);

    let untrusted = ask(&serving, &[]).await;
    assert_eq!(untrusted.code, Some(6));
    assert!(untrusted.err.contains("no trusted authority signed it"), "{}", untrusted.err);
    assert!(untrusted.err.contains("hint: --ca FILE"), "{}", untrusted.err);
    let other = ask(&serving, &["--pin", &"ab".repeat(32)]).await;
    assert_eq!(other.code, Some(6));
    assert!(other.err.contains(&fingerprint), "{}", other.err);
    serving.running.stop().await;
}

#[tokio::test]
async fn curl_speaks_http_2_over_tls() {
    let Some(curl) = peer::require("curl") else { return };
    let folder = folder();
    let serving = Serving::start(folder.path(), &["--tls", "--listen", "127.0.0.1:0"]).await;
    let mut command = Command::new(curl);
    quieten(&mut command).args(["-sk", "-w", "%{http_version}", &serving.url("hello.txt")]);
    assert_eq!(feed(command, b"").await.text(), "hello\n2");
    serving.running.stop().await;
}

#[tokio::test]
async fn a_given_certificate_is_read_again_on_sighup() {
    let (folder, keys) = (folder(), tempfile::tempdir().unwrap());
    let authority = Authority::new("test authority");
    let ca = keys.path().join("ca.pem");
    fs::write(&ca, authority.pem()).unwrap();
    for model in ["tasks", "fork:4"] {
        let (cert, key) = authority.server(&["localhost", "127.0.0.1"]).write(keys.path(), "own");
        let [cert, key, ca] = [&cert, &key, &ca].map(|path| path.to_str().unwrap());
        let arguments = ["--cert", cert, "--key", key, "--listen", "127.0.0.1:0", "--model", model];
        let mut serving = Serving::start(folder.path(), &arguments).await;
        assert!(ask(&serving, &["--ca", ca]).await.text().ends_with("hello\n"));

        let new = Leaf::self_signed(&["localhost"]);
        let fingerprint = Fingerprint::of(&new.certificate_der).to_string();
        assert_ne!(serving.ready["fingerprint"], fingerprint.as_str());
        let _ = new.write(keys.path(), "own");
        serving.running.signal(Signal::HUP);
        serving.running.told("INFO TLS certificates read again").await;
        let asked = ask(&serving, &["--pin", &fingerprint]).await;
        assert!(asked.text().ends_with("hello\n"), "{model}: {}", asked.err);

        fs::write(cert, "no certificate").unwrap();
        serving.running.signal(Signal::HUP);
        serving.running.told("the certificate stays as it was").await;
        assert!(ask(&serving, &["--pin", &fingerprint]).await.text().ends_with("hello\n"));
        serving.running.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_wants_a_client_certificate_gets_one() {
    let Some(openssl) = peer::require("openssl") else { return };
    let keys = tempfile::tempdir().unwrap();
    let authority = Authority::new("test authority");
    let ca = keys.path().join("ca.pem");
    fs::write(&ca, authority.pem()).unwrap();
    let (cert, key) = authority.server(&["server.example"]).write(keys.path(), "server");
    let (own, own_key) = authority.client("alice").write(keys.path(), "client");
    let mut server = Command::new(openssl);
    quieten(&mut server)
        .args([
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-Verify",
            "1",
            "-verify_return_error",
            "-rev",
        ])
        .args(["-alpn", "lines", "-CAfile"])
        .args([&ca, &std::path::PathBuf::from("-cert"), &cert, &"-key".into(), &key]);
    let mut server = super::running::Running::start(&mut server);
    let accepting = loop {
        let line = server.line().await;
        if let Some(addr) = line.strip_prefix("ACCEPT ") {
            break format!("tls+tcp://{addr}");
        }
    };
    let [ca, own, own_key] = [&ca, &own, &own_key].map(|path| path.to_str().unwrap());
    let options = ["--ca", ca, "--cert", own, "--key", own_key, "--server-name", "server.example"];
    let more = ["--alpn", "other,lines", "-v", "--timeout", "20s"];
    // s_server turns each line round, and closes on CLOSE.
    let arguments = [&["dial", &accepting][..], &options, &more].concat();
    let ended = run_with(&arguments, b"hello\nCLOSE\n").await;
    assert_eq!(ended.text(), "olleh\n", "{}", ended.err);
    assert!(ended.err.contains("asked for the server server.example"), "{}", ended.err);
    assert!(ended.err.contains("application protocol lines"), "{}", ended.err);
}

#[tokio::test]
async fn options_for_tls_without_tls_are_usage() {
    for option in [&["--insecure"][..], &["--alpn", "h2"], &["--server-name", "x"]] {
        let ended = run(&[&["dial", "tcp://localhost:1"], option].concat()).await;
        assert_eq!(ended.code, Some(2));
        assert!(ended.err.contains("hint: write tls+tcp://localhost:1"), "{}", ended.err);
    }
}

#[tokio::test]
async fn a_node_tells_which_certificate_it_shows_and_a_wrong_one_before_it_is_read() {
    let listen = "http+tls+tcp://127.0.0.1:0";
    let place = Place::new();
    let serving = place.serve(&["--listen", listen]).await;
    place.write_config(&format!("listen = \"{listen}\"\n"));
    let first = serving.ready["fingerprint"].as_str().unwrap();
    let reloaded = place.run(&["reload"]).await;
    let (same, shown) = reloaded.text().split_once('\n').unwrap();
    assert_eq!(same, "nothing has changed");
    assert!(shown.starts_with("the certificate is still ") && shown.contains(first), "{shown}");

    let keys = tempfile::tempdir().unwrap();
    let put = |leaf: &Leaf, key: bool| {
        let (chain, own) = leaf.write(keys.path(), "new");
        let tls = std::path::Path::new(&place.data()).join("tls");
        fs::copy(chain, tls.join("cert.pem")).unwrap();
        if key {
            fs::copy(own, tls.join("key.pem")).unwrap();
        }
    };
    let new = Leaf::self_signed(&["localhost"]);
    let fingerprint = Fingerprint::of(&new.certificate_der).to_string();
    put(&new, true);
    let checked = place.run(&["config", "check"]).await;
    let told = checked.text().lines().nth(1).unwrap();
    assert!(told.starts_with("certificate: ") && told.contains(&fingerprint), "{told}");
    assert!(told.contains(", valid until "), "{told}");
    let reloaded = place.run(&["reload"]).await;
    assert!(reloaded.text().starts_with("a new certificate is shown: "), "{}", reloaded.text());
    assert!(reloaded.text().contains(&fingerprint) && reloaded.text().lines().count() == 1);

    put(&Authority::new("test").expired_server(&["localhost"]), true);
    let checked = place.run(&["config", "check"]).await;
    assert!(checked.err.contains("the TLS certificate expired "), "{}", checked.err);
    put(&Leaf::self_signed(&["localhost"]), false);
    let checked = place.run(&["config", "check"]).await;
    assert_eq!(checked.code, Some(1));
    assert!(checked.err.contains("does not belong"), "{}", checked.err);
    let reloaded = place.run(&["reload"]).await;
    assert_eq!((reloaded.code, reloaded.out.as_slice()), (Some(1), &b""[..]));
    assert!(reloaded.err.contains("tls.key (default): the private key of "), "{}", reloaded.err);
    assert!(reloaded.err.contains("tls/key.pem does not belong"), "{}", reloaded.err);
    serving.running.stop().await;
    // As a start says it.
    let started = place.run(&["serve"]).await;
    assert_eq!(started.code, Some(1));
    assert!(started.err.contains("error: tls.key (default): the private key"), "{}", started.err);
}

#[tokio::test]
async fn a_reload_takes_a_certificate_that_lies_elsewhere_and_refuses_what_a_start_would_refuse() {
    let listen = "listen = \"http+tls+tcp://127.0.0.1:0\"\n";
    let (place, keys) = (Place::new(), tempfile::tempdir().unwrap());
    fs::create_dir(place.data()).unwrap();
    place.write_config(listen);
    let data = place.data();
    let mut serving = Serving::ready(&mut sockeye(&["serve", "--json", "--data", &data])).await;
    let new = Leaf::self_signed(&["localhost"]);
    let pin = Fingerprint::of(&new.certificate_der).to_string();
    let (cert, key) = new.write(keys.path(), "new");
    place.write_config(&format!("{listen}[tls]\ncert = {cert:?}\nkey = {key:?}\n"));
    let reloaded = place.run(&["reload"]).await;
    assert!(reloaded.text().contains(&format!("a new certificate is shown: {}", cert.display())));
    assert!(!reloaded.text().contains("from the next start on"), "{}", reloaded.text());
    let asked = ask(&serving, &["--pin", &pin]).await;
    assert!(asked.text().starts_with("HTTP/1.1 "), "{}", asked.err);

    let missing = keys.path().join("missing.key");
    place.write_config(&format!("{listen}[tls]\ncert = {cert:?}\nkey = {missing:?}\n"));
    for words in [&["config", "check"][..], &["reload"]] {
        let ended = place.run(words).await;
        assert!(ended.code != Some(0) && ended.out.is_empty(), "{words:?}: {ended:?}");
        assert!(ended.err.contains("tls.key ("), "{}", ended.err);
        assert!(ended.err.contains("sockeye.toml:4): cannot read "), "{}", ended.err);
        assert!(ended.err.contains("missing.key"), "{}", ended.err);
        assert!(ended.err.contains("hint: set tls.cert and tls.key"), "{}", ended.err);
    }
    serving.running.signal(Signal::HUP);
    serving.running.told("the configuration stays as it was: tls.key (").await;
    assert!(ask(&serving, &["--pin", &pin]).await.text().starts_with("HTTP/1.1 "));
    serving.running.stop().await;
}

#[tokio::test]
async fn a_certificate_made_here_that_is_for_nobody_elsewhere_is_warned_of() {
    let everywhere = "http+tls+tcp://0.0.0.0:0";
    let place = Place::new();
    // One that is made is for this machine's names and addresses.
    let serving = place.serve(&["--listen", everywhere]).await;
    let (_, told) = serving.running.stop().await;
    assert!(told.contains("draining") && !told.contains("the certificate "), "{told}");
    // As one of an older version was.
    let (cert, key) = Leaf::self_signed(&["localhost", "127.0.0.1", "::1"])
        .write(std::path::Path::new(&place.data()), "old");
    let tls = std::path::Path::new(&place.data()).join("tls");
    fs::rename(cert, tls.join("cert.pem")).unwrap();
    fs::rename(key, tls.join("key.pem")).unwrap();
    place.write_config(&format!(
        "listen = \"{everywhere}\"\n[http]\nurl = \"https://files.example.org/\"\n"
    ));
    let checked = place.run(&["config", "check"]).await;
    assert!(checked.text().contains(": right, but for 1 warning"), "{}", checked.text());
    let warned = "was made here, and is not for files.example.org: clients on other machines";
    assert!(checked.err.contains(warned), "{}", checked.err);
    let data = place.data();
    let mut serving = Serving::ready(&mut sockeye(&["serve", "--json", "--data", &data])).await;
    serving.running.told(warned).await;
    assert!(place.run(&["reload"]).await.err.contains(warned));
    // Where nobody else comes, nobody is to be told.
    place.write_config("listen = \"http+tls+tcp://127.0.0.1:0\"\n");
    assert!(place.run(&["reload"]).await.err.is_empty());
    serving.running.stop().await;
}
