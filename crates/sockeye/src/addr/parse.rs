//! From text to [`Addr`]: the grammar's outer shape and the checks across its parts.

use super::{
    Addr, Endpoint, Host, HostPort, OptionSpec, SocketOptions, Transport, UnixName,
    error::{AddrErrorKind as Kind, Fault, quoted},
    field::{self, Field, Refusal},
    nearest,
    options::is_unspecified,
    part::Part,
    table::PROTOCOLS,
};

/// The longest address, in bytes.
pub const MAX_LEN: usize = 16 * 1024;

/// What stands before `://`.
struct Scheme {
    tls: bool,
    proxy: bool,
    transport: Transport,
}

pub(super) fn parse(text: &str) -> Result<Addr, Fault> {
    let whole = Part::whole(text);
    if text.len() > MAX_LEN {
        let message = format!("the address is {} bytes long", text.len());
        return Err(whole.fault(Kind::TooLong, message, format!("at most {MAX_LEN} are possible")));
    }
    let Some((scheme, rest)) = whole.split_once("://") else { return Err(missing_scheme(whole)) };
    let Scheme { tls, proxy, transport } = parse_scheme(scheme)?;
    if let Some(at) = rest.text.find('#') {
        let remedy = "leave it out; in a path write %23";
        return Err(rest.skip(at).fault(Kind::Surplus, "an address has no fragment", remedy));
    }
    let (place, query) = match rest.split_once("?") {
        Some((place, query)) => (place, Some(query)),
        None => (rest, None),
    };
    let mut endpoint = parse_place(transport, place)?;
    let query = Query::new(transport, proxy).read(query)?;
    if let Endpoint::Ip { protocol, .. } = &mut endpoint {
        *protocol = query.protocol.ok_or_else(|| missing_protocol(whole))?;
    }
    query.check_against(&endpoint)?;
    Ok(Addr { tls, proxy, endpoint, options: query.options })
}

/// Reads one `name=value` into an address, in place of an earlier value.
pub(super) fn set_option(addr: &mut Addr, part: Part<'_>) -> Result<(), Fault> {
    let mut query = Query::new(addr.transport(), addr.proxy);
    query.options = addr.options.clone();
    let (name, value) = part.text.split_once('=').unwrap_or((part.text, ""));
    if let Some(spec) = OptionSpec::find(name) {
        spec.field.clear(&mut query.options, value);
    }
    query.read_option(part)?;
    query.check_against(&addr.endpoint)?;
    if let (Endpoint::Ip { protocol, .. }, Some(new)) = (&mut addr.endpoint, query.protocol) {
        *protocol = new;
    }
    addr.options = query.options;
    Ok(())
}

/// The endpoint; the protocol of `ip://` stands in the query and is filled in later.
fn parse_place(transport: Transport, place: Part<'_>) -> Result<Endpoint, Fault> {
    Ok(match transport {
        Transport::Tcp => Endpoint::Tcp(HostPort::parse(place)?),
        Transport::Udp => Endpoint::Udp(HostPort::parse(place)?),
        Transport::Unix => Endpoint::Unix(UnixName::parse(place)?),
        Transport::Unixgram => Endpoint::Unixgram(UnixName::parse(place)?),
        Transport::Seqpacket => Endpoint::Seqpacket(UnixName::parse(place)?),
        Transport::Inherited => Endpoint::Inherited(inherited_name(place)?),
        Transport::Icmp => Endpoint::Icmp(Host::parse(place)?),
        Transport::Ip => Endpoint::Ip { host: Host::parse(place)?, protocol: 0 },
    })
}

fn parse_scheme(part: Part<'_>) -> Result<Scheme, Fault> {
    if part.text.is_empty() {
        return Err(part.fault(Kind::Scheme, "the transport is missing", known_transports()));
    }
    let mut words: Vec<Part<'_>> = part.split('+').collect();
    let last = words.pop().unwrap_or(part);
    let name = last.text.to_ascii_lowercase();
    let Some(transport) = Transport::from_name(&name) else {
        return Err(unknown_transport(last, &name));
    };
    let mut layers = Vec::new();
    for word in words {
        let layer = match word.text.to_ascii_lowercase().as_str() {
            "tls" => "tls",
            "proxy" => "proxy",
            other => return Err(unknown_layer(word, other)),
        };
        if layers.contains(&layer) {
            let message = format!("{layer}+ stands twice");
            return Err(word.fault(Kind::Layer, message, "write it once"));
        }
        if !transport.takes_layers() {
            let message = format!("{layer}+ needs a stream of bytes, which {transport} is not");
            let remedy = format!("write {transport}://…, or {layer}+ over tcp, unix or fd");
            return Err(word.fault(Kind::Layer, message, remedy));
        }
        layers.push(layer);
    }
    if layers == ["proxy", "tls"] {
        let message = "the layers are in the wrong order: a PROXY header comes before TLS";
        let remedy = format!("write tls+proxy+{transport}://…");
        return Err(part.fault(Kind::Layer, message, remedy));
    }
    Ok(Scheme { tls: layers.contains(&"tls"), proxy: layers.contains(&"proxy"), transport })
}

