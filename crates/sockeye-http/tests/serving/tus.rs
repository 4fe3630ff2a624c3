//! Uploads in pieces, by a client that sends exactly what it is told.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use data_encoding::BASE64;
use sockeye_http::Config;
use sockeye_node::{Credentials, FilePath, Origin, Peer, Progress, Session, UploadOptions};
use sockeye_testkit::{
    node::{TempNode, password},
    peer,
};

use crate::{
    node::{Served, basic},
    site::{Answer, PATIENCE, connect},
};

const VERSION: &str = "Tus-Resumable: 1.0.0";
const PIECE: &str = "Content-Type: application/offset+octet-stream";

/// Upload-Metadata of these pairs.
fn metadata(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(key, value)| format!("{key} {}", BASE64.encode(value.as_bytes())))
        .collect();
    format!("Upload-Metadata: {}", pairs.join(","))
}

/// Bytes that differ from place to place.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// Somebody who uploads.
struct Client<'a> {
    site: &'a Served,
    who: &'a str,
}

impl Client<'_> {
    fn ask(&self, request: &str, fields: &[&str], body: &[u8]) -> Answer {
        let length = format!("Content-Length: {}", body.len());
        let fields = [&[VERSION, &length], fields].concat();
        self.site.ask(self.who, request, &fields, body)
    }

    /// Makes an upload of so many bytes, and says where it is.
    fn create(&self, path: &str, length: usize) -> String {
        let length = format!("Upload-Length: {length}");
        let made = self.ask("POST /-/tus/", &[&length, &metadata(&[("path", path)])], b"");
        assert_eq!(made.status, 201, "{}", made.text());
        made.field("location").unwrap().to_owned()
    }

    fn patch(&self, at: &str, offset: usize, body: &[u8]) -> Answer {
        self.patch_with(at, offset, &[], body)
    }

    fn patch_with(&self, at: &str, offset: usize, fields: &[&str], body: &[u8]) -> Answer {
        let offset = format!("Upload-Offset: {offset}");
        self.ask(&format!("PATCH {at}"), &[&[PIECE, &offset], fields].concat(), body)
    }

    fn head(&self, at: &str) -> Answer {
        self.ask(&format!("HEAD {at}"), &[], b"")
    }

    fn offset(&self, at: &str) -> usize {
        let head = self.head(at);
        assert_eq!((head.status, head.field("cache-control")), (200, Some("no-store")));
        head.field("upload-offset").unwrap().parse().unwrap()
    }

    /// Waits until the upload has got so far.
    fn wait_for(&self, at: &str, offset: usize) {
        let (deadline, offset) = (Instant::now() + PATIENCE, offset.to_string());
        loop {
            let told = self.head(at);
            if told.field("upload-offset") == Some(&*offset) {
                return;
            }
            // Once all came, who is at it has to leave first.
            assert!([200, 423].contains(&told.status), "{told:?}");
            assert!(Instant::now() < deadline, "{told:?} and not at {offset}");
            thread::yield_now();
        }
    }

    /// Goes on as soon as nobody else is at it.
    fn patch_soon(&self, at: &str, offset: usize, body: &[u8]) -> Answer {
        self.patch_soon_with(at, offset, &[], body)
    }

    /// As [`Self::patch_soon`], with more fields.
    fn patch_soon_with(&self, at: &str, offset: usize, more: &[&str], body: &[u8]) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.patch_with(at, offset, more, body);
            if answer.status != 423 || Instant::now() > deadline {
                return answer;
            }
            thread::yield_now();
        }
    }

    /// Begins a piece of `length` bytes and sends only `body` of it.
    fn begin(
        &self,
        at: &str,
        offset: usize,
        length: usize,
        more: &[&str],
        body: &[u8],
    ) -> TcpStream {
        let offset = format!("Upload-Offset: {offset}");
        let length = format!("Content-Length: {length}");
        let fields = [&[VERSION, PIECE, &offset, &length], more].concat();
        let mut stream = connect(self.site.addr());
        let request = Served::request(self.who, &format!("PATCH {at}"), &fields, body);
        stream.write_all(&request).unwrap();
        stream
    }

    /// Waits until somebody is at the upload.
    fn wait_in_use(&self, at: &str) {
        let (session, key) = (self.session(), at.strip_prefix("/-/tus/").unwrap().parse().unwrap());
        let deadline = Instant::now() + PATIENCE;
        loop {
            let progress = self.site.node.block_on(session.upload_progress(&key)).unwrap();
            if matches!(progress, Progress::Pending(pending) if pending.in_use) {
                return;
            }
            assert!(Instant::now() < deadline, "nobody is at it");
            thread::yield_now();
        }
    }

    fn session(&self) -> Session {
        let gate = self.site.node.gate();
        let credentials = Credentials::password(self.who, password(self.who));
        let origin = Origin::new("ftp", Peer::Local);
        self.site.node.block_on(gate.login(&credentials, origin)).unwrap()
    }
}

