//! The rows whose transport has datagrams.

use std::net::{IpAddr, Ipv4Addr};

use sockeye::{
    Addr,
    client::{Source, connect_datagram_from},
    socket::Datagram,
};

use crate::exchange::{raw_host, serve, soon};

/// The IPv4 header that a raw socket receives in front.
const IP_HEADER: usize = 20;

/// One cell: two clients, each gets its own datagrams back; an empty one as well.
pub(crate) fn echoes(row: &str, model: &str) {
    let raw = row == "raw_ip";
    if raw && !may_open_raw_sockets() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut server, _) = serve(row, model, folder.path());
    let addr: Addr = server.addr().parse().unwrap();
    soon(async {
        let one = client(&addr, raw.then(|| raw_source(model, 1))).await;
        let other = client(&addr, raw.then(|| raw_source(model, 2))).await;
        for round in 0..4 {
            for (client, name) in [(&one, "one"), (&other, "other")] {
                let text = format!("{model} {name} {round}");
                client.send(text.as_bytes()).await.unwrap();
            }
            for (client, name) in [(&one, "one"), (&other, "other")] {
                let mut answer = receive(client, raw).await;
                // What a raw socket receives, and sends back here, has its header in front. Until
                // it is bound it hears everyone's: other tests' packets may stand before ours.
                while raw && !answer.ends_with(format!("{model} {name} {round}").as_bytes()) {
                    answer = receive(client, raw).await;
                }
                assert!(
                    answer.ends_with(format!("{model} {name} {round}").as_bytes()),
                    "{answer:?}"
                );
            }
        }
        one.send(b"").await.unwrap();
        let empty = if raw { IP_HEADER } else { 0 };
        let mut answer = receive(&one, raw).await;
        while raw && answer.len() != empty {
            answer = receive(&one, raw).await;
        }
        assert_eq!(answer.len(), empty);
    });
    let report = server.stop();
    let stats = &report["stats"];
    let packets = stats["packets"].as_u64().unwrap();
    assert!(packets == 9 || raw && packets > 9, "{report}");
    assert_eq!(stats["packets_completed"], packets, "{report}");
    for zero in ["crashes", "workers_restarted", "zygotes_restarted"] {
        assert_eq!(stats[zero], 0, "{zero}: {report}");
    }
    assert_eq!(server.seen("error"), [] as [serde_json::Value; 0]);
}

async fn client(addr: &Addr, source: Option<Source>) -> Datagram {
    connect_datagram_from(addr, source.as_ref()).await.unwrap()
}

/// What came, without a raw socket's header.
async fn receive(client: &Datagram, raw: bool) -> Vec<u8> {
    let mut space = [0; 2048];
    let n = client.recv(&mut space).await.unwrap();
    space[if raw { IP_HEADER } else { 0 }..n].to_vec()
}

/// From addresses that nobody else has: what is sent to an address reaches every raw socket there.
fn raw_source(model: &str, client: u8) -> Source {
    let [first, second, third, fourth] = raw_host(model).parse::<Ipv4Addr>().unwrap().octets();
    Source::from(IpAddr::from([first, second + client, third, fourth]))
}

/// Whether this user may; a skip is said.
fn may_open_raw_sockets() -> bool {
    let addr: Addr = "ip://127.77.9.9?proto=253".parse().unwrap();
    match sockeye::socket::DatagramSocket::bind(&addr) {
        Ok(_) => true,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            let skipped = "SKIPPED: this user may not open raw sockets\n";
            let _ = std::io::Write::write_all(&mut std::io::stderr(), skipped.as_bytes());
            false
        }
        Err(error) => panic!("{error}"),
    }
}
