//! The address grammar as its users meet it: texts, values, errors and resolution.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6},
    path::Path,
    time::Duration,
};

use sockeye::{
    Addr,
    addr::{
        AddrError, AddrErrorKind as Kind, Cidr, Endpoint, Host, HostPort, Linger, OptionSpec, Side,
        SocketOptions, Transport, UnixName,
    },
};

#[path = "address/arbitrary.rs"]
mod arbitrary;
#[path = "address/refusals.rs"]
mod refusals;
#[path = "address/resolution.rs"]
mod resolution;

fn read(text: &str) -> Addr {
    text.parse().unwrap_or_else(|error: AddrError| panic!("{}", error.report()))
}

fn refusal(text: &str) -> AddrError {
    match text.parse::<Addr>() {
        Ok(addr) => panic!("{text} was taken for {addr:?}"),
        Err(error) => error,
    }
}

#[test]
fn what_is_printed_is_what_was_read() {
    let canonical = [
        "tcp://localhost:9999",
        "tcp://127.0.0.1:0",
        "tcp://example.org.:65535",
        "tcp://[::]:9999?v6only=1&backlog=128",
        "tls+tcp://[::1]:8443",
        "proxy+tcp://10.0.0.1:80?trust=10.0.0.0/8,192.168.1.1,2001:db8::/32",
        "tls+proxy+tcp://example.org:443",
        "tls+proxy+unix:///run/x.sock",
        "tls+proxy+fd://web?trust=::1",
        "udp://0.0.0.0:5353?reuse-address=1&multicast-join=224.0.0.251%eth0&multicast-join=239.1.2.3",
        "udp://[::]:5353?multicast-join=ff02::fb%eth0&multicast-ttl=1&multicast-loop=0",
        "tcp://[fe80::1%eth0]:80",
        "udp://[ff02::1%2]:80",
        "unix:///run/x.sock?mode=0660",
        "unix://relative.sock",
        "unix://./relative.sock",
        "unix://../relative.sock",
        "unix://@abstract",
        "unix://@nul%00inside%FF",
        "unix://%40not-abstract",
        "unix:///run/a%20b%3Fc%23d%25",
        "unix:///run/文件.sock",
        "unix:///run/with&and=and+and:and@.sock",
        "unixgram:///run/x.sock?mode=0000",
        "seqpacket://@x?backlog=5",
        "fd://web.socket",
        "fd://a%20b",
        "icmp://localhost?ttl=3",
        "icmp://[::1]",
        "icmp://[fe80::1%eth0]",
        "ip://127.0.0.1?proto=89&hdrincl=1",
        "tcp://h:1?interface=eth0&defer-accept=5s&nodelay=1&keepalive=1&keepalive-idle=1m\
         &keepalive-interval=10s&keepalive-count=3&send-buffer=64KiB&recv-buffer=1MiB\
         &linger=0s&ttl=64&tos=16",
        "tcp://h:1?linger=off",
    ];
    for text in canonical {
        assert_eq!(read(text).to_string(), text);
    }
}

