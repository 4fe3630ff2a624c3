//! Multicast groups of a socket that is bound already.
//!
//! Groups to join at bind, and the interface, reach and loop of what is sent, are options of
//! the address (`multicast-join`, `multicast-interface`, `multicast-ttl`, `multicast-loop`).

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
};

use rustix::net::sockopt;
use socket2::SockRef;

use super::DatagramSocket;
use crate::{
    addr::{MulticastGroup, SocketOptions, interface_index},
    socket::{SocketName, options},
};

impl DatagramSocket {
    /// Joins a group: what is sent to it arrives here as well, if the port is this socket's.
    ///
    /// From then on the socket hears of no group that it has not joined itself; by default Linux
    /// hands a wildcard socket all groups that any program of the machine has joined.
    ///
    /// # Errors
    /// `AddrInUse` if it has joined it already; `InvalidInput` if the group is of another IP
    /// version; if there is no such interface, or none has a route to the group.
    pub fn join(&self, group: &MulticastGroup) -> io::Result<()> {
        self.check_version(group)?;
        let mut joining = SocketOptions::default();
        joining.multicast_join.push(group.clone());
        options::after_bind(&self.fd, &joining)?;
        self.hear_own_groups_alone()
    }

    /// Leaves a group that was joined on the same interface.
    ///
    /// # Errors
    /// `AddrNotAvailable` if it was not joined; `InvalidInput` if the group is of another IP
    /// version; if there is no such interface.
    pub fn leave(&self, group: &MulticastGroup) -> io::Result<()> {
        self.check_version(group)?;
        let index = group.interface().map_or(Ok(0), interface_index)?;
        match group.address() {
            IpAddr::V4(address) => sockopt::set_ip_drop_membership_with_ifindex(
                &self.fd,
                &address,
                &Ipv4Addr::UNSPECIFIED,
                index,
            )?,
            IpAddr::V6(address) => SockRef::from(&self.fd).leave_multicast_v6(&address, index)?,
        }
        Ok(())
    }

    fn check_version(&self, group: &MulticastGroup) -> io::Result<()> {
        let fits = match &self.local {
            SocketName::Unix(_) => false,
            SocketName::Inet(local) if local.is_ipv4() => group.address().is_ipv4(),
            SocketName::Inet(local) => group.address().is_ipv6() || local.ip().is_unspecified(),
        };
        if fits {
            return Ok(());
        }
        let message = format!("the group {group} and the socket {} do not go together", self.local);
        Err(io::Error::new(io::ErrorKind::InvalidInput, message))
    }

    /// Switches off what IP_MULTICAST_ALL and IPV6_MULTICAST_ALL switch on by default (ip(7)).
    pub(super) fn hear_own_groups_alone(&self) -> io::Result<()> {
        let socket = SockRef::from(&self.fd);
        let SocketName::Inet(local) = &self.local else { return Ok(()) };
        if local.is_ipv6() {
            socket.set_multicast_all_v6(false)?;
            // For IPv4 on a socket of both families; one for IPv6 alone has no use for it.
            let _ = socket.set_multicast_all_v4(false);
            return Ok(());
        }
        socket.set_multicast_all_v4(false)
    }
}
