//! `fd://`: listening sockets and connections that this process is started with.
//!
//! As in `systemd.rs` the activated process is this test's own binary, started again by a shell
//! that moves its standard input and output to the numbers 3 and 4.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    env,
    io::Read,
    net::{TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Command, Stdio},
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, poll};
use sockeye::{
    Addr, Listener,
    client::{ConnectError, connect},
    socket::{BindError, BindFault, StreamKind},
};
use tokio::io::AsyncWriteExt;

const PATIENCE: Duration = Duration::from_secs(20);

const BECOME_ACTIVATED: &str = "exec 3<&0 4<&1 </dev/null >&2; export LISTEN_PID=$$; \
                                exec \"$0\" \"$@\"";

#[test]
fn an_inherited_listener_and_an_inherited_connection_share_a_name() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut child = Command::new("sh")
        .args(["-c", BECOME_ACTIVATED])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "serves_what_it_inherited", "--ignored", "--nocapture"])
        .envs([("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "web:web")])
        .env("EXPECTED_ADDRESS", address.to_string())
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .stdout(Stdio::from(OwnedFd::from(theirs)))
        .spawn()
        .unwrap();
    ours.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(all_of(ours), "connected");
    let client = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(all_of(client), "accepted");
    assert!(child.wait().unwrap().success());
}

fn all_of(mut from: impl Read) -> String {
    let mut text = String::new();
    from.read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
#[ignore = "the activated process of an_inherited_listener_and_an_inherited_connection_share_a_name"]
async fn serves_what_it_inherited() {
    let mut stream = connect("fd://web").await.unwrap();
    assert_eq!(stream.kind(), StreamKind::Unix);
    stream.write_all(b"connected").await.unwrap();
    drop(stream);

    let addr: Addr = "proxy+fd://web?backlog=3".parse().unwrap();
    let mut bound = Listener::bind(&addr).unwrap();
    assert_eq!(bound.len(), 1);
    let listener = bound.remove(0);
    let expected = env::var("EXPECTED_ADDRESS").unwrap();
    assert_eq!(listener.addr().to_string(), format!("proxy+tcp://{expected}?backlog=3"));
    // Blocking, which nobody else here minds.
    let patience = PATIENCE.try_into().unwrap();
    let ready = poll(&mut [PollFd::new(&listener, PollFlags::IN)], Some(&patience)).unwrap();
    assert_eq!(ready, 1, "nobody has connected");
    let accepted = listener.try_accept().unwrap();
    accepted.into_stream().unwrap().write_all(b"accepted").await.unwrap();
}

#[tokio::test]
async fn a_process_started_by_hand_is_told_that_it_has_no_such_socket() {
    let error = Listener::bind(&"fd://web".parse().unwrap()).unwrap_err();
    let bind = error.get_ref().unwrap().downcast_ref::<BindError>().unwrap();
    assert!(matches!(bind.fault(), BindFault::NotInherited(_)), "{error}");
    assert!(error.to_string().starts_with("cannot listen on fd://web: "), "{error}");
    let error = connect("fd://web").await.unwrap_err();
    assert!(matches!(error, ConnectError::Lookup { .. }), "{error:?}");
}
