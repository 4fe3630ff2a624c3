//! From hosts to socket addresses.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs, UdpSocket},
};

use super::{Addr, Host};

/// What is left to do to know an address.
enum Lookup<'a> {
    /// Nothing: these are they.
    Done(Vec<SocketAddr>),
    /// Ask the system's resolver for this name.
    Name(&'a str),
}

impl Addr {
    /// Every socket address that the host stands for, in the resolver's order, each once;
    /// `icmp` and `ip` give port 0. Blocks: a name is looked up by the system's resolver
    /// (getaddrinfo), which may take many seconds and sets its own limit.
    ///
    /// `localhost` is not looked up: it is 127.0.0.1, and ::1 where the system has it
    /// (RFC 6761 §6.3). A link-local IPv6 address without a scope takes that of the
    /// `interface` option.
    ///
    /// # Errors
    /// If the name is not found, a scope is no interface of this machine, a link-local
    /// address has no scope, or the transport has no host.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        match self.lookup()? {
            Lookup::Done(addrs) => Ok(addrs),
            Lookup::Name(name) => {
                let found = (name, self.port().unwrap_or(0)).to_socket_addrs();
                self.collect(name, found.map_err(|e| no_address(name, &e))?)
            }
        }
    }

    /// [`resolve`](Self::resolve) without blocking the runtime.
    ///
    /// Cancellation safe: a look-up that is dropped goes on in the background until the
    /// resolver answers, and its answer is discarded.
    ///
    /// # Errors
    /// Those of [`resolve`](Self::resolve).
    pub async fn resolve_async(&self) -> io::Result<Vec<SocketAddr>> {
        match self.lookup()? {
            Lookup::Done(addrs) => Ok(addrs),
            Lookup::Name(name) => {
                let found = tokio::net::lookup_host((name, self.port().unwrap_or(0))).await;
                self.collect(name, found.map_err(|e| no_address(name, &e))?)
            }
        }
    }

    fn lookup(&self) -> io::Result<Lookup<'_>> {
        let port = self.port().unwrap_or(0);
        let Some(host) = self.host() else {
            let message = format!("{} has no host to resolve", self.endpoint);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        let addrs = match host {
            Host::Ip(ip) => vec![self.scoped(SocketAddr::new(*ip, port))?],
            Host::Scoped(ip, scope) => {
                let index = interface_index(scope).map_err(|e| {
                    let message =
                        format!("the scope of {host} is no interface of this machine: {e}");
                    io::Error::new(e.kind(), message)
                })?;
                vec![SocketAddrV6::new(*ip, port, 0, index).into()]
            }
            Host::Name(_) if host.is_localhost() => localhost(port),
            Host::Name(name) => return Ok(Lookup::Name(name)),
        };
        Ok(Lookup::Done(addrs))
    }

    fn collect(
        &self,
        name: &str,
        found: impl Iterator<Item = SocketAddr>,
    ) -> io::Result<Vec<SocketAddr>> {
        let mut addrs: Vec<SocketAddr> = Vec::new();
        for addr in found {
            let addr = self.scoped(addr)?;
            if !addrs.contains(&addr) {
                addrs.push(addr);
            }
        }
        if addrs.is_empty() {
            let nothing = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
            return Err(no_address(name, &nothing));
        }
        Ok(addrs)
    }

    /// Gives a link-local address its scope from the `interface` option, if it has none.
    fn scoped(&self, addr: SocketAddr) -> io::Result<SocketAddr> {
        let SocketAddr::V6(mut v6) = addr else { return Ok(addr) };
        if !v6.ip().is_unicast_link_local() || v6.scope_id() != 0 {
            return Ok(addr);
        }
        let Some(interface) = &self.options.interface else {
            let message = format!(
                "{} is link-local and needs its interface: write [{}%eth0] or ?interface=eth0",
                Host::Ip(addr.ip()),
                v6.ip()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        v6.set_scope_id(interface_index(interface)?);
        Ok(v6.into())
    }
}

fn localhost(port: u16) -> Vec<SocketAddr> {
    let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    // Asking the kernel is the only sure way: IPv6 may be compiled out, switched off, or
    // missing in this network namespace, whatever /etc/hosts says.
    let has_v6 = UdpSocket::bind((IpAddr::V6(Ipv6Addr::LOCALHOST), 0)).is_ok();
    if has_v6 { vec![v4, v6] } else { vec![v4] }
}

fn no_address(name: &str, error: &io::Error) -> io::Error {
    // What the standard library puts in front says the same as we do.
    let reason = error.to_string();
    let reason = reason.trim_start_matches("failed to lookup address information: ");
    let message = format!(
        "cannot resolve {} ({reason}): check the name and the network, or write an IP address",
        super::error::quoted(name)
    );
    io::Error::new(error.kind(), message)
}

/// The index of a network interface, given by name or as a number.
pub(crate) fn interface_index(interface: &str) -> io::Result<u32> {
    let socket = rustix::net::socket_with(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::DGRAM,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )?;
    let index = match interface.parse::<u32>() {
        Ok(index) => rustix::net::netdevice::index_to_name(&socket, index).map(|_| index),
        Err(_) => rustix::net::netdevice::name_to_index(&socket, interface),
    };
    index.map_err(|errno| {
        let error = io::Error::from(errno);
        let message = format!("no network interface {}: {error}", super::error::quoted(interface));
        io::Error::new(error.kind(), message)
    })
}
