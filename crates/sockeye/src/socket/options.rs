//! Setting [`SocketOptions`] on a socket, each at the time when the kernel takes it.
//!
//! | call | when | what it sets |
//! |---|---|---|
//! | [`before_bind`] | a listener or packet socket, before `bind` | everything but the two below |
//! | [`after_bind`] | the same, after `bind`, before `listen` | multicast groups |
//! | [`before_connect`] | a client's socket, before `connect` (and `bind` to a source) | everything that both sides have |
//! | [`after_accept`] | a connection just accepted | what it has not inherited |
//! | [`adopt`] | a bound socket from elsewhere | everything that can still be set |
//!
//! On Linux a connection accepted over TCP inherits from its listener `nodelay`, the
//! keep-alive settings, both buffers, `linger`, `ttl` and `tos`, so they are set once, on
//! the listener, and the first packets of a connection have them already. A Unix
//! connection inherits nothing; there [`after_accept`] sets the buffers.
//!
//! Two defaults are not the system's: a TCP listener has `reuse-address`, which on Linux
//! lets a restarted server bind at once and never lets two servers listen on one address;
//! and TCP has `nodelay`, as a server that writes its answer in pieces would wait for the
//! peer's delayed acknowledgement between them.
//!
//! Two options are applied by whoever makes the call they belong to: `backlog` by `listen`
//! ([`SocketOptions::backlog_or_default`]), `mode` by `bind`, as it is about the file. `trust`
//! belongs to the PROXY header and no socket. This module never binds, listens or connects.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    os::fd::AsFd,
};

use rustix::net::sockopt;
use socket2::{Domain, SockRef, Type};

use crate::{
    addr::{Linger, MulticastGroup, SocketOptions, interface_index},
    sys::int_option::{self, TCP_DEFER_ACCEPT},
};

/// An option that could not be set.
///
/// The functions of this module return it inside an [`io::Error`] of the same kind.
///
/// `Debug` prints what `Display` does.
#[derive(thiserror::Error)]
#[error("cannot set the socket option {option}: {source}{}", remedy(option, source))]
pub struct OptionError {
    option: &'static str,
    source: io::Error,
}

impl OptionError {
    /// The option's name in an address.
    #[must_use]
    pub fn option(&self) -> &'static str {
        self.option
    }

    /// The error number of the system, where it was the system that refused.
    #[must_use]
    pub fn raw_os_error(&self) -> Option<i32> {
        self.source.raw_os_error()
    }
}

impl From<OptionError> for io::Error {
    fn from(error: OptionError) -> Self {
        Self::new(error.source.kind(), error)
    }
}

/// Prepares a socket that will listen, or exchange packets, for `bind`.
///
/// # Errors
/// The first option that the system refuses, as an [`OptionError`].
pub fn before_bind(socket: impl AsFd, options: &SocketOptions) -> io::Result<()> {
    let target = Target::of(&socket, options)?;
    let reuse = options.reuse_address.or(target.is_tcp().then_some(true));
    set("reuse-address", reuse, |on| target.socket.set_reuse_address(on))?;
    set("reuse-port", options.reuse_port, |on| target.socket.set_reuse_port(on))?;
    target.set_v6only()?;
    target.set_interface()?;
    target.set_connection()?;
    target.set_listening()?;
    target.set_packets()
}

/// Joins the multicast groups; for a socket that is bound and does not listen yet.
///
/// A socket bound to one IPv4 address skips IPv6 groups and the other way around, as one
/// host name may stand for both; one bound to `[::]` without `v6only` takes both.
///
/// # Errors
/// The first group that the system refuses, as an [`OptionError`].
pub fn after_bind(socket: impl AsFd, options: &SocketOptions) -> io::Result<()> {
    if options.multicast_join.is_empty() {
        return Ok(());
    }
    let target = Target::of(&socket, options)?;
    options.multicast_join.iter().try_for_each(|group| target.join(group))
}

/// Prepares a client's socket for `connect`, or for `bind` to a source address.
///
/// # Errors
/// The first option that the system refuses, as an [`OptionError`].
pub fn before_connect(socket: impl AsFd, options: &SocketOptions) -> io::Result<()> {
    let target = Target::of(&socket, options)?;
    set("reuse-address", options.reuse_address, |on| target.socket.set_reuse_address(on))?;
    set("reuse-port", options.reuse_port, |on| target.socket.set_reuse_port(on))?;
    target.set_interface()?;
    target.set_connection()?;
    target.set_packets()
}

/// Sets on an accepted connection what it has not inherited from its listener; costs no
/// system call where it has inherited everything.
///
/// # Errors
/// The first option that the system refuses, as an [`OptionError`].
pub fn after_accept(socket: impl AsFd, options: &SocketOptions) -> io::Result<()> {
    if options.send_buffer.is_none() && options.recv_buffer.is_none() {
        return Ok(());
    }
    let target = Target::of(&socket, options)?;
    if target.family == Family::Unix { target.set_buffers() } else { Ok(()) }
}

