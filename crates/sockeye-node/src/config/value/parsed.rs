//! Values that other rooms know how to read: listeners, hosts, names of files, kinds of operations.

use sockeye::addr::{AddrError, Cidr, Host};
use sockeye_journal::Kind;
use sockeye_store::Name;

use super::{Raw, Value, quoted};
use crate::listeners::Listen;

impl Value for Listen {
    fn expected() -> String {
        "a listener, as \"http+tcp://127.0.0.1:8080\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().ok_or_else(|| Self::unlike(raw))?;
        Self::parse(text).map_err(|error| error.in_full())
    }

    fn print(&self) -> String {
        quoted(&self.to_string())
    }
}

/// A host that others reach this machine by.
impl Value for Host {
    fn expected() -> String {
        "an address or a name, as \"198.51.100.7\" or \"ftp.example.org\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().ok_or_else(|| Self::unlike(raw))?;
        let host: Self = text.parse().map_err(|error: AddrError| error.to_string())?;
        match host {
            Self::Scoped(..) => Err(format!("{text} is reached from one network alone")),
            Self::Ip(ip) if ip.is_unspecified() || ip.is_multicast() => {
                Err(format!("{text} is no address that others can connect to"))
            }
            _ => Ok(host),
        }
    }

    fn print(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Value for Cidr {
    fn expected() -> String {
        "an address or a block of them, as \"127.0.0.1\" or \"10.0.0.0/8\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().ok_or_else(|| Self::unlike(raw))?;
        text.parse().map_err(|error: AddrError| error.to_string())
    }

    fn print(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Value for Name {
    fn expected() -> String {
        "a file's name, without its folder".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().ok_or_else(|| Self::unlike(raw))?;
        Self::parse(text.as_bytes()).map_err(|error| format!("{text:?}: {error}"))
    }

    fn print(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Value for Kind {
    fn expected() -> String {
        "\"read\", \"list\", \"login\" or \"refusal\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().ok_or_else(|| Self::unlike(raw))?;
        text.parse().map_err(|error: sockeye_journal::Error| error.to_string())
    }

    fn print(&self) -> String {
        quoted(self.name())
    }
}
