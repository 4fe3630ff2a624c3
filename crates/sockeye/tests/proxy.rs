//! The PROXY protocol: both formats both ways, what a peer can get wrong, and that reading a
//! header takes nothing of what follows it.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "the functions that tests share are tests too"
)]

use std::{
    error::Error,
    io,
    net::{SocketAddrV4, SocketAddrV6},
    os::fd::OwnedFd,
};

use proptest::{collection::vec, option, prelude::*, string::string_regex};
use sockeye::{
    SocketName, Stream,
    addr::UnixName,
    proxy::{
        Header, HeaderError, MAX_UNIQUE_ID, MAX_V1, MAX_V2, Origin, Protocol, Ssl, Tlv, Tlvs,
        Version, read_header, read_header_limited,
        wire::{Parsed, format, parse},
        write_header,
    },
};
use sockeye_testkit::soon;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    let client = client.unwrap();
    client.set_nodelay(true).unwrap();
    (client, server.unwrap().0)
}

fn done(bytes: &[u8]) -> (Header, usize) {
    match parse(bytes, MAX_V2) {
        Ok(Parsed::Done { header, consumed }) => (header, consumed),
        other => panic!("{bytes:x?}: {other:?}"),
    }
}

fn refused(bytes: &[u8]) -> HeaderError {
    match parse(bytes, MAX_V2) {
        Err(error) => error,
        other => panic!("{}: {other:?}", bytes.escape_ascii()),
    }
}

/// A version 2 header with the given command, family and body.
fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[command, family], &length, body].concat()
}

fn tlv(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind], &u16::try_from(value.len()).unwrap().to_be_bytes()[..], value].concat()
}

fn inet(address: &str) -> Option<SocketName> {
    Some(SocketName::Inet(address.parse().unwrap()))
}

fn tcp4() -> Header {
    let protocol = Protocol::Stream;
    let source = "203.0.113.7:50000".parse().unwrap();
    let destination = "192.0.2.1:443".parse().unwrap();
    Origin::Inet4 { protocol, source, destination }.into()
}

fn bytes(sizes: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), sizes)
}

fn text() -> impl Strategy<Value = Option<String>> {
    option::of(string_regex("[ -~é文]{0,12}").unwrap())
}

fn unix_name() -> impl Strategy<Value = UnixName> {
    prop_oneof![
        string_regex("/[!-~]{0,107}").unwrap().prop_map(|path| UnixName::Path(path.into())),
        (bytes(0..106), 1..=255_u8).prop_map(|(mut name, last)| {
            name.push(last);
            UnixName::Abstract(name)
        }),
        Just(UnixName::Unnamed),
    ]
}

fn origin() -> impl Strategy<Value = Origin> {
    let protocol = prop_oneof![Just(Protocol::Stream), Just(Protocol::Datagram)];
    let inet6 = |(ip, port): ([u8; 16], u16)| SocketAddrV6::new(ip.into(), port, 0, 0);
    let inet4 = |(ip, port): ([u8; 4], u16)| SocketAddrV4::new(ip.into(), port);
    prop_oneof![
        Just(Origin::Local),
        Just(Origin::Unknown),
        (protocol.clone(), any::<[([u8; 4], u16); 2]>()).prop_map(move |(protocol, ends)| {
            let [source, destination] = ends.map(inet4);
            Origin::Inet4 { protocol, source, destination }
        }),
        (protocol.clone(), any::<[([u8; 16], u16); 2]>()).prop_map(move |(protocol, ends)| {
            let [source, destination] = ends.map(inet6);
            Origin::Inet6 { protocol, source, destination }
        }),
        (protocol, unix_name(), unix_name()).prop_map(|(protocol, source, destination)| {
            Origin::Unix { protocol, source, destination }
        }),
    ]
}

fn other_tlvs() -> impl Strategy<Value = Vec<Tlv>> {
    vec((0xe0..=0xef_u8, bytes(0..9)).prop_map(|(kind, value)| Tlv { kind, value }), 0..3)
}

