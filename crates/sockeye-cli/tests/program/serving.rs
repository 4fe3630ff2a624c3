//! `sockeye serve`: what it tells, and what it serves, under every model.

use std::{fs, os::fd::OwnedFd};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use sockeye_testkit::peer;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpStream,
    process::Command,
};

use super::running::{Running, Serving, feed, folder, get, quieten, run, sockeye, within};

const ANY_PORT: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// Asks with curl and gives what it prints.
async fn curl(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(peer::require("curl")?);
    quieten(&mut command).args(["-sS", "--max-time", "20"]).args(arguments);
    let ended = feed(command, b"").await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    Some(String::from_utf8(ended.out).unwrap())
}

#[tokio::test]
async fn the_ready_line_has_the_schema_that_scripts_rely_on() {
    let folder = folder();
    let socket = folder.path().join("web.sock");
    let unix = format!("unix://{}", socket.display());
    let arguments = ["--listen", "127.0.0.1:0", "--listen", &unix, "--model", "percore:1"];
    let serving = Serving::start(folder.path(), &arguments).await;
    let address = serving.ready["listeners"][0]["address"].as_str().unwrap();
    let port: u16 = address.strip_prefix("tcp://127.0.0.1:").unwrap().parse().unwrap();
    assert_ne!(port, 0);
    let url = format!("http://127.0.0.1:{port}/");
    let expected = json!({
        "ready": true,
        "listeners": [
            { "protocol": "http", "address": address, "url": url, "urls": [url] },
            { "protocol": "http", "address": unix, "url": null, "urls": [] },
        ],
        "data": null,
        "folder": folder.path().canonicalize().unwrap(),
        "model": "percore:1",
        "fingerprint": null,
        "initial_password": null,
    });
    assert_eq!(serving.ready, expected);
    let (out, _) = serving.running.stop().await;
    assert_eq!(out, "", "standard output has the ready line alone");
}

#[tokio::test]
async fn the_table_says_what_is_shared_where_and_how_to_stop() {
    let folder = folder();
    let mut command = sockeye(&["serve", "--listen", "localhost:0", "--workers", "1"]);
    let mut running = Running::start(command.arg(folder.path()));
    let shared = folder.path().canonicalize().unwrap();
    assert_eq!(running.line().await, format!("Folder  {}, for reading", shared.display()));
    let open = running.line().await;
    assert!(open.starts_with("Open    http://127.0.0.1:"), "{open}");
    let mut line = running.line().await;
    if line.contains("[::1]") {
        line = running.line().await;
    }
    assert_eq!(line, "Model   tasks, 1 thread");
    assert_eq!(running.line().await, "Stop    Ctrl-C");
    running.stop().await;
}

#[tokio::test]
async fn every_model_serves_the_same_folder() {
    let folder = folder();
    for model in ["iterative", "pool:2", "threads:8", "fork:8", "prefork:2", "tasks", "percore:2"] {
        let arguments = [&ANY_PORT[..], &["--model", model]].concat();
        let serving = Serving::start(folder.path(), &arguments).await;
        assert_eq!(serving.ready["model"], model);
        let (one, other) = tokio::join!(
            get(serving.host_port(), "/hello.txt"),
            get(serving.host_port(), "/sub/inner.txt")
        );
        assert!(one.ends_with("\r\n\r\nhello\n") && other.ends_with("\r\n\r\ninner\n"), "{model}");
        assert!(get(serving.host_port(), "/none").await.starts_with("HTTP/1.1 404 "), "{model}");
        serving.running.stop().await;
    }
}

#[tokio::test]
async fn a_connection_that_says_nothing_holds_no_place_of_an_iterative_server() {
    let folder = folder();
    let arguments = [&ANY_PORT[..], &["--model", "iterative"]].concat();
    let serving = Serving::start(folder.path(), &arguments).await;
    // As browsers do that connect ahead.
    let idle = TcpStream::connect(serving.host_port()).await.unwrap();
    let answer = get(serving.host_port(), "/hello.txt").await;
    assert!(answer.ends_with("hello\n"));
    let (_, err) = serving.running.stop().await;
    assert!(err.contains("stopped after 1 connection;"), "the idle one was accepted: {err}");
    drop(idle);
}

