//! Addresses of data connections: PORT and PASV (RFC 959 §4.1.2), EPRT and EPSV (RFC 2428).
//!
//! What an address says is read here; whether a connection may lead there is decided elsewhere (RFC 2577).

use core::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::fmt;

use super::reply::Reply;

/// A network protocol by its number in RFC 2428 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// 1: IPv4.
    V4,
    /// 2: IPv6.
    V6,
}

impl Family {
    /// That of an address. An IPv4 address within IPv6 is IPv4: the client knows nothing of how the server listens.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        if address.to_canonical().is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::V4 => 1,
            Self::V6 => 2,
        }
    }
}

/// As its number.
impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// Why an argument is no address that a data connection can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// No six numbers below 256 between commas, or port 0.
    #[error("Invalid PORT format.")]
    Port,
    /// No `|PROTOCOL|ADDRESS|PORT|`, an address that is not one of the protocol, or port 0.
    #[error("Invalid EPRT format.")]
    Eprt,
    /// Neither nothing, nor a number, nor ALL.
    #[error("EPSV takes 1 (IPv4), 2 (IPv6), ALL, or nothing.")]
    Epsv,
    /// Another protocol than the control connection's: no data connection can have it, as it has to lead to the same
    /// address.
    #[error("Network protocol not supported, use ({0})")]
    Protocol(Family),
    /// LPRT or LPSV (RFC 1639).
    #[error("Long addresses are not supported, use EPRT or EPSV.")]
    Long,
}

impl HostError {
    /// The reply that it makes (RFC 2428 §2 for 522, RFC 1639 for 521).
    #[must_use]
    pub fn reply(&self) -> Reply {
        let code = match self {
            Self::Port | Self::Eprt | Self::Epsv => 501,
            Self::Protocol(_) => 522,
            Self::Long => 521,
        };
        Reply::new(code, self.to_string())
    }
}

/// The argument of PORT: `h1,h2,h3,h4,p1,p2`.
///
/// # Errors
/// [`HostError::Port`].
pub fn parse_port(argument: &[u8]) -> Result<SocketAddrV4, HostError> {
    let mut bytes = [0; 6];
    let mut numbers = argument.trim_ascii().split(|&b| b == b',');
    for byte in &mut bytes {
        *byte = numbers.next().and_then(number).ok_or(HostError::Port)?;
    }
    let [a, b, c, d, high, low] = bytes;
    let port = u16::from_be_bytes([high, low]);
    if numbers.next().is_some() || port == 0 {
        return Err(HostError::Port);
    }
    Ok(SocketAddrV4::new([a, b, c, d].into(), port))
}

/// A decimal number without a sign.
fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

/// The argument of EPRT, on a control connection of the protocol `control`: `|1|192.0.2.1|6446|`, with any visible
/// character in place of `|`.
///
/// # Errors
/// [`HostError::Eprt`]; [`HostError::Protocol`] if it is another than `control`, or unknown.
pub fn parse_eprt(argument: &[u8], control: Family) -> Result<SocketAddr, HostError> {
    let text = str::from_utf8(argument.trim_ascii()).map_err(|_| HostError::Eprt)?;
    let delimiter = text.chars().next().filter(char::is_ascii_graphic).ok_or(HostError::Eprt)?;
    let mut parts = text.split(delimiter).skip(1);
    let mut part = || parts.next().ok_or(HostError::Eprt);
    let (protocol, address, port, end) = (part()?, part()?, part()?, part()?);
    if !end.is_empty() || parts.next().is_some() {
        return Err(HostError::Eprt);
    }
    check(protocol.as_bytes(), control, HostError::Eprt)?;
    let address: IpAddr = address.parse().map_err(|_| HostError::Eprt)?;
    let port = number(port.as_bytes()).filter(|&port| port > 0).ok_or(HostError::Eprt)?;
    let is_of_family = address.is_ipv4() == (control == Family::V4);
    is_of_family.then_some(SocketAddr::new(address, port)).ok_or(HostError::Eprt)
}

