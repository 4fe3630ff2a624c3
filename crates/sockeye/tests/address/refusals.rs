//! Every rule of the grammar broken once, and how the errors look.

use sockeye::addr::{AddrErrorKind as Kind, MAX_LEN, UnixName};

use super::{read, refusal};

/// The input with the offending part between `»` and `«`; the kind; a piece of the line.
const REFUSED: &[(&str, Kind, &str)] = &[
    // The transport.
    ("»«", Kind::Scheme, "the address is empty; write it as tcp://HOST:PORT"),
    ("»«localhost:80", Kind::Scheme, "the transport is missing; write tcp://localhost:80"),
    ("»«[::1]:80", Kind::Scheme, "write tcp://[::1]:80"),
    ("»«8080", Kind::Scheme, "write tcp://localhost:8080"),
    ("»«:8080", Kind::Scheme, "write tcp://localhost:8080"),
    ("»«/run/x.sock", Kind::Scheme, "write unix:///run/x.sock"),
    ("»«unix:/run/x.sock", Kind::Scheme, "write unix:///run/x.sock"),
    ("»«tcp:localhost:80", Kind::Scheme, "write tcp://localhost:80"),
    ("»«localhost", Kind::Scheme, "the transport is missing; write tcp://localhost:PORT"),
    ("»«example.org/index.html", Kind::Scheme, "write tcp://example.org:PORT"),
    ("»«what is this", Kind::Scheme, "write it as tcp://HOST:PORT"),
    ("»«://localhost:80", Kind::Scheme, "write one of tcp://, udp://"),
    ("»tpc«://localhost:80", Kind::Scheme, "`tpc` is not a transport; write tcp://"),
    ("»gopher«://localhost:80", Kind::Scheme, "write one of tcp://, udp://"),
    ("»https«://localhost:80", Kind::Scheme, "write tls+tcp://"),
    ("»tls«://localhost:80", Kind::Scheme, "write tls+tcp://"),
    ("tls+»«://localhost:80", Kind::Scheme, "is not a transport"),
    // Layers.
    (
        "»proxy+tls+tcp«://h:1",
        Kind::Layer,
        "wrong order: a PROXY header comes before TLS; write tls+proxy+tcp://…",
    ),
    (
        "»tls«+udp://h:1",
        Kind::Layer,
        "tls+ needs a stream of bytes, which udp is not; write udp://…",
    ),
    ("»tls«+seqpacket://@x", Kind::Layer, "which seqpacket is not"),
    ("»proxy«+unixgram://@x", Kind::Layer, "which unixgram is not"),
    ("»tls«+icmp://h", Kind::Layer, "which icmp is not"),
    ("»proxy«+ip://h?proto=1", Kind::Layer, "which ip is not"),
    ("tls+»tls«+tcp://h:1", Kind::Layer, "tls+ stands twice"),
    ("»tsl«+tcp://h:1", Kind::Layer, "`tsl` is not a layer; write tls+"),
    ("»http«+tcp://h:1", Kind::Layer, "the layers are tls+ and proxy+"),
    ("»tcp«+tcp://h:1", Kind::Layer, "write one transport"),
    // Hosts.
    ("tcp://»«:80", Kind::Host, "the host is empty; write tcp://localhost:80, or [::] in place of"),
    ("tcp://»«", Kind::Host, "the host is empty; write 127.0.0.1, [::] or localhost"),
    ("icmp://»«", Kind::Host, "the host is empty"),
    ("tcp://»«/run/x.sock", Kind::Host, "the host is empty"),
    ("tcp://»8080«", Kind::Host, "a port without a host; write tcp://localhost:8080"),
    ("tcp://»*«:80", Kind::Host, "write [::] for every address"),
    ("tcp://»::1:80«", Kind::Host, "in brackets; write tcp://[::1]:80, or [::1:80] and a port"),
    ("tcp://»2001:db8::1:99999«", Kind::Host, "write tcp://[2001:db8::1]:99999"),
    ("tcp://»fe80::1%eth0:80«", Kind::Host, "must stand in brackets"),
    ("icmp://»::1«", Kind::Host, "write [::1]"),
    ("tcp://»a:b:c«", Kind::Host, "write HOST:PORT"),
    ("tcp://»[::1«", Kind::Host, "the bracket is not closed"),
    ("tcp://»[::x]«:80", Kind::Host, "is not an IPv6 address; write it as [::1]"),
    ("tcp://»[127.0.0.1]«:80", Kind::Host, "brackets are for IPv6; write tcp://127.0.0.1:80"),
    (
        "tcp://»[::1%lo]«:80",
        Kind::Host,
        "only a link-local address (fe80::/10, ff02::/16) has a scope; write tcp://[::1]:80",
    ),
    ("tcp://»[fe80::1%]«:80", Kind::Host, "write it as [fe80::1%eth0]"),
    ("tcp://»[fe80::1%a/b]«:80", Kind::Host, "write it as [fe80::1%eth0]"),
    ("tcp://»127.0.0.256«:80", Kind::Host, "is not an IPv4 address; write four numbers"),
    ("tcp://»127.1«:80", Kind::Host, "is not an IPv4 address"),
    ("tcp://»0x7f000001«:80", Kind::Host, "is not an IPv4 address"),
    ("tcp://»a..b«:80", Kind::Host, "nothing between two dots"),
    ("tcp://»a b«:80", Kind::Host, "` ` has no place in it"),
    ("tcp://»a%20b«:80", Kind::Host, "`%` has no place in it"),
    ("tcp://»bücher.example«:80", Kind::Host, "write an international name in its xn-- form"),
    // Ports.
    ("tcp://localhost»«", Kind::Port, "the port is missing; write tcp://localhost:PORT"),
    ("tcp://d.sock»«", Kind::Port, "write tcp://d.sock:PORT, or unix://d.sock"),
    ("tcp://[::1]»«", Kind::Port, "the port is missing; write tcp://[::1]:PORT"),
    ("tcp://localhost:»«", Kind::Port, "the port is missing; write tcp://localhost:PORT"),
    ("tcp://localhost»«/x", Kind::Port, "the port is missing; write tcp://localhost:PORT"),
    ("tls+tcp://h»«?nodelay", Kind::Port, "write tls+tcp://h:PORT?nodelay"),
    ("tcp://localhost:»http«", Kind::Port, "the port `http` is not a number"),
    ("tcp://localhost:»+80«", Kind::Port, "the port `+80` is not a number"),
    ("tcp://localhost:»65536«", Kind::Port, "the port `65536` is out of range"),
    (
        "udp://[::1]:»99999999999999999999«",
        Kind::Port,
        "is out of range; write a port from 0 to 65535",
    ),
    ("tcp://[::1]»80«", Kind::Port, "no colon before the port; write tcp://[::1]:80"),
    // What an address does not have.
    (
        "tcp://»root«@localhost:80",
        Kind::Surplus,
        "an address has no user; write tcp://localhost:80",
    ),
    ("tcp://localhost:80»/«", Kind::Surplus, "a path after the port; write tcp://localhost:80"),
    ("tcp://localhost:80»/index.html«?nodelay", Kind::Surplus, "write tcp://localhost:80?nodelay"),
    ("tcp://localhost:80»#top«", Kind::Surplus, "an address has no fragment"),
    ("unix:///run/a»#b«", Kind::Surplus, "in a path write %23"),
    ("icmp://localhost»:80«", Kind::Surplus, "neither port nor path; write icmp://localhost"),
    ("ip://localhost»/x«?proto=1", Kind::Surplus, "neither port nor path"),
    // Names.
    ("unix://»«", Kind::Name, "the path is empty; write unix:///run/server.sock"),
    ("unix://»@«", Kind::Name, "the name is empty"),
    (
        "unix:///run/»%zz«",
        Kind::Name,
        "`%zz` is no percent-encoding; write %25 for the sign itself",
    ),
    ("unix:///run/»%4«", Kind::Name, "`%4` is no percent-encoding"),
    ("unix://»/run/a%00b«", Kind::Name, "a path holds no NUL"),
    ("unix://»/run/«", Kind::Name, "the path names a folder"),
    ("unix://»..«", Kind::Name, "the path names a folder"),
    ("fd://»«", Kind::Name, "the name is empty; write the name from FileDescriptorName="),
    ("fd://»a:b«", Kind::Name, "printable ASCII without a colon"),
    // Options.
    ("tcp://h:1?»«", Kind::OptionValue, "write ?NAME=VALUE&NAME=VALUE"),
    ("tcp://h:1?nodelay&»«", Kind::OptionValue, "an option is missing here"),
    ("tcp://h:1?»nodealy«=1", Kind::UnknownOption, "no option is called `nodealy`; write nodelay"),
    ("tcp://h:1?»reusaddr«=1", Kind::UnknownOption, "write reuse-address"),
    ("tcp://h:1?»colour«=1", Kind::UnknownOption, "tcp has reuse-address, reuse-port"),
    ("tcp://h:1?»Nodelay«", Kind::UnknownOption, "write nodelay"),
    (
        "tcp://h:1?nodelay=1&»nodelay=1«",
        Kind::DuplicateOption,
        "nodelay stands twice; write it once",
    ),
    ("tcp://h:1?keepalive-idle=1s&»keepalive=2s«", Kind::DuplicateOption, "keepalive stands twice"),
    (
        "udp://0.0.0.0:1?multicast-join=239.0.0.1&»multicast-join=239.0.0.1«",
        Kind::DuplicateOption,
        "write each value once",
    ),
    (
        "udp://h:1?»nodelay«",
        Kind::OptionPlace,
        "udp has no option nodelay; leave it out: it is for tcp, fd",
    ),
    ("tcp://h:1?»mode«=0600", Kind::OptionPlace, "it is for unix, unixgram, seqpacket"),
    ("tcp://h:1?»proto«=1", Kind::OptionPlace, "it is for ip"),
    ("icmp://h?»hdrincl«", Kind::OptionPlace, "it is for ip"),
    (
        "tcp://h:1?»trust«=10.0.0.0/8",
        Kind::OptionPlace,
        "trust is for addresses with a PROXY header; write proxy+tcp://…",
    ),
    ("tcp://127.0.0.1:1?»v6only=1«", Kind::OptionPlace, "v6only is for IPv6, the host is IPv4"),
    ("udp://0.0.0.0:1?ttl=1&»multicast-join=ff02::1«", Kind::OptionPlace, "different IP versions"),
    ("udp://[::]:1?v6only&»multicast-join=239.0.0.1«", Kind::OptionPlace, "different IP versions"),
    (
        "tcp://h:1?nodelay=»2«",
        Kind::OptionValue,
        "nodelay: `2` is neither on nor off; write 1 or 0",
    ),
    (
        "tcp://h:1?backlog»«",
        Kind::OptionValue,
        "backlog: the value is missing; write a number from 1 to 65535",
    ),
    ("tcp://h:1?backlog=»«", Kind::OptionValue, "backlog: the value is missing"),
    ("tcp://h:1?backlog=»x«", Kind::OptionValue, "`x` is not a number"),
    (
        "tcp://h:1?backlog=»70000«",
        Kind::OptionValue,
        "out of range; write a number from 1 to 65535",
    ),
    ("tcp://h:1?ttl=»0«", Kind::OptionValue, "write a number from 1 to 255"),
    ("tcp://h:1?keepalive-count=»128«", Kind::OptionValue, "write a number from 1 to 127"),
    ("tcp://h:1?keepalive=»30«", Kind::OptionValue, "`30` has no unit; write 30s or 30ms"),
    ("tcp://h:1?keepalive-idle=»200ms«", Kind::OptionValue, "not a whole number of seconds"),
    ("tcp://h:1?keepalive-idle=»10h«", Kind::OptionValue, "write a time from 1s to 32767s"),
    ("tcp://h:1?linger=»on«", Kind::OptionValue, "is not a duration"),
    (
        "tcp://h:1?send-buffer=»64K«",
        Kind::OptionValue,
        "send-buffer: `64K` has no full unit; write 64KiB",
    ),
    (
        "tcp://h:1?send-buffer=»1: 2«",
        Kind::OptionValue,
        "send-buffer: `1: 2` is not a size; write it as 64KiB",
    ),
    (
        "tcp://h:1?send-buffer=»99999999999999999999«",
        Kind::OptionValue,
        "is more than 64 bits can hold; write a smaller one",
    ),
    ("tcp://h:1?send-buffer=»0«", Kind::OptionValue, "write a size from 1B to 1023MiB"),
    ("tcp://h:1?recv-buffer=»4GiB«", Kind::OptionValue, "out of range"),
    ("unix:///x?mode=»0999«", Kind::OptionValue, "write permission bits in octal, as 0660"),
    ("unix:///x?mode=»4755«", Kind::OptionValue, "`4755` is no file mode"),
    (
        "udp://h:1?multicast-join=»10.0.0.1«",
        Kind::OptionValue,
        "no multicast group; write it as 239.1.2.3",
    ),
    ("udp://h:1?interface=»a/b«", Kind::OptionValue, "write it as eth0"),
    (
        "proxy+tcp://h:1?trust=»10.0.0.1/8«",
        Kind::OptionValue,
        "has bits set after its prefix; write 10.0.0.0/8",
    ),
    ("proxy+tcp://h:1?trust=»10.0.0.0/8,x«", Kind::OptionValue, "`x` is not a block of addresses"),
    ("ip://h»«", Kind::MissingOption, "ip:// needs the protocol; add ?proto=N"),
    ("ip://h?proto=»ospff«", Kind::OptionValue, "write ospf"),
    ("ip://h?proto=»0«", Kind::OptionValue, "write a number from 1 to 255"),
    ("ip://h?proto=»256«", Kind::OptionValue, "or a name such as icmp"),
    ("ip://h?proto=1&»proto=2«", Kind::DuplicateOption, "proto stands twice"),
];