#[test]
fn other_spellings_are_understood() {
    let spellings = [
        ("TCP://localhost:80", "tcp://localhost:80"),
        ("Tls+Proxy+TCP://h:1", "tls+proxy+tcp://h:1"),
        ("tcp://[0:0:0:0:0:0:0:1]:0080", "tcp://[::1]:80"),
        ("tcp://[::FFFF:1.2.3.4]:80", "tcp://[::ffff:1.2.3.4]:80"),
        ("tcp://[fe80::1%25eth0]:80", "tcp://[fe80::1%eth0]:80"),
        ("tcp://h:1?nodelay", "tcp://h:1?nodelay=1"),
        ("tcp://h:1?nodelay=off&reuse-port=yes", "tcp://h:1?reuse-port=1&nodelay=0"),
        ("tcp://h:1?reuseaddr&reuseport", "tcp://h:1?reuse-address=1&reuse-port=1"),
        ("tcp://h:1?keepalive=90s", "tcp://h:1?keepalive=1&keepalive-idle=90s"),
        ("tcp://h:1?keep-alive=0", "tcp://h:1?keepalive=0"),
        ("tcp://h:1?tos=0x10&send-buffer=65536", "tcp://h:1?send-buffer=64KiB&tos=16"),
        ("tcp://h:1?sndbuf=1kB&rcvbuf=2kib", "tcp://h:1?send-buffer=1kB&recv-buffer=2KiB"),
        ("unix:///x?mode=660", "unix:///x?mode=0660"),
        ("unix:///%41%2fb", "unix:///A/b"),
        ("ip://h?hdrincl&proto=OSPF", "ip://h?proto=89&hdrincl=1"),
        ("proxy+tcp://h:1?trust=::1&trust=10.0.0.0/8", "proxy+tcp://h:1?trust=::1,10.0.0.0/8"),
        ("proxy+tcp://h:1?trust=::ffff:10.0.0.0/104", "proxy+tcp://h:1?trust=10.0.0.0/8"),
    ];
    for (text, canonical) in spellings {
        assert_eq!(read(text).to_string(), canonical, "{text}");
    }
}

#[test]
fn values_mean_what_they_say() {
    let addr = read(
        "tls+proxy+tcp://[fe80::1%eth0]:443?keepalive=30s&linger=2s&trust=10.0.0.0/8&send-buffer=1MiB",
    );
    assert!(addr.tls && addr.proxy);
    let scoped = Host::Scoped("fe80::1".parse().unwrap(), "eth0".to_owned());
    assert_eq!(addr.endpoint, Endpoint::Tcp(HostPort { host: scoped, port: 443 }));
    assert_eq!(addr.options.keepalive, Some(true));
    assert_eq!(addr.options.keepalive_idle, Some(Duration::from_secs(30)));
    assert_eq!(addr.options.linger, Some(Linger::For(Duration::from_secs(2))));
    assert_eq!(addr.options.send_buffer, Some(1 << 20));
    assert_eq!(addr.options.trust, ["10.0.0.0/8".parse::<Cidr>().unwrap()]);

    assert_eq!(read("unix://@a%00b").unix_name(), Some(&UnixName::Abstract(b"a\0b".to_vec())));
    assert_eq!(
        read("unix:///run/%3F.sock").unix_name().and_then(UnixName::as_path),
        Some(Path::new("/run/?.sock"))
    );
    assert_eq!(read("fd://web").endpoint, Endpoint::Inherited("web".to_owned()));
    let icmp = Host::Name("localhost".to_owned());
    assert_eq!(read("icmp://localhost").endpoint, Endpoint::Icmp(icmp.clone()));
    assert_eq!(
        read("ip://localhost?proto=gre").endpoint,
        Endpoint::Ip { host: icmp, protocol: 47 }
    );
}

#[test]
fn everything_that_names_an_address_becomes_one() {
    fn take(addr: impl TryInto<Addr, Error: Into<AddrError>>) -> Result<Addr, AddrError> {
        addr.try_into().map_err(Into::into)
    }
    let text = "tcp://127.0.0.1:80".to_owned();
    let addr = read(&text);
    let socket_addr: SocketAddr = "127.0.0.1:80".parse().unwrap();
    assert_eq!(take(&*text), Ok(addr.clone()));
    assert_eq!(take(&text), Ok(addr.clone()));
    assert_eq!(take(text.clone()), Ok(addr.clone()));
    assert_eq!(take(&addr), Ok(addr.clone()));
    assert_eq!(take(socket_addr), Ok(addr.clone()));
    assert_eq!(take((socket_addr.ip(), 80)), Ok(addr.clone()));
    assert_eq!(take(addr.clone()), Ok(addr));
    assert!(take("tcp://").is_err());
    let error = std::io::Error::from(refusal("tcp://"));
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.get_ref().unwrap().is::<AddrError>());
}

