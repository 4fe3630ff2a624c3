//! What is sent piece by piece, over both protocols and real sockets.

use std::{
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    time::Duration,
};

use ::http::StatusCode;
use bytes::Bytes;
use futures_util::stream;
use sockeye::{Conn, Handler, Model, Server};
use sockeye_testkit::running::Running;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Link, Respond, http1, http2};
use crate::{
    config::Config,
    content::Content,
    payload::{Payload, StreamBody},
    reply::Reply,
    wire::{head::Head, host::HostRule, reply::ReplyHead},
};

const PIECE: usize = 64 * 1024;

/// Longer than anything here can take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Answers by streams, over HTTP/2 if `h2`, and tells when the endless one was given up.
struct Streams {
    config: Config,
    h2: bool,
    made: Arc<AtomicU64>,
    given_up: mpsc::SyncSender<()>,
}

struct Told(mpsc::SyncSender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.try_send(());
    }
}

impl Respond for Streams {
    fn config(&self) -> &Config {
        &self.config
    }

    async fn respond(&self, _: &Link<'_>, _: i64, head: &Head<'_>, _: &mut impl Content) -> Reply {
        let words = || stream::iter([Ok("one ".into()), Ok("".into()), Ok("two".into())]);
        let mut reply = ReplyHead::new(StatusCode::OK);
        let body = match head.target {
            b"/known" => {
                reply.length = Some(7);
                StreamBody::new(reply.length, words())
            }
            b"/unknown" => StreamBody::new(None, words()),
            b"/short" => {
                reply.length = Some(8);
                StreamBody::new(reply.length, words())
            }
            b"/broken" => {
                let pieces = [Ok("one".into()), Err(io::ErrorKind::InvalidData.into())];
                StreamBody::new(None, stream::iter(pieces))
            }
            _ => {
                let (made, told) = (Arc::clone(&self.made), Told(self.given_up.clone()));
                let piece = Bytes::from(vec![7; PIECE]);
                StreamBody::new(
                    None,
                    stream::repeat_with(move || {
                        let _ = &told;
                        made.fetch_add(1, Relaxed);
                        Ok(piece.clone())
                    }),
                )
            }
        };
        Reply { head: reply, payload: Payload::Stream(body) }
    }
}

impl Handler for Streams {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let link = Link::new(conn, &self.config, &HostRule::Any)?;
        let drain = conn.drain_signal();
        let draining = pin!(drain.wait());
        match self.h2 {
            true => Box::pin(http2::serve(self, conn, &link, draining)).await,
            false => http1::serve(self, conn, &link, draining).await,
        }
    }
}

struct Site {
    server: Running,
    made: Arc<AtomicU64>,
    given_up: mpsc::Receiver<()>,
}

impl Site {
    fn new(h2: bool) -> Self {
        let (given_up, gone) = mpsc::sync_channel(1);
        let made = Arc::new(AtomicU64::new(0));
        let handler = Streams { config: Config::default(), h2, made: Arc::clone(&made), given_up };
        let server = Server::bind("tcp://127.0.0.1:0").unwrap().model(Model::Tasks).workers(1);
        Self { server: Running::start(server.with(handler)), made, given_up: gone }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.server.port())).await.unwrap()
    }

    /// Once the client has gone, the stream is given up, after no more of it than buffers hold.
    fn has_given_up(&self, taken: usize) {
        self.given_up.recv_timeout(PATIENCE).unwrap();
        let made = self.made.load(Relaxed) * PIECE as u64;
        assert!(made < taken as u64 + 32 * 1024 * 1024, "{made} bytes for {taken}");
    }
}

/// What comes of a request over HTTP/1.
async fn ask(site: &Site, version: u8, target: &str) -> String {
    let mut stream = site.connect().await;
    let head = format!("GET {target} HTTP/1.{version}\r\nHost: a\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn pieces_are_sent_as_they_come_over_http_1() {
    let site = Site::new(false);
    let known = ask(&site, 1, "/known").await;
    assert!(known.contains("content-length: 7\r\n") && known.ends_with("\r\n\r\none two"));
    let unknown = ask(&site, 1, "/unknown").await;
    assert!(unknown.contains("transfer-encoding: chunked\r\n"), "{unknown}");
    assert!(unknown.ends_with("\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"), "{unknown}");
    let old = ask(&site, 0, "/unknown").await;
    assert!(!old.contains("chunked") && old.ends_with("\r\n\r\none two"), "{old}");
    // What breaks off has no end that could be taken for one.
    assert!(ask(&site, 1, "/short").await.ends_with("\r\n\r\none two"));
    assert!(ask(&site, 1, "/broken").await.ends_with("\r\n3\r\none\r\n"));
}

#[tokio::test]
async fn whoever_takes_nothing_has_nothing_made_for_them_over_http_1() {
    let site = Site::new(false);
    let mut stream = site.connect().await;
    stream.write_all(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut some = vec![0; 1024 * 1024];
    stream.read_exact(&mut some).await.unwrap();
    drop(stream);
    site.has_given_up(some.len());
}

#[tokio::test]
async fn pieces_are_sent_as_they_come_over_http_2() {
    let site = Site::new(true);
    let (mut client, connection) = h2::client::handshake(site.connect().await).await.unwrap();
    let asking = async {
        for (target, length, whole) in [
            ("/known", Some("7"), true),
            ("/unknown", None, true),
            ("/short", Some("8"), false),
            ("/broken", None, false),
        ] {
            let request = ::http::Request::get(format!("http://a{target}")).body(()).unwrap();
            let (response, _) = client.send_request(request, true).unwrap();
            // A reset may overtake what was to be sent before it.
            let Ok(response) = response.await else {
                assert!(!whole, "{target}");
                continue;
            };
            let (parts, mut content) = response.into_parts();
            let said = parts.headers.get("content-length").map(|it| it.to_str().unwrap());
            assert_eq!(said, length, "{target}");
            let (mut body, mut broken) = (Vec::new(), false);
            while let Some(piece) = content.data().await {
                match piece {
                    Ok(piece) => body.extend_from_slice(&piece),
                    Err(_) => broken = true,
                }
            }
            assert_eq!(broken, !whole, "{target}");
            assert!(!whole || body == b"one two", "{target}");
        }
        let request = ::http::Request::get("http://a/endless").body(()).unwrap();
        let (response, _) = client.send_request(request, true).unwrap();
        let mut content = response.await.unwrap().into_body();
        assert!(content.data().await.unwrap().is_ok());
    };
    tokio::select! {
        () = asking => {}
        ended = connection => panic!("{ended:?}"),
    }
    site.has_given_up(PIECE);
}