#[test]
fn an_error_names_the_part_that_is_wrong_and_the_way_out() {
    for (marked, kind, expected) in REFUSED {
        let (before, rest) = marked.split_once('»').unwrap();
        let (part, after) = rest.split_once('«').unwrap();
        let error = refusal(&format!("{before}{part}{after}"));
        let span = before.len()..before.len() + part.len();
        assert_eq!((error.span(), error.kind()), (span, *kind), "{marked}\n{}", error.report());
        let line = error.to_string();
        assert!(line.contains(expected), "{marked}\n{line}");
    }
}

#[test]
fn a_name_longer_than_the_kernel_has_room_for_is_refused() {
    let room = UnixName::MAX_LEN;
    for prefix in ["unix:///", "seqpacket://@"] {
        let fits = format!("{prefix}{}", "x".repeat(room - usize::from(prefix.ends_with("//"))));
        let fits = &fits[..prefix.len() + room - usize::from(!prefix.ends_with('@'))];
        assert_eq!(read(fits).to_string(), fits);
        let error = refusal(&format!("{fits}x"));
        assert_eq!(error.kind(), Kind::Name);
        assert!(error.message().contains("108 bytes long; the system allows 107"), "{error}");
    }
    let encoded = format!("unix://@{}", "%FF".repeat(room));
    assert_eq!(read(&encoded).to_string(), encoded, "it is the decoded bytes that count");
}