fn ssl() -> impl Strategy<Value = Option<Box<Ssl>>> {
    let texts = [text().boxed(), text().boxed(), text().boxed(), text().boxed()];
    let more = [text().boxed(), text().boxed(), text().boxed()];
    let numbers = (any::<[bool; 3]>(), any::<u32>());
    let rest = (option::of(bytes(0..99)), other_tlvs());
    option::of((numbers, texts, more, rest).prop_map(|(numbers, texts, more, rest)| {
        let mut ssl = Box::<Ssl>::default();
        let ([encrypted, on_connection, in_session], verify) = numbers;
        ssl.encrypted = encrypted;
        ssl.certificate_on_connection = on_connection;
        ssl.certificate_in_session = in_session;
        ssl.verify = verify;
        [ssl.version, ssl.common_name, ssl.cipher, ssl.signature_algorithm] = texts;
        [ssl.key_algorithm, ssl.group, ssl.signature_scheme] = more;
        (ssl.client_certificate, ssl.other) = rest;
        ssl
    }))
}

fn tlvs() -> impl Strategy<Value = Tlvs> {
    let values = (option::of(bytes(0..9)), option::of(bytes(0..MAX_UNIQUE_ID + 1)));
    (values, text(), text(), ssl(), any::<bool>(), other_tlvs()).prop_map(
        |((alpn, unique_id), authority, netns, ssl, checksum, other)| {
            let mut tlvs = Tlvs::default();
            (tlvs.alpn, tlvs.unique_id) = (alpn, unique_id);
            (tlvs.authority, tlvs.netns, tlvs.ssl) = (authority, netns, ssl);
            (tlvs.checksum, tlvs.other) = (checksum, other);
            tlvs
        },
    )
}

