//! Peers that do not speak TLS, or badly: each gets an answer or a close, and an error says why.

use sockeye::tls::{TlsClient, TlsError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{client_of, localhost, tcp, within};

/// What the server makes of these first bytes (in pieces), and what it answers.
async fn said(pieces: &[&[u8]]) -> (TlsError, Vec<u8>) {
    let (_, server) = localhost();
    let (one, mut other) = tcp().await;
    within(async {
        let stranger = async {
            for piece in pieces {
                other.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            other.shutdown().await.unwrap();
            let mut answer = Vec::new();
            // A reset after the answer is an answer as well.
            let _ = other.read_to_end(&mut answer).await;
            answer
        };
        let (error, answer) = tokio::join!(
            // The stream is dropped with the error, which ends the stranger's wait.
            async { server.accept(one).await.unwrap_err() },
            stranger
        );
        (error, answer)
    })
    .await
}

fn is_alert(answer: &[u8]) -> bool {
    answer.len() == 7 && answer.starts_with(&[21, 3])
}

#[tokio::test]
async fn plain_http_is_answered_in_plain_http() {
    let requests: [&[&[u8]]; 4] = [
        &[b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
        &[b"G", b"ET", b" /", b"index.html HTTP/1.0\r\n\r\n"],
        &[b"PROPF", b"IND /a HTTP/1.1\r\nHost: a\r\n\r\n"],
        &[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ];
    for request in requests {
        let (error, answer) = said(request).await;
        assert_eq!(error.to_string(), "a plain HTTP request on a TLS port");
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert!(answer.contains("use https://"), "{answer}");
    }
}

#[tokio::test]
async fn another_protocol_is_quoted_and_alerted() {
    for (bytes, quoted) in [
        (&b"SSH-2.0-OpenSSH_9.2\r\n"[..], "SSH-2.0-OpenSSH_"),
        (b"\0\0\0\0\0\0\0\0", "\\x00"),
        (b"EHLO localhost\r\n", "EHLO localhost\\r\\n"),
        (b"x", "x"),
        (b"GE", "GE"),
    ] {
        let (error, answer) = said(&[bytes]).await;
        assert!(matches!(error, TlsError::NotTls(_)), "{error}");
        assert!(error.to_string().contains(quoted), "{error}");
        assert!(is_alert(&answer), "{answer:?}");
    }
}

#[tokio::test]
async fn a_record_longer_than_tls_allows_is_refused() {
    let (error, answer) = said(&[&[22, 3, 1, 0xff, 0xff], &[0; 64]]).await;
    assert!(matches!(error, TlsError::Protocol(_)), "{error}");
    assert!(is_alert(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_hello_longer_than_tls_allows_is_refused_before_it_is_kept() {
    // A handshake message that claims 16 MiB, in full records, of which none should be needed.
    let mut record = vec![22, 3, 1, 0x40, 0];
    record.extend([1, 0xff, 0xff, 0xff]);
    record.resize(5 + (16 << 10), 0);
    let (error, answer) = said(&[&record]).await;
    assert!(matches!(error, TlsError::Protocol(_)), "{error}");
    assert!(is_alert(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_malformed_hello_is_refused() {
    let (error, answer) = said(&[&[22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3]]).await;
    assert!(matches!(error, TlsError::Protocol(_)), "{error}");
    assert!(is_alert(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_peer_that_closes_early_is_told_from_one_that_speaks_nonsense() {
    for bytes in [&[][..], &[22, 3, 1], &[22, 3, 1, 0, 200, 1, 0]] {
        let (error, _) = said(&[bytes]).await;
        assert!(matches!(error, TlsError::Closed), "{error}");
    }
}

#[tokio::test]
async fn old_versions_are_refused_by_name() {
    // A hello of TLS 1.0: version, random, no session, two suites, no compression, no extensions.
    let mut hello = vec![3, 1];
    hello.extend([9; 32]);
    hello.extend([0, 0, 4, 0, 0x2f, 0, 0x35, 1, 0]);
    let length = u8::try_from(hello.len()).unwrap();
    let record = [vec![22, 3, 1, 0, length + 4, 1, 0, 0, length], hello].concat();
    let (error, answer) = said(&[&record]).await;
    assert!(matches!(error, TlsError::Protocol(_)), "{error}");
    assert!(is_alert(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_told_by_the_client() {
    let (mut one, other) = tcp().await;
    let client = TlsClient::builder().dangerous_accept_any_certificate().build().unwrap();
    let server = async {
        let mut hello = [0; 64];
        one.read_exact(&mut hello).await.unwrap();
        one.write_all(b"220 ftp.test ready\r\n").await.unwrap();
        one.shutdown().await.unwrap();
    };
    let (error, ()) = within(async {
        tokio::join!(async { client.connect(other, "localhost").await.unwrap_err() }, server)
    })
    .await;
    assert_eq!(error.to_string(), "the peer does not speak TLS");
}

#[tokio::test]
async fn a_server_that_hangs_up_is_told_by_the_client() {
    let (authority, _) = localhost();
    let (one, other) = tcp().await;
    drop(one);
    let error = within(client_of(&authority).connect(other, "localhost")).await.unwrap_err();
    assert!(matches!(error, TlsError::Closed | TlsError::Io(_)), "{error}");
}

#[tokio::test]
async fn tls_does_not_run_over_records() {
    let (authority, server) = localhost();
    let (one, other) = rustix::net::socketpair(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::SEQPACKET,
        rustix::net::SocketFlags::CLOEXEC | rustix::net::SocketFlags::NONBLOCK,
        None,
    )
    .map(|(one, other)| {
        let record = sockeye::socket::StreamKind::Seqpacket;
        let stream = |end| sockeye::Stream::from_fd(end, record).unwrap();
        (stream(one), stream(other))
    })
    .unwrap();
    let message = "TLS needs a byte stream: it does not run over seqpacket";
    assert_eq!(server.accept(one).await.unwrap_err().to_string(), message);
    let refused = client_of(&authority).connect(other, "localhost").await;
    assert_eq!(refused.unwrap_err().to_string(), message);
}
