//! The rows whose transport has connections.

use sockeye::{
    Stream,
    client::Connect,
    tls::{Roots, TlsClient},
};
use sockeye_testkit::certificates::Authority;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::exchange::{serve, soon};

/// What each client sends, some of it in one write, some of it longer than one read.
fn message(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// One cell: every address of the server echoes, to two clients at once where the model runs two,
/// up to their half-close; then it stops, having lost nothing.
pub(crate) fn echoes(row: &str, model: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, authority) = serve(row, model, folder.path());
    let addrs = reachable(server.addrs());
    // A record of seqpacket is sent whole or not at all.
    let lengths: &[usize] = if row == "seqpacket" { &[5, 3000] } else { &[5, 200_000] };
    let mut bytes = 0;
    soon(async {
        for addr in &addrs {
            let mut first = connect(addr, &authority).await;
            exchange(&mut first, &message(lengths[0])).await;
            if model == "iterative" {
                finish(first).await;
                let mut second = connect(addr, &authority).await;
                exchange(&mut second, &message(lengths[1])).await;
                finish(second).await;
            } else {
                let mut second = connect(addr, &authority).await;
                exchange(&mut second, &message(lengths[1])).await;
                exchange(&mut first, &message(lengths[1])).await;
                bytes += lengths[1];
                finish(first).await;
                finish(second).await;
            }
            bytes += lengths.iter().sum::<usize>();
        }
    });
    let report = server.stop();
    let stats = &report["stats"];
    let connections = 2 * addrs.len();
    assert_eq!(stats["accepted"], connections, "{report}");
    assert_eq!(stats["completed"], connections, "{report}");
    assert_eq!((&stats["bytes_read"], &stats["bytes_written"]), (&bytes.into(), &bytes.into()));
    for zero in ["active", "crashes", "workers_restarted", "zygotes_restarted", "cut"] {
        assert_eq!(stats[zero], 0, "{zero}: {report}");
    }
    assert_eq!(server.seen("error"), [] as [serde_json::Value; 0]);
}

/// The addresses as clients reach them: all addresses of the machine means both loopbacks here.
fn reachable(addrs: &[String]) -> Vec<String> {
    let ports: Vec<_> =
        addrs.iter().map(|addr| addr.parse::<sockeye::Addr>().unwrap().port()).collect();
    assert!(ports.windows(2).all(|pair| pair[0] == pair[1]), "one port for all: {addrs:?}");
    addrs
        .iter()
        .flat_map(|addr| match addr.contains("[::]") {
            true => vec![addr.replace("[::]", "127.0.0.1"), addr.replace("[::]", "[::1]")],
            false => vec![addr.clone()],
        })
        .collect()
}

async fn connect(addr: &str, authority: &Authority) -> Stream {
    let connect = Connect::new(addr).unwrap();
    if !addr.starts_with("tls+") {
        return connect.connect().await.unwrap();
    }
    let roots = Roots::from_pem(authority.pem().as_bytes()).unwrap();
    connect.tls(TlsClient::builder().roots(roots).build().unwrap()).connect().await.unwrap()
}

/// Sends and reads at once, as the echo of much data would otherwise fill both buffers.
async fn exchange(stream: &mut Stream, message: &[u8]) {
    let (mut read, mut write) = tokio::io::split(stream);
    let mut answer = vec![0; message.len()];
    let (sent, received) = tokio::join!(
        async {
            write.write_all(message).await?;
            write.flush().await
        },
        read.read_exact(&mut answer)
    );
    sent.unwrap();
    received.unwrap();
    assert!(answer == message, "another answer than what was sent");
}

/// Half-closes; the server ends the connection then, cleanly.
async fn finish(mut stream: Stream) {
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    assert_eq!(stream.read_to_end(&mut rest).await.unwrap(), 0);
}
