//! Logins: what comes of credentials, and why they were refused.

mod backoff;
mod bearer;
mod cache;
mod credentials;
mod flights;
mod share;
mod verify;

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;

pub use self::{
    backoff::BackOff,
    cache::CacheSettings,
    credentials::{Attempt, Credentials, ShareProof},
};
pub(crate) use self::{
    backoff::Failures,
    cache::Cache,
    credentials::Origin,
    flights::{Flights, Shares},
    verify::{BUSY, failed},
};
use crate::{Account, Error, Live, Rights, Share, SignIn, Token};

/// By what somebody logged in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Via {
    /// By the account's password.
    Password,
    /// By this access token, which bounds what may be done.
    Token(Arc<Token>),
    /// By the link of this share of the account's: somebody else, who may do what it lets through.
    Share(Arc<Share>),
    /// By what a browser keeps of this sign-in, which was made by the account's password.
    SignIn(Arc<SignIn>),
}

/// Somebody who is who they claim to be; clones are the same.
#[derive(Clone, Debug)]
pub struct Login {
    live: Live,
    via: Via,
    /// The account's revision that it was verified against.
    revision: u64,
}

impl Login {
    /// The account, for as long as the session runs.
    #[must_use]
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// The account as it is now.
    #[must_use]
    pub fn account(&self) -> Arc<Account> {
        self.live.current()
    }

    /// By what it was.
    #[must_use]
    pub fn via(&self) -> &Via {
        &self.via
    }

    /// The token that it was by, if it was one.
    #[must_use]
    pub fn token(&self) -> Option<&Token> {
        match &self.via {
            Via::Token(token) => Some(token),
            Via::Password | Via::Share(_) | Via::SignIn(_) => None,
        }
    }

    /// The share whose link it was by, as it was then, if it was one.
    #[must_use]
    pub fn share(&self) -> Option<&Arc<Share>> {
        match &self.via {
            Via::Share(share) => Some(share),
            Via::Password | Via::Token(_) | Via::SignIn(_) => None,
        }
    }

    /// The sign-in that it was by, as it was then, if it was one.
    #[must_use]
    pub fn sign_in(&self) -> Option<&Arc<SignIn>> {
        match &self.via {
            Via::SignIn(sign_in) => Some(sign_in),
            Via::Password | Via::Token(_) | Via::Share(_) => None,
        }
    }

    /// The account's revision that it was verified against: what was right then may not be with a later one.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// What may be done at `path`, absolute and normal: what [the account may](Account::rights_at), as
    /// far as the token or the share goes; nothing once the session [has ended](Self::is_ended).
    #[must_use]
    pub fn rights_at(&self, path: impl AsRef<[u8]>) -> Rights {
        let path = path.as_ref();
        if self.is_ended() {
            return Rights::NONE;
        }
        let rights = self.live.current().rights_at(path);
        match &self.via {
            Via::Password | Via::SignIn(_) => rights,
            Via::Token(token) => rights & token.mask_at(path),
            Via::Share(share) => share.mask_at(path, rights),
        }
    }

    /// Whether the account was locked or removed, or the token, share or sign-in was ended or has
    /// expired.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        // Only an end asks for the time.
        self.live.is_ended() || self.via.expires().is_some_and(|end| end <= Timestamp::now())
    }

    /// Waits for [`Self::is_ended`].
    ///
    /// Cancellation: safe.
    pub async fn ended(&self) {
        let Some(end) = self.via.expires() else {
            return self.live.ended().await;
        };
        loop {
            let left = Duration::try_from(end.duration_since(Timestamp::now())).unwrap_or_default();
            if left.is_zero() {
                return;
            }
            // Looked at again now and then, as somebody may set the clock.
            let pause = left.min(Duration::from_secs(60));
            if tokio::time::timeout(pause, self.live.ended()).await.is_ok() {
                return;
            }
        }
    }
}

