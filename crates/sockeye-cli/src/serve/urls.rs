//! What a listener is reached by: its URLs, on all addresses of this machine if it listens on all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sockeye::{
    Addr,
    addr::{Endpoint, Host},
};
use sockeye_node::Protocol;

/// A bound listener and its URLs, the one for this machine first; none for a Unix socket.
#[derive(Debug)]
pub(super) struct Reachable {
    /// What is spoken there.
    pub(super) protocol: String,
    pub(super) addr: Addr,
    pub(super) urls: Vec<String>,
}

impl Reachable {
    /// The listener at a bound address, with its URLs.
    pub(super) fn new(protocol: &Protocol, addr: &Addr) -> Self {
        let protocol_name = protocol.name.to_owned();
        Self { protocol: protocol_name, addr: plain(addr), urls: urls(protocol, addr) }
    }
}

/// The address without its options: what others need to know.
pub(super) fn plain(addr: &Addr) -> Addr {
    Addr { options: Default::default(), ..addr.clone() }
}

/// The IP addresses that the listener is reached by.
pub(super) fn reached_by(addr: &Addr) -> Vec<IpAddr> {
    match addr.host() {
        Some(Host::Ip(ip)) if ip.is_unspecified() => {
            let both = ip.is_ipv6() && addr.options.v6only != Some(true);
            of_this_machine()
                .into_iter()
                .filter(|it| both || it.is_ipv4() == ip.is_ipv4())
                .collect()
        }
        Some(Host::Ip(ip)) => vec![*ip],
        Some(Host::Scoped(ip, _)) => vec![IpAddr::V6(*ip)],
        _ => Vec::new(),
    }
}

fn urls(protocol: &Protocol, addr: &Addr) -> Vec<String> {
    let Endpoint::Tcp(at) = &addr.endpoint else { return Vec::new() };
    let (scheme, usual) = protocol.scheme(addr.tls);
    let port = if at.port == usual { String::new() } else { format!(":{}", at.port) };
    let url = |host: String| format!("{scheme}://{host}{port}/");
    match &at.host {
        // RFC 6874: the scope behind %25.
        Host::Scoped(ip, scope) => vec![url(format!("[{ip}%25{scope}]"))],
        _ => reached_by(addr).into_iter().map(|ip| url(Host::Ip(ip).to_string())).collect(),
    }
}

/// Loopback first, then IPv4, then IPv6; without link-local addresses, which need a scope.
pub(super) fn of_this_machine() -> Vec<IpAddr> {
    let mut found: Vec<_> = match if_addrs::get_if_addrs() {
        Ok(interfaces) => interfaces.iter().map(if_addrs::Interface::ip).collect(),
        Err(error) => {
            tracing::info!(%error, "the addresses of this machine are not known");
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        }
    };
    found.retain(|ip| !matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()));
    found.sort_by_key(|ip| (!ip.is_loopback(), ip.is_ipv6(), *ip));
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::{super::PROTOCOLS, *};

    fn urls_of(addr: &str) -> Vec<String> {
        urls(&PROTOCOLS[0], &addr.parse().unwrap())
    }

    #[test]
    fn a_url_has_the_scheme_and_the_port_where_it_is_not_the_usual_one() {
        assert_eq!(urls_of("tcp://127.0.0.1:8080"), ["http://127.0.0.1:8080/"]);
        assert_eq!(urls_of("tcp://[::1]:80?backlog=9"), ["http://[::1]/"]);
        assert_eq!(urls_of("tls+tcp://[::1]:443"), ["https://[::1]/"]);
        assert_eq!(urls_of("tcp://[fe80::1%eth0]:80"), ["http://[fe80::1%25eth0]/"]);
        assert!(urls_of("unix://@x").is_empty());
    }

    #[test]
    fn a_listener_on_all_addresses_is_reached_by_each_of_its_family() {
        assert_eq!(urls_of("tcp://0.0.0.0:9")[0], "http://127.0.0.1:9/");
        assert!(urls_of("tcp://0.0.0.0:9").iter().all(|url| !url.contains('[')));
        assert_eq!(urls_of("tcp://[::]:9")[0], "http://127.0.0.1:9/");
        assert!(urls_of("tcp://[::]:9?v6only=1").iter().all(|url| url.contains('[')));
    }
}