fn alice(site: &Served) -> Client<'_> {
    Client { site, who: "alice" }
}

#[test]
fn a_file_is_sent_in_pieces_and_there_once_it_is_whole() {
    let site = Served::new();
    let client = alice(&site);
    let bytes = content(300_000);
    let meta = metadata(&[
        ("filename", "a b.txt"),
        ("path", "/"),
        ("filetype", "text/plain"),
        ("mtime", "1234567890.5"),
    ]);
    let made = client.ask("POST /-/tus/", &["Upload-Length: 300000", &meta], b"");
    assert_eq!((made.status, made.field("tus-resumable")), (201, Some("1.0.0")));
    assert!(made.field("upload-expires").is_some());
    let at = made.field("location").unwrap();
    assert!(at.starts_with("/-/tus/home/"), "{at}");
    for (number, piece) in bytes.chunks(100_000).enumerate() {
        assert_eq!(site.get("alice", "/a%20b.txt").status, 404);
        let head = client.head(at);
        let offset = (number * 100_000).to_string();
        assert_eq!(head.field("upload-offset"), Some(&*offset));
        assert_eq!(head.field("upload-length"), Some("300000"));
        assert_eq!(head.field("upload-metadata"), meta.split_once(": ").map(|it| it.1));
        let taken = client.patch(at, number * 100_000, piece);
        assert_eq!(taken.status, 204, "{}", taken.text());
        let offset = ((number + 1) * 100_000).to_string();
        assert_eq!(taken.field("upload-offset"), Some(&*offset));
        assert_eq!(taken.field("upload-expires").is_some(), number < 2);
    }
    let file = site.get("alice", "/a%20b.txt");
    assert!(file.body == bytes);
    assert_eq!(file.field("last-modified"), Some("Fri, 13 Feb 2009 23:31:30 GMT"));
    // Whose last answer was lost finds that it is done.
    assert_eq!(client.offset(at), 300_000);
    assert_eq!(client.patch(at, 300_000, b"").status, 204);
    assert_eq!(client.patch(at, 300_000, b"x").status, 409);
    // The log has one write.
    let records = site.node.records("write");
    let of_it: Vec<_> = records.iter().filter(|it| it["path"] == "/a b.txt").collect();
    assert_eq!(of_it.len(), 1, "{of_it:?}");
    assert_eq!((&of_it[0]["outcome"], &of_it[0]["bytes"]), (&"ok".into(), &300_000.into()));
}

