//! Protocols for tests.

use std::sync::Arc;

use sockeye::{Conn, Handler};
use tokio::io::AsyncWriteExt as _;

use super::Protocol;

/// Says its name.
struct Greeting(&'static str);

impl Handler for Greeting {
    async fn handle(&self, conn: &mut Conn) -> std::io::Result<()> {
        conn.write_all(self.0.as_bytes()).await
    }
}

/// What the tests' listeners can speak.
pub(crate) const PROTOCOLS: &[Protocol] = &[
    Protocol {
        name: "http",
        schemes: ("http", "https"),
        ports: (80, 443),
        local_only: false,
        alpn: &["h2", "http/1.1"],
        service: |_| Arc::new(Greeting("http\n")),
    },
    Protocol {
        name: "admin",
        schemes: ("http", "https"),
        ports: (80, 443),
        local_only: true,
        alpn: &["http/1.1"],
        service: |_| Arc::new(Greeting("admin\n")),
    },
];
