//! Any address at all, and any text.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use proptest::{collection::vec, option, prelude::*};
use sockeye::{
    Addr,
    addr::{
        Cidr, Endpoint, Host, HostPort, Linger, MulticastGroup, OptionSpec, SocketOptions,
        Transport, UnixName,
    },
};

fn host() -> impl Strategy<Value = Host> {
    let link_local =
        any::<[u16; 4]>().prop_map(|[a, b, c, d]| [0xfe80, 0, 0, 0, a, b, c, d].into());
    prop_oneof![
        any::<IpAddr>().prop_map(Host::Ip),
        (link_local, "[a-z][a-z0-9.-]{0,14}|[1-9][0-9]{0,8}")
            .prop_map(|(ip, scope)| Host::Scoped(ip, scope)),
        "([A-Za-z0-9_-]{1,63}\\.){0,3}[a-z][a-z-]{0,20}\\.?".prop_map(Host::Name),
        Just(Host::Name("localhost".to_owned())),
    ]
}

fn host_port() -> impl Strategy<Value = HostPort> {
    (host(), any::<u16>()).prop_map(|(host, port)| HostPort { host, port })
}

/// Bytes that make a path of a socket: not empty, no NUL, no folder.
fn path() -> impl Strategy<Value = UnixName> {
    use std::os::unix::ffi::OsStringExt;
    (vec(1u8.., 0..100), prop_oneof![Just(b'x'), Just(b'@'), Just(0xff)]).prop_map(
        |(mut path, last)| {
            path.push(last);
            UnixName::Path(PathBuf::from(std::ffi::OsString::from_vec(path)))
        },
    )
}

fn unix_name() -> impl Strategy<Value = UnixName> {
    prop_oneof![path(), vec(any::<u8>(), 1..=107).prop_map(UnixName::Abstract)]
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    prop_oneof![
        host_port().prop_map(Endpoint::Tcp),
        host_port().prop_map(Endpoint::Udp),
        unix_name().prop_map(Endpoint::Unix),
        unix_name().prop_map(Endpoint::Unixgram),
        unix_name().prop_map(Endpoint::Seqpacket),
        "[ -9;-~]{1,255}".prop_map(Endpoint::Inherited),
        host().prop_map(Endpoint::Icmp),
        (host(), 1u8..).prop_map(|(host, protocol)| Endpoint::Ip { host, protocol }),
    ]
}

fn seconds() -> impl Strategy<Value = Option<Duration>> {
    option::of((1u64..=3_600).prop_map(Duration::from_secs))
}

fn blocks() -> impl Strategy<Value = Vec<Cidr>> {
    let block =
        (any::<IpAddr>(), 0u8..=128).prop_filter_map("too long", |(ip, n)| Cidr::new(ip, n));
    vec(block, 0..4).prop_map(|mut blocks| {
        blocks.sort_by_key(ToString::to_string);
        blocks.dedup();
        blocks
    })
}

fn groups() -> impl Strategy<Value = Vec<MulticastGroup>> {
    let v4 = any::<[u8; 3]>().prop_map(|[a, b, c]| IpAddr::from([239, a, b, c]));
    let v6 = any::<u16>().prop_map(|x| IpAddr::from([0xff02, 0, 0, 0, 0, 0, 0, x]));
    let group =
        (prop_oneof![v4, v6], option::of("[a-z][a-z0-9]{0,14}")).prop_map(|(ip, interface)| {
            let group = MulticastGroup::new(ip).unwrap();
            interface.map_or(group.clone(), |interface| group.on(&interface).unwrap())
        });
    vec(group, 0..4).prop_map(|mut groups| {
        groups.sort_by_key(ToString::to_string);
        groups.dedup();
        groups
    })
}

prop_compose! {
    fn flags()(
        reuse_address: Option<bool>, reuse_port: Option<bool>, v6only: Option<bool>,
        nodelay: Option<bool>, keepalive: Option<bool>, broadcast: Option<bool>,
        multicast_loop: Option<bool>, hdrincl: Option<bool>, tos: Option<u8>,
        multicast_ttl: Option<u8>,
    ) -> SocketOptions {
        let mut options = SocketOptions::default();
        options.reuse_address = reuse_address;
        options.reuse_port = reuse_port;
        options.v6only = v6only;
        options.nodelay = nodelay;
        options.keepalive = keepalive;
        options.broadcast = broadcast;
        options.multicast_loop = multicast_loop;
        options.hdrincl = hdrincl;
        options.tos = tos;
        options.multicast_ttl = multicast_ttl;
        options
    }
}

