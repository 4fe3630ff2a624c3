//! A listener as it is written: an address of the framework's grammar with the protocol in front.
//!
//! `http+tcp://127.0.0.1:8080`, `http+tls+tcp://[::]:8443`, `http+unix:///run/web.sock?mode=0660`.

use std::{fmt, str::FromStr};

use sockeye::{
    Addr,
    addr::{AddrError, Transport, nearest},
};

use super::Protocol;

/// Where to listen, and what is spoken there.
///
/// ```
/// use sockeye_node::Listen;
///
/// let listen: Listen = "http+tls+tcp://[::]:8443".parse()?;
/// assert_eq!((&*listen.protocol, listen.addr.tls), ("http", true));
/// assert_eq!(listen.to_string(), "http+tls+tcp://[::]:8443");
/// # Ok::<(), sockeye_node::ListenError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listen {
    /// The protocol's name.
    pub protocol: String,
    /// Where.
    pub addr: Addr,
}

/// A listener that cannot be.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address is none.
    #[error(transparent)]
    Address(#[from] AddrError),
    /// It is what a browser takes.
    #[error("{text}: a URL, and a listener is an address")]
    Url {
        /// What was given.
        text: String,
        /// What was meant.
        meant: String,
    },
    /// Nothing says what is to be spoken there.
    #[error("{text}: nothing says which protocol is spoken there")]
    NoProtocol {
        /// What was given.
        text: String,
        /// What was probably meant.
        meant: String,
    },
    /// The protocol is not known.
    #[error("{listen}: `{}` is not spoken here, only {known}", listen.protocol)]
    Unknown {
        /// What was given.
        listen: Box<Listen>,
        /// The protocols that are, joined by commas.
        known: String,
        /// The protocol that was probably meant.
        meant: Option<&'static str>,
    },
    /// The protocol cannot run over that.
    #[error("{listen}: {} needs a stream of bytes, which {} is not", listen.protocol, listen.addr.transport())]
    Transport {
        /// What was given.
        listen: Box<Listen>,
    },
    /// The protocol is for this machine alone, and the address is not.
    #[error("{listen}: {} is for this machine alone", listen.protocol)]
    NotLocal {
        /// What was given.
        listen: Box<Listen>,
    },
}

impl ListenError {
    /// What to write instead, if that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Address(_) => None,
            Self::Url { meant, .. } | Self::NoProtocol { meant, .. } => {
                Some(format!("write {meant}"))
            }
            Self::Unknown { meant, .. } => meant.map(|meant| format!("did you mean {meant}?")),
            Self::Transport { .. } => Some("listen on tcp://, unix:// or fd://".to_owned()),
            Self::NotLocal { .. } => Some("listen on 127.0.0.1, [::1] or a Unix socket".to_owned()),
        }
    }
}

impl Listen {
    /// Reads a listener.
    ///
    /// # Errors
    /// [`ListenError::Address`], [`ListenError::Url`] or [`ListenError::NoProtocol`].
    pub fn parse(text: &str) -> Result<Self, ListenError> {
        Self::read(text, None)
    }

    /// Reads a listener of which the protocol, and with it the transport, may be left out: `HOST:PORT`,
    /// `tcp://…`.
    ///
    /// # Errors
    /// [`ListenError::Address`] or [`ListenError::Url`].
    pub fn parse_or(text: &str, protocol: &str) -> Result<Self, ListenError> {
        Self::read(text, Some(protocol))
    }

