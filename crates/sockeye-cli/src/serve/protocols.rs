//! The protocols that this program speaks: a row each.

use std::{io, sync::Arc};

use sockeye::{Conn, Handler};
use sockeye_http::{
    Config, Http, Requests,
    admin::{Admin, NodeVitals},
};
use sockeye_node::{Home, Listening, Protocol, Service, Session};

/// The application protocols of HTTP over TLS, the preferred one first (RFC 9113 §3.2).
pub(super) const HTTP_ALPN: &[&str] = &["h2", "http/1.1"];

/// The web.
pub(super) const HTTP: Protocol = Protocol {
    name: "http",
    schemes: ("http", "https"),
    ports: (80, 443),
    local_only: false,
    alpn: HTTP_ALPN,
    service: http,
};

/// Health and metrics.
const ADMIN: Protocol = Protocol {
    name: "admin",
    schemes: ("http", "https"),
    ports: (80, 443),
    local_only: true,
    alpn: &["http/1.1"],
    service: admin,
};

/// What a node can speak.
pub(crate) const PROTOCOLS: &[Protocol] = &[HTTP, ADMIN];

/// Until sessions come from accounts: the public tree, where it is open.
fn http(listening: &Listening<'_>) -> Arc<dyn Service> {
    let Listening { node, settings, .. } = *listening;
    let mut config = Config::from(settings);
    config.requests = Some(Requests::of(node));
    let public = Home::open_with(&node.folder().public(), node.pool().clone());
    match public.ok().filter(|_| settings.public) {
        Some(home) => Arc::new(Http::new(Session::guest(home), config)),
        None => Arc::new(Closed),
    }
}

fn admin(listening: &Listening<'_>) -> Arc<dyn Service> {
    let vitals = Arc::new(NodeVitals::new(Arc::clone(listening.node)));
    Arc::new(Admin::new(vitals, Config::from(listening.settings)))
}

/// Serves nobody.
struct Closed;

impl Handler for Closed {
    async fn handle(&self, _: &mut Conn) -> io::Result<()> {
        Ok(())
    }
}