fn known_transports() -> String {
    let names: Vec<_> = Transport::ALL.iter().map(|t| format!("{t}://")).collect();
    format!("write one of {}", names.join(", "))
}

fn unknown_transport(part: Part<'_>, name: &str) -> Fault {
    let message = format!("{} is not a transport", quoted(part.text));
    let known = match name {
        "tls" | "ssl" | "https" | "wss" | "tcps" => Some("tls+tcp"),
        "proxy" => Some("proxy+tcp"),
        "http" | "ws" | "ftp" | "ssh" | "telnet" | "tcp4" | "tcp6" | "stream" => Some("tcp"),
        "udp4" | "udp6" | "dgram" => Some("udp"),
        "file" | "local" | "unix-stream" => Some("unix"),
        "unix-dgram" | "unixdgram" => Some("unixgram"),
        "unix-seqpacket" | "unixpacket" => Some("seqpacket"),
        "systemd" => Some("fd"),
        "icmp6" | "icmpv6" | "ping" => Some("icmp"),
        "raw" => Some("ip"),
        _ => nearest(name, Transport::ALL.iter().map(|t| t.name())),
    };
    let remedy = known.map_or_else(known_transports, |name| format!("write {name}://"));
    part.fault(Kind::Scheme, message, remedy)
}

fn unknown_layer(part: Part<'_>, name: &str) -> Fault {
    let message = format!("{} is not a layer", quoted(part.text));
    let remedy = match nearest(name, ["tls", "proxy"]) {
        Some(layer) => format!("write {layer}+"),
        None if Transport::from_name(name).is_some() => {
            "write one transport, the last word".to_owned()
        }
        None => "the layers are tls+ and proxy+".to_owned(),
    };
    part.fault(Kind::Layer, message, remedy)
}

/// Guesses what was meant: `localhost:80`, `/run/x.sock`, `8080`, `unix:/run/x.sock`.
fn missing_scheme(part: Part<'_>) -> Fault {
    let text = part.text;
    let guess = if text.is_empty() {
        None
    } else if let Some((name, rest)) =
        text.split_once(':').filter(|(name, _)| Transport::from_name(name).is_some())
    {
        Some(format!("{name}://{}", rest.trim_start_matches("//")))
    } else if text.starts_with(['/', '.', '@']) {
        Some(format!("unix://{text}"))
    } else if text.bytes().all(|b| b.is_ascii_digit()) {
        Some(format!("tcp://localhost:{text}"))
    } else if text.starts_with(':') {
        Some(format!("tcp://localhost{text}"))
    } else {
        Some(format!("tcp://{text}"))
    };
    let remedy = guess.and_then(|guess| match parse(&guess) {
        Ok(_) => Some(format!("write {guess}")),
        // The port may be missing as well.
        Err(fault) => {
            let remedy = fault.in_input(&guess).remedy().to_owned();
            let mended = remedy.strip_prefix("write ")?.replace(":PORT", ":0");
            (mended.contains("://") && parse(&mended).is_ok()).then_some(remedy)
        }
    });
    let remedy = remedy.unwrap_or_else(|| "write it as tcp://HOST:PORT or unix:///PATH".to_owned());
    let message = if text.is_empty() { "the address is empty" } else { "the transport is missing" };
    let (empty, _) = part.split_at(0);
    empty.fault(Kind::Scheme, message, remedy)
}

fn missing_protocol(whole: Part<'_>) -> Fault {
    let remedy = "add ?proto=N, a number or a name such as icmp, gre or ospf";
    whole.fault_after(Kind::MissingOption, "ip:// needs the protocol", remedy)
}

/// The rules of systemd's `FileDescriptorName=`: printable ASCII without a colon.
fn inherited_name(part: Part<'_>) -> Result<String, Fault> {
    const LONGEST: usize = 255;
    let remedy = "write the name from FileDescriptorName=, as fd://web";
    if part.text.is_empty() {
        return Err(part.fault(Kind::Name, "the name is empty", remedy));
    }
    let name = super::percent::decode(part.text).ok().and_then(|name| String::from_utf8(name).ok());
    match name {
        Some(name)
            if name.len() <= LONGEST
                && name.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b':') =>
        {
            Ok(name)
        }
        _ => Err(part.fault(
            Kind::Name,
            format!("{} is not the name of a descriptor", quoted(part.text)),
            "a name is printable ASCII without a colon, at most 255 characters",
        )),
    }
}

/// The options, with the place in the text that each came from.
struct Query<'a> {
    transport: Transport,
    proxy: bool,
    options: SocketOptions,
    protocol: Option<u8>,
    parts: Vec<(&'static str, Part<'a>)>,
}

impl<'a> Query<'a> {
    fn new(transport: Transport, proxy: bool) -> Self {
        let options = SocketOptions::default();
        Self { transport, proxy, options, protocol: None, parts: Vec::new() }
    }

    fn read(mut self, query: Option<Part<'a>>) -> Result<Self, Fault> {
        for part in query.into_iter().flat_map(|query| query.split('&')) {
            if part.text.is_empty() {
                let remedy = "write ?NAME=VALUE&NAME=VALUE";
                return Err(part.fault(Kind::OptionValue, "an option is missing here", remedy));
            }
            self.read_option(part)?;
        }
        Ok(self)
    }

