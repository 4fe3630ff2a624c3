//! The admin listener, over real connections.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use sockeye::Server;
use sockeye_http::{
    Config,
    admin::{Admin, Measures, Metric, Vitals},
};
use sockeye_testkit::{peer, program::PATIENCE, running::Running};

#[derive(Debug, Default)]
struct Patient {
    ill: AtomicBool,
}

impl Vitals for Patient {
    fn not_ready(&self) -> Option<String> {
        self.ill.load(Relaxed).then(|| "the journal is stalled".to_owned())
    }

    fn measure(&self, measures: &mut Measures) {
        measures.add(&Metric::READY, &[], self.not_ready().is_none());
    }
}

fn start() -> (Running, Arc<Patient>) {
    let patient = Arc::new(Patient::default());
    let admin = Admin::new(Arc::clone(&patient), Config::default());
    (Running::start(Server::bind("tcp://127.0.0.1:0").unwrap().with(admin)), patient)
}

/// The status and all that was answered.
fn ask(server: &Running, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("{request}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer[9..12].parse().unwrap(), answer)
}

fn get(server: &Running, target: &str) -> (u16, String) {
    ask(server, &format!("GET {target} HTTP/1.1\r\nHost: localhost"))
}

#[test]
fn health_readiness_and_metrics_are_told() {
    let (server, patient) = start();
    let (status, answer) = get(&server, "/healthz");
    assert!(status == 200 && answer.ends_with("\r\n\r\nok\n"), "{answer}");
    assert_eq!(get(&server, "/readyz?verbose").0, 200);
    let (status, answer) = get(&server, "/metrics");
    assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
    assert!(status == 200 && answer.ends_with("\nsockeye_ready 1\n"), "{answer}");
    patient.ill.store(true, Relaxed);
    let (status, answer) = get(&server, "/readyz");
    assert!(status == 503 && answer.ends_with("\r\n\r\nthe journal is stalled\n"), "{answer}");
    assert_eq!(get(&server, "/healthz").0, 200);
    assert!(get(&server, "/metrics").1.ends_with("\nsockeye_ready 0\n"));
}

#[test]
fn it_is_read_and_by_its_own_names_alone() {
    let (server, _patient) = start();
    for (request, expected) in [
        ("HEAD /metrics HTTP/1.1\r\nHost: 127.0.0.1", 200),
        ("OPTIONS /metrics HTTP/1.1\r\nHost: localhost", 204),
        ("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0", 405),
        ("PUT /readyz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0", 405),
        ("DELETE /readyz HTTP/1.1\r\nHost: localhost", 405),
        ("GET /metrics HTTP/1.1\r\nHost: evil.example", 421),
        ("GET / HTTP/1.1\r\nHost: localhost", 404),
        ("GET /metrics/ HTTP/1.1\r\nHost: localhost", 404),
        ("GET /etc/passwd HTTP/1.1\r\nHost: localhost", 404),
        ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1, 1", 400),
    ] {
        let (status, answer) = ask(&server, request);
        assert_eq!(status, expected, "{request}: {answer}");
        assert_eq!(answer.ends_with("\r\n\r\n"), status == 204 || request.starts_with("HEAD"));
    }
}

#[test]
fn curl_scrapes_on_one_connection() {
    let Some(curl) = peer::require("curl") else { return };
    let (server, _patient) = start();
    let url = format!("http://127.0.0.1:{}/metrics", server.port());
    let output = Command::new(curl)
        .args(["--silent", "--fail", "--max-time", "20", "--write-out", "%{num_connects}"])
        .args([&url, &url])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert_eq!(text.matches("# TYPE sockeye_ready gauge").count(), 2);
    assert!(text.ends_with("sockeye_ready 1\n0"), "{text}");
}
