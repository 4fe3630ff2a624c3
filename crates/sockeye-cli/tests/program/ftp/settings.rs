//! What `sockeye.toml` and a listener's address say of FTP, as clients see it.

use sockeye_testkit::peer;
use tokio::process::Command;

use super::{
    super::{
        first_minute::{PASSWORD, with_password},
        node::Place,
        running::{feed, quieten},
    },
    client::Client,
};

/// The port of a listener, as it is told at the start.
fn port_of(listener: &serde_json::Value) -> u16 {
    let url = listener["url"].as_str().expect("an address").trim_end_matches('/');
    url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

/// A port that nobody has.
fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    socket.local_addr().expect("an address").port()
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_warned_of() {
    let place = Place::new();
    let serving = place.serve(&[]).await;
    place.write_config("[ftp]\naddress = \"no.such.host.invalid\"\n");
    let warned = "sockeye.toml:2: ftp.address: no.such.host.invalid does not resolve: ";
    let checked = place.run(&["config", "check"]).await;
    assert_eq!(checked.code, Some(0), "{}", checked.err);
    assert!(checked.err.contains(warned), "{}", checked.err);
    assert!(checked.text().contains("right, but for 1 warning"), "{}", checked.text());
    let reloaded = place.run(&["reload"]).await;
    assert_eq!(reloaded.code, Some(0), "{}", reloaded.err);
    assert!(reloaded.err.contains(warned), "{}", reloaded.err);
    assert!(reloaded.text().starts_with("ftp.address = "), "{}", reloaded.text());
    place.write_config("[ftp]\naddress = \"127.0.0.1\"\n");
    let reloaded = place.run(&["reload"]).await;
    assert!(!reloaded.err.contains("ftp.address"), "{}", reloaded.err);
    serving.running.stop().await;
}

#[tokio::test]
async fn ports_that_all_are_taken_are_warned_of_once_in_a_while() {
    let place = Place::new();
    place.serve(&[]).await.running.stop().await;
    with_password(&place, &["user", "add", "alice"]).await.done();
    let port = free_port();
    place.write_config(&format!("[ftp]\npassive-ports = \"{port}-{port}\"\nconnect = \"1s\"\n"));
    let serving = place.serve(&["--listen", "ftp+tcp://127.0.0.1:0"]).await;
    let at = port_of(&serving.ready["listeners"][0]);
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(Client::log_in(at, "alice", PASSWORD).await.unwrap());
    }
    // Somebody else has it.
    let _held = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    for client in &mut clients {
        client.expect(425, "EPSV").await.unwrap();
    }
    drop(clients);
    let (_, err) = serving.running.stop().await;
    let wanted = format!("all ports of ftp.passive-ports = \"{port}-{port}\" are taken");
    assert_eq!(err.matches(&wanted).count(), 1, "{err}");
}

/// What a client in TLS is told and refused: the port, the password, and whether TLS begins at once.
const PYTHON: &str = r#"
import ftplib, io, socket, ssl, sys
port, password, implicit = int(sys.argv[1]), sys.argv[2], sys.argv[3] == 'implicit'

def begun(protocols):
    context = ssl._create_unverified_context()
    context.set_alpn_protocols(protocols)
    sock = socket.create_connection(('127.0.0.1', port), timeout=30)
    if not implicit:
        lines = sock.makefile('rb')
        assert lines.readline().startswith(b'220')
        sock.sendall(b'USER alice\r\n')
        assert lines.readline().startswith(b'530'), 'TLS is required'
        sock.sendall(b'AUTH TLS\r\n')
        assert lines.readline().startswith(b'234')
    return context.wrap_socket(sock, server_hostname='127.0.0.1')

assert begun(['ftp']).selected_alpn_protocol() == 'ftp'
try:
    begun(['http/1.1']).recv(1)
    assert False, 'another protocol'
except OSError:
    pass
if not implicit:
    # Data connections of their own session, which may be.
    ftp = ftplib.FTP_TLS(context=ssl._create_unverified_context())
    ftp.connect('127.0.0.1', port, timeout=30)
    ftp.login('bob', password)
    ftp.prot_p()
    ftp.storbinary('STOR file', io.BytesIO(b'there'))
    assert 'file' in ftp.nlst()
    ftp.quit()
"#;

#[tokio::test]
async fn settings_and_options_are_what_listeners_do() {
    let Some(python) = peer::require("python3") else { return };
    let place = Place::new();
    place.serve(&[]).await.running.stop().await;
    for name in ["alice", "bob"] {
        with_password(&place, &["user", "add", name]).await.done();
    }
    // Others may have one of them by now.
    let range = free_port();
    let range = range..=range + 15;
    let (first, last) = (range.start(), range.end());
    place.write_config(&format!(
        "public = true\n[ftp]\npassive-ports = \"{first}-{last}\"\nactive = false\n\
         data-tls = \"prefer\"\nper-account = 2\ngrowing = true\n"
    ));
    let listen = [
        "ftp+tcp://127.0.0.1:0?tls=off&charset=gbk",
        "ftp+tcp://127.0.0.1:0?tls=required",
        "ftp+tls+tcp://127.0.0.1:0",
    ];
    let serving = place.serve(listen.map(|listen| ["--listen", listen]).as_flattened()).await;
    let ports = serving.ports();

    let mut client = Client::log_in(ports[0], "alice", PASSWORD).await.unwrap();
    let told = client.expect(229, "EPSV").await.unwrap();
    let port = told.split('|').nth(3).and_then(|port| port.parse().ok());
    assert!(port.is_some_and(|port: u16| range.contains(&port)), "{told}");
    client.expect(502, "PORT 127,0,0,1,200,1").await.unwrap();
    client.expect(502, "AUTH TLS").await.unwrap();
    let told = client.expect(200, "OPTS UTF8 OFF").await.unwrap();
    assert!(told.contains("gb18030"), "{told}");

    let mut second = Client::log_in(ports[0], "alice", PASSWORD).await.unwrap();
    let mut third = Client::connect(ports[0]).await.unwrap();
    third.expect(331, "USER alice").await.unwrap();
    third.expect(421, &format!("PASS {PASSWORD}")).await.unwrap();

    let data = client.begin("STOR film").await.unwrap();
    assert_eq!(second.size("film").await.unwrap(), Some(0));
    drop(data);
    client.done("STOR film").await.unwrap();
    second.quit().await.unwrap();
    client.quit().await.unwrap();

    let mut visitor = Client::connect(ports[0]).await.unwrap();
    visitor.expect(331, "USER anonymous").await.unwrap();
    visitor.expect(230, "PASS me@example.org").await.unwrap();
    visitor.expect(550, "MKD x").await.unwrap();

    for (port, kind) in [(ports[1], "explicit"), (ports[2], "implicit")] {
        let mut script = Command::new(&python);
        quieten(&mut script).args(["-c", PYTHON, &port.to_string(), PASSWORD, kind]);
        feed(script, b"").await.done();
    }
    serving.running.stop().await;
}
