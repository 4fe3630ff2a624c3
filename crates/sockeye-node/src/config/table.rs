//! The table of keys: everything that can be set, once. The default file, `config show`, the names in the
//! environment, the checks and the documentation come from these rows.
//!
//! A row says when a changed value holds, under which name it is set, which field has it, of what kind it
//! is, and what it is by default (as a word of the environment would say it).

use std::{path::PathBuf, time::Duration};

use sockeye::addr::{Cidr, Host};
use sockeye_journal::Kind;
use sockeye_store::Name;

use super::value::{
    Bytes, CloseNotify, DataTls, Durability, NodeModel, PortRange, Raw, SecureUrl, SiteUrl, Value,
    Within,
};
use crate::listeners::Listen;

/// When a changed value holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// From the next reload on.
    Reload,
    /// From the next reload on, for connections that begin then.
    NewConnections,
    /// From the next start on.
    Restart,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The name: `journal.keep` is `keep` in the table `[journal]` of the file.
    pub name: &'static str,
    /// What it is for, line by line.
    pub help: &'static [&'static str],
    /// When a changed value holds.
    pub change: Change,
    /// The default, as it is written in the environment.
    pub(super) default: &'static str,
    pub(super) expected: fn() -> String,
    pub(super) printed: fn(&Raw) -> Result<String, String>,
}

impl Key {
    /// The row of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// The name of the variable that sets it: `SOCKEYE_JOURNAL_KEEP`.
    #[must_use]
    pub fn variable(&self) -> String {
        let name = self.name.replace(['.', '-'], "_").to_ascii_uppercase();
        format!("{}{name}", super::PREFIX)
    }

    /// The default, as TOML.
    #[must_use]
    pub fn default_toml(&self) -> String {
        let printed = (self.printed)(&Raw::Word(self.default.to_owned()));
        // A test reads every default.
        printed.unwrap_or_default()
    }

    /// What kind of value it takes, with an example.
    #[must_use]
    pub fn expected(&self) -> String {
        (self.expected)()
    }
}