/// What EPSV asks for (RFC 2428 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epsv {
    /// A port to connect to.
    Port,
    /// That PORT, PASV and EPRT be refused from now on, so that a translating router has nothing to look for.
    All,
}

/// The argument of EPSV, on a control connection of the protocol `control`.
///
/// # Errors
/// [`HostError::Epsv`]; [`HostError::Protocol`] if it is another than `control`, or unknown.
pub fn parse_epsv(argument: &[u8], control: Family) -> Result<Epsv, HostError> {
    match argument.trim_ascii() {
        b"" => Ok(Epsv::Port),
        text if text.eq_ignore_ascii_case(b"ALL") => Ok(Epsv::All),
        text => check(text, control, HostError::Epsv).map(|()| Epsv::Port),
    }
}

/// Whether `digits` are the number of `control`; `otherwise` is what they are if they are no number.
fn check(digits: &[u8], control: Family, otherwise: HostError) -> Result<(), HostError> {
    match number::<u32>(digits).ok_or(otherwise)? {
        found if found == control.number() => Ok(()),
        _ => Err(HostError::Protocol(control)),
    }
}

/// The reply to PASV, in the form that clients look for (RFC 1123 §4.1.2.6).
#[must_use]
pub fn pasv_reply(address: SocketAddrV4) -> Reply {
    let [a, b, c, d] = address.ip().octets();
    let [high, low] = address.port().to_be_bytes();
    Reply::new(227, format!("Entering Passive Mode ({a},{b},{c},{d},{high},{low})."))
}