#[test]
fn addresses_are_built_in_code() {
    let at: SocketAddr = "[::1]:80".parse().unwrap();
    assert_eq!(Addr::tcp(at).with_tls().to_string(), "tls+tcp://[::1]:80");
    assert_eq!(Addr::udp((IpAddr::from([0, 0, 0, 0]), 53)).to_string(), "udp://0.0.0.0:53");
    assert_eq!(
        Addr::tcp("h:1".parse::<HostPort>().unwrap()).with_proxy().to_string(),
        "proxy+tcp://h:1"
    );
    assert_eq!(Addr::unix("/run/x").to_string(), "unix:///run/x");
    assert_eq!(Addr::unixgram("x").to_string(), "unixgram://x");
    assert_eq!(Addr::seqpacket("/run/a b").to_string(), "seqpacket:///run/a%20b");
    assert_eq!(Addr::ip(at.ip(), 47).to_string(), "ip://[::1]?proto=47");
    assert_eq!(Addr::icmp("localhost".parse::<Host>().unwrap()).to_string(), "icmp://localhost");
    assert_eq!(
        read("tcp://localhost:0?ttl=3").with_socket_addr(at).to_string(),
        "tcp://[::1]:80?ttl=3"
    );
    assert_eq!(read("tcp://h:0").with_port(7).port(), Some(7));
    assert_eq!(read("unix:///x").with_port(7).port(), None);
    let link_local = SocketAddrV6::new("fe80::1".parse().unwrap(), 80, 0, 3);
    assert_eq!(Addr::tcp(SocketAddr::from(link_local)).to_string(), "tcp://[fe80::1%3]:80");
    let global = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 0, 3);
    assert_eq!(Addr::tcp(SocketAddr::from(global)).to_string(), "tcp://[::1]:80");
    let mut options = SocketOptions::default();
    options.backlog = Some(3);
    assert_eq!(read("tcp://h:1?ttl=1").with_options(options).to_string(), "tcp://h:1?backlog=3");
}

#[test]
fn an_option_set_by_name_replaces_the_earlier_value() {
    let set = |addr: &str, name, value| read(addr).with_option(name, value).map(|a| a.to_string());
    assert_eq!(set("tcp://h:1", "nodelay", "1").as_deref(), Ok("tcp://h:1?nodelay=1"));
    assert_eq!(set("tcp://h:1?backlog=1", "backlog", "2").as_deref(), Ok("tcp://h:1?backlog=2"));
    assert_eq!(
        set("tcp://h:1?keepalive-idle=5s&ttl=1", "keepalive", "9s").as_deref(),
        Ok("tcp://h:1?keepalive=1&keepalive-idle=9s&ttl=1")
    );
    assert_eq!(set("ip://h?proto=1", "proto", "gre").as_deref(), Ok("ip://h?proto=47"));
    assert_eq!(
        set("proxy+tcp://h:1?trust=::1", "trust", "::2").as_deref(),
        Ok("proxy+tcp://h:1?trust=::1,::2")
    );
    let error = set("tcp://h:1", "interface", "lo&nodelay=1").unwrap_err();
    assert_eq!((error.kind(), error.input()), (Kind::OptionValue, "interface=lo&nodelay=1"));
    assert_eq!(set("udp://h:1", "nodelay", "1").unwrap_err().kind(), Kind::OptionPlace);
    assert_eq!(set("tcp://1.2.3.4:1", "v6only", "1").unwrap_err().kind(), Kind::OptionPlace);
}

#[test]
fn a_value_that_cannot_be_written_is_found() {
    assert_eq!(read("tls+tcp://h:1").check(), Ok(()));
    assert_eq!(Addr::udp(([127, 0, 0, 1], 1)).with_tls().check().unwrap_err().kind(), Kind::Layer);
    assert_eq!(Addr::unix("").check().unwrap_err().kind(), Kind::Name);
    assert_eq!(Addr::ip(Ipv6Addr::LOCALHOST, 0).check().unwrap_err().kind(), Kind::OptionValue);
    let odd = Addr::icmp(Host::Name("127.0.0.1".to_owned()));
    assert_eq!(odd.check().unwrap_err().kind(), Kind::Surplus);
    let mut addr = read("unix:///x");
    addr.options.nodelay = Some(true);
    assert_eq!(addr.check().unwrap_err().kind(), Kind::OptionPlace);
}

