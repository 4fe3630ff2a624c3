//! What can be set, and the limits.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use sockeye::addr::Cidr;
use sockeye_node::{
    Bucket, Listening, Name, Node,
    config::{Settings, SiteUrl},
};

use crate::{Requests, node_wide::NodeWide, wire::log::Record};

/// How files are served.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Files that stand for their folder, the first that exists, for whoever has no account; `index.html` by default.
    pub index: Vec<Name>,
    /// Whether a folder without an index file is listed (the default) or refused.
    pub listing: bool,
    /// Names, without port, that loopback listeners answer to beside `localhost` and addresses.
    pub hosts: Vec<String>,
    /// Proxies that are believed when they say whom a request is from (`X-Forwarded-For`, `X-Forwarded-Proto`).
    pub proxies: Vec<Cidr>,
    /// What Cache-Control says of files; `no-cache` by default: kept, and asked about before each use.
    pub cache_control: Option<Cow<'static, str>>,
    /// Whether texts of a bounded size are made smaller while they are sent, for who takes that; they are by default.
    pub compress: bool,
    /// Whether `a.js.br`, `a.js.zst` and `a.js.gz` are sent for `a.js` to who takes that; not by default.
    pub precompressed: bool,
    /// Where whoever comes without TLS is sent: `https://HOST[:PORT]`; nowhere by default.
    pub redirect: Option<String>,
    /// How long browsers are told to come over TLS alone (RFC 6797); they are not by default.
    pub hsts: Option<Duration>,
    /// The limits.
    pub limits: Limits,
    /// What all bytes go through that a node's sessions send and receive here: a limit on bandwidth.
    pub bandwidth: Option<Arc<Bucket>>,
    /// Where requests are counted.
    pub requests: Option<Requests>,
    /// The node, for what is administered by pages; without it, accounts alone are.
    pub node: Option<Arc<Node>>,
    /// What it has together with the node's other listeners.
    pub(crate) node_wide: Arc<NodeWide>,
    /// Called once for each request, when its answer has been sent or broken off.
    pub access_log: Option<AccessLog>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            index: Name::parse(b"index.html").into_iter().collect(),
            listing: true,
            hosts: Vec::new(),
            proxies: Vec::new(),
            cache_control: Some(Cow::Borrowed("no-cache")),
            compress: true,
            precompressed: false,
            redirect: None,
            hsts: None,
            limits: Limits::default(),
            bandwidth: None,
            requests: None,
            node: None,
            node_wide: Arc::default(),
            access_log: None,
        }
    }
}

/// What a node's settings say of HTTP; the rest is as by default.
impl From<&Settings> for Config {
    fn from(settings: &Settings) -> Self {
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let own = settings.http_url.as_ref().map(SiteUrl::host);
        Self {
            index: settings.http_index.clone(),
            listing: settings.http_listing,
            hosts: settings.http_hosts.iter().cloned().chain(own.map(str::to_owned)).collect(),
            proxies: settings.http_proxies.clone(),
            compress: settings.http_compress,
            precompressed: settings.http_precompressed,
            redirect: settings.http_redirect.as_ref().map(|url| url.0.clone()),
            hsts: settings.http_hsts,
            limits: Limits {
                request_line: bytes(settings.http_request_line.0),
                head: bytes(settings.http_head.0),
                head_time: settings.http_head_time,
                idle: settings.http_idle,
                write_stall: settings.http_stall,
                read_stall: settings.http_stall,
                upload: settings.http_upload.map(|bytes| bytes.0),
                ranges: settings.http_ranges.count(),
                sorted_entries: settings.http_sorted_entries.count(),
                archive: bytes(settings.http_archive.0),
                streams: settings.http_streams.get(),
                ..Limits::default()
            },
            ..Self::default()
        }
    }
}