    fn read(text: &str, usual: Option<&str>) -> Result<Self, ListenError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            // A path or an abstract name: what that is with its transport is said.
            let path = text.starts_with(['/', '.', '@']);
            let whole = if path { text.to_owned() } else { format!("tcp://{text}") };
            return Self::without_protocol(text, whole.parse()?, usual);
        };
        let (first, below) = match scheme.split_once('+') {
            Some((first, below)) => (first, Some(below)),
            None => (scheme, None),
        };
        match (first, below) {
            ("http", None) => Err(url(text, &format!("http+tcp://{}", place(rest, 80)))),
            ("https", None) => Err(url(text, &format!("http+tls+tcp://{}", place(rest, 443)))),
            ("tls" | "proxy", Some(_)) | (_, None) => {
                Self::without_protocol(text, text.parse()?, usual)
            }
            (protocol, Some(below)) if Transport::from_name(protocol).is_none() => {
                let addr = format!("{below}://{rest}").parse()?;
                Ok(Self { protocol: protocol.to_owned(), addr })
            }
            // A layer below its transport, which the grammar says.
            _ => Self::without_protocol(text, text.parse()?, usual),
        }
    }

    fn without_protocol(text: &str, addr: Addr, usual: Option<&str>) -> Result<Self, ListenError> {
        match usual {
            Some(protocol) => Ok(Self { protocol: protocol.to_owned(), addr }),
            None => Err(ListenError::NoProtocol {
                text: text.to_owned(),
                meant: format!("http+{addr}"),
            }),
        }
    }

    /// Whether one of `protocols` can be spoken there: which.
    ///
    /// # Errors
    /// [`ListenError::Unknown`], [`ListenError::Transport`] or [`ListenError::NotLocal`].
    pub fn check<'a>(&self, protocols: &'a [Protocol]) -> Result<&'a Protocol, ListenError> {
        let listen = || Box::new(self.clone());
        let Some(protocol) = protocols.iter().find(|it| it.name == self.protocol) else {
            let names = protocols.iter().map(|it| it.name);
            let known = names.clone().collect::<Vec<_>>().join(", ");
            let meant = nearest(&self.protocol, names);
            return Err(ListenError::Unknown { listen: listen(), known, meant });
        };
        if !matches!(self.addr.transport(), Transport::Tcp | Transport::Unix | Transport::Inherited)
        {
            return Err(ListenError::Transport { listen: listen() });
        }
        // Of an inherited socket that is known only when it is there.
        let inherited = self.addr.transport() == Transport::Inherited;
        if protocol.local_only && !self.addr.is_local() && !inherited {
            return Err(ListenError::NotLocal { listen: listen() });
        }
        Ok(protocol)
    }

    /// Whether the system chooses the port, so that two such listeners do not meet.
    #[must_use]
    pub fn takes_any_port(&self) -> bool {
        self.addr.port() == Some(0)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.protocol, self.addr)
    }
}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        Self::parse(text)
    }
}

fn url(text: &str, meant: &str) -> ListenError {
    ListenError::Url { text: text.to_owned(), meant: meant.to_owned() }
}

/// `HOST:PORT` of what follows a URL's scheme.
fn place(rest: &str, usual: u16) -> String {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let (_, after) = authority.rsplit_once(']').unwrap_or(("", authority));
    if after.contains(':') { authority.to_owned() } else { format!("{authority}:{usual}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_in_front_and_the_transport_may_be_left_out_where_one_is_usual() {
        for (text, listen) in [
            ("127.0.0.1:80", "http+tcp://127.0.0.1:80"),
            ("[::]:80?backlog=9", "http+tcp://[::]:80?backlog=9"),
            ("tcp://localhost:80", "http+tcp://localhost:80"),
            ("http+tcp://localhost:80", "http+tcp://localhost:80"),
            ("http+tls+tcp://localhost:80", "http+tls+tcp://localhost:80"),
            ("tls+proxy+tcp://localhost:80", "http+tls+proxy+tcp://localhost:80"),
            ("http+unix:///run/x.sock?mode=0660", "http+unix:///run/x.sock?mode=0660"),
            ("fd://web", "http+fd://web"),
            ("admin+tcp://[::1]:9", "admin+tcp://[::1]:9"),
        ] {
            let read = Listen::parse_or(text, "http").unwrap();
            assert_eq!(read.to_string(), listen);
            assert_eq!(Listen::parse(listen).unwrap(), read);
        }
    }

    #[test]
    fn a_url_is_answered_with_its_host_and_port() {
        for (rest, expected) in [
            ("127.0.0.1:8081", "127.0.0.1:8081"),
            ("localhost/x", "localhost:80"),
            ("[::1]/", "[::1]:80"),
            ("[::1]:81/?q", "[::1]:81"),
        ] {
            assert_eq!(place(rest, 80), expected);
        }
        let error = Listen::parse("https://example.org/x").unwrap_err();
        assert_eq!(error.hint().unwrap(), "write http+tls+tcp://example.org:443");
    }

    #[test]
    fn what_is_no_listener_is_refused() {
        for text in [
            "",
            "8080",
            "/tmp/a.sock",
            "localhost",
            "http://localhost:80/",
            "https://localhost",
            "tpc://localhost:80",
            "tcp+http://localhost:80",
            "http+http+tcp://localhost:80",
        ] {
            assert!(Listen::parse_or(text, "http").is_err(), "{text}");
        }
        let error = Listen::parse("tls+tcp://localhost:80").unwrap_err();
        assert_eq!(error.hint().unwrap(), "write http+tls+tcp://localhost:80");
    }
}
