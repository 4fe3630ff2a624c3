//! Connections to the client: PORT (RFC 959 §4.1.2), EPRT (RFC 2428 §2), within the rules of RFC 2577.

use std::net::{IpAddr, SocketAddr};

use super::passive::{check_epsv_all, ends};
use crate::{
    control::{Answer, Dialog},
    data::Prepared,
    wire::{
        host::{self, Family, HostError},
        reply::Reply,
    },
};

/// Below, ports belong to services: who connects to one is an attack (RFC 2577 §3).
const FIRST_PORT: u16 = 1024;

/// PORT.
pub(crate) fn port(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    prepare(dialog, |_| host::parse_port(argument).map(SocketAddr::V4))
}

/// EPRT.
pub(crate) fn eprt(dialog: &mut Dialog, argument: &[u8]) -> Answer {
    prepare(dialog, |client| host::parse_eprt(argument, Family::of(client)))
}

fn prepare(
    dialog: &mut Dialog,
    parse: impl FnOnce(IpAddr) -> Result<SocketAddr, HostError>,
) -> Answer {
    check_epsv_all(dialog)?;
    let (local, client) = ends(dialog)?;
    if !dialog.shared.config.active {
        return Err(Reply::new(502, "This server does not connect to clients; use EPSV or PASV."));
    }
    let to = parse(client)?;
    if to.ip() != client {
        tracing::warn!(%client, %to, "a client asked for a data connection to somebody else");
        return Err(Reply::new(501, "Data goes to nobody but you: that is a foreign address."));
    }
    if to.port() < FIRST_PORT {
        // The code that is suggested for it (RFC 2577 §3).
        return Err(Reply::new(504, "Data does not go to a privileged port, one below 1024."));
    }
    dialog.data = Prepared::Active { from: SocketAddr::new(local, 0), to };
    Ok(Reply::new(200, "The next transfer connects there."))
}

/// LPRT and LPSV (RFC 1639).
pub(crate) fn long(_: &mut Dialog, _: &[u8]) -> Answer {
    Err(HostError::Long.into())
}
