//! Source addresses on loopback, enough of them that no port is used twice within a minute.
//!
//! A connection that is closed cleanly keeps its pair of addresses busy for a minute on the side that
//! closed first, which is the load's. One source address has some 28,000 ports; 200 have 5 million.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    os::fd::OwnedFd,
    time::{SystemTime, UNIX_EPOCH},
};

use rustix::{
    io::Errno,
    net::{AddressFamily, SocketFlags, SocketType, bind, connect, ipproto, socket_with},
};

const ADDRESSES: u32 = 200;
const FIRST_PORT: u16 = 32768;
const PORTS: u32 = 28_000;

/// Pairs of source address and port, one after the other, starting at a different one in each run.
#[derive(Debug)]
pub(crate) struct Sources {
    next: u32,
}

impl Sources {
    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { next: now.subsec_micros() % ADDRESSES * PORTS }
    }

    fn next(&mut self) -> SocketAddrV4 {
        let (address, port) = (self.next / PORTS % ADDRESSES, self.next % PORTS);
        self.next = (self.next + 1) % (ADDRESSES * PORTS);
        let ip = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 0, 1, 1)) + address);
        SocketAddrV4::new(ip, FIRST_PORT + u16::try_from(port).unwrap_or(0))
    }

    /// A non-blocking socket whose connection to `server` has begun.
    ///
    /// # Errors
    /// What the system says; an address in use is passed over.
    pub(crate) fn connect(&mut self, server: SocketAddr) -> io::Result<OwnedFd> {
        loop {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let socket =
                socket_with(AddressFamily::INET, SocketType::STREAM, flags, Some(ipproto::TCP))?;
            let begun = bind(&socket, &self.next()).and_then(|()| connect(&socket, &server));
            match begun {
                Ok(()) | Err(Errno::INPROGRESS) => return Ok(socket),
                Err(Errno::ADDRINUSE | Errno::ADDRNOTAVAIL) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_source_comes_twice_in_a_million() {
        let mut sources = Sources::new();
        let seen: HashSet<_> = (0..1_000_000).map(|_| sources.next()).collect();
        assert_eq!(seen.len(), 1_000_000);
        assert!(seen.iter().all(|source| source.ip().is_loopback()));
    }
}
