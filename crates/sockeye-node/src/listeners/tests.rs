//! Protocols for tests.

use std::sync::Arc;

use sockeye::{Conn, Handler};
use tokio::io::AsyncWriteExt as _;

use super::{Cleartext, ListenOption, Protocol};

/// Says its name.
struct Greeting(&'static str);

impl Handler for Greeting {
    async fn handle(&self, conn: &mut Conn) -> std::io::Result<()> {
        conn.write_all(self.0.as_bytes()).await
    }
}

const CLEARTEXT: Cleartext = Cleartext { what: "is cleartext and", remedy: "tls+ encrypts it" };

/// What the tests' listeners can speak.
pub(crate) const PROTOCOLS: &[Protocol] = &[
    Protocol {
        name: "http",
        schemes: ("http", "https"),
        ports: (80, 443),
        local_only: false,
        alpn: &["h2", "http/1.1"],
        options: &[],
        starts_tls: |_| false,
        cleartext: |listen| (!listen.addr.tls).then_some(CLEARTEXT),
        service: |_| Arc::new(Greeting("http\n")),
    },
    Protocol {
        name: "admin",
        schemes: ("http", "https"),
        ports: (80, 443),
        local_only: true,
        alpn: &["http/1.1"],
        options: &[],
        starts_tls: |_| false,
        cleartext: |listen| (!listen.addr.tls).then_some(CLEARTEXT),
        service: |_| Arc::new(Greeting("admin\n")),
    },
    Protocol {
        name: "ftp",
        schemes: ("ftp", "ftps"),
        ports: (21, 990),
        local_only: false,
        alpn: &["ftp"],
        options: &[
            ListenOption {
                name: "tls",
                notation: "required, allowed or off",
                help: "whether TLS can be started, or has to be",
                takes: |value| ["required", "allowed", "off"].contains(&value),
                begins_tls: true,
            },
            ListenOption {
                name: "charset",
                notation: "a character set, as gbk",
                help: "what names are in",
                takes: |value| !value.is_empty(),
                begins_tls: false,
            },
        ],
        starts_tls: |listen| listen.addr.tls || listen.option("tls") != Some("off"),
        cleartext: |listen| (!listen.addr.tls).then_some(CLEARTEXT),
        service: |_| Arc::new(Greeting("ftp\n")),
    },
];
