//! The address grammar as its users meet it: texts, values, errors and resolution.

use sockeye::Addr;

#[test]
fn what_is_printed_is_what_was_read() {
    let canonical = [
        "tcp://localhost:9999",
        "tcp://127.0.0.1:0",
        "tcp://[::]:9999?backlog=128",
        "tls+tcp://[::1]:8443",
        "proxy+tcp://10.0.0.1:80?trust=10.0.0.0/8,192.168.1.1,2001:db8::/32",
        "tls+proxy+tcp://example.org:443",
        "tls+proxy+unix:///run/x.sock",
        "tls+fd://web",
        "udp://0.0.0.0:5353?reuse-address=1&multicast-join=224.0.0.251%eth0&multicast-join=239.1.2.3",
        "udp://[::]:5353?multicast-join=ff02::fb%eth0&multicast-ttl=1&multicast-loop=0",
        "tcp://[fe80::1%eth0]:80",
        "unix:///run/x.sock?mode=0660",
        "unix://relative.sock",
        "unix://./relative.sock",
        "unix://@abstract",
        "unix://@nul%00inside%FF",
        "unix://%40not-abstract",
        "unix:///run/a%20b%3Fc%23d%25",
        "unix:///run/文件.sock",
        "unixgram:///run/x.sock",
        "seqpacket://@x?backlog=5",
        "fd://web.socket",
        "icmp://localhost?ttl=3",
        "icmp://[::1]",
        "ip://127.0.0.1?proto=89&hdrincl=1",
        "tcp://h:1?interface=eth0&defer-accept=5s&nodelay=1&keepalive=1&keepalive-idle=1m&keepalive-interval=10s&keepalive-count=3&send-buffer=64KiB&recv-buffer=1MiB&linger=0s&ttl=64&tos=16",
        "tcp://h:1?linger=off",
    ];
    for text in canonical {
        match text.parse::<Addr>() {
            Ok(addr) => assert_eq!(addr.to_string(), text),
            Err(error) => panic!("{}", error.report()),
        }
    }
}