/// Sets what can still be set on a bound (and perhaps listening) socket that came from
/// elsewhere, as from the service manager.
///
/// # Errors
/// The first option that the system refuses, as an [`OptionError`].
pub fn adopt(socket: impl AsFd, options: &SocketOptions) -> io::Result<()> {
    let target = Target::of(&socket, options)?;
    target.set_interface()?;
    target.set_connection()?;
    target.set_listening()?;
    target.set_packets()?;
    options.multicast_join.iter().try_for_each(|group| target.join(group))
}

/// A socket, what it is, and what it is to get.
struct Target<'a> {
    socket: SockRef<'a>,
    options: &'a SocketOptions,
    family: Family,
    kind: Type,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    V6,
    Unix,
    Other,
}

impl<'a> Target<'a> {
    fn of(socket: &'a impl AsFd, options: &'a SocketOptions) -> io::Result<Self> {
        let socket = SockRef::from(socket);
        let family = match socket.domain()? {
            Domain::IPV4 => Family::V4,
            Domain::IPV6 => Family::V6,
            Domain::UNIX => Family::Unix,
            _ => Family::Other,
        };
        let kind = socket.r#type()?;
        Ok(Self { socket, options, family, kind })
    }

    fn is_tcp(&self) -> bool {
        self.kind == Type::STREAM && matches!(self.family, Family::V4 | Family::V6)
    }

    /// Whether an IPv6 socket carries IPv4 as well, which then has options of its own.
    fn is_dual(&self) -> bool {
        self.family == Family::V6
            && self.kind != Type::RAW
            && !self.socket.only_v6().unwrap_or(true)
    }

    fn speaks_v4(&self) -> bool {
        self.family == Family::V4 || self.is_dual()
    }

    fn set_v6only(&self) -> io::Result<()> {
        // An IPv4 address of the same host name has no use for it.
        let wanted = self.options.v6only.filter(|_| self.family == Family::V6);
        set("v6only", wanted, |on| self.socket.set_only_v6(on))
    }

    fn set_interface(&self) -> io::Result<()> {
        let name = self.options.interface.as_deref();
        set("interface", name, |name| self.socket.bind_device(Some(name.as_bytes())))
    }

    /// What only a listening socket has.
    fn set_listening(&self) -> io::Result<()> {
        set("defer-accept", self.options.defer_accept, |time| {
            let seconds = i32::try_from(time.as_secs()).unwrap_or(i32::MAX);
            int_option::set(self.socket.as_fd(), TCP_DEFER_ACCEPT, seconds)
        })
    }

    /// What a connection has, and a listener hands down.
    fn set_connection(&self) -> io::Result<()> {
        let (socket, options) = (&self.socket, self.options);
        self.set_buffers()?;
        let nodelay = options.nodelay.or(self.is_tcp().then_some(true));
        set("nodelay", nodelay, |on| socket.set_tcp_nodelay(on))?;
        self.set_keepalive()?;
        set("linger", options.linger, |linger| {
            socket.set_linger(match linger {
                Linger::Off => None,
                Linger::For(time) => Some(time),
            })
        })?;
        set("ttl", options.ttl, |ttl| {
            if self.family == Family::V6 {
                socket.set_unicast_hops_v6(ttl.into())?;
            }
            if self.speaks_v4() { socket.set_ttl_v4(ttl.into()) } else { Ok(()) }
        })?;
        set("tos", options.tos, |tos| {
            if self.family == Family::V6 {
                socket.set_tclass_v6(tos.into())?;
            }
            if self.speaks_v4() { socket.set_tos_v4(tos.into()) } else { Ok(()) }
        })
    }

    fn set_keepalive(&self) -> io::Result<()> {
        let SocketOptions {
            keepalive, keepalive_idle, keepalive_interval, keepalive_count, ..
        } = *self.options;
        let tuned =
            keepalive_idle.is_some() || keepalive_interval.is_some() || keepalive_count.is_some();
        let on = keepalive.or(tuned.then_some(true));
        set("keepalive", on, |on| self.socket.set_keepalive(on))?;
        // One by one, so that an error names its option.
        set("keepalive-idle", keepalive_idle, |time| {
            sockopt::set_tcp_keepidle(&*self.socket, time).map_err(Into::into)
        })?;
        set("keepalive-interval", keepalive_interval, |time| {
            sockopt::set_tcp_keepintvl(&*self.socket, time).map_err(Into::into)
        })?;
        set("keepalive-count", keepalive_count, |count| {
            sockopt::set_tcp_keepcnt(&*self.socket, count).map_err(Into::into)
        })
    }