    fn read_option(&mut self, part: Part<'a>) -> Result<(), Fault> {
        let (name, value) = match part.split_once("=") {
            Some((name, value)) => (name, Some(value)),
            None => (part, None),
        };
        let spec = self.find(name)?;
        let stored = match spec.field {
            Field::Protocol => self.store_protocol(value.map_or("", |value| value.text)),
            _ => spec.field.store(&mut self.options, value.map(|value| value.text)),
        };
        stored.map_err(|refusal| match refusal {
            Refusal::Duplicate => {
                let message = format!("{} stands twice", spec.name);
                let remedy =
                    if spec.is_repeatable() { "write each value once" } else { "write it once" };
                part.fault(Kind::DuplicateOption, message, remedy)
            }
            Refusal::Value { message, remedy } => {
                let message = format!("{}: {message}", spec.name);
                match value {
                    Some(value) => value.fault(Kind::OptionValue, message, remedy),
                    None => part.fault_after(Kind::OptionValue, message, remedy),
                }
            }
        })?;
        self.parts.push((spec.name, part));
        Ok(())
    }

    fn find(&self, name: Part<'_>) -> Result<&'static OptionSpec, Fault> {
        let here = || OptionSpec::all().iter().filter(|s| s.transports.contains(&self.transport));
        let Some(spec) = OptionSpec::find(name.text) else {
            let names = || here().flat_map(|s| std::iter::once(&s.name).chain(s.aliases));
            let remedy = match nearest(name.text, names().copied()).and_then(OptionSpec::find) {
                Some(spec) => format!("write {}", spec.name),
                None => {
                    let names: Vec<_> = here().map(|s| s.name).collect();
                    format!("{} has {}", self.transport, names.join(", "))
                }
            };
            let message = format!("no option is called {}", quoted(name.text));
            return Err(name.fault(Kind::UnknownOption, message, remedy));
        };
        if !spec.transports.contains(&self.transport) {
            let having: Vec<_> = spec.transports.iter().map(|t| t.name()).collect();
            let message = format!("{} has no option {}", self.transport, spec.name);
            let remedy = format!("leave it out: it is for {}", having.join(", "));
            return Err(name.fault(Kind::OptionPlace, message, remedy));
        }
        if matches!(spec.field, Field::Networks) && !self.proxy {
            let message = "trust is for addresses with a PROXY header";
            let remedy = format!("write proxy+{}://… or leave it out", self.transport);
            return Err(name.fault(Kind::OptionPlace, message, remedy));
        }
        Ok(spec)
    }

    fn store_protocol(&mut self, text: &str) -> Result<(), Refusal> {
        if self.protocol.is_some() {
            return Err(Refusal::Duplicate);
        }
        let name = text.to_ascii_lowercase();
        let named = PROTOCOLS.iter().find(|(known, _)| *known == name).map(|(_, n)| *n);
        self.protocol = match named {
            Some(protocol) => Some(protocol),
            None => {
                let number = field::number(text, 1..=255).map_err(|refusal| match refusal {
                    Refusal::Value { message, remedy } => {
                        let names = PROTOCOLS.iter().map(|(name, _)| *name);
                        let near = nearest(&name, names).map(|name| format!("write {name}"));
                        let remedy = near
                            .unwrap_or(format!("{remedy}, or a name such as icmp, gre or ospf"));
                        Refusal::Value { message, remedy }
                    }
                    Refusal::Duplicate => Refusal::Duplicate,
                })?;
                u8::try_from(number).ok()
            }
        };
        Ok(())
    }

    /// What one part alone cannot show: options that the host's family has no use for.
    fn check_against(&self, endpoint: &Endpoint) -> Result<(), Fault> {
        let misplaced = |option: &str, message: &str, remedy: &str| match self
            .parts
            .iter()
            .rev()
            .find(|(name, _)| *name == option)
        {
            Some((_, part)) => Err(part.fault(Kind::OptionPlace, message, remedy)),
            None => Ok(()),
        };
        let Some(host) = endpoint.host() else { return Ok(()) };
        if self.options.v6only.is_some() && host.is_ipv4() {
            let remedy = "leave it out, or write [::]";
            return misplaced("v6only", "v6only is for IPv6, the host is IPv4", remedy);
        }
        let Some(ip) = host.ip() else { return Ok(()) };
        for group in &self.options.multicast_join {
            // A dual-stack socket on [::] can be in IPv4 groups as well.
            let dual = is_unspecified(ip) && ip.is_ipv6() && self.options.v6only != Some(true);
            let fits = group.address().is_ipv4() == ip.is_ipv4()
                || (group.address().is_ipv4() && dual && self.transport != Transport::Ip);
            if !fits {
                let message = "the group and the host are of different IP versions";
                return misplaced(
                    "multicast-join",
                    message,
                    "bind 0.0.0.0 for IPv4 groups, [::] for IPv6 ones",
                );
            }
        }
        Ok(())
    }
}
