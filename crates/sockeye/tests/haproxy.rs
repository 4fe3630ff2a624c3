//! The PROXY protocol with the program that it comes from: what we write HAProxy understands, and
//! what HAProxy writes we read.

#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use sockeye::{
    SocketName, Stream,
    proxy::{Header, Origin, Protocol, Version, read_header, write_header},
};
use sockeye_testkit::{peer, processes::until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
};

/// Far above what any of these tests takes: a hang fails, a slow machine does not.
const PATIENCE: Duration = Duration::from_secs(30);

/// Three ways from a client's header to ours. The third goes through a TLS session between HAProxy
/// and itself, which its last header then tells of.
const CONFIGURATION: &str = "
global
    ssl-server-verify none
defaults
    mode tcp
    timeout connect 20s
    timeout client 20s
    timeout server 20s
    unique-id-format id-%pid
listen v1
    bind unix@FOLDER/v1 accept-proxy
    server out unix@FOLDER/out send-proxy
listen v2
    bind unix@FOLDER/v2 accept-proxy
    server out unix@FOLDER/out send-proxy-v2 proxy-v2-options crc32c,unique-id
listen tls
    bind unix@FOLDER/tls accept-proxy
    server through unix@FOLDER/inner send-proxy-v2 ssl sni str(example.com) alpn h2
listen inner
    bind unix@FOLDER/inner accept-proxy ssl crt FOLDER/cert.pem alpn h2
    server out unix@FOLDER/out send-proxy-v2-ssl-cn \
        proxy-v2-options crc32c,authority,ssl-cipher,cert-sig,cert-key
";

struct HaProxy {
    child: Child,
}

impl HaProxy {
    fn start(program: &Path, folder: &Path) -> Self {
        let key = rcgen::generate_simple_self_signed(["example.com".to_owned()]).unwrap();
        let pem = key.cert.pem() + &key.signing_key.serialize_pem();
        fs::write(folder.join("cert.pem"), pem).unwrap();
        let configuration = CONFIGURATION.replace("FOLDER", folder.to_str().unwrap());
        fs::write(folder.join("haproxy.cfg"), configuration).unwrap();
        let child = Command::new(program)
            .args(["-db", "-q", "-f"])
            .arg(folder.join("haproxy.cfg"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { child }
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Connects once HAProxy listens; there is no other sign that it does.
fn connect(path: &Path) -> Stream {
    let mut stream = None;
    until("HAProxy listens", || {
        stream = std::os::unix::net::UnixStream::connect(path).ok();
        stream.is_some()
    });
    Stream::adopt(stream.unwrap().into()).unwrap()
}

/// Sends `header` and `hello` by one of the ways, and gives the header that comes out.
async fn through(folder: &Path, way: &str, header: &Header) -> Header {
    let out = folder.join("out");
    let _ = fs::remove_file(&out);
    let server = UnixListener::bind(&out).unwrap();
    let mut client = connect(&folder.join(way));
    write_header(&mut client, header).await.unwrap();
    client.write_all(b"hello").await.unwrap();
    let (stream, _) = server.accept().await.unwrap();
    let mut stream = Stream::adopt(stream.into_std().unwrap().into()).unwrap();
    let received = read_header(&mut stream).await.unwrap();
    let mut hello = [0; 5];
    stream.read_exact(&mut hello).await.unwrap();
    assert_eq!(&hello, b"hello");
    received
}

fn relayed(source: &str, destination: &str) -> Header {
    let name = |text: &str| SocketName::Inet(text.parse().unwrap());
    Header::relayed(Protocol::Stream, &name(source), &name(destination))
}

#[tokio::test]
async fn haproxy_understands_our_headers_and_we_understand_its() {
    let Some(program) = peer::require("haproxy") else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let _haproxy = HaProxy::start(&program, folder);
    let all = async {
        for sent in [
            relayed("203.0.113.7:50000", "192.0.2.1:443"),
            relayed("[2001:db8::7]:50000", "[2001:db8::1]:443"),
        ] {
            for version in [Version::V1, Version::V2] {
                let mut sent = sent.clone().with_version(version);
                sent.tlvs.checksum = true;
                let v1 = through(folder, "v1", &sent).await;
                assert_eq!((v1.version, &v1.origin), (Version::V1, &sent.origin));
                let v2 = through(folder, "v2", &sent).await;
                assert_eq!((v2.version, &v2.origin), (Version::V2, &sent.origin));
                assert!(v2.tlvs.checksum);
                assert!(v2.tlvs.unique_id.unwrap().starts_with(b"id-"));
                let tls = through(folder, "tls", &sent).await;
                assert_eq!(tls.origin, sent.origin);
                assert_eq!(tls.tlvs.authority.as_deref(), Some("example.com"));
                assert_eq!(tls.tlvs.alpn.as_deref(), Some(&b"h2"[..]));
                let ssl = tls.tlvs.ssl.unwrap();
                assert!(ssl.encrypted && !ssl.client_verified());
                assert_eq!(ssl.version.as_deref(), Some("TLSv1.3"));
                for text in [ssl.cipher, ssl.signature_algorithm, ssl.key_algorithm] {
                    assert!(text.is_some_and(|text| !text.is_empty()));
                }
            }
        }
        // Without an address of a client, HAProxy passes its own on, whatever that is to it.
        let local = through(folder, "v2", &Header::local()).await;
        assert!(!matches!(local.origin, Origin::Inet4 { .. } | Origin::Inet6 { .. }), "{local:?}");
    };
    tokio::time::timeout(PATIENCE, all).await.expect("within the time limit");
}