#[test]
fn what_is_spoken_is_told_to_whoever_asks() {
    let mut config = Config::default();
    config.limits.upload = Some(1000);
    let site = Served::with(TempNode::new(), config);
    let told = site.ask("", "OPTIONS /-/tus/", &[], b"");
    assert_eq!(told.status, 204);
    for (name, value) in [
        ("tus-resumable", "1.0.0"),
        ("tus-version", "1.0.0"),
        ("tus-max-size", "1000"),
        ("tus-checksum-algorithm", "sha1,sha256,crc32"),
        (
            "tus-extension",
            "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination",
        ),
    ] {
        assert_eq!(told.field(name), Some(value));
    }
    let client = alice(&site);
    let where_to = metadata(&[("filename", "a")]);
    assert_eq!(client.ask("POST /-/tus/", &["Upload-Length: 1001", &where_to], b"").status, 413);
    let made = client.ask("POST /-/tus/", &["Upload-Defer-Length: 1", &where_to], b"");
    let at = made.field("location").unwrap();
    assert_eq!(client.patch(at, 0, &content(1001)).status, 413);
    assert_eq!(client.patch_with(at, 0, &["Upload-Length: 1001"], b"").status, 413);
}

#[test]
fn what_cannot_be_is_refused() {
    let site = Served::new();
    let client = alice(&site);
    let where_to = &*metadata(&[("filename", "a")]);
    for (fields, body, status) in [
        (&[where_to][..], &b""[..], 400),
        (&["Upload-Length: x", where_to], b"", 400),
        (&["Upload-Length: 5", "Upload-Defer-Length: 1", where_to], b"", 400),
        (&["Upload-Length: 5"], b"", 400),
        (&["Upload-Length: 5", "Upload-Metadata: filename !"], b"", 400),
        (&["Upload-Length: 5", &metadata(&[("path", "/none/a")])], b"", 409),
        (&["Upload-Length: 5", &metadata(&[("path", "/-/a")])], b"", 409),
        (&["Upload-Length: 5", &metadata(&[("path", "/shared/none/a")])], b"", 409),
        (&["Upload-Length: 5", where_to, "Content-Type: text/plain"], b"hello", 415),
        (&["Upload-Length: 5", where_to, PIECE], b"hello!", 413),
        (&["Upload-Length: 5", where_to, PIECE, "Upload-Checksum: md5 AA=="], b"hello", 400),
        (&["Upload-Length: 5", where_to, "Origin: http://evil.example"], b"", 403),
    ] {
        let answer = client.ask("POST /-/tus/", fields, body);
        assert_eq!(answer.status, status, "{fields:?}: {}", answer.text());
    }
    assert_eq!(site.ask("alice", "POST /-/tus/", &["Upload-Length: 5", where_to], b"").status, 412);
    let old = ["Tus-Resumable: 0.2.2", "Upload-Length: 5", where_to];
    let old = site.ask("alice", "POST /-/tus/", &old, b"");
    assert_eq!((old.status, old.field("tus-version")), (412, Some("1.0.0")));
    let nobody = Client { site: &site, who: "" };
    assert_eq!(nobody.ask("POST /-/tus/", &["Upload-Length: 5", where_to], b"").status, 401);
    assert_eq!(client.ask("PATCH /-/tus/", &[], b"").status, 405);
    assert_eq!(client.ask("PUT /-/tus/", &[], b"").status, 405);

    let at = &client.create("/a", 5);
    for (answer, status) in [
        (client.patch(at, 1, b"ello"), 409),
        (client.patch(at, 0, b"hello!"), 413),
        (client.ask(&format!("PATCH {at}"), &[PIECE], b"hello"), 400),
        (client.ask(&format!("PATCH {at}"), &["Upload-Offset: 0"], b"hello"), 415),
        (client.ask(&format!("POST {at}"), &[], b""), 405),
        (client.head("/-/tus/home/01JD7YV3W8Z6T1Q2R4S5K9X0AB"), 410),
        (client.head("/-/tus/home/7ZZZZZZZZZZZZZZZZZZZZZZZZZ"), 404),
        (client.head("/-/tus/x"), 404),
        // Nobody else may know of it.
        (Client { site: &site, who: "bob" }.head(at), 404),
        (Client { site: &site, who: "bob" }.patch(at, 0, b"hello"), 404),
        (Client { site: &site, who: "gast" }.head(at), 404),
        (nobody.head(at), 401),
    ] {
        assert_eq!(answer.status, status, "{answer:?}");
    }
    assert_eq!(client.patch(at, 1, b"ello").field("upload-offset"), Some("0"));
    assert_eq!(client.offset(at), 0);
    // Some can only send POST.
    let instead = ["X-HTTP-Method-Override: PATCH", PIECE, "Upload-Offset: 0"];
    assert_eq!(client.ask(&format!("POST {at}"), &instead, b"hello").status, 204);
    assert_eq!(site.get("alice", "/a").text(), "hello");
}

