//! What can be set, and the limits.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use sockeye::tls::TlsServer;
use sockeye_node::{
    Bucket, Cleartext, Listen, ListenOption, Listening, Sessions,
    config::{CloseNotify, DataTls, Settings},
};

use crate::wire::charset::Charset;

/// How files are served.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The ports that clients connect to for data; any free one from 49152 on by default. One serves one client at a time,
    /// for as long as it takes to connect.
    pub passive_ports: Option<RangeInclusive<u16>>,
    /// The address that PASV tells, or a name that has one, looked up each time; that of the control connection by default.
    pub address: Option<String>,
    /// Whether data connections to the client's own address are made, by PORT and EPRT; they are by default.
    pub active: bool,
    /// The certificate; without one, the default, there is no TLS.
    pub tls: Option<TlsServer>,
    /// When TLS is begun, and whether it has to be.
    pub security: Security,
    /// Whether a data connection under TLS has to resume the session of its control connection (RFC 4217 §10.2), which
    /// nobody else can; it has to by default.
    pub resumed: bool,
    /// Whether an upload under TLS has to end with close_notify (RFC 8446 §6.1), without which anybody may have cut it; it has
    /// to by default.
    pub close_notify: bool,
    /// The charset of names, UTF-8 by default.
    pub charset: Charset,
    /// The limits.
    pub limits: Limits,
    /// How many sessions an account may have at once; without limit by default.
    pub sessions: Sessions,
    /// Whether a file that is still coming is seen under its name, with the size that it has so far, as long as there is no
    /// other file of that name; it is not by default. It cannot be fetched before it is whole.
    pub growing: bool,
    /// What all bytes go through that sessions send and receive here: a limit on bandwidth.
    pub bandwidth: Option<Arc<Bucket>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            passive_ports: None,
            address: None,
            active: true,
            tls: None,
            security: Security::Allowed,
            resumed: true,
            close_notify: true,
            charset: Charset::UTF_8,
            limits: Limits::default(),
            sessions: Sessions::Long { most: usize::MAX },
            growing: false,
            bandwidth: None,
        }
    }
}

/// What a node's settings say of FTP; the rest is as by default.
impl From<&Settings> for Config {
    fn from(settings: &Settings) -> Self {
        let most = settings.ftp_per_account.map_or(usize::MAX, |most| most.count());
        Self {
            passive_ports: settings.ftp_passive_ports.as_ref().map(|range| range.ports()),
            address: settings.ftp_address.as_ref().map(ToString::to_string),
            active: settings.ftp_active,
            limits: Limits {
                idle: settings.ftp_idle,
                connect: settings.ftp_connect,
                stall: settings.ftp_stall,
                ..Limits::default()
            },
            sessions: Sessions::Long { most },
            growing: settings.ftp_growing,
            resumed: settings.ftp_data_tls == DataTls::Require,
            close_notify: settings.ftp_close_notify == CloseNotify::Require,
            ..Self::default()
        }
    }
}

/// As its node has it for a listener.
impl From<&Listening<'_>> for Config {
    fn from(listening: &Listening<'_>) -> Self {
        // It was checked when the address was read.
        let charset = listening.listen.option("charset").and_then(|name| name.parse().ok());
        let listen = listening.listen;
        let security = match listen.option(TLS) {
            _ if listen.addr.tls => Security::Implicit,
            Some("required") => Security::Required,
            _ => Security::Allowed,
        };
        Self {
            tls: listening.tls.cloned(),
            security,
            charset: charset.unwrap_or_default(),
            bandwidth: Some(Arc::clone(listening.bucket)),
            ..Self::from(listening.settings)
        }
    }
}

/// The options that listeners have beside those of their address.
pub const OPTIONS: &[ListenOption] = &[
    ListenOption {
        name: TLS,
        notation: "required, allowed or off",
        help: "whether clients have to begin TLS (AUTH TLS), may, or cannot; they may by default",
        takes: |value| ["required", "allowed", "off"].contains(&value),
        begins_tls: true,
    },
    ListenOption {
        name: "charset",
        notation: "a charset that holds ASCII, such as utf-8 or gbk",
        help: "what names are in for clients that do not ask for UTF-8",
        takes: |name| name.parse::<Charset>().is_ok(),
        begins_tls: false,
    },
];

/// Whether connections of a listener can have TLS, and so need the node's certificate.
#[must_use]
pub fn starts_tls(listen: &Listen) -> bool {
    listen.addr.tls || listen.option(TLS) != Some("off")
}

/// What clients of a listener may send in plain text: all, unless they have to begin TLS.
#[must_use]
pub fn cleartext(listen: &Listen) -> Option<Cleartext> {
    let (what, remedy) = match listen.option(TLS) {
        _ if listen.addr.tls => return None,
        Some("required") => return None,
        Some("off") => ("is cleartext and", "`?tls=required` in place of `?tls=off` encrypts it"),
        _ => (
            "lets clients in without TLS and is",
            "`?tls=required` behind the address turns those away",
        ),
    };
    Some(Cleartext { what, remedy })
}

/// The option that says so.
const TLS: &str = "tls";