#[test]
fn an_endless_address_is_refused_and_not_kept() {
    let error = refusal(&format!("tcp://h:1?{}", "é".repeat(1 << 20)));
    assert_eq!(error.kind(), Kind::TooLong);
    assert!(error.input().len() <= MAX_LEN);
    assert!(error.to_string().len() < 1024 && error.report().to_string().len() < 4096);
    let many: Vec<_> = (0..300).map(|i| format!("10.{}.{}.0/24", i / 250, i % 250)).collect();
    let error = refusal(&format!("proxy+tcp://h:1?trust={}", many.join(",")));
    assert!(error.message().contains("too many values"), "{error}");
}

#[test]
fn the_report_points_at_the_part() {
    let report = refusal("tcp://本:80?nodelay").report().to_string();
    let expected = "`本` is not ASCII\n  tcp://本:80?nodelay\n        ^\n\
                    write an international name in its xn-- form";
    assert_eq!(report, expected);
    let report = refusal("tcp://localhost").report().to_string();
    assert!(report.contains("  tcp://localhost\n                 ^\n"), "{report}");
    let long = format!("tcp://h:1?{}&nodelay=x", "ttl=1&".repeat(200));
    let report = refusal(&long).report().to_string();
    let widest = report.lines().map(|line| line.chars().count()).max();
    assert!(widest < Some(160), "{report}");
}