#[test]
fn an_upload_is_made_with_its_first_piece_or_with_nothing_at_all() {
    let site = Served::new();
    let client = alice(&site);
    let named = |name| metadata(&[("filename", name)]);
    let made = client.ask("POST /-/tus/", &["Upload-Length: 10", &named("a"), PIECE], b"01234");
    assert_eq!((made.status, made.field("upload-offset")), (201, Some("5")));
    assert_eq!(client.patch(made.field("location").unwrap(), 5, b"56789").status, 204);
    assert_eq!(site.get("alice", "/a").text(), "0123456789");
    let all = client.ask("POST /-/tus/", &["Upload-Length: 3", &named("b"), PIECE], b"all");
    assert_eq!((all.status, all.field("upload-offset")), (201, Some("3")));
    assert_eq!(site.get("alice", "/b").text(), "all");
    assert_eq!(client.offset(all.field("location").unwrap()), 3);
    let empty = client.create("/empty", 0);
    assert_eq!(client.offset(&empty), 0);
    assert_eq!(site.get("alice", "/empty").text(), "");
}

#[test]
fn a_length_is_told_later_and_once() {
    let site = Served::new();
    let client = alice(&site);
    let fields = ["Upload-Defer-Length: 1", &metadata(&[("filename", "a")])];
    let made = client.ask("POST /-/tus/", &fields, b"");
    let at = made.field("location").unwrap();
    assert_eq!(client.patch(at, 0, b"hello").status, 204);
    let head = client.head(at);
    assert_eq!((head.field("upload-defer-length"), head.field("upload-length")), (Some("1"), None));
    assert_eq!(client.patch_with(at, 5, &["Upload-Length: 4"], b"").status, 413);
    assert_eq!(client.patch_with(at, 5, &["Upload-Length: 11"], b" wor").status, 204);
    assert_eq!(client.head(at).field("upload-length"), Some("11"));
    assert_eq!(client.patch(at, 9, b"ld").status, 204);
    assert_eq!(site.get("alice", "/a").text(), "hello world");
}

#[test]
fn a_piece_that_is_not_what_was_announced_leaves_the_offset_as_it_was() {
    let site = Served::new();
    let client = alice(&site);
    let at = &client.create("/a", 11);
    assert_eq!(client.patch(at, 0, b"hello").status, 204);
    for (sum, status) in [
        ("sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=", 460),
        ("crc32 AAAAAA==", 460),
        ("sha256 AAAA", 400),
        ("blake3 AAAA", 400),
    ] {
        let sum = format!("Upload-Checksum: {sum}");
        assert_eq!(client.patch_with(at, 5, &[&sum], b" world").status, status, "{sum}");
        assert_eq!(client.offset(at), 5);
    }
    // Cut off, nobody knows whether it was right.
    let sum = "Upload-Checksum: sha1 SKd1KH7p+WZmSPHiGuwgxj8AALQ=";
    drop(client.begin(at, 5, 6, &[sum], b" wor"));
    let done = client.patch_soon(at, 5, b"");
    assert_eq!((done.status, client.offset(at)), (204, 5));
    let sum = BASE64.encode(&crc32fast::hash(b" wo").to_be_bytes());
    let sum = format!("Upload-Checksum: crc32 {sum}");
    // What was cut may be looked at only now.
    assert_eq!(client.patch_soon_with(at, 5, &[&sum], b" wo").status, 204);
    assert_eq!(client.patch_soon(at, 8, b"rld").status, 204);
    assert_eq!(site.get("alice", "/a").text(), "hello world");
    let at = &client.create("/b", 11);
    let sum = "Upload-Checksum: sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=";
    assert_eq!(client.patch_with(at, 0, &[sum], b"hello world").status, 204);
    assert_eq!(site.get("alice", "/b").text(), "hello world");
}