    fn set_buffers(&self) -> io::Result<()> {
        let size = |bytes: u32| usize::try_from(bytes).unwrap_or(usize::MAX);
        set("send-buffer", self.options.send_buffer, |bytes| {
            self.socket.set_send_buffer_size(size(bytes))?;
            warn_if_capped("send-buffer", bytes, self.socket.send_buffer_size()?, "wmem_max");
            Ok(())
        })?;
        set("recv-buffer", self.options.recv_buffer, |bytes| {
            self.socket.set_recv_buffer_size(size(bytes))?;
            warn_if_capped("recv-buffer", bytes, self.socket.recv_buffer_size()?, "rmem_max");
            Ok(())
        })
    }

    /// What only sockets without connections have.
    fn set_packets(&self) -> io::Result<()> {
        let (socket, options) = (&self.socket, self.options);
        set("broadcast", options.broadcast, |on| socket.set_broadcast(on))?;
        set("hdrincl", options.hdrincl, |on| match self.family {
            Family::V6 => socket.set_header_included_v6(on),
            _ => socket.set_header_included_v4(on),
        })?;
        set("multicast-interface", options.multicast_interface.as_deref(), |name| {
            let index = interface_index(name)?;
            if self.family == Family::V6 {
                socket.set_multicast_if_v6(index)?;
            }
            if self.speaks_v4() {
                let any = Ipv4Addr::UNSPECIFIED;
                sockopt::set_ip_multicast_if_with_ifindex(&**socket, &any, &any, index)?;
            }
            Ok(())
        })?;
        set("multicast-ttl", options.multicast_ttl, |ttl| {
            if self.family == Family::V6 {
                socket.set_multicast_hops_v6(ttl.into())?;
            }
            if self.speaks_v4() { socket.set_multicast_ttl_v4(ttl.into()) } else { Ok(()) }
        })?;
        set("multicast-loop", options.multicast_loop, |on| {
            if self.family == Family::V6 {
                socket.set_multicast_loop_v6(on)?;
            }
            if self.speaks_v4() { socket.set_multicast_loop_v4(on) } else { Ok(()) }
        })
    }

    fn join(&self, group: &MulticastGroup) -> io::Result<()> {
        set("multicast-join", Some(group), |group| {
            let index = group.interface().map_or(Ok(0), interface_index)?;
            match group.address() {
                IpAddr::V4(address) if self.takes_v4_groups()? => {
                    let any = Ipv4Addr::UNSPECIFIED;
                    sockopt::set_ip_add_membership_with_ifindex(
                        &*self.socket,
                        &address,
                        &any,
                        index,
                    )?;
                }
                IpAddr::V6(address) if self.family == Family::V6 => {
                    self.socket.join_multicast_v6(&address, index)?;
                }
                _ => {}
            }
            Ok(())
        })
    }

    fn takes_v4_groups(&self) -> io::Result<bool> {
        let local = self.socket.local_addr()?;
        let wildcard = local.as_socket().is_some_and(|local| local.ip().is_unspecified());
        Ok(self.family == Family::V4 || (self.is_dual() && wildcard))
    }
}

/// Sets an option if it is wanted; an error names it.
fn set<T>(
    option: &'static str,
    wanted: Option<T>,
    set: impl FnOnce(T) -> io::Result<()>,
) -> io::Result<()> {
    match wanted.map(set) {
        Some(Err(source)) => Err(OptionError { option, source }.into()),
        Some(Ok(())) | None => Ok(()),
    }
}

/// The kernel cuts a buffer to its limit without a word.
fn warn_if_capped(option: &str, wanted: u32, doubled: usize, limit: &str) {
    let got = doubled / 2;
    if usize::try_from(wanted).is_ok_and(|wanted| got < wanted) {
        tracing::warn!(
            option,
            wanted,
            got,
            "the system caps the buffer: raise it with `sysctl -w net.core.{limit}={wanted}`"
        );
    }
}

/// The way out of what the system refuses most.
fn remedy(option: &str, error: &io::Error) -> &'static str {
    match (option, error.raw_os_error()) {
        ("interface", Some(libc::ENODEV)) => "; `ip link` lists the interfaces",
        ("interface" | "hdrincl", Some(libc::EPERM)) => "; the program needs CAP_NET_RAW",
        (_, Some(libc::EOPNOTSUPP | libc::ENOPROTOOPT)) => "; this kind of socket does not have it",
        ("multicast-join", Some(libc::ENODEV)) => {
            "; no interface has a route to the group: name one, as 239.1.2.3%eth0"
        }
        ("multicast-join", Some(libc::ENOBUFS)) => "; raise net.ipv4.igmp_max_memberships",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
