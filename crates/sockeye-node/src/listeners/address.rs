//! A listener as it is written: an address of the framework's grammar with the protocol in front, and the protocol's
//! own options among the address's.
//!
//! `http+tcp://127.0.0.1:8080`, `http+tls+tcp://[::]:8443`, `http+unix:///run/web.sock?mode=0660`.

use std::{fmt, str::FromStr};

use sockeye::{
    Addr,
    addr::{OptionSpec, Transport, nearest},
};

use super::{Cleartext, ListenError, ListenOption, Protocol, options::OwnOptions};

/// Where a port alone is listened at: whoever wants others to connect says so.
const LOOPBACK: &str = "127.0.0.1";

/// What is asked for, and is to come: all of it over SSH.
const NOT_YET: &[&str] = &["sftp", "ssh", "scp"];

/// What others call a protocol: the schemes of URLs, and what is put in front of a transport by analogy.
struct KnownAs {
    name: &'static str,
    protocol: &'static str,
    tls: bool,
    /// The port that its URLs need not name.
    port: u16,
    /// The option that says the same.
    option: &'static str,
}

const KNOWN_AS: &[KnownAs] = &[
    KnownAs::row("http", "http", false, 80),
    KnownAs::row("https", "http", true, 443),
    KnownAs::row("dav", "http", false, 80),
    KnownAs::row("davs", "http", true, 443),
    KnownAs::row("webdav", "http", false, 80),
    KnownAs::row("webdavs", "http", true, 443),
    KnownAs::row("ftp", "ftp", false, 21),
    KnownAs::row("ftps", "ftp", true, 990),
    KnownAs { option: "tls=required", ..KnownAs::row("ftpes", "ftp", false, 21) },
];

impl KnownAs {
    const fn row(name: &'static str, protocol: &'static str, tls: bool, port: u16) -> Self {
        Self { name, protocol, tls, port, option: "" }
    }

    fn find(name: &str) -> Option<&'static Self> {
        KNOWN_AS.iter().find(|known| known.name.eq_ignore_ascii_case(name))
    }

    /// The listener for a URL of this scheme, of which `rest` is what follows it.
    fn listener(&self, rest: &str) -> String {
        let tls = if self.tls { "tls+" } else { "" };
        let sign = if self.option.is_empty() { "" } else { "?" };
        format!("{}+{tls}tcp://{}{sign}{}", self.protocol, place(rest, self.port), self.option)
    }

    /// A listener that is rightly called so.
    fn instead_of(&self, listen: &Listen) -> String {
        let addr = Addr { tls: listen.addr.tls || self.tls, ..listen.addr.clone() };
        let whole =
            Listen { protocol: self.protocol.to_owned(), addr, ..listen.clone() }.to_string();
        let sign = match self.option {
            "" => "",
            _ if whole.contains('?') => "&",
            _ => "?",
        };
        format!("{whole}{sign}{}", self.option)
    }
}