#[test]
fn a_client_cut_at_every_64_kib_goes_on_where_it_was() {
    let site = Served::new();
    let client = alice(&site);
    let bytes = content(1 << 20);
    let at = &client.create("/a", bytes.len());
    for (number, piece) in bytes.chunks(64 << 10).enumerate() {
        let offset = number * (64 << 10);
        let rest = bytes.len() - offset;
        // All the rest is announced and one piece of it sent.
        let stream = client.begin(at, offset, rest.max(piece.len() + 1), &[], piece);
        drop(stream);
        client.wait_for(at, offset + piece.len());
    }
    // No client asks any more once it was told that all came, as the last look did.
    assert!(site.get("alice", "/a").body == bytes);
}

/// An upload whose bytes are all there, and which nobody has put in its place: a server killed in between leaves it so.
fn all_but_placed(client: &Client<'_>, path: &str, bytes: &[u8]) -> String {
    let at = client.create(path, bytes.len());
    let key = at.strip_prefix("/-/tus/").unwrap().parse().unwrap();
    let session = client.session();
    client.site.node.block_on(async {
        let mut upload = session.resume_upload(&key).await.unwrap();
        upload.write(bytes).await.unwrap();
        upload.keep().await.unwrap();
    });
    at
}

#[test]
fn an_upload_is_said_to_be_whole_only_once_its_file_is_in_its_place() {
    let site = Served::new();
    let client = alice(&site);
    let at = all_but_placed(&client, "/killed", b"all of it");
    assert_eq!(site.get("alice", "/killed").status, 404);
    assert_eq!(client.offset(&at), 9);
    assert_eq!(site.get("alice", "/killed").text(), "all of it");

    // The folder went, and came back.
    let make_folder = || assert_eq!(site.ask("alice", "MKCOL /there/", &[], b"").status, 201);
    make_folder();
    let at = all_but_placed(&client, "/there/a", b"all of it");
    assert_eq!(site.delete("alice", "/there/").status, 204);
    for _ in 0..2 {
        let told = client.head(&at);
        assert_eq!((told.status, told.field("upload-offset")), (409, None));
        let told = client.patch(&at, 9, b"");
        assert_eq!((told.status, told.field("upload-offset")), (409, None));
    }
    make_folder();
    assert_eq!(client.offset(&at), 9);
    assert_eq!(site.get("alice", "/there/a").text(), "all of it");

    // Somebody has a lock on it.
    let at = all_but_placed(&client, "/there/b", b"all of it");
    let lock = b"<lockinfo xmlns=\"DAV:\"><lockscope><exclusive/></lockscope>\
        <locktype><write/></locktype></lockinfo>";
    let length = format!("Content-Length: {}", lock.len());
    let locked = site.ask("alice", "LOCK /there/", &[&length], lock);
    assert_eq!(locked.status, 200, "{}", locked.text());
    let told = client.head(&at);
    assert_eq!((told.status, told.field("upload-offset")), (423, None));
    let token = format!("Lock-Token: {}", locked.field("lock-token").unwrap());
    assert_eq!(site.ask("alice", "UNLOCK /there/", &[&token], b"").status, 204);
    assert_eq!(client.offset(&at), 9);
    assert_eq!(site.get("alice", "/there/b").text(), "all of it");
}

