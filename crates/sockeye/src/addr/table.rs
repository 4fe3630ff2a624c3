//! The table of options: one row feeds parsing, printing, the checks and the documentation.

use std::fmt;

use super::{
    Transport,
    Transport::{Icmp, Inherited, Ip, Seqpacket, Tcp, Udp, Unix, Unixgram},
    field::{Field, KEEPALIVE_SECONDS, Slot},
};

/// Which end of a connection an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// A server binds it.
    Listen,
    /// A client connects to it.
    Connect,
}

/// One option that an address may carry in its query.
#[non_exhaustive]
pub struct OptionSpec {
    /// The name, as it is printed.
    pub name: &'static str,
    /// Other spellings that are understood.
    pub aliases: &'static [&'static str],
    /// The transports that have it.
    pub transports: &'static [Transport],
    /// Whether only a listener has it; otherwise both sides do.
    pub listen_only: bool,
    /// What it does, in one line.
    pub help: &'static str,
    pub(super) field: Field,
}

impl OptionSpec {
    /// Every option, in the order in which they are printed.
    #[must_use]
    pub fn all() -> &'static [Self] {
        OPTIONS
    }

    /// The option of that name or alias.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        OPTIONS.iter().find(|spec| spec.name == name || spec.aliases.contains(&name))
    }

    /// How its value is written, as Markdown.
    #[must_use]
    pub fn notation(&self) -> &'static str {
        self.field.notation()
    }

    /// Whether it may stand more than once.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        self.field.is_list()
    }
}

impl fmt::Debug for OptionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OptionSpec").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The slot of a field of [`SocketOptions`](super::SocketOptions).
macro_rules! slot {
    ($field:ident) => {
        Slot { get: |options| &options.$field, get_mut: |options| &mut options.$field }
    };
}

const BOUND: &[Transport] = &[Tcp, Udp];
const LISTENERS: &[Transport] = &[Tcp, Unix, Seqpacket, Inherited];
const STREAMS: &[Transport] = &[Tcp, Inherited];
const PATHS: &[Transport] = &[Unix, Unixgram, Seqpacket];
const INET: &[Transport] = &[Tcp, Udp, Inherited, Icmp, Ip];
const PACKETS: &[Transport] = &[Udp, Inherited, Icmp, Ip];
const GROUPS: &[Transport] = &[Udp, Inherited, Ip];
const RAW: &[Transport] = &[Ip];

/// A row whose option both sides have.
const fn both(
    name: &'static str,
    transports: &'static [Transport],
    field: Field,
    help: &'static str,
) -> OptionSpec {
    OptionSpec { name, aliases: &[], transports, listen_only: false, help, field }
}

/// A row whose option only a listener has.
const fn listen(
    name: &'static str,
    transports: &'static [Transport],
    field: Field,
    help: &'static str,
) -> OptionSpec {
    OptionSpec { name, aliases: &[], transports, listen_only: true, help, field }
}

/// The row, also found under other names.
const fn also(spec: OptionSpec, aliases: &'static [&'static str]) -> OptionSpec {
    let OptionSpec { name, transports, listen_only, help, field, .. } = spec;
    OptionSpec { name, aliases, transports, listen_only, help, field }
}

#[rustfmt::skip]
static OPTIONS: &[OptionSpec] = &[
    both("proto", RAW, Field::Protocol, "the IP protocol; required"),
    both("hdrincl", RAW, Field::Flag(slot!(hdrincl)), "what is sent begins with its own IP header"),
    also(both("reuse-address", BOUND, Field::Flag(slot!(reuse_address)),
        "bind although connections of an earlier run linger; default 1 for listeners of `tcp`"), &["reuseaddr"]),
    also(both("reuse-port", BOUND, Field::Flag(slot!(reuse_port)),
        "several sockets share the port, the kernel spreads the load"), &["reuseport"]),
    also(listen("v6only", BOUND, Field::Flag(slot!(v6only)),
        "an IPv6 listener takes no IPv4 peers"), &["ipv6only", "v6-only"]),
    both("interface", INET, Field::Interface(slot!(interface)), "only this network interface"),
    listen("backlog", LISTENERS, Field::Count(slot!(backlog), 1..=65_535),
        "connections that may wait to be accepted; default 4096, capped at `net.core.somaxconn`"),
    listen("defer-accept", STREAMS, Field::Seconds(slot!(defer_accept), 1..=3_600),
        "accept once data has come, or after this time"),
    listen("mode", PATHS, Field::Mode, "permission bits of the socket's file; connecting needs write permission"),
    also(both("nodelay", STREAMS, Field::Flag(slot!(nodelay)), "send small writes at once; default 1"), &["no-delay"]),
    also(both("keepalive", STREAMS, Field::KeepAlive,
        "probe a silent peer; a time is that of `keepalive-idle`"), &["keep-alive"]),
    both("keepalive-idle", STREAMS, Field::Seconds(slot!(keepalive_idle), KEEPALIVE_SECONDS),
        "silence before the first probe"),
    both("keepalive-interval", STREAMS, Field::Seconds(slot!(keepalive_interval), KEEPALIVE_SECONDS),
        "time between probes"),
    both("keepalive-count", STREAMS, Field::Count(slot!(keepalive_count), 1..=127),
        "unanswered probes until the connection is given up"),
    also(both("send-buffer", Transport::ALL, Field::Size(slot!(send_buffer)),
        "send buffer; capped at `net.core.wmem_max`"), &["sndbuf"]),
    also(both("recv-buffer", Transport::ALL, Field::Size(slot!(recv_buffer)),
        "receive buffer; capped at `net.core.rmem_max`"), &["rcvbuf", "receive-buffer"]),
    both("linger", STREAMS, Field::Linger,
        "how long closing waits for unsent data; `0s` drops it and resets the connection"),
    both("ttl", INET, Field::Byte(slot!(ttl), 1..=255), "routers that a packet may pass"),
    both("tos", INET, Field::Byte(slot!(tos), 0..=255), "traffic class byte, as `0x10`"),
    both("broadcast", PACKETS, Field::Flag(slot!(broadcast)), "allow sending to broadcast addresses"),
    listen("multicast-join", GROUPS, Field::Groups, "join this group; repeatable"),
    both("multicast-interface", GROUPS, Field::Interface(slot!(multicast_interface)),
        "the interface that multicast goes out by"),
    both("multicast-ttl", GROUPS, Field::Byte(slot!(multicast_ttl), 0..=255),
        "routers that a multicast may pass"),
    both("multicast-loop", GROUPS, Field::Flag(slot!(multicast_loop)),
        "multicasts are seen on the sending machine"),
    listen("trust", STREAMS, Field::Networks,
        "under `proxy+`: peers whose PROXY header is believed, repeatable or with commas; default loopback"),
];

/// The IP protocols that have a name here (IANA "Protocol Numbers").
pub(super) const PROTOCOLS: &[(&str, u8)] = &[
    ("icmp", 1),
    ("igmp", 2),
    ("ipip", 4),
    ("tcp", 6),
    ("udp", 17),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("icmp6", 58),
    ("ipv6-icmp", 58),
    ("ospf", 89),
    ("pim", 103),
    ("vrrp", 112),
    ("sctp", 132),
    ("udplite", 136),
    ("raw", 255),
];