proptest! {
    #[test]
    fn what_version_2_writes_it_reads(origin in origin(), mut tlvs in tlvs(), after in bytes(0..9)) {
        // Receivers ignore all of a LOCAL header, so nothing else is sent in it.
        if origin == Origin::Local {
            tlvs = Tlvs::default();
        }
        let header = Header { version: Version::V2, origin, tlvs };
        let wire = format(&header).unwrap();
        let all = [&wire[..], &after].concat();
        prop_assert_eq!(done(&all), (header, wire.len()));
        for end in 0..wire.len() {
            prop_assert_eq!(parse(&wire[..end], MAX_V2), Ok(Parsed::Incomplete));
        }
    }

    #[test]
    fn what_version_1_writes_it_reads(origin in origin(), after in bytes(0..9)) {
        let sent = Header::from(origin.clone()).with_version(Version::V1);
        let wire = format(&sent).unwrap();
        prop_assert!(wire.len() <= MAX_V1);
        let (header, consumed) = done(&[&wire[..], &after].concat());
        prop_assert_eq!(consumed, wire.len());
        let expressible = matches!(
            origin,
            Origin::Inet4 { protocol: Protocol::Stream, .. }
                | Origin::Inet6 { protocol: Protocol::Stream, .. }
        );
        prop_assert_eq!(header.origin, if expressible { origin } else { Origin::Unknown });
        for end in 0..wire.len() {
            prop_assert_eq!(parse(&wire[..end], MAX_V2), Ok(Parsed::Incomplete));
        }
    }

    #[test]
    fn a_damaged_header_with_a_checksum_is_not_believed(
        tlvs in tlvs(), at in any::<prop::sample::Index>(), flip in 1..=255_u8,
    ) {
        let mut header = tcp4();
        header.tlvs = tlvs;
        header.tlvs.checksum = true;
        let mut wire = format(&header).unwrap();
        let at = at.index(wire.len());
        wire[at] ^= flip;
        if let Ok(Parsed::Done { header: parsed, .. }) = parse(&wire, MAX_V2) {
            // Undetected only where the damage unmade the checksum's own field, the header's
            // length, or made the header LOCAL.
            let unmade = !parsed.tlvs.checksum;
            prop_assert!(unmade, "{parsed:?}");
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(command in any::<u8>(), family in any::<u8>(), body in bytes(0..300)) {
        let _ = parse(&v2(command, family, &body), MAX_V2);
        let _ = parse(&v2(0x21, 0x11, &[&[0; 12], &body[..]].concat()), MAX_V2);
        let _ = parse(&[b"PROXY TCP4 ", &body[..], b"\r\n"].concat(), MAX_V2);
        let _ = parse(&body, MAX_V2);
    }
}

#[test]
fn lines_of_the_specification_are_read() {
    let line = b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\n";
    let (header, consumed) = done(line);
    assert_eq!(header.version, Version::V1);
    assert_eq!(header.source(), inet("192.168.0.1:56324"));
    assert_eq!(header.destination(), inet("192.168.0.11:443"));
    assert!(line[consumed..].starts_with(b"GET /"));

    let (header, _) = done(b"PROXY TCP6 2001:DB8::1 ::ffff:10.0.0.1 0 65535\r\n");
    assert_eq!(header.source(), inet("[2001:db8::1]:0"));

    let longest = format!("PROXY UNKNOWN {0} {0} 65535 65535\r\n", ["ffff"; 8].join(":"));
    assert_eq!(longest.len(), MAX_V1);
    for line in ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN any \r thing\r\n", &longest] {
        let (header, consumed) = done(line.as_bytes());
        assert_eq!((header.source(), consumed), (None, line.len()), "{line}");
    }
}

#[test]
fn a_line_that_is_not_exact_is_refused_with_its_bad_part() {
    for (line, part) in [
        ("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n", "end"),
        ("PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n", "source address"),
        ("PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n", "source address"),
        ("PROXY TCP4 ::1 5.6.7.8 1 2\r\n", "source address"),
        ("PROXY TCP6 1.2.3.4 ::1 1 2\r\n", "source address"),
        ("PROXY TCP4 1.2.3.4 5.6.7.8.9 1 2\r\n", "destination address"),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n", "source port"),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n", "source port"),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n", "destination port"),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", "destination port"),
        ("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n\r\n", "destination port"),
        ("PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n", "protocol"),
        ("PROXY \r\n", "protocol"),
    ] {
        match refused(line.as_bytes()) {
            HeaderError::BadLine { part: bad, .. } => assert_eq!(bad, part, "{line:?}"),
            other => panic!("{line:?}: {other}"),
        }
    }
}

#[test]
fn a_line_without_its_end_is_given_up_at_the_limit() {
    let mut line = b"PROXY UNKNOWN ".to_vec();
    line.resize(MAX_V1 - 1, b'x');
    assert_eq!(parse(&line, MAX_V2), Ok(Parsed::Incomplete));
    line.push(b'\r');
    assert!(matches!(refused(&line), HeaderError::NoLineEnd { .. }));
    line.push(b'\n');
    assert!(matches!(refused(&line), HeaderError::NoLineEnd { .. }));
}

#[test]
fn what_is_no_header_is_refused_at_its_first_wrong_byte() {
    for bytes in [&b"G"[..], b"PROXZ", b"PROXY\t", b"\r\n\r\n\0\r\nQUIX", b"\x16", b"\n"] {
        assert!(matches!(refused(bytes), HeaderError::Missing { .. }), "{bytes:?}");
        assert_eq!(parse(&bytes[..bytes.len() - 1], MAX_V2), Ok(Parsed::Incomplete), "{bytes:?}");
    }
    let message = refused(b"GET / HTTP/1.1\r\nHost: x\r\n").to_string();
    assert!(message.contains("GET / HTTP/1.1\\r\\n"), "{message}");
    // Version 3, before the rest of the header is there.
    assert_eq!(refused(&[SIGNATURE, b"\x31"].concat()), HeaderError::BadCommand(0x31));
}

