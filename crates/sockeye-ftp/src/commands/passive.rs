//! Ports that the client connects to: PASV (RFC 959 §4.1.2), EPSV (RFC 2428 §3).

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use sockeye_node::external_address;

use crate::{
    control::{Answer, Dialog},
    data::Prepared,
    ftp::Shared,
    seldom::Seldom,
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
    let Shared { config, warned, .. } = &*dialog.shared;
    let (name, limit) = (config.address.as_deref(), config.limits.connect);
    let told = told_address(name, local, client, limit, &warned.address).await?;
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
    let shared = &dialog.shared;
    let opened = shared.ports.open(local, client, shared.config.limits.connect).await;
    let passive = opened.map_err(|error| not_open(shared, &error))?;
    let port = passive.port().map_err(|error| not_open(shared, &error))?;
    dialog.data = Prepared::Passive(passive);
    Ok(port)
}

/// Says why there is no port, to the client and to the server's administrator.
fn not_open(shared: &Shared, error: &io::Error) -> Reply {
    let all_taken = matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::AddrInUse);
    if !all_taken {
        tracing::warn!(%error, "no port can be opened for data");
        return Reply::new(425, format!("No port can be opened: {error}."));
    }
    shared.gate.count_wanting_port();
    if let (Some(ports), Some(clients)) = (&shared.config.passive_ports, shared.warned.ports.due())
    {
        tracing::warn!(
            clients,
            "all ports of ftp.passive-ports = \"{}-{}\" are taken, and clients were told 425: widen it",
            ports.start(),
            ports.end(),
        );
    }
    Reply::new(425, "All ports for data are taken; try again.")
}

/// The address that PASV tells: what is configured, but to clients of this machine.
async fn told_address(
    configured: Option<&str>,
    local: IpAddr,
    client: IpAddr,
    limit: Duration,
    warned: &Seldom,
) -> Result<Ipv4Addr, Reply> {
    let IpAddr::V4(local) = local else {
        return Err(Reply::new(425, "PASV knows IPv4 alone; use EPSV."));
    };
    let Some(name) = configured else { return Ok(local) };
    if client.is_loopback() && local.is_loopback() {
        return Ok(local);
    }
    let found = external_address(name, limit).await;
    found.map_err(|error| {
        if let Some(clients) = warned.due() {
            tracing::warn!(clients, "ftp.address: {name} {error}; clients were told 425");
        }
        let text = format!("The address to connect to, {name} (ftp.address), {error}; use EPSV.");
        Reply::new(425, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn others_than_this_machine_are_told_the_external_address() {
        let limit = Duration::from_secs(30);
        let told = async |name: Option<&str>, local: &str, client: &str| {
            let ends = (local.parse().unwrap(), client.parse().unwrap());
            let warned = Seldom::default();
            let told = told_address(name, ends.0, ends.1, limit, &warned).await;
            told.map_err(|reply| String::from_utf8_lossy(reply.text()).into_owned())
        };
        let (own, outer) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(192, 0, 2, 7));
        for (name, local, client, expected) in [
            (None, "10.0.0.1", "203.0.113.5", own),
            (Some("192.0.2.7"), "10.0.0.1", "203.0.113.5", outer),
            (Some("192.0.2.7"), "10.0.0.1", "10.0.0.9", outer),
            (Some("localhost"), "10.0.0.1", "203.0.113.5", Ipv4Addr::LOCALHOST),
            (Some("192.0.2.7"), "127.0.0.1", "127.0.0.1", Ipv4Addr::LOCALHOST),
        ] {
            let told = told(name, local, client).await;
            assert_eq!(told, Ok(expected), "{name:?} {local} {client}");
        }
        for (name, local, begins) in [
            ("192.0.2.7", "2001:db8::1", "PASV knows IPv4 alone"),
            ("::1", "10.0.0.1", "The address to connect to, ::1 (ftp.address), has no IPv4"),
            ("no name", "10.0.0.1", "The address to connect to, no name (ftp.address), does not"),
        ] {
            let told = told(Some(name), local, "203.0.113.5").await.unwrap_err();
            assert!(told.starts_with(begins) && told.ends_with("use EPSV."), "{told}");
        }
    }
}