/// As its node has it for a listener.
impl From<&Listening<'_>> for Config {
    fn from(listening: &Listening<'_>) -> Self {
        Self {
            // What one may see, another who asks the same proxy may not.
            cache_control: Some(Cow::Borrowed("private, no-cache")),
            bandwidth: Some(Arc::clone(listening.bucket)),
            requests: Some(Requests::of(listening.node)),
            node: Some(Arc::clone(listening.node)),
            node_wide: listening.node.singleton(),
            ..Self::from(listening.settings)
        }
    }
}

/// The limits of a connection. Everything a peer can send or keep waiting has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The request line, in bytes; 8 KiB by default. Longer: 414.
    pub request_line: usize,
    /// A request's whole head, in bytes; 32 KiB by default, at least 8 KiB. Longer: 431. The number
    /// of its fields is limited by [`MAX_FIELDS`](crate::wire::head::MAX_FIELDS).
    pub head: usize,
    /// From the first byte of a head to its last; 10 s by default. Longer: 408, and the end.
    pub head_time: Duration,
    /// The same while others may be waiting for the connection's place; 2 s by default. A request's body
    /// that nobody takes has these two times as well.
    pub crowded_head: Duration,
    /// From the end of an answer, or of the handshake, to the next request; 60 s by default.
    pub idle: Duration,
    /// How long a connection may be idle while others may be waiting for its place, at least; 2 s by
    /// default. So often do idle connections look whether that is so. Over HTTP/2, the time that a peer
    /// has to leave once it was told to.
    pub crowded_idle: Duration,
    /// How long a peer may take nothing of what is sent; 30 s by default.
    pub write_stall: Duration,
    /// How long a peer may send nothing of the content it announced; 30 s by default. Longer: 408.
    pub read_stall: Duration,
    /// The least pace of a content, in bytes a second; 1024 by default. Whoever sends more slowly uses up the
    /// time of `read_stall`.
    pub read_pace: u64,
    /// The largest content of a PUT, in bytes; none by default. Larger: 413.
    pub upload: Option<u64>,
    /// How long an idle connection is kept once the server drains, so that a request that is
    /// under way is still answered; 500 ms by default.
    pub drain_idle: Duration,
    /// A request body's bytes that are read and thrown away; 64 KiB by default. After an answer to
    /// more, the connection ends.
    pub body: u64,
    /// Ranges in one request; 16 by default. More are ignored, as RFC 9110 §14.2 permits.
    pub ranges: usize,
    /// Entries of a folder that are sorted; 10,000 by default. A larger folder is listed unsorted, so
    /// that memory stays bounded and the first bytes come at once.
    pub sorted_entries: usize,
    /// Memory that one archive of a folder may take while it is sent, in bytes; 64 MiB by default, which is some
    /// 500,000 entries. For more: 403. All archives together take at most 256 MiB; who waits for longer than 10 s: 503.
    pub archive: usize,
    /// Requests under way on one HTTP/2 connection; 100 by default.
    pub streams: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_line: 8 * 1024,
            head: 32 * 1024,
            head_time: Duration::from_secs(10),
            crowded_head: Duration::from_secs(2),
            idle: Duration::from_secs(60),
            crowded_idle: Duration::from_secs(2),
            write_stall: Duration::from_secs(30),
            read_stall: Duration::from_secs(30),
            read_pace: 1024,
            upload: None,
            drain_idle: Duration::from_millis(500),
            body: 64 * 1024,
            ranges: 16,
            sorted_entries: 10_000,
            archive: 64 << 20,
            streams: 100,
        }
    }
}

/// Where access records go. It is called on the connection's thread and must not block.
#[derive(Clone)]
pub struct AccessLog(Arc<dyn Fn(&Record<'_>) + Send + Sync>);

impl AccessLog {
    /// Gives each record to `sink`; [`combined`](crate::wire::log::combined) makes a line of it.
    pub fn new(sink: impl Fn(&Record<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    pub(crate) fn write(&self, record: &Record<'_>) {
        (self.0)(record);
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessLog")
    }
}
