//! An upload begun over one protocol, cut, and finished over another: one file, one digest, and one log with both halves.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::{
    super::{accounts::base64, running::within},
    client::content,
    site::Site,
};

const LENGTH: usize = 2_000_000;

/// Where it is cut: of less than a MiB nothing is kept.
pub(super) const CUT: usize = 1_234_567;

pub(super) const TUS: &str = "Tus-Resumable: 1.0.0";
pub(super) const PIECE: &str = "Content-Type: application/offset+octet-stream";

/// How an upload is begun that is cut.
#[derive(Clone, Copy, Debug)]
pub(super) enum Begun {
    Put,
    Tus,
    Stor,
}

/// How it is finished.
#[derive(Clone, Copy, Debug)]
enum Finished {
    Tus,
    RestStor,
    Appe,
}

impl Begun {
    const ALL: [Self; 3] = [Self::Put, Self::Tus, Self::Stor];

    /// As the log calls it.
    fn protocol(self) -> &'static str {
        match self {
            Self::Put | Self::Tus => "http",
            Self::Stor => "ftp",
        }
    }

    /// Sends the beginning, and loses the connection once it came.
    pub(super) async fn carry_out(self, site: &Site, name: &str, beginning: &[u8]) {
        let whole = format!("Content-Length: {LENGTH}");
        match self {
            Self::Put => {
                cut(site.send(&format!("PUT /{name}"), &[&whole], beginning).await).await;
            }
            Self::Tus => {
                let length = format!("Upload-Length: {LENGTH}");
                let path = base64(format!("/{name}").as_bytes());
                let metadata = format!("Upload-Metadata: path {path}");
                let made = site.http("POST /-/tus/", &[TUS, &length, &metadata], b"").await;
                let request = format!("PATCH {}", made.field("location").unwrap());
                let fields = [TUS, PIECE, "Upload-Offset: 0", &whole];
                cut(site.send(&request, &fields, beginning).await).await;
            }
            Self::Stor => {
                let mut client = site.client().await;
                let mut data = client.begin(&format!("STOR {name}")).await.unwrap();
                within(data.write_all(beginning)).await.unwrap();
                client.came(beginning.len()).await.unwrap();
                client.hang_up().await;
            }
        }
    }
}

/// Ends the sending, and waits until the server has ended the connection as well.
async fn cut(mut stream: TcpStream) {
    within(stream.shutdown()).await.unwrap();
    let _ = within(tokio::io::copy(&mut stream, &mut tokio::io::sink())).await;
}

impl Finished {
    const ALL: [Self; 3] = [Self::Tus, Self::RestStor, Self::Appe];

    fn protocol(self) -> &'static str {
        match self {
            Self::Tus => "http",
            Self::RestStor | Self::Appe => "ftp",
        }
    }

    /// Asks how much came, and sends the rest.
    async fn carry_out(self, site: &Site, name: &str, whole: &[u8]) {
        if let Self::Tus = self {
            let uploads = site.uploads().await;
            let [upload] = &uploads[..] else { panic!("one upload: {uploads:?}") };
            assert_eq!(upload["path"], format!("/{name}"));
            let at = format!("/-/tus/home/{}", upload["id"].as_str().unwrap());
            let looked = site.http(&format!("HEAD {at}"), &[TUS], b"").await;
            assert_eq!(looked.field("upload-offset"), Some(&*CUT.to_string()));
            let offset = format!("Upload-Offset: {CUT}");
            let length = format!("Upload-Length: {LENGTH}");
            let mut fields = vec![TUS, PIECE, &offset];
            // Nobody has said that over FTP.
            if looked.field("upload-defer-length").is_some() {
                fields.push(&length);
            }
            let sent = site.http(&format!("PATCH {at}"), &fields, &whole[CUT..]).await;
            assert_eq!(sent.status, 204);
            return;
        }
        let mut client = site.client().await;
        assert_eq!(client.size(name).await.unwrap(), Some(CUT));
        let line = match self {
            Self::Appe => format!("APPE {name}"),
            _ => {
                client.expect(350, &format!("REST {CUT}")).await.unwrap();
                format!("STOR {name}")
            }
        };
        client.store(&line, &whole[CUT..], || {}).await.unwrap();
        client.quit().await.unwrap();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Who reads it gets the whole, and both protocols tell the same digest of it.
async fn check(site: &Site, name: &str, whole: &[u8]) {
    let sha256 = Sha256::digest(whole);
    let wants = ["Want-Repr-Digest: sha-256=1"];
    let got = site.http(&format!("GET /{name}"), &wants, b"").await;
    assert!((got.status, &got.body[..]) == (200, whole), "{name}");
    let digest = format!("sha-256=:{}:", base64(&sha256));
    assert_eq!(got.field("repr-digest"), Some(&*digest));
    let mut client = site.client().await;
    assert!(client.fetch(&format!("RETR {name}")).await.unwrap() == whole, "{name}");
    for (algorithm, digest) in
        [("SHA-256", hex(&sha256)), ("BLAKE3", blake3::hash(whole).to_string())]
    {
        client.expect(200, &format!("OPTS HASH {algorithm}")).await.unwrap();
        let told = client.expect(213, &format!("HASH {name}")).await.unwrap();
        assert_eq!(told.trim(), format!("{algorithm} 0-{LENGTH} {digest} /{name}"));
    }
    client.quit().await.unwrap();
}

#[tokio::test]
async fn an_upload_begun_over_either_protocol_is_finished_over_either() {
    let site = Site::new().await;
    let mut pairs = Vec::new();
    for begun in Begun::ALL {
        for finished in Finished::ALL {
            let name = format!("{begun:?}-{finished:?}");
            let whole = content(pairs.len() as u64, LENGTH);
            begun.carry_out(&site, &name, &whole[..CUT]).await;
            // Whoever was cut has left.
            within(async { while site.is_uploading().await {} }).await;
            assert_eq!(site.http(&format!("GET /{name}"), &[], b"").await.status, 404);
            finished.carry_out(&site, &name, &whole).await;
            check(&site, &name, &whole).await;
            assert!(site.uploads().await.is_empty(), "{name}: nothing is left");
            pairs.push((name, begun, finished, whole));
        }
    }
    let place = site.stop().await;
    for (name, begun, finished, whole) in pairs {
        let words = ["log", "--json", "--op", "write", "--path", &format!("/{name}")];
        let log = String::from_utf8(place.run(&words).await.done()).unwrap();
        let halves: Vec<Value> =
            log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [first, second] = &halves[..] else { panic!("{name}: {log}") };
        for (half, outcome, protocol, bytes) in
            [(first, "cut", begun.protocol(), CUT), (second, "ok", finished.protocol(), LENGTH)]
        {
            let told = [&half["user"], &half["outcome"], &half["protocol"], &half["bytes"]];
            let expected = ["alice".into(), outcome.into(), protocol.into(), Value::from(bytes)];
            assert_eq!(told, expected.each_ref(), "{name}");
        }
        assert_eq!(second["blake3"], blake3::hash(&whole).to_string(), "{name}");
    }
}