#[tokio::test]
async fn an_answer_at_capacity_closes_its_connection() {
    let Some(curl) = peer::require("curl") else { return };
    let folder = folder();
    let arguments = [&ANY_PORT[..], &["--model", "iterative"]].concat();
    let serving = Serving::start(folder.path(), &arguments).await;
    let mut command = Command::new(curl);
    quieten(&mut command).args(["-sSi", "--max-time", "20", &serving.url("hello.txt")]);
    let answer = feed(command, b"").await;
    assert!(answer.text().to_ascii_lowercase().contains("\r\nconnection: close\r\n"), "{answer:?}");
    serving.running.stop().await;
}

#[tokio::test]
async fn curl_gets_files_ranges_and_listings() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &ANY_PORT).await;
    let Some(file) = curl(&[&serving.url("hello.txt")]).await else { return };
    assert_eq!(file, "hello\n");
    assert_eq!(curl(&["-r", "1-3", &serving.url("hello.txt")]).await.unwrap(), "ell");
    let listing = curl(&["-H", "Accept: application/json", &serving.url("")]).await.unwrap();
    let names = serde_json::from_str::<serde_json::Value>(&listing).unwrap().to_string();
    assert!(names.contains("hello.txt") && names.contains("sub"), "{names}");
    serving.running.stop().await;
}

