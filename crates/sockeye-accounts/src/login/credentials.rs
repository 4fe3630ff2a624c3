//! What somebody logs in with, and from where.

use std::{fmt, net::IpAddr};

use jiff::Timestamp;
use sockeye::Site;

use crate::{MAX_SECRET, Secret, token::TokenText};

/// Longest name that is looked at, in bytes; longer ones are wrong at once.
const MAX_NAME: usize = 256;

/// What somebody claims to be, and the proof.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// A name and its password. Also a token is taken for the password, if it is the name's own.
    Password {
        /// The account's name, as it was given.
        name: String,
        /// The password, or a token.
        secret: Secret,
    },
    /// An access token, which says itself whose it is.
    Token {
        /// The token's text.
        secret: Secret,
    },
    /// A share's link, which says itself what it is for.
    Share {
        /// The link's text.
        link: Secret,
        /// What it needs beside, if its owner set a password.
        proof: Option<ShareProof>,
    },
    /// What a browser keeps of a sign-in, which says itself whose it is.
    SignIn {
        /// The text.
        secret: Secret,
    },
}

/// What a share with a password needs beside its link.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShareProof {
    /// The password.
    Password(Secret),
    /// A [pass](crate::Accounts::share_pass), which was had for the password.
    Pass(Secret),
}

impl Credentials {
    /// A name with its password.
    pub fn password(name: impl Into<String>, secret: impl Into<String>) -> Self {
        Self::Password { name: name.into(), secret: Secret::new(secret) }
    }

    /// A token alone.
    pub fn token(secret: impl Into<String>) -> Self {
        Self::Token { secret: Secret::new(secret) }
    }

    /// What a browser keeps of a sign-in.
    pub fn sign_in(secret: impl Into<String>) -> Self {
        Self::SignIn { secret: Secret::new(secret) }
    }

    /// The name that was given, if one was: for a log, and never to be trusted.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Password { name, .. } => name,
            Self::Token { .. } | Self::Share { .. } | Self::SignIn { .. } => "",
        }
    }

    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::Password { secret, .. } | Self::Token { secret } | Self::SignIn { secret } => {
                secret
            }
            Self::Share { link, .. } => link,
        }
    }

    /// Whether it could be right at all: neither part is longer than any that can exist.
    pub(crate) fn is_possible(&self) -> bool {
        let proof = match self {
            Self::Share { proof: Some(proof), .. } => proof.secret().expose().len(),
            _ => 0,
        };
        let secret = self.secret().expose().len();
        self.name().len() <= MAX_NAME && secret <= MAX_SECRET && proof <= MAX_SECRET
    }

    /// The token that it is, if it is one.
    pub(crate) fn token_text(&self) -> Option<TokenText> {
        TokenText::parse(self.secret())
    }
}

impl ShareProof {
    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::Password(secret) | Self::Pass(secret) => secret,
        }
    }
}

impl fmt::Debug for ShareProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShareProof(…)")
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { name, .. } => write!(f, "Password {{ name: {name:?}, … }}"),
            Self::Token { .. } => f.write_str("Token { … }"),
            Self::Share { .. } => f.write_str("Share { … }"),
            Self::SignIn { .. } => f.write_str("SignIn { … }"),
        }
    }
}

/// Where a login comes from, over what, and when.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The client's address; none for a local socket.
    pub address: Option<IpAddr>,
    /// The protocol's name, as in a token's list of protocols: `http`.
    pub protocol: &'a str,
    /// Whether it came under TLS, for who records it.
    pub tls: bool,
    /// The time of day, for the end of tokens. Waits are measured by a clock that nobody sets.
    pub now: Timestamp,
}

/// Those who share an address for the back-off; none for a local socket.
pub(crate) type Origin = Option<Site>;

impl Attempt<'_> {
    pub(crate) fn origin(&self) -> Origin {
        self.address.map(Site::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_shown_without_their_secret() {
        let shown = format!(
            "{:?} {:?}",
            Credentials::password("alice", "correct horse"),
            Credentials::token("sockeye_abc")
        );
        assert!(shown.contains("alice"), "{shown}");
        assert!(!shown.contains("horse") && !shown.contains("sockeye_"), "{shown}");
    }
}