/// The reply to EPSV (RFC 2428 §3): the address is that of the control connection.
#[must_use]
pub fn epsv_reply(port: u16) -> Reply {
    Reply::new(229, format!("Entering Extended Passive Mode (|||{port}|)."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::charset::Charset, *};

    #[test]
    fn port_is_six_numbers() {
        let address = SocketAddrV4::new([192, 0, 2, 1].into(), 1025);
        for text in ["192,0,2,1,4,1", " 192,0,2,1,4,1 ", "192,000,02,1,4,01"] {
            assert_eq!(parse_port(text.as_bytes()), Ok(address), "{text}");
        }
        for text in [
            "",
            "127,0,0,1",
            "127,0,0,1,1.1",
            "X,0,0,1,1,1",
            "127,0,0,1,1,1,1",
            "256,0,0,1,1,1",
            "127,0,0,1,256,1",
            "127,0,0,1,-1,0",
            "127,0,0,1,+1,0",
            "127,0,0,1, 1,0",
            "127,0,0,1,,1",
            "127,0,0,1,0,0",
        ] {
            assert_eq!(parse_port(text.as_bytes()), Err(HostError::Port), "{text}");
        }
    }

    #[test]
    fn eprt_takes_any_delimiter_and_the_protocol_of_the_control_connection() {
        let v4: SocketAddr = "132.235.1.2:6275".parse().unwrap();
        let v6: SocketAddr = "[1080::8:800:200c:417a]:5282".parse().unwrap();
        for (text, control, address) in [
            ("|1|132.235.1.2|6275|", Family::V4, v4),
            ("!1!132.235.1.2!6275!", Family::V4, v4),
            ("|2|1080::8:800:200C:417A|5282|", Family::V6, v6),
            (" |01|132.235.1.2|06275| ", Family::V4, v4),
        ] {
            assert_eq!(parse_eprt(text.as_bytes(), control), Ok(address), "{text}");
        }
        let (v4, v6) = (Family::V4, Family::V6);
        for (text, control, error) in [
            ("", v4, HostError::Eprt),
            ("||", v4, HostError::Eprt),
            ("||||", v4, HostError::Eprt),
            ("|1|127.0.0.1|2048", v4, HostError::Eprt),
            ("|1|127.0.0.1|2048||", v4, HostError::Eprt),
            ("|1|127.0.0.1|65536|", v4, HostError::Eprt),
            ("|1|127.0.0.1|-1|", v4, HostError::Eprt),
            ("|1|127.0.0.1|+1|", v4, HostError::Eprt),
            ("|1|127.0.0.1|0|", v4, HostError::Eprt),
            ("|1|1.2.3.4.5|2048|", v4, HostError::Eprt),
            ("|1|1.2.3.256|2048|", v4, HostError::Eprt),
            ("|1|::1|2048|", v4, HostError::Eprt),
            ("|2|::foo|2222|", v6, HostError::Eprt),
            ("|2|127.0.0.1|2048|", v6, HostError::Eprt),
            ("|2|fe80::1%eth0|2048|", v6, HostError::Eprt),
            ("|2|1.2.3.256|2048|", v4, HostError::Protocol(v4)),
            ("|3|127.0.0.1|2048|", v4, HostError::Protocol(v4)),
            ("|1|127.0.0.1|2048|", v6, HostError::Protocol(v6)),
            ("é1é127.0.0.1é2048é", v4, HostError::Eprt),
        ] {
            assert_eq!(parse_eprt(text.as_bytes(), control), Err(error), "{text}");
        }
    }

    #[test]
    fn epsv_asks_for_a_port_or_for_no_other_way() {
        let (v4, v6) = (Family::V4, Family::V6);
        for (text, control, expected) in [
            ("", v4, Ok(Epsv::Port)),
            ("1", v4, Ok(Epsv::Port)),
            ("2", v6, Ok(Epsv::Port)),
            ("all", v6, Ok(Epsv::All)),
            ("2", v4, Err(HostError::Protocol(v4))),
            ("1", v6, Err(HostError::Protocol(v6))),
            ("3", v4, Err(HostError::Protocol(v4))),
            ("foo", v4, Err(HostError::Epsv)),
            ("-1", v4, Err(HostError::Epsv)),
        ] {
            assert_eq!(parse_epsv(text.as_bytes(), control), expected, "{text}");
        }
    }

    #[test]
    fn replies_have_the_forms_and_codes_that_clients_look_for() {
        let sent = |reply: Reply| {
            let mut out = Vec::new();
            reply.encode(Charset::UTF_8, &mut out);
            String::from_utf8(out).unwrap()
        };
        let address = SocketAddrV4::new([127, 0, 0, 1].into(), 50_100);
        assert_eq!(sent(pasv_reply(address)), "227 Entering Passive Mode (127,0,0,1,195,180).\r\n");
        assert_eq!(sent(epsv_reply(6446)), "229 Entering Extended Passive Mode (|||6446|).\r\n");
        assert_eq!(
            sent(HostError::Protocol(Family::V6).reply()),
            "522 Network protocol not supported, use (2)\r\n"
        );
        assert_eq!(HostError::Long.reply().code(), 521);
        assert_eq!(HostError::Port.reply().code(), 501);
    }

    #[test]
    fn an_address_within_ipv6_is_ipv4() {
        assert_eq!(Family::of("::ffff:192.0.2.1".parse().unwrap()), Family::V4);
        assert_eq!(Family::of("::1".parse().unwrap()), Family::V6);
    }

    proptest! {
        #[test]
        fn what_pasv_says_port_reads(ip in any::<[u8; 4]>(), port in 1u16..) {
            let address = SocketAddrV4::new(ip.into(), port);
            let text = pasv_reply(address).text().to_vec();
            let inner = text.split(|b| b"()".contains(b)).nth(1).unwrap();
            prop_assert_eq!(parse_port(inner), Ok(address));
        }

        #[test]
        fn eprt_reads_every_address(ip in any::<[u8; 16]>(), port in 1u16.., v6 in any::<bool>()) {
            let ip = if v6 { IpAddr::from(ip) } else { IpAddr::from([ip[0], ip[1], ip[2], ip[3]]) };
            let family = if v6 { Family::V6 } else { Family::V4 };
            let text = format!("|{family}|{ip}|{port}|");
            prop_assert_eq!(parse_eprt(text.as_bytes(), family), Ok(SocketAddr::new(ip, port)));
        }

        #[test]
        fn nothing_makes_them_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (parse_port(&bytes), parse_eprt(&bytes, Family::V4), parse_epsv(&bytes, Family::V6));
        }
    }
}