#[tokio::test]
async fn a_unix_socket_serves_as_well_and_is_gone_afterwards() {
    let folder = folder();
    let sockets = tempfile::tempdir().unwrap();
    let socket = sockets.path().join("web.sock");
    let listen = format!("http+unix://{}?mode=0600", socket.display());
    let serving = Serving::start(folder.path(), &["--listen", &listen]).await;
    let path = socket.to_str().unwrap();
    if let Some(file) = curl(&["--unix-socket", path, "http://localhost/hello.txt"]).await {
        assert_eq!(file, "hello\n");
    }
    serving.running.stop().await;
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_socket_from_the_service_manager_serves_and_the_manager_is_told() {
    let folder = folder();
    let manager = tempfile::tempdir().unwrap();
    let name = manager.path().join("notify");
    let told = tokio::net::UnixDatagram::bind(&name).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut command = Command::new("/bin/sh");
    quieten(&mut command)
        .args(["-c", "LISTEN_PID=$$ exec \"$0\" \"$@\" 3<&0 </dev/null"])
        .arg(env!("CARGO_BIN_EXE_sockeye"))
        .args(["serve", "--json", "--listen", "fd://web"])
        .arg(folder.path())
        .env("LISTEN_FDS", "1")
        .env("LISTEN_FDNAMES", "web")
        .env("NOTIFY_SOCKET", &name)
        .stdin(OwnedFd::from(listener));
    let serving = Serving::ready(&mut command).await;
    assert_eq!(serving.ready["listeners"][0]["url"], format!("http://127.0.0.1:{port}/"));
    let mut message = [0; 512];
    loop {
        let length = within(told.recv(&mut message)).await.unwrap();
        if message[..length].starts_with(b"READY=1") {
            break;
        }
    }
    assert!(get(serving.host_port(), "/hello.txt").await.ends_with("hello\n"));
    serving.running.stop().await;
}

#[tokio::test]
async fn index_files_and_listings_are_as_asked_for() {
    let folder = folder();
    fs::write(folder.path().join("start.htm"), "start\n").unwrap();
    let arguments = [&ANY_PORT[..], &["--index", "none.htm", "--index", "start.htm"]].concat();
    let serving =
        Serving::start(folder.path(), &[&arguments[..], &["--listing", "off"]].concat()).await;
    assert!(get(serving.host_port(), "/").await.ends_with("start\n"));
    let refused = get(serving.host_port(), "/sub/").await;
    assert!(!refused.starts_with("HTTP/1.1 200 ") && !refused.contains("inner.txt"), "{refused}");
    serving.running.stop().await;
}

#[tokio::test]
async fn hidden_files_are_served_only_if_asked_for() {
    let folder = folder();
    fs::create_dir(folder.path().join(".git")).unwrap();
    fs::write(folder.path().join(".git/config"), "hidden\n").unwrap();
    for (argument, served) in [(&[][..], false), (&["--hidden"], true)] {
        let serving = Serving::start(folder.path(), &[&ANY_PORT[..], argument].concat()).await;
        for path in ["/.git/config", "/%2egit/config"] {
            let answer = get(serving.host_port(), path).await;
            assert_eq!(answer.ends_with("\r\n\r\nhidden\n"), served, "{path}: {answer}");
            assert_eq!(answer.starts_with("HTTP/1.1 404 "), !served, "{path}: {answer}");
        }
        assert_eq!(get(serving.host_port(), "/").await.contains(".git/"), served);
        serving.running.stop().await;
    }
}

#[tokio::test]
async fn loopback_listeners_answer_to_their_own_names_and_to_those_given() {
    let folder = folder();
    let arguments = [&ANY_PORT[..], &["--host", "photos.example"]].concat();
    let serving = Serving::start(folder.path(), &arguments).await;
    for (host, served) in [("photos.example", true), ("rebound.example", false)] {
        let host = format!("Host: {host}");
        let arguments = ["-w", "%{http_code}", "-o", "/dev/null", "-H", &host, &serving.url("")];
        let Some(code) = curl(&arguments).await else { return };
        assert_eq!(code == "200", served, "{host}: {code}");
    }
    serving.running.stop().await;
}

#[tokio::test]
async fn the_access_log_has_a_line_for_each_request_under_every_kind_of_model() {
    let folder = folder();
    for model in ["tasks", "threads:2", "fork:2", "prefork:1"] {
        let arguments = [&ANY_PORT[..], &["--model", model, "--access-log=-"]].concat();
        let mut serving = Serving::start(folder.path(), &arguments).await;
        get(serving.host_port(), "/hello.txt").await;
        // Standard output has the ready line and nothing else.
        let line = serving.running.told("GET ").await;
        assert!(line.starts_with("127.0.0.1 - - ["), "{model}: {line}");
        assert!(line.contains("\"GET /hello.txt HTTP/1.1\" 200 6 "), "{model}: {line}");
        assert_eq!(serving.running.stop().await.0, "", "{model}");
    }
}

#[tokio::test]
async fn the_access_log_follows_the_table_on_standard_output() {
    let folder = folder();
    let mut command = sockeye(&["serve", "--listen", "127.0.0.1:0", "--access-log=-"]);
    let mut running = Running::start(command.arg(folder.path()));
    let mut place = String::new();
    loop {
        let line = running.line().await;
        if let Some((_, url)) = line.split_once("http://") {
            place = url.trim_end_matches('/').to_owned();
        }
        if line.starts_with("Stop") {
            break;
        }
    }
    get(&place, "/hello.txt").await;
    assert!(running.line().await.contains("\"GET /hello.txt HTTP/1.1\" 200 6 "));
    assert_eq!(running.stop().await.0, "");
}

#[tokio::test]
async fn with_v_each_request_is_told_on_standard_error() {
    let folder = folder();
    let mut serving = Serving::start(folder.path(), &[&ANY_PORT[..], &["-v"]].concat()).await;
    get(serving.host_port(), "/hello.txt").await;
    serving.running.told("\"GET /hello.txt HTTP/1.1\" 200 6 ").await;
    assert_eq!(serving.running.stop().await.0, "");
}

#[tokio::test]
async fn the_access_log_is_opened_anew_on_sighup() {
    let folder = folder();
    let logs = tempfile::tempdir().unwrap();
    let (log, moved) = (logs.path().join("log"), logs.path().join("log.1"));
    let arguments = [&ANY_PORT[..], &["--access-log", log.to_str().unwrap()]].concat();
    let serving = Serving::start(folder.path(), &arguments).await;
    get(serving.host_port(), "/hello.txt").await;
    fs::rename(&log, &moved).unwrap();
    serving.running.signal(Signal::HUP);
    // The signal has been obeyed when the file is there again.
    within(async {
        while !log.exists() {
            get(serving.host_port(), "/sub/inner.txt").await;
        }
    })
    .await;
    get(serving.host_port(), "/last").await;
    serving.running.stop().await;
    assert!(fs::read_to_string(&moved).unwrap().contains("GET /hello.txt"));
    let new = fs::read_to_string(&log).unwrap();
    assert!(new.contains("GET /last") && !new.contains("GET /hello.txt"), "{new}");
}

#[tokio::test]
async fn a_taken_port_is_named_and_nothing_else_is_tried() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &ANY_PORT).await;
    let taken = serving.host_port();
    let ended = run(&["serve", "--listen", taken, folder.path().to_str().unwrap()]).await;
    assert_eq!((ended.code, ended.text()), (Some(6), ""));
    let first = format!("error: cannot listen on tcp://{taken}: the address is in use");
    assert!(ended.err.starts_with(&first), "{}", ended.err);
    assert!(ended.err.contains("hint: `--listen http+tcp://127.0.0.1:0`"), "{}", ended.err);
    serving.running.stop().await;
}