#[test]
fn an_address_to_connect_to_has_no_listener_options() {
    assert_eq!(read("tcp://h:1?nodelay&ttl=3").check_side(Side::Connect), Ok(()));
    assert_eq!(read("tcp://h:1?backlog=3").check_side(Side::Listen), Ok(()));
    let error = read("tcp://h:1?ttl=3&backlog=3").check_side(Side::Connect).unwrap_err();
    assert_eq!(error.kind(), Kind::OptionPlace);
    assert_eq!(&error.input()[error.span()], "backlog", "{error}");
}

#[test]
fn transports_say_what_they_are() {
    for transport in Transport::ALL {
        assert_eq!(Transport::from_name(transport.name()), Some(*transport));
        assert!(!(transport.is_stream() && transport.is_datagram()));
        let known = transport.is_stream() || transport.is_datagram();
        assert_eq!(known, *transport != Transport::Inherited);
    }
    for local in [
        "tcp://localhost:1",
        "udp://127.8.8.8:1",
        "tcp://[::1]:1",
        "unix:///x",
        "tcp://[::ffff:127.0.0.1]:1",
    ] {
        assert!(read(local).is_local(), "{local}");
    }
    for open in ["tcp://[::]:1", "tcp://0.0.0.0:1", "tcp://localhost.example:1", "fd://web"] {
        assert!(!read(open).is_local(), "{open}");
    }
}

#[test]
fn without_trust_only_loopback_peers_are_believed() {
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let nobody = SocketOptions::default();
    assert!(nobody.trusts(ip("127.0.0.1")) && nobody.trusts(ip("::ffff:127.0.0.1")));
    assert!(!nobody.trusts(ip("10.0.0.1")));
    let some = read("proxy+tcp://h:1?trust=10.0.0.0/8").options;
    assert!(some.trusts(ip("::ffff:10.1.1.1")) && !some.trusts(ip("127.0.0.1")));
}

#[test]
fn the_documented_table_is_the_table_of_the_code() {
    let rows: Vec<String> = OptionSpec::all()
        .iter()
        .map(|spec| {
            let also: Vec<_> = spec.aliases.iter().map(|name| format!(", `{name}`")).collect();
            let transports: Vec<_> = spec.transports.iter().map(|t| t.name()).collect();
            let transports = match spec.transports.len() == Transport::ALL.len() {
                true => "all".to_owned(),
                false => transports.join(", "),
            };
            let side = if spec.listen_only { "listen" } else { "both" };
            let (name, also, value, help) = (spec.name, also.concat(), spec.notation(), spec.help);
            format!("| `{name}`{also} | {value} | {transports} | {side} | {help} |")
        })
        .collect();
    let documented = include_str!("../src/addr/grammar.md");
    let head = "| option | value | transports | side | what it does |\n|---|---|---|---|---|\n";
    let (_, after) = documented.split_once(head).unwrap();
    let (table, _) = after.split_once("\n\n").unwrap();
    assert_eq!(table, rows.join("\n"), "the rows should be:\n{}", rows.join("\n"));
}

#[test]
fn the_documented_examples_are_addresses() {
    let documented = include_str!("../src/addr/grammar.md");
    let (_, examples) = documented.split_once("# Examples").unwrap();
    let (examples, _) = examples.split_once("# Errors").unwrap();
    let examples: Vec<_> = examples.lines().filter_map(|line| line.split('`').nth(1)).collect();
    assert!(examples.len() > 5);
    for text in examples {
        assert_eq!(read(text).check(), Ok(()));
    }
}

#[test]
fn the_ipv6_wildcard_takes_ipv4_peers_unless_told_not_to() {
    let connect = |text: &str| {
        let listeners = sockeye::Listener::bind(&read(text)).unwrap();
        let port = listeners[0].addr().port().unwrap();
        std::net::TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, port)).map(drop)
    };
    assert!(connect("tcp://[::]:0").is_ok());
    assert!(connect("tcp://[::]:0?v6only=0").is_ok());
    let refused = connect("tcp://[::]:0?v6only=1").unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}
