//! Folders of any size are listed in bounded memory.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};

use sockeye::Server;
use sockeye_http::{Config, Http};
use sockeye_node::{Home, Session};
use tempfile::TempDir;

/// Memory of this process in KiB: what is resident now.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_hundred_thousand_entries_are_streamed_in_bounded_memory() {
    const ENTRIES: usize = 100_000;
    let mut config = Config::default();
    config.limits.sorted_entries = 1000;
    let folder = TempDir::new().unwrap();
    let http = Http::new(Session::guest(Home::open(folder.path()).unwrap()), config);
    let server = Server::bind("tcp://127.0.0.1:0").unwrap().signals(false);
    let server = server.with(http).workers(1).prepare().unwrap();
    let (place, handle) = (server.addrs()[0].endpoint.to_string(), server.handle());
    let place = place.strip_prefix("tcp://").unwrap();
    let serving = std::thread::Builder::new().spawn(move || drop(server.run().unwrap())).unwrap();
    for i in 0..ENTRIES {
        fs::write(folder.path().join(format!("file-number-{i:06}.txt")), "").unwrap();
    }
    for (accept, begin) in
        [("application/json", "{\"path\":\"/\""), ("text/html", "<!doctype html>")]
    {
        let mut stream = TcpStream::connect(place).unwrap();
        let request = format!(
            "GET /?all HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
        );
        let before = resident();
        stream.write_all(request.as_bytes()).unwrap();
        let (mut buf, mut seen, mut total) = (vec![0; 1 << 16], Vec::new(), 0);
        let (mut count, mut most) = (0, 0);
        loop {
            let n = stream.read(&mut buf).unwrap();
            if n == 0 {
                break;
            }
            total += n;
            // Names may be cut between two reads: the tail of the last is looked at again.
            seen.extend_from_slice(&buf[..n]);
            if total == n {
                assert!(String::from_utf8_lossy(&seen).contains(begin));
            }
            count += String::from_utf8_lossy(&seen).matches("href").count();
            seen.drain(..seen.len().saturating_sub(3));
            most = most.max(resident());
        }
        assert!((ENTRIES..ENTRIES + 10).contains(&count), "{accept}: {count}");
        assert!(total > 8 << 20, "{total} bytes");
        assert!(most.saturating_sub(before) < 8 << 10, "{accept}: {} KiB more", most - before);
    }
    handle.stop();
    serving.join().unwrap();
}