#[test]
fn a_piece_whose_last_chunk_never_came_is_whole_if_its_bytes_are() {
    let site = Served::new();
    let client = alice(&site);
    let at = &client.create("/a", 5);
    let fields = [VERSION, PIECE, "Upload-Offset: 0", "Transfer-Encoding: chunked"];
    let request = Served::request("alice", &format!("PATCH {at}"), &fields, b"5\r\nhello\r\n");
    let mut stream = connect(site.addr());
    stream.write_all(&request).unwrap();
    client.wait_in_use(at);
    drop(stream);
    client.wait_for(at, 5);
    assert_eq!(site.get("alice", "/a").text(), "hello");
}

#[test]
fn of_two_clients_at_one_upload_the_second_is_refused_and_spoils_nothing() {
    let site = Served::new();
    let client = alice(&site);
    let bytes = content(200_000);
    let at = &client.create("/a", bytes.len());
    let mut first = client.begin(at, 0, bytes.len(), &["Connection: close"], &bytes[..100_000]);
    client.wait_in_use(at);
    for offset in [0, 50_000, 100_000] {
        let refused = client.patch(at, offset, b"spoilt");
        assert_eq!(refused.status, 423, "{}", refused.text());
    }
    assert_eq!(client.ask(&format!("DELETE {at}"), &[], b"").status, 423);
    first.write_all(&bytes[100_000..]).unwrap();
    let mut answer = Vec::new();
    first.read_to_end(&mut answer).unwrap();
    assert_eq!(Answer::parse(&answer, false).0.status, 204);
    assert!(site.get("alice", "/a").body == bytes);
}

#[test]
fn a_client_that_fell_silent_gives_way_to_one_that_comes_back() {
    let site = Served::new();
    let client = alice(&site);
    let bytes = content(100_000);
    let at = &client.create("/a", bytes.len());
    // Its connection is not closed: only nothing comes any more.
    let mut silent = client.begin(at, 0, bytes.len(), &[], &bytes[..60_000]);
    client.wait_in_use(at);
    let deadline = Instant::now() + PATIENCE;
    let done = loop {
        let offset = client.offset(at);
        let answer = client.patch(at, offset, &bytes[offset..]);
        if ![409, 423].contains(&answer.status) {
            break answer;
        }
        assert!(Instant::now() < deadline, "{answer:?}");
        thread::yield_now();
    };
    assert_eq!(done.status, 204, "{}", done.text());
    let mut answer = Vec::new();
    silent.read_to_end(&mut answer).unwrap();
    assert_eq!(Answer::parse(&answer, false).0.status, 408);
    assert!(site.get("alice", "/a").body == bytes);
}

#[test]
fn rights_quota_and_what_is_there_are_looked_at_first() {
    let site = Served::new();
    site.node.set_quota("alice", 1000);
    site.put("alice", "/there", b"old");
    let client = alice(&site);
    let create = |pairs: &[(&str, &str)], length| {
        let length = format!("Upload-Length: {length}");
        client.ask("POST /-/tus/", &[&length, &metadata(pairs)], b"")
    };
    assert_eq!(create(&[("filename", "large")], 2000).status, 507);
    assert_eq!(create(&[("filename", "there")], 5).status, 409);
    let made = create(&[("filename", "there"), ("overwrite", "true")], 5);
    assert_eq!(made.status, 201);
    assert_eq!(site.get("alice", "/there").text(), "old");
    assert_eq!(client.patch(made.field("location").unwrap(), 0, b"hello").status, 204);
    assert_eq!(site.get("alice", "/there").text(), "hello");
    // Somebody else was faster.
    let at = client.create("/new", 5);
    site.put("alice", "/new", b"first");
    let late = client.patch(&at, 0, b"after");
    assert_eq!((late.status, late.field("upload-offset")), (409, None));
    assert_eq!(site.get("alice", "/new").text(), "first");
    let guest = Client { site: &site, who: "gast" };
    let refused =
        guest.ask("POST /-/tus/", &["Upload-Length: 5", &metadata(&[("filename", "a")])], b"");
    assert_eq!(refused.status, 403);
}

