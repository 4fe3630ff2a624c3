//! Reading a listener: an address of the grammar, with the protocol in front or without.

use sockeye::{Addr, addr::Transport};

use crate::failure::Failure;

/// Protocols that a listener may be asked for and that this program does not speak yet.
const NOT_YET: &[&str] = &["ftp", "ssh", "sftp", "irc", "chat"];

/// Reads `HOST:PORT`, `TRANSPORT://…` or `http+TRANSPORT://…`.
pub(super) fn parse(text: &str) -> Result<Addr, Failure> {
    let addr = match text.split_once("://") {
        // A path or an abstract name: what that is with its transport is said.
        None if text.starts_with(['/', '.', '@']) => text.parse::<Addr>()?,
        None => format!("tcp://{text}").parse::<Addr>()?,
        Some((scheme, rest)) => {
            let (protocol, below) = scheme.split_once('+').unwrap_or((scheme, ""));
            match (protocol, below) {
                ("http", "") => return Err(url(text, &place(rest, 80))),
                ("https", "") => {
                    return Err(url(text, &format!("tls+tcp://{}", place(rest, 443))));
                }
                ("http", below) => format!("{below}://{rest}").parse::<Addr>()?,
                (other, _) if NOT_YET.contains(&other) => {
                    let message = format!("--listen {text}: {other} is not spoken yet, only http");
                    return Err(Failure::usage(message));
                }
                _ => text.parse::<Addr>()?,
            }
        }
    };
    match addr.transport() {
        Transport::Tcp | Transport::Unix | Transport::Inherited => Ok(addr),
        other => Err(Failure::usage(format!(
            "--listen {text}: HTTP needs a stream of bytes, which {other} is not"
        ))
        .hint("listen on tcp://, unix:// or fd://")),
    }
}

/// A URL is what a browser takes; a listener also says what it runs over.
fn url(text: &str, meant: &str) -> Failure {
    Failure::usage(format!("--listen {text}: a URL, and a listener is an address"))
        .hint(format!("write {meant}"))
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
    use crate::failure::Fault;

    #[test]
    fn the_protocol_in_front_and_the_transport_may_be_left_out() {
        for (text, addr) in [
            ("127.0.0.1:80", "tcp://127.0.0.1:80"),
            ("[::]:80?backlog=9", "tcp://[::]:80?backlog=9"),
            ("tcp://localhost:80", "tcp://localhost:80"),
            ("http+tcp://localhost:80", "tcp://localhost:80"),
            ("http+tls+tcp://localhost:80", "tls+tcp://localhost:80"),
            ("tls+proxy+tcp://localhost:80", "tls+proxy+tcp://localhost:80"),
            ("http+unix:///run/x.sock?mode=0660", "unix:///run/x.sock?mode=0660"),
            ("fd://web", "fd://web"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), addr);
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
    }

    #[test]
    fn what_no_web_server_can_listen_on_is_usage() {
        for text in [
            "",
            "8080",
            "/tmp/a.sock",
            "localhost",
            "http://localhost:80/",
            "https://localhost",
            "ftp+tcp://localhost:21",
            "udp://localhost:80",
            "seqpacket://@x",
            "http+http+tcp://localhost:80",
        ] {
            assert_eq!(parse(text).unwrap_err().fault(), Fault::Usage, "{text}");
        }
    }
}
