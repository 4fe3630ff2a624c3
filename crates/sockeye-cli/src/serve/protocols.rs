//! The protocols that this program speaks: a row each.

use std::sync::Arc;

use sockeye_ftp::Ftp;
use sockeye_http::{
    Config, Http,
    admin::{Admin, NodeVitals},
};
use sockeye_node::{Cleartext, Listen, Listening, Protocol, Service};

/// The application protocols of HTTP over TLS, the preferred one first (RFC 9113 §3.2).
pub(super) const HTTP_ALPN: &[&str] = &["h2", "http/1.1"];

/// The web.
pub(super) const HTTP: Protocol = Protocol {
    name: "http",
    schemes: ("http", "https"),
    ports: (80, 443),
    local_only: false,
    alpn: HTTP_ALPN,
    options: &[],
    starts_tls: |_| false,
    cleartext: http_cleartext,
    service: http,
};

/// Health and metrics.
const ADMIN: Protocol = Protocol {
    name: "admin",
    schemes: ("http", "https"),
    ports: (80, 443),
    local_only: true,
    alpn: &["http/1.1"],
    options: &[],
    starts_tls: |_| false,
    cleartext: http_cleartext,
    service: admin,
};

/// Files for those who have always fetched them so.
const FTP: Protocol = Protocol {
    name: "ftp",
    schemes: ("ftp", "ftps"),
    ports: (21, 990),
    local_only: false,
    // Clients that name a protocol name another one for data.
    alpn: &["ftp", "ftp-data"],
    options: sockeye_ftp::OPTIONS,
    starts_tls: sockeye_ftp::starts_tls,
    cleartext: sockeye_ftp::cleartext,
    service: ftp,
};

/// What a node can speak.
pub(crate) const PROTOCOLS: &[Protocol] = &[HTTP, ADMIN, FTP];

fn http_cleartext(listen: &Listen) -> Option<Cleartext> {
    let remedy = "http+tls+tcp:// in place of http+tcp:// encrypts it";
    (!listen.addr.tls).then_some(Cleartext { what: "is cleartext and", remedy })
}

fn http(listening: &Listening<'_>) -> Arc<dyn Service> {
    Arc::new(Http::new(Arc::clone(listening.node.gate()), Config::from(listening)))
}

fn ftp(listening: &Listening<'_>) -> Arc<dyn Service> {
    let config = sockeye_ftp::Config::from(listening);
    Arc::new(Ftp::new(Arc::clone(listening.node.gate()), config))
}

fn admin(listening: &Listening<'_>) -> Arc<dyn Service> {
    let vitals = Arc::new(NodeVitals::new(Arc::clone(listening.node)));
    Arc::new(Admin::new(vitals, Config::from(listening)))
}