macro_rules! settings {
    ($(
        $(#[doc = $help:literal])+
        $change:ident $name:literal => $field:ident: $kind:ty = $default:literal;
    )+) => {
        /// Every setting, by key; the table in the source has the names and the defaults.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct Settings { $( $(#[doc = $help])+ pub $field: $kind, )+ }

        /// Every key, in the order of the default file.
        pub const KEYS: &[Key] = &[ $( Key {
            name: $name,
            help: &[$($help),+],
            change: Change::$change,
            default: $default,
            expected: <$kind as Value>::expected,
            printed: |raw| <$kind as Value>::read(raw).map(|value| value.print()),
        } ),+ ];

        impl Settings {
            /// Reads every key; what is wrong with one is told, and then there are no settings.
            pub(super) fn read(
                find: impl Fn(&'static Key) -> Raw,
                mut wrong: impl FnMut(&'static str, String),
            ) -> Option<Self> {
                let mut keys = KEYS.iter();
                $( let $field = keys.next().and_then(|key| {
                    let value = <$kind as Value>::read(&find(key));
                    value.map_err(|message| wrong(key.name, message)).ok()
                }); )+
                Some(Self { $( $field: $field? ),+ })
            }

            /// These values, but for those that hold from the next start on: they are of `running`.
            pub(super) fn in_place_of(self, running: &Self) -> Self {
                let restart = |change| change == Change::Restart;
                Self { $( $field: match restart(Change::$change) {
                    true => running.$field.clone(),
                    false => self.$field,
                } ),+ }
            }

            /// Every key's name with its value as TOML, in the order of the table.
            #[must_use]
            pub fn printed(&self) -> Vec<(&'static str, String)> {
                vec![$( ($name, self.$field.print()) ),+]
            }
        }
    };
}

settings! {
    /// Where to listen, and what is spoken there: PROTOCOL+ADDRESS.
    /// http is the web, with WebDAV; ftp is FTP, with TLS for clients that begin it (`?tls=required` behind the
    /// address: for all), ftp+tls+tcp:// with TLS from the start; admin (health and metrics) is for this machine alone.
    /// What is set here is all there is: name every listener, also those of the default that are to stay.
    Reload "listen" => listen: Vec<Listen> =
        "http+tcp://127.0.0.1:8080 http+tls+tcp://127.0.0.1:8443 ftp+tcp://127.0.0.1:2121 admin+tcp://127.0.0.1:9180";
    /// Who runs connections: "tasks" or "tasks:THREADS", a task each; or
    /// "percore" or "percore:N", as many threads as cores.
    Restart "model" => model: NodeModel = "tasks";
    /// When a write counts as done.
    /// "sync": when it is on the disk. "rename": at once, so that a power failure may take the last seconds.
    Restart "durability" => durability: Durability = "sync";
    /// Whether everybody may read /public without an account. Admins fill it, and whom
    /// `sockeye user grant NAME /public read,write,delete,list` lets.
    Reload "public" => public: bool = "false";
    /// How long connections may go on after a signal to stop.
    Restart "drain" => drain: Duration = "10s";

    /// The certificate of TLS listeners, PEM, the server's own first; relative to the data folder.
    /// As long as there is none at the default place, one is made, signed by itself. A reload takes another path, and what
    /// is new in the file.
    NewConnections "tls.cert" => tls_cert: PathBuf = "tls/cert.pem";
    /// Its private key, PEM.
    NewConnections "tls.key" => tls_key: PathBuf = "tls/key.pem";

    /// Bytes that a new account may use in its home; "none" is no limit. `sockeye user quota` sets others.
    Reload "quota.bytes" => quota_bytes: Option<Bytes> = "none";
    /// Files and folders that a new account may have.
    Reload "quota.entries" => quota_entries: Option<Within<0, { u32::MAX }>> = "none";

    /// How long what was deleted or replaced can be restored; "none" is for ever, "0s" not at all. Where a quota or
    /// the disk is full, the oldest goes before, and the log says so.
    Restart "trash.keep" => trash_keep: Option<Duration> = "30d";
    /// How long an upload that was broken off can be resumed; where a quota is full, ten minutes.
    Restart "partials.keep" => partials_keep: Duration = "7d";

    /// Whether a record is on the disk before the operation it tells of is answered; not under
    /// durability = "rename".
    Restart "journal.sync" => journal_sync: bool = "true";
    /// Size at which the journal begins a new segment.
    Restart "journal.segment" => journal_segment: Bytes = "64MiB";
    /// Age at which it does.
    Restart "journal.segment-age" => journal_segment_age: Duration = "1d";
    /// How long the journal is kept; "none" is for ever.
    Restart "journal.keep" => journal_keep: Option<Duration> = "none";
    /// How large it may become before its oldest segments are removed.
    Restart "journal.keep-size" => journal_keep_size: Option<Bytes> = "16GiB";
    /// How long a record that nobody waits for may stay in memory.
    Restart "journal.interval" => journal_interval: Duration = "200ms";
    /// Records in memory before writers wait.
    Restart "journal.batch" => journal_batch: Bytes = "4MiB";
    /// How long an operation may be held up by a journal that has no room in memory.
    Restart "journal.block" => journal_block: Duration = "250ms";
    /// How long a change may wait for its record before it is answered as failed.
    Restart "journal.wait" => journal_wait: Duration = "5s";
    /// Kinds of operations that are not recorded, of "read", "list", "login" and "refusal".
    Restart "journal.off" => journal_off: Vec<Kind> = "";

    /// Memory that one hashing of a password takes (argon2id).
    Restart "login.memory" => login_memory: Bytes = "19MiB";
    /// Passes over it.
    Restart "login.passes" => login_passes: Within<1, 64> = "2";
    /// Hashings at once; login.memory times as much memory is needed.
    Restart "login.at-once" => login_at_once: Within<1, 256> = "2";
    /// Logins that may wait for one; more are asked to come again.
    Restart "login.waiting" => login_waiting: Within<0, 100_000> = "64";
    /// How long a password once verified is known again without hashing; a change of the account ends it.
    Restart "login.remember" => login_remember: Duration = "5m";
    /// How many are known again.
    Restart "login.remembered" => login_remembered: Within<0, 10_000_000> = "10000";

    /// Connections at once, on each listener.
    Restart "limits.connections" => limits_connections: Within<1, 10_000_000> = "100000";
    /// Connections at once from one address (an IPv6 /64), on each listener. After a reload those that were open while
    /// there was no limit do not count.
    NewConnections "limits.per-address" => limits_per_address: Option<Within<1, 10_000_000>> = "none";
    /// How long a TLS handshake may take.
    Restart "limits.handshake" => limits_handshake: Duration = "10s";
    /// Homes that are kept open.
    Restart "limits.homes" => limits_homes: Within<1, 1_000_000> = "1024";
    /// Threads that wait for the disk.
    Restart "limits.disk-threads" => limits_disk_threads: Within<1, 1024> = "16";

    /// Bytes a second that one account may send and receive, over all its connections.
    Reload "bandwidth.account" => bandwidth_account: Option<Bytes> = "none";
    /// Bytes a second over one listener.
    Reload "bandwidth.listener" => bandwidth_listener: Option<Bytes> = "none";

    /// Where the site is reached from outside, for links to it: `https://files.example.org/`.
    /// Without it, links begin with the address of the first listener.
    Reload "http.url" => http_url: Option<SiteUrl> = "none";
    /// Files that stand for their folder, the first that exists, for the public: who has an account sees the folder.
    NewConnections "http.index" => http_index: Vec<Name> = "index.html";
    /// Whether other folders are listed.
    NewConnections "http.listing" => http_listing: bool = "true";
    /// Names that listeners on loopback answer to, beside localhost and the host of http.url.
    NewConnections "http.hosts" => http_hosts: Vec<String> = "";
    /// Addresses of proxies in front that are believed when they say whom a request is from, by X-Forwarded-For and
    /// X-Forwarded-Proto: "127.0.0.1", "10.0.0.0/8". Nobody else may be able to call from there.
    NewConnections "http.proxies" => http_proxies: Vec<Cidr> = "";
    /// Whether texts are made smaller while they are sent (gzip, brotli, zstd), for who takes that.
    NewConnections "http.compress" => http_compress: bool = "true";
    /// Whether FILE.br, FILE.zst and FILE.gz are sent for FILE, to who takes that.
    NewConnections "http.precompressed" => http_precompressed: bool = "false";
    /// Where whoever comes without TLS is sent. Not for a node behind a proxy that has the TLS.
    NewConnections "http.redirect" => http_redirect: Option<SecureUrl> = "none";
    /// How long browsers are to come over TLS alone, once they did (HSTS).
    NewConnections "http.hsts" => http_hsts: Option<Duration> = "none";
    /// Longest request line.
    NewConnections "http.request-line" => http_request_line: Bytes = "8KiB";
    /// Longest head of a request.
    NewConnections "http.head" => http_head: Bytes = "32KiB";
    /// How long a head may take from its first byte to its last.
    NewConnections "http.head-time" => http_head_time: Duration = "10s";
    /// How long a connection may be idle between requests.
    NewConnections "http.idle" => http_idle: Duration = "60s";
    /// How long a peer may take nothing of what is sent, or send nothing of what it announced.
    NewConnections "http.stall" => http_stall: Duration = "30s";
    /// Largest file that is taken, at once or in pieces.
    NewConnections "http.upload" => http_upload: Option<Bytes> = "none";
    /// Ranges in one request.
    NewConnections "http.ranges" => http_ranges: Within<0, 1000> = "16";
    /// Entries of a folder that are sorted; a larger one is listed as it comes.
    NewConnections "http.sorted-entries" => http_sorted_entries: Within<0, 10_000_000> = "10000";
    /// The memory that a folder's archive may take while it is sent, which says how much a folder may have in it
    /// (64MiB: some 500,000 entries). All archives together take at most 256MiB.
    NewConnections "http.archive" => http_archive: Bytes = "64MiB";
    /// Requests at once on one HTTP/2 connection.
    NewConnections "http.streams" => http_streams: Within<1, 100_000> = "100";

    /// Ports that passive data connections come to, for who has to let them through a firewall. One is lent to a
    /// client until it has connected; where all are lent, others wait for one as long as ftp.connect says, and
    /// are told 425 then. "none": any free one from 49152 on.
    NewConnections "ftp.passive-ports" => ftp_passive_ports: Option<PortRange> = "none";
    /// The address that clients are told to open data connections to, behind a router that translates
    /// addresses; a name is looked up each time. "none": that of the control connection, which clients on this
    /// machine are told in any case.
    NewConnections "ftp.address" => ftp_address: Option<Host> = "none";
    /// Whether clients may have data connections to a port of their own (PORT, EPRT).
    NewConnections "ftp.active" => ftp_active: bool = "true";
    /// Whether a data connection under TLS has to resume the session of its control connection, which
    /// nobody else can. "require", or "prefer" for clients that cannot either.
    NewConnections "ftp.data-tls" => ftp_data_tls: DataTls = "require";
    /// Whether an upload under TLS has to end with TLS's own end (close_notify), without which it may have been cut
    /// by anybody. "require", or "tolerate" for clients that do not send it.
    NewConnections "ftp.close-notify" => ftp_close_notify: CloseNotify = "require";
    /// Sessions of one account at once.
    NewConnections "ftp.per-account" => ftp_per_account: Option<Within<1, 1_000_000>> = "none";
    /// How long a control connection may be idle while nothing is transferred.
    NewConnections "ftp.idle" => ftp_idle: Duration = "5m";
    /// How long a data connection may take to come.
    NewConnections "ftp.connect" => ftp_connect: Duration = "30s";
    /// How long the other side of a transfer may send or take nothing.
    NewConnections "ftp.stall" => ftp_stall: Duration = "60s";
    /// Whether a file is seen under its name while it is still coming, with the size that it has so far, where there is no
    /// other of that name: for clients that watch it. It can be fetched once it is complete in any case.
    NewConnections "ftp.growing" => ftp_growing: bool = "false";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_default_is_of_its_keys_kind_and_is_read_back() {
        for key in KEYS {
            let printed = (key.printed)(&Raw::Word(key.default.to_owned()));
            let toml = printed.unwrap_or_else(|error| panic!("{}: {error}", key.name));
            let (entries, malformed) = super::super::file::read(&format!("x = {toml}"));
            assert!(malformed.is_empty(), "{}: {malformed:?}", key.name);
            assert_eq!((key.printed)(&entries[0].raw), Ok(toml), "{}", key.name);
        }
    }

    #[test]
    fn names_and_variables_are_distinct_and_in_the_notation() {
        let names: BTreeSet<_> = KEYS.iter().map(|key| key.name).collect();
        let variables: BTreeSet<_> = KEYS.iter().map(Key::variable).collect();
        assert_eq!((names.len(), variables.len()), (KEYS.len(), KEYS.len()));
        for key in KEYS {
            let fits = |c: char| c.is_ascii_lowercase() || c == '-' || c == '.';
            assert!(key.name.chars().all(fits), "{}", key.name);
            assert!(key.name.matches('.').count() <= 1, "{}", key.name);
            assert!(!super::super::NOT_KEYS.contains(&&*key.variable()), "{}", key.name);
        }
        assert_eq!(Key::find("journal.keep-size").unwrap().variable(), "SOCKEYE_JOURNAL_KEEP_SIZE");
    }
}