/// What is usually spoken at the port of an address.
fn usual_at(addr: &Addr) -> &'static str {
    match addr.port() {
        Some(21 | 2121) => "ftp",
        Some(990) if !addr.tls => "ftp+tls",
        Some(990) => "ftp",
        _ => "http",
    }
}

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
    options: OwnOptions,
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
    /// `tcp://…`; a port alone, `8080` or `:8080`, is one of 127.0.0.1.
    ///
    /// # Errors
    /// [`ListenError::Address`] or [`ListenError::Url`].
    pub fn parse_or(text: &str, protocol: &str) -> Result<Self, ListenError> {
        Self::read(text, Some(protocol))
    }

    fn read(text: &str, usual: Option<&str>) -> Result<Self, ListenError> {
        let (address, options) = OwnOptions::take(text);
        match Self::read_address(&address, usual) {
            Ok(listen) => Ok(Self { options, ..listen }),
            // What is said of it is said of the whole.
            Err(ListenError::NoProtocol { meant, .. }) => {
                Err(ListenError::NoProtocol { text: text.to_owned(), meant: options.behind(meant) })
            }
            Err(ListenError::Url { meant, .. }) => {
                // What stands behind a URL's question mark is for a web server; behind FTP's it is meant for here.
                let is_ftp = meant.starts_with("ftp+");
                Err(url(text, &if is_ftp { options.behind(meant) } else { meant }))
            }
            Err(ListenError::NotYet { .. }) => Err(ListenError::NotYet { text: text.to_owned() }),
            Err(other) => Err(other),
        }
    }

    /// Reads a listener without options of the protocol's own.
    fn read_address(text: &str, usual: Option<&str>) -> Result<Self, ListenError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            // A path or an abstract name: what that is with its transport is said.
            let whole = match text {
                _ if text.starts_with(['/', '.', '@']) => text.to_owned(),
                _ if is_port(text) => format!("tcp://{LOOPBACK}:{}", text.trim_start_matches(':')),
                _ => format!("tcp://{text}"),
            };
            return Self::without_protocol(text, address(&whole, text)?, usual);
        };
        let (first, below) = match scheme.split_once('+') {
            Some((first, below)) => (first, Some(below)),
            None => (scheme, None),
        };
        if NOT_YET.contains(&first) {
            return Err(ListenError::NotYet { text: text.to_owned() });
        }
        if let (Some(known), None) = (KnownAs::find(first), below) {
            return Err(url(text, &known.listener(rest)));
        }
        match (first, below) {
            ("tls" | "proxy", Some(_)) | (_, None) => {
                Self::without_protocol(text, text.parse()?, usual)
            }
            (protocol, Some(below)) if Transport::from_name(protocol).is_none() => {
                let addr = address(&format!("{below}://{rest}"), text)?;
                Ok(Self::new(protocol, addr))
            }
            // A layer below its transport, which the grammar says.
            _ => Self::without_protocol(text, text.parse()?, usual),
        }
    }

    fn new(protocol: &str, addr: Addr) -> Self {
        Self { protocol: protocol.to_owned(), addr, options: OwnOptions::default() }
    }

    fn without_protocol(text: &str, addr: Addr, usual: Option<&str>) -> Result<Self, ListenError> {
        match usual {
            Some(protocol) => Ok(Self::new(protocol, addr)),
            None => {
                let meant = format!("{}+{addr}", usual_at(&addr));
                Err(ListenError::NoProtocol { text: text.to_owned(), meant })
            }
        }
    }

    /// Whether one of `protocols` can be spoken there: which.
    ///
    /// # Errors
    /// [`ListenError::Unknown`], [`ListenError::Transport`] or [`ListenError::NotLocal`]; what is wrong with an
    /// option.
    pub fn check<'a>(&self, protocols: &'a [Protocol]) -> Result<&'a Protocol, ListenError> {
        let listen = || Box::new(self.clone());
        let Some(protocol) = protocols.iter().find(|it| it.name == self.protocol) else {
            let names = protocols.iter().map(|it| it.name);
            let known = names.clone().collect::<Vec<_>>().join(", ");
            let meant = match KnownAs::find(&self.protocol) {
                Some(known) if names.clone().any(|name| name == known.protocol) => {
                    Some(format!("write {}", known.instead_of(self)))
                }
                _ => nearest(&self.protocol, names).map(|name| format!("did you mean {name}?")),
            };
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
        self.check_options(protocol)?;
        Ok(protocol)
    }

    fn check_options(&self, protocol: &Protocol) -> Result<(), ListenError> {
        let listen = || Box::new(self.clone());
        for (name, value) in self.options.iter() {
            match protocol.options.iter().find(|option| option.name == name) {
                Some(option) if option.begins_tls && self.addr.tls => {
                    let name = option.name;
                    return Err(ListenError::OptionUnderTls { listen: listen(), name });
                }
                Some(option) if (option.takes)(value) => {}
                Some(&ListenOption { name, notation, .. }) => {
                    let value = value.to_owned();
                    return Err(ListenError::OptionValue {
                        listen: listen(),
                        name,
                        notation,
                        value,
                    });
                }
                None => return Err(self.unknown_option(protocol, name)),
            }
        }
        match self.options.twice() {
            Some(name) => Err(ListenError::OptionTwice { listen: listen(), name: name.to_owned() }),
            None => Ok(()),
        }
    }

    fn unknown_option(&self, protocol: &Protocol, name: &str) -> ListenError {
        // Of a protocol without options, all that stands there is meant for the address.
        if protocol.options.is_empty()
            && let Err(error) = self.written().parse::<Addr>()
        {
            return error.into();
        }
        let names = protocol.options.iter().map(|option| option.name);
        let of_address = OptionSpec::all().iter().map(|spec| spec.name);
        let known = protocol.options.iter().map(|it| format!("{} ({})", it.name, it.notation));
        ListenError::UnknownOption {
            listen: Box::new(self.clone()),
            name: name.to_owned(),
            known: known.collect::<Vec<_>>().join(", "),
            meant: nearest(name, names.chain(of_address)),
        }
    }

    /// The value of one of the protocol's [options](Protocol::options): empty if only its name is there, `None` if it
    /// is not.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name)
    }

    /// The address with all options: what stands behind the protocol.
    fn written(&self) -> String {
        self.options.behind(self.addr.to_string())
    }

    /// What to say of it where others than this machine can reach `addrs`, its addresses, and what `protocol` sends there can
    /// be read in between.
    #[must_use]
    pub fn warning(&self, protocol: &Protocol, addrs: &[Addr]) -> Option<String> {
        let Cleartext { what, remedy } = (protocol.cleartext)(self)?;
        let mut reached = addrs.iter().filter(|addr| !addr.is_local());
        let addr = Addr { options: Default::default(), ..reached.next()?.clone() };
        Some(format!(
            "{}+{addr} {what} reachable from other machines: whoever is in between can read and change what is sent; {remedy}",
            self.protocol
        ))
    }

    /// Whether the system chooses the port, so that two such listeners do not meet.
    #[must_use]
    pub fn takes_any_port(&self) -> bool {
        self.addr.port() == Some(0)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.protocol, self.written())
    }
}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        Self::parse(text)
    }
}

