//! A node that speaks HTTP and FTP, with the account `alice`, served by the program itself.

use std::{net::SocketAddr, path::PathBuf};

use rustix::process::Signal;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    super::{
        accounts::base64,
        first_minute::{PASSWORD, with_password},
        node::Place,
        running::{Serving, within},
    },
    client::Client,
};

/// HTTP; FTP, in which TLS may be begun; FTP in TLS.
const LISTENERS: [&str; 3] =
    ["http+tcp://127.0.0.1:0", "ftp+tcp://127.0.0.1:0", "ftp+tls+tcp://127.0.0.1:0"];

pub(crate) struct Site {
    pub(crate) place: Place,
    serving: Serving,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let site = Self::start(Place::new()).await;
        with_password(&site.place, &["user", "add", "alice"]).await.done();
        site
    }

    async fn start(place: Place) -> Self {
        let listen = LISTENERS.map(|listener| ["--listen", listener]);
        let serving = place.serve(listen.as_flattened()).await;
        Self { place, serving }
    }

    /// Kills it, and starts another one on the same data.
    pub(crate) async fn kill_and_start(self) -> Self {
        let Self { place, serving } = self;
        serving.running.signal(Signal::KILL);
        serving.running.end().await;
        Self::start(place).await
    }

    /// Stops it, and has all that it left behind checked: each home holds what is counted, and the log is whole.
    pub(crate) async fn stop(self) -> Place {
        let Self { place, serving } = self;
        serving.running.stop().await;
        check_homes(&place).await;
        let verified = place.run(&["log", "verify"]).await;
        assert_eq!(verified.code, Some(0), "{}{}", verified.text(), verified.err);
        place
    }

    /// Where it is reached: `ftp://127.0.0.1:2121/`.
    pub(crate) fn url(&self, scheme: &str) -> &str {
        let listeners = self.serving.ready["listeners"].as_array().unwrap();
        let urls = listeners.iter().map(|listener| listener["url"].as_str().unwrap());
        let wanted = format!("{scheme}://");
        urls.into_iter().find(|url| url.starts_with(&wanted)).unwrap()
    }

    pub(crate) fn port(&self, scheme: &str) -> u16 {
        let (_, port) = self.url(scheme).trim_end_matches('/').rsplit_once(':').unwrap();
        port.parse().unwrap()
    }

    /// The certificate that it shows.
    pub(crate) fn certificate(&self) -> PathBuf {
        PathBuf::from(self.place.data()).join("tls/cert.pem")
    }

    /// A client that is logged in as `alice`.
    pub(crate) async fn client(&self) -> Client {
        Client::log_in(self.port("ftp"), "alice", PASSWORD).await.unwrap()
    }

    /// Sends the head of a request by `alice`, and what is to be of its body.
    pub(crate) async fn send(&self, request: &str, fields: &[&str], body: &[u8]) -> TcpStream {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port("http")));
        let mut stream = within(TcpStream::connect(address)).await.unwrap();
        let basic = base64(format!("alice:{PASSWORD}").as_bytes());
        let mut head = format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        head += &format!("Authorization: Basic {basic}\r\n");
        for field in fields {
            head += &format!("{field}\r\n");
        }
        let bytes = [head.as_bytes(), b"\r\n", body].concat();
        within(stream.write_all(&bytes)).await.unwrap();
        stream
    }

    /// What a request by `alice` with this content is answered.
    pub(crate) async fn http(&self, request: &str, fields: &[&str], body: &[u8]) -> Answer {
        let length = format!("Content-Length: {}", body.len());
        let fields = [fields, &[&length]].concat();
        let (mut stream, mut bytes) = (self.send(request, &fields, body).await, Vec::new());
        within(stream.read_to_end(&mut bytes)).await.unwrap();
        Answer::parse(&bytes)
    }

    /// The uploads of `alice` that are under way or were left.
    pub(crate) async fn uploads(&self) -> Vec<Value> {
        let answer = self.http("GET /-/api/v1/uploads", &[], b"").await;
        let uploads: Value = serde_json::from_slice(&answer.body).unwrap();
        uploads["uploads"].as_array().unwrap().clone()
    }

    /// Whether some of them are under way.
    pub(crate) async fn is_uploading(&self) -> bool {
        self.uploads().await.iter().any(|upload| upload["in_use"] == true)
    }
}

/// Has each home counted again: it holds what it is said to hold, and nothing that is of no use.
pub(crate) async fn check_homes(place: &Place) {
    let checked = place.run(&["store", "check"]).await;
    assert_eq!(checked.code, Some(0), "{}{}", checked.text(), checked.err);
}

/// What a request was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    /// The value of a field, if it is there.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (field, value) = line.split_once(": ")?;
            field.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}
