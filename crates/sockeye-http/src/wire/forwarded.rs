//! What a proxy in front says of its client: `X-Forwarded-For` and `X-Forwarded-Proto`, as nginx, Caddy, HAProxy and
//! Traefik send them.
//!
//! Whether the peer is a proxy that may be believed is decided elsewhere, and asked here for each address in the list: every proxy
//! adds the address that it was called from at the end, and what stands before that anybody can have written.

use core::net::{IpAddr, SocketAddr};

use super::head::Fields;

/// The client, as proxies tell: the last address that is not itself a trusted proxy's, and the first one if all are. None if
/// nothing, or what is no address, stands there.
#[must_use]
pub fn client(fields: &Fields<'_>, trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let mut client = None;
    let mut lines: Vec<_> = fields.all("x-forwarded-for").collect();
    while let Some(line) = lines.pop() {
        for item in line.rsplit(|&byte| byte == b',') {
            let address = address(item)?;
            client = Some(address);
            if !trusted(address) {
                return client;
            }
        }
    }
    client
}

/// Whether the client came over TLS, as the nearest proxy tells; none if it does not.
#[must_use]
pub fn secure(fields: &Fields<'_>) -> Option<bool> {
    let line = fields.all("x-forwarded-proto").last()?;
    let scheme = line.rsplit(|&byte| byte == b',').next()?.trim_ascii();
    match scheme {
        _ if scheme.eq_ignore_ascii_case(b"https") => Some(true),
        _ if scheme.eq_ignore_ascii_case(b"http") => Some(false),
        _ => None,
    }
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]`, `[2001:db8::7]:4711`.
fn address(item: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(item.trim_ascii()).ok()?;
    let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text);
    let alone = bare.parse().ok();
    alone.or_else(|| text.parse::<SocketAddr>().ok().map(|it| it.ip())).map(|it| it.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{super::head::Sent, *};

    fn with<T>(lines: &[(&'static str, &'static str)], read: impl Fn(&Fields<'_>) -> T) -> T {
        let map: HeaderMap = lines
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .fold(HeaderMap::new(), |mut map, (name, value): (_, HeaderValue)| {
                map.append(name, value);
                map
            });
        read(&Fields { sent: Sent::Map(&map), ..Fields::default() })
    }

    fn client_of(lines: &[&'static str]) -> Option<String> {
        let lines: Vec<_> = lines.iter().map(|value| ("x-forwarded-for", *value)).collect();
        let trusted = |address: IpAddr| address.to_string().starts_with("10.");
        with(&lines, |fields| client(fields, trusted)).map(|it| it.to_string())
    }

    #[test]
    fn the_client_is_the_last_who_is_no_proxy() {
        for (lines, expected) in [
            (&["192.0.2.7"][..], Some("192.0.2.7")),
            // Whoever calls can write anything in front.
            (&["198.51.100.1, 192.0.2.7"], Some("192.0.2.7")),
            (&["rubbish, 192.0.2.7"], Some("192.0.2.7")),
            (&["198.51.100.1, 192.0.2.7, 10.0.0.2"], Some("192.0.2.7")),
            (&["198.51.100.1", "192.0.2.7,10.0.0.3", "10.0.0.2"], Some("192.0.2.7")),
            (&["10.0.0.9, 10.0.0.2"], Some("10.0.0.9")),
            (&["192.0.2.7:4711"], Some("192.0.2.7")),
            (&["[2001:db8::7]:4711"], Some("2001:db8::7")),
            (&["2001:db8::7"], Some("2001:db8::7")),
            (&["[2001:db8::7]"], Some("2001:db8::7")),
            (&["::ffff:192.0.2.7"], Some("192.0.2.7")),
            (&["192.0.2.7, rubbish"], None),
            (&["192.0.2.7, "], None),
            (&["unknown"], None),
            (&[], None),
        ] {
            assert_eq!(client_of(lines).as_deref(), expected, "{lines:?}");
        }
    }

    #[test]
    fn the_nearest_proxy_says_whether_it_was_tls() {
        let told = |lines: &[&'static str]| {
            let lines: Vec<_> = lines.iter().map(|value| ("x-forwarded-proto", *value)).collect();
            with(&lines, secure)
        };
        assert_eq!(told(&["https"]), Some(true));
        assert_eq!(told(&["HTTP"]), Some(false));
        assert_eq!(told(&["https, http"]), Some(false));
        assert_eq!(told(&["gopher"]), None);
        assert_eq!(told(&[]), None);
    }
}
