//! The arguments of `sockeye dial`, as they are typed.

use std::path::PathBuf;

use clap::{ArgAction, ValueHint};

/// Open a line to any address, from the terminal or a pipe
///
/// What is typed or piped in goes there, what comes back is printed. At the end of input the connection is closed in that direction alone, and the answer is awaited. To
/// udp://, unixgram:// and seqpacket:// each line goes as one packet, without its line end, and each
/// packet that comes is printed as a line.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  echo hello | sockeye dial tcp://localhost:9999
  printf 'GET / HTTP/1.0\\n\\n' | sockeye dial tls+tcp://example.org:443 --crlf -v
  sockeye dial unix:///run/app.sock
  echo 你好 | sockeye dial udp://127.0.0.1:9999 --encoding gbk --timeout 3s")]
pub(crate) struct DialArgs {
    /// The address: HOST:PORT, tcp://…, tls+tcp://…, unix://…, seqpacket://…, udp://…, unixgram://…
    #[arg(value_name = "ADDR")]
    pub(super) addr: String,

    /// How long connecting may take, and then how long nothing may pass; as 30s or 500ms
    ///
    /// By default 60s to connect, and then for ever. Of udp:// and unixgram:// it is how long answers
    /// are awaited after the end of input, by default 1s.
    #[arg(short, long, value_name = "TIME")]
    pub(super) timeout: Option<String>,

    /// Where to call from: an IP address, with or without a port, or a path for a Unix socket
    #[arg(long, value_name = "ADDR")]
    pub(super) source: Option<String>,

    /// End the lines that are sent with CR LF, as network protocols want it
    #[arg(long)]
    pub(super) crlf: bool,

    /// The text encoding of the other side, as gbk, big5, shift_jis or utf-16le; here it is UTF-8
    #[arg(long, value_name = "NAME")]
    pub(super) encoding: Option<String>,

    /// Trust certificates of these authorities, PEM, in place of the system's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "TLS")]
    #[arg(group = "trust")]
    pub(super) ca: Option<PathBuf>,

    /// Trust the certificate with this SHA-256 fingerprint alone, as `sockeye serve` prints it
    #[arg(long, value_name = "FINGERPRINT", help_heading = "TLS", group = "trust")]
    pub(super) pin: Option<String>,

    /// Trust any certificate: the other side may then be anybody
    #[arg(long, help_heading = "TLS", group = "trust")]
    pub(super) insecure: bool,

    /// A certificate to show to the server, PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "TLS")]
    pub(super) cert: Option<PathBuf>,

    /// Its private key, PEM [default: in the file of --cert]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "TLS")]
    #[arg(requires = "cert")]
    pub(super) key: Option<PathBuf>,

    /// The name to ask for and to verify by, in place of the address's host
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Hostname, help_heading = "TLS")]
    pub(super) server_name: Option<String>,

    /// Application protocols to offer, as h2,http/1.1
    #[arg(long, value_name = "NAME", value_delimiter = ',', help_heading = "TLS")]
    #[arg(action = ArgAction::Append)]
    pub(super) alpn: Vec<String>,
}
