//! Socket activation with descriptors that a process really inherits, and notifications to a
//! real manager's socket.
//!
//! The activated process is this test's own binary, started again: a shell moves the sockets it
//! gets as standard input and output to the numbers 3 and 4, names its own process id in
//! `LISTEN_PID` and becomes the binary, which runs one of the ignored tests below.

#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{
    env,
    ffi::OsStr,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::{
        fd::OwnedFd,
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr as UnixAddr, UnixDatagram},
    },
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::io::{FdFlags, fcntl_getfd};
use sockeye::systemd::{self, ActivationError, Notifier, State};
use sockeye_testkit::processes::end_of;

const PATIENCE: Duration = Duration::from_secs(20);

const BECOME_ACTIVATED: &str = "exec 3<&0 4<&1 </dev/null >&2; \
                                export LISTEN_PID=${FAKE_PID:-$$}; exec \"$0\" \"$@\"";

fn listener() -> (OwnedFd, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener.into(), address)
}

/// Starts this binary again, with two listeners as descriptors 3 and 4, to run one ignored test.
fn activated(test: &str, descriptors: [OwnedFd; 2], variables: &[(&str, &str)]) -> Child {
    let [third, fourth] = descriptors;
    Command::new("sh")
        .args(["-c", BECOME_ACTIVATED])
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env_remove("NOTIFY_SOCKET")
        .envs(variables.iter().copied())
        .stdin(Stdio::from(third))
        .stdout(Stdio::from(fourth))
        .spawn()
        .unwrap()
}

/// The child's end, by the signal that kills it if it takes too long.
fn finished(mut child: Child) -> ExitStatus {
    end_of(&mut child).unwrap_or_else(|| {
        child.kill().unwrap();
        child.wait().unwrap()
    })
}

fn ask(address: SocketAddr) -> String {
    let mut client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn an_activated_process_serves_the_sockets_it_was_passed_by_name() {
    let ((web, web_address), (admin, admin_address)) = (listener(), listener());
    let child = activated(
        "answers_on_the_sockets_passed",
        [web, admin],
        &[("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "web:admin")],
    );
    assert_eq!(ask(web_address), "web");
    assert_eq!(ask(admin_address), "admin");
    assert!(finished(child).success());
}

#[test]
#[ignore = "run by the test above in a process that inherits descriptors"]
fn answers_on_the_sockets_passed() {
    assert_eq!(systemd::names().unwrap(), ["web", "admin"]);
    // By name, and the second by its number.
    for (asked, name) in [("web", "web"), ("4", "admin")] {
        let mut taken = systemd::take(asked).unwrap();
        let fd = taken.pop().unwrap();
        assert!(taken.is_empty());
        assert!(fcntl_getfd(&fd).unwrap().contains(FdFlags::CLOEXEC));
        assert!(matches!(systemd::take(name), Err(ActivationError::Taken { .. })));
        let (mut client, _) = TcpListener::from(fd).accept().unwrap();
        client.write_all(name.as_bytes()).unwrap();
    }
}

#[test]
fn one_name_may_stand_for_several_sockets() {
    let ((one, one_address), (two, two_address)) = (listener(), listener());
    let child = activated(
        "answers_on_every_socket_of_one_name",
        [one, two],
        &[("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "web:web")],
    );
    assert_eq!(ask(one_address), "0");
    assert_eq!(ask(two_address), "1");
    assert!(finished(child).success());
}

#[test]
#[ignore = "run by the test above in a process that inherits descriptors"]
fn answers_on_every_socket_of_one_name() {
    for (index, fd) in systemd::take("web").unwrap().into_iter().enumerate() {
        let (mut client, _) = TcpListener::from(fd).accept().unwrap();
        client.write_all(index.to_string().as_bytes()).unwrap();
    }
}

#[test]
fn descriptors_that_are_not_there_or_not_for_us_are_refused() {
    let cases = [
        (&[("LISTEN_FDS", "2"), ("FAKE_PID", "1")][..], "LISTEN_PID is 1 but"),
        (&[("LISTEN_FDS", "900")], "which is not open"),
        (&[("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "web")], "LISTEN_FDNAMES has 1 names"),
        (&[], "LISTEN_FDS is not set"),
    ];
    for (variables, expected) in cases {
        let variables = [variables, &[("EXPECTED_ERROR", expected)]].concat();
        let descriptors = [listener().0, listener().0];
        let child = activated("is_refused_its_sockets", descriptors, &variables);
        assert!(finished(child).success(), "{expected}");
    }
}

#[test]
#[ignore = "run by the test above in a process that inherits descriptors"]
fn is_refused_its_sockets() {
    let error = systemd::take("web").unwrap_err().to_string();
    assert!(error.contains(&env::var("EXPECTED_ERROR").unwrap()), "{error}");
}

#[test]
fn a_process_started_by_hand_has_no_sockets() {
    assert!(matches!(systemd::take("web"), Err(ActivationError::NotActivated { .. })));
    assert!(matches!(systemd::names(), Err(ActivationError::NotActivated { .. })));
}

fn received(manager: &UnixDatagram) -> String {
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut buffer = [0; 4096];
    let size = manager.recv(&mut buffer).unwrap();
    String::from_utf8(buffer[..size].to_vec()).unwrap()
}

#[test]
fn a_manager_at_a_path_hears_every_state_in_one_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let notifier = Notifier::to(path.as_os_str()).unwrap();
    assert!(notifier.is_connected());
    notifier.notify(&[State::Ready, State::Status("serving"), State::MainPid(7)]).unwrap();
    assert_eq!(received(&manager), "READY=1\nSTATUS=serving\nMAINPID=7\n");
    notifier.notify(&[State::reloading()]).unwrap();
    assert!(received(&manager).starts_with("RELOADING=1\nMONOTONIC_USEC="));
}

#[test]
fn a_manager_with_an_abstract_name_is_heard_too() {
    let name = format!("sockeye-test-{}", std::process::id());
    let address = UnixAddr::from_abstract_name(&name).unwrap();
    let manager = UnixDatagram::bind_addr(&address).unwrap();
    let notifier = Notifier::to(OsStr::new(&format!("@{name}"))).unwrap();
    notifier.notify(&[State::Stopping]).unwrap();
    assert_eq!(received(&manager), "STOPPING=1\n");
}

#[test]
fn a_manager_that_went_away_is_an_error_that_names_its_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nobody");
    let notifier = Notifier::to(path.as_os_str()).unwrap();
    let error = notifier.notify(&[State::Watchdog]).unwrap_err().to_string();
    assert!(error.contains("nobody") && error.contains("NOTIFY_SOCKET"), "{error}");
}

#[test]
fn a_manager_that_does_not_read_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let others = UnixDatagram::unbound().unwrap();
    others.set_nonblocking(true).unwrap();
    while others.send_to(b"STATUS=busy", &path).is_ok() {}
    let notifier = Notifier::to(path.as_os_str()).unwrap();
    let begin = Instant::now();
    let error = notifier.notify(&[State::Ready]).unwrap_err().to_string();
    assert!(error.contains("was not reached"), "{error}");
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
    drop(manager);
}

#[test]
fn without_a_manager_nothing_is_sent() {
    assert!(!Notifier::silent().is_connected());
    Notifier::silent().notify(&[State::Ready]).unwrap();
}