#[tokio::test]
async fn a_listener_named_twice_is_said_to_be_our_own() {
    let folder = folder();
    let addr = format!("unix://{}", folder.path().join("s").display());
    let ended = run(&["serve", "-l", &addr, "-l", &addr, folder.path().to_str().unwrap()]).await;
    let own = "this program itself listens there already: leave one of them out";
    assert_eq!(ended.err, format!("error: cannot listen on {addr}: {own}\n"));
    assert_eq!(ended.code, Some(6));
}

#[tokio::test]
async fn a_standard_error_that_nobody_reads_ends_nothing() {
    let folder = folder();
    let (nobody, closed) = std::io::pipe().unwrap();
    drop(nobody);
    // Everything is logged, into nowhere.
    let mut command = sockeye(&["-vvv", "serve", "--json", "--listen", "127.0.0.1:0"]);
    let mut child = command.arg(folder.path()).stderr(closed).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = within(lines.next_line()).await.unwrap().expect("a ready line");
    let ready: serde_json::Value = serde_json::from_str(&ready).unwrap();
    let place = ready["listeners"][0]["address"].as_str().unwrap().strip_prefix("tcp://").unwrap();
    assert!(get(place, "/hello.txt").await.ends_with("hello\n"));
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert!(within(child.wait()).await.unwrap().success());
}

#[tokio::test]
async fn cleartext_for_others_is_warned_of_and_for_this_machine_is_not() {
    let folder = folder();
    // On all addresses, and yet on loopback alone.
    let all = "tcp://0.0.0.0:0?interface=lo";
    for (arguments, warned) in [
        (&["--listen", all][..], true),
        (&["--listen", all, "--tls"], false),
        (&["--listen", "127.0.0.1:0"], false),
    ] {
        let serving = Serving::start(folder.path(), arguments).await;
        let (_, err) = serving.running.stop().await;
        assert_eq!(err.contains("is cleartext and reachable"), warned, "{arguments:?}: {err}");
    }
}

#[tokio::test]
async fn no_qr_code_is_drawn_of_what_only_this_machine_reaches() {
    let folder = folder();
    let mut command = sockeye(&["serve", "--listen", "127.0.0.1:0", "--qr"]);
    let mut running = Running::start(command.arg(folder.path()));
    running.told("no QR code: nothing here can be reached from a telephone").await;
    let (out, _) = running.stop().await;
    assert!(!out.contains(['▀', '▄', '█']) && out.matches("http://").count() == 1, "{out}");
}

#[tokio::test]
async fn a_browser_is_opened_where_there_is_one() {
    let folder = folder();
    let bin = tempfile::tempdir().unwrap();
    let opened = bin.path().join("opened");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &opened,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let script = format!("#!/bin/sh\nprintf %s \"$1\" >{}\n", opened.display());
    fs::write(bin.path().join("xdg-open"), script).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(bin.path().join("xdg-open"), executable).unwrap();
    let mut command = sockeye(&["serve", "--json", "--open", "--listen", "127.0.0.1:0"]);
    let path = format!("{}:/usr/bin:/bin", bin.path().display());
    let serving = Serving::ready(command.arg(folder.path()).env("PATH", path)).await;
    let mut reader = Command::new("cat");
    quieten(&mut reader).arg(&opened);
    assert_eq!(feed(reader, b"").await.text(), serving.url(""));
    serving.running.stop().await;

    let mut command = sockeye(&["serve", "--json", "--open", "--listen", "127.0.0.1:0"]);
    let mut serving = Serving::ready(command.arg(folder.path()).env("PATH", folder.path())).await;
    let told = serving.running.told("no browser was opened, as there is no xdg-open here").await;
    assert!(told.ends_with(&format!("open {}", serving.url(""))), "{told}");
    serving.running.stop().await;
}

#[tokio::test]
async fn a_browser_that_could_not_be_opened_is_told_with_the_address() {
    let folder = folder();
    let bin = tempfile::tempdir().unwrap();
    // As it ends on a machine without a browser.
    let opener = bin.path().join("xdg-open");
    fs::write(&opener, "#!/bin/sh\nexit 3\n").unwrap();
    fs::set_permissions(&opener, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for model in ["tasks", "fork:2"] {
        let arguments = ["serve", "--json", "--open", "--listen", "127.0.0.1:0", "--model", model];
        let path = format!("{}:/usr/bin:/bin", bin.path().display());
        let mut serving =
            Serving::ready(sockeye(&arguments).arg(folder.path()).env("PATH", path)).await;
        let told = serving.running.told("no browser was opened (xdg-open: exit status: 3)").await;
        assert!(told.ends_with(&format!("open {}", serving.url(""))), "{model}: {told}");
        serving.running.stop().await;
    }
}
