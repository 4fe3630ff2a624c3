//! The arguments of AUTH, PBSZ and PROT (RFC 2228 §3, RFC 4217 §4 and §9): how a connection is protected.

use super::reply::Reply;

/// The mechanism that AUTH asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// TLS on the control connection: `TLS`, and its older name `TLS-C`.
    Tls,
    /// TLS on the control connection, and on data connections without PROT: `SSL`, and its other name `TLS-P`.
    TlsAndData,
}

/// The level that PROT asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `C`: data connections are clear.
    Clear,
    /// `P`: data connections are TLS.
    Private,
}

/// Why an argument is none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtectionError {
    /// A mechanism other than TLS.
    #[error("The only mechanism is TLS.")]
    Mechanism,
    /// A level that TLS does not have.
    #[error("TLS has the levels C and P.")]
    Level,
    /// A level that there is not at all.
    #[error("Unrecognized: the levels are C and P.")]
    Unrecognized,
    /// No number.
    #[error("Syntax error: a number is needed, with TLS 0.")]
    Size,
}

impl ProtectionError {
    /// The reply that it makes (RFC 2228 §5).
    #[must_use]
    pub fn reply(&self) -> Reply {
        let code = match self {
            Self::Mechanism | Self::Unrecognized => 504,
            Self::Level => 536,
            Self::Size => 501,
        };
        Reply::new(code, self.to_string())
    }
}

/// The argument of AUTH.
///
/// # Errors
/// [`ProtectionError::Mechanism`].
pub fn parse_auth(argument: &[u8]) -> Result<Mechanism, ProtectionError> {
    match &argument.trim_ascii().to_ascii_uppercase()[..] {
        b"TLS" | b"TLS-C" => Ok(Mechanism::Tls),
        b"SSL" | b"TLS-P" => Ok(Mechanism::TlsAndData),
        _ => Err(ProtectionError::Mechanism),
    }
}

/// The argument of PROT.
///
/// # Errors
/// [`ProtectionError::Level`], [`ProtectionError::Unrecognized`].
pub fn parse_prot(argument: &[u8]) -> Result<Level, ProtectionError> {
    match argument.trim_ascii() {
        b"C" | b"c" => Ok(Level::Clear),
        b"P" | b"p" => Ok(Level::Private),
        b"S" | b"s" | b"E" | b"e" => Err(ProtectionError::Level),
        _ => Err(ProtectionError::Unrecognized),
    }
}

/// The argument of PBSZ: a number, in whose place the reply has 0, as TLS makes its own records.
///
/// # Errors
/// [`ProtectionError::Size`].
pub fn parse_pbsz(argument: &[u8]) -> Result<(), ProtectionError> {
    let digits = argument.trim_ascii();
    let is_number = (1..=10).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_number.then_some(()).ok_or(ProtectionError::Size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_goes_by_four_names() {
        for (argument, mechanism) in [
            ("TLS", Some(Mechanism::Tls)),
            ("tls-c", Some(Mechanism::Tls)),
            (" ssl ", Some(Mechanism::TlsAndData)),
            ("TLS-P", Some(Mechanism::TlsAndData)),
            ("GSSAPI", None),
            ("", None),
        ] {
            assert_eq!(parse_auth(argument.as_bytes()).ok(), mechanism, "{argument}");
        }
    }

    #[test]
    fn errors_have_the_codes_of_the_standard() {
        assert_eq!((parse_prot(b"p"), parse_prot(b"C ")), (Ok(Level::Private), Ok(Level::Clear)));
        for (error, code) in [
            (parse_prot(b"S").unwrap_err(), 536),
            (parse_prot(b"E").unwrap_err(), 536),
            (parse_prot(b"PP").unwrap_err(), 504),
            (parse_prot(b"").unwrap_err(), 504),
            (parse_auth(b"KERBEROS_V4").unwrap_err(), 504),
            (parse_pbsz(b"x").unwrap_err(), 501),
            (parse_pbsz(b"").unwrap_err(), 501),
            (parse_pbsz(b"12345678901").unwrap_err(), 501),
        ] {
            assert_eq!(error.reply().code(), code, "{error}");
        }
        assert_eq!((parse_pbsz(b"0"), parse_pbsz(b"4294967295")), (Ok(()), Ok(())));
    }
}