prop_compose! {
    fn all_options()(
        mut options in flags(),
        keepalive_idle in seconds(), keepalive_interval in seconds(), defer_accept in seconds(),
        linger in option::of(prop_oneof![
            Just(Linger::Off),
            (0u64..=65_535).prop_map(|s| Linger::For(Duration::from_secs(s))),
        ]),
        keepalive_count in option::of(1u32..=127),
        backlog in option::of(1u32..=65_535),
        send_buffer in option::of(1u32..1 << 30), recv_buffer in option::of(1u32..1 << 30),
        (ttl, mode) in (option::of(1u8..), option::of(0u32..=0o777)),
        (interface, multicast_interface) in (option::of("[a-z]{1,15}"), option::of("[a-z]{1,15}")),
        (trust, multicast_join) in (blocks(), groups()),
    ) -> SocketOptions {
        options.keepalive_idle = keepalive_idle;
        options.keepalive_interval = keepalive_interval;
        options.defer_accept = defer_accept;
        options.linger = linger;
        options.keepalive_count = keepalive_count;
        options.backlog = backlog;
        options.send_buffer = send_buffer;
        options.recv_buffer = recv_buffer;
        options.ttl = ttl;
        options.mode = mode;
        options.interface = interface;
        options.multicast_interface = multicast_interface;
        options.trust = trust;
        options.multicast_join = multicast_join;
        options
    }
}

/// Takes away what the transport, the layers and the host do not have.
fn fitting(addr: &mut Addr) {
    let transport = addr.transport();
    let has = |name: &str| OptionSpec::find(name).unwrap().transports.contains(&transport);
    let options = &mut addr.options;
    macro_rules! keep {
        ($($field:ident: $name:literal),*) => {
            $(if !has($name) { options.$field = Default::default(); })*
        };
    }
    keep!(reuse_address: "reuse-address", reuse_port: "reuse-port", v6only: "v6only",
        interface: "interface", backlog: "backlog", defer_accept: "defer-accept", mode: "mode",
        nodelay: "nodelay", keepalive: "keepalive", keepalive_idle: "keepalive-idle",
        keepalive_interval: "keepalive-interval", keepalive_count: "keepalive-count",
        send_buffer: "send-buffer", recv_buffer: "recv-buffer", linger: "linger", ttl: "ttl",
        tos: "tos", broadcast: "broadcast", multicast_join: "multicast-join",
        multicast_interface: "multicast-interface", multicast_ttl: "multicast-ttl",
        multicast_loop: "multicast-loop", hdrincl: "hdrincl", trust: "trust");
    if !addr.proxy {
        options.trust.clear();
    }
    match addr.endpoint.host().and_then(Host::ip) {
        Some(IpAddr::V4(_)) => {
            options.v6only = None;
            options.multicast_join.retain(|group| group.address().is_ipv4());
        }
        Some(IpAddr::V6(_)) => options.multicast_join.retain(|group| group.address().is_ipv6()),
        None => {}
    }
}

fn addr() -> impl Strategy<Value = Addr> {
    (any::<bool>(), any::<bool>(), endpoint(), all_options()).prop_map(
        |(tls, proxy, endpoint, options)| {
            let layers = endpoint.transport().takes_layers();
            let mut addr = Addr { tls: tls && layers, proxy: proxy && layers, endpoint, options };
            fitting(&mut addr);
            addr
        },
    )
}

/// Text that comes near to an address, so that a parser gets past its first line.
fn near_address() -> impl Strategy<Value = String> {
    let names: Vec<_> = OptionSpec::all().iter().map(|spec| spec.name).collect();
    let schemes: Vec<_> = Transport::ALL.iter().map(|t| t.name()).collect();
    let query = vec((prop::sample::select(names), "[-0-9a-z:.%/,&=\\[\\]é\u{0}]{0,12}"), 0..4)
        .prop_map(|pairs| pairs.iter().map(|(k, v)| format!("{k}={v}&")).collect::<String>());
    (
        "(tls\\+|proxy\\+|\\+){0,2}",
        prop::sample::select(schemes),
        "[-@/0-9a-f:.%\\[\\]*é\u{1b}]{0,24}|\\PC{0,12}",
        query,
    )
        .prop_map(|(layers, scheme, place, query)| format!("{layers}{scheme}://{place}?{query}"))
}

fn is_clean(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(addr in addr()) {
        let text = addr.to_string();
        prop_assert!(is_clean(&text), "{:?}", text);
        match text.parse::<Addr>() {
            Ok(back) => prop_assert_eq!(back, addr),
            Err(error) => prop_assert!(false, "{}", error.report()),
        }
    }

    #[test]
    fn any_text_is_answered(text in prop_oneof![any::<String>(), near_address()]) {
        match text.parse::<Addr>() {
            Ok(addr) => {
                let again = addr.to_string().parse::<Addr>();
                prop_assert_eq!(again.as_ref(), Ok(&addr), "{:?}", text);
            }
            Err(error) => {
                prop_assert_eq!(error.input(), &text);
                prop_assert!(text.get(error.span()).is_some(), "{:?} {:?}", text, error.span());
                prop_assert!(is_clean(&error.to_string()));
                prop_assert!(error.report().to_string().lines().all(is_clean));
                prop_assert!(!error.message().is_empty() && !error.remedy().is_empty());
            }
        }
    }
}
