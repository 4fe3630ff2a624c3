//! Who is there over FTP, FTPS and HTTP, as an administrator sees it; and ending that.

use std::fs;

use serde_json::Value;
use sockeye::{
    Stream,
    tls::{Fingerprint, TlsClient},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use super::{
    super::{
        accounts::base64,
        first_minute::{PASSWORD, with_password},
        running::within,
    },
    client::{PIECE, content},
    site::Site,
};

impl Site {
    /// The sessions that these words list.
    async fn sessions(&self, words: &[&str]) -> Vec<Value> {
        let out = self.place.run(&[&["session", "list", "--json"], words].concat()).await.done();
        let lines = std::str::from_utf8(&out).unwrap().lines();
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// A connection over FTP in TLS, logged in as `bob`.
    async fn in_tls(&self) -> BufReader<Stream> {
        let pin = Fingerprint::of_pem(&fs::read(self.certificate()).unwrap()).unwrap();
        let client = TlsClient::builder().pinned([pin]).build().unwrap();
        let stream = within(TcpStream::connect(("127.0.0.1", self.port("ftps")))).await.unwrap();
        let stream = within(client.connect(Stream::from(stream), "localhost")).await.unwrap();
        let mut control = BufReader::new(stream);
        let mut line = String::new();
        for ask in ["USER bob".to_owned(), format!("PASS {PASSWORD}"), "NOOP".to_owned()] {
            within(control.read_line(&mut line)).await.unwrap();
            within(control.write_all(format!("{ask}\r\n").as_bytes())).await.unwrap();
            within(control.flush()).await.unwrap();
        }
        within(control.read_line(&mut line)).await.unwrap();
        assert!(line.contains("\r\n230 "), "{line}");
        control
    }

    /// A connection over HTTP that stays open, once a request by `alice` was answered on it.
    async fn kept_alive(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port("http")));
        let mut stream = within(stream).await.unwrap();
        let basic = base64(format!("alice:{PASSWORD}").as_bytes());
        let head =
            format!("HEAD / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {basic}\r\n\r\n");
        within(stream.write_all(head.as_bytes())).await.unwrap();
        let mut answer = [0; 12];
        within(stream.read_exact(&mut answer)).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        stream
    }
}

#[tokio::test]
async fn an_administrator_sees_who_does_what_and_ends_one_or_all_of_an_account() {
    let site = Site::new().await;
    with_password(&site.place, &["user", "add", "bob"]).await.done();
    let status = site.place.run(&["status"]).await;
    assert!(status.text().contains("\nUsers    nobody has a session, "), "{}", status.text());
    assert_eq!(site.place.run(&["session", "list"]).await.text(), "nobody has a session\n");

    let (mut storing, mut idle) = (site.client().await, site.client().await);
    let mut data = storing.begin("STOR big").await.unwrap();
    let piece = content(1, 4 * PIECE);
    within(data.write_all(&piece)).await.unwrap();
    let seen = within(async {
        loop {
            let all = site.sessions(&[]).await;
            let doing = all[0]["doing"][0].clone();
            if doing["bytes"].as_u64().is_some_and(|bytes| bytes > 0) {
                return all;
            }
        }
    });
    let seen = seen.await;
    let [first, second] = &seen[..] else { panic!("each connection is one: {seen:?}") };
    assert_eq!((&first["account"], &first["protocol"]), (&"alice".into(), &"ftp".into()));
    assert_eq!((&first["peer"], &first["tls"]), (&"127.0.0.1".into(), &false.into()));
    let doing = &first["doing"][0];
    assert_eq!((&doing["op"], &doing["path"]), (&"write".into(), &"/big".into()));
    assert_eq!(second["doing"], serde_json::json!([]));

    let (mut secured, mut web) = (site.in_tls().await, site.kept_alive().await);
    let bobs = site.sessions(&["--user", "bob"]).await;
    assert_eq!((bobs.len(), &bobs[0]["tls"]), (1, &true.into()));
    let status: Value =
        serde_json::from_slice(&site.place.run(&["status", "--json"]).await.done()).unwrap();
    assert_eq!((&status["sessions"], &status["signed_in"]), (&4.into(), &2.into()), "{status}");
    assert_eq!(status["who"].as_array().unwrap().len(), 4);
    let status = site.place.run(&["status"]).await;
    for part in ["4 sessions of 2 accounts", "  write /big, ", "ftp, TLS", "  idle for "] {
        assert!(status.text().contains(part), "{part}: {}", status.text());
    }

    let id = bobs[0]["id"].to_string();
    let ended = site.place.run(&["session", "end", &id]).await;
    assert_eq!(ended.text(), format!("ended session {id}\n"));
    let mut rest = String::new();
    within(secured.read_to_string(&mut rest)).await.unwrap();
    assert!(rest.ends_with("421 The session was ended; log in again.\r\n"), "{rest}");
    let again = site.place.run(&["session", "end", &id]).await;
    assert_eq!(again.code, Some(3), "{}", again.err);
    assert!(again.err.contains(&format!("there is no session {id}\n")), "{}", again.err);

    let ended = site.place.run(&["session", "end", "--user", "alice"]).await;
    assert_eq!(ended.text(), "alice: ended 3 sessions\n");
    let mut told = idle.reply().await.unwrap();
    assert!(told.starts_with("421 "), "{told}");
    told = storing.reply().await.unwrap();
    assert!(told.starts_with("426 ") || told.starts_with("451 "), "{told}");
    told = storing.reply().await.unwrap();
    assert!(told.starts_with("421 "), "{told}");
    let mut rest = Vec::new();
    within(web.read_to_end(&mut rest)).await.unwrap();
    let nobody = site.place.run(&["session", "end", "--user", "nobody"]).await;
    assert_eq!(nobody.code, Some(3), "{}", nobody.err);
    let by = site.place.run(&["log", "--op", "logout"]).await;
    assert_eq!(by.text().matches("ended by ").count(), 4, "{}", by.text());
    // It is no lock.
    site.client().await.quit().await.unwrap();
    drop(data);
    site.stop().await;
}