#[test]
fn every_family_and_transport_of_version_2_is_read() {
    let inet4 = [203, 0, 113, 7, 192, 0, 2, 1, 0xc3, 0x50, 0x01, 0xbb];
    let (header, consumed) = done(&v2(0x21, 0x11, &inet4));
    assert_eq!((header, consumed), (tcp4(), 28));
    let (header, _) = done(&v2(0x21, 0x12, &inet4));
    assert!(matches!(header.origin, Origin::Inet4 { protocol: Protocol::Datagram, .. }));

    let inet6: Vec<u8> = (0..36).collect();
    let (header, _) = done(&v2(0x21, 0x21, &inet6));
    assert_eq!(header.source(), inet("[1:203:405:607:809:a0b:c0d:e0f]:8225"));

    let mut unix = [0; 216];
    unix[..6].copy_from_slice(b"/run/a");
    unix[109..112].copy_from_slice(b"b\0c");
    let (header, _) = done(&v2(0x21, 0x31, &unix));
    let Origin::Unix { protocol: Protocol::Stream, source, destination } = header.origin else {
        panic!("not a Unix stream")
    };
    assert_eq!(source, UnixName::Path("/run/a".into()));
    assert_eq!(destination, UnixName::Abstract(b"b\0c".to_vec()));
}

#[test]
fn local_and_unspecified_headers_leave_the_real_addresses() {
    // LOCAL: the block is skipped, whatever it holds, even a family that does not exist.
    for (family, body) in [(0x00, &[][..]), (0x11, &[1; 12]), (0xff, b"junk")] {
        let (header, consumed) = done(&v2(0x20, family, body));
        assert_eq!((header.origin, consumed), (Origin::Local, 16 + body.len()));
    }
    // UNSPEC: fields are read if there are any, and anything else is ignored.
    let (header, _) = done(&v2(0x21, 0x00, &tlv(0x02, b"example.com")));
    assert_eq!(header.tlvs.authority.as_deref(), Some("example.com"));
    assert_eq!(header.source(), None);
    let (header, _) = done(&v2(0x21, 0x00, &[1, 2, 3, 4, 5]));
    assert_eq!((header.origin, header.tlvs), (Origin::Unknown, Tlvs::default()));
    // A known family with an unspecified transport has addresses, which do not count.
    let (header, _) = done(&v2(0x21, 0x10, &[1; 12]));
    assert_eq!(header.source(), None);
}

#[test]
fn a_version_2_header_that_contradicts_itself_is_refused() {
    assert_eq!(refused(&v2(0x22, 0x11, &[0; 12])), HeaderError::BadCommand(0x22));
    assert_eq!(refused(&v2(0x11, 0x11, &[0; 12])), HeaderError::BadCommand(0x11));
    assert_eq!(refused(&v2(0x21, 0x41, &[0; 12])), HeaderError::BadFamily(0x41));
    assert_eq!(refused(&v2(0x21, 0x13, &[0; 12])), HeaderError::BadFamily(0x13));
    for (family, needed) in [(0x11, 12), (0x21, 36), (0x31, 216)] {
        let length = needed - 1;
        let error = refused(&v2(0x21, family, &vec![0; length]));
        assert_eq!(error, HeaderError::ShortAddresses { length, needed });
    }
}

#[test]
fn an_overlong_version_2_header_is_refused_before_it_has_arrived() {
    let announced = u16::try_from(MAX_V2 + 1).unwrap().to_be_bytes();
    let start = [SIGNATURE, &[0x21, 0x11], &announced].concat();
    let error = refused(&start);
    assert_eq!(error, HeaderError::TooLong { announced: MAX_V2 + 1, limit: MAX_V2 });
    assert_eq!(parse(&start, MAX_V2 + 1), Ok(Parsed::Incomplete));
}