#[test]
fn an_upload_is_given_up() {
    let site = Served::new();
    let client = alice(&site);
    let at = &client.create("/a", 10);
    client.patch(at, 0, b"12345");
    assert_eq!(client.ask(&format!("DELETE {at}"), &[], b"").status, 204);
    assert_eq!(client.head(at).status, 404);
    assert_eq!(client.ask(&format!("DELETE {at}"), &[], b"").status, 404);
    assert_eq!(site.node.block_on(client.session().uploads_in(&FilePath::root())).unwrap(), []);
    let old = TempNode::with(|_, keeping| keeping.partials_for = Duration::from_millis(1));
    let site = Served::with(old, Config::default());
    let client = alice(&site);
    let at = &client.create("/a", 10);
    let deadline = Instant::now() + PATIENCE;
    while client.head(at).status != 410 {
        assert!(Instant::now() < deadline);
    }
    assert_eq!(client.patch(at, 0, b"12345").status, 410);
}

#[test]
fn another_protocol_goes_on_and_the_other_way_round() {
    let site = Served::new();
    let client = alice(&site);
    site.node.share("team");
    site.node.grant("alice", "/shared/team", "all");
    let at = client.create("/shared/team/a", 10);
    assert!(at.starts_with("/-/tus/shared/team/"), "{at}");
    client.patch(&at, 0, b"begun ");
    let session = client.session();
    let team = FilePath::parse(b"shared/team").unwrap();
    let begun = site.node.block_on(session.uploads_in(&team)).unwrap();
    assert_eq!((begun.len(), begun[0].offset, begun[0].length), (1, 6, Some(10)));
    assert_eq!(begun[0].path, FilePath::parse(b"shared/team/a").unwrap());
    site.node.block_on(async {
        let partial = session.partial_for(&begun[0].path).await.unwrap().unwrap();
        let mut upload = session.resume(&begun[0].path, partial.id).await.unwrap();
        upload.write(b"ende").await.unwrap();
        upload.commit().await.unwrap();
    });
    assert_eq!(site.get("alice", "/shared/team/a").text(), "begun ende");
    assert_eq!(client.offset(&at), 10);

    let path = FilePath::parse(b"b").unwrap();
    let key = site.node.block_on(async {
        let mut options = UploadOptions::default();
        options.length = Some(10);
        let mut upload = session.upload(&path, options).await.unwrap();
        upload.write(b"other ").await.unwrap();
        session.upload_key(&path, upload.keep().await.unwrap()).unwrap()
    });
    let at = format!("/-/tus/{key}");
    assert_eq!(client.offset(&at), 6);
    assert_eq!(client.patch(&at, 6, b"ways").status, 204);
    assert_eq!(site.get("alice", "/b").text(), "other ways");
}

#[test]
fn tus_js_client_goes_on_after_three_cuts() {
    let (Some(node), Some(modules)) =
        (peer::require("node"), peer::require_module("tus-js-client"))
    else {
        return;
    };
    let site = Served::new();
    let bytes = content(8 << 20);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, &bytes).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/serving/peers/tus.mjs");
    let sign_in = basic("alice");
    let (_, sign_in) = sign_in.trim().split_once(": ").unwrap();
    let output = Command::new("timeout")
        .args(["60".as_ref(), node.as_os_str(), script.as_ref(), modules.as_os_str()])
        .args([site.addr().to_string().as_ref(), sign_in.as_ref(), file.as_os_str(), "3".as_ref()])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["cuts"], &told["furthest"]), (&3.into(), &bytes.len().into()));
    assert!(told["url"].as_str().unwrap().starts_with("/-/tus/home/"), "{told}");
    assert!(site.get("alice", "/sent.bin").body == bytes);
}
