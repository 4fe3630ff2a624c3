//! TLS that a handler starts on a plain connection, under every model: it goes on in the same process with the
//! same deadlines, counters and drain.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::path::Path;

use rustix::process::Signal;
use sockeye::{
    Stream,
    client::Connect,
    tls::{Roots, TlsClient},
};
use sockeye_testkit::{
    certificates::Authority,
    program::{PATIENCE, Program},
    under_models,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Runs a client's part, bounded.
#[track_caller]
fn soon<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let work = async { tokio::time::timeout(PATIENCE, work).await };
    runtime.block_on(work).expect("it takes too long")
}

/// A server that starts TLS when it is told to, and a client that trusts it.
fn serve(model: &str, more: &[&str], folder: &Path) -> (Program, TlsClient) {
    let authority = Authority::new("start_tls");
    let (chain, key) = authority.server(&["localhost"]).write(folder, "server");
    let tls = ["--tls", chain.to_str().unwrap(), key.to_str().unwrap()];
    let args = [&["starttls", "tcp://127.0.0.1:0", "--model", model], &tls[..], more].concat();
    let server = Program::start(env!("CARGO_BIN_EXE_testserver"), args);
    let roots = Roots::from_pem(authority.pem().as_bytes()).unwrap();
    (server, TlsClient::builder().roots(roots).build().unwrap())
}

async fn ask(stream: &mut Stream, line: &str) -> String {
    stream.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    hear(stream).await
}

/// What the server says next: one line at a time, as it is asked for one thing at a time.
async fn hear(stream: &mut Stream) -> String {
    let mut said = Vec::new();
    while !said.ends_with(b"\n") {
        let more = stream.recv(1000).await.unwrap();
        assert!(!more.is_empty(), "an end, not a line");
        said.extend_from_slice(&more);
    }
    String::from_utf8(said).unwrap().trim_end().to_owned()
}

/// A connection that speaks TLS since it asked for it with these lines.
async fn started(server: &Program, tls: &TlsClient, lines: &str) -> (Stream, String) {
    let mut plain = Connect::new(server.addr()).unwrap().connect().await.unwrap();
    let pid = ask(&mut plain, "pid").await;
    assert_eq!(ask(&mut plain, lines).await, "go on");
    let mut secured = tls.connect(plain, "localhost").await.unwrap();
    let discarded = hear(&mut secured).await;
    assert_eq!(ask(&mut secured, "pid").await, pid);
    (secured, discarded)
}

under_models!(a_connection_goes_on_in_tls_without_what_was_injected);

fn a_connection_goes_on_in_tls_without_what_was_injected(model: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, tls) = serve(model, &["--limit", "drain=60000"], folder.path());
    soon(async {
        let (mut client, discarded) = started(&server, &tls, "starttls\npanic").await;
        assert_eq!(discarded, "discarded 6");
        // As it goes on, it is told of the drain, and ends as TLS does.
        assert_eq!(ask(&mut client, "wait").await, "waiting");
        server.signal(Signal::TERM);
        assert_eq!(hear(&mut client).await, "drained");
        assert_eq!(ask(&mut client, "echo the last").await, "the last");
        client.write_all(b"bye\n").await.unwrap();
        client.flush().await.unwrap();
        assert_eq!(client.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    });
    let report = server.finished();
    let stats = &report["stats"];
    assert_eq!((&stats["completed"], &stats["cut"]), (&1.into(), &0.into()), "{report}");
    let read = "pid\nstarttls\npanic\npid\nwait\necho the last\nbye\n".len();
    assert_eq!(stats["bytes_read"], read, "{report}");
}

under_models!(deadlines_hold_after_as_before);

fn deadlines_hold_after_as_before(model: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, tls) = serve(model, &[], folder.path());
    soon(async {
        let (mut client, _) = started(&server, &tls, "starttls").await;
        assert_eq!(ask(&mut client, "patience 100").await, "patient");
        // Silent from now on; the server ends as TLS does.
        assert_eq!(client.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    });
    assert_eq!(server.event("error")["kind"], "deadline");
    assert_eq!(server.stop()["stats"]["errors_deadline"], 1);
}

under_models!(a_handshake_that_fails_is_counted_and_ends_its_connection);

fn a_handshake_that_fails_is_counted_and_ends_its_connection(model: &str) {
    let alert: &[u8] = &[21, 3, 3, 0, 2, 2, 50];
    for (limit, wrong, answer) in
        [("handshake=60000", &b"panic\n"[..], alert), ("handshake=200", b"\x16\x03\x01", &[])]
    {
        let folder = tempfile::tempdir().unwrap();
        let (mut server, _) = serve(model, &["--limit", limit], folder.path());
        soon(async {
            let mut client = Connect::new(server.addr()).unwrap().connect().await.unwrap();
            assert_eq!(ask(&mut client, "starttls").await, "go on");
            client.write_all(wrong).await.unwrap();
            let mut said = Vec::new();
            client.read_to_end(&mut said).await.unwrap();
            assert_eq!(said, answer);
        });
        assert_eq!(server.event("error")["kind"], "handshake");
        let report = server.stop();
        let stats = &report["stats"];
        assert_eq!(
            (&stats["errors_handshake"], &stats["panics"]),
            (&1.into(), &0.into()),
            "{report}"
        );
    }
}
