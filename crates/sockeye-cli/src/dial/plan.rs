//! What `sockeye dial` was asked for, resolved: every value checked, every default filled in.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use sockeye::{
    Addr,
    addr::{Side, Transport},
    client::Source,
    quantity::parse_duration,
    tls::{Fingerprint, Identity, Roots, TlsClient},
};

use super::{args::DialArgs, encoding::Encoding};
use crate::failure::Failure;

/// Whom to call, and how to speak.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) addr: Addr,
    pub(super) timeout: Option<Duration>,
    pub(super) source: Option<Source>,
    pub(super) crlf: bool,
    pub(super) encoding: Option<Encoding>,
    /// There if the address has TLS.
    pub(super) tls: Option<TlsClient>,
}

impl Plan {
    /// Gives the arguments their meaning.
    pub(super) fn resolve(args: DialArgs) -> Result<Self, Failure> {
        let addr = addr(&args.addr)?;
        let timeout = args.timeout.as_deref().map(parse_duration).transpose();
        let timeout = timeout.map_err(|error| Failure::usage(format!("--timeout: {error}")))?;
        let source = args.source.as_deref().map(source).transpose()?;
        let encoding = args.encoding.as_deref().map(Encoding::named).transpose()?;
        let crlf = args.crlf;
        let tls = tls(args, &addr)?;
        Ok(Self { addr, timeout, source, crlf, encoding, tls })
    }
}

/// An address; `HOST:PORT` is TCP.
fn addr(text: &str) -> Result<Addr, Failure> {
    let addr: Addr = match text.contains("://") {
        true => text.parse()?,
        false => {
            let whole = format!("tcp://{text}").parse::<Addr>();
            whole.map_err(|error| error.told_of(text))?
        }
    };
    addr.check_side(Side::Connect)?;
    if addr.transport() == Transport::Icmp {
        let message = format!("{addr} carries echo requests, not lines");
        return Err(Failure::usage(message).hint("ping(8) asks for echoes"));
    }
    if addr.transport() == Transport::Ip && addr.options.hdrincl == Some(true) {
        let message = format!("{addr}: a line has no IP header of its own");
        return Err(Failure::usage(message).hint("leave hdrincl away"));
    }
    Ok(addr)
}

/// An IP address, with or without a port, or the name of a Unix socket.
fn source(text: &str) -> Result<Source, Failure> {
    if let Ok(addr) = text.parse::<SocketAddr>() {
        return Ok(addr.into());
    }
    let unbracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Ok(ip) = unbracketed.unwrap_or(text).parse::<IpAddr>() {
        return Ok(ip.into());
    }
    if text.starts_with('@') || text.contains('/') {
        let addr: Addr = format!("unix://{text}").parse()?;
        if let Some(name) = addr.unix_name() {
            return Ok(name.clone().into());
        }
    }
    Err(Failure::usage(format!("--source {text}: neither an IP address nor a path"))
        .hint("write 192.0.2.1, 192.0.2.1:4000, [2001:db8::1]:4000 or /tmp/own.sock"))
}

/// The client's side of TLS, if the address has TLS; without, what is for TLS has no place.
fn tls(args: DialArgs, addr: &Addr) -> Result<Option<TlsClient>, Failure> {
    if !addr.tls {
        let given = [
            ("--ca", args.ca.is_some()),
            ("--pin", args.pin.is_some()),
            ("--insecure", args.insecure),
            ("--cert", args.cert.is_some()),
            ("--server-name", args.server_name.is_some()),
            ("--alpn", !args.alpn.is_empty()),
        ];
        return match given.into_iter().find(|(_, given)| *given) {
            Some((name, _)) => {
                Err(Failure::usage(format!("{name} is for TLS, and {addr} has none"))
                    .hint(format!("write tls+{addr}")))
            }
            None => Ok(None),
        };
    }
    let mut builder = TlsClient::builder().alpn(args.alpn);
    if let Some(file) = args.ca {
        builder = builder.roots(Roots::from_pem_file(file));
    }
    if let Some(pin) = args.pin {
        builder = builder.pinned([pin.parse::<Fingerprint>()?]);
    }
    if args.insecure {
        builder = builder.dangerous_accept_any_certificate();
    }
    if let Some(chain) = args.cert {
        let key = args.key.unwrap_or_else(|| chain.clone());
        builder = builder.identity(Identity::from_pem_files(chain, key));
    }
    if let Some(name) = args.server_name {
        builder = builder.server_name(name);
    }
    Ok(Some(builder.build()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Fault;

    #[test]
    fn a_bare_host_and_port_is_tcp() {
        assert_eq!(addr("localhost:80").unwrap().to_string(), "tcp://localhost:80");
        assert_eq!(addr("unix://@x").unwrap().to_string(), "unix://@x");
    }

    #[test]
    fn an_address_that_cannot_be_dialled_is_usage() {
        for text in [
            "localhost",
            "tcp://localhost:80?backlog=9",
            "icmp://localhost",
            "ip://[::1]?proto=253&hdrincl=1",
            "ip://127.0.0.1?proto=253&hdrincl=1",
            "http://x/",
        ] {
            assert_eq!(addr(text).unwrap_err().fault(), Fault::Usage, "{text}");
        }
    }

    #[test]
    fn a_source_is_an_ip_address_or_a_unix_name() {
        for text in ["127.0.0.1", "127.0.0.1:9", "::1", "[::1]", "[::1]:9", "/tmp/x", "./x", "@x"] {
            source(text).unwrap();
        }
        assert_eq!(source("[::1]").unwrap(), source("::1").unwrap());
        assert!(source("localhost").is_err() && source("x.sock").is_err());
    }
}