/// When TLS is begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// When a client asks for it (AUTH TLS, RFC 4217 §4), if it does.
    #[default]
    Allowed,
    /// When a client asks for it; nobody logs in, and no data is sent, without.
    Required,
    /// Before the first reply, on both connections.
    Implicit,
}

/// The limits of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How long a client may be silent while nothing is transferred; 5 minutes by default.
    pub idle: Duration,
    /// How long a data connection may stand still; 60 s by default.
    pub stall: Duration,
    /// How long a data connection may take to come about, and a client wait for a port of
    /// [`Config::passive_ports`]; 30 s by default. A port that nobody connects to is given back after as long.
    pub connect: Duration,
    /// How long an upload on a plain connection that has ended waits to hear that its client has gone, where it is large or
    /// shorter than was said (ALLO); 10 ms by default. Both connections of a client that is killed end within that.
    pub parting: Duration,
    /// How long a client that is refused in the middle of a file may go on sending, so that it finds the reply rather than a
    /// connection that was reset; 30 s by default.
    pub linger: Duration,
    /// How many bytes it may send so, which are thrown away; 1 GiB by default.
    pub linger_bytes: u64,
    /// How long a control connection may be silent during a transfer until the system asks whether the client is there, so
    /// that what is in between does not forget the connection; 60 s by default.
    pub keepalive: Duration,
    /// How long a reply may wait to be read; 30 s by default.
    pub write_stall: Duration,
    /// Lines that are no commands, and what is asked for in vain, before somebody logs in; the connection ends with the last.
    /// 10 by default.
    pub mistakes: u8,
    /// Refused logins, after which the connection ends; 3 by default.
    pub refusals: u8,
    /// Commands that wait while a transfer runs; more are not read until it has ended. 32 by default.
    pub queue: usize,
    /// Entries of a folder that are sorted for LIST and NLST; larger folders come as they are. 2,000 by default.
    pub sorted: usize,
    /// How deep below a folder LIST -R goes; 100 by default. What is deeper ends it.
    pub depth: usize,
    /// Bytes that LIST -R takes for the names of folders that are still to come; 4 MiB by default, which are some 40,000
    /// folders. More end it.
    pub folders: usize,
    /// Entries of a folder that STAT tells; 1,000 by default.
    pub stat: usize,
    /// Bytes of a file that are read to tell how long it is as text (SIZE under type A); 64 MiB by default.
    pub text: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(300),
            stall: Duration::from_secs(60),
            connect: Duration::from_secs(30),
            parting: Duration::from_millis(10),
            linger: Duration::from_secs(30),
            linger_bytes: 1 << 30,
            keepalive: Duration::from_secs(60),
            write_stall: Duration::from_secs(30),
            mistakes: 10,
            refusals: 3,
            queue: 32,
            sorted: 2_000,
            depth: 100,
            folders: 4 << 20,
            stat: 1_000,
            text: 64 << 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use sockeye_node::{
        Protocol,
        config::{Config as NodeConfig, Sources},
    };

    use super::*;

    const FTP: Protocol = Protocol {
        name: "ftp",
        schemes: ("ftp", "ftps"),
        ports: (21, 990),
        local_only: false,
        alpn: &[],
        options: OPTIONS,
        starts_tls,
        cleartext,
        service: |_| unreachable!("nothing is served"),
    };

    fn loaded(text: &str) -> Config {
        let text = format!("listen = \"ftp+tcp://127.0.0.1:21\"\n[ftp]\n{text}");
        let file = Some(("sockeye.toml".into(), text));
        let sources = Sources { file, ..Sources::default() };
        Config::from(&NodeConfig::load(&sources, &[FTP]).unwrap().settings)
    }

    #[test]
    fn every_setting_is_taken_over() {
        let config = loaded(
            "passive-ports = \"50000-50100\"\naddress = \"ftp.example.org\"\nactive = false\n\
             data-tls = \"prefer\"\nclose-notify = \"tolerate\"\nper-account = 3\nidle = \"7s\"\nconnect = \"8s\"\n\
             stall = \"9s\"\ngrowing = true\n",
        );
        assert_eq!(config.passive_ports, Some(50_000..=50_100));
        assert_eq!(config.address.as_deref(), Some("ftp.example.org"));
        assert_eq!((config.active, config.resumed, config.growing), (false, false, true));
        assert!(!config.close_notify);
        assert!(matches!(config.sessions, Sessions::Long { most: 3 }));
        let Limits { idle, connect, stall, .. } = config.limits;
        assert_eq!([idle, connect, stall].map(|limit| limit.as_secs()), [7, 8, 9]);
    }

    #[test]
    fn what_is_not_set_is_as_by_default() {
        let (config, default) = (loaded(""), Config::default());
        assert_eq!(config.limits, default.limits);
        assert_eq!(
            (config.passive_ports, config.address),
            (default.passive_ports, default.address)
        );
        assert_eq!((config.active, default.active), (true, true));
        assert_eq!((config.resumed, default.resumed), (true, true));
        assert_eq!((config.close_notify, default.close_notify), (true, true));
        assert_eq!((config.growing, default.growing), (false, false));
        assert!(matches!(config.sessions, Sessions::Long { most: usize::MAX }));
    }
}
