//! How connections are closed: what was written last arrives, although the peer has more under
//! way, and each counts once, under every model.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::path::Path;

use rustix::process::Signal;
use serde_json::json;
use sockeye::{
    Stream,
    client::Connect,
    tls::{Roots, TlsClient},
};
use sockeye_testkit::{
    certificates::Authority,
    client::Client,
    processes::until,
    program::{PATIENCE, Program},
    under_models,
};
use tokio::io::AsyncWriteExt as _;

/// More than a handler reads at once, less than the buffers of a connection hold.
const MORE: usize = 300_000;

fn serve(addrs: &[&str], model: &str, more: &[&str]) -> Program {
    let args = [&["script"], addrs, &["--model", model], more].concat();
    Program::start(env!("CARGO_BIN_EXE_testserver"), args)
}

/// The same with a certificate.
fn serve_tls(addrs: &[&str], model: &str, more: &[&str], folder: &Path) -> (Program, Authority) {
    let authority = Authority::new("closing");
    let (chain, key) = authority.server(&["127.0.0.1"]).write(folder, "server");
    let tls = ["--tls", chain.to_str().unwrap(), key.to_str().unwrap()];
    (serve(addrs, model, &[&tls, more].concat()), authority)
}

under_models!(what_a_handler_wrote_before_it_failed_arrives);

fn what_a_handler_wrote_before_it_failed_arrives(model: &str) {
    let mut server = serve(&["tcp://127.0.0.1:0"], model, &[]);
    let mut client = Client::connect(server.port());
    client.send_bytes(&[&b"refuse\n"[..], &[b'x'; MORE]].concat());
    assert_eq!(client.line().as_deref(), Some("500 refused"));
    assert!(client.ends_cleanly(), "a reset");
    assert_eq!(server.event("error")["kind"], "handler");
    let report = server.stop();
    assert_eq!(report["stats"]["errors_handler"], 1, "{report}");
}

under_models!(what_a_handler_wrote_at_a_deadline_arrives);

fn what_a_handler_wrote_at_a_deadline_arrives(model: &str) {
    let mut server = serve(&["tcp://127.0.0.1:0"], model, &["--limit", "read_idle=100"]);
    let mut client = Client::connect(server.port());
    assert_eq!(client.ask("dawdle"), "421 too slow");
    client.send_bytes(&[b'x'; MORE]);
    assert!(client.ends_cleanly(), "a reset");
    assert_eq!(server.event("error")["kind"], "deadline");
    server.stop();
}

under_models!(what_a_panic_or_the_cut_breaks_off_ends_in_a_reset);

fn what_a_panic_or_the_cut_breaks_off_ends_in_a_reset(model: &str) {
    let mut server = serve(&["tcp://127.0.0.1:0"], model, &["--limit", "drain=100"]);
    let mut client = Client::connect(server.port());
    // A part of an answer, which must not be taken for all of it.
    assert_eq!(client.ask("echo a part"), "a part");
    client.send("panic");
    assert!(!client.ends_cleanly(), "a clean end after a panic");
    let mut client = Client::connect(server.port());
    assert_eq!(client.ask("hang"), "hanging");
    let report = server.stop();
    assert!(!client.ends_cleanly(), "a clean end at the cut");
    assert_eq!((&report["stats"]["panics"], &report["stats"]["cut"]), (&json!(1), &json!(1)));
}

under_models!(who_is_refused_at_the_tls_handshake_reads_why);

fn who_is_refused_at_the_tls_handshake_reads_why(model: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, _) = serve_tls(&["tls+tcp://127.0.0.1:0"], model, &[], folder.path());
    let strangers: [(&[u8], &[u8]); 2] = [
        (b"EHLO localhost\r\n", &[21, 3, 3, 0, 2, 2, 50]),
        (b"POST / HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 Bad Request\r\n"),
    ];
    for (hello, answer) in strangers {
        let mut client = Client::connect(server.port());
        client.send_bytes(&[hello, &[b'x'; MORE]].concat());
        assert_eq!(client.bytes(answer.len()), answer);
        assert!(client.ends_cleanly(), "a reset");
    }
    let report = server.stop();
    assert_eq!(report["stats"]["errors_handshake"], 2, "{report}");
    // What was thrown away was never read by a handler.
    assert_eq!(report["stats"]["bytes_read"], 0, "{report}");
}

async fn connect(addr: &str, authority: &Authority) -> Stream {
    let roots = Roots::from_pem(authority.pem().as_bytes()).unwrap();
    let tls = TlsClient::builder().roots(roots).build().unwrap();
    Connect::new(addr).unwrap().tls(tls).connect().await.unwrap()
}

// An iterative server cannot be asked meanwhile how many it has completed.
under_models!(who_is_cut_while_it_closes_counts_once:
    under_pool = "pool:4", under_threads = "threads:4", under_fork = "fork:4",
    under_prefork = "prefork:4", under_tasks = "tasks", under_percore = "percore:2");

fn who_is_cut_while_it_closes_counts_once(model: &str) {
    let folder = tempfile::tempdir().unwrap();
    let addrs = ["tcp://127.0.0.1:0", "tls+tcp://127.0.0.1:0"];
    let more = ["--limit", "drain=200"];
    let (mut server, authority) = serve_tls(&addrs, model, &more, folder.path());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // It never reads, so that the end of the TLS session cannot be sent.
    let deaf = async {
        let mut deaf = connect(&server.addrs()[1], &authority).await;
        deaf.write_all(b"fill\n").await.unwrap();
        deaf.flush().await.unwrap();
        deaf
    };
    let deaf = runtime.block_on(async { tokio::time::timeout(PATIENCE, deaf).await }).unwrap();
    let mut other = Client::connect(server.port());
    until("the handler's end", || other.counter("completed") == 1);
    other.bye();
    server.signal(Signal::TERM);
    let report = server.finished();
    drop(deaf);
    assert_eq!(report["stats"]["completed"], 2, "{report}");
    assert_eq!((&report["stats"]["cut"], &report["cut"]), (&json!(0), &json!([])), "{report}");
}
