//! Links to what a node serves: the key that shares' links are made with, and where they begin.

use std::{
    fs,
    io::{self, Read as _},
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

use sockeye::{
    Addr,
    addr::{Endpoint, Host},
};
use sockeye_accounts::LinkKey;

use crate::{
    Node,
    data::{DataError, write_private},
};

/// Bytes of the file: 64 hexadecimal digits and a line's end.
const LENGTH: usize = 65;

/// Whose listeners serve links, and the schemes and ports of their URLs without and with TLS.
const PROTOCOL: &str = "http";

/// The key in this file, which is made if it is not there. Blocks.
///
/// # Errors
/// If it cannot be read or written, or is no key: links that were given out would lead nowhere.
pub(crate) fn key(path: &Path) -> Result<LinkKey, DataError> {
    let mut text = String::new();
    let read = fs::File::open(path)
        .and_then(|file| file.take(LENGTH as u64 + 1).read_to_string(&mut text));
    match read {
        Ok(_) => match blake3::Hash::from_hex(text.trim_end_matches('\n')) {
            Ok(bytes) => Ok(LinkKey::from_bytes(*bytes.as_bytes())),
            Err(_) => {
                let why = "it is no key of 64 digits: restore it from a backup, or remove it, and with it \
                           every link that was given out";
                Err(DataError::io("read", path, io::Error::other(why)))
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = LinkKey::generate();
            let line = format!("{}\n", blake3::Hash::from_bytes(*key.as_bytes()).to_hex());
            write_private(path, line.as_bytes())
                .map_err(|error| DataError::io("write", path, error))?;
            Ok(key)
        }
        Err(error) => Err(DataError::io("read", path, error)),
    }
}

impl Node {
    /// Where the site is reached, with a slash at its end: as configured, or by its first listener; the listeners
    /// that are configured where none is open.
    #[must_use]
    pub fn site_url(&self) -> String {
        let config = self.config();
        if let Some(url) = &config.settings.http_url {
            return url.as_str().to_owned();
        }
        let open = self.servers().into_iter();
        let open = open.filter(|(listen, _)| listen.protocol == PROTOCOL);
        let mut open = open.flat_map(|(_, server)| server.addrs().to_vec());
        let configured = config.settings.listen.iter();
        let mut configured = configured.filter(|listen| listen.protocol == PROTOCOL);
        open.find_map(|addr| url(&addr))
            .or_else(|| configured.find_map(|listen| url(&listen.addr)))
            .unwrap_or_else(|| "http://localhost/".to_owned())
    }
}

/// The URL of what listens there; none for a Unix socket.
fn url(addr: &Addr) -> Option<String> {
    let Endpoint::Tcp(at) = &addr.endpoint else { return None };
    let (scheme, usual) = if addr.tls { ("https", 443) } else { ("http", 80) };
    let host = match &at.host {
        // Which of this machine's addresses others know is not known; its name is as good a guess as any.
        Host::Ip(ip) if ip.is_unspecified() => {
            let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            if name.trim().is_empty() { "localhost".to_owned() } else { name.trim().to_owned() }
        }
        Host::Ip(ip) => match ip.to_canonical() {
            IpAddr::V4(Ipv4Addr::LOCALHOST) => "127.0.0.1".to_owned(),
            ip => Host::Ip(ip).to_string(),
        },
        host => host.to_string(),
    };
    let port = if at.port == usual { String::new() } else { format!(":{}", at.port) };
    Some(format!("{scheme}://{host}{port}/"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_is_made_once_for_its_owner_alone_and_a_broken_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("links.key");
        let made = key(&path).unwrap();
        assert_eq!(key(&path).unwrap(), made);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "half a key").unwrap();
        assert!(key(&path).unwrap_err().to_string().contains("no key"));
        assert_eq!(fs::read(&path).unwrap(), b"half a key", "and left as it is");
    }

    #[test]
    fn a_listener_is_a_url() {
        let url = |addr: &str| url(&addr.parse().unwrap());
        assert_eq!(url("tcp://127.0.0.1:8080").unwrap(), "http://127.0.0.1:8080/");
        assert_eq!(url("tls+tcp://[::1]:443").unwrap(), "https://[::1]/");
        assert!(url("tcp://0.0.0.0:80").unwrap().starts_with("http://"));
        assert!(!url("tcp://[::]:81").unwrap().contains("::"));
        assert_eq!(url("unix:///run/x.sock"), None);
    }
}