impl Via {
    /// When it ends by itself.
    fn expires(&self) -> Option<Timestamp> {
        match self {
            Self::Password => None,
            Self::Token(token) => token.expires,
            Self::Share(share) => share.expires,
            Self::SignIn(sign_in) => Some(sign_in.expires),
        }
    }

    fn is_expired(&self, now: Timestamp) -> bool {
        self.expires().is_some_and(|end| end <= now)
    }

    /// Whether it is good for this attempt's protocol.
    fn serves(&self, attempt: &Attempt<'_>) -> bool {
        match self {
            Self::Token(token) => token.protocols.contain(attempt.protocol),
            Self::Password | Self::Share(_) | Self::SignIn(_) => true,
        }
    }
}

/// Why a login was refused. The text is for whoever tried: it does not tell a name that is there from
/// one that is not. The rest is for the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The name or the secret is wrong, or the account may not log in.
    #[error("the name or the password is wrong, or the account is locked")]
    Wrong(Reason),
    /// There were failed logins with this name from this address.
    #[error(
        "too many failed logins with this name from this address; try again in {}",
        whole_seconds(retry_after)
    )]
    Wait {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Too many logins are being checked.
    #[error("too many logins at once; try again in {}", whole_seconds(retry_after))]
    Busy {
        /// How long to wait.
        retry_after: Duration,
    },
    /// What keeps the accounts failed; the text of the error is for the log alone.
    #[error("the accounts cannot be read now; the server's log says why")]
    Failed(#[source] Error),
}

impl Refused {
    /// How long to wait before the next attempt, if that may help.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Wait { retry_after } | Self::Busy { retry_after } => Some(*retry_after),
            Self::Wrong(_) | Self::Failed(_) => None,
        }
    }
}

/// What was wrong with a login: for the log, never for whoever tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The name is none that an account can have, or a part is too long.
    Impossible,
    /// No account has the name.
    NoAccount,
    /// The account has no password.
    NoPassword,
    /// The password is wrong.
    WrongPassword,
    /// The same secret was found wrong here a moment ago.
    WrongAgain,
    /// The account is locked, and the secret was right.
    Locked,
    /// There is no such token, or not with this secret.
    NoToken,
    /// The token's or the share's time is over.
    Expired,
    /// The token belongs to another account than the name that came with it.
    NotTheirs,
    /// The token is not for this protocol.
    Protocol,
    /// The link was never one.
    NoLink,
    /// What the link led to is shared no more.
    NoShare,
    /// The share has a password, and none came.
    PasswordNeeded,
    /// There is no such sign-in, or not with this secret.
    NoSignIn,
}

impl Reason {
    /// A word for programs that read the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.told().0
    }

    /// The word, and what it means.
    const fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::Impossible => {
                ("impossible", "no account can have this name, or no secret is like this")
            }
            Self::NoAccount => ("no-account", "no account has this name"),
            Self::NoPassword => ("no-password", "the account has no password"),
            Self::WrongPassword => ("wrong-password", "the password is wrong"),
            Self::WrongAgain => ("wrong-again", "the same wrong secret as a moment ago"),
            Self::Locked => ("locked", "the account is locked, and the secret was right"),
            Self::NoToken => ("no-token", "there is no such token, or not with this secret"),
            Self::Expired => ("expired", "the time of the token or link is over"),
            Self::NotTheirs => ("not-theirs", "the token is another account's"),
            Self::Protocol => ("protocol", "the token is not for this protocol"),
            Self::NoLink => ("no-link", "there was never such a link"),
            Self::NoShare => ("no-share", "what the link led to is shared no more"),
            Self::PasswordNeeded => ("password-needed", "the link has a password, and none came"),
            Self::NoSignIn => ("no-sign-in", "there is no such sign-in, or not with this secret"),
        }
    }
}

/// For the log: the word, and what it means, as `wrong-again: the same wrong secret as a moment ago`.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, meaning) = self.told();
        write!(f, "{word}: {meaning}")
    }
}

/// Rounded up, so that who waits as long is not told to wait again.
fn whole_seconds(wait: &Duration) -> String {
    format!("{} s", wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}
