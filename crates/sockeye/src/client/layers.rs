//! What lies over the transport: the PROXY header and TLS, in this order.

use super::ConnectError;
use crate::{Stream, addr::Addr};

/// Adds the layers that the address asks for.
pub(super) async fn add(addr: &Addr, stream: Stream) -> Result<Stream, ConnectError> {
    let missing =
        |reason: &str| ConnectError::Layer { address: addr.to_string(), reason: reason.to_owned() };
    if addr.proxy {
        return Err(missing("a client cannot send PROXY headers yet"));
    }
    if addr.tls {
        return Err(missing("a client cannot speak TLS yet"));
    }
    Ok(stream)
}