#[test]
fn fields_that_break_their_rules_are_refused() {
    let long_id = tlv(0x05, &[7; MAX_UNIQUE_ID + 1]);
    for (fields, kind, reason) in [
        (&[0x01, 0][..], 0x01, "cut off"),
        (&[0x01, 0, 2, 0], 0x01, "cut off"),
        (&long_id, 0x05, "128"),
        (&tlv(0x02, b"\xff"), 0x02, "UTF-8"),
        (&[tlv(0x02, b"a"), tlv(0x02, b"b")].concat(), 0x02, "twice"),
        (&tlv(0x03, &[0; 3]), 0x03, "four bytes"),
        (&tlv(0x20, &[0; 4]), 0x20, "cut off"),
        (&tlv(0x20, &[&[0; 5][..], &[0x21, 0, 9]].concat()), 0x21, "cut off"),
    ] {
        match refused(&v2(0x21, 0x11, &[&[0; 12], fields].concat())) {
            HeaderError::BadTlv { kind: bad, reason: why } => {
                assert!(bad == kind && why.contains(reason), "{kind:#x}: {why}");
            }
            other => panic!("{kind:#x}: {other}"),
        }
    }
}

#[test]
fn fields_are_read_into_their_places_and_padding_is_ignored() {
    let session = [
        &[0x05, 0, 0, 0, 0][..],
        &tlv(0x21, b"TLSv1.3"),
        &tlv(0x22, b"alice"),
        &tlv(0x28, b"DER"),
        &tlv(0x2f, b"new"),
    ]
    .concat();
    let fields = [tlv(0x04, &[9; 5]), tlv(0x01, b"h2"), tlv(0x20, &session), tlv(0xea, b"x")];
    let body = [&[0; 12], &fields.concat()[..]].concat();
    let tlvs = done(&v2(0x21, 0x11, &body)).0.tlvs;
    assert_eq!(tlvs.alpn.as_deref(), Some(&b"h2"[..]));
    assert_eq!(tlvs.other, [Tlv { kind: 0xea, value: b"x".to_vec() }]);
    let ssl = tlvs.ssl.unwrap();
    assert!(ssl.encrypted && ssl.certificate_in_session && !ssl.certificate_on_connection);
    assert!(ssl.client_verified());
    assert_eq!(
        (ssl.version.as_deref(), ssl.common_name.as_deref()),
        (Some("TLSv1.3"), Some("alice"))
    );
    assert_eq!(ssl.client_certificate.as_deref(), Some(&b"DER"[..]));
    assert_eq!(ssl.other, [Tlv { kind: 0x2f, value: b"new".to_vec() }]);
}

#[test]
fn a_checksum_is_checked_wherever_it_stands() {
    let body = [&[0; 12], &tlv(0x03, &[0; 4])[..], &tlv(0x01, b"h2")].concat();
    let mut header = v2(0x21, 0x11, &body);
    let HeaderError::Checksum { announced: 0, computed } = refused(&header) else {
        panic!("a checksum of zero was believed")
    };
    header[31..35].copy_from_slice(&computed.to_be_bytes());
    assert!(done(&header).0.tlvs.checksum);
}

#[test]
fn a_value_without_room_is_refused_before_it_is_sent() {
    let with = |change: fn(&mut Header)| {
        let mut header = tcp4();
        change(&mut header);
        format(&header).unwrap_err().to_string()
    };
    let error = with(|header| header.tlvs.unique_id = Some(vec![0; MAX_UNIQUE_ID + 1]));
    assert!(error.contains("unique id has 129 bytes, 128"), "{error}");
    let error = with(|header| header.tlvs.alpn = Some(vec![0; 65536]));
    assert!(error.contains("a field has 65536"), "{error}");
    let error = with(|header| header.tlvs.alpn = Some(vec![0; 65535]));
    assert!(error.contains("the header has 65550"), "{error}");
    let error = with(|header| {
        let path = UnixName::Path("x".repeat(109).into());
        let (protocol, source) = (Protocol::Stream, UnixName::Unnamed);
        header.origin = Origin::Unix { protocol, source, destination: path };
    });
    assert!(error.contains("109 bytes, 108"), "{error}");
}

