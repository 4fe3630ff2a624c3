//! The drain over the transports that are not plain TCP: handlers are told, what they say still
//! arrives, the end is clean, and what waits in the backlog is served, under every model.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{future::Future, path::Path};

use rustix::process::Signal;
use sockeye::{
    Addr, Stream,
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

/// A server of the script at one address, and what its clients need to trust it.
struct Rig {
    server: Program,
    authority: Authority,
}

impl Rig {
    fn start(transport: &str, model: &str, folder: &Path) -> Self {
        let addr = match transport {
            "tls+tcp" => "tls+tcp://127.0.0.1:0".to_owned(),
            _ => format!("{transport}://{}/socket", folder.display()),
        };
        let authority = Authority::new("transports");
        let (chain, key) = authority.server(&["localhost", "127.0.0.1"]).write(folder, "server");
        let (chain, key) = (chain.to_str().unwrap(), key.to_str().unwrap());
        let mut args = vec!["script", &addr, "--model", model, "--limit", "drain=60000"];
        if transport.starts_with("tls") {
            args.extend(["--tls", chain, key]);
        }
        Self { server: Program::start(env!("CARGO_BIN_EXE_testserver"), args), authority }
    }

    async fn connect(&self) -> Stream {
        let addr: Addr = self.server.addr().parse().unwrap();
        let roots = Roots::from_pem(self.authority.pem().as_bytes()).unwrap();
        let tls = TlsClient::builder().roots(roots).build().unwrap();
        Connect::new(addr).unwrap().tls(tls).connect().await.unwrap()
    }
}

async fn say(stream: &mut Stream, line: &str) {
    stream.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
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

/// Says goodbye; the server ends the connection cleanly, under TLS with its last word.
async fn bye(mut stream: Stream) {
    say(&mut stream, "bye").await;
    assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
}

/// A client whose handler has been told of the drain, which is on.
async fn told_of_the_drain(rig: &Rig) -> Stream {
    let mut client = rig.connect().await;
    say(&mut client, "wait").await;
    assert_eq!(hear(&mut client).await, "waiting");
    rig.server.signal(Signal::TERM);
    assert_eq!(hear(&mut client).await, "drained");
    client
}

under_models!(handlers_are_told_of_the_drain_and_may_finish);

fn handlers_are_told_of_the_drain_and_may_finish(model: &str) {
    for transport in ["unix", "seqpacket", "tls+tcp", "tls+unix"] {
        let folder = tempfile::tempdir().unwrap();
        let mut rig = Rig::start(transport, model, folder.path());
        soon(async {
            let mut client = told_of_the_drain(&rig).await;
            say(&mut client, "echo the last").await;
            assert_eq!(hear(&mut client).await, "the last", "{transport}");
            bye(client).await;
        });
        let report = rig.server.finished();
        assert_eq!(report["stats"]["completed"], 1, "{transport}: {report}");
        assert_eq!(report["stats"]["cut"], 0, "{transport}: {report}");
        assert!(!folder.path().join("socket").exists(), "{transport}: its file is left behind");
    }
}

under_models!(what_waits_in_the_backlog_at_the_drain_is_served);

fn what_waits_in_the_backlog_at_the_drain_is_served(model: &str) {
    for transport in ["unix", "seqpacket"] {
        let folder = tempfile::tempdir().unwrap();
        let mut rig = Rig::start(transport, model, folder.path());
        soon(async {
            // One that is served tells that signals are obeyed.
            bye(rig.connect().await).await;
            // Stopped, the server finds the signal and the connections at the same moment.
            rig.server.signal(Signal::STOP);
            let mut clients = Vec::new();
            for _ in 0..10 {
                let mut client = rig.connect().await;
                say(&mut client, "echo in time").await;
                clients.push(client);
            }
            rig.server.signal(Signal::TERM);
            rig.server.signal(Signal::CONT);
            for mut client in clients {
                assert_eq!(hear(&mut client).await, "in time", "{transport}");
                bye(client).await;
            }
        });
        let report = rig.server.finished();
        assert_eq!(report["stats"]["completed"], 11, "{transport}: {report}");
    }
}

under_models!(who_hangs_at_the_drain_is_cut);

fn who_hangs_at_the_drain_is_cut(model: &str) {
    for transport in ["unix", "seqpacket", "tls+tcp", "tls+unix"] {
        let folder = tempfile::tempdir().unwrap();
        let mut rig = Rig::start(transport, model, folder.path());
        soon(async {
            let mut client = told_of_the_drain(&rig).await;
            say(&mut client, "hang").await;
            assert_eq!(hear(&mut client).await, "hanging", "{transport}");
            rig.server.signal(Signal::INT);
            // Under TLS it can tell that this is no proper end.
            let end = client.recv(1).await;
            assert!(end.as_ref().map_or(true, |rest| rest.is_empty()), "{transport}: {end:?}");
            assert_eq!(end.is_err(), transport.starts_with("tls"), "{transport}: {end:?}");
        });
        assert_eq!(rig.server.finished()["stats"]["cut"], 1, "{transport}");
    }
}
