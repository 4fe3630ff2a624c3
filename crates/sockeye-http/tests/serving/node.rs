//! A node under test, served over HTTP, and what is asked of it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use data_encoding::BASE64;
use sockeye::Server;
use sockeye_http::{Config, Http};
use sockeye_testkit::{
    node::{TempNode, password},
    running::Running,
};

use crate::site::{Answer, talk, tls};

/// A node that is served.
pub(crate) struct Served {
    // The server ends before the node.
    pub(crate) server: Running,
    pub(crate) node: TempNode,
}

impl Served {
    pub(crate) fn new() -> Self {
        Self::with(TempNode::new(), Config::default())
    }

    pub(crate) fn with(node: TempNode, config: Config) -> Self {
        Self { server: node.serve(Http::new(node.gate(), config)), node }
    }

    /// Over TLS, by an authority whose certificate is in `folder`.
    pub(crate) fn secure(folder: &Path) -> Self {
        Self::secure_with(folder, Config::default())
    }

    pub(crate) fn secure_with(folder: &Path, config: Config) -> Self {
        let node = TempNode::new();
        let http = Http::new(node.gate(), config);
        let server = Server::bind("tls+tcp://127.0.0.1:0").unwrap().tls(tls(folder));
        Self { server: Running::start(server.workers(1).with(http)), node }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.server.port()))
    }

    /// What is sent as `request`, a line without its version, by `who`.
    pub(crate) fn request(who: &str, request: &str, fields: &[&str], body: &[u8]) -> Vec<u8> {
        let mut head = format!("{request} HTTP/1.1\r\nHost: localhost\r\n{}", basic(who));
        fields.iter().for_each(|field| head.extend([field, "\r\n"]));
        let framed = ["Content-Length", "Transfer-Encoding"];
        if (request.starts_with("PUT ") || request.starts_with("POST "))
            && !fields.iter().any(|field| framed.iter().any(|name| field.starts_with(name)))
        {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        [head.as_bytes(), b"\r\n", body].concat()
    }

    /// Asks as `who`, on a connection of its own.
    pub(crate) fn ask(&self, who: &str, request: &str, fields: &[&str], body: &[u8]) -> Answer {
        let fields = [fields, &["Connection: close"]].concat();
        let answer = talk(self.addr(), Self::request(who, request, &fields, body));
        Answer::parse(&answer, request.starts_with("HEAD ")).0
    }

    pub(crate) fn get(&self, who: &str, target: &str) -> Answer {
        self.ask(who, &format!("GET {target}"), &[], b"")
    }

    pub(crate) fn put(&self, who: &str, target: &str, body: &[u8]) -> Answer {
        self.ask(who, &format!("PUT {target}"), &[], body)
    }

    pub(crate) fn delete(&self, who: &str, target: &str) -> Answer {
        self.ask(who, &format!("DELETE {target}"), &[], b"")
    }

    /// A file of somebody's home.
    pub(crate) fn file(&self, who: &str, path: &str) -> PathBuf {
        self.node.home(who).join(path)
    }
}

/// The header line by which `who` signs in; nothing for nobody.
pub(crate) fn basic(who: &str) -> String {
    match who {
        "" => String::new(),
        who => basic_with(who, &password(who)),
    }
}

pub(crate) fn basic_with(name: &str, password: &str) -> String {
    format!("Authorization: Basic {}\r\n", BASE64.encode(format!("{name}:{password}").as_bytes()))
}