#[test]
fn control_characters_of_the_input_are_never_printed() {
    let hostile = "\u{1b}[2J\r\u{202e}\0";
    for text in [
        hostile.to_owned(),
        format!("{hostile}://h:1"),
        format!("{hostile}+tcp://h:1"),
        format!("tcp://{hostile}:1"),
        format!("tcp://{hostile}"),
        format!("tcp://[{hostile}]:1"),
        format!("tcp://::1%{hostile}:1"),
        format!("tcp://h:{hostile}"),
        format!("tcp://h{hostile}:1@"),
        format!("tcp://x@{hostile}"),
        format!("tcp://h:1?{hostile}=1"),
        format!("tcp://h:1?interface={hostile}"),
        format!("tcp://h:1?send-buffer={hostile}"),
        format!("tcp://h:1?linger={hostile}"),
        format!("proxy+tcp://h:1?trust={hostile}"),
        format!("unix:///{hostile}%"),
        format!("fd://{hostile}"),
    ] {
        let error = refusal(&text);
        let plain = |text: &str| !text.chars().any(|c| c.is_control() || c == '\u{202e}');
        assert!(plain(&error.to_string()), "{text:?}");
        assert!(error.report().to_string().lines().all(plain), "{text:?}");
    }
    let path = format!("unix:///{}", hostile.trim_end_matches('\0'));
    assert_eq!(read(&path).to_string(), "unix:///%1B[2J%0D%E2%80%AE");
}