#[tokio::test]
async fn reading_a_header_takes_nothing_of_what_follows() {
    let mut large = tcp4();
    large.tlvs.alpn = Some(vec![b'x'; 3000]);
    for header in [tcp4(), tcp4().with_version(Version::V1), large, Header::local()] {
        let (mut client, mut server) = tcp_pair().await;
        write_header(&mut client, &header).await.unwrap();
        client.write_all(b"hello").await.unwrap();
        assert_eq!(soon(read_header(&mut server)).await.unwrap(), header);
        let mut rest = [0; 5];
        soon(server.read_exact(&mut rest)).await.unwrap();
        assert_eq!(&rest, b"hello");
    }
}

#[tokio::test]
async fn every_transport_of_a_stream_can_carry_a_header() {
    let (tcp, tcp_peer) = tcp_pair().await;
    let (unix, unix_peer) = std::os::unix::net::UnixStream::pair().unwrap();
    let pairs: [[OwnedFd; 2]; 2] = [
        [tcp.into_std().unwrap().into(), tcp_peer.into_std().unwrap().into()],
        [unix.into(), unix_peer.into()],
    ];
    for pair in pairs {
        let [mut client, mut server] = pair.map(|fd| Stream::adopt(fd).unwrap());
        write_header(&mut client, &tcp4()).await.unwrap();
        client.write_all(b"hello").await.unwrap();
        assert_eq!(soon(read_header(&mut server)).await.unwrap(), tcp4());
        let mut rest = [0; 5];
        soon(server.read_exact(&mut rest)).await.unwrap();
        assert_eq!(&rest, b"hello");
    }
}

#[tokio::test]
async fn a_header_in_single_bytes_is_read_as_well() {
    for version in [Version::V1, Version::V2] {
        let header = tcp4().with_version(version);
        let (mut client, mut server) = tcp_pair().await;
        let sender = async {
            for byte in [&format(&header).unwrap()[..], b"hello"].concat() {
                client.write_all(&[byte]).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let (received, ()) = soon(async { tokio::join!(read_header(&mut server), sender) }).await;
        assert_eq!(received.unwrap(), header);
        let mut rest = [0; 5];
        soon(server.read_exact(&mut rest)).await.unwrap();
        assert_eq!(&rest, b"hello");
    }
}

#[tokio::test]
async fn a_bad_or_broken_header_is_an_error_that_says_what_was_seen() {
    let whole = format(&tcp4()).unwrap();
    for (sent, kind, expected) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], io::ErrorKind::InvalidData, "begins with \"GET /"),
        (b"PROXY TCP4 1.2.3.4", io::ErrorKind::UnexpectedEof, "after 18 bytes"),
        (&whole[..20], io::ErrorKind::UnexpectedEof, "after 20 bytes"),
        (b"", io::ErrorKind::UnexpectedEof, "after 0 bytes"),
    ] {
        let (mut client, mut server) = tcp_pair().await;
        client.write_all(sent).await.unwrap();
        client.shutdown().await.unwrap();
        let error = soon(read_header(&mut server)).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(expected), "{error}");
        let source = error.get_ref().map(|source| source as &(dyn Error + 'static));
        assert!(source.is_some_and(|source| source.is::<HeaderError>()));
    }
}

#[tokio::test]
async fn the_limit_of_a_header_can_be_set() {
    let (mut client, mut server) = tcp_pair().await;
    write_header(&mut client, &tcp4()).await.unwrap();
    let error = soon(read_header_limited(&mut server, 11)).await.unwrap_err();
    assert!(error.to_string().contains("12 bytes, above the limit of 11"), "{error}");
}