/// An address; what is wrong with it is told of what was written.
fn address(whole: &str, written: &str) -> Result<Addr, ListenError> {
    Ok(whole.parse::<Addr>().map_err(|error| error.told_of(written))?)
}

/// Whether an address is a port alone, perhaps with a colon in front and options behind it.
fn is_port(text: &str) -> bool {
    let place = text.split('?').next().unwrap_or(text);
    let port = place.strip_prefix(':').unwrap_or(place);
    !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
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
    use proptest::prelude::*;

    use super::*;
    use crate::listeners::tests::PROTOCOLS;

    #[test]
    fn the_protocol_in_front_and_the_transport_may_be_left_out_where_one_is_usual() {
        for (text, listen) in [
            ("127.0.0.1:80", "http+tcp://127.0.0.1:80"),
            ("8080", "http+tcp://127.0.0.1:8080"),
            (":8080?backlog=9", "http+tcp://127.0.0.1:8080?backlog=9"),
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
    fn what_is_wrong_is_marked_in_what_was_written() {
        for (text, part) in [
            ("localhost:99999", "99999"),
            ("99999", "99999"),
            (":99999", "99999"),
            ("http+tcp://localhost:99999", "99999"),
            ("http+tcp://h:1?backlog=x", "x"),
        ] {
            let ListenError::Address(error) = Listen::parse_or(text, "http").unwrap_err() else {
                panic!("{text}")
            };
            assert_eq!((error.input(), &text[error.span()]), (text, part));
        }
        let error = Listen::parse(":8085").unwrap_err();
        assert_eq!(error.hint().unwrap(), "write http+tcp://127.0.0.1:8085");
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

    /// What is wrong with a listener of the tests' protocols, and what to write instead.
    fn wrong(text: &str) -> (String, Option<String>) {
        let error = Listen::parse(text).and_then(|it| it.check(PROTOCOLS).map(drop)).unwrap_err();
        (error.to_string(), error.hint())
    }

    #[test]
    fn a_protocols_own_options_stand_among_those_of_the_address() {
        for (text, canonical) in [
            ("ftp+tcp://[::1]:21?tls=off", "ftp+tcp://[::1]:21?tls=off"),
            (
                "ftp+tcp://h:21?tls=off&backlog=9&charset=gbk",
                "ftp+tcp://h:21?backlog=9&charset=gbk&tls=off",
            ),
            ("ftp+tls+unix:///run/a%3Fb?charset=a=b", "ftp+tls+unix:///run/a%3Fb?charset=a=b"),
            ("ftp+tcp://h:21?backlog=9", "ftp+tcp://h:21?backlog=9"),
        ] {
            let listen = Listen::parse(text).unwrap();
            listen.check(PROTOCOLS).unwrap();
            assert_eq!(listen.to_string(), canonical);
            assert_eq!(Listen::parse(canonical).unwrap(), listen);
        }
        let listen = Listen::parse("ftp+tcp://h:21?tls=off&backlog=9&charset").unwrap();
        assert_eq!(listen.addr.options.backlog, Some(9));
        let options = ["tls", "charset", "backlog"].map(|name| listen.option(name));
        assert_eq!(options, [Some("off"), Some(""), None]);
    }

    #[test]
    fn an_option_that_cannot_be_is_told_with_what_there_is() {
        let at = "ftp+tcp://h:21";
        let known = "only tls (required, allowed or off), charset (a character set, as gbk)";
        for (query, message, hint) in [
            (
                "?tlz=off",
                format!("{at}?tlz=off: ftp has no option \"tlz\", {known}"),
                Some("did you mean tls?"),
            ),
            (
                "?backlogs=9",
                format!("{at}?backlogs=9: ftp has no option \"backlogs\", {known}"),
                Some("did you mean backlog?"),
            ),
            ("?tls=on", format!("{at}?tls=on: tls is required, allowed or off, not \"on\""), None),
            (
                "?charset",
                format!("{at}?charset: charset is a character set, as gbk, not \"\""),
                None,
            ),
            ("?tls=off&tls=off", format!("{at}?tls=off: tls stands twice"), Some("write it once")),
        ] {
            assert_eq!(wrong(&format!("{at}{query}")), (message, hint.map(str::to_owned)));
        }
    }

    #[test]
    fn where_a_protocol_has_no_options_the_address_says_what_is_wrong() {
        for (text, message) in [
            (
                "http+tcp://h:1?blacklog=9",
                "`tcp://h:1?blacklog=9`: no option is called `blacklog`; write backlog",
            ),
            ("http+tcp://h:1?tls=off", "no option is called `tls`"),
            ("http+tcp://h:1?backlog=9&backlog=9", "backlog stands twice"),
            ("ftp+tcp://h:1?tls=off&backlog=x", "backlog: "),
            ("ftp+tcp://h:1?tls=off&", "an option is missing here"),
            ("ftp+tcp://h:1?tls=off#x", "an address has no fragment"),
        ] {
            let (said, _) = wrong(text);
            assert!(said.contains(message), "{text}: {said}");
        }
        let error = Listen::parse("tcp://h:21?tls=off&backlog=9").unwrap_err();
        assert_eq!(error.hint().unwrap(), "write ftp+tcp://h:21?backlog=9&tls=off");
        assert!(
            error.to_string().starts_with("tcp://h:21?tls=off&backlog=9: nothing says"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_read_back(text in "ftp\\+tcp://h:1[?]([a-d=&#%?é]{0,12})") {
            if let Ok(listen) = Listen::parse(&text)
                && listen.options.twice().is_none()
            {
                prop_assert_eq!(Listen::parse(&listen.to_string()).unwrap(), listen);
            }
        }
    }

    #[test]
    fn what_others_call_a_listener_is_answered_with_what_it_is_here() {
        for (text, expected) in [
            ("ftps+tcp://[::]:990", "write ftp+tls+tcp://[::]:990"),
            ("ftpes+tcp://h:21?backlog=9", "write ftp+tcp://h:21?backlog=9&tls=required"),
            ("https+unix:///run/x.sock", "write http+tls+unix:///run/x.sock"),
            ("ftp://127.0.0.1:2199", "write ftp+tcp://127.0.0.1:2199"),
            ("ftp://[::]?tls=required", "write ftp+tcp://[::]:21?tls=required"),
            ("ftps://example.org", "write ftp+tls+tcp://example.org:990"),
            ("FTPES://h/", "write ftp+tcp://h:21?tls=required"),
            ("davs://h/x?y=1", "write http+tls+tcp://h:443"),
            ("127.0.0.1:21", "write ftp+tcp://127.0.0.1:21"),
            ("990", "write ftp+tls+tcp://127.0.0.1:990"),
        ] {
            let (_, hint) = wrong(text);
            assert_eq!(hint.as_deref(), Some(expected), "{text}");
            // What is told is right: no second answer awaits who writes it.
            let meant = expected.trim_start_matches("write ");
            Listen::parse(meant).unwrap().check(PROTOCOLS).unwrap();
        }
        for text in ["sftp+tcp://h:22", "sftp://h:22", "ssh+tcp://h:22?backlog=9"] {
            let (message, hint) = wrong(text);
            assert!(message.starts_with(&format!("{text}: SSH, and SFTP in it, ")), "{message}");
            assert!(hint.unwrap().contains("ftp+tls+tcp://"), "{text}");
        }
    }

    #[test]
    fn what_is_no_listener_is_refused() {
        for text in [
            "",
            "80x",
            ":",
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
