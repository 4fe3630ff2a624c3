//! Ports that the client connects to: PASV (RFC 959 §4.1.2), EPSV (RFC 2428 §3).

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use crate::{
    control::{Answer, Dialog},
    data::{Passive, Prepared},
    wire::{
        host::{self, Epsv, Family},
        reply::Reply,
    },
};

/// EPSV.
pub(crate) async fn epsv(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    let (local, client) = ends(dialog)?;
    if host::parse_epsv(argument, Family::of(local))? == Epsv::All {
        dialog.only_epsv = true;
        return Ok(Reply::new(200, "From now on only EPSV is taken."));
    }
    let port = open(dialog, local, client).await?;
    Ok(host::epsv_reply(port))
}

/// PASV.
pub(crate) async fn pasv(dialog: &mut Dialog, _: &[u8]) -> Answer {
    check_epsv_all(dialog)?;
    let (local, client) = ends(dialog)?;
    let config = &dialog.shared.config;
    let told =
        told_address(config.address.as_deref(), local, client, config.limits.connect).await?;
    let port = open(dialog, local, client).await?;
    Ok(host::pasv_reply(SocketAddrV4::new(told, port)))
}

/// Refuses what EPSV ALL has ruled out (RFC 2428 §4).
pub(super) fn check_epsv_all(dialog: &Dialog) -> Result<(), Reply> {
    match dialog.only_epsv {
        true => Err(Reply::new(501, "EPSV ALL was asked for; only EPSV is taken.")),
        false => Ok(()),
    }
}

/// The addresses of the control connection: this end's, and the client's.
pub(super) fn ends(dialog: &Dialog) -> Result<(IpAddr, IpAddr), Reply> {
    let ends = dialog.local.zip(dialog.origin.peer.ip());
    ends.ok_or_else(|| Reply::new(425, "Data connections need a control connection over TCP."))
}

async fn open(dialog: &mut Dialog, local: IpAddr, client: IpAddr) -> Result<u16, Reply> {
    // What was prepared before is given back first: it may be the port that is to be had.
    dialog.data = Prepared::None;
    let limit = dialog.shared.config.limits.connect;
    let opened: io::Result<Passive> = dialog.shared.ports.open(local, client, limit).await;
    let failed = |error: io::Error| {
        Reply::new(
            425,
            match error.kind() {
                io::ErrorKind::TimedOut | io::ErrorKind::AddrInUse => {
                    "All ports for data are taken; try again.".to_owned()
                }
                _ => {
                    tracing::warn!(%error, "no port can be opened for data");
                    format!("No port can be opened: {error}.")
                }
            },
        )
    };
    let passive = opened.map_err(failed)?;
    let port = passive.port().map_err(failed)?;
    dialog.data = Prepared::Passive(passive);
    Ok(port)
}

/// The address that PASV tells: what is configured, but to clients of this machine.
async fn told_address(
    configured: Option<&str>,
    local: IpAddr,
    client: IpAddr,
    limit: Duration,
) -> Result<Ipv4Addr, Reply> {
    let IpAddr::V4(local) = local else {
        return Err(Reply::new(425, "PASV knows IPv4 alone; use EPSV."));
    };
    let Some(name) = configured else { return Ok(local) };
    if client.is_loopback() && local.is_loopback() {
        return Ok(local);
    }
    match external(name, limit).await {
        Ok(Some(address)) => Ok(address),
        failed => {
            tracing::warn!(%name, ?failed, "the external address has no IPv4 address");
            Err(Reply::new(425, "The server does not know its own address; use EPSV."))
        }
    }
}

/// The IPv4 address of this name, asked for anew each time: that of a line at home changes.
async fn external(name: &str, limit: Duration) -> io::Result<Option<Ipv4Addr>> {
    let looked_up = tokio::time::timeout(limit, tokio::net::lookup_host((name, 0))).await;
    let mut found = looked_up.map_err(io::Error::from).flatten()?;
    Ok(found.find_map(|address| match address.ip() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_external_address_is_one_of_ipv4_or_a_name_that_has_one() {
        let limit = Duration::from_secs(30);
        for (name, expected) in [
            ("192.0.2.7", Some(Ipv4Addr::new(192, 0, 2, 7))),
            ("localhost", Some(Ipv4Addr::LOCALHOST)),
            ("::1", None),
        ] {
            assert_eq!(external(name, limit).await.unwrap(), expected, "{name}");
        }
        assert!(external("no name", limit).await.is_err());
    }

    #[tokio::test]
    async fn others_than_this_machine_are_told_the_external_address() {
        let limit = Duration::from_secs(30);
        let told = async |name: Option<&str>, local: &str, client: &str| {
            let ends = (local.parse().unwrap(), client.parse().unwrap());
            told_address(name, ends.0, ends.1, limit).await.map_err(|reply| reply.code())
        };
        let (own, outer) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(192, 0, 2, 7));
        for (name, local, client, expected) in [
            (None, "10.0.0.1", "203.0.113.5", Ok(own)),
            (Some("192.0.2.7"), "10.0.0.1", "203.0.113.5", Ok(outer)),
            (Some("192.0.2.7"), "10.0.0.1", "10.0.0.9", Ok(outer)),
            (Some("localhost"), "10.0.0.1", "203.0.113.5", Ok(Ipv4Addr::LOCALHOST)),
            (Some("192.0.2.7"), "127.0.0.1", "127.0.0.1", Ok(Ipv4Addr::LOCALHOST)),
            (Some("::1"), "10.0.0.1", "203.0.113.5", Err(425)),
            (Some("192.0.2.7"), "2001:db8::1", "2001:db8::2", Err(425)),
        ] {
            assert_eq!(told(name, local, client).await, expected, "{name:?} {local} {client}");
        }
    }
}
